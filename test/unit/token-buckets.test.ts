import { beforeEach, describe, expect, test } from '@jest/globals';
import { TokenBuckets } from '../../src/token-buckets.ts';

let nowMs: number;
let buckets: TokenBuckets;

beforeEach(() => {
  nowMs = 1000;
  buckets = new TokenBuckets({ burst: 3, perSecond: 2, keysMax: 4 }, () => nowMs);
});

function takenOf(tries: number, key = 'a'): number {
  return Array.from({ length: tries }, () => buckets.take(key)).filter(Boolean).length;
}

describe('take', () => {
  test.each([
    [0, 0],
    [499, 0],
    [500, 1],
    [1000, 2],
    [60_000, 3],
  ])('after the burst, and %d ms later, gives %d', (waitedMs, expected) => {
    expect(takenOf(10)).toBe(3);
    nowMs += waitedMs;
    expect(takenOf(10)).toBe(expected);
  });

  test('counts each key for itself', () => {
    expect(takenOf(10, 'a')).toBe(3);
    expect(takenOf(10, 'b')).toBe(3);
  });

  test('forgets the key that took longest ago, and remembers no more than it may', () => {
    takenOf(3, 'first');
    for (const key of ['b', 'c', 'd']) {
      buckets.take(key);
    }
    expect(buckets.waitMsOf('first')).toBe(500);
    buckets.take('e');
    expect(buckets.waitMsOf('first')).toBe(0);
  });
});

test('waitMsOf takes nothing, and goes by a clock of its own when none is given', () => {
  const real = new TokenBuckets({ burst: 1, perSecond: 1, keysMax: 1 });
  expect([real.waitMsOf('a'), real.waitMsOf('a'), real.take('a')]).toEqual([0, 0, true]);
  expect(real.waitMsOf('a')).toBeGreaterThan(900);
});
