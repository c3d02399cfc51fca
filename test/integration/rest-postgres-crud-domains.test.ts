// Domains, their arrays and collations over HTTP, and tables whose rows are all defaults.
import { describe, expect, it } from '@jest/globals';
import { readReply } from '../support/postgres-crud-stage.ts';
import { servePostgres } from '../support/served-postgres.ts';

const TABLES = `
  drop schema if exists d cascade; create schema d;
  create domain d.positive as int check (value > 0);
  create domain d.even_positive as d.positive check (value % 2 = 0);
  create domain d.flag as boolean;
  create domain d.blob as bytea;
  create domain d.doc as jsonb;
  create domain d.word as text collate "C";
  create domain d.row_of_ints as int[];
  create type d.colour as enum ('red', 'blue');
  create table d.lists (id int primary key, flags d.flag[], blobs d.blob[], docs d.doc[],
    numbers d.even_positive[], colours d.colour[], matrix d.row_of_ints[], boxes box[],
    grid d.row_of_ints);
  create table d.words (id d.word collate "en-x-icu" primary key, rank int not null);
  insert into d.words values ('b', 1), ('A', 2), ('a', 3), ('B', 4), ('ä', 5);
  create table d.names (name name collate "en-x-icu" primary key);
  insert into d.names values ('b'), ('A'), ('a'), ('B');
  create table d.notes (id int primary key, word d.word collate "de-x-icu");
  insert into d.notes values (1, 'b'), (2, null), (3, 'A'), (4, 'a');
  create table d.counts (id d.positive primary key, ids d.positive[]);
  insert into d.counts values (1, '{1}'), (2, '{2,3}');
  create table d.nothing ();
  create table d.defaults (twice int generated always as (one * 2) stored, one int default 1,
    id int generated always as identity);`;

const { api, stage, runDirectly } = servePostgres({ sql: TABLES, isFreshForEachTest: true });

/** The values of one column on all pages, by their links. */
async function readPages(first: string, column: string): Promise<unknown[]> {
  const values: unknown[] = [];
  for (let url: string | null = first; url !== null && values.length < 100;) {
    const { status, body } = readReply(await api.get(url));
    expect(status).toBe(200);
    values.push(...body.items.map((item) => item[column]));
    url = body.next;
  }
  return values;
}

describe('an array of a domain', () => {
  const LISTS = {
    flags: [true, null, false],
    blobs: ['AAH/', ''],
    docs: [{ a: [1, 'x'] }, 'text', 5],
    numbers: [2, 4],
    colours: ['red', 'blue'],
    matrix: ['{1,2}', '{3}'],
    grid: [1, 2],
  };

  it('takes and gives its elements as those of the type below', async () => {
    const created = await api.post('/api/postgres/d/lists').send({ id: 1, ...LISTS });
    expect([created.status, created.body]).toEqual([201, { id: 1, ...LISTS, boxes: null }]);
    expect(await runDirectly("select blobs = '{\\\\x0001ff,\\\\x}' as same from d.lists")).toEqual([
      { same: true },
    ]);
    expect((await api.get('/api/postgres/d/lists/1')).body).toMatchObject(LISTS);
    expect((await api.get('/api/postgres/d/lists')).body).toMatchObject({ items: [LISTS] });
    const put = await api.put('/api/postgres/d/lists/1').send({ id: 1, ...LISTS });
    expect(put.body).toMatchObject(LISTS);
  });

  it.each([
    ['flags', ['true']],
    ['flags', [[1]]],
    ['blobs', ['!']],
    ['numbers', [1.5]],
  ])('is judged by that type: %s %j', async (column, value) => {
    const response = readReply(
      await api.post('/api/postgres/d/lists').send({ id: 1, [column]: value }),
    );
    expect([response.status, response.fields]).toEqual([422, [column]]);
    expect(response.text).not.toContain('sqlState');
  });

  it('keeps what only the server reads as its text', async () => {
    const boxes = '{(1,1),(0,0);(2,2),(1,1)}';
    const created = await api.post('/api/postgres/d/lists').send({ id: 1, boxes });
    expect(created.body).toMatchObject({ boxes });
  });
});

