// After a failed connection, further attempts fail at once until it is time for the next.
import { performance } from 'node:perf_hooks';

/** The first attempt after a failure; each further failure doubles it. */
const FIRST_PAUSE_MS = 100;

/** A database that has come back is used again within this time. */
const PAUSE_MS_MAX = 2000;

/**
 * Spares a database that is down the storm of its callers, and its callers the wait: an attempt
 * that fails is the answer to everybody until the pause is over, then one attempt is made.
 */
export class Outage {
  #error: unknown;
  #pauseMs = 0;
  #retryAtMs = 0;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @throws what the attempt, or the last one, failed with */
  async attempt<T>(connect: () => Promise<T>): Promise<T> {
    if (this.#now() < this.#retryAtMs) {
      throw this.#error;
    }
    if (this.#pauseMs > 0) {
      // The others fail while this one tries.
      this.#retryAtMs = this.#now() + PAUSE_MS_MAX;
    }
    try {
      const connected = await connect();
      this.#pauseMs = 0;
      this.#retryAtMs = 0;
      return connected;
    } catch (error) {
      this.#error = error;
      this.#pauseMs = Math.min(PAUSE_MS_MAX, Math.max(FIRST_PAUSE_MS, 2 * this.#pauseMs));
      this.#retryAtMs = this.#now() + this.#pauseMs;
      throw error;
    }
  }
}
