// How often somebody may do something: a burst at once, then so many a second.
import { performance } from 'node:perf_hooks';
import { putLast } from './bounded-map.ts';

export interface BucketSizes {
  /** What a key may take at once. */
  readonly burst: number;
  /** What it may take from then on. */
  readonly perSecond: number;
  /** Keys remembered; the one that took longest ago is forgotten first. */
  readonly keysMax: number;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** A token bucket for each key, in bounded memory. */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #sizes: BucketSizes;
  readonly #now: () => number;

  /** @param now a monotonic clock in milliseconds */
  constructor(sizes: BucketSizes, now: () => number = () => performance.now()) {
    this.#sizes = sizes;
    this.#now = now;
  }

  /** Takes one where there is one; false where there is none. */
  take(key: string): boolean {
    const tokens = this.#tokensOf(key);
    const isThere = tokens >= 1;
    this.#put(key, isThere ? tokens - 1 : tokens);
    return isThere;
  }

  /** How long until there is one to take; 0 where there is. */
  waitMsOf(key: string): number {
    const lacking = 1 - this.#tokensOf(key);
    return lacking <= 0 ? 0 : Math.ceil((lacking / this.#sizes.perSecond) * 1000);
  }

  #tokensOf(key: string): number {
    const { burst, perSecond } = this.#sizes;
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      return burst;
    }
    return Math.min(burst, bucket.tokens + ((this.#now() - bucket.atMs) / 1000) * perSecond);
  }

  #put(key: string, tokens: number): void {
    putLast(this.#buckets, key, { tokens, atMs: this.#now() }, this.#sizes.keysMax);
  }
}
