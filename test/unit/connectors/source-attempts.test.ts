import { describe, expect, it } from '@jest/globals';
import { MongoNetworkError, MongoOperationTimeoutError, MongoServerError } from 'mongodb';
import { Attempts } from '../../../src/connectors/source-attempts.ts';
import { createLog, NEVER } from '../../support/mongodb-source.ts';

const LOST = new MongoNetworkError('connection 1 to 10.0.0.1:27017 closed');

/** Fails so often, then succeeds. */
function failing(times: number, error: Error): { calls: number; run: () => Promise<string> } {
  const work = {
    calls: 0,
    run: async () => {
      work.calls += 1;
      return await (work.calls <= times ? Promise.reject(error) : Promise.resolve('done'));
    },
  };
  return work;
}

describe('Attempts', () => {
  it('given_transient_timeout_error_should_retry', async () => {
    const log = createLog();
    const attempts = new Attempts({ maxRetries: 3, retryDelayMs: 0, log });
    const work = failing(3, new MongoOperationTimeoutError('timed out'));
    expect(await attempts.run('Poll', NEVER, work.run)).toBe('done');
    expect(work.calls).toBe(4);
    expect(attempts.retriesCount).toBe(3);
    expect(log.warnings[0]).toMatch(/^Poll failed \(attempt 1\/4\): MongoOperationTimeoutError/);
  });

  it('given_more_failures_than_retries_should_say_that_the_connection_is_lost', async () => {
    const log = createLog();
    const attempts = new Attempts({ maxRetries: 2, retryDelayMs: 0, log });
    const work = failing(9, LOST);
    await expect(attempts.run('Poll', NEVER, work.run)).rejects.toMatchObject({
      kind: 'connection',
      message: expect.not.stringContaining('10.0.0.1'),
    });
    expect(work.calls).toBe(3);
  });

  it('given_auth_failure_should_not_retry', async () => {
    const attempts = new Attempts({ maxRetries: 3, retryDelayMs: 0, log: createLog() });
    const work = failing(9, new MongoServerError({ message: 'no', code: 18 }));
    await expect(attempts.run('Poll', NEVER, work.run)).rejects.toMatchObject({ kind: 'storage' });
    expect(work.calls).toBe(1);
    expect(attempts.retriesCount).toBe(0);
  });

  it('given_a_stop_during_the_pause_should_end_at_once', async () => {
    const stop = new AbortController();
    const log = createLog();
    const attempts = new Attempts({ maxRetries: 3, retryDelayMs: 2 ** 40, log });
    const running = attempts.run('Poll', stop.signal, failing(9, LOST).run);
    setImmediate(() => {
      stop.abort(new Error('stopped'));
    });
    await expect(running).rejects.toThrow('stopped');
  });
});
