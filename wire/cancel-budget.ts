// How many unknown keys an address may try: a 32-bit secret must not be guessable.
import { TokenBuckets } from '../src/token-buckets.ts';

const SIZES = {
  /** Keys that an address may try at once: a user's several sessions on other replicas. */
  burst: 20,
  /** From then on. At this rate one secret is found in 13 years on average. */
  perSecond: 5,
  /** Addresses. */
  keysMax: 1024,
};

/** A token bucket for each address. */
export class CancelBudget {
  readonly #buckets: TokenBuckets;

  /** @param now a monotonic clock in milliseconds */
  constructor(now?: () => number) {
    this.#buckets = new TokenBuckets(SIZES, now);
  }

  /** Whether this address may try one more key now. */
  take(address: string): boolean {
    return this.#buckets.take(address);
  }
}
