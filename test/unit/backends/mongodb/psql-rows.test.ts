import { describe, expect, test } from '@jest/globals';
import type { CatalogQuery } from '../../../../src/backends/mongodb/psql-query.ts';
import { catalogAnswer, prettySize } from '../../../../src/backends/mongodb/psql-rows.ts';

function queryOf(items: CatalogQuery['items']): CatalogQuery {
  return { items, tables: [], names: [], relationKinds: [], oids: [], isWithoutSystem: false };
}

describe('catalogAnswer', () => {
  test('fills the columns that the query names, in its order', () => {
    const query = queryOf([
      { name: 'Size', constant: undefined },
      { name: 'Name', constant: undefined },
    ]);
    expect(catalogAnswer(query, [{ Name: 'a', Size: '1', Owner: 'x' }])).toEqual({
      columns: [
        { name: 'Size', typeOid: 25 },
        { name: 'Name', typeOid: 25 },
      ],
      rows: [['1', 'a']],
      commandTag: 'SELECT 1',
    });
  });

  test.each([
    ['a value before a constant', { name: 'x', constant: 'c' }, 'v'],
    ['NULL before a constant', { name: 'none', constant: 'c' }, null],
    ['a constant where there is no value', { name: 'y', constant: 'f' }, 'f'],
    ['NULL where there is nothing', { name: 'y', constant: undefined }, null],
    ['NULL where there is no name', { name: '', constant: undefined }, null],
    ['NULL for what every object has', { name: 'constructor', constant: undefined }, null],
  ])('takes %s', (_, item, value) => {
    expect(catalogAnswer(queryOf([item]), [{ x: 'v', none: null }]).rows).toEqual([[value]]);
  });

  test('has columns without rows, too', () => {
    expect(catalogAnswer(queryOf([{ name: '', constant: undefined }]), [])).toEqual({
      columns: [{ name: '?column?', typeOid: 25 }],
      rows: [],
      commandTag: 'SELECT 0',
    });
  });
});

describe('prettySize', () => {
  // As PostgreSQL's pg_size_pretty answers.
  test.each([
    [0, '0 bytes'],
    [1, '1 bytes'],
    [10_239, '10239 bytes'],
    [10_240, '10 kB'],
    [20_480, '20 kB'],
    [86_016, '84 kB'],
    [10_485_248, '10 MB'],
    [5_368_709_120, '5120 MB'],
    [10_737_418_240, '10 GB'],
    [2 ** 50, '1024 TB'],
    [2 ** 60, '1024 PB'],
  ])('writes %i as %s', (bytes, text) => {
    expect(prettySize(bytes)).toBe(text);
  });
});
