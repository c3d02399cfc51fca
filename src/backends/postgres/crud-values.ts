// Values of a request as PostgreSQL reads them in text: exact, and judged by the column's type.
import { isLosslessNumber, stringify } from 'lossless-json';
import type { ElementType, TableColumn, ValueType } from './crud-table.ts';

/** The text of a value, null for NULL; or what is wrong with it. */
export type EncodedValue = { readonly text: string | null } | { readonly problem: string };

const OID = { boolean: 16, bytea: 17, json: 114, jsonb: 3802, name: 19, char: 18 } as const;

const FLOATS: ReadonlySet<number> = new Set([700, 701]);

/** Object ids of int2, int4 and int8, and how many bits each has. */
const INTEGER_BITS: ReadonlyMap<number, bigint> = new Map([
  [21, 16n],
  [23, 32n],
  [20, 64n],
]);

/** More digits than any of them has, lest a long one cost time. */
const INTEGER = /^[+-]?\d{1,40}$/;
/** No two parts of it can match the same digits: the time is that of the length. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$|^NaN$|^[+-]?Infinity$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Arrays in arrays: PostgreSQL has no more dimensions. */
const DIMENSIONS_MAX = 6;

/** A value of a JSON body for this column; numbers come as LosslessNumber. */
export function encodeJsonValue(value: unknown, column: TableColumn): EncodedValue {
  const { element } = column;
  if (value === null) {
    // Where there is no NULL, null is that of JSON: so it is shown, and so it can be put back.
    const isOfJson = element === undefined && isJson(column.base);
    return column.isNullable
      ? { text: null }
      : isOfJson
        ? { text: 'null' }
        : { problem: 'It cannot be null' };
  }
  if (element === undefined) {
    return encodeScalar(value, column.base);
  }
  if (typeof value === 'string') {
    // As arrays of types that only this database knows are shown.
    return encodeTextValue(value, column);
  }
  return Array.isArray(value) ? encodeArray(value, element, 1) : { problem: 'It is an array' };
}

/** A value of a path or of a query string for this column. */
export function encodeTextValue(text: string, { base, element }: TableColumn): EncodedValue {
  if (text.includes('\0')) {
    return { problem: NUL_PROBLEM };
  }
  // Other types have more ways to be written than we know; the server is the judge of them.
  const isJudged = base.oid === OID.bytea || base.category === 'N';
  return element === undefined && isJudged ? encodeScalar(text, base) : { text };
}

/** The text of a value of the database as encodeTextValue takes it. */
export function decodeTextValue(text: string, { base }: TableColumn): string {
  return base.oid === OID.bytea ? Buffer.from(text.slice(2), 'hex').toString('base64') : text;
}

export function isBoolean({ base }: TableColumn): boolean {
  return base.oid === OID.boolean;
}

/** Whether `like` can be asked of it. */
export function isText({ base, element }: TableColumn): boolean {
  return element === undefined && isTextType(base);
}

const NUL_PROBLEM = 'A value cannot hold the character NUL';

function isTextType({ oid, category }: ValueType): boolean {
  return category === 'S' || oid === OID.name || oid === OID.char;
}

function encodeScalar(value: unknown, type: ValueType): EncodedValue {
  if (isJson(type)) {
    // NUL is escaped in there: json keeps it, jsonb says what it thinks of it.
    return { text: stringify(value) ?? 'null' };
  }
  if (type.oid === OID.boolean) {
    return typeof value === 'boolean'
      ? { text: value ? 'true' : 'false' }
      : { problem: 'It is true or false' };
  }
  if (type.category === 'N') {
    return encodeNumber(value, type);
  }
  return encodeString(value, type);
}

function encodeString(value: unknown, { oid }: ValueType): EncodedValue {
  if (typeof value !== 'string') {
    return { problem: 'It is a string' };
  }
  if (value.includes('\0')) {
    return { problem: NUL_PROBLEM };
  }
  return oid === OID.bytea ? encodeBytes(value) : { text: value };
}

/** A string will do as well, for that is how int8 and numeric are shown. */
function encodeNumber(value: unknown, { oid }: ValueType): EncodedValue {
  const text = isLosslessNumber(value) ? value.value : value;
  if (typeof text !== 'string') {
    return { problem: 'It is a number, or a string with one' };
  }
  const bits = INTEGER_BITS.get(oid);
  if (bits !== undefined) {
    return encodeInteger(text, bits);
  }
  const isKnown = FLOATS.has(oid) || oid === 1700;
  if (isKnown && !NUMBER.test(text)) {
    return { problem: 'It is a number' };
  }
  // money and object ids have ways of their own to be written.
  return text.includes('\0') ? { problem: NUL_PROBLEM } : { text };
}

function encodeInteger(text: string, bits: bigint): EncodedValue {
  const max = 1n << (bits - 1n);
  const integer = INTEGER.test(text) ? BigInt(text.replace('+', '')) : max;
  return integer >= -max && integer < max
    ? { text }
    : { problem: `It is a whole number from -${max} to ${max - 1n}` };
}

function encodeBytes(value: string): EncodedValue {
  return BASE64.test(value)
    ? { text: `\\x${Buffer.from(value, 'base64').toString('hex')}` }
    : { problem: 'It is base64 with its padding' };
}

/** An array literal; every element is quoted, so that none is taken for NULL or a brace. */
function encodeArray(
  values: readonly unknown[],
  element: ElementType,
  dimension: number,
): EncodedValue {
  if (dimension > DIMENSIONS_MAX) {
    return { problem: `It has at most ${DIMENSIONS_MAX} dimensions` };
  }
  const texts: string[] = [];
  for (const [index, value] of values.entries()) {
    const isNested = Array.isArray(value) && !isJson(element);
    const encoded = isNested
      ? encodeArray(value, element, dimension + 1)
      : value === null
        ? { text: null }
        : encodeScalar(value, element);
    if ('problem' in encoded) {
      return { problem: `Element ${index + 1}: ${encoded.problem}` };
    }
    texts.push(isNested ? (encoded.text ?? '') : quoteElement(encoded.text));
  }
  return { text: `{${texts.join(element.delimiter)}}` };
}

/** The literal of a text[]. */
export function encodeTextArray(texts: readonly string[]): string {
  return `{${texts.map(quoteElement).join(',')}}`;
}

function isJson({ oid }: ValueType): boolean {
  return oid === OID.json || oid === OID.jsonb;
}

function quoteElement(text: string | null): string {
  return text === null ? 'NULL' : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
