// Trying again: a bounded number of times, after growing pauses that a signal ends at once.
import { setTimeout as delay } from 'node:timers/promises';

/** Pauses vary by so much of themselves, so that many clients do not come back at once. */
const JITTER = 0.2;

export interface BackOff {
  /** Before the second attempt; doubled before each further one. */
  readonly firstMs: number;
  readonly maxMs: number;
}

export interface RetryOptions {
  /** With the first one. */
  readonly attemptsMax: number;
  /** Ends the pauses; what runs is given it by the caller. */
  readonly signal: AbortSignal;
  isTransient(error: unknown): boolean;
  /** How long to pause when this attempt, counted from 1, has failed. */
  pauseMs(attempt: number, error: unknown): number;
  /** Learns of every failure that is tried again. */
  onRetry?(attempt: number, error: unknown): void;
}

/**
 * Runs until it succeeds, fails for good, or the attempts are used up.
 *
 * @throws the last attempt's error; the signal's reason
 */
export async function retry<T>(
  run: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    options.signal.throwIfAborted();
    try {
      return await run(attempt);
    } catch (error) {
      options.signal.throwIfAborted();
      if (attempt >= options.attemptsMax || !options.isTransient(error)) {
        throw error;
      }
      options.onRetry?.(attempt, error);
      await pause(options.pauseMs(attempt, error), options.signal);
    }
  }
}

/** How long to pause after so many failed attempts. `random` is from 0 to 1. */
export function backOffMs(attempt: number, backOff: BackOff, random = Math.random()): number {
  const plainMs = Math.min(backOff.firstMs * 2 ** (attempt - 1), backOff.maxMs);
  return Math.round(plainMs * (1 - JITTER + 2 * JITTER * random));
}

/**
 * Resolves when the time is over.
 *
 * @throws the signal's reason
 */
export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(durationMs, undefined, { signal });
  } catch (error) {
    // Node wraps the reason in an error of its own.
    signal.throwIfAborted();
    throw error;
  }
}

/** Milliseconds that a Retry-After header asks for: seconds or a date; undefined when neither. */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) {
    return undefined;
  }
  const text = header.trim();
  if (/^\d+(\.\d+)?$/.test(text)) {
    return Number(text) * 1000;
  }
  // Without a letter it is no date, though Date.parse would find one in "-5".
  const date = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
