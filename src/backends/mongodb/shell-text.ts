// Reads a shell text as far as comments, strings and regular expressions go.
import { SQLSTATE } from '../../errors.ts';
import { ShellSyntaxError } from './shell-error.ts';

/** Longest text that is read, in UTF-8 bytes. */
const TEXT_BYTES_MAX = 256 * 1024;

/** Deeper than the 100 levels that MongoDB takes, far less deep than a stack. */
const DEPTH_MAX = 200;

/** A regular expression as written; PCRE's, so that JavaScript's own rules do not count. */
export interface RegexLiteral {
  readonly pattern: string;
  readonly flags: string;
}

/** A text without comments. All offsets are those of the text as sent. */
export interface ShellText {
  readonly text: string;
  /** Comments are blanks. */
  readonly plain: string;
  /** Regular expressions are strings of the same length, too: JavaScript that acorn can read. */
  readonly masked: string;
  /** By the offset at which they begin. */
  readonly regexes: ReadonlyMap<number, RegexLiteral>;
}

/** What a regular expression may stand behind; a slash anywhere else is no beginning of one. */
const BEFORE_REGEX = /[(,:[]/;

/**
 * Finds comments (`//`, `--`, block comments) and regular expressions.
 *
 * @throws ShellSyntaxError for what does not end, for a text too long or brackets too deep
 */
export function readShellText(text: string): ShellText {
  if (Buffer.byteLength(text) > TEXT_BYTES_MAX) {
    throw new ShellSyntaxError(`Statement is longer than ${TEXT_BYTES_MAX} bytes`, 0, {
      sqlState: SQLSTATE.programLimitExceeded,
      hint: 'Send it in parts',
    });
  }
  return new TextReader(text).readAll();
}

class TextReader {
  readonly text: string;
  readonly regexes = new Map<number, RegexLiteral>();
  readonly #plain: string[] = [];
  readonly #masked: string[] = [];
  #offset = 0;
  #depth = 0;
  /** The last character that is no blank. */
  #last = '(';

  constructor(text: string) {
    this.text = text;
  }

  readAll(): ShellText {
    while (this.#offset < this.text.length) {
      this.#readOne();
    }
    const { text, regexes } = this;
    return { text, plain: this.#plain.join(''), masked: this.#masked.join(''), regexes };
  }

  #readOne(): void {
    const two = this.text.slice(this.#offset, this.#offset + 2);
    const one = two.charAt(0);
    if (two === '//' || two === '--') {
      this.#readLineComment();
    } else if (two === '/*') {
      this.#readBlockComment();
    } else if (one === '"' || one === "'" || one === '`') {
      this.#take(this.#endOfString(one));
    } else if (one === '/' && BEFORE_REGEX.test(this.#last)) {
      this.#readRegex();
    } else {
      this.#countBracket(one);
      this.#take(this.#offset + 1);
    }
  }

  #take(end: number): void {
    const part = this.text.slice(this.#offset, end);
    this.#plain.push(part);
    this.#masked.push(part);
    const last = part.charAt(part.length - 1);
    if (last.trim() !== '') {
      this.#last = last;
    }
    this.#offset = end;
  }

  #blank(end: number): void {
    // Line ends stay, since they end statements.
    const blanks = this.text.slice(this.#offset, end).replaceAll(/[^\n\r]/g, ' ');
    this.#plain.push(blanks);
    this.#masked.push(blanks);
    this.#offset = end;
  }

  #readLineComment(): void {
    const rest = /[\n\r]/g;
    rest.lastIndex = this.#offset;
    this.#blank(rest.exec(this.text)?.index ?? this.text.length);
  }

  #readBlockComment(): void {
    const end = this.text.indexOf('*/', this.#offset + 2);
    if (end === -1) {
      throw new ShellSyntaxError('Comment does not end', this.#offset, {
        hint: 'Close it with */',
      });
    }
    this.#blank(end + 2);
  }

  #endOfString(quote: string): number {
    let end = this.#offset + 1;
    while (end < this.text.length && this.text.charAt(end) !== quote) {
      end += this.text.charAt(end) === '\\' ? 2 : 1;
    }
    if (end >= this.text.length) {
      throw new ShellSyntaxError('String does not end', this.#offset, {
        hint: `Close it with ${quote}`,
      });
    }
    return end + 1;
  }

  #readRegex(): void {
    const start = this.#offset;
    const end = this.#endOfRegex();
    const flags = /^[A-Za-z]*/.exec(this.text.slice(end + 1))?.[0] ?? '';
    const length = end + 1 + flags.length - start;
    this.regexes.set(start, { pattern: this.text.slice(start + 1, end), flags });
    this.#plain.push(this.text.slice(start, start + length));
    this.#masked.push(`"${'r'.repeat(length - 2)}"`);
    this.#last = '"';
    this.#offset = start + length;
  }

  /** A slash within brackets does not end it. */
  #endOfRegex(): number {
    let isInClass = false;
    for (let end = this.#offset + 1; end < this.text.length; end += 1) {
      const character = this.text.charAt(end);
      if (character === '\n' || character === '\r') {
        break;
      }
      if (character === '/' && !isInClass) {
        return end;
      }
      if (character === '\\') {
        end += 1;
      } else if (character === '[' || character === ']') {
        isInClass = character === '[';
      }
    }
    throw new ShellSyntaxError('Regular expression does not end', this.#offset, {
      hint: 'Close it with /',
    });
  }

  #countBracket(character: string): void {
    if ('([{'.includes(character)) {
      this.#depth += 1;
      if (this.#depth > DEPTH_MAX) {
        throw new ShellSyntaxError(`Brackets are nested deeper than ${DEPTH_MAX}`, this.#offset, {
          sqlState: SQLSTATE.statementTooComplex,
          hint: 'MongoDB takes documents of 100 levels',
        });
      }
    } else if (')]}'.includes(character)) {
      this.#depth -= 1;
    }
  }
}
