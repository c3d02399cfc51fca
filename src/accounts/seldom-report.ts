// What the operator is told of something that goes on: once, and again after a while.
import { performance } from 'node:perf_hooks';
import { putLast } from '../bounded-map.ts';

/** The same sentence is told again after this time. */
const QUIET_MS = 3_600_000;

/** Sentences remembered; the one told longest ago is forgotten first. */
const SENTENCES_MAX = 1000;

export class SeldomReport {
  readonly #toldAtMs = new Map<string, number>();
  readonly #report: (message: string) => void;
  readonly #now: () => number;

  /** @param now a monotonic clock in milliseconds */
  constructor(report: (message: string) => void, now: () => number = () => performance.now()) {
    this.#report = report;
    this.#now = now;
  }

  tell(message: string): void {
    const nowMs = this.#now();
    if (nowMs - (this.#toldAtMs.get(message) ?? -Infinity) < QUIET_MS) {
      return;
    }
    putLast(this.#toldAtMs, message, nowMs, SENTENCES_MAX);
    this.#report(message);
  }
}
