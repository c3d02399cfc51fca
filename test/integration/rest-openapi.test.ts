// The API's description against what is answered: every example is sent to real databases.
import { ObjectId } from 'mongodb';
import supertest from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import { createSample } from '../../routes/docs-sample.ts';
import { createOpenApiDocument } from '../../routes/openapi.ts';
import type { Content, OpenApiDocument } from '../../routes/openapi-types.ts';
import { operationsOf, responsesOf } from '../../routes/openapi-walk.ts';
import type { DescribedOperation } from '../../routes/openapi-walk.ts';
import { ADMIN, READER, startApi } from '../support/api-stage.ts';
import type { ApiStage } from '../support/api-stage.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { checkerOf } from '../support/openapi.ts';

const VERSION = '1.2.3';
const POSTGRES = createOpenApiDocument({
  version: VERSION,
  hasPostgres: true,
  hasMongodb: false,
});
const MONGODB = createOpenApiDocument({ version: VERSION, hasPostgres: false, hasMongodb: true });

type Case = readonly [name: string, described: DescribedOperation];

/** Rows of a table of tests. */
function casesOf(document: OpenApiDocument): Case[] {
  return operationsOf(document.paths).map((one) => [one.operation.operationId, one]);
}

/** Each example of a body, with its operation. */
function bodiesOf(document: OpenApiDocument): [string, DescribedOperation, unknown][] {
  return casesOf(document).flatMap(([id, described]) =>
    Object.values(described.operation.requestBody?.content ?? {}).flatMap(({ examples = {} }) =>
      Object.entries(examples).map(([name, { value }]): [string, DescribedOperation, unknown] => [
        `${id}, ${name}`,
        described,
        value,
      ]),
    ),
  );
}

function operationOf(document: OpenApiDocument, operationId: string): DescribedOperation {
  const found = operationsOf(document.paths).find(
    ({ operation }) => operation.operationId === operationId,
  );
  if (found === undefined) {
    throw new Error(`No operation is called ${operationId}`);
  }
  return found;
}

