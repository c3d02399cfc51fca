import { describe, expect, it } from '@jest/globals';
import { backOffMs, parseRetryAfterMs, pause, retry } from '../../../src/connectors/retry.ts';
import type { RetryOptions } from '../../../src/connectors/retry.ts';

const NEVER = new AbortController().signal;

function options(own: Partial<RetryOptions> = {}): RetryOptions {
  return { attemptsMax: 3, signal: NEVER, isTransient: () => true, pauseMs: () => 0, ...own };
}

/** Fails so many times, then answers with the attempt. */
function failing(times: number): { run: (attempt: number) => Promise<number>; calls: number[] } {
  const calls: number[] = [];
  const run = async (attempt: number): Promise<number> => {
    calls.push(attempt);
    return await (attempt <= times
      ? Promise.reject(new Error(`failure ${attempt}`))
      : Promise.resolve(attempt));
  };
  return { run, calls };
}

describe('retry', () => {
  it.each([
    [0, 1],
    [1, 2],
    [2, 3],
  ])('succeeds after %d failures at attempt %d', async (failures, attempt) => {
    const { run } = failing(failures);
    await expect(retry(run, options())).resolves.toBe(attempt);
  });

  it('throws the last error when the attempts are used up', async () => {
    const { run, calls } = failing(9);
    await expect(retry(run, options())).rejects.toThrow('failure 3');
    expect(calls).toEqual([1, 2, 3]);
  });

  it('does not try again what cannot succeed', async () => {
    const { run, calls } = failing(9);
    await expect(retry(run, options({ isTransient: () => false }))).rejects.toThrow('failure 1');
    expect(calls).toEqual([1]);
  });

  it('asks for each pause with the attempt and its error, and tells of it', async () => {
    const asked: unknown[] = [];
    const told: unknown[] = [];
    const { run } = failing(2);
    await retry(
      run,
      options({
        pauseMs: (attempt, error) => {
          asked.push([attempt, error]);
          return 1;
        },
        onRetry: (attempt, error) => told.push([attempt, error]),
      }),
    );
    expect(asked).toEqual([
      [1, new Error('failure 1')],
      [2, new Error('failure 2')],
    ]);
    expect(told).toEqual(asked);
  });

  it('ends a pause with the reason of the signal', async () => {
    const stop = new AbortController();
    const { run, calls } = failing(9);
    const pauseMs = (): number => {
      queueMicrotask(() => stop.abort(new Error('stopped')));
      return 60_000;
    };
    await expect(retry(run, options({ pauseMs, signal: stop.signal }))).rejects.toThrow('stopped');
    expect(calls).toEqual([1]);
  });

  it('does not begin when the signal has aborted', async () => {
    const { run, calls } = failing(0);
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(retry(run, options({ signal }))).rejects.toThrow('stopped');
    expect(calls).toEqual([]);
  });

  it('throws the reason of the signal in place of what the abort made fail', async () => {
    const stop = new AbortController();
    const run = async (): Promise<never> => {
      stop.abort(new Error('stopped'));
      return await Promise.reject(new Error('socket closed'));
    };
    await expect(retry(run, options({ signal: stop.signal }))).rejects.toThrow('stopped');
  });
});

describe('backOffMs', () => {
  it.each([
    [1, 0.5, 100],
    [2, 0.5, 200],
    [4, 0.5, 800],
    [20, 0.5, 5000],
    [2000, 0.5, 5000],
    [1, 0, 80],
    [1, 1, 120],
  ])('after %d failures with chance %d is %d ms', (attempt, random, durationMs) => {
    expect(backOffMs(attempt, { firstMs: 100, maxMs: 5000 }, random)).toBe(durationMs);
  });

  it('varies by itself within a fifth', () => {
    const durationMs = backOffMs(1, { firstMs: 1000, maxMs: 5000 });
    expect(durationMs).toBeGreaterThanOrEqual(800);
    expect(durationMs).toBeLessThanOrEqual(1200);
  });
});

describe('pause', () => {
  it('resolves when the time is over', async () => {
    await expect(pause(1, NEVER)).resolves.toBeUndefined();
  });

  it('throws the reason of a signal that has aborted before', async () => {
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(pause(60_000, signal)).rejects.toThrow('stopped');
  });
});

describe('parseRetryAfterMs', () => {
  const now = Date.parse('2026-11-01T12:00:00Z');

  it.each([
    ['1', 1000],
    [' 30 ', 30_000],
    ['0', 0],
    ['0.5', 500],
    ['Sun, 01 Nov 2026 12:00:10 GMT', 10_000],
    ['Sun, 01 Nov 2026 11:00:00 GMT', 0],
    ['-5', undefined],
    ['', undefined],
    ['soon', undefined],
    [undefined, undefined],
  ])('reads %j as %p ms', (header, durationMs) => {
    expect(parseRetryAfterMs(header, now)).toBe(durationMs);
  });
});
