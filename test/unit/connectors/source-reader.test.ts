import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BSON, MongoClient } from 'mongodb';
import { BSON_TYPE } from '../../../src/backends/mongodb/bson-reader.ts';
import { SourceReader } from '../../../src/connectors/source-reader.ts';
import { startFakeMongodb } from '../../support/fake-mongodb.ts';
import type { FakeMongodb, Fields } from '../../support/fake-mongodb.ts';
import { createLog, NEVER } from '../../support/mongodb-source.ts';

const SNAPSHOT = { level: 'snapshot' };
const MAJORITY = { level: 'majority' };

describe('SourceReader', () => {
  let server: FakeMongodb;
  let client: MongoClient;
  let log = createLog();
  let reader: SourceReader;

  beforeEach(async () => {
    server = await startFakeMongodb();
    client = new MongoClient(server.uri);
    log = createLog();
    reader = new SourceReader(client, {
      database: 'shop',
      collection: 'orders',
      trackingField: 'v',
      queryFilter: undefined,
      processedField: undefined,
      projection: undefined,
      batchSize: 2,
      log,
    });
  });

  afterEach(async () => {
    await client.close();
    await server.stop();
  });

  /** Answers a find with so many of these documents as it asks for. */
  function serve(documents: readonly Fields[], refuse?: Fields): void {
    server.answer = (command) => {
      if (command['find'] === undefined) {
        return undefined;
      }
      const isRefused = JSON.stringify(command['readConcern']) === JSON.stringify(SNAPSHOT);
      const firstBatch = documents.slice(0, Number(command['limit']));
      return isRefused && refuse !== undefined
        ? { ok: 0, ...refuse }
        : { ok: 1, cursor: { id: 0n, ns: 'shop.orders', firstBatch } };
    };
  }

  function finds(): readonly Fields[] {
    return server.commands.filter((command) => command['find'] !== undefined);
  }

  async function readIds(): Promise<unknown> {
    const batch = await reader.read(undefined, NEVER);
    const idOf = (bson: Uint8Array): unknown => BSON.deserialize(bson)['_id'];
    const { beyond } = batch.doubles ?? {};
    return {
      ids: batch.documents.map(idOf),
      isFull: batch.isFull,
      beyond: beyond === undefined ? undefined : idOf(beyond),
    };
  }

  it('given_the_trait_should_read_a_snapshot', async () => {
    serve([{ _id: 1 }]);
    reader.adapt({ isSnapshot: true, isAmbiguous: false });
    await reader.read(undefined, NEVER);
    await reader.readByIds([1], true, NEVER);
    expect(finds().map(({ readConcern }) => readConcern)).toEqual([SNAPSHOT, MAJORITY]);
  });

  it.each([
    ['no_replica_set', { code: 123, errmsg: 'node needs to be a replica set member' }],
    ['invalid_options', { code: 72, errmsg: 'no' }],
    ['not_supported', { code: 263, errmsg: 'no' }],
    [
      'a_capped_collection',
      {
        code: 246,
        errmsg: 'Reading from capped collections with readConcern snapshot is not supported',
      },
    ],
  ])('given_a_refusal_because_of_%s_should_forgo_snapshots_for_good', async (_name, refusal) => {
    serve([{ _id: 1 }], refusal);
    reader.adapt({ isSnapshot: true, isAmbiguous: false });
    expect(await readIds()).toMatchObject({ ids: [1] });
    await readIds();
    const concerns = finds().map(({ readConcern }) => readConcern);
    expect(concerns).toEqual([SNAPSHOT, MAJORITY, MAJORITY]);
    expect(log.warnings).toEqual([
      expect.stringMatching(/^MongoDB gives no snapshot of shop\.orders .*can be MISSED/),
    ]);
  });

  it('given_a_snapshot_that_is_not_there_yet_should_fail_and_ask_for_one_again', async () => {
    serve([], { code: 246, errmsg: 'Unable to read from a snapshot due to pending changes' });
    reader.adapt({ isSnapshot: true, isAmbiguous: false });
    for (const count of [1, 2]) {
      await expect(reader.read(undefined, NEVER)).rejects.toMatchObject({ code: 246 });
      const wanted = Array.from({ length: count }, () => SNAPSHOT);
      expect([...new Set(finds().map(({ readConcern }) => readConcern))]).toEqual(
        expect.arrayContaining(wanted),
      );
    }
    expect(finds().map(({ readConcern }) => readConcern)).not.toContainEqual(MAJORITY);
    expect(log.warnings).toEqual([]);
  });

  it('given_documents_that_may_be_alike_should_look_one_further', async () => {
    serve([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
    expect(await readIds()).toEqual({ ids: [1, 2], isFull: true, beyond: 3 });
    serve([{ _id: 1 }, { _id: 2 }]);
    expect(await readIds()).toEqual({ ids: [1, 2], isFull: false, beyond: undefined });
    expect(finds().map(({ limit }) => limit)).toEqual([3, 3]);
  });

  it('given_an_ordinary_collection_should_read_no_more_than_a_batch', async () => {
    serve([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
    reader.adapt({ isSnapshot: false, isAmbiguous: false });
    const batch = await reader.read(undefined, NEVER);
    expect(batch).toMatchObject({ isFull: true });
    expect(batch.documents).toHaveLength(2);
    expect(batch.doubles).toBeUndefined();
    expect(finds().map(({ limit }) => limit)).toEqual([2]);
  });

  it('given_more_bytes_than_a_batch_has_should_end_before_the_last_document', async () => {
    const large = Buffer.alloc(8.3 * 1024 * 1024);
    serve([
      { _id: 1, large },
      { _id: 2, large },
    ]);
    expect(await readIds()).toEqual({ ids: [1], isFull: true, beyond: 2 });
  });

  it.each([
    ['a_value', { v: 5 }, BSON_TYPE.int32],
    ['an_array_on_the_way', { v: [] }, BSON_TYPE.array],
    ['no_document', undefined, undefined],
  ])('given_%s_should_know_the_type_of_the_tracking_field', async (_name, document, type) => {
    serve(document === undefined ? [] : [document]);
    expect(await reader.anyTrackingType(NEVER)).toBe(type);
    expect(finds()[0]?.['filter']).toEqual({ $and: [{ v: { $exists: true, $ne: null } }] });
  });
});
