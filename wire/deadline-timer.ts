// A deadline that is set for every statement and almost never reached.
import { performance } from 'node:perf_hooks';

/**
 * Calls back when a started span lasts too long. The timer underneath is armed once and looks at
 * the clock when it fires: setting and clearing one for each statement would cost more than
 * the rest of the bookkeeping.
 */
export class DeadlineTimer {
  readonly #timeoutMs: number;
  readonly #onTimeout: () => void;
  readonly #now: () => number;
  #startedAtMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param now a monotonic clock in milliseconds */
  constructor(
    timeoutMs: number,
    onTimeout: () => void,
    now: () => number = () => performance.now(),
  ) {
    this.#timeoutMs = timeoutMs;
    this.#onTimeout = onTimeout;
    this.#now = now;
  }

  /** @param startedAtMs now, by the same clock */
  start(startedAtMs: number): void {
    this.#startedAtMs = startedAtMs;
    this.#timer ??= setTimeout(this.#check, this.#timeoutMs);
  }

  stop(): void {
    this.#startedAtMs = undefined;
  }

  /** Leaves no timer behind. */
  close(): void {
    clearTimeout(this.#timer);
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    if (this.#startedAtMs === undefined) {
      return;
    }
    const leftMs = this.#startedAtMs + this.#timeoutMs - this.#now();
    if (leftMs > 0) {
      this.#timer = setTimeout(this.#check, Math.ceil(leftMs));
      return;
    }
    this.#startedAtMs = undefined;
    this.#onTimeout();
  };
}
