// JSON text as bytes in one growing buffer. What was taken is never written again, so a slice can
// wait in a socket while the next rows are made.
import { isUtf8 } from 'node:buffer';

/** Room for some hundred rows; what is longer gets a buffer of its own size. */
const BUFFER_BYTES = 64 * 1024;

/** A buffer that one huge document has grown beyond this is not kept for the next ones. */
const KEPT_BUFFER_BYTES = 1024 * 1024;

/** Above this many characters a native write is faster than a loop. */
const LOOP_CHARS_MAX = 48;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const HEX = Buffer.from('0123456789abcdef', 'latin1');

/** What JSON.stringify writes for each byte below 0x20, for the quote and for the backslash. */
const ESCAPES: readonly string[] = Array.from({ length: BACKSLASH + 1 }, (_, byte) =>
  JSON.stringify(String.fromCharCode(byte)).slice(1, -1),
);

/** Bytes that stand in a string as they are: ASCII without controls, quote and backslash. */
const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= SPACE && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

export class JsonText {
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #start = 0;
  #end = 0;

  /** Bytes since the last take. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** The text since the last take. It is never written again. */
  take(): Buffer {
    const text = this.#buffer.subarray(this.#start, this.#end);
    this.#start = this.#end;
    if (this.#buffer.length > KEPT_BUFFER_BYTES) {
      this.#buffer = Buffer.alloc(0);
      this.#start = 0;
      this.#end = 0;
    }
    return text;
  }

  /** Forgets what was appended since the length was this. */
  truncate(length: number): void {
    this.#end = this.#start + length;
  }

  /** One ASCII character by its code. */
  appendByte(byte: number): void {
    this.#reserve(1);
    this.#buffer[this.#end++] = byte;
  }

  /** Text of ASCII characters as it is. */
  appendAscii(text: string): void {
    const size = text.length;
    this.#reserve(size);
    if (size > LOOP_CHARS_MAX) {
      this.#end += this.#buffer.write(text, this.#end, 'latin1');
      return;
    }
    const buffer = this.#buffer;
    let end = this.#end;
    for (let index = 0; index < size; index++) {
      buffer[end++] = text.charCodeAt(index);
    }
    this.#end = end;
  }

  /** These bytes in small hexadecimal digits. */
  appendHex(bytes: Uint8Array, from: number, to: number): void {
    this.#reserve(2 * (to - from));
    const buffer = this.#buffer;
    let end = this.#end;
    for (let at = from; at < to; at++) {
      const byte = bytes[at] ?? 0;
      buffer[end++] = HEX[byte >> 4] ?? 0;
      buffer[end++] = HEX[byte & 0xf] ?? 0;
    }
    this.#end = end;
  }

  /** UTF-8 bytes as a JSON string, quoted; whatever is no UTF-8 becomes U+FFFD. */
  appendString(bytes: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from + 2);
    const mark = this.length;
    this.#buffer[this.#end++] = QUOTE;
    let at = this.#copyPlain(bytes, from, to);
    let isAscii = true;
    while (at < to) {
      const byte = bytes[at] ?? 0;
      if (byte < 0x80) {
        this.appendAscii(ESCAPES[byte] ?? '');
        at++;
      } else {
        isAscii = false;
        at = this.#copyHigh(bytes, at, to);
      }
      at = this.#copyPlain(bytes, at, to);
    }
    this.appendByte(QUOTE);
    // Escapes are ASCII for ASCII, so the text is UTF-8 just when the bytes are.
    if (!isAscii && !isUtf8(this.#buffer.subarray(this.#start + mark, this.#end))) {
      this.truncate(mark);
      this.#appendRepaired(bytes, from, to);
    }
  }

  /** Copies up to the first byte that is not plain, and tells where that is. */
  #copyPlain(bytes: Uint8Array, from: number, to: number): number {
    this.#reserve(to - from);
    const buffer = this.#buffer;
    let end = this.#end;
    let at = from;
    while (at < to) {
      const byte = bytes[at] ?? 0;
      if (IS_PLAIN[byte] === 0) {
        break;
      }
      buffer[end++] = byte;
      at++;
    }
    this.#end = end;
    return at;
  }

  /** Copies up to the first byte that is ASCII; #copyPlain has reserved the room. */
  #copyHigh(bytes: Uint8Array, from: number, to: number): number {
    this.#reserve(to - from);
    const buffer = this.#buffer;
    let end = this.#end;
    let at = from;
    while (at < to) {
      const byte = bytes[at] ?? 0;
      if (byte < 0x80) {
        break;
      }
      buffer[end++] = byte;
      at++;
    }
    this.#end = end;
    return at;
  }

  #appendRepaired(bytes: Uint8Array, from: number, to: number): void {
    const decoded = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
    const text = JSON.stringify(decoded);
    this.#reserve(Buffer.byteLength(text));
    this.#end += this.#buffer.write(text, this.#end, 'utf8');
  }

  /** Makes room; what is not taken yet moves along, what was taken stays where it is. */
  #reserve(size: number): void {
    if (this.#buffer.length - this.#end >= size) {
      return;
    }
    const { length } = this;
    const grown = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, 2 * (length + size)));
    this.#buffer.copy(grown, 0, this.#start, this.#end);
    this.#buffer = grown;
    this.#start = 0;
    this.#end = length;
  }
}
