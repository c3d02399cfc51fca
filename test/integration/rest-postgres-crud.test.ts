// Tables of PostgreSQL over HTTP: rows are created, read, replaced, changed and deleted, and what
// cannot be is told with its reason before or by the database.
import { describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { readReply } from '../support/postgres-crud-stage.ts';
import { CRUD_RULES, CRUD_TABLES } from '../support/postgres-crud-tables.ts';
import { servePostgres } from '../support/served-postgres.ts';

const {
  api,
  stage,
  start,
  runDirectly: stored,
} = servePostgres({
  sql: CRUD_TABLES,
  rules: CRUD_RULES,
  isFreshForEachTest: true,
});

describe('the lists of tables', () => {
  it('name what can be seen, where it is and whether it can be written', async () => {
    const { status, body } = readReply(await api.get('/api/postgres'));
    expect(status).toBe(200);
    expect(body.items).toContainEqual({
      schema: 'public',
      table: 'users',
      kind: 'table',
      isReadOnly: false,
      url: '/api/postgres/public/users',
    });
    const schemas = body.items.map(({ schema }) => schema);
    expect(new Set(schemas)).toEqual(new Set(['public', 'shop']));
  });

  it('of a schema name its tables, views and read-only ones', async () => {
    const { body } = readReply(await api.get('/api/postgres/shop'));
    const kinds = Object.fromEntries(
      body.items.map((item) => [
        String(item['table']),
        `${String(item['kind'])} ${String(item['isReadOnly'])}`,
      ]),
    );
    expect(kinds).toMatchObject({
      adults: 'view true',
      parts: 'partitioned-table false',
      fixed_prices: 'table true',
      places: 'table false',
    });
  });

  it('are whole whatever the limits of results are', async () => {
    const narrow = start({ rules: CRUD_RULES, limits: { rowsMax: 1, bytesMax: 1 } });
    try {
      for (const url of ['/api/postgres', '/api/postgres/shop']) {
        const { status, text } = await supertest(narrow.app).get(url);
        expect([status, text]).toEqual([200, (await api.get(url)).text]);
      }
    } finally {
      await narrow.close();
    }
  });

  it.each(['/api/postgres/nowhere', '/api/postgres/secret', '/api/postgres/pg_catalog'])(
    'are no list of %s',
    async (url) => {
      expect((await api.get(url)).status).toBe(404);
    },
  );
});

describe('a row', () => {
  it('is read by its key, with its version', async () => {
    const response = await api.get('/api/postgres/public/users/1');
    expect(response.status).toBe(200);
    expect(response.body).toEqual({ id: 1, name: 'ann', age: 30, is_admin: false });
    expect(response.get('ETag')).toMatch(/^"\d+"$/);
    expect(response.type).toBe('application/json');
  });

  it('is read in part', async () => {
    const response = await api.get('/api/postgres/public/users/1?select=age,name');
    expect(response.text).toBe('{"age":30,"name":"ann"}');
  });

  it('is read by a composite key in its own order, percent-decoded', async () => {
    expect((await api.get('/api/postgres/shop/places/10115/de')).body).toMatchObject({
      name: 'Mitte',
    });
    expect((await api.get('/api/postgres/shop/places/%C3%BC%201/a%2Fb')).body).toMatchObject({
      name: 'odd',
    });
    expect((await api.get('/api/postgres/shop/places/de/10115')).status).toBe(404);
  });

  it.each([
    ['/api/postgres/public/users/99', 404],
    ['/api/postgres/public/users/1/2', 404],
    ['/api/postgres/shop/places/10115', 404],
    ['/api/postgres/shop/heap/1', 404],
    ['/api/postgres/public/nothing/1', 404],
    ['/api/postgres/secret/safe/1', 404],
    ['/api/postgres/pg_catalog/pg_class/1', 404],
    ['/api/postgres/public/users/one', 400],
    ['/api/postgres/public/users/2147483648', 400],
    ['/api/postgres/public/users/1?age=eq.30', 400],
    ['/api/postgres/public/users/1?select=nothing', 400],
  ])('is not found at %s: %d', async (url, status) => {
    const response = await api.get(url);
    expect(response.status).toBe(status);
    expect(response.type).toBe('application/problem+json');
  });

  it('is answered to HEAD without a body', async () => {
    const response = await api.head('/api/postgres/public/users/1');
    expect(response.status).toBe(200);
    expect(response.text).toBeUndefined();
  });
});

describe('PUT', () => {
  it('puts a whole row in place: what is not given becomes its default', async () => {
    await api.patch('/api/postgres/public/users/1').send({ is_admin: true });
    const response = await api.put('/api/postgres/public/users/1').send({ name: 'new' });
    expect(response.status).toBe(200);
    expect(response.body).toEqual({ id: 1, name: 'new', age: null, is_admin: false });
  });

  it.each([
    ['public/users/1', { age: 5 }, 422],
    ['public/users/1', { id: 2, name: 'x' }, 422],
    ['public/users/99', { name: 'x' }, 404],
    ['public/users/1', { name: 'bob' }, 409],
  ])('does not replace %s by %j: %d', async (row, body, status) => {
    expect((await api.put(`/api/postgres/${row}`).send(body)).status).toBe(status);
  });

  it('puts a row back as it was read, a null of JSON too', async () => {
    await stored(`create table shop.notes (id int primary key, doc jsonb not null, raw json);
      insert into shop.notes values (1, 'null', null)`);
    const { row } = readReply(await api.get('/api/postgres/shop/notes/1'));
    const put = await api.put('/api/postgres/shop/notes/1').send(row);
    expect([put.status, put.body]).toEqual([200, { id: 1, doc: null, raw: null }]);
    const columns = `doc = 'null' as "isDoc", raw is null as "isNull"`;
    expect(await stored(`select ${columns} from shop.notes`)).toEqual([
      { isDoc: true, isNull: true },
    ]);
  });

  it('of a row that is nothing but its key tells whether it is there', async () => {
    await api.post('/api/postgres/shop/flags').send({ a: 1, b: 2 });
    expect((await api.put('/api/postgres/shop/flags/1/2').send({})).body).toEqual({ a: 1, b: 2 });
    expect((await api.put('/api/postgres/shop/flags/1/3').send({})).status).toBe(404);
  });
});

describe('PATCH', () => {
  it('changes the columns that are given', async () => {
    const response = await api.patch('/api/postgres/public/users/1').send({ age: null });
    expect(response.body).toEqual({ id: 1, name: 'ann', age: null, is_admin: false });
  });

  it('changes the rows that the filter lets through', async () => {
    const response = await api
      .patch('/api/postgres/public/users?age=gte.20')
      .send({ is_admin: true });
    expect(response.body).toEqual({ matched: 2, modified: 2 });
    expect(await stored('select name from users where is_admin order by 1')).toEqual([
      { name: 'ann' },
      { name: 'cem' },
    ]);
  });

  it.each([
    ['/api/postgres/public/users', { age: 1 }, 400],
    ['/api/postgres/public/users?age=gte.1&limit=1', { age: 1 }, 400],
    ['/api/postgres/public/users?select=age', { age: 1 }, 400],
    ['/api/postgres/public/users?nothing=eq.1', { age: 1 }, 400],
    ['/api/postgres/public/users?age=gte.1', {}, 422],
    ['/api/postgres/public/users/1?age=eq.5', { age: 1 }, 400],
    ['/api/postgres/public/users/1', {}, 422],
    ['/api/postgres/public/users/99', { age: 1 }, 404],
  ])('does not change %s by %j: %d', async (url, body, status) => {
    const before = await stored('select * from users order by id');
    expect((await api.patch(url).send(body)).status).toBe(status);
    expect(await stored('select * from users order by id')).toEqual(before);
  });
});

describe('DELETE', () => {
  it('deletes a row once', async () => {
    const response = await api.delete('/api/postgres/public/users/1');
    expect([response.status, response.text]).toEqual([204, '']);
    expect((await api.delete('/api/postgres/public/users/1')).status).toBe(404);
  });

  it('deletes the rows that the filter lets through, and nothing without one', async () => {
    const response = await api.delete('/api/postgres/public/users?name=in.(ann,cem,zoe)');
    expect(response.body).toEqual({ deleted: 2 });
    expect((await api.delete('/api/postgres/public/users')).status).toBe(400);
    expect((await api.delete('/api/postgres/public/users?limit=1&age=is.null')).status).toBe(400);
    expect(await stored('select name from users')).toEqual([{ name: 'bob' }]);
  });
});

describe('methods', () => {
  it.each([
    ['/api/postgres', 'GET, HEAD, OPTIONS'],
    ['/api/postgres/public', 'GET, HEAD, OPTIONS'],
    ['/api/postgres/public/users', 'GET, HEAD, POST, PATCH, DELETE, OPTIONS'],
    ['/api/postgres/public/users/1', 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
  ])('of %s are %s', async (url, allow) => {
    const options = await api.options(url);
    expect([options.status, options.get('Allow')]).toEqual([204, allow]);
    const refused = await api.trace(url);
    expect([refused.status, refused.get('Allow')]).toEqual([405, allow]);
  });
});

describe('a table that changes', () => {
  it('is looked up again when a statement finds it changed', async () => {
    await api.get('/api/postgres/public/users');
    await stored('alter table users rename age to years');
    const response = await api.get('/api/postgres/public/users/1');
    expect(response.body).toEqual({ id: 1, name: 'ann', years: 30, is_admin: false });
    await stored('drop table users cascade');
    expect((await api.get('/api/postgres/public/users/1')).status).toBe(404);
  });
});

describe('the audit', () => {
  it('shows the statement and its route, and no value', async () => {
    await api.patch('/api/postgres/public/users/1').send({ name: 'geheim'.slice(0, 5) });
    const last = stage().statements().at(-1);
    expect(last?.text).toBe(
      'UPDATE ONLY "public"."users" SET "name" = $1::pg_catalog."varchar" ' +
        'WHERE "id" = $2::pg_catalog.int4 ' +
        'RETURNING "id", "name", "age", "is_admin", xmin::text',
    );
    expect(last?.session.applicationName).toBe('PATCH /api/postgres/{schema}/{table}/{key}');
    expect(last?.commandTags).toEqual(['UPDATE 1']);
  });
});
