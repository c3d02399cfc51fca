// POST /query with cacheSeconds: two replicas in front of one database, and one cache for both.
import { afterAll, beforeAll, beforeEach, expect, it, test } from '@jest/globals';
import { once } from 'node:events';
import { request as openRequest } from 'node:http';
import { ADMIN, OTHER_ADMIN, READER, startApi } from '../support/api-stage.ts';
import type { ApiStage } from '../support/api-stage.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runningStatements, untilFact, untilTrue } from '../support/facts.ts';
import { ask } from '../support/http-client.ts';
import type { Answer } from '../support/http-client.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { createTestCache } from '../support/response-caches.ts';

const JSON_TYPE = 'application/json';
const NDJSON = 'application/x-ndjson';

interface Asked {
  readonly stage?: ApiStage;
  readonly token?: string;
  readonly accept?: string;
}

describeMongodb('POST /query with cacheSeconds', () => {
  let database: TestDatabase;
  let mongodb: TestMongodbDatabase;
  let one: ApiStage;
  let other: ApiStage;
  /** In every statement of a test, so that no other test has asked it. */
  let mark = '';
  let marks = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    mongodb = await createTestMongodbDatabase();
    await runDirectly(database.url, 'create table items (id int primary key, name text)');
    [one, other] = await Promise.all([startReplica(), startReplica()]);
  });

  afterAll(async () => {
    await Promise.all([one.stop(), other.stop()]);
    await mongodb.drop();
    await database.drop();
  });

  beforeEach(() => {
    marks += 1;
    mark = `/* ${marks} */`;
  });

  async function startReplica(): Promise<ApiStage> {
    const backends = { dsn: database.url, mongodbUri: mongodb.uri };
    return await startApi(backends, createTestCache(mongodb));
  }

  async function query(
    body: object,
    { stage = one, token = ADMIN, accept = JSON_TYPE }: Asked = {},
  ): Promise<Answer> {
    return await ask(`${stage.url}/query`, { token, body, headers: { accept } });
  }

  function cached(sql: string, changes: object = {}): object {
    return { backend: 'postgres', sql: `${sql} ${mark}`, cacheSeconds: 60, ...changes };
  }

  /** How often a statement of this test has been run by either replica. */
  function runs(): number {
    const all = [...one.statements(), ...other.statements()];
    return all.filter(({ text }) => text.includes(mark)).length;
  }

  /** An answer is stored behind its client's back. */
  async function untilStored(count = 1): Promise<void> {
    const cache = mongodb.client.db(mongodb.name).collection('cache');
    await untilFact(
      async () => (await cache.countDocuments({ kind: 'lease' })) === 0,
      `${count} answers that are stored`,
    );
  }

  const xCacheOf = ({ headers }: Answer): unknown => headers['x-cache'];

  it('gives the answer of the run before, byte by byte', async () => {
    const body = cached(`select i, repeat('ü', 3) as text from generate_series(1, 3) i`);
    const first = await query(body);
    expect([first.status, xCacheOf(first), first.headers.age]).toEqual([200, 'miss', undefined]);
    const second = await query(body);
    expect([second.status, xCacheOf(second), second.headers.age]).toEqual([200, 'hit', '0']);
    // The duration in it is that of the run.
    expect(second.text).toBe(first.text);
    const { 'content-type': type, 'cache-control': control } = second.headers;
    expect([type, control]).toEqual([first.headers['content-type'], 'no-store']);
    expect(runs()).toBe(1);
  });

  it('has it on the other replica too', async () => {
    const body = cached('select now()');
    const first = await query(body);
    await untilStored();
    const second = await query(body, { stage: other });
    expect([xCacheOf(second), second.text]).toEqual(['hit', first.text]);
    expect(runs()).toBe(1);
  });

  it('keeps notices with the answer', async () => {
    const body = cached('rollback; select 1');
    const answers = [await query(body), await query(body)];
    expect(answers.map(xCacheOf)).toEqual(['miss', 'hit']);
    const notice = 'no transaction in progress';
    expect(answers.map(({ text }) => text.includes(notice))).toEqual([true, true]);
  });

  it('gives nobody the answer of somebody else', async () => {
    const body = cached(`select 'mine'`);
    await query(body);
    await untilStored();
    const callers = [
      { token: OTHER_ADMIN },
      { token: READER },
      { token: OTHER_ADMIN, stage: other },
      { token: READER, stage: other },
    ];
    const results: unknown[] = [];
    for (const caller of callers) {
      results.push(xCacheOf(await query(body, caller)));
      await untilStored();
    }
    expect(results).toEqual(['miss', 'miss', 'hit', 'hit']);
    expect(runs()).toBe(3);
  });

  it('tells apart what would be answered otherwise', async () => {
    const usual = cached('select $1::text as a', { params: ['x'] });
    await query(usual);
    expect(xCacheOf(await query({ ...usual }))).toBe('hit');
    const others: readonly (readonly [object, Asked?])[] = [
      [{ ...usual, params: ['y'] }],
      [{ ...usual, params: [null] }],
      [{ ...usual, params: ['null'] }],
      [{ ...usual, rowMode: 'array' }],
      [{ ...usual, maxRows: 7 }],
      [{ ...usual, maxBytes: 7000 }],
      [{ ...usual, timeoutMs: 7000 }],
      [{ ...usual, onLimit: 'error' }],
      [usual, { accept: NDJSON }],
      [usual, { accept: 'text/csv' }],
      [cached('select  $1::text as a', { params: ['x'] })],
    ];
    for (const [body, asked] of others) {
      expect(xCacheOf(await query(body, asked))).toBe('miss');
      expect(xCacheOf(await query(body, asked))).toBe('hit');
    }
  });

  it('gives nothing that is older than the asker wants', async () => {
    const body = cached('select 1');
    await query(body);
    await untilFact(async () => {
      const { headers } = await query(body);
      return headers.age === '1';
    }, 'an age of a second');
    // What was asked for is at most a second, and it is a little more by now.
    await untilFact(
      async () => xCacheOf(await query({ ...body, cacheSeconds: 1 })) === 'miss',
      'an answer that is too old',
    );
    expect(xCacheOf(await query(body))).toBe('hit');
    expect(runs()).toBe(2);
  });

  test.each([
    ['of PostgreSQL', 'insert into items values (1)', '25006'],
    ['of PostgreSQL by a function', `select nextval('counted')`, '25006'],
  ])('refuses a write %s, and says why', async (_title, sql, sqlState) => {
    await runDirectly(database.url, 'create sequence if not exists counted');
    for (const accept of [JSON_TYPE, NDJSON]) {
      const answer = await query(cached(sql), { accept });
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.text)).toMatchObject({
        sqlState,
        hint: 'Leave out cacheSeconds: with it a statement can only read',
      });
    }
    expect(await runDirectly(database.url, 'select from items')).toEqual([]);
    // A reader may not write at all: then the cache is not to blame.
    expect((await query(cached(sql), { token: READER })).text).not.toContain('cacheSeconds');
  });

  it('refuses a write of MongoDB, and says why', async () => {
    const command = { insert: 'people', documents: [{ _id: 1 }] };
    const answer = await query({ backend: 'mongodb', command, cacheSeconds: 60 });
    expect([answer.status, answer.text.includes('Leave out cacheSeconds')]).toEqual([403, true]);
    expect(await mongodb.client.db(mongodb.name).collection('people').countDocuments()).toBe(0);
  });

  it('keeps answers of MongoDB, of text and of commands', async () => {
    const people = mongodb.client.db(mongodb.name).collection('animals');
    await people.insertOne({ name: 'ant' });
    const text = { backend: 'mongodb', command: `db.animals.find({}) ${mark}`, cacheSeconds: 60 };
    const command = { find: 'animals', comment: mark };
    const document = { backend: 'mongodb', command, cacheSeconds: 60 };
    for (const body of [text, document, { ...document, database: 'elsewhere' }]) {
      const answers = [await query(body), await query(body)];
      expect(answers.map(xCacheOf)).toEqual(['miss', 'hit']);
      expect(answers[1]?.text).toBe(answers[0]?.text);
    }
    expect((await query(document)).text).toContain('ant');
  });

  test.each([
    ['an error', 'select 1/0', {}, 400],
    ['a result that was cut', 'select generate_series(1, 9)', { maxRows: 3 }, 200],
    ['more than 1 MiB', `select repeat('x', 1048577)`, {}, 200],
  ])('does not keep %s', async (_title, sql, changes, status) => {
    const body = cached(sql, changes);
    for (const stage of [one, one, other]) {
      const answer = await query(body, { stage });
      expect([answer.status, xCacheOf(answer)]).toEqual([status, 'miss']);
      await untilStored();
    }
    expect(runs()).toBe(3);
  });

  test.each([JSON_TYPE, NDJSON])('does not keep %s that an error has cut off', async (accept) => {
    // The first chunk is gone when the division fails.
    const sql = `select repeat('x', 1000) as a, 1 / (200 - i) as b from generate_series(1, 300) i`;
    const body = cached(sql);
    for (let round = 0; round < 2; round += 1) {
      const answer = await query(body, { accept });
      expect([answer.status, xCacheOf(answer)]).toEqual([200, 'miss']);
      expect(answer.isWhole).toBe(accept === NDJSON);
      await untilStored();
    }
  });

  it('does not keep the half that a client has read before it went away', async () => {
    // PostgreSQL sends a row at once that is larger than its buffer.
    const slow = 'case when i > 1 then pg_sleep(0.5)::text end';
    const sql = `select repeat('x', 10000), ${slow} from generate_series(1, 3) i`;
    const body = cached(sql);
    const text = JSON.stringify(body);
    const sent = openRequest(`${one.url}/query`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${ADMIN}`,
        accept: NDJSON,
        'content-type': JSON_TYPE,
        'content-length': Buffer.byteLength(text),
      },
    });
    sent.on('error', () => undefined).end(text);
    await once(sent, 'response');
    sent.destroy();
    await untilTrue(database.url, runningStatements(`%${mark}%`, 0));
    const whole = await query(body, { accept: NDJSON });
    expect([xCacheOf(whole), whole.text.trim().split('\n').length]).toEqual(['miss', 4]);
    await untilStored();
    expect((await query(body, { accept: NDJSON, stage: other })).text).toBe(whole.text);
  });

  it('runs a statement once when fifty want it at once', async () => {
    const body = cached('select pg_sleep(0.3), now()');
    const answers = await Promise.all(
      Array.from(
        { length: 50 },
        async (_, index) => await query(body, { stage: index % 2 === 0 ? one : other }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter((answer) => xCacheOf(answer) === 'miss')).toHaveLength(1);
    expect(runs()).toBe(1);
  });

  it('runs it for each where it fails', async () => {
    const body = cached('select 1 / (pg_sleep(0.2) is null)::int');
    const answers = await Promise.all(Array.from({ length: 4 }, async () => await query(body)));
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
    expect(runs()).toBe(4);
  });

  it('runs it again where the one who had it made goes away', async () => {
    const body = cached('select pg_sleep(0.4)');
    const gone = query(body, { stage: one }).catch(() => undefined);
    const impatient = ask(`${other.url}/query`, { token: ADMIN, body, timeoutMs: 100 });
    await expect(impatient).rejects.toThrow();
    const answers = await Promise.all([query(body), query(body, { stage: other })]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    await gone;
  });

  it('drops what a write through the API has changed', async () => {
    const body = cached('select count(*) as n from items');
    expect((await query(body)).text).toContain('"n":"0"');
    await untilStored();
    expect(xCacheOf(await query(body, { stage: other }))).toBe('hit');
    const created = await ask(`${other.url}/api/postgres/public/items`, {
      token: OTHER_ADMIN,
      body: { id: 1, name: 'ann' },
    });
    expect(created.status).toBe(201);
    const after = await query(body);
    expect([xCacheOf(after), after.text.includes('"n":"1"')]).toEqual(['miss', true]);
  });

  it('does not say anything of the cache to who has not asked', async () => {
    const answer = await query({ backend: 'postgres', sql: 'select 1' });
    expect([xCacheOf(answer), answer.headers.age]).toEqual([undefined, undefined]);
  });

  test.each([0, -1, 1.5, 86_401, '60', true])('does not take %p seconds', async (cacheSeconds) => {
    const answer = await query({ backend: 'postgres', sql: 'select 1', cacheSeconds });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('"field":"cacheSeconds"');
  });

  it('is a bypass where nothing is kept, and reads only all the same', async () => {
    const bare = await startApi({ dsn: database.url });
    const answer = await query(cached('select 1'), { stage: bare });
    expect([answer.status, xCacheOf(answer)]).toEqual([200, 'bypass']);
    expect((await query(cached('create table no ()'), { stage: bare })).status).toBe(403);
    expect(bare.cacheResults()).toEqual(['bypass', 'bypass']);
    await bare.stop();
  });

  it('is observed, answer by answer', async () => {
    const before = one.cacheResults().length;
    const body = cached('select 1');
    await query(body);
    await query(body);
    expect(one.cacheResults().slice(before)).toEqual(['miss', 'hit']);
    expect([...one.faults(), ...other.faults()]).toEqual([]);
  });
});
