import { beforeEach, describe, expect, it } from '@jest/globals';
import { Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import { describeMongodb } from '../support/mongodb.ts';
import {
  byId,
  createTestSource,
  NEVER,
  payloadsOf,
  stageItems,
} from '../support/mongodb-source.ts';
import { UnsettledError } from '../../src/connectors/connector-error.ts';
import type { SourceBatch } from '../../src/connectors/connector.ts';

/** How documents are settled, with what tells that one is. */
const WAYS = [
  { name: 'deletes', fields: { delete_after_read: true }, left: { done: 'never' } },
  { name: 'marks', fields: { processed_field: 'done' }, left: { done: { $ne: true } } },
] as const;

function stateOf(batch: SourceBatch): string {
  return batch.state ?? '';
}

describeMongodb('a MongoDB source that settles what was sent', () => {
  const stage = stageItems();
  const { run } = stage;

  it('delete_after_read_removes_documents', async () => {
    await stage.items.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
    const { messages, log } = await run({ delete_after_read: true, batch_size: 2 });
    expect(messages).toHaveLength(3);
    expect(await stage.items.countDocuments()).toBe(0);
    expect(log.warnings[0]).toContain('delete_after_read');
    expect(log.notes.at(-1)).toContain('3 deleted');
  });

  it('mark_processed_sets_field', async () => {
    await stage.items.insertMany([{ _id: 1 }, { _id: 2, done: false }, { _id: 3, done: true }]);
    const { messages, state } = await run({ processed_field: 'done' });
    expect(payloadsOf(messages)).toEqual([{ _id: 1 }, { _id: 2, done: false }]);
    expect(await stage.items.countDocuments({ done: true })).toBe(3);
    // What comes behind the last one is found all the same.
    await stage.items.insertOne({ _id: 0 });
    const again = await run({ processed_field: 'done' }, state);
    expect(payloadsOf(again.messages)).toEqual([{ _id: 0 }]);
  });

  describe.each(WAYS)('and $name', ({ fields, left }) => {
    async function leftCount(): Promise<number> {
      return await stage.items.countDocuments('delete_after_read' in fields ? {} : left);
    }

    it('does so when it is told, and not before', async () => {
      await stage.items.insertMany([{ _id: 1 }, { _id: 2 }]);
      const { source } = createTestSource(stage.database, fields);
      await source.open(undefined, NEVER);
      await source.poll(NEVER);
      await source.poll(NEVER);
      expect(await leftCount()).toBe(2);
      const state = await source.acknowledge(NEVER);
      expect(await leftCount()).toBe(0);
      expect(JSON.parse(state ?? '')).toMatchObject({ pending: [], tracking_offsets: {} });
      expect(await source.acknowledge(NEVER)).toBeUndefined();
      await source.close();
    });

    it('takes documents of every kind for what they are', async () => {
      await stage.items.insertMany([
        { _id: new ObjectId(), d: new Double(1), l: Long.fromNumber(1), nan: new Double(NaN) },
        { _id: { a: 1, b: { c: 'x' } }, $set: 1, 'a.b': 2, '': 3, __proto__: null },
        {
          _id: 'names',
          inner: new Map<string, unknown>([
            ['2', 1],
            ['1', 2],
            ['constructor', 3],
            ['_bsontype', 'Long'],
          ]),
        },
        {
          _id: null,
          ref: { $ref: 'a', $id: 1, $db: 'c', more: 1 },
          at: new Timestamp({ t: 1, i: 2 }),
        },
        { _id: 'text', text: '$$ROOT', expr: { $literal: { $add: [1, 2] } }, list: [[], [{}]] },
      ]);
      const { messages } = await run(fields);
      expect(messages).toHaveLength(5);
      expect(await leftCount()).toBe(0);
    });

    it('leaves what was changed after it was read, and sends it again', async () => {
      await stage.items.insertMany([
        { _id: 1, n: 1 },
        { _id: 2, n: 1 },
        { _id: 3, n: 1 },
      ]);
      const { source, log } = createTestSource(stage.database, fields);
      await source.open(undefined, NEVER);
      const first = await source.poll(NEVER);
      await stage.items.updateOne(byId(2), { $set: { n: 2 } });
      await stage.items.deleteOne(byId(3));
      await source.acknowledge(NEVER);
      expect(log.notes.at(-1)).toContain('2 of 3 documents were changed or gone');
      expect(await leftCount()).toBe(1);
      const second = await source.poll(NEVER);
      expect(payloadsOf(second.messages)).toEqual([{ _id: 2, n: 2 }]);
      expect(second.messages[0]?.id).not.toBe(first.messages[1]?.id);
      await source.acknowledge(NEVER);
      expect(await leftCount()).toBe(0);
      expect((await source.poll(NEVER)).messages).toEqual([]);
      await source.close();
    });

    it.each([
      { name: 'whole documents', more: {} },
      { name: 'a part of them', more: { projection: '{"n":1,"_id":0}', tracking_field: 'at' } },
    ])('settles after a restart what it owes of $name', async ({ more }) => {
      await stage.items.insertMany([
        { _id: 1, n: 1, at: 1 },
        { _id: 2, n: 1, at: 2 },
        { _id: 3, n: 1, at: 3 },
      ]);
      const config = { ...fields, ...more };
      const { source } = createTestSource(stage.database, config);
      await source.open(undefined, NEVER);
      const batch = await source.poll(NEVER);
      await source.close();
      await stage.items.updateOne(byId(2), { $set: { n: 2 } });
      await stage.items.deleteOne(byId(3));
      const restarted = createTestSource(stage.database, config);
      await restarted.source.open(stateOf(batch), NEVER);
      expect(await leftCount()).toBe(2);
      const state = await restarted.source.acknowledge(NEVER);
      expect(await leftCount()).toBe(1);
      expect(JSON.parse(state ?? '')).toMatchObject({ pending: [], processed_documents: 3 });
      const second = await restarted.source.poll(NEVER);
      expect(payloadsOf(second.messages)).toMatchObject([{ n: 2 }]);
      expect(await restarted.source.acknowledge(NEVER)).toBeDefined();
      expect(await leftCount()).toBe(0);
      await restarted.source.close();
    });

    it.each([
      ['an integer that became a decimal', new Int32(5), Decimal128.fromString('5.000')],
      ['a zero that became negative', new Int32(0), new Double(-0)],
    ])('leaves %s', async (_name, before, after) => {
      await stage.items.insertOne({ _id: 1, n: before });
      const { source } = createTestSource(stage.database, fields);
      await source.open(undefined, NEVER);
      const first = await source.poll(NEVER);
      await stage.items.updateOne(byId(1), { $set: { n: after } });
      await source.acknowledge(NEVER);
      expect(await leftCount()).toBe(1);
      const second = await source.poll(NEVER);
      expect(second.messages[0]?.id).not.toBe(first.messages[0]?.id);
      await source.acknowledge(NEVER);
      expect(await leftCount()).toBe(0);
      await source.close();
    });

    it('compares byte for byte where the collection does not', async () => {
      const { client, name } = stage.database;
      await client.db(name).createCollection('items', { collation: { locale: 'en', strength: 1 } });
      await stage.items.insertOne({ _id: 'X', text: 'a' });
      const { source } = createTestSource(stage.database, fields);
      await source.open(undefined, NEVER);
      await source.poll(NEVER);
      await stage.items.updateOne({}, { $set: { text: 'A' } });
      await source.acknowledge(NEVER);
      expect(await leftCount()).toBe(1);
      await source.poll(NEVER);
      await source.acknowledge(NEVER);
      expect(await leftCount()).toBe(0);
      await source.close();
    });
  });

  it('settles large batches in several writes', async () => {
    const big = 'x'.repeat(100_000);
    await stage.items.insertMany(Array.from({ length: 100 }, (_, _id) => ({ _id, big })));
    await stage.items.insertMany(Array.from({ length: 2500 }, (_, _id) => ({ _id: 1000 + _id })));
    const fields = { delete_after_read: true, batch_size: 5000 };
    const { source } = createTestSource(stage.database, fields);
    await source.open(undefined, NEVER);
    const batch = await source.poll(NEVER);
    await source.close();
    expect(batch.messages).toHaveLength(2600);
    const { messages } = await run(fields, stateOf(batch));
    expect(messages).toEqual([]);
    expect(await stage.items.countDocuments()).toBe(0);
  });

  it('saves no state that is too large to be loaded, and carries everything', async () => {
    const ids = Array.from({ length: 10 }, (_, index) => `${index}${'"'.repeat(500_000)}`);
    await stage.items.insertMany(ids.map((_id) => ({ _id, p: 1 })));
    const fields = { delete_after_read: true, payload_field: 'p' };
    const { batches, messages } = await run(fields);
    expect(batches.map((batch) => [batch.messages.length, batch.isFull])).toEqual([
      [9, true],
      [1, false],
    ]);
    expect(messages).toHaveLength(10);
    expect(stateOf(batches[0] ?? { messages: [], state: '', isFull: false }).length).toBeLessThan(
      32 * 1024 * 1024,
    );
    expect(await stage.items.countDocuments()).toBe(0);
  });

  it('drops what it owed when nothing is to be settled any more', async () => {
    await stage.items.insertOne({ _id: 1 });
    const { source } = createTestSource(stage.database, { delete_after_read: true });
    await source.open(undefined, NEVER);
    const batch = await source.poll(NEVER);
    await source.close();
    const { state } = await run({}, stateOf(batch));
    expect(await stage.items.countDocuments()).toBe(1);
    expect(JSON.parse(state ?? '')).toMatchObject({ pending: [] });
  });

  /** What cannot be settled, each with two documents that can. */
  const WEDGES = [
    {
      name: 'a document that is too large to be compared',
      fields: { delete_after_read: true, projection: '{"n":1}' },
      odd: { n: 1, big: 'x'.repeat(16 * 1024 * 1024 - 8192) },
      said: 'too large to be compared',
    },
    {
      name: 'a document that has no room for the mark',
      fields: { processed_field: 'meta.done' },
      odd: { meta: 5 },
      said: 'code 28',
    },
    {
      name: 'a mark that an index refuses',
      fields: { processed_field: 'done', projection: '{"n":1}' },
      odd: { u: 1, n: 1 },
      said: 'code 11000',
    },
  ];

  async function insertWithOdd(odd: Readonly<Record<string, unknown>>): Promise<void> {
    await stage.items.insertOne({ _id: 'a' });
    await stage.items.insertOne({ _id: 'odd', ...odd });
    await stage.items.insertOne({ _id: 'z' });
  }

  describe.each(WEDGES)('before $name', ({ fields, odd, said }) => {
    beforeEach(async () => {
      await insertWithOdd(odd);
      if ('u' in odd) {
        const isMarked = { u: { $exists: true }, done: true };
        await stage.items.createIndex(
          { u: 1, done: 1 },
          { unique: true, partialFilterExpression: isMarked },
          {},
        );
        await stage.items.insertOne({ _id: 'taken', u: 1, done: true });
      }
    });

    const left = (): Promise<unknown[]> =>
      stage.items.distinct('_id', { done: { $ne: true }, 'meta.done': { $ne: true } });

    it('settles the others, then stops and names it', async () => {
      const { source } = createTestSource(stage.database, fields);
      await source.open(undefined, NEVER);
      const { messages, state } = await source.poll(NEVER);
      expect(messages).toHaveLength(3);
      const error: unknown = await source.acknowledge(NEVER).catch((thrown: unknown) => thrown);
      await source.close();
      expect(error).toBeInstanceOf(UnsettledError);
      expect(error).toMatchObject({
        kind: 'storage',
        message: expect.stringMatching(/_id "odd" of .*on_failure = "skip"/),
      });
      expect(error).toMatchObject({ message: expect.stringContaining(said) });
      expect(await left()).toEqual(['odd']);
      const owed = error instanceof UnsettledError ? error.state : '';
      expect(JSON.parse(owed)).toMatchObject({ pending: [{ id: '"odd"' }] });
      // It does so again while nothing is done, and goes on when it may.
      await expect(run(fields, state)).rejects.toBeInstanceOf(UnsettledError);
      const skipping = await run({ ...fields, on_failure: 'skip' }, owed);
      expect(skipping.log.warnings.join()).toContain(`_id "odd"`);
      expect(await left()).toEqual(['odd']);
    });

    it('skips it where it may, tells so once and sends it no more', async () => {
      const { source, log } = createTestSource(stage.database, { ...fields, on_failure: 'skip' });
      await source.open(undefined, NEVER);
      expect((await source.poll(NEVER)).messages).toHaveLength(3);
      const state = await source.acknowledge(NEVER);
      expect(JSON.parse(state ?? '')).toMatchObject({ pending: [] });
      expect(await left()).toEqual(['odd']);
      for (const skippedCount of [1, 0]) {
        expect(await source.poll(NEVER)).toMatchObject({ messages: [], skippedCount });
        await source.acknowledge(NEVER);
      }
      await source.close();
      expect(log.warnings.filter((text) => text.includes(said))).toEqual([
        expect.stringMatching(/^Skipped the document with _id "odd" of .*was sent and stays/),
      ]);
      expect(log.notes.at(-1)).toContain('3 documents read for sending, 1 skipped, 2 ');
    });
  });

  it('stops when MongoDB does not let it, naming the document', async () => {
    const { client, name } = stage.database;
    const validator = { done: { $exists: false } };
    await client.db(name).createCollection('items', { validator });
    await stage.items.insertOne({ _id: 'it' });
    await expect(run({ processed_field: 'done' })).rejects.toMatchObject({ kind: 'storage' });
    expect(await stage.items.countDocuments()).toBe(1);
  });
});
