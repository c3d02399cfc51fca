import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectorError } from '../../../src/connectors/connector-error.ts';
import { pause } from '../../../src/connectors/retry.ts';
import { untilFact } from '../../support/facts.ts';
import { consumed } from '../../support/in-process-connectors.ts';
import { createSinkStage, texts } from '../../support/sink-stage.ts';
import type { SinkStage } from '../../support/sink-stage.ts';

const NEVER = new AbortController().signal;
const REFUSED = new ConnectorError('storage', 'The database refused');

let stage: SinkStage;

beforeEach(async () => {
  stage = await createSinkStage();
});

afterEach(async () => {
  await stage.close();
});

describe('createSinkRun', () => {
  it('given_messages_should_consume_them_in_order_and_store_the_last_offset', async () => {
    stage.iggy.append('app/events', 0, texts(25));
    const { sink, run } = stage.start();
    await untilFact(() => stage.storedOffset() === 24, 'a stored offset');
    expect(sink.payloads()).toEqual(texts(25));
    expect(sink.batches.map(({ payloads }) => payloads.length)).toEqual([10, 10, 5]);
    await expect(run.stop()).resolves.toBe('stopped');
    expect(run.batches[0]).toMatchObject({ consumed: 10, delivered: 10, errors: 0 });
    expect(run.batches[0]?.stages?.map(({ stage }) => stage)).toEqual(['poll', 'insert', 'total']);
    expect(sink.calls).toEqual(['open', 'close']);
  });

  it('given_a_stored_offset_should_begin_behind_it', async () => {
    stage.iggy.append('app/events', 0, texts(5));
    stage.iggy.offsets.set('group app/events 0', 2);
    const { sink } = stage.start();
    await untilFact(() => stage.storedOffset() === 4, 'a stored offset');
    expect(sink.payloads()).toEqual(['m3', 'm4']);
  });

  it('given_any_poll_should_never_let_iggy_store_the_offset', async () => {
    stage.iggy.append('app/events', 0, texts(1));
    stage.start();
    await untilFact(() => stage.storedOffset() === 0, 'a stored offset');
    const polls = stage.requestsOf('GET', '/messages?');
    expect(polls.every((path) => path.includes('auto_commit=false'))).toBe(true);
    expect(polls.every((path) => path.includes('consumer_id=group'))).toBe(true);
  });

  it('given_several_topics_and_partitions_should_consume_them_all', async () => {
    stage.iggy.createTopic('app/events', 3);
    stage.iggy.createTopic('app/items', 2);
    for (const [name, partition] of [
      ['app/events', 0],
      ['app/events', 2],
      ['app/items', 1],
    ] as const) {
      stage.iggy.append(name, partition, [`${name}/${partition}`]);
    }
    const { sink } = stage.start({ stream: { topics: ['events', 'items'] } });
    await untilFact(() => sink.batches.length === 3, 'three batches');
    for (const { place, payloads } of sink.batches) {
      expect(payloads).toEqual([place]);
    }
  });

  it('given_a_partition_that_is_added_should_consume_it_from_its_first_message', async () => {
    const { sink, run } = stage.start({ timing: { discoveryMs: 5 } });
    await untilFact(() => run.reports.includes('running'), 'a running sink');
    stage.iggy.topics.get('app/events')?.push({ nextOffset: 0, messages: [] });
    stage.iggy.append('app/events', 1, ['new']);
    await untilFact(() => sink.batches.length === 1, 'a batch');
    expect(sink.batches).toEqual([{ place: 'app/events/1', payloads: ['new'] }]);
    await untilFact(() => stage.storedOffset(1) === 0, 'a stored offset');
  });

  it('given_a_batch_being_consumed_should_poll_one_batch_ahead_and_no_more', async () => {
    stage.iggy.append('app/events', 0, texts(40));
    const gate = new AbortController();
    const { sink } = stage.start({
      consume: async (batch, signal) => {
        await pause(60_000, AbortSignal.any([gate.signal, signal])).catch(() => undefined);
        return consumed(batch.messages.length);
      },
    });
    const offsets = (): readonly (string | null)[] =>
      stage.requestsOf('GET', '/messages?').map((path) => new URLSearchParams(path).get('value'));
    await untilFact(() => offsets().length === 2, 'a poll ahead');
    await pause(30, NEVER);
    expect(offsets()).toEqual(['0', '10']);
    expect(sink.batches).toHaveLength(1);
    gate.abort();
    await untilFact(() => stage.storedOffset() === 39, 'a stored offset');
  });

  it('given_many_partitions_and_a_slow_sink_should_hold_a_bounded_number_of_bytes', async () => {
    const partitionsCount = 30;
    stage.iggy.createTopic('app/events', partitionsCount);
    const large = 'x'.repeat(1024 * 1024);
    for (let id = 0; id < partitionsCount; id += 1) {
      stage.iggy.append(
        'app/events',
        id,
        Array.from({ length: 4 }, () => large),
      );
    }
    const { run } = stage.start({
      stream: { batchLength: 8 },
      consume: async (_batch, signal) => {
        await pause(60_000, signal);
        return consumed(0);
      },
    });
    // 4 MiB a partition: held are 64 MiB, and what the four polls under way bring beyond that.
    const brought = (): number =>
      stage.requestsOf('GET', '/messages?').filter((path) => path.includes('kind=first')).length;
    await untilFact(async () => {
      const before = brought();
      await pause(250, NEVER);
      return before >= 16 && brought() === before;
    }, 'all polls that are allowed');
    expect(brought()).toBeLessThanOrEqual(16 + 4);
    await expect(run.abort()).resolves.toBe('stopped');
  });

  it('given_large_messages_should_ask_for_fewer', async () => {
    const large = 'x'.repeat(3 * 1024 * 1024);
    stage.iggy.append(
      'app/events',
      0,
      Array.from({ length: 12 }, () => large),
    );
    const { sink } = stage.start();
    await untilFact(() => stage.storedOffset() === 11, 'a stored offset');
    expect(sink.batches.map(({ payloads }) => payloads.length)).toEqual([10, 2]);
    const counts = stage
      .requestsOf('GET', '/messages?')
      .map((path) => Number(new URLSearchParams(path).get('count')));
    expect(counts.slice(0, 2)).toEqual([10, 5]);
  });

  it('given_idle_polls_should_come_less_and_less_often', async () => {
    const { run } = stage.start();
    await untilFact(() => run.reports.length >= 9, 'eight idle polls');
    const startMs = performance.now();
    await untilFact(() => run.reports.length >= 11, 'two more');
    // From 1 ms doubled to 250 ms.
    expect(performance.now() - startMs).toBeGreaterThan(150);
  });

  it('given_a_failure_should_store_only_the_settled_prefix_and_end', async () => {
    stage.iggy.append('app/events', 0, texts(25));
    const { sink, run } = stage.start({
      consume: ({ messages }) =>
        messages[0]?.offset === 10n ? consumed(3, REFUSED) : consumed(messages.length),
    });
    await expect(run.ended).resolves.toBe(REFUSED);
    expect(stage.storedOffset()).toBe(12);
    expect(sink.batches).toHaveLength(2);
    expect(sink.calls).toEqual(['open', 'close']);
  });

  it('given_a_failure_of_nothing_settled_should_store_nothing', async () => {
    stage.iggy.append('app/events', 0, texts(3));
    const { run } = stage.start({ consume: () => consumed(0, REFUSED) });
    await expect(run.ended).resolves.toBe(REFUSED);
    expect(stage.storedOffset()).toBeUndefined();
  });

  it('given_unsettled_messages_without_a_failure_should_end_as_a_fault', async () => {
    stage.iggy.append('app/events', 0, texts(3));
    const { run } = stage.start({ consume: () => consumed(2) });
    await expect(run.ended).resolves.toMatchObject({
      message: 'A sink left messages unsettled, and did not say why',
    });
    expect(stage.storedOffset()).toBe(1);
  });

  it('given_a_failure_in_one_partition_should_end_the_others_with_their_batches', async () => {
    stage.iggy.createTopic('app/events', 2);
    stage.iggy.append('app/events', 0, texts(3));
    stage.iggy.append('app/events', 1, texts(3));
    const gate = new AbortController();
    const { run } = stage.start({
      consume: async ({ partitionId, messages }, signal) => {
        if (partitionId === 0) {
          // Its poll ahead, so that a batch of it is begun.
          const polls = (): readonly string[] =>
            stage.requestsOf('GET', '/messages?').filter((path) => path.includes('partition_id=1'));
          await untilFact(() => polls().length > 1, 'both at work');
          gate.abort();
          return consumed(1, REFUSED);
        }
        await pause(60_000, gate.signal).catch(() => undefined);
        await pause(20, signal);
        return consumed(messages.length);
      },
    });
    await expect(run.ended).resolves.toBe(REFUSED);
    expect([stage.storedOffset(0), stage.storedOffset(1)]).toEqual([0, 2]);
  });

  it('given_a_message_whose_answer_is_over_the_common_bound_should_consume_it', async () => {
    stage.iggy.append('app/events', 0, ['before', 'x'.repeat(52_000_000), 'behind']);
    const { sink } = stage.start();
    await untilFact(() => stage.storedOffset() === 2, 'a stored offset');
    expect(sink.payloads().map(({ length }) => length)).toEqual([6, 52_000_000, 6]);
  });

  it('given_another_run_should_go_on_where_the_first_one_ended', async () => {
    stage.iggy.append('app/events', 0, texts(10));
    const first = stage.start();
    await untilFact(() => stage.storedOffset() === 9, 'a stored offset');
    await first.run.stop();
    stage.iggy.append('app/events', 0, texts(2, 10));
    const second = stage.start();
    await untilFact(() => stage.storedOffset() === 11, 'a stored offset');
    expect(second.sink.payloads()).toEqual(['m10', 'm11']);
  });
});
