// Whether a text holds one statement or several, told from the text alone: it decides the shape of
// the answer before the first row is there. Nothing of safety rests on it.
import { parseShell } from '../src/backends/mongodb/shell-parser.ts';

/**
 * What SQL is made of, as far as it can hide a semicolon: comments, strings with backslashes,
 * strings, names, dollar quotes, words, and single characters. Block comments nest, and are told
 * by their beginning.
 */
const SQL_TOKENS = new RegExp(
  [
    /--[^\n\r]*/,
    /(\/\*)/,
    /\b[eE]'(?:[^'\\]|\\.|'')*'?/,
    /'[^']*'?|"[^"]*"?/,
    /(\$(?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$)/,
    /([A-Za-z_\x80-\uffff][\w$\x80-\uffff]*)/,
    /\S/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gs',
);

/** Whether statements follow one another in a text of SQL. */
export function holdsSeveralStatements(sql: string): boolean {
  let end = sql.length;
  while (end > 0 && /[;\s]/.test(sql[end - 1] ?? '')) {
    end -= 1;
  }
  // Nearly every text: no semicolon but at its end.
  return sql.slice(0, end).includes(';') && new SqlOutline(sql).isSeveral();
}

/** Follows parentheses, and the BEGIN ATOMIC bodies of functions, within which `;` ends nothing. */
class SqlOutline {
  readonly #sql: string;
  #at = 0;
  #parentheses = 0;
  #blocks = 0;
  #isRoutine = false;
  #isEnded = false;

  constructor(sql: string) {
    this.#sql = sql;
  }

  isSeveral(): boolean {
    SQL_TOKENS.lastIndex = 0;
    for (;;) {
      SQL_TOKENS.lastIndex = this.#at;
      const match = SQL_TOKENS.exec(this.#sql);
      if (match === null) {
        return false;
      }
      this.#at = SQL_TOKENS.lastIndex;
      const [token, comment, dollar, word] = match;
      if (comment !== undefined) {
        this.#skipComment();
      } else if (!token.startsWith('--')) {
        if (this.#isEnded && token !== ';') {
          return true;
        }
        this.#take(token, dollar, word);
      }
    }
  }

  #take(token: string, dollar: string | undefined, word: string | undefined): void {
    if (dollar !== undefined) {
      const end = this.#sql.indexOf(dollar, this.#at);
      this.#at = end === -1 ? this.#sql.length : end + dollar.length;
    } else if (word !== undefined) {
      this.#takeWord(word.toLowerCase());
    } else if (token === '(' || token === ')') {
      this.#parentheses += token === '(' ? 1 : -1;
    } else if (token === ';') {
      this.#isEnded ||= this.#parentheses <= 0 && this.#blocks <= 0;
    }
  }

  #takeWord(word: string): void {
    if (word === 'function' || word === 'procedure') {
      this.#isRoutine = true;
    } else if (this.#isRoutine && (word === 'begin' || (word === 'case' && this.#blocks > 0))) {
      this.#blocks += 1;
    } else if (word === 'end' && this.#blocks > 0) {
      this.#blocks -= 1;
    }
  }

  /** One that is never closed runs to the end. */
  #skipComment(): void {
    const edges = /\/\*|\*\//g;
    edges.lastIndex = this.#at;
    for (let depth = 1; depth > 0;) {
      const edge = edges.exec(this.#sql);
      if (edge === null) {
        this.#at = this.#sql.length;
        return;
      }
      depth += edge[0] === '/*' ? 1 : -1;
    }
    this.#at = edges.lastIndex;
  }
}

/** Whether a text of the MongoDB shell holds several statements; what is no such text does not. */
export function holdsSeveralCommands(text: string): boolean {
  if (!/[;\n\r]/.test(text.trim())) {
    return false;
  }
  try {
    return parseShell(text).length > 1;
  } catch {
    // Whoever runs it says what is wrong with it.
    return false;
  }
}
