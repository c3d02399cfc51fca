// Pages of records, newest first: each goes on behind the last one by its time and id, so that
// nothing is shown twice or left out when others come.
import type { Collection, Filter } from 'mongodb';
import type { StoredRecord } from './record-insert.ts';

/** How long one read may take. */
export const READ_TIMEOUT_MS = 8000;

/** A record as it is shown, JSON by its values. */
export type ShownRecord = Readonly<Record<string, unknown>>;

/** The place of a record in the order of all. */
export interface RecordPosition {
  readonly at: Date;
  readonly id: string;
}

export interface PageOptions {
  readonly filter: Filter<StoredRecord>;
  /** The first instant that is meant, and the first one that is not any more. */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  /** The last record of the page before. */
  readonly after?: RecordPosition | undefined;
  readonly limit: number;
}

export interface RecordPage {
  readonly records: readonly StoredRecord[];
  /** Where the next page begins; undefined behind the last one. */
  readonly position: RecordPosition | undefined;
}

/**
 * Reads one page.
 *
 * @throws what the driver says; the signal's reason
 */
export async function readRecordPage(
  collection: Collection<StoredRecord>,
  { filter, limit, ...range }: PageOptions,
  signal: AbortSignal,
): Promise<RecordPage> {
  const options = { limit: limit + 1, maxTimeMS: READ_TIMEOUT_MS, signal };
  // By time alone the server has an order at hand, and stops as soon as it has enough. Only those
  // that are as new as the oldest of them are sorted.
  const times = await collection
    .find({ $and: [filter, ...conditionsOf(range)] }, { ...options, projection: { at: 1 } })
    .sort({ at: -1 })
    .toArray();
  const oldest = times.length > limit ? times.at(-1)?.at : undefined;
  const within = oldest === undefined ? [] : [{ at: { $gte: oldest } }];
  const found = await collection
    .find({ $and: [filter, ...conditionsOf(range), ...within] }, options)
    .sort({ at: -1, _id: -1 })
    .toArray();
  const records = found.slice(0, limit);
  const last = found.length > limit ? records.at(-1) : undefined;
  return { records, position: last && { at: last.at, id: last._id } };
}

function conditionsOf({
  from,
  to,
  after,
}: Omit<PageOptions, 'filter' | 'limit'>): Filter<StoredRecord>[] {
  const conditions: Filter<StoredRecord>[] = [];
  if (from !== undefined) {
    conditions.push({ at: { $gte: from } });
  }
  if (to !== undefined) {
    conditions.push({ at: { $lt: to } });
  }
  if (after !== undefined) {
    conditions.push(
      { at: { $lte: after.at } },
      { $or: [{ at: { $lt: after.at } }, { _id: { $lt: after.id } }] },
    );
  }
  return conditions;
}
