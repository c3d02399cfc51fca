// Lists of PostgreSQL's tables over HTTP: filters by type, any order, pages that lose and double
// no row, counts.
import { describe, expect, it } from '@jest/globals';
import { readReply } from '../support/postgres-crud-stage.ts';
import { servePostgres } from '../support/served-postgres.ts';

const TABLES = `
  create table people (
    id int primary key, name text not null, nick text, age int, height float8, paid numeric,
    is_member boolean, born date, seen timestamptz, home inet, tags text[], doc jsonb, raw json,
    bytes bytea, "limit" int, "a,b" int, "say ""hi""" int);
  insert into people (id, name, nick, age, height, paid, is_member, born, seen, home, tags, doc,
    bytes, "limit", "a,b", "say ""hi""") values
    (1, 'ann', null, 30, 1.5, 10.10, true, '1990-01-02', '2024-01-02T03:04:05.678901Z',
      '10.0.0.1', '{a,b}', '{"a": 1}', '\\x00ff', 5, 1, 1),
    (2, 'Bob', 'b%b', null, 'NaN', null, false, null, null, null, null, null, null, 6, 2, 2),
    (3, 'c,d', '', 20, -0.5, 9007199254740993.1, null, '2000-02-29', 'infinity', '::1', '{}',
      '{}', '\\x', 7, 3, 3);
  create view everyone as select * from people;
  create table many (id int primary key, even boolean not null);
  insert into many select i, i % 2 = 0 from generate_series(1, 2500) i;`;

const { api } = servePostgres({ sql: TABLES });

async function idsOf(query: string): Promise<unknown> {
  const { body } = readReply(
    await api.get(`/api/postgres/public/people?select=id&order=id&${query}`),
  );
  return body.items.map(({ id }) => id);
}

describe('a filter', () => {
  it.each([
    ['name=eq.ann', [1]],
    ['name=neq.ann', [2, 3]],
    ['name=gt.b', [3]],
    ['name=like.%25n%25', [1]],
    ['name=like.b%25', []],
    ['name=ilike.b%25', [2]],
    ['nick=like.b\\%25b', [2]],
    ['name=in.(ann,"c,d")', [1, 3]],
    ['name=in.("c,d")', [3]],
    ['name=in.(c,d)', []],
    ['nick=eq.', [3]],
    ['nick=is.null', [1]],
    ['nick=is.not_null', [2, 3]],
    ['nick=neq.x', [2, 3]],
    ['is_member=is.true', [1]],
    ['is_member=is.false', [2]],
    ['is_member=eq.true', [1]],
    ['age=eq.30', [1]],
    ['age=gte.20', [1, 3]],
    ['age=in.(20,30,40)', [1, 3]],
    ['age=gte.20&age=lt.30', [3]],
    ['height=eq.NaN', [2]],
    ['height=lt.0', [3]],
    ['paid=eq.10.1', [1]],
    ['paid=eq.9007199254740993.1', [3]],
    ['paid=eq.9007199254740992.1', []],
    ['born=lt.1995-01-01', [1]],
    ['seen=eq.2024-01-02T04:04:05.678901%2B01:00', [1]],
    ['seen=gt.2024-01-02T03:04:05.678901Z', [3]],
    ['home=eq.10.0.0.1', [1]],
    ['tags=eq.{a,b}', [1]],
    ['doc=eq.{"a":1}', [1]],
    ['bytes=eq.AP8=', [1]],
    ['bytes=eq.', [3]],
    ['"limit"=gte.6', [2, 3]],
    ['"a,b"=eq.2', [2]],
    ['"say \\"hi\\""=eq.3', [3]],
    ['say "hi"=eq.3', [3]],
    ['id=in.(3,2)&name=eq.Bob', [2]],
  ])('%s lets %j through', async (query, ids) => {
    expect(await idsOf(query)).toEqual(ids);
  });

  it.each([
    ['name=ann', 'name'],
    ['name=EQ.ann', 'name'],
    ['name=is.ann', 'name'],
    ['name=is.true', 'name'],
    ['age=like.3', 'age'],
    ['age=eq.old', 'age'],
    ['age=in.(1,two)', 'age'],
    ['age=in.1,2', 'age'],
    ['name=in.("open)', 'name'],
    ['age=eq.99999999999', 'age'],
    ['bytes=eq.!', 'bytes'],
    ['nothing=eq.1', 'nothing'],
    ['=eq.1', ''],
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['order=nothing', 'order.nothing'],
    ['order=id,id.desc', 'order'],
    ['order=', 'order'],
    ['select=id,nothing', 'select.nothing'],
    ['select=', 'select'],
    ['count=all', 'count'],
    ['after=', 'after'],
    ['after=%27', 'after'],
    ['id_type=string', 'id_type'],
  ])('%s is refused by the field %s', async (query, field) => {
    const { status, fields } = readReply(await api.get(`/api/postgres/public/people?${query}`));
    expect(status).toBe(400);
    expect(fields).toEqual([field]);
  });

  it.each([
    ['seen=eq.yesterdayish', '22007'],
    ['home=eq.nowhere', '22P02'],
    ['raw=eq.{}', '42883'],
    ['order=raw', '42883'],
  ])('%s is refused by the database with %s', async (query, sqlState) => {
    const { body } = readReply(await api.get(`/api/postgres/public/people?${query}`));
    expect(body).toMatchObject({ status: 400, sqlState });
  });
});

describe('a list', () => {
  it('has the selected columns in their order', async () => {
    const { text } = await api.get('/api/postgres/public/people?select=name,id&limit=2&order=id');
    expect(text).toMatch(/^\{"items":\[\{"name":"ann","id":1\},\{"name":"Bob","id":2\}\],"next":"/);
  });

  it('shows each type exactly', async () => {
    const { body } = readReply(await api.get('/api/postgres/public/people?order=id'));
    expect(body.items[0]).toMatchObject({
      paid: '10.10',
      seen: expect.stringContaining('2024-01-02T'),
      tags: ['a', 'b'],
      doc: { a: 1 },
      bytes: 'AP8=',
    });
    expect(body.next).toBeNull();
  });

  it('answers HEAD with its headers', async () => {
    const response = await api.head('/api/postgres/public/people?limit=1');
    expect(response.status).toBe(200);
    expect(response.get('Link')).toContain('rel="next"');
  });

  it('has 100 rows unless asked for more, and 1000 at most', async () => {
    const first = readReply(await api.get('/api/postgres/public/many'));
    expect(first.body.items).toHaveLength(100);
    const most = readReply(await api.get('/api/postgres/public/many?limit=1000'));
    expect(most.body.items).toHaveLength(1000);
  });

  it('of a view has filters and an order, and no pages', async () => {
    const { body } = readReply(
      await api.get('/api/postgres/public/everyone?order=id.desc&limit=2'),
    );
    expect(body.items.map(({ id }) => id)).toEqual([3, 2]);
    expect(body.next).toBeNull();
    const second = readReply(await api.get('/api/postgres/public/everyone?after=WyJ4Il0'));
    expect(second.status).toBe(400);
    expect(second.body.fields[0]?.message).toContain('no primary key');
  });
});
