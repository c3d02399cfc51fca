// Tables of a database of the test file's own, with the REST API's routes in front of them.
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import supertest from 'supertest';
import type { CrudAppOptions, CrudStage } from './crud-app.ts';
import { createTestDatabase, runDirectly } from './databases.ts';
import type { TestDatabase } from './databases.ts';
import { startPostgresCrud } from './postgres-crud-stage.ts';

export interface ServedPostgresOptions extends CrudAppOptions {
  /** Makes the tables: for the whole file, or anew for each test. */
  readonly sql: string;
  readonly isFreshForEachTest?: boolean;
}

export interface ServedPostgres {
  readonly api: ReturnType<typeof supertest>;
  /** What is there now: tests look it up when they run. */
  readonly stage: () => CrudStage;
  /** Another stage in front of the same tables, which the test closes. */
  readonly start: (options: CrudAppOptions) => CrudStage;
  /** Runs statements past Gatepost, and gives the rows of the last one. */
  readonly runDirectly: (sql: string) => ReturnType<typeof runDirectly>;
}

/** Sets the tables up around the tests of this file; no request may end in a fault. */
export function servePostgres({
  sql,
  isFreshForEachTest = false,
  ...options
}: ServedPostgresOptions): ServedPostgres {
  let database: TestDatabase;
  let stage: CrudStage;
  const [before, after] = isFreshForEachTest ? [beforeEach, afterEach] : [beforeAll, afterAll];
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  before(async () => {
    await runDirectly(database.url, sql);
    stage = startPostgresCrud({ ...options, url: database.url });
  });
  after(async () => {
    await stage.close();
  });
  afterEach(() => {
    expect(stage.faults()).toEqual([]);
  });
  afterAll(async () => {
    await database.drop();
  });
  return {
    api: supertest((request: IncomingMessage, response: ServerResponse) => {
      stage.app(request, response);
    }),
    stage: () => stage,
    start: (more) => startPostgresCrud({ ...more, url: database.url }),
    runDirectly: async (text) => await runDirectly(database.url, text),
  };
}
