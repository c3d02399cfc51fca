// How many unknown keys an address may try: a 32-bit secret must not be guessable.
import { performance } from 'node:perf_hooks';

/** Keys that an address may try at once: a user's several sessions on other replicas. */
const BURST = 20;

/** Keys that it may try from then on. At this rate one secret is found in 13 years on average. */
const PER_SECOND = 5;

/** Addresses remembered; the one seen longest ago is forgotten first. */
const ADDRESSES_MAX = 1024;

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** A token bucket for each address. */
export class CancelBudget {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether this address may try one more key now. */
  take(address: string): boolean {
    const atMs = this.#now();
    const before = this.#buckets.get(address) ?? { tokens: BURST, atMs };
    const tokens = Math.min(BURST, before.tokens + ((atMs - before.atMs) / 1000) * PER_SECOND);
    const isAllowed = tokens >= 1;
    this.#buckets.delete(address);
    this.#buckets.set(address, { tokens: isAllowed ? tokens - 1 : tokens, atMs });
    this.#forget();
    return isAllowed;
  }

  #forget(): void {
    if (this.#buckets.size > ADDRESSES_MAX) {
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest ?? '');
    }
  }
}
