// What an operator should know of a collection before it is read.
import { MongoServerError } from 'mongodb';
import type { MongoClient } from 'mongodb';
import { isDeepStrictEqual } from 'node:util';
import type { ConnectorLog } from './connector.ts';
import { withinTime } from './within-time.ts';

export interface CheckedCollection {
  readonly database: string;
  readonly collection: string;
  readonly trackingField: string;
}

const CHECK_MS_MAX = 30_000;

/** Of MongoDB 5.0, the first that reads snapshots outside of transactions. */
const SNAPSHOT_WIRE_VERSION = 13;

const MISSED = 'updates that are made while a poll reads can be MISSED';

const NAMESPACE_NOT_FOUND = 26;

const COMMAND_NOT_FOUND = 59;

/** Who may only read documents is let in. */
const UNAUTHORIZED = 13;

/** A view, which has no indexes of its own. */
const COMMAND_NOT_SUPPORTED_ON_VIEW = 166;

/** How a collection must be read, so that nothing is lost. */
export interface CollectionTraits {
  /** By snapshots, as far as the server can. */
  readonly isSnapshot: boolean;
  /** Several documents may have one `_id`. */
  readonly isAmbiguous: boolean;
}

type Index = Readonly<Record<string, unknown>>;

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
): Promise<CollectionTraits> {
  const listed = await readListed(client, checked, signal);
  const server = await readServer(client, signal);
  const isFixed = checked.trackingField === '_id';
  const isSnapshot = !isFixed && server.hasSnapshots && !isCapped(listed);
  const warning = warningOf(await readIndexes(client, checked, signal), {
    ...checked,
    isMissing: !isFixed && !isSnapshot,
  });
  if (warning !== undefined) {
    log.warn(warning);
  }
  // Shards hold several documents of one _id unless it is their key.
  return { isSnapshot, isAmbiguous: server.isRouter || listed?.['type'] !== 'collection' };
}

interface Warned extends CheckedCollection {
  /** Whether a poll without an index may miss updates. */
  readonly isMissing: boolean;
}

function warningOf(
  indexes: readonly Index[] | 'unknown' | undefined,
  { database, collection, trackingField, isMissing }: Warned,
): string | undefined {
  const place = `${database}.${collection}`;
  if (indexes === undefined) {
    return (
      `Collection ${place} does not exist; ` +
      'polling will return empty results until the collection is created'
    );
  }
  if (indexes === 'unknown') {
    const missed = isMissing ? `; if none does, ${MISSED}` : '';
    return (
      `Whether an index of ${place} helps cannot be seen: ` +
      `Gatepost may not list its indexes${missed}`
    );
  }
  if (trackingField === '_id' || hasUsable(indexes, trackingField)) {
    return undefined;
  }
  const missed = isMissing ? `, and ${MISSED}` : '';
  return (
    `No index of ${place} begins with "${trackingField}" and _id, so every poll reads and ` +
    `sorts what is behind its offset${missed}: create {"${trackingField}": 1, "_id": 1}`
  );
}

/** The collection in the database's list; undefined where it is not, or that may not be seen. */
async function readListed(
  client: MongoClient,
  { database, collection }: CheckedCollection,
  signal: AbortSignal,
): Promise<Index | undefined> {
  const command = { listCollections: 1, filter: { name: collection }, cursor: {} };
  try {
    return await withinTime(CHECK_MS_MAX, signal, async (inTime) => {
      const reply: unknown = await client.db(database).command(command, { signal: inTime });
      return firstBatchOf(reply)[0];
    });
  } catch (error) {
    if (error instanceof MongoServerError && error.code === UNAUTHORIZED) {
      return undefined;
    }
    throw error;
  }
}

function isCapped(listed: Index | undefined): boolean {
  return fieldOf(listed?.['options'], 'capped') === true;
}

interface CheckedServer {
  readonly hasSnapshots: boolean;
  readonly isRouter: boolean;
}

/** Of one that does not know `hello` yet, which is older than snapshots are. */
const OLD_SERVER: CheckedServer = { hasSnapshots: false, isRouter: true };

async function readServer(client: MongoClient, signal: AbortSignal): Promise<CheckedServer> {
  try {
    return await withinTime(CHECK_MS_MAX, signal, async (inTime) => {
      const reply: unknown = await client.db('admin').command({ hello: 1 }, { signal: inTime });
      const isRouter = fieldOf(reply, 'msg') === 'isdbgrid';
      const isMember = typeof fieldOf(reply, 'setName') === 'string';
      const isNew = Number(fieldOf(reply, 'maxWireVersion')) >= SNAPSHOT_WIRE_VERSION;
      return { hasSnapshots: isNew && (isRouter || isMember), isRouter };
    });
  } catch (error) {
    if (error instanceof MongoServerError && error.code === COMMAND_NOT_FOUND) {
      return OLD_SERVER;
    }
    throw error;
  }
}

/** Undefined where there is no such collection. */
async function readIndexes(
  client: MongoClient,
  { database, collection }: CheckedCollection,
  signal: AbortSignal,
): Promise<readonly Index[] | 'unknown' | undefined> {
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
function firstBatchOf(reply: unknown): readonly Index[] {
  const batch = fieldOf(fieldOf(reply, 'cursor'), 'firstBatch');
  return Array.isArray(batch) ? batch.filter(isRecord) : [];
}

function fieldOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Index {
  return typeof value === 'object' && value !== null;
}

/** Whether one has every document, in the order of the collection or the other way round. */
function hasUsable(indexes: readonly Index[], trackingField: string): boolean {
  // It always has the collation of the collection, which is the one that a poll sorts by.
  const byId = indexes.find(({ key }) => isDeepStrictEqual(key, { _id: 1 }));
  return indexes.some(
    (index) =>
      isUsable(index, trackingField) && isDeepStrictEqual(index['collation'], byId?.['collation']),
  );
}

function isUsable(index: Index, trackingField: string): boolean {
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
