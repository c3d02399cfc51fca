import { describe, expect, it } from '@jest/globals';
import { Budget } from '../../../src/connectors/budget.ts';
import type { Share } from '../../../src/connectors/budget.ts';

const NEVER = new AbortController().signal;

/** Takes without waiting here; `granted` is in the order in which they were granted. */
function createTaker(budget: Budget) {
  const granted: string[] = [];
  const shares = new Map<string, Share>();
  const take = async (name: string, amount: number, signal = NEVER): Promise<void> => {
    const share = await budget.take(amount, signal);
    granted.push(name);
    shares.set(name, share);
  };
  return { granted, shares, take };
}

/** After everything that is ready now. */
async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('Budget', () => {
  it('given_enough_should_grant_at_once', async () => {
    const budget = new Budget(10);
    await budget.take(4, NEVER);
    await budget.take(6, NEVER);
    expect(budget.taken).toBe(10);
  });

  it('given_too_little_should_wait_for_a_release', async () => {
    const budget = new Budget(10);
    const { granted, shares, take } = createTaker(budget);
    await take('first', 8);
    const second = take('second', 4);
    await settled();
    expect(granted).toEqual(['first']);
    shares.get('first')?.release();
    await second;
    expect(budget.taken).toBe(4);
  });

  it('given_little_behind_much_should_serve_in_turn', async () => {
    const { granted, shares, take } = createTaker(new Budget(10));
    await take('first', 8);
    const rest = [take('much', 9), take('little', 1)];
    await settled();
    // It would fit, and passing by would keep the one who wants much waiting for ever.
    expect(granted).toEqual(['first']);
    shares.get('first')?.release();
    await Promise.all(rest);
    expect(granted).toEqual(['first', 'much', 'little']);
  });

  it('given_more_than_all_should_grant_all', async () => {
    const budget = new Budget(10);
    const share = await budget.take(99, NEVER);
    expect(budget.taken).toBe(10);
    share.release();
    expect(budget.taken).toBe(0);
  });

  it('given_a_share_that_grew_should_make_others_wait_until_it_is_small_again', async () => {
    const budget = new Budget(10);
    const { granted, shares, take } = createTaker(budget);
    await take('first', 1);
    shares.get('first')?.resize(30);
    expect(budget.taken).toBe(30);
    const second = take('second', 1);
    await settled();
    expect(granted).toEqual(['first']);
    shares.get('first')?.resize(9);
    await second;
    expect(budget.taken).toBe(10);
  });

  it('given_two_releases_of_one_share_should_count_one', async () => {
    const budget = new Budget(10);
    const share = await budget.take(5, NEVER);
    await budget.take(5, NEVER);
    share.release();
    share.release();
    expect(budget.taken).toBe(5);
  });

  it('given_an_abort_while_waiting_should_throw_its_reason_and_let_the_next_one_pass', async () => {
    const { granted, take } = createTaker(new Budget(10));
    const stop = new AbortController();
    await take('first', 8);
    const leaving = take('much', 9, stop.signal);
    const next = take('little', 2);
    const reason = new Error('stopped');
    stop.abort(reason);
    await expect(leaving).rejects.toBe(reason);
    await next;
    expect(granted).toEqual(['first', 'little']);
  });

  it('given_a_signal_that_is_aborted_should_throw_its_reason', async () => {
    const budget = new Budget(10);
    const reason = new Error('stopped');
    await expect(budget.take(1, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(budget.taken).toBe(0);
  });
});
