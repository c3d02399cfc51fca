// JSON payloads as values that the driver stores exactly. What JSON.parse would round goes through
// a slower parser; most payloads have nothing of the kind.
import { parse } from 'lossless-json';
import { Decimal128 } from 'mongodb';
import { ConnectorError } from './connector-error.ts';

/** MongoDB takes less; deeper values would end our own recursion. */
const DEPTH_MAX = 200;

const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);

/** Digits that a Decimal128 holds. */
const DECIMAL_DIGITS_MAX = 34;

/**
 * What the driver alone would store otherwise: an integer beyond 32 bits as a double, and an
 * object with this name as a BSON type of the producer's choice; an escape may hide the name.
 */
const NEEDS_LOOK = /(?<![.\d])\d{10}|\d[eE]|_bsontype|\\u/;

/** An integer that a double may not hold; one inside a string costs only the slower parser. */
const LONG_INTEGER = /(?:^|[:,[\s])-?\d{16,}(?=[\s,}\]]|$)/;

/**
 * The value of a JSON text. Integers are Int32, beyond that Long, beyond 64 bits Decimal128, and
 * beyond its 34 digits their text; other numbers are doubles, `-0` too. Of a name that comes twice
 * the last value counts; `__proto__` is a name like others.
 *
 * @throws ConnectorError `invalid-record`, without a part of the text
 */
export function parsePayloadJson(text: string): unknown {
  try {
    if (!NEEDS_LOOK.test(text)) {
      const plain: unknown = JSON.parse(text);
      return plain;
    }
    const parsed: unknown = LONG_INTEGER.test(text)
      ? parse(text, undefined, { parseNumber, onDuplicateKey: ({ newValue }) => newValue })
      : JSON.parse(text);
    return storable(parsed, 0);
  } catch (error) {
    if (error instanceof ConnectorError) {
      throw error;
    }
    throw error instanceof RangeError ? tooDeep() : notJson(error);
  }
}

function parseNumber(literal: string): unknown {
  if (!/^-?\d{16,}$/.test(literal)) {
    return Number(literal);
  }
  const integer = BigInt(literal);
  if (BigInt.asIntN(64, integer) === integer) {
    return integer;
  }
  const digits = literal.startsWith('-') ? literal.length - 1 : literal.length;
  return digits <= DECIMAL_DIGITS_MAX ? Decimal128.fromString(literal) : literal;
}

/**
 * The value with bigints, which the driver stores as Long, and Maps, which it stores as documents
 * whatever their names are. It changes what it is given: a copy would take longer than the parser.
 */
function storable(value: unknown, depth: number): unknown {
  if (typeof value === 'number') {
    return isLong(value) ? BigInt(value) : value;
  }
  if (!isContainer(value)) {
    return value;
  }
  if (depth >= DEPTH_MAX) {
    throw tooDeep();
  }
  for (const name of Object.keys(value)) {
    const field = value[name];
    const stored = storable(field, depth + 1);
    // A name of its own, `__proto__` too, is only written over.
    if (stored !== field) {
      value[name] = stored;
    }
  }
  return Object.hasOwn(value, '_bsontype') ? new Map(Object.entries(value)) : value;
}

/** An array too: its names are its indexes. */
function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Decimal128);
}

function isLong(value: number): boolean {
  return Number.isSafeInteger(value) && (value > INT32_MAX || value < INT32_MIN);
}

function tooDeep(): ConnectorError {
  return new ConnectorError(
    'invalid-record',
    `its JSON is nested more than ${DEPTH_MAX} levels deep, which MongoDB does not take`,
  );
}

/** Parsers quote the text around a mistake; only the place is said. */
function notJson(error: unknown): ConnectorError {
  const [, position] = /position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
  const place = position === undefined ? '' : ` (at character ${position})`;
  return new ConnectorError('invalid-record', `its payload is not JSON${place}`);
}
