// The cache's MongoDB is slow, silent or away: requests go past it, in time and without an error,
// and a write that it could not be told of is told when it is back.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, test } from '@jest/globals';
import type { Db } from 'mongodb';
import { SharedClient } from '../../src/backends/mongodb/shared-client.ts';
import { ResponseCache } from '../../src/store/response-cache.ts';
import { ADMIN, startApi } from '../support/api-stage.ts';
import type { ApiStage } from '../support/api-stage.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { untilFact } from '../support/facts.ts';
import { ask } from '../support/http-client.ts';
import type { Answer } from '../support/http-client.ts';
import { createTestMongodbDatabase } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { startMongodbFaultProxy } from '../support/mongodb-fault-proxy.ts';
import type { Fault, MongodbFaultProxy } from '../support/mongodb-fault-proxy.ts';
import { describeBehindProxy } from '../support/mongodb-proxy.ts';
import { createRecorder } from '../support/observations.ts';
import { createTestCache } from '../support/response-caches.ts';

/** A look is given up after 250 ms; what is above it is the rest of a request on a busy machine. */
const READ_MS_MAX = 2000;

/** A write waits 1 s for the cache to learn of it. */
const WRITE_MS_MAX = 3000;

describeBehindProxy('the cache without its MongoDB', () => {
  let database: TestDatabase;
  let mongodb: TestMongodbDatabase;
  let proxy: MongodbFaultProxy;
  let client: SharedClient;
  /** One has the cache through the proxy, the other directly. */
  let one: ApiStage;
  let other: ApiStage;

  beforeAll(async () => {
    database = await createTestDatabase();
    mongodb = await createTestMongodbDatabase();
  });

  afterAll(async () => {
    await mongodb.drop();
    await database.drop();
  });

  beforeEach(async () => {
    await runDirectly(
      database.url,
      `drop table if exists items; create table items (id int primary key, name text);
        insert into items values (1, 'ann')`,
    );
    await mongodb.client.db(mongodb.name).dropDatabase();
    proxy = await startMongodbFaultProxy(mongodb.uri);
    client = new SharedClient(() => proxy.uri, { appName: 'gatepost-test', poolMax: 10 });
    const open = async (signal: AbortSignal): Promise<Db> =>
      (await client.open(signal)).db(mongodb.name);
    const cache = new ResponseCache({ store: { open }, observer: createRecorder() });
    one = await startApi({ dsn: database.url }, cache);
    other = await startApi({ dsn: database.url }, createTestCache(mongodb));
    await untilFact(async () => xCacheOf(await read()) === 'hit', 'a cache that is used');
  });

  afterEach(async () => {
    expect([...one.faults(), ...other.faults()]).toEqual([]);
    await Promise.all([one.stop(), other.stop()]);
    await client.close();
    await proxy.stop();
  });

  async function read(stage = one): Promise<Answer> {
    return await ask(`${stage.url}/api/postgres/public/items/1`, {
      token: ADMIN,
      // A kept connection would hold up the end of the stage.
      headers: { 'cache-control': 'max-age=60', connection: 'close' },
    });
  }

  async function write(name: string, stage = one): Promise<Answer> {
    return await ask(`${stage.url}/api/postgres/public/items/1`, {
      token: ADMIN,
      method: 'PATCH',
      headers: { connection: 'close' },
      body: { name },
    });
  }

  function fail(names: readonly string[], fault: Fault): void {
    proxy.faults = (command) => (names.includes(command) ? fault : 'pass');
  }

  const xCacheOf = ({ headers }: Answer): unknown => headers['x-cache'];

  test.each<[string, Fault]>([
    ['does not answer', 'stay silent'],
    ['breaks off', 'break before'],
    ['refuses', { ok: 0, code: 13, codeName: 'Unauthorized', errmsg: 'not authorized' }],
    ['answers with something else', { ok: 1, cursor: { firstBatch: [{ kind: 'odd' }] } }],
  ])('reads past one that %s, and comes back to it', async (_title, fault) => {
    fail(['find'], fault);
    const answers = [await read(), await read(), await read()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.map(xCacheOf)).toEqual(['bypass', 'bypass', 'bypass']);
    expect(Math.max(...answers.map(({ durationMs }) => durationMs))).toBeLessThan(READ_MS_MAX);
    fail([], 'pass');
    await untilFact(async () => xCacheOf(await read()) === 'hit', 'a cache that is used again');
  });

  it('waits once, and then not for a while', async () => {
    fail(['find'], 'stay silent');
    await read();
    const before = proxy.countOf('find');
    await Promise.all(Array.from({ length: 20 }, async () => await read()));
    expect(proxy.countOf('find') - before).toBeLessThanOrEqual(1);
  });

  it('reads past one that is gone', async () => {
    await proxy.stop();
    const answers = [await read(), await read()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers.map(xCacheOf)).toEqual(['bypass', 'bypass']);
    const written = await write('eve');
    expect([written.status, written.durationMs < WRITE_MS_MAX]).toEqual([200, true]);
    expect((await read()).text).toContain('eve');
    proxy = await startMongodbFaultProxy(mongodb.uri);
  });

  test.each<[string, readonly string[], Fault]>([
    ['does not take an answer', ['update'], 'stay silent'],
    ['does not give a lease', ['findAndModify'], 'stay silent'],
    ['does not take a lease back', ['delete'], 'break before'],
  ])('answers in time where it %s', async (_title, names, fault) => {
    await write('bob');
    fail(names, fault);
    const answer = await read();
    expect([answer.status, answer.text.includes('bob')]).toEqual([200, true]);
    expect(answer.durationMs).toBeLessThan(READ_MS_MAX);
    fail([], 'pass');
    await untilFact(async () => xCacheOf(await read()) === 'hit', 'a cache that is used again');
    expect((await read()).text).toContain('bob');
  });

  test.each<Fault>(['stay silent', 'break before', 'break after'])(
    'tells a write later that it was not told: %s',
    async (fault) => {
      fail(['update'], fault);
      const written = await write('eve');
      expect([written.status, written.durationMs < WRITE_MS_MAX]).toEqual([200, true]);
      // Here nothing is given any more that may be stale. The other replica knows of nothing yet.
      const after = await read();
      expect([xCacheOf(after), after.text.includes('eve')]).toEqual(['bypass', true]);
      const next = await write('fay');
      expect(next.durationMs).toBeLessThan(WRITE_MS_MAX);
      expect((await read()).text).toContain('fay');
      fail([], 'pass');
      await untilFact(async () => (await read(other)).text.includes('fay'), 'a write that is told');
      await untilFact(async () => xCacheOf(await read()) !== 'bypass', 'a cache that is used');
      expect((await read()).text).toContain('fay');
    },
  );

  it('tells at the end what it could not tell before', async () => {
    fail(['update'], 'stay silent');
    await write('eve');
    fail([], 'pass');
    await one.stop();
    const after = await read(other);
    expect([xCacheOf(after), after.text.includes('eve')]).toEqual(['miss', true]);
  });

  it('drops what a write has changed that the database did not confirm', async () => {
    // The row is locked, so that the write runs into its time; it is not done then.
    await runDirectly(
      database.url,
      `create or replace function wait() returns trigger language plpgsql as
        $$ begin perform pg_sleep(60); return new; end $$;
      create trigger wait before update on items for each row execute function wait()`,
    );
    const impatient = ask(`${one.url}/api/postgres/public/items/1`, {
      token: ADMIN,
      method: 'PATCH',
      body: { name: 'eve' },
      timeoutMs: 300,
    });
    await expect(impatient).rejects.toThrow();
    await untilFact(async () => xCacheOf(await read()) === 'bypass', 'a write that is not settled');
    expect((await read()).text).toContain('ann');
    expect(xCacheOf(await read(other))).toBe('miss');
  });
});
