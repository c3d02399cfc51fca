// Texts of statements as they are kept: without secrets, cut, and with a hash that tells which are
// the same.
import { hash } from 'node:crypto';
import { cutText, cutUtf8 } from '../json-line.ts';
import { maskBeginning, maskSecrets } from './masking.ts';

/** UTF-8 bytes of a text that a record shows. */
export const RECORD_TEXT_BYTES_MAX = 8192;

/** UTF-16 units of a longer text that wait to be written; the rest is let go at once. */
export const WAITING_TEXT_LENGTH_MAX = 64 * 1024;

/** Texts that clients send again and again, and how long one may be. */
const KNOWN_TEXTS_MAX = 512;
const KNOWN_TEXT_LENGTH_MAX = 1024;

/** The beginning of a text that is too long to wait whole. */
export interface WaitingText {
  readonly text: string;
  /** Of the whole, in UTF-8. */
  readonly wholeBytes: number;
}

/** A text in its record. */
export interface KeptText {
  readonly text: string;
  /** SHA-256 of the masked text before it was cut. */
  readonly textSha256: string;
  /** In UTF-8, as it was sent. */
  readonly textBytes: number;
  /** Set where the hash is of the beginning only: two such texts may differ behind it. */
  readonly isHashOfBeginning: true | undefined;
}

/** Undefined for a text that waits as it is. What is returned holds nothing else in memory. */
export function beginningOf(text: string): WaitingText | undefined {
  if (text.length <= WAITING_TEXT_LENGTH_MAX) {
    return undefined;
  }
  const wholeBytes = Buffer.byteLength(text);
  return { text: copyBeginning(text, WAITING_TEXT_LENGTH_MAX), wholeBytes };
}

/** So much of a text, or all of it; a slice would hold the whole text in memory. */
export function copyBeginning(text: string, lengthMax: number): string {
  return text.length <= lengthMax
    ? text
    : Buffer.from(cutText(text, lengthMax), 'utf16le').toString('utf16le');
}

export function keepBeginning({ text, wholeBytes }: WaitingText): KeptText {
  return { ...toKept(maskBeginning(text), wholeBytes), isHashOfBeginning: true };
}

/** Keeps texts, and knows those that come again and again. */
export class TextKeeper {
  readonly #known = new Map<string, KeptText>();

  /** What is known of the text, which need not be held then; undefined for another one. */
  find(text: string): KeptText | undefined {
    return text.length > KNOWN_TEXT_LENGTH_MAX ? undefined : this.#known.get(text);
  }

  keep(text: string): KeptText {
    const known = this.find(text);
    if (known !== undefined) {
      return known;
    }
    const kept = toKept(maskSecrets(text), Buffer.byteLength(text));
    if (text.length <= KNOWN_TEXT_LENGTH_MAX) {
      this.#learn(text, kept);
    }
    return kept;
  }

  #learn(text: string, kept: KeptText): void {
    if (this.#known.size >= KNOWN_TEXTS_MAX) {
      this.#known.clear();
    }
    this.#known.set(text, kept);
  }
}

function toKept(masked: string, textBytes: number): KeptText {
  return {
    text: cutUtf8(masked, RECORD_TEXT_BYTES_MAX),
    textSha256: hash('sha256', masked),
    textBytes,
    isHashOfBeginning: undefined,
  };
}
