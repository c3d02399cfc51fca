// Pages of a list over HTTP lose and double no row, in any order, NULLs and NaN included; counts
// are by choice.
import { describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { readReply } from '../support/postgres-crud-stage.ts';
import { servePostgres } from '../support/served-postgres.ts';

const TABLES = `
  create table pairs (a int, b text, v int, w float8, name text not null, primary key (b, a));
  insert into pairs select i, 'k' || i % 3, nullif(i % 5, 0),
    case when i % 4 = 0 then null when i % 7 = 0 then 'NaN'::float8 else (i % 3) / 3.0 end,
    'name ' || i % 6 from generate_series(1, 60) i;
  create table big (id int primary key, body text);
  insert into big select i, repeat('x', 10000) from generate_series(1, 20) i;
  create table many (id int primary key, even boolean not null);
  insert into many select i, i % 2 = 0 from generate_series(1, 2500) i;
  -- As hstore has it: an order of its own, whose operators have names of their own.
  create type shade as (n int);
  create function lt(shade, shade) returns bool immutable language sql as 'select $1.n > $2.n';
  create function le(shade, shade) returns bool immutable language sql as 'select $1.n >= $2.n';
  create function eq(shade, shade) returns bool immutable language sql as 'select $1.n = $2.n';
  create function ge(shade, shade) returns bool immutable language sql as 'select $1.n <= $2.n';
  create function gt(shade, shade) returns bool immutable language sql as 'select $1.n < $2.n';
  create function cmp(shade, shade) returns int immutable language sql as 'select $2.n - $1.n';
  create operator #<# (leftarg = shade, rightarg = shade, function = lt);
  create operator #<=# (leftarg = shade, rightarg = shade, function = le);
  create operator = (leftarg = shade, rightarg = shade, function = eq);
  create operator #>=# (leftarg = shade, rightarg = shade, function = ge);
  create operator #># (leftarg = shade, rightarg = shade, function = gt);
  create operator class shade_ops default for type shade using btree as
    operator 1 #<#, operator 2 #<=#, operator 3 =, operator 4 #>=#, operator 5 #>#,
    function 1 cmp(shade, shade);
  create table shades (id int primary key, shade shade);
  insert into shades select i, case when i % 5 > 0 then row(i % 4)::shade end
    from generate_series(1, 30) i;
  analyze;`;

const { api, stage, start, runDirectly } = servePostgres({ sql: TABLES });

type Item = Readonly<Record<string, unknown>>;

/** The items of all pages, by their links, and how many pages there were. */
async function readPages(first: string): Promise<{ items: Item[]; pages: number }> {
  const items: Item[] = [];
  let pages = 0;
  for (let url: string | null = first; url !== null; pages++) {
    const { status, body, header } = readReply(await api.get(url));
    expect(status).toBe(200);
    items.push(...body.items);
    url = body.next;
    expect(header('Link')).toBe(url === null ? undefined : `<${url}>; rel="next"`);
    expect(pages).toBeLessThan(200);
  }
  return { items, pages };
}

describe('pages', () => {
  it.each(['asc', 'desc'])('go the way of the operators of a type: %s', async (direction) => {
    const { items } = await readPages(
      `/api/postgres/public/shades?order=shade.${direction}&limit=4&select=id`,
    );
    const direct = `select id from shades order by shade ${direction}, id ${direction}`;
    expect(items).toEqual(await runDirectly(direct));
  });

  const orders = ['a', 'b', 'v', 'w', 'name'].flatMap((column) => [
    `${column}.asc`,
    `${column}.desc`,
    `name.desc,${column === 'name' ? 'v' : column}`,
    `${column === 'v' ? 'w' : column},v.desc`,
    `w,${column === 'w' ? 'v' : column}.desc`,
  ]);

  it.each(['', ...new Set(orders)])('in the order "%s" have every row once', async (order) => {
    const base = `/api/postgres/public/pairs?${order === '' ? '' : `order=${order}&`}`;
    const whole = readReply(await api.get(`${base}limit=1000`));
    const keys = order
      .split(',')
      .filter((key) => key !== '')
      .map((key) => key.replace('.', ' '));
    const last = order.endsWith('desc') ? 'desc' : 'asc';
    const direct = await runDirectly(
      `select v, name from pairs order by ${[...keys, `b ${last}`, `a ${last}`].join(', ')}`,
    );
    expect(whole.body.items).toHaveLength(60);
    expect(whole.body.items).toMatchObject(direct);
    for (const limit of [1, 7, 60]) {
      const { items, pages } = await readPages(`${base}limit=${limit}`);
      expect(items).toEqual(whole.body.items);
      expect(pages).toBe(Math.ceil(60 / limit));
    }
  });

  it('keep filters, selection and limit in their links', async () => {
    const first = '/api/postgres/public/pairs?select=name&v=gte.2&v=lt.4&order=w.desc&limit=5';
    const { items, pages } = await readPages(first);
    expect([items.length, pages]).toEqual([24, 5]);
    expect(items.every((item) => Object.keys(item).join() === 'name')).toBe(true);
    const second = readReply(await api.get(first));
    const next = new URL(second.body.next ?? '', 'http://gate');
    expect(next.searchParams.getAll('v')).toEqual(['gte.2', 'lt.4']);
  });

  it('go on behind a row that was deleted, and do not show new rows before it', async () => {
    const first = readReply(await api.get('/api/postgres/public/many?limit=10&even=is.true'));
    await runDirectly('delete from many where id = 20; insert into many values (0, true)');
    const second = readReply(await api.get(first.body.next ?? ''));
    expect(second.body.items[0]?.['id']).toBe(22);
  });

  it('end early where they are too large, and go on in the next', async () => {
    const small = start({ limits: { bytesMax: 35_000 } });
    try {
      let url: string | null = '/api/postgres/public/big?limit=10';
      const ids: unknown[] = [];
      for (let page = 0; url !== null && page < 20; page++) {
        const { body } = readReply(await supertest(small.app).get(url));
        ids.push(...body.items.map(({ id }) => id));
        url = body.next;
      }
      expect(ids).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    } finally {
      await small.close();
    }
  });

  it('are no longer than the limit of rows, which hides no column of the table', async () => {
    const small = start({ limits: { rowsMax: 2 } });
    try {
      const url = '/api/postgres/public/pairs?count=exact';
      const { body } = readReply(await supertest(small.app).get(url));
      expect([body.items.length, body.count]).toEqual([2, 60]);
      expect(Object.keys(body.items[0] ?? {})).toHaveLength(5);
      const more = await supertest(small.app).get('/api/postgres/public/pairs?limit=3');
      expect(more.status).toBe(400);
    } finally {
      await small.close();
    }
  });

  it('of rows that are too large each are refused', async () => {
    const small = start({ limits: { bytesMax: 5000 } });
    try {
      for (const url of ['/api/postgres/public/big', '/api/postgres/public/big/1']) {
        const { body } = readReply(await supertest(small.app).get(url));
        expect(body).toMatchObject({ status: 413, sqlState: '54000' });
      }
    } finally {
      await small.close();
    }
  });

  it.each([
    ['another order', 'order=v', 'order=w'],
    ['another direction', 'order=v', 'order=v.desc'],
    ['none', 'order=v', ''],
  ])('are not gone on with in %s', async (_what, from, to) => {
    const first = readReply(await api.get(`/api/postgres/public/pairs?limit=1&${from}`));
    const after = new URL(first.body.next ?? '', 'http://gate').searchParams.get('after') ?? '';
    const { status, body } = readReply(
      await api.get(`/api/postgres/public/pairs?${to}&after=${after}`),
    );
    expect([status, body.fields[0]?.field]).toEqual([400, 'after']);
  });

  it('are compared as one row where an index can serve', async () => {
    await readPages('/api/postgres/public/many?order=even.desc&limit=1000');
    expect(stage().statements().at(-1)?.text).toBe(
      'SELECT "id", "even" FROM ONLY "public"."many" ' +
        'WHERE ("even", "id") < ($1::pg_catalog.bool, $2::pg_catalog.int4) ' +
        'ORDER BY "even" DESC NULLS FIRST, "id" DESC NULLS FIRST LIMIT 1001',
    );
  });
});

describe('count', () => {
  it('is exact by choice, of all pages', async () => {
    const { body } = readReply(
      await api.get('/api/postgres/public/pairs?v=eq.1&limit=2&count=exact'),
    );
    expect([body.items.length, body.count]).toEqual([2, 12]);
  });

  it('is what the planner thinks by choice', async () => {
    const { body } = readReply(await api.get('/api/postgres/public/many?limit=1&count=estimated'));
    expect(body.count).toBeGreaterThan(2000);
    expect(body.count).toBeLessThan(3000);
    const half = readReply(
      await api.get('/api/postgres/public/many?limit=1&even=is.true&id=gt.500&count=estimated'),
    );
    expect(half.body.count).toBeGreaterThan(500);
    expect(half.body.count).toBeLessThan(1500);
  });

  it('is not there unless asked for', async () => {
    const { row } = readReply(await api.get('/api/postgres/public/pairs?limit=1'));
    expect(Object.keys(row)).toEqual(['items', 'next']);
  });
});
