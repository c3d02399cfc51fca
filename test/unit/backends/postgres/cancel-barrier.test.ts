import { beforeEach, describe, expect, test } from '@jest/globals';
import { CancelBarrier } from '../../../../src/backends/postgres/cancel-barrier.ts';
import type { CancelDelivery } from '../../../../src/backends/postgres/cancel.ts';

/** A cancel that is under way until the test says how it ended. */
interface Sending {
  readonly end: (delivery: CancelDelivery) => void;
  readonly fail: (error: Error) => void;
}

let sendings: Sending[];
let unsafe: unknown[];
let barrier: CancelBarrier;

beforeEach(() => {
  sendings = [];
  unsafe = [];
  barrier = new CancelBarrier(
    async () =>
      await new Promise<CancelDelivery>((resolve, reject) => {
        sendings.push({ end: resolve, fail: reject });
      }),
    (cause) => unsafe.push(cause),
  );
});

describe('CancelBarrier', () => {
  test('is open until a cancel is under way, and again when it has been taken', async () => {
    expect(barrier.settled).toBeUndefined();
    const sent = barrier.send();
    expect(barrier.settled).toBeDefined();
    sendings[0]?.end('taken');
    await sent;
    expect(barrier.settled).toBeUndefined();
  });

  test('sends one cancel for all who ask while it is under way', async () => {
    const sent = [barrier.send(), barrier.send(), barrier.send()];
    sendings[0]?.end('taken');
    await Promise.all(sent);
    expect(sendings).toHaveLength(1);
  });

  test('sends another one afterwards', async () => {
    const first = barrier.send();
    sendings[0]?.end('taken');
    await first;
    const second = barrier.send();
    sendings[1]?.end('taken');
    await second;
    expect(sendings).toHaveLength(2);
  });

  test.each([
    ['taken', []],
    ['unsent', []],
    ['unconfirmed', [undefined]],
  ] as const)('a cancel that is %s', async (delivery, expected) => {
    const sent = barrier.send();
    sendings[0]?.end(delivery);
    await sent;
    expect(unsafe).toEqual(expected);
    expect(barrier.settled).toBeUndefined();
  });

  test('a cancel that fails in a way nobody thought of is unsafe, and not thrown', async () => {
    const failure = new Error('bug');
    const sent = barrier.send();
    const { settled } = barrier;
    sendings[0]?.fail(failure);
    await sent;
    await settled;
    expect(unsafe).toEqual([failure]);
    expect(barrier.settled).toBeUndefined();
  });
});
