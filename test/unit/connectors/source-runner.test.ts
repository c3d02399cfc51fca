import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
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

describe('createSourceRun', () => {
  it('given_records_should_send_save_and_acknowledge_in_this_order', async () => {
    const seen: unknown[] = [];
    const { source, run } = stage.start({
      records: records(3),
      before: async (call) => {
        if (call === 'acknowledge') {
          seen.push([stage.iggy.payloadsOf('app/events', 0).length, await stage.savedState()]);
        }
      },
    });
    await stage.untilSaved({ done: 3, owed: 0 });
    expect(stage.iggy.payloadsOf('app/events', 0)).toEqual(['r0', 'r1', 'r2']);
    // Before the first poll nothing is owed; of the batch, everything was sent and saved.
    expect(seen).toEqual([
      [0, null],
      [3, { done: 0, owed: 3 }],
    ]);
    expect(source.calls.slice(0, 4)).toEqual([
      'open anew',
      'acknowledge 0',
      'poll',
      'acknowledge 3',
    ]);
    await expect(run.stop()).resolves.toBe('stopped');
    expect(source.calls.at(-1)).toBe('close');
    expect(run.batches).toHaveLength(1);
    expect(run.batches[0]).toMatchObject({ produced: 3, delivered: 3 });
    expect(run.batches[0]?.stages?.map(({ stage }) => stage)).toEqual([
      ...['poll', 'iggy_send', 'state_save', 'total'],
    ]);
  });

  it('given_full_batches_should_poll_again_without_a_pause', async () => {
    const { source } = stage.start({ records: records(35), pollIntervalMs: 60_000 });
    await stage.untilSaved({ done: 35, owed: 0 });
    expect(source.calls.filter((call) => call === 'poll')).toHaveLength(4);
    expect(stage.iggy.payloadsOf('app/events', 0)).toEqual(records(35));
  });

  it('given_several_partitions_should_send_each_record_where_its_hash_says', async () => {
    stage.iggy.createTopic('app/events', 3);
    const { run } = stage.start({ records: records(7) });
    await stage.untilSaved({ done: 7, owed: 0 });
    // Its hash is 2 ** 32 - 1 - index, and 2 ** 32 - 1 is divided by 3.
    expect([0, 1, 2].map((id) => stage.iggy.payloadsOf('app/events', id))).toEqual([
      ['r0', 'r3', 'r6'],
      ['r2', 'r5'],
      ['r1', 'r4'],
    ]);
    await untilFact(() => run.batches.length === 1, 'a reported batch');
    expect(run.batches[0]).toMatchObject({ produced: 7, delivered: 7 });
    const sends = stage.iggy.requests.filter(({ method }) => method === 'POST');
    expect(sends).toHaveLength(3);
  });

  it('given_a_batch_length_should_send_no_more_at_once', async () => {
    stage.start({ records: records(7) }, { batchLength: 3 });
    await stage.untilSaved({ done: 7, owed: 0 });
    const sends = stage.iggy.requests.filter(({ method }) => method === 'POST');
    expect(sends).toHaveLength(3);
    expect(stage.iggy.payloadsOf('app/events', 0)).toEqual(records(7));
  });

  it('given_a_partition_that_is_added_should_use_it_and_note_it', async () => {
    const { source, log } = stage.start({ records: records(1) });
    await stage.untilSaved({ done: 1, owed: 0 });
    stage.iggy.topics.get('app/events')?.push({ nextOffset: 0, messages: [] });
    source.records.push('r1', 'r2');
    await stage.untilSaved({ done: 3, owed: 0 });
    expect(stage.iggy.payloadsOf('app/events', 0)).toEqual(['r0', 'r1']);
    expect(stage.iggy.payloadsOf('app/events', 1)).toEqual(['r2']);
    expect(log.notes).toEqual([expect.stringContaining('has 2 partitions now, not 1')]);
  });

  it('given_a_missing_topic_should_end_naming_it', async () => {
    stage.iggy.topics.clear();
    const { run } = stage.start({ records: records(1) });
    await expect(run.ended).resolves.toMatchObject({
      kind: 'connection',
      message: expect.stringContaining('Iggy has no topic "events" of stream "app"'),
    });
  });

  it('given_auto_create_should_make_the_topic_with_its_partitions', async () => {
    stage.iggy.topics.clear();
    stage.start({ records: records(2) }, { isAutoCreated: true, partitionsCount: 2 });
    await stage.untilSaved({ done: 2, owed: 0 });
    expect(stage.iggy.topics.get('app/events')).toHaveLength(2);
    const created = stage.iggy.requests
      .filter(({ method }) => method === 'POST')
      .map((one) => one.path);
    expect(created.slice(0, 2)).toEqual(['/streams', '/streams/app/topics']);
  });

  it('given_a_topic_without_partitions_should_end_saying_so', async () => {
    stage.iggy.createTopic('app/events', 0);
    const { run } = stage.start({ records: records(1) });
    await expect(run.ended).resolves.toMatchObject({
      kind: 'connection',
      message: 'The topic has no partitions: create some',
    });
  });

  it('given_a_saved_state_should_open_with_it', async () => {
    await writeFile(stage.stateFile, '{"done":2,"owed":0}');
    const { source } = stage.start({ records: records(3) });
    await stage.untilSaved({ done: 3, owed: 0 });
    expect(source.calls[0]).toBe('open {"done":2,"owed":0}');
    expect(stage.iggy.payloadsOf('app/events', 0)).toEqual(['r2']);
  });

  it('given_a_damaged_state_should_end_and_keep_the_file', async () => {
    await writeFile(stage.stateFile, Buffer.from([0xff]));
    const { run, source } = stage.start({ records: records(3) });
    await expect(run.ended).resolves.toMatchObject({ kind: 'invalid-state' });
    expect(await readFile(stage.stateFile)).toEqual(Buffer.from([0xff]));
    expect(source.calls.filter((call) => call.startsWith('open'))).toEqual([]);
    expect(stage.sentIds()).toEqual([]);
  });

  it('given_two_runs_of_one_key_should_let_the_second_one_wait', async () => {
    stage.start({ records: records(1) });
    await stage.untilSaved({ done: 1, owed: 0 });
    const second = stage.start({ records: records(1) });
    await expect(second.run.ended).resolves.toMatchObject({ kind: 'lease-lost' });
    expect(second.source.calls).toEqual([]);
  });
});
