// The cache's documents in MongoDB: answers, leases of those who make one, and generations, which
// say when something was last written. All by commands, because those know signals.
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import { untilAborted } from '../until-aborted.ts';
import { readSeen } from './response-cache-entry.ts';
import type { Kept, Seen } from './response-cache-entry.ts';
import type { StoreClient } from './store-client.ts';

/** Where the documents are, by what is asked of it. */
export type CacheStore = Pick<StoreClient, 'open'>;

export const CACHE_COLLECTION = 'cache';

/** No answer lives longer. */
export const LIFETIME_MS_MAX = 86_400_000;

/**
 * How long a generation is remembered: longer than any answer of the one before it, which could
 * otherwise pass for one of an untouched table.
 */
const GENERATION_MS = 2 * LIFETIME_MS_MAX;

type Command = Readonly<Record<string, unknown>>;

/** Of a document's life the rest, and its age, by the server's clock. */
const PROJECTION = {
  ...{ _id: 0, kind: 1, tag: 1, value: 1, headers: 1, generations: 1, body: 1 },
  leftMs: { $subtract: ['$expireAt', '$$NOW'] },
  ageMs: { $subtract: ['$$NOW', '$readAt'] },
};

const FOUND = z.object({ cursor: z.object({ firstBatch: z.array(z.unknown()) }) });
const LEASED = z.object({ value: z.object({ holder: z.string() }) });
const WRITTEN = z.object({ writeErrors: z.never().optional() });
const STATS = z.tuple([z.object({ storageStats: z.object({ size: z.number() }) })]);

export interface LeaseOptions {
  readonly holder: string;
  readonly leaseMs: number;
  /** Whether it is taken from whoever has it. */
  readonly isForced: boolean;
}

export class CacheCollection {
  readonly #store: CacheStore;

  constructor(store: CacheStore) {
    this.#store = store;
  }

  /**
   * All that is to be known of a key, in one round trip. Generations are read from the primary, so
   * that a write which was noted before is seen.
   */
  async look(key: string, tags: readonly string[], signal: AbortSignal): Promise<Seen> {
    const ids = [answerId(key), leaseId(key), ...tags.map(generationId)];
    const command = {
      find: CACHE_COLLECTION,
      filter: { _id: { $in: ids } },
      projection: PROJECTION,
      batchSize: ids.length,
      singleBatch: true,
    };
    const nowMs = performance.now();
    const { cursor } = FOUND.parse(await this.#run(command, signal));
    // The age is taken by the server after this moment, so that no answer seems younger.
    return readSeen(cursor.firstBatch, tags, nowMs);
  }

  /** @returns whether the lease is the holder's now */
  async lease(
    key: string,
    { holder, leaseMs, isForced }: LeaseOptions,
    signal: AbortSignal,
  ): Promise<boolean> {
    const isHeld = isForced ? false : { $gt: ['$expireAt', '$$NOW'] };
    const until = { $add: ['$$NOW', leaseMs] };
    const command = {
      findAndModify: CACHE_COLLECTION,
      query: { _id: leaseId(key) },
      update: [
        {
          $set: {
            kind: 'lease',
            holder: { $cond: [isHeld, '$holder', { $literal: holder }] },
            expireAt: { $cond: [isHeld, '$expireAt', until] },
          },
        },
      ],
      upsert: true,
      new: true,
      fields: { holder: 1 },
    };
    return LEASED.parse(await this.#run(command, signal)).value.holder === holder;
  }

  /** Ends a lease, if it is still the holder's. */
  async release(key: string, holder: string, signal: AbortSignal): Promise<void> {
    const deletes = [{ q: { _id: leaseId(key), holder }, limit: 1 }];
    await this.#write({ delete: CACHE_COLLECTION, deletes }, signal);
  }

  /** Keeps an answer for so long from when it began to be read. */
  async keep(
    key: string,
    { answer, generations, readAtMs }: Kept,
    { lifetimeMs, signal }: { readonly lifetimeMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const ageMs = Math.ceil(performance.now() - readAtMs);
    const readAt = { $subtract: ['$$NOW', ageMs] };
    const document = {
      kind: 'answer',
      headers: { $literal: Object.entries(answer.headers) },
      generations: { $literal: [...generations] },
      body: { $literal: answer.body },
      readAt,
      expireAt: { $add: [readAt, lifetimeMs] },
    };
    await this.#update([upsert(answerId(key), document)], signal);
  }

  /** Makes every answer that was read from there before stale, for everybody. */
  async renew(tags: readonly string[], signal: AbortSignal): Promise<void> {
    const updates = tags.map((tag) =>
      upsert(generationId(tag), {
        kind: 'generation',
        tag: { $literal: tag },
        value: randomUUID(),
        expireAt: { $add: ['$$NOW', GENERATION_MS] },
      }),
    );
    // A generation that a new primary does not know would bring the answers before it back.
    await this.#update(updates, signal, { w: 'majority' });
  }

  /** Has MongoDB remove what is over; nothing where it does so already. */
  async ensureIndex(signal: AbortSignal): Promise<void> {
    const indexes = [{ key: { expireAt: 1 }, name: 'expireAt', expireAfterSeconds: 0 }];
    await this.#run({ createIndexes: CACHE_COLLECTION, indexes }, signal);
  }

  /** How much there is in all, uncompressed. */
  async countBytes(signal: AbortSignal): Promise<number> {
    const pipeline = [{ $collStats: { storageStats: {} } }];
    const reply = await this.#run({ aggregate: CACHE_COLLECTION, pipeline, cursor: {} }, signal);
    return STATS.parse(FOUND.parse(reply).cursor.firstBatch)[0].storageStats.size;
  }

  async #update(
    updates: readonly Command[],
    signal: AbortSignal,
    writeConcern: Command = { w: 1 },
  ): Promise<void> {
    const command = { update: CACHE_COLLECTION, updates, ordered: false, writeConcern };
    await this.#write(command, signal);
  }

  async #write(command: Command, signal: AbortSignal): Promise<void> {
    // The driver takes the reply of a command for a success when some of its writes failed.
    WRITTEN.parse(await this.#run(command, signal));
  }

  async #run(command: Command, signal: AbortSignal): Promise<unknown> {
    const database = await this.#store.open(signal);
    const reply = database.command(command, { signal, promoteBuffers: true });
    return await untilAborted(reply, signal);
  }
}

function upsert(id: string, document: Command): Command {
  return { q: { _id: id }, u: [{ $set: document }], upsert: true };
}

function answerId(key: string): string {
  return `answer:${key}`;
}

function leaseId(key: string): string {
  return `lease:${key}`;
}

function generationId(tag: string): string {
  return `generation:${tag}`;
}
