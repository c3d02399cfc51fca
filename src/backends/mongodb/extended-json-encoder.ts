// What the encoders of single BSON types share.
import type { JsonText } from '../json-text.ts';

/** Where text goes, and what the values inside a container need. */
export interface Output {
  readonly text: JsonText;
  readonly encoders: readonly (Encoder | undefined)[];
  depth: number;
}

/** Appends the value whose bytes are `[at, end)`; readValueEnd has checked its outer form. */
export type Encoder = (output: Output, bytes: Uint8Array, at: number, end: number) => void;

/** An encoder with the BSON type byte that it is for. */
export type TypedEncoder = readonly [type: number, encoder: Encoder];

/** A type that JSON lacks: an object with one key that names it and a text without escapes. */
export function appendWrapped({ text }: Output, key: string, value: string): void {
  text.appendAscii(`{"${key}":"`);
  text.appendAscii(value);
  text.appendAscii('"}');
}
