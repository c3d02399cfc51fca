// Tables that attacks over HTTP are tried on, and one beside them that stays as it is.
import { afterEach, beforeAll, expect } from '@jest/globals';
import type { Response } from 'supertest';
import { servePostgres } from './served-postgres.ts';
import type { ServedPostgres } from './served-postgres.ts';

const TABLES = `
  create table canary (id int primary key, name text);
  insert into canary values (1, 'alive'), (2, 'well');
  comment on table canary is 'untouched';
  create table users (id int primary key, name text, age int, doc jsonb, tags text[],
    at timestamptz);
  insert into users values (1, 'ann', 30), (2, 'bob', 20);
  create table names (name text primary key, value text);
  create table "odd""; drop table canary; --" ("c""; drop table canary; --" text primary key);`;

const CANARY =
  "select id, name from canary union all select -1, obj_description('canary'::regclass)";

/** Serves the tables, and looks after each test whether the canary and the users are as before. */
export function servePostgresCanary(): ServedPostgres {
  const served = servePostgres({ sql: TABLES, rules: { deny: ['postgres/public.canary'] } });
  let canary: unknown;
  beforeAll(async () => {
    canary = await served.runDirectly(CANARY);
  });
  afterEach(async () => {
    expect(await served.runDirectly(CANARY)).toEqual(canary);
    const users = await served.runDirectly('select count(*)::int from users');
    expect(users).toEqual([{ count: 2 }]);
  });
  return served;
}

/** The client's mistake, or nothing found: never a server's. */
export function expectRefused(response: Response): void {
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
  expect(response.type).toBe('application/problem+json');
  expect(response.get('Set-Cookie')).toBeUndefined();
}
