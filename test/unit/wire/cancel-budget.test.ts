import { beforeEach, describe, expect, test } from '@jest/globals';
import { CancelBudget } from '../../../wire/cancel-budget.ts';

let nowMs: number;
let budget: CancelBudget;

beforeEach(() => {
  nowMs = 5000;
  budget = new CancelBudget(() => nowMs);
});

/** How many of these tries an address is allowed now. */
function allowedOf(tries: number, address = '10.0.0.1'): number {
  return Array.from({ length: tries }, () => budget.take(address)).filter(Boolean).length;
}

describe('take', () => {
  test('allows twenty keys at once, and no more', () => {
    expect(allowedOf(100)).toBe(20);
    expect(allowedOf(1)).toBe(0);
  });

  test.each([
    [199, 0],
    [200, 1],
    [1000, 5],
    [3999, 19],
    [4000, 20],
    [3_600_000, 20],
  ])('allows again after %d ms: %d keys', (waitedMs, allowed) => {
    allowedOf(20);
    nowMs += waitedMs;
    expect(allowedOf(100)).toBe(allowed);
  });

  test('does not allow more to whoever asks more often', () => {
    allowedOf(20);
    let allowed = 0;
    for (let step = 0; step < 1000; step += 1) {
      nowMs += 10;
      allowed += allowedOf(1);
    }
    // Five in a second for ten seconds; the sum of small steps may lack a little.
    expect(allowed).toBeGreaterThanOrEqual(49);
    expect(allowed).toBeLessThanOrEqual(50);
  });

  test('counts each address for itself', () => {
    expect(allowedOf(30, '10.0.0.1')).toBe(20);
    expect(allowedOf(30, '10.0.0.2')).toBe(20);
  });

  test('remembers 1024 addresses, and forgets the one that was silent for longest', () => {
    allowedOf(20, 'first');
    allowedOf(20, 'second');
    for (let index = 0; index < 1022; index += 1) {
      budget.take(`address ${index}`);
    }
    // Both are still remembered; asking makes the first one the latest.
    expect(allowedOf(1, 'first')).toBe(0);
    budget.take('one too many');
    expect(allowedOf(1, 'first')).toBe(0);
    expect(allowedOf(1, 'second')).toBe(1);
  });

  test('goes by a clock of its own when none is given', () => {
    const real = new CancelBudget();
    expect(Array.from({ length: 20 }, () => real.take('10.0.0.1')).every(Boolean)).toBe(true);
  });
});
