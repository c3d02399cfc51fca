import { describe, expect, test } from '@jest/globals';
import { settlesBefore, settlesWithin, withDeadline } from '../../../src/embedded/deadline.ts';

const never = new Promise<never>(() => undefined);
const late = new Error('Too late');

describe('A promise', () => {
  test('settles before a signal that does not abort', async () => {
    expect(await settlesBefore(Promise.resolve(1), new AbortController().signal)).toBe(true);
  });

  test.each([
    ['has aborted', AbortSignal.abort()],
    ['aborts later', AbortSignal.timeout(1)],
  ])('does not settle before a signal that %s', async (_title, signal) => {
    expect(await settlesBefore(never, signal)).toBe(false);
  });

  test('passes on its rejection', async () => {
    const signal = new AbortController().signal;
    await expect(settlesBefore(Promise.reject(late), signal)).rejects.toBe(late);
  });

  test('settles within a time, or does not', async () => {
    expect(await settlesWithin(Promise.resolve(1), 60_000)).toBe(true);
    expect(await settlesWithin(never, 1)).toBe(false);
  });
});

describe('Work with a deadline', () => {
  test('gives its result', async () => {
    const signal = new AbortController().signal;
    expect(await withDeadline(signal, 60_000, late, async () => await Promise.resolve(7))).toBe(7);
  });

  test('is told of the deadline by the error it was given', async () => {
    const signal = new AbortController().signal;
    await expect(withDeadline(signal, 1, late, throwWhenAborted)).rejects.toBe(late);
  });

  test('is told of the signal by its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('Called off');
    const outcome = withDeadline(controller.signal, 60_000, late, throwWhenAborted);
    controller.abort(reason);
    await expect(outcome).rejects.toBe(reason);
  });

  test('is not begun when the signal has aborted', async () => {
    let isBegun = false;
    const reason = new Error('Called off');
    const outcome = withDeadline(AbortSignal.abort(reason), 60_000, late, async () => {
      isBegun = true;
      await Promise.resolve();
    });
    await expect(outcome).rejects.toBe(reason);
    expect(isBegun).toBe(false);
  });
});

async function throwWhenAborted(signal: AbortSignal): Promise<never> {
  await settlesBefore(never, signal);
  throw signal.reason;
}
