// One page of a list: which documents, in which order, and where the next page goes on.
import { Binary, BSONSymbol, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import type { Command } from './plan.ts';
import type { BsonDocument } from './crud-values.ts';

export interface PageField {
  readonly field: string;
  readonly direction: 'asc' | 'desc';
}

export interface PageRequest {
  readonly collection: string;
  readonly filter: BsonDocument;
  /** As completeOrder gives it. */
  readonly order: readonly PageField[];
  readonly select: readonly string[] | undefined;
  readonly limit: number;
  /** The values of the order's fields in the last document of the page before. */
  readonly after: readonly unknown[] | undefined;
}

/**
 * What the server does not sort by as a whole, or what cannot be sent back: one who holds them in
 * an order field is let through on every page, so that it is seen and no document lost in silence.
 */
const UNSORTED_TYPES = ['array', 'undefined', 'dbPointer', 'javascript', 'javascriptWithScope'];

/** Ends with `_id`, so that no two documents are at the same place. */
export function completeOrder(order: readonly PageField[]): readonly PageField[] {
  const direction = order.at(-1)?.direction ?? 'asc';
  return order.some(({ field }) => field === '_id')
    ? order
    : [...order, { field: '_id', direction }];
}

/**
 * Rows of `{k, x, d}`: the values of the order's fields, whether one of them has no place in an
 * order, and the document. One more than the limit, if there are as many.
 */
export function createPageCommand(page: PageRequest): Command {
  const { collection, filter, order, select, limit, after } = page;
  const conditions = [filter, ...(after === undefined ? [] : createAfter(order, after))];
  const sort = new Map(order.map(({ field, direction }) => [field, direction === 'asc' ? 1 : -1]));
  const row = { k: order.map(({ field }) => `$${field}`), x: hasUnsorted(order), d: '$$ROOT' };
  const projection = new Map(select?.map((field) => [`d.${field}`, 1]));
  return {
    aggregate: collection,
    pipeline: [
      { $match: conditions.length === 1 ? filter : { $and: conditions } },
      { $sort: sort },
      { $limit: limit + 1 },
      { $replaceWith: row },
      ...(select === undefined ? [] : [{ $project: new Map([['k', 1], ['x', 1], ...projection]) }]),
    ],
    cursor: {},
  };
}

/**
 * Comparisons of expressions follow BSON's order over all types, as the sort does; those of
 * queries only find values of the same type.
 */
function createAfter(
  order: readonly PageField[],
  values: readonly unknown[],
): readonly Readonly<Record<string, unknown>>[] {
  const places = order.map(({ field, direction }, index) => ({
    path: `$${field}`,
    operator: direction === 'asc' ? '$gt' : '$lt',
    value: { $literal: values[index] },
  }));
  const [first] = places;
  // Alone, `_id` is found by its index: it is in every document, and an array in none.
  if (first?.path === '$_id') {
    return [{ $expr: { [first.operator]: [first.path, first.value] } }];
  }
  const alternatives = places.map((place, index) => ({
    $and: [
      ...places.slice(0, index).map(({ path, value }) => ({ $eq: [sortKey(path), value] })),
      { [place.operator]: [sortKey(place.path), place.value] },
    ],
  }));
  return [
    ...narrow(order[0], values[0]),
    { $expr: { $or: [hasUnsorted(order), ...alternatives] } },
  ];
}

/** The server sorts a missing field as null; an expression would have it before null. */
function sortKey(path: string): Readonly<Record<string, unknown>> {
  return { $cond: [{ $eq: [{ $type: path }, 'missing'] }, null, path] };
}

function hasUnsorted(order: readonly PageField[]): Readonly<Record<string, unknown>> {
  return {
    $or: order.map(({ field }) => ({ $in: [{ $type: `$${field}` }, UNSORTED_TYPES] })),
  };
}

/** The types of BSON's order on either side of arrays, by their classes. */
const BEFORE_ARRAYS: ReadonlySet<unknown> = new Set<unknown>([
  ...[Int32, Long, Double, Decimal128, String, BSONSymbol, Map],
]);
const BEHIND_ARRAYS: ReadonlySet<unknown> = new Set<unknown>([
  ...[Binary, ObjectId, Boolean, Date, Timestamp],
]);

/**
 * A condition that an index of the first field is good for. It must not hide an array, so it is
 * there only where arrays are on its side of the value.
 */
function narrow(
  first: PageField | undefined,
  value: unknown,
): readonly Readonly<Record<string, unknown>>[] {
  const isAscending = first?.direction === 'asc';
  // Not instanceof: a Timestamp is a Long to JavaScript.
  const type = value === null || value === undefined ? undefined : value.constructor;
  const isWithArrays = (isAscending ? BEFORE_ARRAYS : BEHIND_ARRAYS).has(type);
  return first !== undefined && isWithArrays
    ? [{ $expr: { [isAscending ? '$gte' : '$lte']: [`$${first.field}`, { $literal: value }] } }]
    : [];
}
