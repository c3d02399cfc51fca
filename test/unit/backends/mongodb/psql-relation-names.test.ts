import { describe, expect, test } from '@jest/globals';
import type { CollectionEntry } from '../../../../src/backends/mongodb/catalog-source.ts';
import type { CatalogQuery } from '../../../../src/backends/mongodb/psql-query.ts';
import {
  selectByName,
  selectCollections,
} from '../../../../src/backends/mongodb/psql-relation-names.ts';

const COLLECTIONS: readonly CollectionEntry[] = [
  'system.views',
  'people',
  'People',
  'userEvents',
  'fs.files',
  'fs.chunks',
  'fs',
].map((name) => ({ name, type: 'collection' }));

function queryOf(names: Readonly<Record<string, string>>, isWithoutSystem = false): CatalogQuery {
  return {
    items: [],
    tables: [],
    names: Object.entries(names).map(([column, pattern]) => ({ column, pattern })),
    relationKinds: [],
    oids: [],
    isWithoutSystem,
  };
}

function collectionsOf(query: CatalogQuery): string[] {
  return selectCollections(COLLECTIONS, query, 'test').map(({ name }) => name);
}

describe('selectCollections', () => {
  test.each([
    ['the name as written', { relname: '^(people)$' }, ['people']],
    ['a name with capitals', { relname: '^(People)$' }, ['People']],
    ['any case where no name is as written', { relname: '^(userevents)$' }, ['userEvents']],
    ['no other case of capitals', { relname: '^(USEREVENTS)$' }, []],
    ['a pattern in the database', { relname: '^(p.*)$', nspname: '^(test)$' }, ['people']],
    ['nothing of another schema', { relname: '^(people)$', nspname: '^(x)$' }, []],
    ['a name with a dot', { relname: '^(files)$', nspname: '^(fs)$' }, ['fs.files']],
    ['names with a dot', { relname: '^(.*)$', nspname: '^(fs)$' }, ['fs.chunks', 'fs.files']],
    ['what a schema alone says', { nspname: '^(fs)$' }, ['fs.chunks', 'fs.files']],
  ])('finds %s', (_, names, expected) => {
    expect(collectionsOf(queryOf(names))).toEqual(expected);
  });

  test('sorts them, and leaves out those of the system where the query does', () => {
    const all = ['People', 'fs', 'fs.chunks', 'fs.files', 'people', 'system.views', 'userEvents'];
    expect(collectionsOf(queryOf({}))).toEqual(all);
    expect(collectionsOf(queryOf({}, true))).toEqual(all.filter((name) => name !== 'system.views'));
  });
});

describe('selectByName', () => {
  test('looks at the condition of one column only', () => {
    const query = queryOf({ relname: '^(fs)$', datname: '^(nothing)$' });
    expect(selectByName(COLLECTIONS, query, 'relname')).toEqual([
      { name: 'fs', type: 'collection' },
    ]);
    expect(selectByName(COLLECTIONS, query, 'rolname')).toEqual(COLLECTIONS);
  });
});
