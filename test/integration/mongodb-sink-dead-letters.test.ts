// Dead letters of messages that are wrong in ways which a letter could share with its message.
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Binary } from 'mongodb';
import type { Document } from 'mongodb';
import { LETTER_PAYLOAD_BYTES_MAX } from '../../src/connectors/mongodb-sink-dead-letters.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { createTestSink, NEVER, polledMessage } from '../support/sink-messages.ts';
import type { TestSink } from '../support/sink-messages.ts';

describeMongodb('Dead letters of the MongoDB sink', () => {
  let database: TestMongodbDatabase;
  let collection = '';
  let count = 0;
  let opened: TestSink | undefined;

  beforeAll(async () => {
    database = await createTestMongodbDatabase();
  });

  beforeEach(() => {
    count += 1;
    collection = `orders_${count}`;
  });

  afterEach(async () => {
    await opened?.sink.close();
  });

  afterAll(async () => {
    await database.drop();
  });

  async function openSink(config: Readonly<Record<string, unknown>>): Promise<TestSink> {
    const place = { connection_uri: database.uri, database: database.name, collection };
    opened = createTestSink({ ...place, ...config });
    await opened.sink.open(NEVER);
    return opened;
  }

  async function stored(name: string): Promise<readonly Document[]> {
    return await database.client.db(database.name).collection(name).find().toArray();
  }

  it('keeps the beginning of what is too large even for a dead letter', async () => {
    const sink = await openSink({ on_failure: 'dead_letter' });
    const payload = Buffer.alloc(60_000_000, 'x');
    const outcome = await sink.consume([polledMessage(0, { payload }), polledMessage(1)]);
    expect(outcome).toMatchObject({ settledCount: 2, deadLetteredCount: 1, failure: undefined });
    const [letter] = await stored(`${collection}_dead_letters`);
    expect(letter).toMatchObject({
      payload_bytes: 60_000_000,
      payload_sha256: createHash('sha256').update(payload).digest('hex'),
      reason: expect.stringContaining('larger than 16777215 bytes'),
    });
    expect(letter?.['payload']).toMatchObject({ position: LETTER_PAYLOAD_BYTES_MAX });
  });

  it('keeps what BSON or a date cannot hold, and what has broken headers', async () => {
    const sink = await openSink({
      on_failure: 'dead_letter',
      payload_format: 'json',
      include_headers: true,
    });
    const times = { timestampUs: 2n ** 64n - 1n, originTimestampUs: 2n ** 64n - 1n };
    const unreadHeaders = { reason: 'its headers cannot be read', bytes: Buffer.from('garbage') };
    const messages = [
      polledMessage(0, times),
      polledMessage(1, { ...times, payload: '{' }),
      polledMessage(2, { unreadHeaders }),
      polledMessage(3, { payload: '{"\\ud800":1,"\\ud801":2,"v":"\\udfff"}' }),
      polledMessage(4, { payload: '{"n":1e400}' }),
    ];
    const expected = { settledCount: 5, deadLetteredCount: 4, failure: undefined };
    await expect(sink.consume(messages)).resolves.toMatchObject({ ...expected, replayedCount: 0 });
    await expect(sink.consume(messages)).resolves.toMatchObject({ ...expected, replayedCount: 1 });
    const text = '18446744073709551615';
    const digits = { iggy_timestamp_str: text, iggy_origin_timestamp_str: text };
    await expect(stored(collection)).resolves.toMatchObject([digits]);
    const letters = await stored(`${collection}_dead_letters`);
    expect(letters.map(({ reason }) => String(reason).slice(0, 26)).sort()).toEqual([
      'its JSON has a number that',
      'its JSON has half of a cha',
      'its headers cannot be read',
      'its payload is not JSON (a',
    ]);
    expect(letters.find(({ iggy_offset: offset }) => offset === 1)).toMatchObject(digits);
    expect(letters.find(({ iggy_offset: offset }) => offset === 2)).toMatchObject({
      iggy_headers_raw: new Binary(Buffer.from('garbage')),
    });
  });
});
