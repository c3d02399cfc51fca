// The collections of activity and of the log: time series that forget by themselves.
import { MongoServerError } from 'mongodb';
import type { Db, IndexDirection } from 'mongodb';
import { z } from 'zod';

/** A time series, and what its readers look for besides the time. */
export interface RecordCollection {
  readonly name: string;
  readonly retentionMs: number;
  /** One entry for each bucket of records, not for each record. */
  readonly indexes: readonly Readonly<Record<string, IndexDirection>>[];
}

const TIME_FIELD = 'at';
const META_FIELD = 'meta';

/** Newest first, of everybody or of one. */
const INDEXES = [{ at: -1 }, { 'meta.owner': 1, at: -1 }] as const;

export function activityCollection(retentionMs: number): RecordCollection {
  return {
    name: 'activity',
    retentionMs,
    indexes: [...INDEXES, { account: 1, at: -1 }, { session: 1, at: -1 }],
  };
}

export function logCollection(retentionMs: number): RecordCollection {
  return { name: 'logs', retentionMs, indexes: [...INDEXES, { 'meta.level': 1, at: -1 }] };
}

const NAMESPACE_EXISTS = 48;

const FOUND = z.object({
  type: z.string().optional(),
  options: z.object({ expireAfterSeconds: z.number().optional() }).optional(),
});

/**
 * Makes sure that the collection is there, with this retention. Any number of processes may do so
 * at once; of different retentions the last one counts.
 *
 * @throws MongoServerError where the server refuses; Error where something else has the name
 */
export async function ensureCollection(
  db: Db,
  { name, retentionMs, indexes }: RecordCollection,
): Promise<void> {
  const expireAfterSeconds = Math.max(1, Math.ceil(retentionMs / 1000));
  const found = await findCollection(db, name);
  if (found === undefined) {
    await createTimeSeries(db, name, expireAfterSeconds);
  } else if (found.type !== 'timeseries') {
    throw new Error(`The collection ${name} is no time series: rename or drop it`);
  } else if (found.options?.expireAfterSeconds !== expireAfterSeconds) {
    await db.command({ collMod: name, expireAfterSeconds });
  }
  await db.collection(name).createIndexes(indexes.map((key) => ({ key })));
}

async function findCollection(db: Db, name: string): Promise<z.infer<typeof FOUND> | undefined> {
  const [found] = await db.listCollections({ name }, { nameOnly: false }).toArray();
  return found && FOUND.parse(found);
}

async function createTimeSeries(db: Db, name: string, expireAfterSeconds: number): Promise<void> {
  try {
    await db.command({
      create: name,
      timeseries: { timeField: TIME_FIELD, metaField: META_FIELD, granularity: 'seconds' },
      expireAfterSeconds,
    });
  } catch (error) {
    // Somebody else was faster.
    if (!(error instanceof MongoServerError) || error.code !== NAMESPACE_EXISTS) {
      throw error;
    }
  }
}
