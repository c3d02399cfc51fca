import { describe, expect, test } from '@jest/globals';
import { Long } from 'mongodb';
import { LISTED_MAX } from '../../../../src/backends/mongodb/catalog-source.ts';
import type { CatalogSource } from '../../../../src/backends/mongodb/catalog-source.ts';
import { createCatalogStage, PEOPLE } from '../../../support/catalog-server.ts';

const { signal } = new AbortController();

/** Each with what it gives for a server that has nothing. */
const CALLS: readonly [string, (catalog: CatalogSource) => Promise<unknown>, unknown][] = [
  ['databases', (catalog) => catalog.databases(signal), []],
  ['collections', (catalog) => catalog.collections(signal), []],
  ['indexes', (catalog) => catalog.indexes('people', signal), []],
  ['fields', (catalog) => catalog.fields('people', signal), []],
  ['storageSize', (catalog) => catalog.storageSize('people', signal), 0],
  ['viewDefinition', (catalog) => catalog.viewDefinition('adults', signal), undefined],
  ['users', (catalog) => catalog.users(signal), []],
  ['isWritablePrimary', (catalog) => catalog.isWritablePrimary(signal), true],
];

describe('the catalog', () => {
  test('reads databases with their sizes', async () => {
    const stage = createCatalogStage();
    expect(await stage.catalog.databases(signal)).toContainEqual({
      name: 'test',
      sizeOnDisk: 86_016,
    });
  });

  test('reads a size that came as a Long', async () => {
    const databases = [{ name: 'big', sizeOnDisk: Long.fromString('5368709120') }];
    const { catalog } = createCatalogStage({ databases });
    expect(await catalog.databases(signal)).toEqual([{ name: 'big', sizeOnDisk: 5_368_709_120 }]);
  });

  test('reads collections, asking for names only and for those that may be read', async () => {
    const stage = createCatalogStage();
    expect(await stage.catalog.collections(signal)).toEqual(
      PEOPLE.collections?.map(({ name, type }) => ({ name, type })),
    );
    expect(stage.sent).toEqual([
      {
        database: 'test',
        command: { listCollections: 1, nameOnly: true, authorizedCollections: true, cursor: {} },
      },
    ]);
  });

  test.each([
    [{ key: { a: 1 }, name: 'a_1' }, 'a_1', false, '{"a":1}'],
    [{ key: { a: 1, b: -1 }, name: 'n', unique: true }, 'n', true, '{"a":1,"b":-1}'],
    [{ key: { _id: 1 }, name: '_id_' }, '_id_', true, '{"_id":1}'],
    [
      { key: { a: 'text' }, name: 't', v: 2, sparse: true },
      't',
      false,
      '{"a":"text"}, {"sparse":true}',
    ],
    [
      { key: { at: 1 }, name: 'ttl', expireAfterSeconds: 60, unique: false },
      'ttl',
      false,
      '{"at":1}, {"expireAfterSeconds":60}',
    ],
    [
      { key: { a: 1 }, name: 'p', partialFilterExpression: { a: { $gt: Long.fromString('5') } } },
      'p',
      false,
      '{"a":1}, {"partialFilterExpression":{"a":{"$gt":5}}}',
    ],
  ])('reads the index %j', async (index, name, isUnique, definition) => {
    const { catalog } = createCatalogStage({ indexes: { people: [{ v: 2, ...index }] } });
    expect(await catalog.indexes('people', signal)).toEqual([{ name, isUnique, definition }]);
  });

  test('reads fields from a count that the server makes', async () => {
    const stage = createCatalogStage();
    expect(await stage.catalog.fields('people', signal)).toHaveLength(4);
    expect(stage.sent).toEqual([
      {
        database: 'test',
        command: { aggregate: 'people', pipeline: expect.any(Array), cursor: {} },
      },
    ]);
  });

  test('reads a size, the sum of all shards', async () => {
    const { catalog } = createCatalogStage();
    expect(await catalog.storageSize('people', signal)).toBe(20_480);
  });

  test.each([
    [13, 'Unauthorized'],
    [26, 'NamespaceNotFound'],
    [166, 'CommandNotSupportedOnView'],
  ])('reads no size from error %i, %s', async (code) => {
    const { catalog } = createCatalogStage({
      refuse: () => {
        throw Object.assign(new Error('refused'), { code });
      },
    });
    expect(await catalog.storageSize('people', signal)).toBeUndefined();
  });

  test('reads what a view stands for', async () => {
    const { catalog } = createCatalogStage();
    expect(await catalog.viewDefinition('adults', signal)).toBe(
      'db.getCollection("people").aggregate([{"$limit":5}])',
    );
    expect(await catalog.viewDefinition('people', signal)).toBeUndefined();
  });

  test('reads users of all databases', async () => {
    const stage = createCatalogStage();
    expect(await stage.catalog.users(signal)).toContainEqual({
      user: 'test.ann',
      roles: ['test.read', 'admin.userAdminAnyDatabase'],
    });
    expect(stage.sent).toEqual([
      { database: 'admin', command: { usersInfo: { forAllDBs: true } } },
    ]);
  });

  test.each([true, false])('reads whether the server takes writes: %s', async (isPrimary) => {
    const { catalog } = createCatalogStage({ isWritablePrimary: isPrimary });
    expect(await catalog.isWritablePrimary(signal)).toBe(isPrimary);
  });

  test('asks in the database that use has selected', async () => {
    const stage = createCatalogStage();
    stage.use('orders');
    await stage.catalog.collections(signal);
    expect(stage.catalog.currentDatabase).toBe('orders');
    expect(stage.sent.map(({ database }) => database)).toEqual(['orders']);
  });

  test.each(CALLS)('%s rejects with what the server answers', async (_, call) => {
    const error = Object.assign(new Error('no'), { code: 50 });
    const { catalog } = createCatalogStage({
      ...PEOPLE,
      refuse: () => {
        throw error;
      },
    });
    await expect(call(catalog)).rejects.toBe(error);
  });

  test.each(CALLS)('%s finds nothing where there is nothing', async (_, call, nothing) => {
    expect(await call(createCatalogStage({}).catalog)).toEqual(nothing);
  });
});

describe('a cursor', () => {
  const names = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ name: `c${index}`, type: 'collection' }));

  test('is read to its end, with ids of 64 bits', async () => {
    const stage = createCatalogStage({ collections: names(250), batchSize: 101 });
    expect(await stage.catalog.collections(signal)).toHaveLength(250);
    expect(stage.sent.slice(1).map(({ database, command }) => ({ database, ...command }))).toEqual(
      Array.from({ length: 2 }, () => ({
        database: 'test',
        getMore: Long.fromString('4611686018427387905'),
        collection: '$cmd.listCollections',
      })),
    );
  });

  test('is left where it has given all that is listed', async () => {
    const stage = createCatalogStage({ collections: names(LISTED_MAX + 1), batchSize: 5000 });
    expect(await stage.catalog.collections(signal)).toHaveLength(LISTED_MAX);
    expect(stage.sent.at(-1)?.command).toEqual({
      killCursors: '$cmd.listCollections',
      cursors: [Long.fromString('4611686018427387905')],
    });
  });
});
