// A table of people behind POST /query, and a canary that no statement of a test may touch.
import { afterAll, beforeAll } from '@jest/globals';
import { startApi } from './api-stage.ts';
import type { ApiStage } from './api-stage.ts';
import { createTestDatabase, runDirectly } from './databases.ts';
import type { TestDatabase } from './databases.ts';
import { postQuery } from './query-client.ts';
import type { QueryAnswer, QueryOptions } from './query-client.ts';

const TABLES = `
  create table people (id int primary key, name text not null unique, age int check (age > 0));
  insert into people values (1, 'Ann', 30), (2, 'Bob', null);
  create table canary (n int); insert into canary values (1)`;

export interface ServedPeople {
  /** What is there now: tests look it up when they run. */
  readonly stage: () => ApiStage;
  /** Asks PostgreSQL. */
  readonly query: (sql: string, more?: object, options?: QueryOptions) => Promise<QueryAnswer>;
  /** What the canary is, past Gatepost. */
  readonly canary: () => Promise<unknown>;
}

/** Sets the API up around the tests of this file, with limits that they reach and a denied COPY. */
export function servePeople(): ServedPeople {
  let database: TestDatabase;
  let stage: ApiStage;
  beforeAll(async () => {
    database = await createTestDatabase();
    await runDirectly(database.url, TABLES);
    stage = await startApi({
      dsn: database.url,
      limits: { rowsMax: 100, bytesMax: 1_000_000, queryTimeoutMs: 5000 },
      deny: { postgres: ['copy'] },
    });
  });
  afterAll(async () => {
    await stage.stop();
    await database.drop();
  });
  return {
    stage: () => stage,
    query: async (sql, more = {}, options = {}) =>
      await postQuery(stage.url, { backend: 'postgres', sql, ...more }, options),
    canary: async () => await runDirectly(database.url, 'select n from canary'),
  };
}
