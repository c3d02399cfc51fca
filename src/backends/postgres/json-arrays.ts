// Array literals of PostgreSQL as JSON arrays, byte by byte and in one pass: a parser that looks
// ahead for each element takes minutes for a million of them.
import type { JsonText } from '../json-text.ts';
import { appendText } from './json-values.ts';
import type { ValueEncoder } from './json-values.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** An array of elements that are encoded so. What is no array literal becomes a string. */
export function arrayEncoder(element: ValueEncoder): ValueEncoder {
  return (text, bytes) => {
    const mark = text.length;
    if (!appendArray(text, bytes, element)) {
      text.truncate(mark);
      appendText(text, bytes);
    }
  };
}

/** @returns whether it was a whole array */
function appendArray(text: JsonText, bytes: Buffer, element: ValueEncoder): boolean {
  // Bounds that do not begin at 1 are in front: [0:1]={a,b}. JSON has no place for them.
  let at = bytes[0] === OPEN_BRACKET ? bytes.indexOf(EQUALS) + 1 : 0;
  if (bytes[at] !== OPEN_BRACE) {
    return false;
  }
  let depth = 0;
  while (at < bytes.length) {
    switch (bytes[at]) {
      case OPEN_BRACE:
        text.appendByte(OPEN_BRACKET);
        depth += 1;
        at += 1;
        break;
      case CLOSE_BRACE:
        text.appendByte(CLOSE_BRACKET);
        depth -= 1;
        at += 1;
        if (depth === 0) {
          return at === bytes.length;
        }
        break;
      case COMMA:
        text.appendByte(COMMA);
        at += 1;
        break;
      case QUOTE:
        at = appendQuoted(text, bytes, { at: at + 1, element });
        break;
      default:
        at = appendBare(text, bytes, { at, element });
    }
  }
  return false;
}

interface ElementPlace {
  readonly at: number;
  readonly element: ValueEncoder;
}

/** @returns where the text goes on, behind the closing quote */
function appendQuoted(text: JsonText, bytes: Buffer, { at, element }: ElementPlace): number {
  let end = at;
  let escapes = 0;
  while (end < bytes.length && bytes[end] !== QUOTE) {
    if (bytes[end] === BACKSLASH) {
      escapes += 1;
      end += 1;
    }
    end += 1;
  }
  const inner = bytes.subarray(at, end);
  element(text, escapes === 0 ? inner : unescape(inner, escapes));
  return end + 1;
}

function unescape(bytes: Buffer, escapes: number): Buffer {
  const plain = Buffer.allocUnsafe(Math.max(0, bytes.length - escapes));
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === BACKSLASH) {
      at += 1;
    }
    plain[length++] = bytes[at] ?? 0;
  }
  return plain;
}

/** An element without quotes cannot hold what ends it. */
function appendBare(text: JsonText, bytes: Buffer, { at, element }: ElementPlace): number {
  let end = at;
  while (end < bytes.length && bytes[end] !== COMMA && bytes[end] !== CLOSE_BRACE) {
    end += 1;
  }
  const inner = bytes.subarray(at, end);
  if (inner.length === 4 && inner.toString('latin1') === 'NULL') {
    text.appendAscii('null');
  } else {
    element(text, inner);
  }
  return end;
}
