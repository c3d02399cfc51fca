import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Document } from 'mongodb';
import { Binary, Long } from 'mongodb';
import type { TestSink } from '../support/sink-messages.ts';
import { createTestSink, NEVER, polledMessage, polledMessages } from '../support/sink-messages.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';

describeMongodb('The MongoDB sink', () => {
  let database: TestMongodbDatabase;
  let collection: string;
  let count = 0;
  const opened: TestSink[] = [];

  beforeAll(async () => {
    database = await createTestMongodbDatabase();
  });

  beforeEach(async () => {
    await Promise.all(opened.splice(0).map(async ({ sink }) => await sink.close()));
    count += 1;
    collection = `orders_${count}`;
  });

  afterAll(async () => {
    await Promise.all(opened.map(async ({ sink }) => await sink.close()));
    await database.drop();
  });

  async function openSink(
    config: Readonly<Record<string, unknown>> = {},
    own?: Parameters<typeof createTestSink>[1],
  ): Promise<TestSink> {
    const sink = createTestSink(
      {
        connection_uri: database.uri,
        database: database.name,
        collection,
        retry_delay: '1ms',
        ...config,
      },
      own,
    );
    opened.push(sink);
    await sink.sink.open(NEVER);
    return sink;
  }

  async function stored(name = collection): Promise<readonly Document[]> {
    return await database.client
      .db(database.name)
      .collection(name)
      .find({}, { promoteValues: false })
      .sort({ _id: 1 })
      .toArray();
  }

  async function prepare(...documents: readonly Document[]): Promise<void> {
    await database.client
      .db(database.name)
      .collection(collection)
      .insertMany([...documents]);
  }

  it('stores each message with types that do not depend on its values', async () => {
    const { consume } = await openSink({ payload_format: 'json' });
    const payload = '{"n":9007199254740993,"$set":{"a.b":-0},"__proto__":1,"_bsontype":"Long"}';
    await expect(consume([polledMessage(0, { payload })])).resolves.toMatchObject({
      settledCount: 1,
      storedCount: 1,
      failure: undefined,
    });
    const [document] = await database.client
      .db(database.name)
      .collection(collection)
      .aggregate([
        {
          $project: {
            offset: { $type: '$iggy_offset' },
            time: { $type: '$iggy_timestamp' },
            partition: { $type: '$iggy_partition_id' },
            checksum: { $type: '$iggy_checksum' },
            n: { $type: '$payload.n' },
            names: { $map: { input: { $objectToArray: '$payload' }, in: '$$this.k' } },
          },
        },
      ])
      .toArray();
    expect(document).toEqual({
      _id: '1000',
      offset: 'long',
      time: 'date',
      partition: 'int',
      checksum: 'long',
      n: 'long',
      names: ['n', '$set', '__proto__', '_bsontype'],
    });
  });

  it.each([
    ['binary', new Binary(Buffer.from('{"a":1}'))],
    ['string', '{"a":1}'],
  ])('stores payloads as %s', async (format, payload) => {
    const { consume } = await openSink({ payload_format: format });
    await consume([polledMessage(0, { payload: '{"a":1}' })]);
    expect(await stored()).toMatchObject([{ payload }]);
  });

  it.each([
    ['null', null],
    ['[1,[2]]', [1, [2]]],
    ['"text"', 'text'],
  ])('stores the JSON %s, which is no document', async (payload, value) => {
    const { consume } = await openSink({ payload_format: 'json' });
    await consume([polledMessage(0, { payload })]);
    const read = database.client.db(database.name).collection(collection);
    expect(await read.findOne()).toMatchObject({ payload: value });
  });

  it('splits a batch into chunks of batch_size and stores all of it', async () => {
    const { consume, log } = await openSink({ batch_size: 10, verbose_logging: true });
    const outcome = await consume(polledMessages(0, 45));
    expect(outcome).toMatchObject({ settledCount: 45, storedCount: 45, errorsCount: 0 });
    expect(log.notes.filter((note) => note.startsWith('Inserted'))).toHaveLength(5);
    expect(await stored()).toHaveLength(45);
  });

  it('takes a batch without messages', async () => {
    const { consume } = await openSink();
    await expect(consume([])).resolves.toMatchObject({ settledCount: 0, failure: undefined });
  });

  it('stores only once what comes again', async () => {
    const { consume } = await openSink();
    await consume(polledMessages(0, 3));
    const outcome = await consume(polledMessages(0, 5));
    expect(outcome).toMatchObject({ settledCount: 5, storedCount: 2, replayedCount: 3 });
    expect(await stored()).toHaveLength(5);
  });

  it('recognises a message without metadata by its content', async () => {
    const { consume } = await openSink({ include_metadata: false });
    await consume(polledMessages(0, 2));
    const outcome = await consume([
      ...polledMessages(0, 1),
      polledMessage(1, { payload: 'another' }),
      polledMessage(2, { id: 1000n }),
    ]);
    expect(outcome).toMatchObject({ settledCount: 1, replayedCount: 1, errorsCount: 2 });
    expect(outcome.failure?.message).toContain('offset 1 ');
    expect(outcome.failure?.message).toContain('another content');
  });

  it('recognises a message that was stored without metadata before', async () => {
    const before = await openSink({ include_metadata: false });
    await before.consume(polledMessages(0, 2));
    await before.sink.close();
    const { consume } = await openSink();
    await expect(consume(polledMessages(0, 2))).resolves.toMatchObject({ replayedCount: 2 });
  });

  it.each([
    ['partition', { partitionId: 1 }],
    ['topic', { topic: 'removed' }],
    ['stream', { stream: 'others' }],
  ])('never swallows a message of another %s with the same id', async (_name, place) => {
    const { consume } = await openSink();
    await consume(polledMessages(0, 2));
    const outcome = await consume(polledMessages(1, 3), place);
    expect(outcome).toMatchObject({ settledCount: 0, storedCount: 1, replayedCount: 0 });
    expect(outcome.failure).toMatchObject({ kind: 'invalid-record' });
    expect(outcome.failure?.message).toContain(
      '_id "1001" is taken by the message at offset 1 of stream "orders", topic "created"',
    );
    expect(outcome.failure?.message).toContain('id_strategy');
  });

  it('tells a topic that was made again from the one before', async () => {
    const { consume } = await openSink();
    await consume(polledMessages(0, 1));
    const outcome = await consume([polledMessage(0, { timestampUs: 5_000_000n })]);
    expect(outcome).toMatchObject({ settledCount: 0, replayedCount: 0 });
  });

  it('tells two messages with one id in the same chunk apart', async () => {
    const { consume } = await openSink();
    const outcome = await consume([polledMessage(0, { id: 5n }), polledMessage(1, { id: 5n })]);
    expect(outcome).toMatchObject({ settledCount: 1, storedCount: 1, errorsCount: 1 });
  });

  it('never takes a document of somebody else for its own', async () => {
    await prepare({ _id: '1000', payload: 'theirs' });
    const { consume } = await openSink();
    const outcome = await consume(polledMessages(0, 2));
    expect(outcome).toMatchObject({ settledCount: 0, storedCount: 1, replayedCount: 0 });
    expect(await stored()).toContainEqual({ _id: '1000', payload: 'theirs' });
  });

  it('keeps messages with the same id apart by a composite id', async () => {
    const { consume } = await openSink({ id_strategy: 'composite' });
    await consume(polledMessages(0, 1));
    const outcome = await consume(polledMessages(0, 1), { partitionId: 1 });
    expect(outcome).toMatchObject({ storedCount: 1, failure: undefined });
    expect(await stored()).toMatchObject([
      { _id: 'orders:created:0:1000' },
      { _id: 'orders:created:1:1000' },
    ]);
  });

  it('does not take the key of another unique index for a replay', async () => {
    await database.client
      .db(database.name)
      .collection(collection)
      .createIndex({ 'payload.mail': 1 }, { unique: true, name: 'one_mail' }, {});
    const { consume } = await openSink({ payload_format: 'json' });
    const payload = '{"mail":"someone@example.org"}';
    const outcome = await consume([polledMessage(0, { payload }), polledMessage(1, { payload })]);
    expect(outcome).toMatchObject({ settledCount: 1, storedCount: 1, replayedCount: 0 });
    expect(outcome.failure?.message).toContain('unique index "one_mail"');
    expect(outcome.failure?.message).not.toContain('someone');
  });

  it('stores everything around what the validation refuses', async () => {
    await database.client
      .db(database.name)
      .createCollection(collection, { validator: { 'payload.n': { $ne: 4 } } });
    const { consume } = await openSink({ payload_format: 'json', batch_size: 3 });
    const outcome = await consume(polledMessages(0, 10));
    expect(outcome).toMatchObject({ settledCount: 4, storedCount: 9, errorsCount: 1 });
    expect(outcome.failure?.message).toContain('offset 4 ');
    expect(outcome.failure?.message).toContain('validation');
  });

  it('stores everything around documents that cannot be sent or are refused whole', async () => {
    const { consume, log } = await openSink({ payload_format: 'json', on_failure: 'skip' });
    const deep = `${'['.repeat(190)}1${']'.repeat(190)}`;
    const payloads = ['1', `"${'x'.repeat(16 * 1024 * 1024)}"`, '2', deep, '{"a\\u0000b":1}', '{'];
    const messages = payloads.map((payload, offset) => polledMessage(offset, { payload }));
    const outcome = await consume([...messages, polledMessage(6)]);
    expect(outcome).toMatchObject({ settledCount: 7, storedCount: 3, skippedCount: 4 });
    expect(log.warnings.map((line) => /offset (\d) .*: (.*)$/.exec(line)?.slice(1))).toEqual([
      ['1', "its document is larger than 16777215 bytes, MongoDB's limit"],
      ['3', 'MongoDB refuses its document (code 15)'],
      ['4', 'its payload has a name that BSON cannot hold'],
      ['5', 'its payload is not JSON (at character 1)'],
    ]);
  });

  it('rejects a payload that is far beyond the limit', async () => {
    const { consume } = await openSink();
    const outcome = await consume([polledMessage(0, { payload: Buffer.alloc(40_000_000) })]);
    expect(outcome.failure?.message).toContain('larger than 16777215 bytes');
  });

  it('checks what the stream says its payloads are', async () => {
    const { consume } = await openSink({}, { schema: 'json' });
    const outcome = await consume([polledMessage(0), polledMessage(1, { payload: '{' })]);
    expect(outcome).toMatchObject({ settledCount: 1, storedCount: 1 });
    expect(outcome.failure?.kind).toBe('invalid-record');
  });

  it('creates the collection at the start when it is told to', async () => {
    const db = database.client.db(database.name);
    await openSink({ auto_create_collection: true });
    expect(await db.listCollections({ name: collection }).toArray()).toHaveLength(1);
    // One that is there already is taken as it is.
    const again = createTestSink(
      {
        connection_uri: database.uri,
        database: database.name,
        collection,
        auto_create_collection: true,
      },
      { group: 'others' },
    );
    opened.push(again);
    await again.sink.open(NEVER);
    expect(await db.listCollections({ name: collection }).toArray()).toHaveLength(1);
  });

  it('says at the end what it has done, once', async () => {
    const { sink, consume, log } = await openSink();
    await consume(polledMessages(0, 3));
    await consume(polledMessages(2, 4));
    await sink.close();
    await sink.close();
    expect(log.notes.filter((note) => note.startsWith('Closed'))).toEqual([
      'Closed: 4 messages stored, 1 there already, 0 dead letters, 0 skipped, 0 errors',
    ]);
  });

  it('does nothing when it is not open', async () => {
    const { consume } = createTestSink({});
    await expect(consume(polledMessages(0, 3))).resolves.toMatchObject({
      settledCount: 0,
      storedCount: 0,
      failure: { kind: 'connection' },
    });
  });

  it('stores offsets as Long', async () => {
    const { consume } = await openSink();
    await consume(polledMessages(5, 6));
    expect(await stored()).toMatchObject([{ iggy_offset: Long.fromNumber(5) }]);
  });
});
