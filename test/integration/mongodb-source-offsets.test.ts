import { expect, it } from '@jest/globals';
import { Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { describeMongodb } from '../support/mongodb.ts';
import {
  createTestSource,
  NEVER,
  payloadsOf,
  runSource,
  stageItems,
} from '../support/mongodb-source.ts';

describeMongodb('a MongoDB source that goes on', () => {
  const stage = stageItems();
  const { run } = stage;

  it('offset_tracking_across_polls', async () => {
    await stage.items.insertMany([{ _id: 1 }, { _id: 2 }]);
    const first = await run();
    expect(payloadsOf(first.messages)).toEqual([{ _id: 1 }, { _id: 2 }]);
    await stage.items.insertMany([{ _id: 3 }, { _id: 'text' }]);
    const second = await run({}, first.state);
    expect(payloadsOf(second.messages)).toEqual([{ _id: 3 }, { _id: 'text' }]);
    const third = await run({}, second.state);
    expect(third.batches).toEqual([{ messages: [], state: undefined, isFull: false }]);
    expect(JSON.parse(second.state ?? '')).toMatchObject({
      tracking_offsets: { items: '{"tracking":"text","_id":"text"}' },
      processed_documents: 4,
      pending: [],
    });
  });

  it('polls the same again when what it gave was not acknowledged', async () => {
    await stage.items.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
    const { source } = createTestSource(stage.database, { batch_size: 2 });
    await source.open(undefined, NEVER);
    const ids = async (): Promise<unknown[]> => payloadsOf((await source.poll(NEVER)).messages);
    expect(await ids()).toEqual([{ _id: 1 }, { _id: 2 }]);
    expect(await ids()).toEqual([{ _id: 1 }, { _id: 2 }]);
    expect(await source.acknowledge(NEVER)).toBeUndefined();
    expect(await ids()).toEqual([{ _id: 3 }]);
    await source.close();
  });

  const offsets: readonly {
    readonly name: string;
    readonly at: unknown;
    readonly later: unknown;
    readonly initial_offset: string;
    readonly shown: string;
  }[] = [
    {
      name: 'an ObjectId',
      at: new ObjectId('507f1f77bcf86cd799439011'),
      later: new ObjectId('507f1f77bcf86cd799439012'),
      initial_offset: '507f1f77bcf86cd799439011',
      shown: '{"$oid":"507f1f77bcf86cd799439011"}',
    },
    {
      name: 'a text of 24 digits',
      at: '1'.repeat(24),
      later: '2',
      initial_offset: '1'.repeat(24),
      shown: `"${'1'.repeat(24)}"`,
    },
    {
      name: 'a date',
      at: new Date('2026-01-01'),
      later: new Date(1.8e12),
      initial_offset: '2026-01-01',
      shown: '2026-01-01T00:00:00Z',
    },
    { name: 'a number', at: new Double(5), later: 6, initial_offset: '5', shown: '5' },
    {
      name: 'a Long',
      at: Long.fromNumber(5),
      later: Long.fromNumber(6),
      initial_offset: '5',
      shown: '5',
    },
    {
      name: 'a decimal',
      at: Decimal128.fromString('0.1'),
      later: new Int32(6),
      initial_offset: '0.1',
      shown: '"0.1"',
    },
    { name: 'a text', at: 'm', later: 'n', initial_offset: 'm', shown: '"m"' },
    {
      name: 'Extended JSON',
      at: new Date(5),
      later: new Date(6),
      initial_offset: '{"$date":{"$numberLong":"5"}}',
      shown: '1970-01-01T00:00:00.005Z',
    },
    { name: 'a quoted text', at: '5', later: '6', initial_offset: '"5"', shown: '"5"' },
  ];

  it.each(offsets)('begins behind $name', async ({ at, later, initial_offset, shown }) => {
    await stage.items.insertMany([
      { _id: 1, v: at },
      { _id: 2, v: later },
    ]);
    const source = createTestSource(stage.database, { tracking_field: 'v', initial_offset });
    const { messages, state } = await runSource(source);
    expect(payloadsOf(messages)).toMatchObject([{ _id: 2 }]);
    expect(source.log.notes[0]).toContain('Begins where "v" is greater than');
    expect(source.log.notes[0]).toContain(shown);
    // A saved position goes before it.
    await stage.items.insertOne({ _id: 3, v: later });
    const again = await run({ tracking_field: 'v', initial_offset }, state);
    expect(payloadsOf(again.messages)).toMatchObject([{ _id: 3 }]);
  });

  it('asks what an offset means when the first document is there', async () => {
    const { source, log } = createTestSource(stage.database, { initial_offset: '5' });
    await source.open(undefined, NEVER);
    expect((await source.poll(NEVER)).messages).toEqual([]);
    expect(log.notes).toEqual([]);
    await stage.items.insertMany([{ _id: '4' }, { _id: '6' }]);
    expect(payloadsOf((await source.poll(NEVER)).messages)).toEqual([{ _id: '6' }]);
    expect(log.notes).toEqual(['Begins where "_id" is greater than "5"']);
    await source.close();
  });

  it('asks again while the tracking field is missing or null', async () => {
    const fields = { tracking_field: 'v', initial_offset: '2026-01-01' };
    const { source, log } = createTestSource(stage.database, fields);
    await stage.items.insertMany([{ _id: 1 }, { _id: 2, v: null }]);
    await source.open(undefined, NEVER);
    expect((await source.poll(NEVER)).messages).toEqual([]);
    expect(log.notes).toEqual([]);
    await stage.items.insertMany([
      { _id: 3, v: '2025-12-31' },
      { _id: 4, v: '2026-01-02' },
    ]);
    expect(payloadsOf((await source.poll(NEVER)).messages)).toEqual([{ _id: 4, v: '2026-01-02' }]);
    expect(log.notes).toEqual(['Begins where "v" is greater than "2026-01-01"']);
    await source.close();
  });

  it('refuses an offset that the values contradict, and takes a plain one of a state', async () => {
    await stage.items.insertMany([{ _id: 1 }, { _id: 7 }]);
    await expect(run({ initial_offset: 'abc' })).rejects.toMatchObject({
      kind: 'invalid-config',
      message: expect.stringContaining('"abc"'),
    });
    const state = JSON.stringify({ tracking_offsets: { items: '5' }, processed_documents: 1 });
    expect(payloadsOf((await run({}, state)).messages)).toEqual([{ _id: 7 }]);
  });

  it('refuses states that are damaged, foreign or of the Rust runtime', async () => {
    await stage.items.insertOne({ _id: 1, v: 1 });
    const { state = '' } = await run();
    const refused = [
      [{}, state.slice(0, -1), 'damaged'],
      [{ tracking_field: 'v' }, state, 'belongs to'],
      [{ collection: 'others' }, state, 'belongs to'],
      [{}, '\ufffd\ufffd', "Iggy's Rust runtime"],
    ] as const;
    for (const [fields, text, said] of refused) {
      await expect(run(fields, text)).rejects.toMatchObject({
        kind: 'invalid-state',
        message: expect.stringContaining(said),
      });
    }
  });
});
