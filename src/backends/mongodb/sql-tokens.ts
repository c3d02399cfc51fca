// Reads a statement's tokens from left to right.
import type { ServiceError } from '../../errors.ts';
import { sqlRefusal } from './sql-answer.ts';
import { readSqlTokens } from './sql-lexer.ts';
import type { SqlToken } from './sql-lexer.ts';

const END: SqlToken = { kind: 'end', value: '', start: 0, end: 0 };

export class SqlTokens {
  readonly #tokens: readonly SqlToken[];
  #index = 0;

  /** A semicolon at the end of the text is no token. */
  constructor(text: string) {
    const tokens = readSqlTokens(text);
    const beforeLast = tokens.at(-2);
    this.#tokens =
      beforeLast?.kind === 'symbol' && beforeLast.value === ';' ? tokens.toSpliced(-2, 1) : tokens;
  }

  /** The token to be taken next; the `end` token for ever behind the last one. */
  get next(): SqlToken {
    return this.#tokens[this.#index] ?? this.#tokens.at(-1) ?? END;
  }

  get isAtEnd(): boolean {
    return this.next.kind === 'end';
  }

  /** Those that are not taken yet, without `end`. */
  get rest(): readonly SqlToken[] {
    return this.#tokens.slice(this.#index, -1);
  }

  take(): SqlToken {
    const token = this.next;
    this.#index += 1;
    return token;
  }

  /** Takes these words or symbols if they come next in this order, and all or none of them. */
  accept(...values: readonly string[]): boolean {
    const isThere = values.every((value, offset) => {
      const token = this.#tokens[this.#index + offset];
      return (token?.kind === 'word' || token?.kind === 'symbol') && token.value === value;
    });
    this.#index += isThere ? values.length : 0;
    return isThere;
  }

  /** Takes the first of these words that comes next, undefined when none does. */
  acceptAny(...words: readonly string[]): string | undefined {
    return words.find((word) => this.accept(word));
  }

  /**
   * A name of one part or of several with dots between them.
   *
   * @throws ServiceError 42601 where there is none
   */
  takeName(): string {
    const parts: string[] = [];
    do {
      const { kind, value } = this.next;
      if (kind !== 'word' && kind !== 'quoted') {
        throw this.refusal();
      }
      parts.push(value);
      this.take();
    } while (this.accept('.'));
    return parts.join('.');
  }

  /** @throws ServiceError 42601 where something is left */
  expectEnd(): void {
    if (!this.isAtEnd) {
      throw this.refusal();
    }
  }

  /** The error for a statement that is not understood from here on. */
  refusal(): ServiceError {
    return sqlRefusal(this.next.start);
  }
}
