// What an operator should know of a collection before it is read.
import { MongoServerError } from 'mongodb';
import type { MongoClient } from 'mongodb';
import type { ConnectorLog } from './connector.ts';
import { withinTime } from './source-attempts.ts';

export interface CheckedCollection {
  readonly database: string;
  readonly collection: string;
  readonly trackingField: string;
}

const CHECK_MS_MAX = 30_000;

const NAMESPACE_NOT_FOUND = 26;

/** Who may only read documents is let in. */
const UNAUTHORIZED = 13;

/** A view, which has no indexes of its own. */
const COMMAND_NOT_SUPPORTED_ON_VIEW = 166;

/**
 * Warns where the collection is missing, or every poll would have to sort it.
 *
 * @throws what the driver does; the signal's reason
 */
export async function checkCollection(
  client: MongoClient,
  checked: CheckedCollection,
  log: ConnectorLog,
  signal: AbortSignal,
): Promise<void> {
  const { database, collection, trackingField } = checked;
  const indexes = await readIndexes(client, checked, signal);
  const place = `${database}.${collection}`;
  if (indexes === 'unknown') {
    log.warn(
      `Whether an index of ${place} helps cannot be seen: Gatepost may not list its indexes`,
    );
  } else if (indexes === undefined) {
    log.warn(
      `Collection ${place} does not exist; ` +
        'polling will return empty results until the collection is created',
    );
  } else if (trackingField !== '_id' && !indexes.some((index) => isUsable(index, trackingField))) {
    log.warn(
      `No index of ${place} begins with "${trackingField}" and _id, so every poll reads and ` +
        `sorts what is behind its offset: create {"${trackingField}": 1, "_id": 1}`,
    );
  }
}

/** Undefined where there is no such collection. */
async function readIndexes(
  client: MongoClient,
  { database, collection }: CheckedCollection,
  signal: AbortSignal,
): Promise<readonly Readonly<Record<string, unknown>>[] | 'unknown' | undefined> {
  try {
    return await withinTime(CHECK_MS_MAX, signal, async (inTime) => {
      const reply: unknown = await client
        .db(database)
        .command({ listIndexes: collection, cursor: {} }, { signal: inTime });
      return firstBatchOf(reply);
    });
  } catch (error) {
    switch (error instanceof MongoServerError ? error.code : undefined) {
      case NAMESPACE_NOT_FOUND:
        return undefined;
      case COMMAND_NOT_SUPPORTED_ON_VIEW:
        return [];
      case UNAUTHORIZED:
        return 'unknown';
      default:
        throw error;
    }
  }
}

/** A collection has 64 indexes at most, which one reply has room for. */
function firstBatchOf(reply: unknown): readonly Readonly<Record<string, unknown>>[] {
  const batch = fieldOf(fieldOf(reply, 'cursor'), 'firstBatch');
  return Array.isArray(batch) ? batch.filter(isRecord) : [];
}

function fieldOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** One that has every document, in this order or the other way round. */
function isUsable(index: Readonly<Record<string, unknown>>, trackingField: string): boolean {
  const key = isRecord(index['key']) ? Object.entries(index['key']) : [];
  const [first, second] = key;
  const isPartial =
    index['sparse'] === true ||
    index['hidden'] === true ||
    index['partialFilterExpression'] !== undefined;
  return (
    !isPartial &&
    first?.[0] === trackingField &&
    second?.[0] === '_id' &&
    Math.abs(Number(first[1])) === 1 &&
    first[1] === second[1]
  );
}