interface Asked {
  readonly url?: string;
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends the sample of an operation, or what is said instead of its parts. */
async function ask(
  stage: ApiStage,
  document: OpenApiDocument,
  described: DescribedOperation,
  { token = ADMIN, headers = {}, ...instead }: Asked = {},
): Promise<supertest.Response> {
  const sample = createSample(document, described);
  const body = instead.body === undefined ? sample.body : JSON.stringify(instead.body);
  const agent = supertest(stage.url);
  const request = agent[described.method](instead.url ?? sample.url)
    .set('Authorization', `Bearer ${token}`)
    .set(body === undefined ? {} : { 'Content-Type': 'application/json' })
    .set(headers);
  return await (body === undefined ? request : request.send(body));
}

/** Those that say something about one kind of answer only. */
const OWN_HEADERS = ['Allow', 'ETag', 'Link', 'Location', 'Retry-After', 'WWW-Authenticate'];

/** Status, headers, content type and body are as the description has them. */
function expectDescribed(
  document: OpenApiDocument,
  { operation }: DescribedOperation,
  answer: supertest.Response,
): void {
  const responses = responsesOf(document, operation);
  const described = responses.find(({ status }) => status === String(answer.status))?.response;
  expect([answer.status, answer.text, described]).toEqual([
    answer.status,
    answer.text,
    expect.anything(),
  ]);
  expectHeaders(document, described?.headers ?? {}, answer);
  expectBody(document, described?.content ?? {}, answer);
}

function expectHeaders(
  document: OpenApiDocument,
  described: Readonly<Record<string, unknown>>,
  answer: supertest.Response,
): void {
  const names = Object.keys(described);
  const own = OWN_HEADERS.filter((name) => answer.get(name) !== undefined);
  expect(names).toEqual(expect.arrayContaining(own));
  const needed = names.filter((name) => document.components.headers[name]?.required === true);
  expect(needed).toEqual(expect.arrayContaining(['X-Request-Id', 'Cache-Control']));
  expect(needed.filter((name) => answer.get(name) === undefined)).toEqual([]);
}

function expectBody(document: OpenApiDocument, content: Content, answer: supertest.Response): void {
  if (answer.status === 204) {
    expect(content).toEqual({});
    return;
  }
  expect(Object.keys(content)).toContain(answer.type);
  const isJson = /[/+]json$/.test(answer.type);
  const value: unknown = isJson ? JSON.parse(answer.text) : answer.text;
  const checker = checkerOf(document, content[answer.type]?.schema ?? {});
  expect([value, checker.safeParse(value)]).toEqual([
    value,
    expect.objectContaining({ success: true }),
  ]);
}

describe('PostgreSQL', () => {
  let database: TestDatabase;
  let stage: ApiStage;

  beforeAll(async () => {
    database = await createTestDatabase();
    await runDirectly(
      database.url,
      `create table people (
         id int generated by default as identity primary key, name text not null, age int
       );
       create view adults as select * from people where age >= 18;
       create table towns (name text primary key)`,
    );
    stage = await startApi({ dsn: database.url });
  });

  beforeEach(async () => {
    await runDirectly(
      database.url,
      `truncate people restart identity;
       insert into people (name, age) values ('Ada', 36), ('Bob', 17);
       truncate towns; insert into towns values ('Ulm')`,
    );
  });

  afterAll(async () => {
    await stage.stop();
    await database.drop();
  });

  it('is described at /openapi.json', async () => {
    expect((await supertest(stage.url).get('/openapi.json')).body).toEqual(POSTGRES);
  });

  test.each(casesOf(POSTGRES))('answers the sample of %s as described', async (_id, described) => {
    const answer = await ask(stage, POSTGRES, described);
    expect(String(answer.status)).toBe(Object.keys(described.operation.responses)[0]);
    expectDescribed(POSTGRES, described, answer);
  });

  test.each(bodiesOf(POSTGRES))('takes the example of %s', async (_name, described, body) => {
    const answer = await ask(stage, POSTGRES, described, { body });
    expect(answer.status).toBeLessThan(300);
    expectDescribed(POSTGRES, described, answer);
  });

  test.each(['application/json', 'application/x-ndjson', 'text/csv'])(
    'writes results as %s, which is described',
    async (accept) => {
      const described = operationOf(POSTGRES, 'runQuery');
      const answer = await ask(stage, POSTGRES, described, { headers: { Accept: accept } });
      expect(answer.type).toBe(accept);
      expectDescribed(POSTGRES, described, answer);
    },
  );

  it('describes a page that has a next one, and the link to it', async () => {
    const described = operationOf(POSTGRES, 'listRows');
    const answer = await ask(stage, POSTGRES, described, {
      url: '/api/postgres/public/people?limit=1&count=estimated',
    });
    expect(answer.get('Link')).toMatch(/^<[^>]+>; rel="next"$/);
    expectDescribed(POSTGRES, described, answer);
  });

  const QUERY = { backend: 'postgres' };
  const PEOPLE = '/api/postgres/public/people';
  const STALE = { headers: { 'If-Match': '"1"' } };
  const NO_JSON = { headers: { 'Content-Type': 'text/plain' }, body: { a: 1 } };

  test.each<[number, string, string, Asked]>([
    [400, 'a filter that is none', 'listRows', { url: `${PEOPLE}?age=5` }],
    [400, 'syntax', 'runQuery', { body: { ...QUERY, sql: 'selec' } }],
    [400, 'many without a filter', 'deleteRows', { url: PEOPLE }],
    [401, 'no token', 'readRow', { token: 'gp_none' }],
    [403, 'too little scope', 'createRows', { token: READER }],
    [
      403,
      'a write of a reader',
      'runQuery',
      { token: READER, body: { ...QUERY, sql: 'drop table people' } },
    ],
    [404, 'no table', 'listRows', { url: '/api/postgres/public/nothing' }],
    [404, 'no schema', 'listSchemaTables', { url: '/api/postgres/nothing' }],
    [404, 'no row', 'readRow', { url: `${PEOPLE}/77` }],
    [404, 'no relation', 'runQuery', { body: { ...QUERY, sql: 'select * from nothing' } }],
    [405, 'a view', 'createRows', { url: '/api/postgres/public/adults' }],
    [406, 'a format', 'runQuery', { headers: { Accept: 'image/png' } }],
    [
      409,
      'a duplicate',
      'createRows',
      { url: '/api/postgres/public/towns', body: { name: 'Ulm' } },
    ],
    [412, 'another version to replace', 'replaceRow', STALE],
    [412, 'another version to change', 'patchRow', STALE],
    [412, 'another version to delete', 'deleteRow', STALE],
    [412, 'another version to read', 'readRow', STALE],
    [412, 'a row that should not be', 'replaceRow', { headers: { 'If-None-Match': '*' } }],
    [415, 'a type', 'deleteRow', NO_JSON],
    [415, 'a type', 'deleteRows', NO_JSON],
    [413, 'a large body', 'createRows', { body: { name: 'a'.repeat(1024 * 1024) } }],
    [415, 'a type', 'createRows', { headers: { 'Content-Type': 'text/plain' } }],
    [422, 'no such column', 'patchRow', { body: { height: 5 } }],
    [422, 'no value', 'createRows', { body: { age: 5 } }],
    [422, 'a wider limit', 'runQuery', { body: { ...QUERY, sql: 'select 1', maxRows: 1_000_000 } }],
    [504, 'time', 'runQuery', { body: { ...QUERY, sql: 'select pg_sleep(9)', timeoutMs: 50 } }],
  ])('describes %d for %s in %s', async (status, _what, operationId, asked) => {
    const described = operationOf(POSTGRES, operationId);
    const answer = await ask(stage, POSTGRES, described, asked);
    expect(answer.status).toBe(status);
    expect(answer.type).toBe('application/problem+json');
    expectDescribed(POSTGRES, described, answer);
  });
});

describeMongodb('MongoDB', () => {
  let database: TestMongodbDatabase;
  let stage: ApiStage;

  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    await database.client.db(database.name).createCollection('people');
    await database.client
      .db(database.name)
      .createCollection('adults', { viewOn: 'people', pipeline: [] });
    stage = await startApi({ mongodbUri: database.uri });
  });

