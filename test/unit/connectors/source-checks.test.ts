import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { checkCollection } from '../../../src/connectors/source-checks.ts';
import type { CollectionTraits } from '../../../src/connectors/source-checks.ts';
import { startFakeMongodb } from '../../support/fake-mongodb.ts';
import type { FakeMongodb, Fields } from '../../support/fake-mongodb.ts';
import { createLog, NEVER } from '../../support/mongodb-source.ts';

const BY_ID = { name: '_id_', key: { _id: 1 } };
const USABLE = { name: 'order', key: { v: 1, _id: 1 } };
const UNAUTHORIZED = { ok: 0, code: 13, errmsg: 'not authorized' };

function listOf(...firstBatch: readonly Fields[]): Fields {
  return { ok: 1, cursor: { id: 0n, ns: 'shop.orders', firstBatch } };
}

/** A real server that stands alone; those of replica sets are in the integration tests. */
describe('checkCollection', () => {
  let server: FakeMongodb;
  let client: MongoClient;
  let log = createLog();

  beforeEach(async () => {
    server = await startFakeMongodb();
    client = new MongoClient(server.uri);
    log = createLog();
  });

  afterEach(async () => {
    await client.close();
    await server.stop();
  });

  async function check(
    listed: Fields,
    indexes: Fields,
    trackingField = 'v',
  ): Promise<CollectionTraits> {
    server.answer = (command) => {
      if (command['listIndexes'] !== undefined) {
        return indexes;
      }
      return command['listCollections'] === undefined ? undefined : listed;
    };
    const checked = { database: 'shop', collection: 'orders', trackingField };
    return await checkCollection(client, checked, log, NEVER);
  }

  const ORDINARY = listOf({ name: 'orders', type: 'collection', options: {} });

  it('given_no_index_and_no_snapshots_should_say_that_updates_can_be_missed', async () => {
    const traits = await check(ORDINARY, listOf(BY_ID));
    expect(traits).toEqual({ isSnapshot: false, isAmbiguous: false });
    expect(log.warnings).toEqual([
      'No index of shop.orders begins with "v" and _id, so every poll reads and sorts what is ' +
        'behind its offset, and updates that are made while a poll reads can be MISSED: ' +
        'create {"v": 1, "_id": 1}',
    ]);
  });

  it('given_indexes_that_may_not_be_seen_should_say_what_can_be_missed', async () => {
    await check(ORDINARY, UNAUTHORIZED);
    expect(log.warnings[0]).toMatch(/cannot be seen.*; if none does, updates .* can be MISSED$/);
    await check(ORDINARY, UNAUTHORIZED, '_id');
    expect(log.warnings[1]).toMatch(/may not list its indexes$/);
  });

  it.each([
    ['_id', listOf(BY_ID), '_id'],
    ['an_index', listOf(BY_ID, USABLE), 'v'],
  ])('given_%s_to_read_by_should_not_warn', async (_name, indexes, trackingField) => {
    await check(ORDINARY, indexes, trackingField);
    expect(log.warnings).toEqual([]);
  });

  it.each([
    ['a_view', listOf({ name: 'orders', type: 'view', options: {} })],
    ['a_time_series', listOf({ name: 'orders', type: 'timeseries', options: {} })],
    ['none', listOf()],
    ['what_may_not_be_seen', UNAUTHORIZED],
  ])('given_%s_should_expect_documents_that_are_alike', async (_name, listed) => {
    expect(await check(listed, listOf(BY_ID, USABLE))).toMatchObject({ isAmbiguous: true });
  });

  const ENGLISH = { locale: 'en', strength: 2 };

  it.each([
    ['of_the_collection', ENGLISH, ENGLISH, 0],
    ['of_its_own', undefined, ENGLISH, 1],
    ['that_is_simple', ENGLISH, undefined, 1],
  ])('given_an_index_with_a_collation_%s_should_know_it', async (_name, ofAll, own, count) => {
    const collated = (index: Fields, collation?: Fields): Fields =>
      collation === undefined ? index : { ...index, collation };
    await check(ORDINARY, listOf(collated(BY_ID, ofAll), collated(USABLE, own)));
    expect(log.warnings).toHaveLength(count);
  });

  it('given_another_failure_should_not_hide_it', async () => {
    const broken = { ok: 0, code: 2, errmsg: 'bad value' };
    await expect(check(broken, listOf(BY_ID))).rejects.toMatchObject({ code: 2 });
  });
});
