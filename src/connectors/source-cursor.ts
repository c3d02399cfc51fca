// Where a source goes on: behind a document by (tracking field, _id), in the order of MongoDB's
// sort. A query compares within one type only, so what lies behind a value's type is asked for by
// an expression, which knows the order of all types; otherwise a collection with values of several
// types would end where its first type does.
import {
  Binary,
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
import { parseExtendedJsonDocument } from './source-values.ts';

/** Behind this document; without an `_id` behind every document with this tracking value. */
export interface Position {
  readonly tracking: unknown;
  readonly id?: { readonly value: unknown };
}

/** A filter of MongoDB, or a part of one. */
export type Condition = Readonly<Record<string, unknown>>;

/** A comparison in an expression. */
type Bound = readonly [operator: '$gt' | '$gte', value: unknown];

interface OrderedType {
  readonly is: (value: unknown) => boolean;
  /** Whether a query finds what is greater within the type. */
  readonly isComparable: boolean;
  /** Where that does not reach: everything from here on. */
  readonly behind: (value: unknown) => Bound | undefined;
}

const UINT32_MAX = 0xffffffff;

const LAST_TIMESTAMP = new Timestamp({ t: UINT32_MAX, i: UINT32_MAX });

const itself = (value: unknown): Bound => ['$gt', value];

/**
 * What lies behind a value, by its type; fields that are missing are null to a sort.
 * Source: MongoDB manual, "Comparison/Sort Order".
 */
const ORDERED_TYPES: readonly OrderedType[] = [
  // First, since the driver's class is one of a Long too.
  { is: isTimestamp, isComparable: true, behind: () => ['$gt', LAST_TIMESTAMP] },
  // Of these a query finds nothing greater, or takes them for something else.
  { is: isIncomparable, isComparable: false, behind: itself },
  { is: isNumber, isComparable: true, behind: () => ['$gt', new Double(Infinity)] },
  { is: isText, isComparable: true, behind: () => ['$gte', new Map()] },
  // Arrays are next, which are not taken, and an expression could use no index for them.
  { is: isDocument, isComparable: true, behind: () => ['$gte', new Binary()] },
  { is: isBinary, isComparable: true, behind: () => ['$gte', new ObjectId('0'.repeat(24))] },
  { is: isObjectId, isComparable: true, behind: () => ['$gte', false] },
  { is: isBoolean, isComparable: true, behind: () => ['$gt', true] },
  { is: isDate, isComparable: true, behind: () => ['$gte', new Timestamp({ t: 0, i: 0 })] },
  { is: (value) => value instanceof MaxKey, isComparable: false, behind: () => undefined },
];

function isIncomparable(value: unknown): boolean {
  return (
    value === null ||
    value instanceof MinKey ||
    value instanceof BSONRegExp ||
    value instanceof Code ||
    (isNumber(value) && Number.isNaN(Number(value.toString())))
  );
}

function isNumber(value: unknown): value is Double | Int32 | Long | Decimal128 {
  return (
    value instanceof Double ||
    value instanceof Int32 ||
    value instanceof Long ||
    value instanceof Decimal128
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || value instanceof BSONSymbol;
}

function isDocument(value: unknown): boolean {
  return value instanceof Map;
}

function isBinary(value: unknown): boolean {
  return value instanceof Binary;
}

function isObjectId(value: unknown): boolean {
  return value instanceof ObjectId;
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isDate(value: unknown): boolean {
  return value instanceof Date;
}

function isTimestamp(value: unknown): boolean {
  return value instanceof Timestamp;
}

/** The order in which a source reads; documents with equal values follow each other by `_id`. */
export function sortOf(trackingField: string): Readonly<Record<string, 1>> {
  return trackingField === '_id' ? { _id: 1 } : { [trackingField]: 1, _id: 1 };
}

/**
 * What lies behind a position. Each alternative is a stretch of an index on the sort's fields, so
 * that the server merges them and reads what it gives, no more.
 */
export function conditionBehind(trackingField: string, position: Position): Condition {
  const { tracking, id } = position;
  const alternatives = [...behind(trackingField, tracking)];
  if (id !== undefined && trackingField !== '_id') {
    const isEqual = { [trackingField]: { $eq: tracking } };
    alternatives.push(...behind('_id', id.value).map((later) => ({ ...isEqual, ...later })));
  }
  // Behind the last value of all there is nothing.
  return alternatives.length === 0 ? { $nor: [{}] } : { $or: alternatives };
}

function behind(field: string, value: unknown): readonly Condition[] {
  const type = ORDERED_TYPES.find(({ is }) => is(value));
  const bound = type?.behind(value);
  return [
    ...(type?.isComparable === true ? [{ [field]: { $gt: value } }] : []),
    ...(bound === undefined
      ? []
      : [{ $expr: { [bound[0]]: [`$${field}`, { $literal: bound[1] }] } }]),
    // Not to be read, but to be noticed.
    ...(isDocument(value) && field !== '_id' ? [{ [field]: { $type: 'array' } }] : []),
  ];
}

/** A position as the state has it, of two values in canonical Extended JSON. */
export function formatPosition(tracking: string, id: string): string {
  return `{"tracking":${tracking},"_id":${id}}`;
}

/** @returns undefined where the text is not one of formatPosition */
export function parsePosition(text: string): Position | undefined {
  const parsed = parseExtendedJsonDocument(text);
  if ('problem' in parsed || parsed.value.size !== 2) {
    return undefined;
  }
  const { value: fields } = parsed;
  return fields.has('tracking') && fields.has('_id')
    ? { tracking: fields.get('tracking'), id: { value: fields.get('_id') } }
    : undefined;
}
