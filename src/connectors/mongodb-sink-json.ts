// JSON payloads as values that the driver stores exactly. What JSON.parse would round goes through
// a slower parser; most payloads have nothing of the kind.
import { parse } from 'lossless-json';
import { Decimal128, Double } from 'mongodb';
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
const NEEDS_LOOK = /(?<![.\d])\d{10}|_bsontype|\\u/;

/** An integer that a double may not hold; one inside a string costs only the slower parser. */
const LONG_INTEGER = /(?:^|[:,[\s])-?\d{16,}(?=[\s,}\]]|$)/;

/**
 * A double that JSON.parse may take for an integer, as 1.0 and 1e3 are: with an exponent, with a
 * fraction of zeros, and those that are rounded to one. Below ten digits that takes a fraction
 * which begins with six zeros or nines.
 */
const WHOLE_DOUBLE = /(?:^|[:,[\s])-?(?:\d{10,}\.|\d+(?:\.(?:0+(?!\d)|0{6}|9{6})|(?:\.\d+)?[eE]))/;

/** Half of a character, as many characters are written, or alone: UTF-8 and so BSON have none. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The value of a JSON text. Integers are Int32, beyond that Long, beyond 64 bits Decimal128, and
 * beyond its 34 digits their text. A number with a fraction or an exponent is a double, and so is
 * `-0`. Of a name that comes twice the last value counts; `__proto__` is a name like others.
 *
 * @throws ConnectorError `invalid-record`, without a part of the text
 */
export function parsePayloadJson(text: string): unknown {
  try {
    const isExact = LONG_INTEGER.test(text) || WHOLE_DOUBLE.test(text);
    if (!isExact && !NEEDS_LOOK.test(text)) {
      const plain: unknown = JSON.parse(text);
      return plain;
    }
    const parsed: unknown = isExact
      ? parse(text, undefined, { parseNumber, onDuplicateKey: ({ newValue }) => newValue })
      : JSON.parse(text);
    if (SURROGATE_ESCAPE.test(text)) {
      checkCharacters(parsed);
    }
    return storable(parsed, 0);
  } catch (error) {
    if (error instanceof ConnectorError) {
      throw error;
    }
    throw error instanceof RangeError ? tooDeep() : notJson(error);
  }
}

/**
 * Whether a text is JSON, for payloads that are not stored by its value.
 *
 * @throws ConnectorError `invalid-record` when it is not, without a part of the text
 */
export function checkPayloadJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw notJson(error);
  }
}

function parseNumber(literal: string): unknown {
  if (/[.eE]/.test(literal)) {
    return parseDouble(literal);
  }
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

/** A whole one is said to be a double: the driver would store an integer. */
function parseDouble(literal: string): number | Double {
  const value = Number(literal);
  if (!Number.isFinite(value)) {
    throw new ConnectorError('invalid-record', 'its JSON has a number that is beyond all doubles');
  }
  return Number.isInteger(value) ? new Double(value) : value;
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

/** Names with halves of characters would become one name, and a field would be lost. */
function checkCharacters(value: unknown): void {
  if (typeof value === 'string' && LONE_SURROGATE.test(value)) {
    throw new ConnectorError(
      'invalid-record',
      'its JSON has half of a character (an escape from \\ud800 to \\udfff alone), which BSON ' +
        'cannot hold',
    );
  }
  if (isContainer(value)) {
    for (const [name, field] of Object.entries(value)) {
      checkCharacters(name);
      checkCharacters(field);
    }
  }
}

/** An array too: its names are its indexes. */
function isContainer(value: unknown): value is Record<string, unknown> {
  const isNumber = value instanceof Decimal128 || value instanceof Double;
  return typeof value === 'object' && value !== null && !isNumber;
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
