// Extended JSON straight from BSON bytes: nothing is decoded into JavaScript values that would lose
// a type, an order or a name on the way, and text costs little more than copying it.
import { Decimal128 } from 'mongodb';
import {
  BSON_TYPE,
  BsonError,
  checkDocument,
  findTerminator,
  readInt32,
  readValueEnd,
  SUBTYPE_WITH_LENGTH,
} from './bson-reader.ts';
import type { BsonValue } from './bson-reader.ts';
import { appendWrapped } from './extended-json-encoder.ts';
import type { Encoder, Output, TypedEncoder } from './extended-json-encoder.ts';
import { NUMBER_ENCODERS } from './extended-json-numbers.ts';
import { JsonText } from '../json-text.ts';

/**
 * How types are spelled. canonical: each number names its type, as the driver spells it. relaxed:
 * numbers are plain, for people and for JSON functions. lossless: plain wherever the driver's
 * parser (with relaxed: false) gives the same type back, which is shorter than canonical.
 */
export const EJSON_MODES = ['relaxed', 'canonical', 'lossless'] as const;

export type EjsonMode = (typeof EJSON_MODES)[number];

/** Documents, arrays and scopes within each other, the outermost counted; a server stores 180. */
export const NESTING_MAX = 200;

const COMMA = 0x2c;
const COLON = 0x3a;

/** The bytes of a value as the driver's classes and Node's codecs want them, a view. */
function viewOf(bytes: Uint8Array, from: number, to: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
}

/** A BSON string with its length in front and its NUL behind. */
function appendString({ text }: Output, bytes: Uint8Array, at: number, end: number): void {
  text.appendString(bytes, at + 4, end - 1);
}

function appendElements(output: Output, bytes: Uint8Array, at: number, isNamed: boolean): void {
  const { text, encoders } = output;
  const last = at + readInt32(bytes, at) - 1;
  const first = at + 4;
  let next = first;
  while (next < last) {
    const type = bytes[next] ?? 0;
    const nameEnd = findTerminator(bytes, next + 1, last);
    const end = readValueEnd(type, bytes, nameEnd + 1, last);
    const encoder = encoders[type];
    if (encoder === undefined) {
      throw new BsonError(`There is no type ${type}`, next);
    }
    if (next !== first) {
      text.appendByte(COMMA);
    }
    if (isNamed) {
      text.appendString(bytes, next + 1, nameEnd);
      text.appendByte(COLON);
    }
    encoder(output, bytes, nameEnd + 1, end);
    next = end;
  }
}

function enter(output: Output, at: number): void {
  output.depth++;
  if (output.depth > NESTING_MAX) {
    throw new BsonError(`More than ${NESTING_MAX} documents are within each other`, at);
  }
}

function appendDocument(output: Output, bytes: Uint8Array, at: number): void {
  enter(output, at);
  output.text.appendAscii('{');
  appendElements(output, bytes, at, true);
  output.text.appendAscii('}');
  output.depth--;
}

function appendArray(output: Output, bytes: Uint8Array, at: number): void {
  enter(output, at);
  output.text.appendAscii('[');
  appendElements(output, bytes, at, false);
  output.text.appendAscii(']');
  output.depth--;
}

function appendBinary({ text }: Output, bytes: Uint8Array, at: number, end: number): void {
  const subtype = bytes[at + 4] ?? 0;
  const from = subtype === SUBTYPE_WITH_LENGTH ? at + 9 : at + 5;
  text.appendAscii('{"$binary":{"base64":"');
  text.appendAscii(viewOf(bytes, from, end).toString('base64'));
  text.appendAscii('","subType":"');
  text.appendHex(bytes, at + 4, at + 5);
  text.appendAscii('"}}');
}

function appendObjectId({ text }: Output, bytes: Uint8Array, at: number, end: number): void {
  text.appendAscii('{"$oid":"');
  text.appendHex(bytes, at, end);
  text.appendAscii('"}');
}

function appendBoolean({ text }: Output, bytes: Uint8Array, at: number): void {
  text.appendAscii(bytes[at] === 1 ? 'true' : 'false');
}

function appendRegularExpression(output: Output, bytes: Uint8Array, at: number, end: number): void {
  const { text } = output;
  const patternEnd = findTerminator(bytes, at, end);
  text.appendAscii('{"$regularExpression":{"pattern":');
  text.appendString(bytes, at, patternEnd);
  text.appendAscii(',"options":');
  // Both specifications want them in alphabetical order; old writers did not keep to it.
  const stored = viewOf(bytes, patternEnd + 1, end - 1).toString('utf8');
  const options = Buffer.from(Array.from(stored).sort().join(''), 'utf8');
  text.appendString(options, 0, options.length);
  text.appendAscii('}}');
}

function appendDbPointer(output: Output, bytes: Uint8Array, at: number, end: number): void {
  output.text.appendAscii('{"$dbPointer":{"$ref":');
  appendString(output, bytes, at, end - 12);
  output.text.appendAscii(',"$id":');
  appendObjectId(output, bytes, end - 12, end);
  output.text.appendAscii('}}');
}

