// Records into a collection that knows no unique key: each of them once, whatever becomes of the
// connection.
import { types } from 'node:util';
import { Long, MongoError, MongoServerError } from 'mongodb';
import type { ClientSession, Db, Document } from 'mongodb';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import type { StoreClient } from './store-client.ts';

/** What every record has. */
export interface StoredRecord extends Document {
  readonly _id: string;
  readonly at: Date;
}

/** How long the majority may take to have a batch; it is asked for again then. */
const MAJORITY_TIMEOUT_MS = 5000;

const MAJORITY = { w: 'majority', wtimeout: MAJORITY_TIMEOUT_MS } as const;

/** The server stops by itself what takes longer: nothing of it may be done much later. */
const MAX_TIME_MS = 10_000;

/** "Transaction numbers are only allowed on a replica set member or mongos". */
const ILLEGAL_OPERATION = 20;

/**
 * The driver hands out the server's sessions again, with numbers that its own writes have used up:
 * it counts one by one, and never gets so far.
 */
const NUMBER_BEFORE_FIRST = 2 ** 40;

/** Nothing is ever in it. */
const FENCE_COLLECTION = 'fences';

/**
 * What the server says when it is out of time, without a primary, or about to go: MaxTimeMSExpired,
 * PrimarySteppedDown, WriteConflict and their like; and TransactionTooOld, after which the next
 * number is a higher one.
 */
const PASSING_CODES: ReadonlySet<unknown> = new Set([
  ...[6, 7, 50, 64, 89, 91, 112, 134, 189, 202, 225, 262],
  ...[9001, 10107, 11600, 11602, 13435, 13436],
]);

const REPLY = z.object({
  writeErrors: z.array(z.object({ code: z.number().optional() })).default([]),
  writeConcernError: z.object({ errmsg: z.string().default('') }).optional(),
});

/** The majority did not say in time that it has what was written. */
class UnconfirmedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnconfirmedError';
  }
}

export interface RecordInsertOptions {
  readonly client: Pick<StoreClient, 'open'>;
  readonly collection: string;
  /** Makes sure of the collection; called until it has succeeded once. */
  readonly prepare: (db: Db) => Promise<void>;
}

export class RecordInsert {
  readonly #options: RecordInsertOptions;
  #isPrepared = false;
  #session: ClientSession | undefined;
  /** Undefined where the server takes no numbers: it stands alone. */
  #number: number | undefined = NUMBER_BEFORE_FIRST;

  constructor(options: RecordInsertOptions) {
    this.#options = options;
  }

  /**
   * Inserts the records.
   *
   * @returns how many of them the server does not take
   * @throws what the server or the driver says; unless it came before anything was sent, which
   *   `open` tells, it is unclear then which of them are there
   */
  async insert(db: Db, records: readonly StoredRecord[]): Promise<number> {
    const { collection } = this.#options;
    const command = { insert: collection, documents: [...records], ordered: false };
    const { writeErrors } = await this.#run(db, command);
    if (writeErrors.some(({ code }) => PASSING_CODES.has(code))) {
      throw new UnconfirmedError('The server has stopped within the batch');
    }
    return writeErrors.length;
  }

  /**
   * The records that are not there, after an attempt that nobody knows the outcome of. Whatever of
   * it is still on its way comes to nothing: the server takes no number below one that it has seen.
   */
  async findMissing(db: Db, records: readonly StoredRecord[]): Promise<StoredRecord[]> {
    await this.#run(db, {
      delete: FENCE_COLLECTION,
      deletes: [{ q: { _id: 'none' }, limit: 1 }],
    });
    const times = records.map(({ at }) => at.getTime());
    const found = await db
      .collection<StoredRecord>(this.#options.collection)
      .find(
        {
          at: { $gte: new Date(Math.min(...times)), $lte: new Date(Math.max(...times)) },
          _id: { $in: records.map(({ _id }) => _id) },
        },
        // From the primary, the last write included: a majority read would not know it yet.
        { projection: { _id: 1 }, readConcern: { level: 'local' }, maxTimeMS: MAX_TIME_MS },
      )
      .toArray();
    const ids = new Set(found.map(({ _id }) => _id));
    return records.filter(({ _id }) => !ids.has(_id));
  }

  /** @throws ServiceError 08006 while MongoDB is away: nothing was sent then */
  async open(signal: AbortSignal): Promise<Db> {
    const db = await this.#options.client.open(signal);
    if (!this.#isPrepared) {
      await this.#options.prepare(db);
      this.#isPrepared = true;
    }
    return db;
  }

  /** Each command has a number of its own, above all before it. */
  async #run(db: Db, command: Document): Promise<z.infer<typeof REPLY>> {
    if (this.#number === undefined) {
      return await send(db, command, undefined);
    }
    this.#number += 1;
    this.#session = this.#session?.hasEnded === false ? this.#session : db.client.startSession();
    try {
      const txnNumber = Long.fromNumber(this.#number);
      return await send(db, { ...command, txnNumber }, this.#session);
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== ILLEGAL_OPERATION) {
        throw error;
      }
      this.#number = undefined;
      return await send(db, command, undefined);
    }
  }
}

async function send(
  db: Db,
  command: Document,
  session: ClientSession | undefined,
): Promise<z.infer<typeof REPLY>> {
  const reply = REPLY.parse(
    await db.command(
      { ...command, writeConcern: MAJORITY, maxTimeMS: MAX_TIME_MS },
      { ignoreUndefined: true, ...(session && { session }) },
    ),
  );
  if (reply.writeConcernError !== undefined) {
    throw new UnconfirmedError(reply.writeConcernError.errmsg);
  }
  return reply;
}

/**
 * Why the same records would be refused again; undefined for what passes: an outage, a silence, a
 * change of the primary.
 */
export function refusalOf(error: unknown): string | undefined {
  if (error instanceof MongoServerError) {
    return isPassing(error) ? undefined : `refused (${error.codeName ?? 'no name'})`;
  }
  const isOutage =
    error instanceof MongoError ||
    error instanceof ServiceError ||
    error instanceof UnconfirmedError ||
    // A socket's own error.
    (types.isNativeError(error) && 'syscall' in error);
  return isOutage ? undefined : 'refused (fault)';
}

function isPassing(error: MongoServerError): boolean {
  return PASSING_CODES.has(error.code) || error.hasErrorLabel('RetryableWriteError');
}
