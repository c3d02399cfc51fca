// Constructors of the shell that shell-bson-parser lacks, or reads with a loss. Everything else
// that is called inside of a value is evaluated by that library.
import { Binary, BSONRegExp, BSONSymbol, Decimal128, Long, MaxKey, MinKey } from 'mongodb';

type Constructor = (args: readonly unknown[]) => unknown;

/** What a regular expression may be told, of MongoDB's own. */
const REGEX_FLAGS = /^[imsxu]*$/;

/** @throws Error for flags that MongoDB does not have, or a zero byte */
export function createRegex(pattern: unknown, flags: unknown = ''): BSONRegExp {
  const [source, options] =
    pattern instanceof BSONRegExp
      ? [pattern.pattern, pattern.options]
      : [text(pattern), text(flags)];
  if (!REGEX_FLAGS.test(options)) {
    throw new Error(`Regular expressions of MongoDB have the flags i, m, s, x and u`);
  }
  return new BSONRegExp(source, options);
}

/** An integer that may be larger than what a JavaScript number holds exactly. */
export function createLong(value: unknown): Long {
  if (Long.isLong(value)) {
    return value;
  }
  if (typeof value === 'number') {
    return Long.fromNumber(value);
  }
  const digits = text(value).trim();
  const integer = /^[+-]?\d+$/.test(digits) ? BigInt(digits) : undefined;
  if (integer === undefined || integer !== BigInt.asIntN(64, integer)) {
    throw new Error(`"${digits.slice(0, 40)}" is no integer of 64 bits`);
  }
  return Long.fromBigInt(integer);
}

function createDecimal(value: unknown): Decimal128 {
  return Decimal128.fromString(typeof value === 'string' ? value : String(value));
}

function createHexBinary(subType: unknown, hex: unknown): Binary {
  const digits = text(hex);
  if (typeof subType !== 'number' || !/^([0-9a-fA-F]{2})*$/.test(digits)) {
    throw new Error('HexData takes a subtype and pairs of hexadecimal digits');
  }
  return new Binary(Buffer.from(digits, 'hex'), subType);
}

function createUuid(value: unknown): Binary {
  const digits = text(value).replaceAll(/[-{}]/g, '');
  if (!/^[0-9a-fA-F]{32}$/.test(digits)) {
    throw new Error('UUID takes 32 hexadecimal digits, with dashes or without');
  }
  return new Binary(Buffer.from(digits, 'hex'), Binary.SUBTYPE_UUID);
}

function text(value: unknown): string {
  if (typeof value !== 'string') {
    throw new Error('A string is expected here');
  }
  return value;
}

/** By name; with and without `new` they are the same. */
export const OWN_CONSTRUCTORS: ReadonlyMap<string, Constructor> = new Map<string, Constructor>([
  ['RegExp', ([pattern, flags]) => createRegex(pattern, flags)],
  ['BSONRegExp', ([pattern, flags]) => createRegex(pattern, flags)],
  ['BSONSymbol', ([value]) => new BSONSymbol(text(value))],
  ['NumberLong', ([value = 0]) => createLong(value)],
  ['Int64', ([value = 0]) => createLong(value)],
  ['NumberDecimal', ([value = '0']) => createDecimal(value)],
  ['Decimal128', ([value = '0']) => createDecimal(value)],
  ['HexData', ([subType, hex]) => createHexBinary(subType, hex)],
]);

/** These make a value of their own when they are called without an argument. */
export const OWN_WITH_ARGUMENTS: ReadonlyMap<string, Constructor> = new Map<string, Constructor>([
  ['UUID', ([value]) => createUuid(value)],
]);

/** Names that stand for a value. */
export const CONSTANTS: ReadonlyMap<string, () => unknown> = new Map<string, () => unknown>([
  ['undefined', () => undefined],
  ['NaN', () => Number.NaN],
  ['Infinity', () => Number.POSITIVE_INFINITY],
  ['MinKey', () => new MinKey()],
  ['MaxKey', () => new MaxKey()],
]);

/** What the library evaluates, for "did you mean". */
export const LIBRARY_CONSTRUCTORS: readonly string[] = [
  'ObjectId',
  'ObjectID',
  'ISODate',
  'Date',
  'NumberInt',
  'Int32',
  'Double',
  'Long',
  'Timestamp',
  'BinData',
  'Binary',
  'UUID',
  'MinKey',
  'MaxKey',
  'Code',
  'DBRef',
  'Symbol',
  'LegacyJavaUUID',
  'LegacyCSharpUUID',
  'LegacyPythonUUID',
  'Math',
];
