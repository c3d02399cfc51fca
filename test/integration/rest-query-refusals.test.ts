// POST /query: statements for PostgreSQL that fail, and what is not taken.
import { describe, expect, it, test } from '@jest/globals';
import supertest from 'supertest';
import { ADMIN, READER, startApi } from '../support/api-stage.ts';
import { postQuery } from '../support/query-client.ts';
import { servePeople } from '../support/served-people.ts';

const { stage, query, canary } = servePeople();

describe('what is wrong with a statement', () => {
  test.each([
    ['selec 1', {}, 400, '42601'],
    ['select * from nowhere', {}, 404, '42P01'],
    ['select nothing from people', {}, 400, '42703'],
    ['select 1/0', {}, 400, '22012'],
    ["select 'x'::int", {}, 400, '22P02'],
    ['select $1::int', { params: ['x'] }, 400, '22P02'],
    ['select $1', { params: [] }, 400, '08P01'],
    ["insert into people values (1, 'Cid')", {}, 409, '23505'],
    ["insert into people values (9, 'Cid', -1)", {}, 422, '23514'],
    ['insert into people values (9, null)', {}, 422, '23502'],
    ['copy people to stdout', {}, 403, '42501'],
    ['select pg_sleep(9)', { timeoutMs: 50 }, 504, '57014'],
    ['select generate_series(1, 9)', { maxRows: 2, onLimit: 'error' }, 413, '54000'],
    ["select 'a\0b'", {}, 400, '08P01'],
  ])('%j is a problem', async (sql, more, status, sqlState) => {
    const response = await query(sql, more, { requestId: 'trace-1' });
    expect(response.status).toBe(status);
    expect(response.type).toBe('application/problem+json');
    expect(response.body).toMatchObject({ status, sqlState, requestId: 'trace-1' });
    expect(stage().faults()).toEqual([]);
  });

  it('says where, and what PostgreSQL adds', async () => {
    const syntax = await query('select * form people');
    expect(syntax.body).toMatchObject({ position: 10 });
    const duplicate = await query("insert into people values (1, 'Cid')");
    expect(duplicate.body).toMatchObject({ databaseDetail: 'Key (id)=(1) already exists.' });
  });

  it('undoes the statements before it', async () => {
    const response = await query('insert into canary values (2); select 1/0');
    expect(response.status).toBe(400);
    expect(await canary()).toEqual([{ n: 1 }]);
  });
});

describe('who may only read', () => {
  test.each([
    "insert into people values (9, 'Cid')",
    'with x as (delete from canary returning n) select * from x',
    'commit; delete from canary',
    "select set_config('transaction_read_only', 'off', false); delete from canary",
    'set session characteristics as transaction read write; delete from canary',
  ])('cannot write: %s', async (sql) => {
    const response = await query(sql, {}, { token: READER });
    expect([response.status, response.type]).toEqual([403, 'application/problem+json']);
    expect(await canary()).toEqual([{ n: 1 }]);
  });

  it('reads', async () => {
    const { status } = await query('select * from people', {}, { token: READER });
    expect(status).toBe(200);
    expect(stage().statements().at(-1)).toMatchObject({
      text: 'select * from people',
      session: { user: 'reader', listener: 'http', applicationName: 'POST /query' },
      outcome: 'ok',
    });
  });
});

describe('a request that is not taken', () => {
  test.each([
    ['no token', 401, async () => await query('select 1', {}, { token: 'gp_wrong' })],
    ['another format', 406, async () => await query('select 1', {}, { accept: 'text/html' })],
    ['more rows', 422, async () => await query('select 1', { maxRows: 101 })],
    ['an unknown member', 422, async () => await query('select 1', { isolation: 'x' })],
    ['a database', 400, async () => await query('select 1', {}, { path: '/query?database=x' })],
    ['a parameter', 400, async () => await query('select 1', {}, { path: '/query?sql=x' })],
    [
      'no such backend',
      404,
      async () => await postQuery(stage().url, { backend: 'mongodb', command: 'db' }),
    ],
    [
      'GET',
      405,
      async () => await supertest(stage().url).get('/query').auth(ADMIN, { type: 'bearer' }),
    ],
  ])('%s is answered with %d', async (_name, status, ask) => {
    const before = stage().statements().length;
    const response = await ask();
    expect(response.status).toBe(status);
    expect(response.type).toBe('application/problem+json');
    expect(response.body).toMatchObject({ status, detail: expect.any(String) });
    expect(stage().statements()).toHaveLength(before);
  });

  it('is told which methods there are', async () => {
    const bearer = { type: 'bearer' } as const;
    const refused = await supertest(stage().url).put('/query').auth(ADMIN, bearer);
    expect(refused.get('Allow')).toBe('POST, OPTIONS');
    const asked = await supertest(stage().url).options('/query').auth(ADMIN, bearer);
    expect([asked.status, asked.get('Allow')]).toEqual([204, 'POST, OPTIONS']);
  });
});

it('without a PostgreSQL behind it answers with 503, and lives', async () => {
  const lonely = await startApi({ dsn: 'postgres://nobody@127.0.0.1:1/nothing' });
  const response = await postQuery(lonely.url, { backend: 'postgres', sql: 'select 1' });
  expect([response.status, response.get('Retry-After')]).toEqual([503, '5']);
  expect(response.text).not.toContain('127.0.0.1');
  expect((await supertest(lonely.url).get('/livez')).status).toBe(200);
  await lonely.stop();
});
