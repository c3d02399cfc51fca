import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rm, writeFile } from 'node:fs/promises';
import { ConnectorError, UnsettledError } from '../../../src/connectors/connector-error.ts';
import { pause } from '../../../src/connectors/retry.ts';
import { untilFact } from '../../support/facts.ts';
import { createSourceStage, records } from '../../support/source-stage.ts';
import type { SourceStage } from '../../support/source-stage.ts';

let stage: SourceStage;

beforeEach(async () => {
  stage = await createSourceStage();
});

afterEach(async () => {
  await stage.close();
});

describe('createSourceRun with faults', () => {
  it('given_an_owed_acknowledgement_should_pay_it_before_the_first_poll', async () => {
    // Iggy is not needed for it: everything was stored and saved before.
    stage.iggy.topics.clear();
    await writeFile(stage.stateFile, '{"done":0,"owed":3}');
    const { source, run } = stage.start({ records: records(3) });
    await expect(run.ended).resolves.toMatchObject({ kind: 'connection' });
    await expect(stage.savedState()).resolves.toEqual({ done: 3, owed: 0 });
    expect(source.calls).toEqual(['open {"done":0,"owed":3}', 'acknowledge 3', 'close']);
  });

  it('given_a_send_that_fails_should_save_and_acknowledge_nothing', async () => {
    stage.iggy.fault = ({ method }) => (method === 'POST' ? { status: 503 } : undefined);
    const { source, run } = stage.start({ records: records(3) });
    await expect(run.ended).resolves.toMatchObject({ kind: 'unavailable' });
    await expect(stage.savedState()).resolves.toBeNull();
    expect(source.calls).toEqual(['open anew', 'acknowledge 0', 'poll', 'close']);
    expect(run.batches).toEqual([{ produced: 3, delivered: 0, errors: 1 }]);
  });

  it('given_a_send_that_fails_half_way_should_count_what_was_stored', async () => {
    let sends = 0;
    stage.iggy.fault = ({ method }) => {
      sends += method === 'POST' ? 1 : 0;
      return method === 'POST' && sends > 2 ? { status: 503 } : undefined;
    };
    const { run } = stage.start({ records: records(10) }, { batchLength: 4 });
    await expect(run.ended).resolves.toMatchObject({ kind: 'unavailable' });
    expect(run.batches).toEqual([{ produced: 10, delivered: 8, errors: 1 }]);
    await expect(stage.savedState()).resolves.toBeNull();
  });

  it('given_a_send_whose_answer_is_lost_should_send_again_by_the_same_ids', async () => {
    let isLost = false;
    stage.iggy.fault = ({ method, body }, response) => {
      if (method !== 'POST' || isLost) {
        return undefined;
      }
      isLost = true;
      stage.iggy.append('app/events', 0, ['stored']);
      expect(body).toContain('"id":"1"');
      response.destroy();
      return 'taken';
    };
    stage.start({ records: ['r0'] });
    await stage.untilSaved({ done: 1, owed: 0 });
    expect(stage.iggy.payloadsOf('app/events', 0)).toEqual(['stored', 'r0']);
    const ids = stage.iggy.requests
      .filter(({ method }) => method === 'POST')
      .map(({ body }) => /"id":"(\d+)"/.exec(body)?.[1]);
    expect(ids).toEqual(['1', '1']);
  });

  it.each([401, 429, 503, 504])('given_%d_to_a_send_should_send_again', async (status) => {
    let isFirst = true;
    stage.iggy.fault = ({ method }) => {
      const isAnswered = method === 'POST' && isFirst;
      isFirst &&= !isAnswered;
      return isAnswered ? { status } : undefined;
    };
    stage.start({ records: records(2) });
    await stage.untilSaved({ done: 2, owed: 0 });
    expect(stage.iggy.payloadsOf('app/events', 0)).toEqual(['r0', 'r1']);
  });

  it('given_a_message_that_iggy_never_takes_should_end_with_it', async () => {
    stage.iggy.fault = ({ method }) => (method === 'POST' ? { status: 413 } : undefined);
    const { run } = stage.start({ records: records(3) });
    await expect(run.ended).resolves.toMatchObject({ kind: 'unsendable' });
  });

  it('given_an_end_between_send_and_save_should_replay_by_the_same_ids', async () => {
    const first = stage.start({ records: records(3), before: failOnce('acknowledge', 2) });
    await expect(first.run.ended).resolves.toMatchObject({ kind: 'storage' });
    // As if the machine had lost its power before the state was on disk.
    await rm(stage.stateFile);
    stage.start({ records: records(3) });
    await stage.untilSaved({ done: 3, owed: 0 });
    expect(stage.sentIds()).toEqual(['1', '2', '3', '1', '2', '3']);
  });

  it('given_an_end_between_save_and_acknowledge_should_acknowledge_and_not_replay', async () => {
    const first = stage.start({ records: records(3), before: failOnce('acknowledge', 2) });
    await expect(first.run.ended).resolves.toMatchObject({ kind: 'storage' });
    await expect(stage.savedState()).resolves.toEqual({ done: 0, owed: 3 });
    const second = stage.start({ records: records(3) });
    await stage.untilSaved({ done: 3, owed: 0 });
    expect(second.source.calls.slice(0, 2)).toEqual(['open {"done":0,"owed":3}', 'acknowledge 3']);
    expect(stage.sentIds()).toEqual(['1', '2', '3']);
  });

  it('given_a_state_that_cannot_be_saved_should_acknowledge_nothing', async () => {
    const { source, run } = stage.start({
      records: records(3),
      before: async (call) => {
        if (call === 'poll') {
          await rm(stage.directory, { recursive: true });
        }
      },
    });
    await expect(run.ended).resolves.toMatchObject({ kind: 'init' });
    expect(source.calls).toEqual(['open anew', 'acknowledge 0', 'poll', 'close']);
  });

  it('given_a_disk_that_takes_nothing_should_end_before_it_sends', async () => {
    const { source, run } = stage.start({
      records: records(3),
      before: async (call) => {
        if (call === 'open') {
          await rm(stage.directory, { recursive: true });
        }
      },
    });
    await expect(run.ended).resolves.toMatchObject({ kind: 'init' });
    expect(source.calls).toEqual(['open anew', 'close']);
    expect(stage.sentIds()).toEqual([]);
  });

  it('given_records_that_cannot_be_acknowledged_should_save_that_only_they_are_owed', async () => {
    const state = '{"done":2,"owed":1}';
    let calls = 0;
    const { run } = stage.start({
      records: records(3),
      before: (call) => {
        calls += call === 'acknowledge' ? 1 : 0;
        if (calls === 2) {
          throw new UnsettledError('One of them stays', state);
        }
      },
    });
    await expect(run.ended).resolves.toMatchObject({ kind: 'storage' });
    await expect(stage.savedState()).resolves.toEqual({ done: 2, owed: 1 });
  });

  it('given_messages_without_a_state_should_end_as_a_fault_and_send_nothing', async () => {
    const { source, run } = stage.start({ records: [] });
    const poll = source.poll.bind(source);
    source.poll = async (signal) => {
      const batch = await poll(signal);
      const message = { id: 1n, payload: Buffer.from('x'), headers: [], partitionHash: 0 };
      return { ...batch, messages: [message] };
    };
    await expect(run.ended).resolves.toMatchObject({
      message: 'A source gave messages without a state',
    });
    expect(stage.sentIds()).toEqual([]);
  });
});

