import { describe, expect, it } from '@jest/globals';
import { MongoNetworkError, MongoOperationTimeoutError } from 'mongodb';
import { withinTime } from '../../../src/connectors/within-time.ts';
import { NEVER } from '../../support/mongodb-source.ts';

const LOST = new MongoNetworkError('connection 1 to 10.0.0.1:27017 closed');

describe('withinTime', () => {
  it('given_work_that_ends_should_give_its_outcome', async () => {
    expect(await withinTime(1000, NEVER, async () => await Promise.resolve(5))).toBe(5);
    const failed = withinTime(1000, NEVER, async () => await Promise.reject(LOST));
    await expect(failed).rejects.toBe(LOST);
  });

  it('given_work_that_does_not_end_should_time_out', async () => {
    const running = withinTime(1, NEVER, untilAborted);
    await expect(running).rejects.toBeInstanceOf(MongoOperationTimeoutError);
  });

  it('given_a_stop_should_end_with_its_reason', async () => {
    const stop = new AbortController();
    const running = withinTime(60_000, stop.signal, untilAborted);
    stop.abort(new Error('stopped'));
    await expect(running).rejects.toThrow('stopped');
    await expect(withinTime(60_000, stop.signal, untilAborted)).rejects.toThrow('stopped');
  });
});

/** Work that its signal ends, with an error of its own. */
async function untilAborted(signal: AbortSignal): Promise<never> {
  return await new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('aborted'));
    });
  });
}
