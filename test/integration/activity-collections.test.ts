// The collections of activity: made by any of several processes, with the time that they are kept.
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Db } from 'mongodb';
import { z } from 'zod';
import { createActivityStage } from '../support/activity-stage.ts';
import type { ActivityStageOptions } from '../support/activity-stage.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';

let database: TestMongodbDatabase;
let db: Db;

beforeEach(async () => {
  database = await createTestMongodbDatabase();
  db = database.client.db(database.name);
});

afterEach(async () => {
  await database.drop();
});

const COLLECTION = z.object({
  type: z.string(),
  options: z.object({
    expireAfterSeconds: z.number(),
    timeseries: z.object({
      timeField: z.literal('at'),
      metaField: z.literal('meta'),
      granularity: z.literal('seconds'),
    }),
  }),
});

async function retentionOf(name: string): Promise<number> {
  const [found] = await db.listCollections({ name }).toArray();
  const { type, options } = COLLECTION.parse(found);
  expect(type).toBe('timeseries');
  return options.expireAfterSeconds;
}

/** One process that has written something, and ended. */
async function runOnce(options: Partial<ActivityStageOptions> = {}): Promise<void> {
  const stage = createActivityStage({ uri: database.uri, database: database.name, ...options });
  stage.note('select 1');
  stage.logSink.append({
    ...{ at: new Date(), level: 'info', event: 'x', message: 'X', fields: {}, owner: undefined },
  });
  await stage.close();
  const { activity, logs } = stage.counts();
  expect([activity, logs]).toEqual([
    { written: 1, lost: 0, waiting: 0 },
    { written: 1, lost: 0, waiting: 0 },
  ]);
}

describeMongodb('the collections', () => {
  it('are time series that forget', async () => {
    await runOnce({ activityRetentionMs: 3_600_000, logRetentionMs: 60_000 });
    expect([await retentionOf('activity'), await retentionOf('logs')]).toEqual([3600, 60]);
  });

  it('are made by several processes that start at once', async () => {
    await Promise.all(Array.from({ length: 8 }, async () => await runOnce()));
    expect(await db.collection('activity').countDocuments()).toBe(8);
    expect(await retentionOf('activity')).toBe(30 * 86_400);
  });

  it('get a new retention with a changed setting, and keep what they have', async () => {
    await runOnce({ activityRetentionMs: 3_600_000 });
    await runOnce({ activityRetentionMs: 7_200_000 });
    expect(await retentionOf('activity')).toBe(7200);
    expect(await db.collection('activity').countDocuments()).toBe(2);
  });

  it('have indexes for what is looked for', async () => {
    await runOnce();
    const keys = (await db.collection('activity').indexes()).map(({ key }) => Object.keys(key));
    expect(keys).toEqual([['at'], ['meta.owner', 'at'], ['account', 'at'], ['session', 'at']]);
  });

  it('are not made of a collection of somebody else’s', async () => {
    await db.createCollection('activity');
    const stage = createActivityStage({ uri: database.uri, database: database.name });
    stage.note('select 1');
    await stage.close();
    expect(stage.counts().activity).toEqual({ written: 0, lost: 1, waiting: 0 });
    expect(stage.losses()).toHaveLength(1);
    expect(await db.collection('activity').countDocuments()).toBe(0);
  });
});
