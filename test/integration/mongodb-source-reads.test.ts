// What reading costs the server, and what it needs to be allowed.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { BSON, Int32, ObjectId } from 'mongodb';
import { conditionBehind, sortOf } from '../../src/connectors/source-cursor.ts';
import type { Position } from '../../src/connectors/source-cursor.ts';
import { describeMongodb } from '../support/mongodb.ts';
import {
  createTestSource,
  NEVER,
  payloadsOf,
  runSource,
  stageItems,
} from '../support/mongodb-source.ts';

const DOCUMENTS = 2000;
const BATCH = 50;

interface Examined {
  readonly totalKeysExamined: number;
  readonly totalDocsExamined: number;
}

function examinedOf(explained: unknown): Examined {
  const stats =
    typeof explained === 'object' && explained !== null && 'executionStats' in explained
      ? explained.executionStats
      : undefined;
  const read = (name: string): number =>
    typeof stats === 'object' && stats !== null
      ? Number(new Map(Object.entries(stats)).get(name))
      : NaN;
  return {
    totalKeysExamined: read('totalKeysExamined'),
    totalDocsExamined: read('totalDocsExamined'),
  };
}

describeMongodb('what a MongoDB source reads', () => {
  const stage = stageItems();
  const { run } = stage;

  describe('by an index', () => {
    beforeEach(async () => {
      await stage.items.insertMany(
        Array.from({ length: DOCUMENTS }, (_, index) => ({
          _id: index,
          v: Math.floor(index / 100),
          id: new ObjectId(),
        })),
      );
      await stage.items.createIndexes([{ key: { v: 1, _id: 1 }, name: 'order' }]);
    });

    async function examined(
      trackingField: string,
      position: Position,
      filter: object = {},
    ): Promise<Examined> {
      const explained: unknown = await stage.items
        .find({ $and: [filter, conditionBehind(trackingField, position)] })
        .sort(sortOf(trackingField))
        .limit(BATCH)
        .explain('executionStats');
      return examinedOf(explained);
    }

    it.each([
      ['_id', { tracking: new Int32(999), id: { value: new Int32(999) } }],
      ['v', { tracking: new Int32(9), id: { value: new Int32(940) } }],
      ['v', { tracking: new Int32(9), id: { value: new Int32(999) } }],
      ['v', { tracking: new Int32(9) }],
    ])('by %s behind %j is what a batch gives, and hardly more', async (field, position) => {
      const { totalKeysExamined, totalDocsExamined } = await examined(field, position);
      expect(totalDocsExamined).toBeLessThanOrEqual(BATCH + 5);
      expect(totalKeysExamined).toBeLessThanOrEqual(BATCH + 10);
    });

    it('at the end of all is nothing', async () => {
      const last = new Int32(DOCUMENTS - 1);
      const ends = [
        await examined('_id', { tracking: last, id: { value: last } }),
        await examined('v', { tracking: new Int32(19), id: { value: last } }),
      ];
      for (const { totalDocsExamined } of ends) {
        expect(totalDocsExamined).toBe(0);
      }
    });

    it('is not more with a filter that lets all through', async () => {
      const position = { tracking: new Int32(9), id: { value: new Int32(940) } };
      const { totalDocsExamined } = await examined('v', position, { id: { $exists: true } });
      expect(totalDocsExamined).toBeLessThanOrEqual(BATCH + 5);
    });
  });

  it('may be a view', async () => {
    const { client, name } = stage.database;
    await stage.items.insertMany([
      { _id: 1, v: 1 },
      { _id: 2, v: 2 },
      { _id: 3, v: 3 },
    ]);
    const database = client.db(name);
    await database.createCollection('seen', {
      viewOn: 'items',
      pipeline: [{ $match: { v: { $gt: 1 } } }],
    });
    const { messages } = await run({ collection: 'seen', batch_size: 1 });
    expect(payloadsOf(messages)).toEqual([
      { _id: 2, v: 2 },
      { _id: 3, v: 3 },
    ]);
    const test = createTestSource(stage.database, { collection: 'seen', delete_after_read: true });
    await expect(runSource(test)).rejects.toMatchObject({ kind: 'storage' });
    expect(await stage.items.countDocuments()).toBe(3);
    await database.dropCollection('seen');
  });

  it('is sent as BSON byte for byte', async () => {
    const inner = new Map<string, unknown>([
      ['2', 1],
      ['1', 2],
    ]);
    await stage.items.insertOne({ _id: 1, inner, at: new Date(5) });
    const { messages } = await run({ payload_format: 'bson' });
    const expected = new Map<string, unknown>([
      ['_id', 1],
      ['inner', inner],
      ['at', new Date(5)],
    ]);
    expect(messages[0]?.payload).toEqual(Buffer.from(BSON.serialize(expected)));
  });

  it('is sent with snake_case names and metadata when that is asked for', async () => {
    await stage.items.insertOne({ _id: 1, firstName: 'A', homeAddress: { zipCode: '1' }, n: 5 });
    const { messages } = await run({
      snake_case_fields: true,
      include_metadata: true,
      tracking_field: 'n',
      projection: '{"firstName":1,"homeAddress":1,"_id":0}',
    });
    expect(payloadsOf(messages)).toEqual([
      {
        first_name: 'A',
        home_address: { zip_code: '1' },
        _iggy_source_collection: 'items',
        _iggy_poll_timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        _iggy_document_offset: 5,
      },
    ]);
  });

  it('is polled again and again by one source', async () => {
    // What is not there yet may become a view, of which a batch that is just full is known to end.
    await stage.database.client.db(stage.database.name).createCollection('items');
    const { source } = createTestSource(stage.database, { batch_size: 2 });
    await source.open(undefined, NEVER);
    const seen: unknown[] = [];
    for (let round = 0; round < 5; round += 1) {
      await stage.items.insertMany([{ _id: 2 * round }, { _id: 2 * round + 1 }]);
      const batch = await source.poll(NEVER);
      expect(batch.isFull).toBe(true);
      seen.push(...payloadsOf(batch.messages));
      await source.acknowledge(NEVER);
      expect((await source.poll(NEVER)).isFull).toBe(false);
    }
    await source.close();
    await source.close();
    expect(seen).toEqual(Array.from({ length: 10 }, (_, _id) => ({ _id })));
  });

  it('is opened again after it was closed, from what was saved', async () => {
    await stage.items.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
    const { source } = createTestSource(stage.database, { batch_size: 1 });
    await source.open(undefined, NEVER);
    const first = await source.poll(NEVER);
    await source.close();
    await expect(source.poll(NEVER)).rejects.toThrow('not open');
    await source.open(first.state, NEVER);
    expect(await source.acknowledge(NEVER)).toBeUndefined();
    expect(payloadsOf((await source.poll(NEVER)).messages)).toEqual([{ _id: 2 }]);
    await source.close();
  });
});
