// What a client sends to the tables of PostgreSQL is a name of the catalog or a value, never a
// piece of SQL: whatever is tried, a table beside the one that is meant stays as it is.
import { describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { expectRefused, servePostgresCanary } from '../support/postgres-canary.ts';
import { readReply } from '../support/postgres-crud-stage.ts';

/** Each is a piece of SQL somewhere: in a string, in a name, behind a value, instead of one. */
const FRAGMENTS = [
  `'; drop table canary; --`,
  `"; drop table canary; --`,
  `'; update canary set name = 'x' where '1'='1`,
  `1; delete from canary`,
  `1) or (1=1`,
  `' or '1'='1`,
  `" or "1"="1`,
  `1 union select id, name from canary`,
  `id" from canary; --`,
  `id", (select name from canary limit 1) as "x`,
  `(select pg_sleep(30))`,
  `pg_sleep(30)`,
  `$1`,
  `$$; drop table canary; $$`,
  `\\'; drop table canary; --`,
  `/* */ id /* */`,
  `id--`,
  `id::text`,
  `xmin`,
  `ctid`,
  `tableoid`,
  `*`,
  `public.canary`,
  `canary"."name`,
  `U&"\\0069d"`,
  `ıd`,
  `ＩＤ`,
  `ʼ; drop table canary; --`,
  `＇; drop table canary; --`,
  `\u0000`,
  `id\u0000`,
  `\r\nSet-Cookie: a=b`,
  `\u202eid`,
  `__proto__`,
  `constructor`,
  `toString`,
  `hasOwnProperty`,
  `../../canary`,
  `%00`,
  `%27`,
  `{"$gt":""}`,
  `{$ne:1}`,
  `NULL`,
  `DEFAULT`,
  'x'.repeat(300),
];

const OPERATORS = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'like', 'ilike', 'in', 'is'];

const { api } = servePostgresCanary();

function expectNoFault({ status }: Response): void {
  expect(status).toBeLessThan(500);
}

const encode = encodeURIComponent;

describe.each(FRAGMENTS)('%j', (fragment) => {
  it('names no schema, no table and no key', async () => {
    for (const url of [
      `/api/postgres/${encode(fragment)}`,
      `/api/postgres/${encode(fragment)}/users`,
      `/api/postgres/public/${encode(fragment)}`,
      `/api/postgres/public/users/${encode(fragment)}`,
    ]) {
      expectRefused(await api.get(url));
    }
    expectRefused(await api.delete(`/api/postgres/public/users/${encode(fragment)}`));
    expectRefused(await api.post(`/api/postgres/public/${encode(fragment)}`).send({ id: 1 }));
  });

  it('names no column', async () => {
    for (const query of [
      `select=${encode(fragment)}`,
      `select=id,${encode(fragment)}`,
      `order=${encode(fragment)}`,
      `order=id,${encode(fragment)}.desc`,
      `${encode(fragment)}=eq.1`,
      `${encode(fragment)}=is.null`,
    ]) {
      expectRefused(await api.get(`/api/postgres/public/users?${query}`));
    }
    expectRefused(await api.delete(`/api/postgres/public/users?${encode(fragment)}=eq.1`));
    const body = JSON.stringify({ id: 3 }).replace('{', `{${JSON.stringify(fragment)}:1,`);
    expectRefused(await api.post('/api/postgres/public/users').type('json').send(body));
  });

  it('is no operator, no limit, no cursor and no count', async () => {
    for (const query of [
      `id=${encode(fragment)}`,
      `id=${encode(fragment)}.1`,
      `name=x${encode(fragment)}.1`,
      `limit=${encode(fragment)}`,
      `limit=10${encode(fragment)}`,
      `after=${encode(fragment)}`,
      `count=${encode(fragment)}`,
    ]) {
      expectRefused(await api.get(`/api/postgres/public/users?${query}`));
    }
  });

  it('is a value wherever a value stands', async () => {
    for (const operator of OPERATORS) {
      for (const value of [fragment, `(${fragment})`, `("${fragment}")`]) {
        const query = `name=${operator}.${encode(value)}&id=gte.0`;
        expectNoFault(await api.get(`/api/postgres/public/users?${query}&count=estimated`));
      }
      for (const column of ['id', 'doc', 'tags', 'at']) {
        const query = `${column}=${operator}.${encode(fragment)}`;
        expectNoFault(await api.get(`/api/postgres/public/users?${query}`));
      }
    }
    const cursor = Buffer.from(JSON.stringify(['"id".asc', fragment])).toString('base64url');
    expectNoFault(await api.get(`/api/postgres/public/users?after=${cursor}`));
    expectNoFault(await api.delete(`/api/postgres/public/users?name=eq.${encode(fragment)}`));
  });

  it('is stored as it is, and found again', async () => {
    const body = { name: fragment, value: fragment };
    const created = await api.post('/api/postgres/public/names').send(body);
    if (fragment.includes('\0')) {
      expect(created.status).toBe(422);
      return;
    }
    expect(created.status).toBe(201);
    const url = created.get('Location') ?? '';
    expect((await api.get(url)).body).toEqual(body);
    const patched = await api.patch(url).send({ value: `${fragment}!` });
    expect(patched.body).toEqual({ name: fragment, value: `${fragment}!` });
    const found = await api.get(`/api/postgres/public/names?name=eq.${encode(fragment)}`);
    expect(readReply(found).body.items).toEqual([patched.body]);
    expect((await api.delete(url)).status).toBe(204);
  });
});

describe('names that look like SQL', () => {
  it('are names like others where the catalog has them', async () => {
    const url = `/api/postgres/public/${encode('odd"; drop table canary; --')}`;
    const column = 'c"; drop table canary; --';
    const created = await api.post(url).send({ [column]: 'x' });
    expect(created.status).toBe(201);
    const { body } = readReply(
      await api.get(`${url}?${encode(column)}=eq.x&order=${encode(column)}.desc`),
    );
    expect(body.items).toEqual([{ [column]: 'x' }]);
    expect((await api.delete(`${url}/x`)).status).toBe(204);
  });
});
