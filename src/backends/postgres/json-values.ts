// PostgreSQL's text format as JSON values, one encoder per type. What JSON cannot hold exactly
// becomes a string: int8 and numeric always, so that a column has one type whatever is in it.
import type { JsonText } from '../json-text.ts';

/** Appends a value that is not NULL. */
export type ValueEncoder = (text: JsonText, bytes: Buffer) => void;

/** Up to here a loop is faster than two native calls. */
const LOOP_BYTES_MAX = 24;

const QUOTE = 0x22;
const DASH = 0x2d;
const PLUS = 0x2b;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const LETTER_T = 0x74;
const LETTER_X = 0x78;

/** JSON as it is. Its bytes go through latin1, which has a character for each of them. */
export function appendRaw(text: JsonText, bytes: Buffer): void {
  const { length } = bytes;
  if (length > LOOP_BYTES_MAX) {
    text.appendAscii(bytes.toString('latin1'));
    return;
  }
  for (let at = 0; at < length; at++) {
    text.appendByte(bytes[at] ?? 0);
  }
}

/** The type `json` keeps its text as it was written: line ends would end a line of NDJSON. */
export function appendJson(text: JsonText, bytes: Buffer): void {
  if (bytes.includes(0x0a) || bytes.includes(0x0d)) {
    // Within a string they are escaped, so that these are blanks between tokens.
    text.appendAscii(bytes.toString('latin1').replaceAll(/[\r\n]/g, ' '));
    return;
  }
  appendRaw(text, bytes);
}

export function appendText(text: JsonText, bytes: Buffer): void {
  text.appendString(bytes, 0, bytes.length);
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of Buffer.from(characters, 'latin1')) {
    table[byte] = 1;
  }
  return table;
}

function consistsOf(bytes: Buffer, table: Uint8Array): boolean {
  for (const byte of bytes) {
    if (table[byte] !== 1) {
      return false;
    }
  }
  return true;
}

const NUMBER_BYTES = tableOf('0123456789+-.e');

/** A JSON number, which is what the server writes; NaN and the infinities are strings. */
export function appendNumber(text: JsonText, bytes: Buffer): void {
  if (consistsOf(bytes, NUMBER_BYTES)) {
    appendRaw(text, bytes);
  } else {
    appendText(text, bytes);
  }
}

export function appendBoolean(text: JsonText, bytes: Buffer): void {
  text.appendAscii(bytes[0] === LETTER_T ? 'true' : 'false');
}

/** The older format: a backslash before each backslash, and before three octal digits. */
function readEscaped(bytes: Buffer): Buffer {
  const plain = bytes
    .toString('latin1')
    .replaceAll(/\\(\\|[0-7]{3})/g, (_, code: string) =>
      code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)),
    );
  return Buffer.from(plain, 'latin1');
}

/** Base64, from either of the formats that `bytea_output` chooses. */
export function appendBase64(text: JsonText, bytes: Buffer): void {
  const isHex = bytes[0] === BACKSLASH && bytes[1] === LETTER_X;
  const value = isHex ? Buffer.from(bytes.toString('latin1', 2), 'hex') : readEscaped(bytes);
  text.appendByte(QUOTE);
  text.appendAscii(value.toString('base64'));
  text.appendByte(QUOTE);
}

const TIMESTAMP_BYTES = tableOf('0123456789 :-+.');

/** Bytes of `2026-01-31 23:59:59`. */
const SECONDS_LENGTH = 19;

/**
 * ISO 8601 as RFC 3339 and JavaScript read it: a T in the middle, minutes in the offset. What that
 * cannot say stays as the server writes it: infinity, years before 1 or after 9999, offsets with
 * seconds, other styles.
 */
export function appendTimestamp(text: JsonText, bytes: Buffer): void {
  const { length } = bytes;
  const isIso =
    length >= SECONDS_LENGTH &&
    bytes[4] === DASH &&
    bytes[10] === SPACE &&
    consistsOf(bytes, TIMESTAMP_BYTES) &&
    !isSign(bytes[length - 9]);
  if (!isIso) {
    appendText(text, bytes);
    return;
  }
  text.appendByte(QUOTE);
  for (let at = 0; at < length; at++) {
    text.appendByte(at === 10 ? 0x54 : (bytes[at] ?? 0));
  }
  if (isSign(bytes[length - 3])) {
    text.appendAscii(':00');
  }
  text.appendByte(QUOTE);
}

function isSign(byte: number | undefined): boolean {
  return byte === PLUS || byte === DASH;
}
