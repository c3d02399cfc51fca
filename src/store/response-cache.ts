// Answers that are kept in MongoDB, for all replicas: who asks gets one that is young enough, or
// makes one while others wait for it, or is sent past the cache when that is slow or away.
//
// Nothing stale is given once a write was noted by `drop`: an answer holds the generations of what
// it was read from as they were before it was read, a write changes them after it was done, and a
// look reads an answer together with the generations of now.
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { Observer } from '../observation.ts';
import { untilAborted } from '../until-aborted.ts';
import { CacheCollection } from './response-cache-collection.ts';
import type { CacheStore } from './response-cache-collection.ts';
import { CacheDrops } from './response-cache-drops.ts';
import type { DropOptions } from './response-cache-drops.ts';
import { isCurrent } from './response-cache-entry.ts';
import type { Answer, Kept, Seen } from './response-cache-entry.ts';
import { RunningFills } from './response-cache-fills.ts';
import type { Fill, RunningFill } from './response-cache-fills.ts';
import { CacheStorage } from './response-cache-storage.ts';

/** A look that takes longer is given up: to run the statement is faster, or as fast. */
const LOOK_TIMEOUT_MS = 250;

/** After a look in vain nobody looks for so long. */
const AWAY_PAUSE_MS = 1000;

/**
 * Who makes an answer elsewhere may take so long, and be waited for so long: less than a socket
 * lives longer than a statement.
 */
const WAIT_MS_MAX = 8000;

/** Between two looks for what is made elsewhere. */
const POLL_MS = 50;

export interface Question {
  /** Says whose answer it is and to what, in hexadecimal digits. */
  readonly key: string;
  /** Of everything that the answer may be read from. */
  readonly tags: readonly string[];
  /** How old an answer may be, and how long one is kept. */
  readonly maxAgeMs: number;
  /** How long another one's answer is waited for. */
  readonly waitMs: number;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

export type Claim =
  | { readonly kind: 'hit'; readonly answer: Answer; readonly ageMs: number }
  /** To be made; `fill` is to be kept or abandoned, and undefined where another one is kept. */
  | { readonly kind: 'miss'; readonly fill: Fill | undefined }
  | { readonly kind: 'bypass' };

export interface ResponseCacheOptions {
  readonly store: CacheStore;
  readonly observer: Observer;
  /** LOOK_TIMEOUT_MS unless said. */
  readonly lookTimeoutMs?: number;
}

/** Who makes an answer, here and among the replicas. */
interface Leader {
  readonly fill: RunningFill;
  readonly holder: string;
}

const BYPASS: Claim = { kind: 'bypass' };

export class ResponseCache {
  readonly #collection: CacheCollection;
  readonly #drops: CacheDrops;
  readonly #storage: CacheStorage;
  readonly #observer: Observer;
  readonly #lookTimeoutMs: number;
  readonly #fills = new RunningFills();
  #awayUntilMs = 0;

