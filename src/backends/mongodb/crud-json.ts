// JSON text as Maps: names in the order in which they were written, even those that look like
// numbers, which an object would put first, and none of them special. Numbers stay text.
import { LosslessNumber } from 'lossless-json';

export type Json =
  string | boolean | null | LosslessNumber | readonly Json[] | ReadonlyMap<string, Json>;

/** Arrays and objects within each other: more than a document of MongoDB can have. */
const DEPTH_MAX = 256;

const BLANKS = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WHOLE_NUMBER = new RegExp(`^(?:${NUMBER.source})$`);
const WORD = /true|false|null/y;

const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Whether a text is a number as JSON writes it. */
export function isJsonNumber(text: string): boolean {
  return WHOLE_NUMBER.test(text);
}

/** @returns undefined where the text is no JSON, is too deep, or names something twice */
export function parseJson(text: string): Json | undefined {
  try {
    return new JsonParser(text).whole();
  } catch (error) {
    if (error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

/** Throws SyntaxErrors without a message: nobody shows them. */
class JsonParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Json {
    const value = this.#value();
    if (this.#at < this.#text.length) {
      throw new SyntaxError();
    }
    return value;
  }

  #value(): Json {
    this.#skipBlanks();
    const value = this.#bareValue();
    this.#skipBlanks();
    return value;
  }

  #bareValue(): Json {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      case 't':
      case 'f':
      case 'n':
        return WORDS.get(this.#match(WORD)) ?? null;
      default:
        return new LosslessNumber(this.#match(NUMBER));
    }
  }

  #object(): ReadonlyMap<string, Json> {
    const object = new Map<string, Json>();
    this.#items('}', () => {
      this.#skipBlanks();
      const name = this.#string();
      this.#skipBlanks();
      if (object.has(name) || !this.#take(':')) {
        throw new SyntaxError();
      }
      object.set(name, this.#value());
    });
    return object;
  }

  #array(): readonly Json[] {
    const array: Json[] = [];
    this.#items(']', () => array.push(this.#value()));
    return array;
  }

  /** From behind the opening bracket to behind the closing one. */
  #items(close: string, item: () => void): void {
    this.#at += 1;
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) {
      throw new SyntaxError();
    }
    this.#skipBlanks();
    if (!this.#take(close)) {
      do {
        item();
      } while (this.#take(','));
      if (!this.#take(close)) {
        throw new SyntaxError();
      }
    }
    this.#depth -= 1;
  }

  #string(): string {
    const start = this.#at;
    if (!this.#take('"')) {
      throw new SyntaxError();
    }
    let end = this.#text.indexOf('"', this.#at);
    while (end !== -1 && this.#isEscaped(end, start)) {
      end = this.#text.indexOf('"', end + 1);
    }
    this.#at = end + 1;
    // Escapes and control characters are the engine's to judge; it throws a SyntaxError as well.
    const value: unknown = JSON.parse(end === -1 ? '' : this.#text.slice(start, end + 1));
    return String(value);
  }

  /** Whether an odd number of backslashes stands before this place. */
  #isEscaped(at: number, start: number): boolean {
    let first = at;
    while (first - 1 > start && this.#text[first - 1] === '\\') {
      first -= 1;
    }
    return (at - first) % 2 === 1;
  }

  #take(character: string): boolean {
    const isThere = this.#text[this.#at] === character;
    this.#at += isThere ? 1 : 0;
    return isThere;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined) {
      throw new SyntaxError();
    }
    this.#at += found.length;
    return found;
  }

  #skipBlanks(): void {
    BLANKS.lastIndex = this.#at;
    BLANKS.test(this.#text);
    this.#at = BLANKS.lastIndex;
  }
}
