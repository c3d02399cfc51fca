import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BSON } from 'mongodb';
import { startFakeMongodb } from '../../support/fake-mongodb.ts';
import type { FakeMongodb, Fields } from '../../support/fake-mongodb.ts';
import {
  batchOf,
  createTestSink,
  NEVER,
  polledMessage,
  polledMessages,
} from '../../support/sink-messages.ts';
import type { TestSink, TestSinkOptions } from '../../support/sink-messages.ts';

let mongodb: FakeMongodb;
let opened: TestSink | undefined;

beforeEach(async () => {
  mongodb = await startFakeMongodb();
});

afterEach(async () => {
  await opened?.sink.close();
  await mongodb.stop();
});

async function openSink(config: Fields = {}, own?: TestSinkOptions): Promise<TestSink> {
  opened = createTestSink({ connection_uri: mongodb.uri, retry_delay: '1ms', ...config }, own);
  await opened.sink.open(NEVER);
  return opened;
}

function commandsOf(name: string): readonly Fields[] {
  return mongodb.commands.filter((command) => command[name] !== undefined);
}

/** This answer to the inserts with these numbers. */
function answerInserts(from: number, to: number, reply: Fields): void {
  mongodb.answer = (command, count) =>
    command['insert'] !== undefined && count >= from && count <= to ? reply : undefined;
}

const LATER = { ok: 0, code: 112, errmsg: 'write conflict' };

describe('close', () => {
  it('given_a_batch_that_was_aborted_should_tell_what_was_stored_of_it', async () => {
    const { sink, log } = await openSink({ batch_size: 2 });
    const abort = new AbortController();
    let insertsCount = 0;
    mongodb.answer = (command) => {
      insertsCount += command['insert'] === undefined ? 0 : 1;
      if (insertsCount === 4) {
        abort.abort(new Error('stopped by the test'));
      }
      return undefined;
    };
    const consuming = sink.consume(batchOf(polledMessages(0, 40)), abort.signal);
    await expect(consuming).rejects.toThrow('stopped by the test');
    await sink.close();
    expect(log.notes.at(-1)).toMatch(/^Closed: [2-9] messages stored/);
  });
});

describe('open', () => {
  it('given_a_server_should_ping_it_and_take_the_lease', async () => {
    await openSink();
    expect(commandsOf('ping')).not.toHaveLength(0);
    expect(commandsOf('findAndModify')).toMatchObject([
      { query: { _id: { group: 'group', stream: 'orders', topic: 'created' } }, upsert: true },
    ]);
    expect(commandsOf('create')).toHaveLength(0);
  });

  it('given_auto_create_collection_should_create_a_missing_one', async () => {
    await openSink({ auto_create_collection: true });
    expect(commandsOf('create')).toMatchObject([{ create: 'orders' }]);
  });

  it('given_auto_create_collection_should_leave_one_that_is_there', async () => {
    mongodb.put('orders', { _id: 1 });
    await openSink({ auto_create_collection: true });
    expect(commandsOf('create')).toHaveLength(0);
  });

  it('given_a_collection_that_somebody_creates_meanwhile_should_go_on', async () => {
    mongodb.answer = (command) =>
      command['create'] === undefined ? undefined : { ok: 0, code: 48, errmsg: 'exists' };
    await expect(openSink({ auto_create_collection: true })).resolves.toBeDefined();
  });

  it('given_a_refused_create_should_fail_to_init', async () => {
    mongodb.answer = (command) =>
      command['create'] === undefined ? undefined : { ok: 0, code: 13, errmsg: 'not allowed' };
    await expect(openSink({ auto_create_collection: true })).rejects.toMatchObject({
      kind: 'init',
      message: expect.stringContaining('not allowed'),
    });
  });

  it('given_another_instance_should_wait_say_so_once_and_stop_on_the_signal', async () => {
    mongodb.answer = (command) =>
      command['findAndModify'] === undefined
        ? undefined
        : { ok: 1, value: { _id: command['query'], owner: 'another', host: 'elsewhere' } };
    const { sink, log } = createTestSink({ connection_uri: mongodb.uri });
    await expect(sink.open(AbortSignal.timeout(200))).rejects.toThrow('timeout');
    expect(log.notes).toHaveLength(1);
  });

  it('given_an_open_sink_should_open_again', async () => {
    const { sink, consume } = await openSink();
    await sink.open(NEVER);
    await expect(consume(polledMessages(0, 1))).resolves.toMatchObject({ storedCount: 1 });
  });
});

