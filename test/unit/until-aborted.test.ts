import { describe, expect, it } from '@jest/globals';
import { untilAborted } from '../../src/until-aborted.ts';
import { NEVER } from '../support/sink-messages.ts';

describe('untilAborted', () => {
  it('given_work_that_ends_should_give_its_outcome', async () => {
    await expect(untilAborted(Promise.resolve(7), NEVER)).resolves.toBe(7);
    await expect(untilAborted(Promise.reject(new Error('no')), NEVER)).rejects.toThrow('no');
  });

  it('given_a_signal_should_leave_work_that_never_ends', async () => {
    const controller = new AbortController();
    const waiting = untilAborted(new Promise(() => undefined), controller.signal);
    controller.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
  });

  it('given_an_aborted_signal_should_throw_though_the_work_has_ended', async () => {
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(untilAborted(Promise.resolve(7), signal)).rejects.toThrow('stop');
  });

  it('given_a_reason_that_is_no_error_should_make_one', async () => {
    const controller = new AbortController();
    const waiting = untilAborted(new Promise(() => undefined), controller.signal);
    controller.abort('stop');
    await expect(waiting).rejects.toThrow('stop');
  });
});
