// Tells SQL from the shell's language.
import { readSqlToken } from './sql-lexer.ts';

/** What SQL statements begin with (PostgreSQL's manual, part VI). */
const SQL_WORDS = new Set(
  `abort alter analyze begin call checkpoint close cluster comment commit copy create deallocate
  declare delete discard do drop end execute explain fetch grant import insert listen load lock
  merge move notify prepare reassign refresh reindex release reset revoke rollback savepoint
  security select set show start table truncate unlisten update vacuum values with`.split(/\s+/),
);

/** What the shell's own `show` takes. */
const SHELL_SHOWS = new Set([
  ...['dbs', 'databases', 'collections', 'tables', 'users', 'roles', 'profile', 'log', 'logs'],
]);

/** Behind one of these words a parenthesis is SQL; behind any other it is a call of the shell's. */
const BEFORE_PARENTHESIS = new Set(['select', 'values', 'explain', 'copy', 'vacuum', 'analyze']);

/** Signs of an expression in the shell's language, where a word of SQL is a name. */
const EXPRESSION_SIGNS = new Set(['.', '=', '[']);

/** Whether a statement's text is SQL at all, whether or not it is answered. */
export function isSql(text: string): boolean {
  const first = readSqlToken(text, 0);
  if (first.kind !== 'word' || !SQL_WORDS.has(first.value)) {
    return false;
  }
  const second = readSqlToken(text, first.end);
  if (second.kind === 'symbol' && isExpression(first.value, second.value)) {
    return false;
  }
  return first.value !== 'show' || isSqlName(second.kind, second.value);
}

function isExpression(word: string, sign: string): boolean {
  return sign === '(' ? !BEFORE_PARENTHESIS.has(word) : EXPRESSION_SIGNS.has(sign);
}

function isSqlName(kind: string, value: string): boolean {
  return kind === 'quoted' || (kind === 'word' && !SHELL_SHOWS.has(value));
}

/**
 * Where the SQL statement that begins at `start` ends: the offset of its semicolon, or the text's
 * length. Semicolons in strings, quoted names, dollar quotes and comments are passed over.
 */
export function findSqlEnd(text: string, start: number): number {
  let token = readSqlToken(text, start);
  while (token.kind !== 'end' && !(token.kind === 'symbol' && token.value === ';')) {
    token = readSqlToken(text, token.end);
  }
  return token.start;
}
