// What a source reads as of one moment, and where documents have no place of their own.
import { afterEach, expect, it } from '@jest/globals';
import { describeBehindProxy } from '../support/mongodb-proxy.ts';
import { startMongodbRelay } from '../support/mongodb-relay.ts';
import type { MongodbRelay } from '../support/mongodb-relay.ts';
import { createTestSource, payloadsOf, runSource, stageItems } from '../support/mongodb-source.ts';
import type { Run } from '../support/mongodb-source.ts';

type Fields = Readonly<Record<string, unknown>>;

describeBehindProxy('the consistency of a MongoDB source', () => {
  const stage = stageItems();
  let relay: MongodbRelay | undefined;

  afterEach(async () => {
    await relay?.stop();
    relay = undefined;
  });

  /** Which reads of documents in order are as of one moment, and what the source says. */
  async function levels(
    fields: Fields,
  ): Promise<{ readonly run: Run; readonly concerns: readonly string[] }> {
    const concerns: string[] = [];
    relay = await startMongodbRelay(stage.database.uri, (message) => {
      if (message.includes('\u0002find\0') && message.includes('\u0003sort\0')) {
        const [concern = 'none'] =
          /snapshot\0|majority\0/.exec(message.toString('latin1'))?.[0].split('\0') ?? [];
        concerns.push(concern);
      }
      return 'pass';
    });
    const { name } = stage.database;
    const run = await runSource(createTestSource({ uri: relay.uri, name }, fields));
    return { run, concerns };
  }

  it('is that of a snapshot where a field may change that orders the documents', async () => {
    await stage.items.insertMany([
      { _id: 1, v: 2 },
      { _id: 2, v: 1 },
    ]);
    const { run, concerns } = await levels({ tracking_field: 'v' });
    expect(payloadsOf(run.messages)).toMatchObject([{ _id: 2 }, { _id: 1 }]);
    expect(concerns).toEqual(['snapshot']);
    expect(run.log.warnings).toEqual([expect.not.stringContaining('MISSED')]);
  });

  it('needs none by _id, which does not change', async () => {
    await stage.items.insertOne({ _id: 1 });
    const { concerns } = await levels({});
    expect(concerns).toEqual(['majority']);
  });

  it('is none of a capped collection, and the log says what that means', async () => {
    const database = stage.database.client.db(stage.database.name);
    await database.createCollection('items', { capped: true, size: 4096 });
    await stage.items.insertOne({ _id: 1, v: 1 });
    const { run, concerns } = await levels({ tracking_field: 'v' });
    expect(run.messages).toHaveLength(1);
    expect(concerns).toEqual(['majority']);
    expect(run.log.warnings).toEqual([expect.stringContaining('MISSED')]);
  });

  it('falls back for good where a server refuses, as for a view of a capped one', async () => {
    const database = stage.database.client.db(stage.database.name);
    await database.createCollection('items', { capped: true, size: 4096 });
    await database.createCollection('seen', { viewOn: 'items', pipeline: [] });
    await stage.items.insertMany([
      { _id: 1, v: 1 },
      { _id: 2, v: 2 },
    ]);
    const { run, concerns } = await levels({
      collection: 'seen',
      tracking_field: 'v',
      batch_size: 1,
    });
    expect(payloadsOf(run.messages)).toMatchObject([{ _id: 1 }, { _id: 2 }]);
    expect(concerns[0]).toBe('snapshot');
    expect(new Set(concerns.slice(1))).toEqual(new Set(['majority']));
    expect(run.log.warnings.filter((text) => text.includes('no snapshot'))).toHaveLength(1);
    await database.dropCollection('seen');
  });

  const halted = { kind: 'invalid-record', message: expect.stringContaining('same "v"') };

  it.each([1, 2, 1000])('halts at alike documents of a view, %d in a batch', async (batch_size) => {
    const database = stage.database.client.db(stage.database.name);
    await stage.items.insertMany([
      { _id: 1, v: 1, parts: [1] },
      { _id: 2, v: 2, parts: [1, 2] },
    ]);
    const pipeline = [{ $unwind: '$parts' }];
    await database.createCollection('seen', { viewOn: 'items', pipeline });
    const fields = { collection: 'seen', tracking_field: 'v', batch_size, on_failure: 'skip' };
    const test = createTestSource(stage.database, fields);
    await expect(runSource(test)).rejects.toMatchObject(halted);
    await database.dropCollection('seen');
  });

  it('halts at alike documents of a time series', async () => {
    const database = stage.database.client.db(stage.database.name);
    await database.createCollection('seen', { timeseries: { timeField: 'v' } });
    const at = new Date('2026-02-21T10:00:00Z');
    await database.collection('seen').insertMany([{ v: new Date(0) }, { v: at }]);
    const fields = { collection: 'seen', tracking_field: 'v', batch_size: 1 };
    const whole = await runSource(createTestSource(stage.database, fields));
    expect(whole.messages).toHaveLength(2);
    const second = (await database.collection('seen').findOne({ v: at })) ?? {};
    await database.collection('seen').insertOne({ ...second, again: true });
    const test = createTestSource(stage.database, fields);
    await expect(runSource(test)).rejects.toMatchObject(halted);
    await database.dropCollection('seen');
  });
});
