// Finds values in BSON bytes without decoding them. Every length is checked against what contains
// it before a byte behind it is read, so bytes of any origin cost an error at most.

/** Type bytes of BSON, by their names in the specification (bsonspec.org, version 1.1). */
export const BSON_TYPE = {
  double: 0x01,
  string: 0x02,
  document: 0x03,
  array: 0x04,
  binary: 0x05,
  undefined: 0x06,
  objectId: 0x07,
  boolean: 0x08,
  date: 0x09,
  null: 0x0a,
  regularExpression: 0x0b,
  dbPointer: 0x0c,
  code: 0x0d,
  symbol: 0x0e,
  codeWithScope: 0x0f,
  int32: 0x10,
  timestamp: 0x11,
  int64: 0x12,
  decimal128: 0x13,
  maxKey: 0x7f,
  minKey: 0xff,
} as const;

/** The old binary subtype that repeats its length inside. */
export const SUBTYPE_WITH_LENGTH = 2;

const INT32_BYTES = 4;
const OBJECT_ID_BYTES = 12;

/** A length and a terminator. */
const DOCUMENT_BYTES_MIN = 5;

/** Bytes that are not BSON. The message holds an offset and a reason, never a part of the bytes. */
export class BsonError extends Error {
  constructor(reason: string, at: number) {
    super(`Malformed BSON at byte ${at}: ${reason}`);
    this.name = 'BsonError';
  }
}

/** A value where it stands: its bytes are `[offset, end)` of `bytes`, `type` is its type byte. */
export interface BsonValue {
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly end: number;
}

/** Where a value that starts at `at` ends, which is never beyond `limit`. */
type Measure = (bytes: Uint8Array, at: number, limit: number) => number;

/** Four bytes, low byte first, signed. The caller has checked that they are there. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

/**
 * The index of the NUL that ends the name or pattern at `at`.
 * @throws BsonError when there is none before `limit`
 */
export function findTerminator(bytes: Uint8Array, at: number, limit: number): number {
  // A loop is faster than indexOf for names, which are short.
  for (let index = at; index < limit; index++) {
    if (bytes[index] === 0) {
      return index;
    }
  }
  throw new BsonError('A name or pattern has no end', at);
}

/** A length that stands at `at`, once it is known to be within the container. */
function readLength(bytes: Uint8Array, at: number, limit: number): number {
  if (limit - at < INT32_BYTES) {
    throw new BsonError('A length is cut off', at);
  }
  return readInt32(bytes, at);
}

function checkedEnd(at: number, size: number, limit: number): number {
  if (size < 0 || size > limit - at) {
    throw new BsonError('A value is longer than what contains it', at);
  }
  return at + size;
}

function stringEnd(bytes: Uint8Array, at: number, limit: number): number {
  const size = readLength(bytes, at, limit);
  const end = checkedEnd(at + INT32_BYTES, size, limit);
  if (size < 1 || bytes[end - 1] !== 0) {
    throw new BsonError('A string has no terminator', at);
  }
  return end;
}

function documentEnd(bytes: Uint8Array, at: number, limit: number): number {
  const size = readLength(bytes, at, limit);
  const end = checkedEnd(at, size, limit);
  if (size < DOCUMENT_BYTES_MIN || bytes[end - 1] !== 0) {
    throw new BsonError('A document has no terminator', at);
  }
  return end;
}

function binaryEnd(bytes: Uint8Array, at: number, limit: number): number {
  const size = readLength(bytes, at, limit);
  const start = checkedEnd(at + INT32_BYTES, 1, limit);
  const end = checkedEnd(start, size, limit);
  if (bytes[start - 1] === SUBTYPE_WITH_LENGTH) {
    if (readLength(bytes, start, end) !== size - INT32_BYTES) {
      throw new BsonError('The two lengths of a binary value differ', at);
    }
  }
  return end;
}

function booleanEnd(bytes: Uint8Array, at: number, limit: number): number {
  const end = checkedEnd(at, 1, limit);
  if ((bytes[at] ?? 0) > 1) {
    throw new BsonError('A boolean is neither 0 nor 1', at);
  }
  return end;
}

function regularExpressionEnd(bytes: Uint8Array, at: number, limit: number): number {
  return findTerminator(bytes, findTerminator(bytes, at, limit) + 1, limit) + 1;
}

function dbPointerEnd(bytes: Uint8Array, at: number, limit: number): number {
  return checkedEnd(stringEnd(bytes, at, limit), OBJECT_ID_BYTES, limit);
}

function codeWithScopeEnd(bytes: Uint8Array, at: number, limit: number): number {
  const end = checkedEnd(at, readLength(bytes, at, limit), limit);
  if (documentEnd(bytes, stringEnd(bytes, at + INT32_BYTES, end), end) !== end) {
    throw new BsonError('The parts of a code value do not fill it', at);
  }
  return end;
}

