// What an operator's initial_offset means: it is text, and the tracking field has values of a type.
import { BSON_TYPE } from '../backends/mongodb/bson-reader.ts';
import { isJsonNumber } from '../backends/mongodb/crud-json.ts';
import { parseExactNumber } from '../backends/mongodb/crud-numbers.ts';
import { formatBson } from '../backends/mongodb/crud-text.ts';
import { readDate, readDecimal, readObjectId } from '../backends/mongodb/crud-wrappers.ts';
import { parseExtendedJson } from './source-values.ts';
import type { Parsed } from './source-values.ts';

interface OffsetType {
  readonly name: string;
  readonly parse: (text: string) => unknown;
}

const OBJECT_ID: OffsetType = { name: 'an ObjectId of 24 hexadecimal digits', parse: readObjectId };
const DATE: OffsetType = { name: 'a date such as 2030-01-31T12:00:00Z', parse: parseDate };
const NUMBER: OffsetType = { name: 'a number', parse: parseNumber };
const DECIMAL: OffsetType = { name: 'a decimal number', parse: readDecimal };
const TEXT: OffsetType = { name: 'a text', parse: (text) => text };

/** By the type byte of the values that are there. */
const TYPES: ReadonlyMap<number, OffsetType> = new Map([
  [BSON_TYPE.objectId, OBJECT_ID],
  [BSON_TYPE.date, DATE],
  [BSON_TYPE.double, NUMBER],
  [BSON_TYPE.int32, NUMBER],
  [BSON_TYPE.int64, NUMBER],
  [BSON_TYPE.decimal128, DECIMAL],
  [BSON_TYPE.string, TEXT],
  [BSON_TYPE.symbol, TEXT],
]);

/** Whether the text says its type itself, as Extended JSON. */
export function isExtendedJson(text: string): boolean {
  return /^\s*["{]/.test(text);
}

/**
 * The value of a text.
 *
 * @param type of a value of the tracking field, which is needed unless the text says its own
 */
export function parseOffset(text: string, type: number | undefined): Parsed<unknown> {
  if (isExtendedJson(text)) {
    return parseExtendedJson(text);
  }
  const expected = type === undefined ? undefined : TYPES.get(type);
  const value = expected?.parse(text);
  if (value !== undefined) {
    return { value };
  }
  const reason =
    expected === undefined
      ? 'The tracking field has values of another type than text can say'
      : `It is not ${expected.name}, as the tracking field has`;
  return { problem: `${reason}: write it in Extended JSON, {"$oid": "…"} for example` };
}

/** The value as logs show it. */
export function showOffset(value: unknown): string {
  return formatBson(value);
}

function parseNumber(text: string): unknown {
  return isJsonNumber(text) ? parseExactNumber(text) : undefined;
}

/** A day is its first moment. */
function parseDate(text: string): Date | undefined {
  return readDate(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
}