  beforeEach(async () => {
    const people = database.client.db(database.name).collection('people');
    await people.deleteMany({});
    await people.insertMany([
      { _id: new ObjectId('66a1f0c2e4b0a1b2c3d4e5f6'), name: 'Ada', age: 36 },
      { _id: new ObjectId('66a1f0c2e4b0a1b2c3d4e5f7'), name: 'Bob', age: 17 },
    ]);
  });

  afterAll(async () => {
    await stage.stop();
    await database.drop();
  });

  /** The examples' database is called app, the test's otherwise. */
  async function askMongodb(
    described: DescribedOperation,
    { url, ...asked }: Asked = {},
  ): Promise<supertest.Response> {
    const path = url ?? createSample(MONGODB, described).url;
    const own = path.replace('/api/mongodb/app', `/api/mongodb/${database.name}`);
    return await ask(stage, MONGODB, described, { ...asked, url: own });
  }

  it('is described at /openapi.json', async () => {
    expect((await supertest(stage.url).get('/openapi.json')).body).toEqual(MONGODB);
  });

  test.each(casesOf(MONGODB))('answers the sample of %s as described', async (_id, described) => {
    const answer = await askMongodb(described);
    expect(String(answer.status)).toBe(Object.keys(described.operation.responses)[0]);
    expectDescribed(MONGODB, described, answer);
  });

  test.each(bodiesOf(MONGODB))('takes the example of %s', async (_name, described, body) => {
    const answer = await askMongodb(described, { body });
    expect(answer.status).toBeLessThan(300);
    expectDescribed(MONGODB, described, answer);
  });

  const PEOPLE = '/api/mongodb/app/people';
  const STALE = { headers: { 'If-Match': '"1"' } };
  const NO_JSON = { headers: { 'Content-Type': 'text/plain' }, body: { a: 1 } };

  test.each<[number, string, string, Asked]>([
    [400, 'a filter that is none', 'listDocuments', { url: `${PEOPLE}?age=5` }],
    [400, 'an id of another type', 'readDocument', { url: `${PEOPLE}/1?id_type=uuid` }],
    [401, 'no token', 'listDatabases', { token: 'gp_none' }],
    [403, 'too little scope', 'deleteDocument', { token: READER }],
    [404, 'no database', 'listCollections', { url: '/api/mongodb/nothing' }],
    [404, 'no document', 'readDocument', { url: `${PEOPLE}/1` }],
    [405, 'a view', 'createDocuments', { url: '/api/mongodb/app/adults' }],
    [
      409,
      'a duplicate',
      'createDocuments',
      { body: { _id: { $oid: '66a1f0c2e4b0a1b2c3d4e5f6' } } },
    ],
    [412, 'another version to replace', 'replaceDocument', STALE],
    [412, 'another version to change', 'patchDocument', STALE],
    [412, 'another version to delete', 'deleteDocument', STALE],
    [412, 'another version to read', 'readDocument', STALE],
    [412, 'what should not be', 'patchDocument', { headers: { 'If-None-Match': '*' } }],
    [415, 'a type', 'deleteDocument', NO_JSON],
    [415, 'a type', 'deleteDocuments', NO_JSON],
    [415, 'a type', 'patchDocuments', { headers: { 'Content-Type': 'text/plain' } }],
    [422, 'an operator', 'patchDocument', { body: { age: { $gt: 5 } } }],
  ])('describes %d for %s in %s', async (status, _what, operationId, asked) => {
    const described = operationOf(MONGODB, operationId);
    const answer = await askMongodb(described, asked);
    expect(answer.status).toBe(status);
    expect(answer.type).toBe('application/problem+json');
    expectDescribed(MONGODB, described, answer);
  });
});