function fixedEnd(size: number): Measure {
  return (_bytes, at, limit) => checkedEnd(at, size, limit);
}

const MEASURES: readonly (Measure | undefined)[] = (() => {
  const measures = new Array<Measure | undefined>(256).fill(undefined);
  measures[BSON_TYPE.double] = fixedEnd(8);
  measures[BSON_TYPE.string] = stringEnd;
  measures[BSON_TYPE.document] = documentEnd;
  measures[BSON_TYPE.array] = documentEnd;
  measures[BSON_TYPE.binary] = binaryEnd;
  measures[BSON_TYPE.undefined] = fixedEnd(0);
  measures[BSON_TYPE.objectId] = fixedEnd(OBJECT_ID_BYTES);
  measures[BSON_TYPE.boolean] = booleanEnd;
  measures[BSON_TYPE.date] = fixedEnd(8);
  measures[BSON_TYPE.null] = fixedEnd(0);
  measures[BSON_TYPE.regularExpression] = regularExpressionEnd;
  measures[BSON_TYPE.dbPointer] = dbPointerEnd;
  measures[BSON_TYPE.code] = stringEnd;
  measures[BSON_TYPE.symbol] = stringEnd;
  measures[BSON_TYPE.codeWithScope] = codeWithScopeEnd;
  measures[BSON_TYPE.int32] = fixedEnd(INT32_BYTES);
  measures[BSON_TYPE.timestamp] = fixedEnd(8);
  measures[BSON_TYPE.int64] = fixedEnd(8);
  measures[BSON_TYPE.decimal128] = fixedEnd(16);
  measures[BSON_TYPE.maxKey] = fixedEnd(0);
  measures[BSON_TYPE.minKey] = fixedEnd(0);
  return measures;
})();

/**
 * Where the value of this type that starts at `at` ends. Its outer form is checked with it:
 * lengths, terminators, the parts of a code value; the elements of a document are not.
 * @throws BsonError when it is not within `limit` or is not what its type says
 */
export function readValueEnd(type: number, bytes: Uint8Array, at: number, limit: number): number {
  const measure = MEASURES[type];
  if (measure === undefined) {
    throw new BsonError(`There is no type ${type}`, at);
  }
  return measure(bytes, at, limit);
}

/**
 * Checks that these bytes are one document or array from end to end.
 * @throws BsonError when its length is not that of the bytes, or the terminator is missing
 */
export function checkDocument(bson: Uint8Array): void {
  if (documentEnd(bson, 0, bson.length) !== bson.length) {
    throw new BsonError('Bytes follow the document', 0);
  }
}

function readText(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
}

function* walkElements(bson: Uint8Array): Generator<readonly [name: string, value: BsonValue]> {
  checkDocument(bson);
  const last = bson.length - 1;
  let at = INT32_BYTES;
  while (at < last) {
    const nameEnd = findTerminator(bson, at + 1, last);
    const type = bson[at] ?? 0;
    const end = readValueEnd(type, bson, nameEnd + 1, last);
    yield [readText(bson, at + 1, nameEnd), { type, bytes: bson, offset: nameEnd + 1, end }];
    at = end;
  }
}

/**
 * The elements of a document or array in stored order, duplicates too; an array's names are those
 * that are stored. Bytes of a name that are no UTF-8 are U+FFFD.
 * @throws BsonError when the bytes are no BSON document
 */
export function readElements(
  bson: Uint8Array,
): readonly (readonly [name: string, value: BsonValue])[] {
  return [...walkElements(bson)];
}

/** The first element with this name, as the server takes duplicates, or at this index. */
function readStep(bson: Uint8Array, step: string | number): BsonValue | undefined {
  let index = 0;
  for (const [name, value] of walkElements(bson)) {
    if (step === name || step === index) {
      return value;
    }
    index++;
  }
  return undefined;
}

/**
 * The value at the end of this path: a string is a name in a document, a number an index in an
 * array; the outermost bytes may be either. Undefined when there is none, or the path is empty.
 * @throws BsonError when bytes on the way are no BSON
 */
export function readPath(
  bson: Uint8Array,
  path: readonly (string | number)[],
): BsonValue | undefined {
  let value: BsonValue | undefined;
  for (const [depth, step] of path.entries()) {
    const container = typeof step === 'string' ? BSON_TYPE.document : BSON_TYPE.array;
    if (depth > 0 && value?.type !== container) {
      return undefined;
    }
    value = readStep(value === undefined ? bson : documentBytes(value), step);
    if (value === undefined) {
      return undefined;
    }
  }
  return value;
}

/**
 * The bytes of an embedded document or array, a view and not a copy.
 * @throws BsonError when the value is neither
 */
export function documentBytes(value: BsonValue): Uint8Array {
  if (value.type !== BSON_TYPE.document && value.type !== BSON_TYPE.array) {
    throw new BsonError('A document or array was expected', value.offset);
  }
  return value.bytes.subarray(value.offset, value.end);
}
