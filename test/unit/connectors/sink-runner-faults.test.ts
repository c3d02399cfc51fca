import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectorError } from '../../../src/connectors/connector-error.ts';
import { SinkAnchors } from '../../../src/connectors/sink-anchor.ts';
import { pause } from '../../../src/connectors/retry.ts';
import type { FakeReply } from '../../support/fake-iggy.ts';
import { untilFact } from '../../support/facts.ts';
import { consumed, createInProcessSink } from '../../support/in-process-connectors.ts';
import { createSinkStage, texts } from '../../support/sink-stage.ts';
import type { SinkStage } from '../../support/sink-stage.ts';

const NEVER = new AbortController().signal;

let stage: SinkStage;

beforeEach(async () => {
  stage = await createSinkStage();
});

afterEach(async () => {
  await stage.close();
});

/** Answers these, one after another, to requests of the kind. */
function answerFirst(method: string, part: string, replies: readonly FakeReply[]): void {
  const left = [...replies];
  stage.iggy.fault = (request) =>
    request.method === method && request.path.includes(part) ? left.shift() : undefined;
}

describe('createSinkRun with faults and stops', () => {
  it('given_a_gap_before_the_next_message_should_warn_and_go_on', async () => {
    stage.iggy.append('app/events', 0, texts(30));
    stage.iggy.offsets.set('group app/events 0', 4);
    stage.iggy.topics.get('app/events')?.[0]?.messages.splice(0, 12);
    const { sink, log } = stage.start();
    await untilFact(() => stage.storedOffset() === 29, 'a stored offset');
    expect(sink.payloads()).toEqual(texts(18, 12));
    expect(log.warnings).toEqual([expect.stringMatching(/^7 messages .*offsets 5 to 11/)]);
  });

  it('given_a_topic_that_is_made_anew_should_read_it_from_its_first_message', async () => {
    stage.iggy.append('app/events', 0, texts(8));
    const { sink, log } = stage.start({ timing: { resetCheckMs: 5 } });
    await untilFact(() => stage.storedOffset() === 7, 'a stored offset');
    stage.iggy.createTopic('app/events', 1);
    stage.iggy.offsets.clear();
    stage.iggy.append('app/events', 0, ['other']);
    await untilFact(() => stage.storedOffset() === 0, 'a stored offset');
    expect(sink.payloads()).toEqual([...texts(8), 'other']);
    expect(log.warnings).toEqual([expect.stringContaining('was begun anew')]);
  });

  it.each([
    ['purged', () => stage.iggy.purge('app/events')],
    [
      'made anew',
      () => {
        stage.iggy.purge('app/events');
        stage.iggy.createdAt += 1;
      },
    ],
    [
      'emptied by a crash that leaves offset 0 stored',
      () => {
        stage.iggy.purge('app/events');
        stage.iggy.offsets.set('group app/events 0', 0);
      },
    ],
  ])('given_a_partition_%s_that_grows_past_us_should_lose_nothing', async (_how, empty) => {
    stage.iggy.append('app/events', 0, texts(20));
    const { sink, log } = stage.start({ timing: { discoveryMs: 20 } });
    await untilFact(() => stage.storedOffset() === 19, 'a stored offset');
    empty();
    stage.iggy.append('app/events', 0, texts(60, 100));
    await untilFact(() => new Set(sink.payloads()).size === 80, 'all messages');
    expect([...new Set(sink.payloads())].toSorted()).toEqual(
      [...texts(20), ...texts(60, 100)].toSorted(),
    );
    expect(log.warnings).toEqual([expect.stringContaining('was begun anew')]);
  });

  it('given_a_topic_made_anew_during_an_insert_should_store_no_offset_of_the_old_one', async () => {
    stage.iggy.append('app/events', 0, texts(10));
    const { sink } = stage.start({
      consume: async ({ messages }, signal) => {
        if (sink.batches.length === 1) {
          stage.iggy.purge('app/events');
          stage.iggy.append('app/events', 0, texts(15, 100));
          // The last check is too old then.
          await pause(1100, signal);
        }
        return consumed(messages.length);
      },
    });
    await untilFact(() => stage.storedOffset() === 14, 'a stored offset');
    expect([...new Set(sink.payloads())].toSorted()).toEqual(
      [...texts(10), ...texts(15, 100)].toSorted(),
    );
    const stored = stage.iggy.requests.filter(({ method }) => method === 'PUT');
    expect(stored.map(({ body }) => body)).toEqual([
      expect.stringContaining('"offset":9'),
      expect.stringContaining('"offset":14'),
    ]);
  });

  it('given_a_partition_that_was_emptied_between_two_runs_should_read_it_whole', async () => {
    const anchors = new SinkAnchors();
    stage.iggy.append('app/events', 0, texts(20));
    const first = stage.start({ anchors });
    await untilFact(() => stage.storedOffset() === 19, 'a stored offset');
    await first.run.stop();
    stage.iggy.purge('app/events');
    stage.iggy.append('app/events', 0, texts(30, 100));
    stage.iggy.offsets.set('group app/events 0', 19);
    const { sink } = stage.start({ anchors });
    await untilFact(() => stage.storedOffset() === 29, 'a stored offset');
    expect(sink.payloads()).toEqual(texts(30, 100));
  });

  it('given_an_emptied_partition_with_offset_0_stored_should_read_its_first_message', async () => {
    stage.iggy.offsets.set('group app/events 0', 0);
    const { sink, run } = stage.start();
    await untilFact(() => run.reports.includes('progressed'), 'an idle poll');
    stage.iggy.append('app/events', 0, texts(3));
    await untilFact(() => stage.storedOffset() === 2, 'a stored offset');
    expect(sink.payloads()).toEqual(texts(3));
  });

  it('given_one_topic_by_name_and_by_number_should_end_naming_both', async () => {
    const { sink, run } = stage.start({ stream: { topics: ['events', '0'] } });
    await expect(run.ended).resolves.toMatchObject({
      kind: 'invalid-config',
      message:
        'topic "events" of stream "app" and topic "0" of stream "app" are one topic: name it once',
    });
    expect(sink.batches).toEqual([]);
  });

  it('given_an_offset_past_the_end_should_warn_and_go_on', async () => {
    stage.iggy.append('app/events', 0, texts(4));
    const { sink, log, run } = stage.start({
      timing: { resetCheckMs: 5 },
      consume: ({ messages }) => {
        if (messages[0]?.payload.toString() === 'm0') {
          stage.iggy.createTopic('app/events', 1);
          stage.iggy.append('app/events', 0, ['other']);
        }
        return consumed(messages.length);
      },
    });
    await untilFact(() => stage.storedOffset() === 0, 'a stored offset');
    expect(sink.payloads()).toEqual([...texts(4), 'other']);
    expect(log.warnings[0]).toContain('code 4100');
    expect(run.outcome).toBeUndefined();
  });

  it.each([
    [401, [{ status: 401 }]],
    [429, [{ status: 429 }, { status: 429 }]],
    [503, [{ status: 503, headers: { 'retry-after': '0' } }]],
    [504, [{ status: 504 }]],
  ])('given_%d_to_polls_should_poll_again', async (_status, replies) => {
    stage.iggy.append('app/events', 0, texts(3));
    answerFirst('GET', '/messages?', replies);
    const { sink } = stage.start();
    await untilFact(() => stage.storedOffset() === 2, 'a stored offset');
    expect(sink.payloads()).toEqual(texts(3));
  });

  it('given_a_connection_that_breaks_should_poll_again', async () => {
    stage.iggy.append('app/events', 0, texts(3));
    let broken = 0;
    stage.iggy.fault = ({ path }, response) => {
      if (path.includes('/messages?') && broken < 2) {
        broken += 1;
        response.destroy();
        return 'taken';
      }
      return undefined;
    };
    const { sink } = stage.start();
    await untilFact(() => stage.storedOffset() === 2, 'a stored offset');
    expect(sink.payloads()).toEqual(texts(3));
  });

  it('given_offsets_that_cannot_be_stored_should_end_with_what_iggy_said', async () => {
    stage.iggy.append('app/events', 0, texts(3));
    stage.iggy.fault = ({ method }) => (method === 'PUT' ? { status: 503 } : undefined);
    const { run } = stage.start();
    await expect(run.ended).resolves.toMatchObject({ kind: 'unavailable' });
    expect(stage.requestsOf('PUT', 'consumer-offsets')).toHaveLength(3);
  });

  it('given_slow_offsets_should_store_only_the_latest', async () => {
    stage.iggy.append('app/events', 0, texts(100));
    stage.iggy.fault = async ({ method }) => {
      await (method === 'PUT' ? pause(50, NEVER) : undefined);
      return undefined;
    };
    stage.start();
    await untilFact(() => stage.storedOffset() === 99, 'a stored offset');
    expect(stage.requestsOf('PUT', 'consumer-offsets').length).toBeLessThan(10);
  });

  it('given_a_missing_topic_should_end_naming_it', async () => {
    const { sink, run } = stage.start({ stream: { topics: ['events', 'nowhere'] } });
    await expect(run.ended).resolves.toMatchObject({
      kind: 'connection',
      message:
        'Iggy has no topic "nowhere" of stream "app": create it, or correct its name; it is ' +
        'looked for again',
    });
    expect(sink.calls).toEqual(['open', 'close']);
  });

  it('given_a_topic_that_is_deleted_should_end_naming_it', async () => {
    const { run } = stage.start({ timing: { discoveryMs: 5 } });
    await untilFact(() => run.reports.includes('running'), 'a running sink');
    stage.iggy.topics.clear();
    const outcome = await run.ended;
    expect(['connection', 'not-found']).toContain(
      outcome instanceof Error && 'kind' in outcome ? outcome.kind : '',
    );
  });

  it('given_a_lost_lease_should_end_at_once_and_store_nothing_more', async () => {
    stage.iggy.append('app/events', 0, texts(3));
    const sink = createInProcessSink(async (_batch, signal) => {
      sink.loseLease();
      await pause(60_000, signal);
      return consumed(3);
    });
    const { run } = stage.start({ sink });
    await expect(run.ended).resolves.toMatchObject({ kind: 'lease-lost' });
    expect(stage.storedOffset()).toBeUndefined();
    expect(sink.calls).toEqual(['open', 'close']);
  });

  it('given_a_sink_that_cannot_open_should_end_with_its_error_closed', async () => {
    const sink = createInProcessSink();
    const error = new ConnectorError('init', 'MongoDB is away');
    sink.open = async () => await Promise.reject(error);
    const { run } = stage.start({ sink });
    await expect(run.ended).resolves.toBe(error);
    expect(sink.calls).toEqual(['close']);
  });

  it('given_a_stop_while_it_is_idle_should_end_at_once', async () => {
    const { run } = stage.start({ stream: { pollIntervalMs: 60_000 } });
    await untilFact(() => run.reports.includes('progressed'), 'an idle poll');
    const startMs = performance.now();
    await expect(run.stop()).resolves.toBe('stopped');
    expect(performance.now() - startMs).toBeLessThan(1000);
  });

  it('given_a_stop_while_iggy_does_not_answer_should_end_at_once', async () => {
    let isAsked = false;
    stage.iggy.fault = ({ path }) => {
      isAsked ||= path.includes('/messages?');
      return isAsked ? 'taken' : undefined;
    };
    const { run } = stage.start();
    await untilFact(() => isAsked, 'a poll');
    const startMs = performance.now();
    await expect(run.stop()).resolves.toBe('stopped');
    expect(performance.now() - startMs).toBeLessThan(1000);
  });

  it('given_a_stop_within_a_batch_should_finish_it_and_begin_no_other', async () => {
    stage.iggy.append('app/events', 0, texts(25));
    const gate = new AbortController();
    const { sink, run } = stage.start({
      consume: async ({ messages }) => {
        await pause(60_000, gate.signal).catch(() => undefined);
        return consumed(messages.length);
      },
    });
    await untilFact(() => stage.requestsOf('GET', 'value=10').length === 1, 'a poll ahead');
    const stopped = run.stop();
    gate.abort();
    await expect(stopped).resolves.toBe('stopped');
    expect(sink.batches).toHaveLength(1);
    expect(stage.storedOffset()).toBe(9);
  });

  it('given_the_deadline_within_a_batch_should_store_nothing_of_it', async () => {
    stage.iggy.append('app/events', 0, texts(3));
    const { sink, run } = stage.start({
      consume: async (_batch, signal) => {
        await pause(60_000, signal);
        return consumed(3);
      },
    });
    await untilFact(() => sink.batches.length === 1, 'a batch');
    await expect(run.abort()).resolves.toBe('stopped');
    expect(stage.storedOffset()).toBeUndefined();
  });
});