describe('a column with a collation of its own', () => {
  it.each([
    ['words', 'id', '', ['a', 'A', 'ä', 'b', 'B']],
    ['words', 'id', 'order=id.desc', ['B', 'b', 'ä', 'A', 'a']],
    ['names', 'name', '', ['a', 'A', 'b', 'B']],
    ['notes', 'word', 'order=word', ['a', 'A', 'b', null]],
    ['notes', 'word', 'order=word.desc,id', [null, 'b', 'A', 'a']],
  ])('orders the pages of %s by %s: %s', async (table, column, query, expected) => {
    const url = `/api/postgres/d/${table}?limit=1&${query}`;
    expect(await readPages(url, column)).toEqual(expected);
  });

  it.each([
    ['words?id=gt.b', ['B']],
    ['words?id=gte.b', ['b', 'B']],
    ['words?id=in.(a,"B")', ['a', 'B']],
    ['words?id=neq.b', ['a', 'A', 'ä', 'B']],
    ['words?id=like.a%25', ['a']],
  ])('is filtered in it: %s', async (query, expected) => {
    expect(await readPages(`/api/postgres/d/${query}`, 'id')).toEqual(expected);
  });

  it('is a key like any other', async () => {
    const read = await api.get('/api/postgres/d/words/%C3%A4');
    expect(read.body).toEqual({ id: 'ä', rank: 5 });
    const patched = api
      .patch('/api/postgres/d/words/%C3%A4')
      .set('If-Match', read.get('ETag') ?? '');
    expect((await patched.send({ rank: 6 })).body).toEqual({ id: 'ä', rank: 6 });
    expect((await api.delete('/api/postgres/d/words/%C3%A4')).status).toBe(204);
  });

  it('is found by its index', async () => {
    await api.get('/api/postgres/d/words?id=gt.b&limit=1');
    const { text = '' } = stage().statements().at(-1) ?? {};
    const literal = text.replaceAll(/\$\d/g, "'b'");
    const plan = await runDirectly(`set enable_seqscan = off; explain ${literal}`);
    expect(JSON.stringify(plan)).toContain('Index Cond');
  });
});

describe('a value that the rules of a domain exclude', () => {
  it.each([
    ['get', 'counts?id=eq.-1', { items: [], next: null }],
    ['get', 'counts?id=in.(-1,0)', { items: [], next: null }],
    ['delete', 'counts?id=lt.-5', { deleted: 0 }],
  ] as const)('finds no row: %s %s', async (method, path, body) => {
    const response = await api[method](`/api/postgres/d/${path}`);
    expect([response.status, response.body]).toEqual([200, body]);
  });

  it('is the key of no row', async () => {
    expect((await api.get('/api/postgres/d/counts/-1')).status).toBe(404);
    expect((await api.patch('/api/postgres/d/counts/-1').send({ ids: [1] })).status).toBe(404);
  });

  it.each([
    ['get', 'counts?ids=eq.{-1}'],
    ['delete', 'counts?ids=eq.{-1}'],
    ['patch', 'counts?ids=eq.{-1}'],
  ] as const)('is 400 where it is an element: %s %s', async (method, path) => {
    const request = api[method](`/api/postgres/d/${path}`);
    const response = await (method === 'patch' ? request.send({ ids: [1] }) : request);
    expect(response.body).toMatchObject({ status: 400, sqlState: '23514' });
  });
});

describe('a row of defaults', () => {
  it('is created in a table without columns', async () => {
    const one = await api.post('/api/postgres/d/nothing').send({});
    expect([one.status, one.body, one.get('Location')]).toEqual([201, {}, undefined]);
    const more = await api.post('/api/postgres/d/nothing').send([{}, {}]);
    expect([more.status, more.body]).toEqual([201, { items: [{}, {}] }]);
    expect((await api.get('/api/postgres/d/nothing')).body).toMatchObject({
      items: [{}, {}, {}],
    });
  });

  it('is created where every column has a default', async () => {
    const one = await api.post('/api/postgres/d/defaults').send({});
    expect([one.status, one.body]).toEqual([201, { twice: 2, one: 1, id: 1 }]);
    const more = await api.post('/api/postgres/d/defaults').send([{}, {}, { one: 5 }]);
    expect(more.body).toMatchObject({ items: [{ id: 2 }, { id: 3 }, { id: 4, twice: 10 }] });
    const defaults = await api.post('/api/postgres/d/defaults').send([{}, {}]);
    expect(defaults.body).toMatchObject({ items: [{ id: 5, twice: 2 }, { id: 6 }] });
  });
});