describe('consume', () => {
  it('given_messages_should_insert_them_unordered_for_a_majority', async () => {
    const { consume } = await openSink({ batch_size: 2 });
    await consume(polledMessages(0, 5));
    const inserts = commandsOf('insert');
    expect(inserts.map(({ documents }) => [documents].flat().length).toSorted()).toEqual([1, 2, 2]);
    for (const insert of inserts) {
      expect(insert).toMatchObject({ ordered: false, writeConcern: { w: 'majority' } });
    }
  });

  it.each([
    ['w=1', 'majority'],
    ['w=3', 'majority'],
    ['w=twoCenters', 'twoCenters'],
    ['journal=true', 'majority'],
    ['journal=false', 'majority'],
  ])('given_%s_should_write_for_%s', async (option, w) => {
    const { consume } = await openSink({ connection_uri: `${mongodb.uri}&${option}` });
    await consume(polledMessages(0, 1));
    expect(commandsOf('insert')[0]).toMatchObject({ writeConcern: { w } });
  });

  it('given_journal_false_should_leave_it_out_and_say_so', async () => {
    const { consume, log } = await openSink({ connection_uri: `${mongodb.uri}&journal=false` });
    await consume(polledMessages(0, 1));
    expect(commandsOf('insert')[0]?.['writeConcern']).not.toHaveProperty('j');
    expect(log.notes.join()).toContain('journal=false in connection_uri is left out');
  });

  it.each([0, 1, 3])(
    'given_max_retries_%d_should_try_so_often_after_the_first',
    async (retries) => {
      const { consume } = await openSink({ max_retries: retries });
      answerInserts(1, 99, LATER);
      const outcome = await consume(polledMessages(0, 1));
      expect(outcome).toMatchObject({ errorsCount: retries, failure: { kind: 'connection' } });
      expect(commandsOf('insert')).toHaveLength(retries + 1);
    },
  );

  it('given_that_it_is_to_end_should_not_wait_for_a_retry', async () => {
    const stop = AbortSignal.abort();
    const { consume } = await openSink({ retry_delay: '1h' }, { stop });
    answerInserts(1, 99, LATER);
    const outcome = await consume(polledMessages(0, 1));
    expect(outcome).toMatchObject({ settledCount: 0, failure: { kind: 'connection' } });
    expect(commandsOf('insert')).toHaveLength(1);
  });

  it('given_a_retry_should_send_only_what_is_not_stored', async () => {
    const { consume } = await openSink();
    const writeErrors = [{ index: 1, code: 112, errmsg: 'x' }];
    answerInserts(1, 1, { ok: 1, n: 2, writeErrors });
    await expect(consume(polledMessages(0, 3))).resolves.toMatchObject({ storedCount: 3 });
    expect(commandsOf('insert')[1]).toMatchObject({ documents: [{ _id: '1001' }] });
  });

  it('given_an_auth_failure_should_not_retry', async () => {
    const { consume } = await openSink();
    answerInserts(1, 99, { ok: 0, code: 18, errmsg: 'connection timeout: Authentication failed' });
    const outcome = await consume(polledMessages(0, 1));
    expect(outcome).toMatchObject({ settledCount: 0, failure: { kind: 'storage' } });
    expect(commandsOf('insert')).toHaveLength(1);
  });

  it('given_a_refusal_that_is_not_the_messages_fault_should_stop_whatever_the_policy', async () => {
    const { consume } = await openSink({ on_failure: 'skip' });
    answerInserts(1, 1, { ok: 1, n: 0, writeErrors: [{ index: 0, code: 14_031, errmsg: 'disk' }] });
    const outcome = await consume(polledMessages(0, 2));
    expect(outcome).toMatchObject({
      settledCount: 0,
      skippedCount: 0,
      failure: { kind: 'storage' },
    });
  });

  it('given_one_document_that_the_server_cannot_read_should_find_it_by_halves', async () => {
    const { consume } = await openSink({ on_failure: 'skip' });
    mongodb.answer = (command) =>
      BSON.EJSON.stringify(command['documents'] ?? []).includes('"1005"')
        ? { ok: 0, code: 22, errmsg: 'invalid' }
        : undefined;
    const outcome = await consume(polledMessages(0, 16));
    expect(outcome).toMatchObject({ settledCount: 16, storedCount: 15, skippedCount: 1 });
    expect(commandsOf('insert')).toHaveLength(9);
  });

  it('given_a_replay_should_read_what_is_there_from_the_majority', async () => {
    const { consume } = await openSink();
    await consume(polledMessages(0, 2));
    await expect(consume(polledMessages(0, 2))).resolves.toMatchObject({ replayedCount: 2 });
    expect(commandsOf('find')).toMatchObject([
      { readConcern: { level: 'majority' }, filter: { _id: { $in: ['1000', '1001'] } } },
    ]);
  });

  it('given_many_replays_should_ask_for_a_thousand_at_a_time', async () => {
    const { consume } = await openSink({ batch_size: 2500 });
    await consume(polledMessages(0, 2500));
    await expect(consume(polledMessages(0, 2500))).resolves.toMatchObject({ replayedCount: 2500 });
    expect(commandsOf('find')).toHaveLength(3);
  });

  it('given_an_offset_beyond_long_should_recognise_its_replay', async () => {
    const { consume } = await openSink();
    const messages = [polledMessage(2n ** 64n - 1n, { id: 1n, checksum: 5n, timestampUs: 9n })];
    await consume(messages);
    await expect(consume(messages)).resolves.toMatchObject({ replayedCount: 1 });
  });

  it.each([
    ['find', { ok: 0, code: 112, errmsg: 'later' }, 'connection'],
    ['find', { ok: 0, code: 13, errmsg: 'not allowed' }, 'storage'],
  ])('given_a_%s_that_fails_should_settle_nothing', async (name, reply, kind) => {
    const { consume } = await openSink();
    await consume(polledMessages(0, 1));
    mongodb.answer = (command) => (command[name] === undefined ? undefined : reply);
    const outcome = await consume(polledMessages(0, 1));
    expect(outcome).toMatchObject({ settledCount: 0, replayedCount: 0, failure: { kind } });
  });

  it.each([
    ['json', { storedCount: 1, settledCount: 1 }],
    ['text', { storedCount: 2, settledCount: 2 }],
  ] as const)('given_schema_%s_should_check_payloads', async (schema, expected) => {
    const { consume } = await openSink({}, { schema });
    const messages = [polledMessage(0), polledMessage(1, { payload: 'words' })];
    await expect(consume(messages)).resolves.toMatchObject(expected);
  });

  it('given_large_payloads_should_begin_a_new_chunk_before_48_mb', async () => {
    const { consume } = await openSink({ batch_size: 1000, payload_format: 'json' });
    // Much space, and a small document.
    const payload = `1${' '.repeat(20_000_000)}`;
    await consume([0, 1, 2, 3].map((offset) => polledMessage(offset, { payload })));
    expect(commandsOf('insert').map(({ documents }) => [documents].flat().length)).toEqual([2, 2]);
  });

  it('given_dead_letters_should_keep_the_bytes_whatever_the_format_is', async () => {
    const { consume } = await openSink({ payload_format: 'json', on_failure: 'dead_letter' });
    const payload = Buffer.from([0xff, 0x00]);
    await expect(consume([polledMessage(3, { payload })])).resolves.toMatchObject({
      settledCount: 1,
      deadLetteredCount: 1,
    });
    const [letter] = mongodb.collections.get('orders_dead_letters')?.values() ?? [];
    expect(letter).toMatchObject({ iggy_message_id: '1003', reason: 'its payload is not UTF-8' });
    expect(letter?.['payload']).toMatchObject({ buffer: new Uint8Array(payload) });
  });

  it('given_dead_letters_that_fail_for_a_while_should_try_again', async () => {
    const { consume, log } = await openSink({ payload_format: 'json', on_failure: 'dead_letter' });
    answerInserts(1, 2, LATER);
    await expect(consume([polledMessage(0, { payload: '{' })])).resolves.toMatchObject({
      deadLetteredCount: 1,
    });
    expect(log.warnings.filter((line) => line.startsWith('Dead letters'))).toHaveLength(2);
  });
});

describe('close', () => {
  it('given_an_open_sink_should_give_back_the_lease_and_log_statistics', async () => {
    const { sink, consume, log } = await openSink();
    await consume(polledMessages(0, 2));
    await sink.close();
    expect(commandsOf('delete')).toHaveLength(1);
    expect(log.notes.at(-1)).toContain('2 messages stored');
  });

  it('given_a_server_that_refuses_should_close_all_the_same', async () => {
    const { sink } = await openSink();
    mongodb.answer = () => ({ ok: 0, code: 13, errmsg: 'no' });
    await expect(sink.close()).resolves.toBeUndefined();
  });

  it('given_a_sink_that_is_not_open_should_do_nothing', async () => {
    const { sink, log } = createTestSink({});
    await sink.close();
    expect(log.notes).toEqual([]);
  });
});