describe('createSourceRun when it is stopped', () => {
  it('given_a_pause_between_polls_should_end_at_once', async () => {
    const { run, source } = stage.start({ records: [], pollIntervalMs: 60_000 });
    await untilFact(() => run.reports.includes('progressed'), 'an empty poll');
    const startMs = performance.now();
    await expect(run.stop()).resolves.toBe('stopped');
    expect(performance.now() - startMs).toBeLessThan(1000);
    expect(source.calls.at(-1)).toBe('close');
  });

  it('given_a_send_under_way_should_carry_the_batch_to_its_end', async () => {
    const gate = new AbortController();
    let isSending = false;
    stage.iggy.fault = async ({ method }) => {
      if (method === 'POST') {
        isSending = true;
        await pause(60_000, gate.signal).catch(() => undefined);
      }
      return undefined;
    };
    const { run, source } = stage.start({ records: records(25) });
    await untilFact(() => isSending, 'a send');
    const stopped = run.stop();
    gate.abort();
    await expect(stopped).resolves.toBe('stopped');
    await expect(stage.savedState()).resolves.toEqual({ done: 10, owed: 0 });
    expect(source.calls.filter((call) => call === 'poll')).toHaveLength(1);
  });

  it('given_the_deadline_within_a_send_should_save_and_acknowledge_nothing', async () => {
    let isSending = false;
    stage.iggy.fault = ({ method }) => {
      isSending ||= method === 'POST';
      return isSending ? 'taken' : undefined;
    };
    const { run, source } = stage.start({ records: records(3) });
    await untilFact(() => isSending, 'a send');
    await expect(run.abort()).resolves.toBe('stopped');
    await expect(stage.savedState()).resolves.toBeNull();
    expect(source.calls).not.toContain('acknowledge 3');
    expect(run.batches).toEqual([{ produced: 3, delivered: 0, errors: 0 }]);
  });

  it('given_a_stop_within_a_poll_should_send_nothing_of_it', async () => {
    const gate = new AbortController();
    let isPolling = false;
    const { run } = stage.start({
      records: records(3),
      before: async (call) => {
        if (call === 'poll') {
          isPolling = true;
          await pause(60_000, gate.signal).catch(() => undefined);
        }
      },
    });
    await untilFact(() => isPolling, 'a poll');
    const stopped = run.stop();
    gate.abort();
    await expect(stopped).resolves.toBe('stopped');
    expect(stage.sentIds()).toEqual([]);
  });
});

/** Fails the nth call of the kind. */
function failOnce(kind: string, nth: number): (call: string) => void {
  let calls = 0;
  return (call) => {
    calls += call === kind ? 1 : 0;
    if (call === kind && calls === nth) {
      throw new ConnectorError('storage', 'The test ends it here');
    }
  };
}