  constructor({ store, observer, lookTimeoutMs = LOOK_TIMEOUT_MS }: ResponseCacheOptions) {
    this.#collection = new CacheCollection(store);
    const onFailure = (thrown: unknown): void => this.#noteFailure(thrown);
    this.#storage = new CacheStorage(this.#collection, onFailure);
    this.#drops = new CacheDrops(async (tags, signal) => {
      await this.#collection.renew(tags, signal);
    }, onFailure);
    this.#observer = observer;
    this.#lookTimeoutMs = lookTimeoutMs;
  }

  /**
   * An answer, or the task to make it.
   *
   * @throws the question's reason when it is aborted
   */
  async claim(question: Question): Promise<Claim> {
    if (performance.now() < this.#awayUntilMs || this.#drops.isOwed(question.tags)) {
      return BYPASS;
    }
    try {
      const claim = await this.#claim({
        ...question,
        waitMs: Math.min(question.waitMs, WAIT_MS_MAX),
      });
      this.#noteAnswer();
      return claim;
    } catch (thrown) {
      question.signal.throwIfAborted();
      this.#noteFailure(thrown);
      return BYPASS;
    }
  }

  /** What was read from these before is not given any more; resolves in a bounded time. */
  async drop(tags: readonly string[], options?: DropOptions): Promise<void> {
    await this.#drops.drop(tags, options);
  }

  /** Waits for what is stored, up to the deadline. */
  async stop(deadline: AbortSignal): Promise<void> {
    await this.#storage.stop(deadline);
    await this.#drops.stop(deadline);
  }

  async #claim(question: Question): Promise<Claim> {
    const seen = await this.#look(question);
    const found = findCurrent(question, seen);
    if (found !== undefined) {
      return toHit(found);
    }
    const running = this.#fills.find(question.key);
    if (running === undefined) {
      return await this.#lead(question);
    }
    const kept = await running.wait(question.waitMs, question.signal);
    // It may have begun before this question, and before a write that this one has to see.
    if (kept !== undefined && findCurrent(question, { ...seen, kept }) !== undefined) {
      return toHit(kept);
    }
    // Nobody waits twice.
    return this.#fills.find(question.key) === undefined
      ? await this.#lead(question)
      : { kind: 'miss', fill: undefined };
  }

  async #lead(question: Question): Promise<Claim> {
    const fill = this.#fills.begin(question.key);
    if (fill === undefined) {
      return BYPASS;
    }
    const holder = randomUUID();
    try {
      const kept = await this.#leadAll(question, { fill, holder });
      if (kept === undefined) {
        return { kind: 'miss', fill };
      }
      fill.resolve(kept);
      return toHit(kept);
    } catch (thrown) {
      fill.abandon();
      void this.#storage.release(question.key, holder);
      throw thrown;
    }
  }

  /** @returns the answer, where another replica has made it meanwhile */
  async #leadAll(question: Question, { fill, holder }: Leader): Promise<Kept | undefined> {
    if (!(await this.#lease(question, holder, false))) {
      const kept = await this.#await(question);
      if (kept !== undefined) {
        return kept;
      }
      await this.#lease(question, holder, true);
    }
    const readAtMs = performance.now();
    // Once more: it may have been stored between the first look and the lease. What this look says
    // of generations is what was so before the answer is read.
    const seen = await this.#look(question);
    const { key, maxAgeMs } = question;
    const found = findCurrent(question, seen);
    if (found !== undefined) {
      void this.#storage.release(key, holder);
      return found;
    }
    fill.open({
      generations: seen.generations,
      readAtMs,
      onEnd: async (kept) => {
        await this.#storage.end({ key, holder, kept, lifetimeMs: maxAgeMs });
      },
    });
    return undefined;
  }

  /** Waits for the answer that another replica makes, while it has the lease. */
  async #await(question: Question): Promise<Kept | undefined> {
    const { waitMs, signal } = question;
    const untilMs = performance.now() + waitMs;
    while (performance.now() < untilMs) {
      await pause(POLL_MS, undefined, { signal });
      const seen = await this.#look(question);
      const found = findCurrent(question, seen);
      if (found !== undefined || seen.leaseMs === 0) {
        return found;
      }
    }
    return undefined;
  }

  async #look({ key, tags, signal }: Question): Promise<Seen> {
    return await untilAborted(this.#collection.look(key, tags, this.#timeout()), signal);
  }

  async #lease({ key, waitMs }: Question, holder: string, isForced: boolean): Promise<boolean> {
    const options = { holder, leaseMs: waitMs, isForced };
    return await this.#collection.lease(key, options, this.#timeout());
  }

  #timeout(): AbortSignal {
    return AbortSignal.timeout(this.#lookTimeoutMs);
  }

  #noteFailure(thrown: unknown): void {
    if (this.#awayUntilMs === 0) {
      const why = thrown instanceof Error ? thrown.name : 'no error';
      this.#report(`Answers are not cached: MongoDB does not answer in time, or not well (${why})`);
    }
    this.#awayUntilMs = performance.now() + AWAY_PAUSE_MS;
  }

  #noteAnswer(): void {
    if (this.#awayUntilMs !== 0) {
      this.#awayUntilMs = 0;
      this.#report('Answers are cached again');
    }
  }

  #report(message: string): void {
    this.#observer.observe({ kind: 'component-reported', component: 'cache', message });
  }
}

function findCurrent({ maxAgeMs }: Question, { kept, generations }: Seen): Kept | undefined {
  const wanted = { generations, maxAgeMs, nowMs: performance.now() };
  return kept !== undefined && isCurrent(kept, wanted) ? kept : undefined;
}

function toHit({ answer, readAtMs }: Kept): Claim {
  return { kind: 'hit', answer, ageMs: Math.max(0, performance.now() - readAtMs) };
}
