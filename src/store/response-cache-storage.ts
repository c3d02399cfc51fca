// Stores answers behind the back of those who were given them, and frees the leases.
import { performance } from 'node:perf_hooks';
import { untilAborted } from '../until-aborted.ts';
import type { CacheCollection } from './response-cache-collection.ts';
import type { Kept } from './response-cache-entry.ts';

/** For each answer; one that MongoDB does not take by then is made again. */
const STORE_TIMEOUT_MS = 2000;

/** Of all answers of all replicas, more or less: while there is more, nothing is added. */
export const CACHE_BYTES_MAX = 1024 * 1024 * 1024;

/** How often it is asked how much there is. */
const COUNT_INTERVAL_MS = 10_000;

/** What is asked of the collection. */
export type StoredIn = Pick<CacheCollection, 'countBytes' | 'ensureIndex' | 'keep' | 'release'>;

export interface FilledAnswer {
  readonly key: string;
  /** Who has the lease. */
  readonly holder: string;
  /** Undefined where nothing is to be kept. */
  readonly kept: Kept | undefined;
  readonly lifetimeMs: number;
}

export class CacheStorage {
  readonly #collection: StoredIn;
  readonly #onFailure: (thrown: unknown) => void;
  readonly #running = new Set<Promise<void>>();
  #isFull = false;
  #isIndexed = false;
  #countAgainAtMs = 0;

  constructor(collection: StoredIn, onFailure: (thrown: unknown) => void) {
    this.#collection = collection;
    this.#onFailure = onFailure;
  }

  /** Stores an answer, and frees its lease. It never rejects: what is not stored is made again. */
  async end(filled: FilledAnswer): Promise<void> {
    await this.#remember(this.#end(filled));
  }

  /** Frees a lease. It never rejects. */
  async release(key: string, holder: string): Promise<void> {
    await this.#remember(this.#release(key, holder));
  }

  /** Resolves when everything is stored, or at the deadline. */
  async stop(deadline: AbortSignal): Promise<void> {
    await untilAborted(Promise.all(this.#running), deadline).catch(() => undefined);
  }

  async #remember(running: Promise<void>): Promise<void> {
    this.#running.add(running);
    await running;
    this.#running.delete(running);
  }

  async #end({ key, holder, kept, lifetimeMs }: FilledAnswer): Promise<void> {
    if (kept !== undefined) {
      await this.#attempt(async (signal) => {
        if (await this.#hasRoom(signal)) {
          await this.#collection.keep(key, kept, { lifetimeMs, signal });
        }
      });
    }
    // In a time of its own: others wait for as long as the lease is held.
    await this.#release(key, holder);
  }

  async #release(key: string, holder: string): Promise<void> {
    await this.#attempt(async (signal) => {
      await this.#collection.release(key, holder, signal);
    });
  }

  async #attempt(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    await run(AbortSignal.timeout(STORE_TIMEOUT_MS)).catch(this.#onFailure);
  }

  async #hasRoom(signal: AbortSignal): Promise<boolean> {
    if (!this.#isIndexed) {
      await this.#collection.ensureIndex(signal);
      this.#isIndexed = true;
    }
    if (performance.now() >= this.#countAgainAtMs) {
      this.#countAgainAtMs = performance.now() + COUNT_INTERVAL_MS;
      this.#isFull = (await this.#collection.countBytes(signal)) > CACHE_BYTES_MAX;
    }
    return !this.#isFull;
  }
}
