import { describe, expect, it } from '@jest/globals';
import { linkSignals } from '../../../src/connectors/linked-signal.ts';

const REASON = new Error('the reason');

describe('linkSignals', () => {
  it.each([0, 1])('given_signal_%d_aborts_should_abort_with_its_reason', (index) => {
    const others = [new AbortController(), new AbortController()];
    const linked = linkSignals(others.map(({ signal }) => signal));
    expect(linked.signal.aborted).toBe(false);
    others[index]?.abort(REASON);
    expect(linked.signal.reason).toBe(REASON);
    others[1 - index]?.abort(new Error('a later one'));
    expect(linked.signal.reason).toBe(REASON);
  });

  it('given_a_signal_that_was_aborted_before_should_be_aborted_from_the_start', () => {
    const linked = linkSignals([new AbortController().signal, AbortSignal.abort(REASON)]);
    expect(linked.signal.reason).toBe(REASON);
  });

  it('given_its_own_abort_should_leave_the_others_as_they_are', () => {
    const other = new AbortController();
    const linked = linkSignals([other.signal]);
    linked.abort(REASON);
    expect(linked.signal.reason).toBe(REASON);
    expect(other.signal.aborted).toBe(false);
  });

  it('given_a_release_should_follow_nobody_any_more', () => {
    const other = new AbortController();
    const linked = linkSignals([other.signal]);
    linked.release();
    other.abort(REASON);
    expect(linked.signal.aborted).toBe(false);
  });
});
