import { describe, expect, it } from '@jest/globals';
import { Double, Long, ObjectId } from 'mongodb';
import { describeMongodb } from '../support/mongodb.ts';
import {
  createTestSource,
  NEVER,
  payloadsOf,
  runSource,
  stageItems,
} from '../support/mongodb-source.ts';

describeMongodb('a MongoDB source', () => {
  const stage = stageItems();
  const { run } = stage;

  describe('what a message is', () => {
    it('is JSON with the digits of every number, an id, a time and a partition', async () => {
      const _id = new ObjectId('65a000000000000000000001');
      await stage.items.insertOne({
        _id,
        n: Long.fromString('9007199254740993'),
        d: new Double(1),
      });
      const first = await run();
      const [message] = first.messages;
      expect(message?.payload.toString()).toBe(
        '{"_id":{"$oid":"65a000000000000000000001"},"n":9007199254740993,"d":1.0}',
      );
      expect(message?.headers).toEqual([
        {
          key: { kind: 'string', value: 'gatepost_timestamp' },
          value: { kind: 'uint64', value: BigInt(0x65a00000) * 1_000_000n },
        },
      ]);
      expect((await run()).messages).toEqual(first.messages);
      await stage.items.updateOne({ n: { $exists: true } }, { $set: { n: 2 } });
      const [changed] = (await run()).messages;
      expect(changed?.id).not.toBe(message?.id);
      expect(changed?.partitionHash).toBe(message?.partitionHash);
    });

    it('has the time of the tracking date', async () => {
      await stage.items.insertOne({ _id: 1, at: new Date(1234) });
      const { messages } = await run({ tracking_field: 'at' });
      expect(messages[0]?.headers[0]?.value.value).toBe(1_234_000n);
    });

    const projections: readonly (readonly [string, object, object])[] = [
      ['{"a":1,"_id":0}', { tracking_field: 'meta.at' }, { a: 1 }],
      ['{"a":1,"_id":0}', { tracking_field: 'n' }, { a: 1 }],
      ['{"meta.x":1}', { tracking_field: 'meta.at' }, { _id: 1, meta: { x: 1 } }],
      ['{"meta.y":1}', { tracking_field: 'meta.at' }, { _id: 1, meta: {} }],
      ['{"meta":{"x":1}}', { tracking_field: 'n' }, { _id: 1, meta: { x: 1 } }],
      ['{"_id":0}', {}, { a: 1, n: 1, meta: { at: 1, x: 1 }, list: [1, 2] }],
      ['{"_id":1}', { tracking_field: 'n' }, { _id: 1 }],
      ['{"_id":1}', {}, { _id: 1 }],
      ['{"a":0,"n":0,"list":0}', { tracking_field: 'n' }, { _id: 1, meta: { at: 1, x: 1 } }],
      ['{"meta":0,"list":0}', { tracking_field: 'meta.at' }, { _id: 1, a: 1, n: 1 }],
      ['{"list":{"$slice":1},"meta":0}', {}, { _id: 1, a: 1, n: 1, list: [1] }],
      ['{"b":"$a"}', { tracking_field: 'n' }, { _id: 1, b: 1 }],
      ['{}', {}, { _id: 1, a: 1, n: 1, meta: { at: 1, x: 1 }, list: [1, 2] }],
    ];

    it.each(projections)(
      'has of projection %s what was asked for',
      async (projection, more, is) => {
        await stage.items.insertOne({ _id: 1, a: 1, n: 1, meta: { at: 1, x: 1 }, list: [1, 2] });
        const { messages } = await run({ projection, batch_size: 1, ...more });
        expect(payloadsOf(messages)).toEqual([is]);
      },
    );

    it('reads only what query_filter lets through, behind the position too', async () => {
      await stage.items.insertMany([1, 2, 3, 4, 5, 6].map((_id) => ({ _id, at: new Date(_id) })));
      const query_filter =
        '{"_id":{"$gt":{"$numberLong":"2"},"$ne":4},"at":{"$lt":{"$date":{"$numberLong":"6"}}}}';
      const { messages } = await run({ query_filter, batch_size: 1, payload_field: '_id' });
      expect(payloadsOf(messages)).toEqual([3, 5]);
    });
  });

  describe('a batch', () => {
    it('ends at its bytes, and says that more may be there', async () => {
      const big = 'x'.repeat(1_000_000);
      await stage.items.insertMany(Array.from({ length: 40 }, (_, _id) => ({ _id, big })));
      const { batches, messages } = await run({ projection: '{"big":1}' });
      expect(batches.length).toBeGreaterThan(1);
      for (const batch of batches) {
        expect(batch.messages.length).toBeLessThan(34);
      }
      expect(batches.map(({ isFull }) => isFull)).toEqual([
        ...batches.slice(1).map(() => true),
        false,
      ]);
      expect(payloadsOf(messages)).toEqual(Array.from({ length: 40 }, (_, _id) => ({ _id, big })));
    });

    it('before a document that cannot be carried is delivered, then the source stops', async () => {
      await stage.items.insertMany([{ _id: 1, p: 'a' }, { _id: 2 }, { _id: 3, p: 'c' }]);
      const { source } = createTestSource(stage.database, { payload_field: 'p' });
      await source.open(undefined, NEVER);
      const first = await source.poll(NEVER);
      expect(payloadsOf(first.messages)).toEqual(['a']);
      expect(first.isFull).toBe(true);
      await source.acknowledge(NEVER);
      await expect(source.poll(NEVER)).rejects.toMatchObject({
        kind: 'invalid-record',
        message: expect.stringMatching(/_id \{"\$numberInt":"2"\}.*payload_field "p"/),
      });
      await source.close();
    });

    it.each([{}, { processed_field: 'done' }])('skips such a document (%j)', async (fields) => {
      await stage.items.insertMany([{ _id: 1, p: 'a' }, { _id: 2 }, { _id: 3, p: 'c' }]);
      const { source, log } = createTestSource(stage.database, {
        ...{ payload_field: 'p', on_failure: 'skip', batch_size: 1 },
        ...fields,
      });
      const { messages, batches } = await runSource({ source, log });
      expect(payloadsOf(messages)).toEqual(['a', 'c']);
      expect(batches.map(({ skippedCount = 0 }) => skippedCount)).toEqual([0, 1, 0, 0]);
      expect(log.warnings.filter((text) => text.startsWith('Skipped'))).toHaveLength(1);
    });

    it.each([
      { name: 'an array', value: [1, 100], isBehind: false },
      { name: 'an array behind others', value: [100], isBehind: false },
      { name: 'an empty array', value: [], isBehind: true },
      { name: 'an array of an array', value: [[1]], isBehind: false },
    ])('stops before $name as tracking value', async ({ value, isBehind }) => {
      await stage.items.insertMany([
        { _id: 1, v: 5 },
        { _id: 2, v: 50 },
      ]);
      const first = await run({ tracking_field: 'v', batch_size: 1 });
      expect(first.messages).toHaveLength(2);
      await stage.items.insertOne({ _id: 3, v: value });
      const fields = { tracking_field: 'v', on_failure: 'skip' };
      for (const state of isBehind ? [undefined] : [undefined, first.state]) {
        await expect(run(fields, state)).rejects.toMatchObject({
          kind: 'invalid-record',
          message: expect.stringContaining('an array in "v"'),
        });
      }
    });
  });

  describe('when it opens', () => {
    it('warns of a missing collection, and reads it when it is there', async () => {
      const { source, log } = createTestSource(stage.database);
      await source.open(undefined, NEVER);
      expect(log.warnings).toEqual([
        `Collection ${stage.database.name}.items does not exist; ` +
          'polling will return empty results until the collection is created',
      ]);
      expect((await source.poll(NEVER)).messages).toEqual([]);
      await stage.items.insertOne({ _id: 1 });
      expect((await source.poll(NEVER)).messages).toHaveLength(1);
      await source.close();
    });

    it.each([
      ['no index', undefined, 1],
      ['an index on the field alone', { key: { v: 1 }, name: 'i' }, 1],
      ['a sparse index', { key: { v: 1, _id: 1 }, name: 'i', sparse: true }, 1],
      ['an index that begins with both', { key: { v: 1, _id: 1, x: 1 }, name: 'i' }, 0],
      ['such an index the other way round', { key: { v: -1, _id: -1 }, name: 'i' }, 0],
      ['an index of two directions', { key: { v: 1, _id: -1 }, name: 'i' }, 1],
      [
        'an index of another collation',
        { key: { v: 1, _id: 1 }, name: 'i', collation: { locale: 'en' } },
        1,
      ],
    ] as const)('warns unless an index helps: %s', async (_name, index, count) => {
      await stage.items.insertOne({ _id: 1 });
      if (index !== undefined) {
        await stage.items.createIndexes([{ ...index, key: { ...index.key } }]);
      }
      const { log } = await run({ tracking_field: 'v' });
      expect(log.warnings.filter((text) => text.startsWith('No index'))).toHaveLength(count);
    });

    it('says what it has done when it closes, and more when asked', async () => {
      await stage.items.insertOne({ _id: 1 });
      const { log } = await run({ verbose_logging: true });
      expect(log.notes).toEqual([
        'Read 1 documents, skipped 0',
        'Closed: 1 documents read for sending, 0 skipped, 0 deleted, 0 retries; ' +
          '1 documents in all runs',
      ]);
    });
  });
});
