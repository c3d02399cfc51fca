// Types that JSON lacks, as Extended JSON writes them: an object whose names begin with `$`.
import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import { LosslessNumber } from 'lossless-json';
import { isJsonNumber } from './crud-json.ts';

export type Fields = ReadonlyMap<string, unknown>;

interface Wrapper {
  /** Shown to who has written it otherwise. */
  readonly form: string;
  /** Undefined, or an error of the driver, where it is not of that form. */
  readonly read: (value: unknown) => unknown;
}

const UINT32_MAX = 0xffffffff;

/** ISO 8601 with a time and a zone; Date.parse takes a good deal more. */
const ISO_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:?\d\d)$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** By name. The driver's parser would take these too, and much else, with a loss. */
const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map<string, Wrapper>([
  ['$oid', { form: '"24 hexadecimal digits"', read: readObjectId }],
  ['$date', { form: '"2030-01-31T12:00:00.000Z" or {"$numberLong": "0"}', read: readDate }],
  ['$numberInt', { form: '"32-bit integer"', read: readInt }],
  ['$numberLong', { form: '"64-bit integer"', read: readLong }],
  ['$numberDouble', { form: '"1.5", "NaN", "Infinity" or "-Infinity"', read: readDouble }],
  ['$numberDecimal', { form: '"at most 34 digits"', read: readDecimal }],
  ['$binary', { form: '{"base64": "AQID", "subType": "00"}', read: readBinary }],
  ['$uuid', { form: '"00112233-4455-6677-8899-aabbccddeeff"', read: readUuid }],
  ['$timestamp', { form: '{"t": 1, "i": 1}', read: readTimestamp }],
  ['$regularExpression', { form: '{"pattern": "^a", "options": "i"}', read: readRegex }],
  ['$symbol', { form: '"text"', read: (text) => withText(text, (s) => new BSONSymbol(s)) }],
  ['$code', { form: '"text"', read: (text) => withText(text, (s) => new Code(s)) }],
  ['$minKey', { form: '1', read: (one) => (isOne(one) ? new MinKey() : undefined) }],
  ['$maxKey', { form: '1', read: (one) => (isOne(one) ? new MaxKey() : undefined) }],
]);

/** What the driver has no class for: it would store another type in their place. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['$undefined', '$dbPointer', '$scope']);

export type WrapperReading = { readonly value: unknown } | { readonly problem: string };

/** The value that an object stands for; undefined where it stands for itself. */
export function readWrapper(fields: Fields): WrapperReading | undefined {
  const names = [...fields.keys()];
  const unsupported = names.find((name) => UNSUPPORTED.has(name));
  if (unsupported !== undefined) {
    return { problem: `Values of the deprecated type ${unsupported} cannot be sent` };
  }
  const [name = ''] = names;
  const wrapper = WRAPPERS.get(name);
  if (wrapper === undefined) {
    return undefined;
  }
  const value = names.length === 1 ? readValue(wrapper, fields.get(name)) : undefined;
  return value === undefined ? { problem: `Write it as {"${name}": ${wrapper.form}}` } : { value };
}

function readValue(wrapper: Wrapper, value: unknown): unknown {
  try {
    return wrapper.read(value);
  } catch (error) {
    if (error instanceof BSON.BSONError) {
      return undefined;
    }
    throw error;
  }
}

function withText<T>(value: unknown, create: (text: string) => T): T | undefined {
  return typeof value === 'string' ? create(value) : undefined;
}

function isOne(value: unknown): boolean {
  return value instanceof LosslessNumber && value.value === '1';
}

/** @returns undefined where the text is no 24 hexadecimal digits */
export function readObjectId(value: unknown): ObjectId | undefined {
  const isHex = typeof value === 'string' && /^[0-9a-f]{24}$/i.test(value);
  return isHex ? ObjectId.createFromHexString(value) : undefined;
}

export function readInt(value: unknown): Int32 | undefined {
  const integer = readInteger(value, 32);
  return integer === undefined ? undefined : new Int32(Number(integer));
}

