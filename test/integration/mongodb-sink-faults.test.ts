import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Binary } from 'mongodb';
import type { Document } from 'mongodb';
import type { ConsumeOutcome } from '../../src/connectors/connector.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { startMongodbFaultProxy } from '../support/mongodb-fault-proxy.ts';
import type { Fault, MongodbFaultProxy } from '../support/mongodb-fault-proxy.ts';
import { untilFact } from '../support/facts.ts';
import {
  batchOf,
  createTestSink,
  NEVER,
  polledMessage,
  polledMessages,
} from '../support/sink-messages.ts';
import type { TestSink } from '../support/sink-messages.ts';

const SECRET = 'pa55word';

function refusal(code: number, errmsg = 'no'): Fault {
  return { ok: 0, code, errmsg };
}

describeMongodb('The MongoDB sink before a MongoDB with faults', () => {
  let database: TestMongodbDatabase;
  let proxy: MongodbFaultProxy;
  let collection = '';
  let count = 0;
  let opened: TestSink | undefined;

  beforeAll(async () => {
    database = await createTestMongodbDatabase();
  });

  beforeEach(async () => {
    proxy = await startMongodbFaultProxy(database.uri);
    count += 1;
    collection = `orders_${count}`;
  });

  afterEach(async () => {
    proxy.faults = () => 'pass';
    await opened?.sink.close();
    await proxy.stop();
  });

  afterAll(async () => {
    await database.drop();
  });

  async function openSink(
    config: Readonly<Record<string, unknown>> = {},
    uriOptions = '',
  ): Promise<TestSink> {
    opened = createTestSink({
      connection_uri: `${proxy.uri}&serverSelectionTimeoutMS=5000${uriOptions}`,
      database: database.name,
      collection,
      retry_delay: '1ms',
      ...config,
    });
    await opened.sink.open(NEVER);
    return opened;
  }

  /** The fault for the inserts with these numbers, counted from the first one. */
  function failInserts(from: number, to: number, fault: Fault): void {
    proxy.faults = (command, number) =>
      command === 'insert' && number >= from && number <= to ? fault : 'pass';
  }

  async function stored(name = collection): Promise<readonly Document[]> {
    return await database.client
      .db(database.name)
      .collection(name)
      .find()
      .sort({ _id: 1 })
      .toArray();
  }

  function expectNoSecrets(sink: TestSink, outcome?: ConsumeOutcome): void {
    const texts = [...sink.log.notes, ...sink.log.warnings, outcome?.failure?.message ?? ''];
    expect(texts.join('\n')).not.toMatch(/pa55word|127\.0\.0\.1/);
  }

  it.each<readonly [string, Fault]>([
    ['a broken connection', 'break before'],
    ['a stepped-down primary', refusal(189)],
    ['a server in another role', refusal(10_107)],
    ['a label', { ok: 0, code: 59, errmsg: 'odd', errorLabels: ['RetryableWriteError'] }],
    ['a write concern that is late', { ok: 1, n: 0, writeConcernError: { code: 64, errmsg: 'x' } }],
    [
      'documents that are late',
      {
        ok: 1,
        n: 0,
        writeErrors: [0, 1, 2].map((index) => ({ index, code: 11_602, errmsg: 'x' })),
      },
    ],
  ])('tries again after %s', async (_name, fault) => {
    const sink = await openSink();
    failInserts(1, 3, fault);
    const outcome = await sink.consume(polledMessages(0, 3));
    expect(outcome).toMatchObject({ settledCount: 3, storedCount: 3, errorsCount: 3 });
    expect(sink.log.warnings.map((line) => /retry \d of 3 in \d ms/.exec(line)?.[0])).toEqual([
      'retry 1 of 3 in 1 ms',
      'retry 2 of 3 in 2 ms',
      'retry 3 of 3 in 3 ms',
    ]);
    expect(await stored()).toHaveLength(3);
    expectNoSecrets(sink, outcome);
  });

  it('stores each message once though nobody heard of its insert', async () => {
    const sink = await openSink();
    failInserts(1, 1, 'break after');
    const outcome = await sink.consume(polledMessages(0, 5));
    expect(outcome).toMatchObject({ settledCount: 5, storedCount: 5, replayedCount: 0 });
    expect(await stored()).toHaveLength(5);
  });

  it('does not call durable what no majority has confirmed', async () => {
    const sink = await openSink({ max_retries: 1 });
    proxy.faults = (command) =>
      command === 'find' ? emptyCursor(database.name, collection) : 'pass';
    await sink.consume(polledMessages(0, 1));
    // The document is there, and the majority's view is without it.
    const outcome = await sink.consume(polledMessages(0, 2));
    expect(outcome).toMatchObject({
      settledCount: 0,
      storedCount: 1,
      failure: { kind: 'connection' },
    });
    expect(outcome.failure?.message).toContain('may not last');
  });

  it('tries everything again that is not confirmed, though some was refused for good', async () => {
    const sink = await openSink();
    failInserts(1, 1, {
      ok: 1,
      n: 2,
      writeErrors: [{ index: 1, code: 121, errmsg: 'x' }],
      writeConcernError: { code: 64, errmsg: 'x' },
    });
    const outcome = await sink.consume(polledMessages(0, 3));
    expect(outcome).toMatchObject({ settledCount: 3, storedCount: 3, errorsCount: 1 });
    expect(await stored()).toHaveLength(3);
  });

  it('stops when a majority cannot confirm at all', async () => {
    const sink = await openSink();
    failInserts(1, 1, { ok: 1, n: 2, writeConcernError: { code: 100, errmsg: 'not enough' } });
    const outcome = await sink.consume(polledMessages(0, 2));
    expect(outcome).toMatchObject({
      settledCount: 0,
      errorsCount: 0,
      failure: { kind: 'storage' },
    });
  });

  it.each(['halt', 'dead_letter', 'skip'])(
    'stops when MongoDB is away for longer than all retries, with on_failure %s too',
    async (policy) => {
      const sink = await openSink({ on_failure: policy, batch_size: 2 });
      failInserts(1, 99, 'break before');
      const outcome = await sink.consume(polledMessages(0, 6));
      expect(outcome).toMatchObject({
        settledCount: 0,
        skippedCount: 0,
        deadLetteredCount: 0,
        failure: { kind: 'connection' },
      });
      expect(outcome.failure?.message).toContain('after 4 attempts');
      expect(await stored()).toHaveLength(0);
      expectNoSecrets(sink, outcome);
    },
  );

  it.each(['dead_letter', 'skip'])(
    'stops when it may not write, with on_failure %s too',
    async (policy) => {
      const sink = await openSink({ on_failure: policy });
      failInserts(1, 99, refusal(13, 'not authorized to execute command { insert: "secret" }'));
      const outcome = await sink.consume(polledMessages(0, 3));
      expect(outcome).toMatchObject({
        settledCount: 0,
        errorsCount: 0,
        failure: { kind: 'storage' },
      });
      expect(outcome.failure?.message).toContain('not authorized (code 13)');
      expect(proxy.countOf('insert')).toBe(1);
    },
  );

  it('tries later chunks after one that failed', async () => {
    const sink = await openSink({ batch_size: 2, max_retries: 0 });
    failInserts(1, 1, refusal(189));
    const outcome = await sink.consume(polledMessages(0, 6));
    expect(outcome).toMatchObject({
      settledCount: 0,
      storedCount: 4,
      failure: { kind: 'connection' },
    });
    expect(await stored()).toMatchObject([2, 3, 4, 5].map((offset) => ({ iggy_offset: offset })));
    await expect(sink.consume(polledMessages(0, 6))).resolves.toMatchObject({
      settledCount: 6,
      storedCount: 2,
      replayedCount: 4,
    });
  });

  it('leaves the rest of a batch when MongoDB stays away', async () => {
    const sink = await openSink({ batch_size: 1, max_retries: 0 });
    failInserts(1, 99, refusal(189));
    await sink.consume(polledMessages(0, 50));
    expect(proxy.countOf('insert')).toBeLessThan(5);
  });

  it('ends a pause before a retry at once when it is stopped', async () => {
    const sink = await openSink({ retry_delay: '1h' });
    failInserts(1, 99, refusal(189));
    const controller = new AbortController();
    const consumed = sink.sink.consume(batchOf(polledMessages(0, 1)), controller.signal);
    await untilFact(() => sink.log.warnings.length > 0, 'the pause');
    controller.abort(new Error('stop'));
    await expect(consumed).rejects.toThrow('stop');
  });

  it('leaves an insert without an answer when it is stopped', async () => {
    const sink = await openSink();
    failInserts(1, 1, 'stay silent');
    const controller = new AbortController();
    const consumed = sink.sink.consume(batchOf(polledMessages(0, 1)), controller.signal);
    await untilFact(() => proxy.countOf('insert') > 0, 'the insert');
    controller.abort(new Error('stop'));
    await expect(consumed).rejects.toThrow('stop');
  });

  it('tries an insert without an answer again in time', async () => {
    const sink = await openSink({}, '&socketTimeoutMS=100');
    failInserts(1, 1, 'stay silent');
    const outcome = await sink.consume(polledMessages(0, 1));
    expect(outcome).toMatchObject({ settledCount: 1, storedCount: 1, errorsCount: 1 });
  });

  it('asks a majority, whatever number the connection string has', async () => {
    const sink = await openSink({}, '&w=1');
    expect(sink.log.notes.join()).toContain('w=1 in connection_uri is taken as w=majority');
  });

  it('keeps messages that cannot be stored as dead letters, once', async () => {
    const sink = await openSink({ payload_format: 'json', on_failure: 'dead_letter' });
    const messages = [
      polledMessage(0),
      polledMessage(1, {
        payload: `{"${SECRET}`,
        headers: [{ key: { kind: 'string', value: 'k' }, value: { kind: 'uint8', value: 1 } }],
      }),
      polledMessage(2),
    ];
    const expected = { settledCount: 3, deadLetteredCount: 1, failure: undefined };
    await expect(sink.consume(messages)).resolves.toMatchObject(expected);
    await expect(sink.consume(messages)).resolves.toMatchObject({ ...expected, replayedCount: 2 });
    const letters = await stored(`${collection}_dead_letters`);
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({
      _id: 'orders:created:0:1:1771632000123457',
      iggy_stream: 'orders',
      iggy_topic: 'created',
      iggy_partition_id: 0,
      iggy_offset: 1,
      iggy_message_id: '1001',
      iggy_checksum: 7,
      iggy_headers: [{ key: 'k', value: 1 }],
      payload: new Binary(Buffer.from(`{"${SECRET}`)),
      reason: expect.stringContaining('not JSON'),
      failed_at: expect.any(Date),
    });
    expectNoSecrets(sink);
  });

  it('halts when a dead letter cannot be kept', async () => {
    const sink = await openSink({
      payload_format: 'json',
      on_failure: 'dead_letter',
      dead_letter_collection: 'broken',
    });
    const messages = [polledMessage(0), polledMessage(1, { payload: '{' }), polledMessage(2)];
    failInserts(2, 99, refusal(13));
    const refused = await sink.consume(messages);
    expect(refused).toMatchObject({
      settledCount: 1,
      deadLetteredCount: 0,
      failure: { kind: 'storage' },
    });
    expect(refused.failure?.message).toContain('dead letters of 1 messages cannot be stored');
    failInserts(proxy.countOf('insert') + 2, 99, refusal(189));
    await expect(sink.consume(messages)).resolves.toMatchObject({
      settledCount: 1,
      failure: { kind: 'connection' },
    });
    failInserts(proxy.countOf('insert') + 2, proxy.countOf('insert') + 3, 'break after');
    await expect(sink.consume(messages)).resolves.toMatchObject({
      settledCount: 3,
      deadLetteredCount: 1,
    });
    expect(await stored('broken')).toHaveLength(1);
  });

  it('does not open without a lease that it may write', async () => {
    proxy.faults = (command) =>
      command === 'findAndModify' ? refusal(13, 'not authorized') : 'pass';
    const sink = createTestSink({ connection_uri: proxy.uri, database: database.name, collection });
    await expect(sink.sink.open(NEVER)).rejects.toMatchObject({
      kind: 'init',
      message: expect.stringContaining('not authorized'),
    });
  });
});

function emptyCursor(database: string, collection: string): Fault {
  return { ok: 1, cursor: { id: 0n, ns: `${database}.${collection}`, firstBatch: [] } };
}