function appendCode(output: Output, bytes: Uint8Array, at: number, end: number): void {
  output.text.appendAscii('{"$code":');
  appendString(output, bytes, at, end);
  output.text.appendAscii('}');
}

function appendCodeWithScope(output: Output, bytes: Uint8Array, at: number): void {
  const codeEnd = at + 8 + readInt32(bytes, at + 4);
  output.text.appendAscii('{"$code":');
  appendString(output, bytes, at + 4, codeEnd);
  output.text.appendAscii(',"$scope":');
  appendDocument(output, bytes, codeEnd);
  output.text.appendAscii('}');
}

function appendSymbol(output: Output, bytes: Uint8Array, at: number, end: number): void {
  output.text.appendAscii('{"$symbol":');
  appendString(output, bytes, at, end);
  output.text.appendAscii('}');
}

function appendTimestamp({ text }: Output, bytes: Uint8Array, at: number): void {
  const seconds = readInt32(bytes, at + 4) >>> 0;
  const increment = readInt32(bytes, at) >>> 0;
  text.appendAscii(`{"$timestamp":{"t":${seconds},"i":${increment}}}`);
}

function appendDecimal(output: Output, bytes: Uint8Array, at: number, end: number): void {
  appendWrapped(output, '$numberDecimal', new Decimal128(viewOf(bytes, at, end)).toString());
}

function appendConstant(constant: string): Encoder {
  return ({ text }) => text.appendAscii(constant);
}

const COMMON: readonly TypedEncoder[] = [
  [BSON_TYPE.string, appendString],
  [BSON_TYPE.document, appendDocument],
  [BSON_TYPE.array, appendArray],
  [BSON_TYPE.binary, appendBinary],
  [BSON_TYPE.undefined, appendConstant('{"$undefined":true}')],
  [BSON_TYPE.objectId, appendObjectId],
  [BSON_TYPE.boolean, appendBoolean],
  [BSON_TYPE.null, appendConstant('null')],
  [BSON_TYPE.regularExpression, appendRegularExpression],
  [BSON_TYPE.dbPointer, appendDbPointer],
  [BSON_TYPE.code, appendCode],
  [BSON_TYPE.symbol, appendSymbol],
  [BSON_TYPE.codeWithScope, appendCodeWithScope],
  [BSON_TYPE.timestamp, appendTimestamp],
  [BSON_TYPE.decimal128, appendDecimal],
  [BSON_TYPE.maxKey, appendConstant('{"$maxKey":1}')],
  [BSON_TYPE.minKey, appendConstant('{"$minKey":1}')],
];

function createEncoders(mode: EjsonMode): readonly (Encoder | undefined)[] {
  const encoders = new Array<Encoder | undefined>(256).fill(undefined);
  for (const [type, encoder] of [...COMMON, ...NUMBER_ENCODERS[mode]]) {
    encoders[type] = encoder;
  }
  return encoders;
}

const ENCODERS: Readonly<Record<EjsonMode, readonly (Encoder | undefined)[]>> = {
  relaxed: createEncoders('relaxed'),
  canonical: createEncoders('canonical'),
  lossless: createEncoders('lossless'),
};

/**
 * Turns BSON into Extended JSON text of one mode, always valid UTF-8, names and order as stored.
 * What no driver type holds is spelled as the Extended JSON specification has it.
 */
export class ExtendedJsonWriter {
  readonly #text = new JsonText();
  readonly #output: Output;

  constructor(mode: EjsonMode) {
    this.#output = { text: this.#text, encoders: ENCODERS[mode], depth: 0 };
  }

  /** Bytes of text since the last take. */
  get length(): number {
    return this.#text.length;
  }

  /** The text since the last take; it stays as it is whatever is appended later. */
  take(): Buffer {
    return this.#text.take();
  }

  /**
   * Appends a whole document.
   * @throws BsonError when the bytes are no BSON document; nothing is appended then
   */
  appendDocument(bson: Uint8Array): void {
    checkDocument(bson);
    this.#append(appendDocument, { type: 0, bytes: bson, offset: 0, end: bson.length });
  }

  /**
   * Appends one value, as a document has it.
   * @throws BsonError when its bytes are not what its type says; nothing is appended then
   */
  appendValue(value: BsonValue): void {
    const { type, bytes, offset, end } = value;
    const limit = Math.min(end, bytes.length);
    const encoder = this.#output.encoders[type];
    if (encoder === undefined || readValueEnd(type, bytes, offset, limit) !== end) {
      throw new BsonError(`There is no value of type ${type}`, offset);
    }
    this.#append(encoder, value);
  }

  /** A reader of rows must never see half a document, so a failed one leaves no text. */
  #append(encoder: Encoder, { bytes, offset, end }: BsonValue): void {
    const { length } = this.#text;
    this.#output.depth = 0;
    try {
      encoder(this.#output, bytes, offset, end);
    } catch (error) {
      this.#text.truncate(length);
      throw error;
    }
  }
}