export function readLong(value: unknown): Long | undefined {
  const integer = readInteger(value, 64);
  return integer === undefined ? undefined : Long.fromBigInt(integer);
}

function readInteger(value: unknown, bits: number): bigint | undefined {
  const integer =
    typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined;
  return integer !== undefined && integer === BigInt.asIntN(bits, integer) ? integer : undefined;
}

export function readDouble(value: unknown): Double | undefined {
  return withText(value, (text) => {
    const isWord = ['NaN', 'Infinity', '-Infinity'].includes(text);
    const number = isWord || isJsonNumber(text) ? Number(text) : undefined;
    // A number beyond all doubles is not Infinity.
    const isTaken = isWord || Number.isFinite(number);
    return number !== undefined && isTaken ? new Double(number) : undefined;
  });
}

/** @returns undefined where the text is no decimal of 34 digits */
export function readDecimal(value: unknown): Decimal128 | undefined {
  try {
    return withText(value, (text) => Decimal128.fromString(text));
  } catch (error) {
    if (error instanceof BSON.BSONError) {
      return undefined;
    }
    throw error;
  }
}

export function readUuid(value: unknown): Binary | undefined {
  const isUuid = typeof value === 'string' && UUID.test(value);
  return isUuid
    ? new Binary(Buffer.from(value.replaceAll('-', ''), 'hex'), Binary.SUBTYPE_UUID)
    : undefined;
}

/** A moment as text of ISO 8601, or its milliseconds as $numberLong. */
export function readDate(value: unknown): Date | undefined {
  const ms =
    value instanceof Map
      ? readInteger(value.size === 1 ? value.get('$numberLong') : undefined, 64)
      : withText(value, parseMoment);
  const date = new Date(ms === undefined ? Number.NaN : Number(ms));
  // The driver writes a moment beyond those of JavaScript as another one.
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function parseMoment(text: string): number | undefined {
  const day = text.slice(0, 'YYYY-MM-DD'.length);
  // JavaScript reads February 30 as March 1.
  const isDay = ISO_DATE.test(text) && toIso(Date.parse(`${day}T00:00:00Z`)).startsWith(day);
  return isDay ? Date.parse(text) : undefined;
}

function toIso(ms: number): string {
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString();
}

function readBinary(value: unknown): Binary | undefined {
  const fields = value instanceof Map && value.size === 2 ? value : new Map();
  const base64: unknown = fields.get('base64');
  const subType: unknown = fields.get('subType');
  const isTaken =
    typeof base64 === 'string' &&
    BASE64.test(base64) &&
    typeof subType === 'string' &&
    /^[0-9a-f]{1,2}$/i.test(subType);
  if (!isTaken) {
    return undefined;
  }
  const binary = new Binary(Buffer.from(base64, 'base64'), Number.parseInt(subType, 16));
  // Vectors have a form of their own, which the driver checks when it writes them.
  BSON.serialize({ binary });
  return binary;
}

function readTimestamp(value: unknown): Timestamp | undefined {
  const fields = value instanceof Map && value.size === 2 ? value : new Map();
  const t = readUint32(fields.get('t'));
  const i = readUint32(fields.get('i'));
  return t === undefined || i === undefined ? undefined : new Timestamp({ t, i });
}

function readUint32(value: unknown): number | undefined {
  const isDigits = value instanceof LosslessNumber && /^\d{1,10}$/.test(value.value);
  const number = isDigits ? Number(value.value) : Number.NaN;
  return number <= UINT32_MAX ? number : undefined;
}

function readRegex(value: unknown): BSONRegExp | undefined {
  const fields = value instanceof Map && value.size === 2 ? value : new Map();
  const pattern: unknown = fields.get('pattern');
  const options: unknown = fields.get('options');
  return typeof pattern === 'string' && typeof options === 'string'
    ? new BSONRegExp(pattern, options)
    : undefined;
}
