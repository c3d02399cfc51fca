import { beforeEach, describe, expect, it } from '@jest/globals';
import { createTableCatalog } from '../../../../src/backends/postgres/table-catalog.ts';
import type { AskCatalog, TableCatalog } from '../../../../src/backends/postgres/table-catalog.ts';

type Cell = string | null;

/** A row as the server answers: relkind, heap, and then what is known of one column. */
function row(name: Cell, properties: Partial<Record<number, Cell>> = {}): readonly Cell[] {
  const cells: Cell[] = [
    'r',
    't',
    name,
    'pg_catalog.int4',
    'integer',
    '23',
    'N',
    null,
    null,
    null,
    'f',
    'f',
    'f',
    '',
    null,
    'f',
    null,
    'pg_catalog.int4',
    null,
    null,
    null,
  ];
  return cells.map((cell, index) => properties[index] ?? cell);
}

let rows: readonly (readonly Cell[])[];
let asked: (readonly (string | null)[] | undefined)[];
let nowMs: number;
let catalog: TableCatalog;

beforeEach(() => {
  rows = [row('id')];
  asked = [];
  nowMs = 0;
  catalog = createTableCatalog(() => nowMs);
});

const ask: AskCatalog = ({ parameters }) => {
  asked.push(parameters);
  const encoded = rows.map((cells) =>
    cells.map((cell) => (cell === null ? null : Buffer.from(cell))),
  );
  return Promise.resolve({ columns: [], rows: encoded, commandTag: '' });
};

const NAME = { schema: 's', table: 't' };

describe('a table of the catalog', () => {
  it('has its columns in order, and the key in its own', async () => {
    rows = [row('b', { 14: '2' }), row('c'), row('a', { 14: '1' })];
    const table = await catalog.find(NAME, ask);
    expect([...(table?.columns.keys() ?? [])]).toEqual(['b', 'c', 'a']);
    expect(table?.key.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(asked).toEqual([['s', 't']]);
  });

  it('knows of a column what values need', async () => {
    rows = [
      row('plain'),
      row('needed', { 10: 't', 11: 't' }),
      row('computed', { 12: 't' }),
      row('first', { 13: 'a' }),
      row('second', { 13: 'd' }),
      row('list', { 5: '1007', 6: 'A', 7: '23', 8: 'N', 9: ',' }),
      row('odd', { 16: 'ext', 19: '#>#', 20: '#<#' }),
      row('sorted', { 3: 's.word', 17: 'pg_catalog.text', 18: 's."de-x-icu"' }),
    ];
    const columns = (await catalog.find(NAME, ask))?.columns;
    expect(columns?.get('plain')).toEqual({
      name: 'plain',
      sqlType: 'pg_catalog.int4',
      comparedAs: 'pg_catalog.int4',
      typeName: 'integer',
      base: { oid: 23, category: 'N' },
      element: undefined,
      operatorSchema: 'pg_catalog',
      behind: { asc: '>', desc: '<' },
      isNullable: true,
      hasDefault: false,
      isGenerated: false,
      identity: undefined,
    });
    expect(columns?.get('needed')).toMatchObject({ isNullable: false, hasDefault: true });
    expect(columns?.get('computed')).toMatchObject({ isGenerated: true });
    expect(columns?.get('first')).toMatchObject({ identity: 'always' });
    expect(columns?.get('second')).toMatchObject({ identity: 'by-default' });
    expect(columns?.get('list')).toMatchObject({
      element: { oid: 23, category: 'N', delimiter: ',' },
    });
    expect(columns?.get('odd')).toMatchObject({
      operatorSchema: 'ext',
      behind: { asc: '#>#', desc: '#<#' },
    });
    expect(columns?.get('sorted')).toMatchObject({
      sqlType: 's.word',
      comparedAs: 'pg_catalog.text COLLATE s."de-x-icu"',
    });
  });

  it.each([
    ['r', 't', 'table', true],
    ['r', 'f', 'table', false],
    ['p', 'f', 'partitioned-table', false],
    ['v', 'f', 'view', false],
    ['m', 't', 'materialized-view', false],
    ['f', 'f', 'foreign-table', false],
  ])(
    'of relkind %s (heap: %s) is a %s, with versions: %s',
    async (kind, heap, name, isVersioned) => {
      rows = [row('id', { 0: kind, 1: heap })];
      expect(await catalog.find(NAME, ask)).toMatchObject({ kind: name, isVersioned });
    },
  );

  it('may have no columns', async () => {
    rows = [row(null)];
    expect((await catalog.find(NAME, ask))?.columns.size).toBe(0);
  });
});

describe('the catalog', () => {
  it('asks again after ten seconds', async () => {
    await catalog.find(NAME, ask);
    nowMs = 9999;
    await catalog.find(NAME, ask);
    expect(asked).toHaveLength(1);
    nowMs = 10_000;
    await catalog.find(NAME, ask);
    expect(asked).toHaveLength(2);
  });

  it('asks again for what was not there', async () => {
    rows = [];
    expect(await catalog.find(NAME, ask)).toBeUndefined();
    rows = [row('id')];
    expect(await catalog.find(NAME, ask)).toBeDefined();
  });

  it('asks again for what it was told to forget, and says whether it knew it', async () => {
    expect(catalog.forget(NAME)).toBe(false);
    await catalog.find(NAME, ask);
    expect(catalog.forget(NAME)).toBe(true);
    await catalog.find(NAME, ask);
    expect(asked).toHaveLength(2);
  });

  it('does not take one name for another', async () => {
    await catalog.find({ schema: 'a', table: 'b.c' }, ask);
    await catalog.find({ schema: 'a.b', table: 'c' }, ask);
    await catalog.find({ schema: 'a","b', table: 'c' }, ask);
    expect(asked).toHaveLength(3);
  });

  it('remembers a thousand tables and no more', async () => {
    for (let index = 0; index <= 1000; index++) {
      await catalog.find({ schema: 's', table: `t${index}` }, ask);
    }
    expect(catalog.forget({ schema: 's', table: 't0' })).toBe(false);
    expect(catalog.forget({ schema: 's', table: 't1' })).toBe(true);
    expect(catalog.forget({ schema: 's', table: 't1000' })).toBe(true);
  });

  it('remembers nothing of a question that failed', async () => {
    const failing: AskCatalog = () => Promise.reject(new Error('connection lost'));
    await expect(catalog.find(NAME, failing)).rejects.toThrow('connection lost');
    await catalog.find(NAME, ask);
    expect(asked).toHaveLength(1);
  });
});
