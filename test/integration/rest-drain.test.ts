// The service is told to stop while requests run: what they get, and what is left on the servers.
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from '@jest/globals';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { gatepostSessions, runningStatements, untilFact, untilTrue } from '../support/facts.ts';
import { ask, problemOf } from '../support/http-client.ts';
import type { Answer } from '../support/http-client.ts';
import { untilNothingHeld, untilRunning } from '../support/mongodb-facts.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { parseJsonLines } from '../support/observations.ts';
import { startRestService } from '../support/rest-service.ts';
import type { RestService } from '../support/rest-service.ts';

const NDJSON = 'application/x-ndjson';

/** Rows that come one by one for longer than any test, after enough of them to begin an answer. */
const ENDLESS = `select repeat('x', 9000), pg_sleep(case when n < 20 then 0 else 0.05 end)
  from generate_series(1, 1000) n`;

/** What a client is told whose statement was stopped. */
const STOPPED = 'canceling statement as Gatepost shuts down';

let database: TestDatabase;
let service: RestService;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await service.remove();
});

afterAll(async () => {
  await database.drop();
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  service = await startRestService({
    environment: { WIRE_UPSTREAM_DSN: database.url, WIRE_MONGODB_PORT: 'off', ...environment },
  });
}

/** Past the deadline at once. */
async function startImpatient(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  await start({ SHUTDOWN_TIMEOUT: '300ms', ...environment });
}

async function query(sql: string, { accept = '*/*', agent }: QueryOptions = {}): Promise<Answer> {
  return await service.ask('/query', {
    headers: { Accept: accept },
    body: { backend: 'postgres', sql },
    ...(agent && { agent }),
  });
}

interface QueryOptions {
  readonly accept?: string;
  readonly agent?: Agent;
}

/** Resolves when so many statements like this run. */
async function untilRuns(pattern: string, count = 1): Promise<void> {
  await untilTrue(database.url, runningStatements(pattern, count));
}

async function untilDrains(): Promise<void> {
  await untilFact(
    async () => (await service.ask('/query', { body: {} })).status === 503,
    'requests to be refused',
  );
}

function terminate(): void {
  service.process.kill('SIGTERM');
}

describe('While requests run', () => {
  it('they finish with their whole answers, and their connections are closed', async () => {
    await start();
    const agent = new Agent({ keepAlive: true });
    const running = [
      query('select pg_sleep(1.5), 42 as n', { agent }),
      query(`select pg_sleep(0.015), n, repeat('x', 500) as t from generate_series(1, 100) n`, {
        agent,
        accept: NDJSON,
      }),
    ];
    await untilRuns('%pg_sleep(%', 2);
    terminate();
    const [small, large] = await Promise.all(running);
    expect(small).toMatchObject({ status: 200, isWhole: true });
    expect(small?.headers.connection).toBe('close');
    expect(JSON.parse(small?.text ?? '')).toMatchObject({ rows: [{ n: 42 }], truncated: false });
    expect(large).toMatchObject({ status: 200, isWhole: true });
    const lines = parseJsonLines(large?.text ?? '');
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toMatchObject({ $meta: { rows: 100, truncated: false } });
    expect(await service.exited()).toBe(0);
    agent.destroy();
  });

  it('further ones are told to come again, and later find nobody', async () => {
    await start();
    const running = query('select pg_sleep(1.5), 1');
    await untilRuns('%pg_sleep(1.5)%');
    terminate();
    await untilDrains();
    for (const question of [
      { path: '/query', body: { backend: 'postgres', sql: 'select 1' } },
      { path: '/query', body: 'no JSON at all' },
      { path: '/api/postgres' },
      { path: '/api/postgres/public/t/1', method: 'DELETE' },
    ]) {
      const refused = await service.ask(question.path, question);
      expect(refused.headers).toMatchObject({ 'retry-after': '5', connection: 'close' });
      expect(problemOf(refused)).toMatchObject({
        status: 503,
        detail: 'Gatepost is shutting down',
        hint: expect.stringContaining('again'),
      });
    }
    expect((await service.ask('/livez')).status).toBe(200);
    const [status, readiness] = await service.askJson('/readyz');
    expect(status).toBe(503);
    expect(readiness).toMatchObject({ reasons: expect.arrayContaining([expect.any(String)]) });
    expect((await running).status).toBe(200);
    expect(await service.exited()).toBe(0);
    await expect(ask(`${service.url}/livez`)).rejects.toThrow('ECONNREFUSED');
  });

  it('those that wait for a connection to the database finish too', async () => {
    await start({ POSTGRES_POOL_MAX: '1' });
    const first = query('select pg_sleep(0.8), 1 as n');
    await untilRuns('%pg_sleep(0.8)%');
    const waiting = [2, 3].map(async (n) => await query(`select ${n} as n`));
    // Metrics are asked last, on a connection of their own: what was sent before has arrived.
    await service.ask('/metrics');
    terminate();
    const answers = await Promise.all([first, ...waiting]);
    expect(answers.map(({ text }) => /"n":(\d)/.exec(text)?.[1])).toEqual(['1', '2', '3']);
    expect(await service.exited()).toBe(0);
  });

  it('a connection that waits for its next request does not hold it up', async () => {
    await start();
    const agent = new Agent({ keepAlive: true });
    await query('select 1', { agent });
    const stoppedAtMs = performance.now();
    terminate();
    expect(await service.exited()).toBe(0);
    // Node's own keep-alive is longer.
    expect(performance.now() - stoppedAtMs).toBeLessThan(4000);
    agent.destroy();
    await untilTrue(database.url, gatepostSessions(0));
  });

  it('a connection without any request holds it up to the deadline at most', async () => {
    await start({ SHUTDOWN_TIMEOUT: '1s' });
    const silent = connect(Number(new URL(service.url).port), '127.0.0.1');
    await once(silent, 'connect');
    const stoppedAtMs = performance.now();
    terminate();
    expect(await service.exited()).toBe(0);
    expect(performance.now() - stoppedAtMs).toBeLessThan(4000);
    silent.destroy();
  });
});

describe('Past the deadline', () => {
  async function untilNothingIsLeft(): Promise<void> {
    expect(await service.exited()).toBe(0);
    await untilTrue(database.url, gatepostSessions(0));
  }

  it('a running statement is cancelled on the server, and its client learns why', async () => {
    await startImpatient();
    const running = query('select pg_sleep(60.5)');
    await untilRuns('%pg_sleep(60.5)%');
    terminate();
    const answer = await running;
    expect(problemOf(answer)).toMatchObject({ status: 503, sqlState: '57P01', detail: STOPPED });
    expect(answer.headers).toMatchObject({ 'retry-after': '5', connection: 'close' });
    await untilNothingIsLeft();
  });

  it('an answer that was begun ends visibly: NDJSON says why', async () => {
    await startImpatient();
    const running = query(ENDLESS, { accept: NDJSON });
    await untilRuns('select repeat%');
    terminate();
    const answer = await running;
    expect(answer).toMatchObject({ status: 200, isWhole: true });
    const lines = parseJsonLines(answer.text);
    expect(lines.at(-1)).toMatchObject({
      $meta: { rows: lines.length - 1, truncated: true, sqlState: '57P01', message: STOPPED },
    });
    await untilNothingIsLeft();
  });

  test.each(['application/json', 'text/csv'])(
    'an answer that was begun ends visibly: %s is cut off',
    async (accept) => {
      await startImpatient();
      const running = query(ENDLESS, { accept });
      await untilRuns('select repeat%');
      terminate();
      expect(await running).toMatchObject({ status: 200, isWhole: false });
      await untilNothingIsLeft();
    },
  );

  it('a client that does not read holds nothing up', async () => {
    await startImpatient({ WIRE_MAX_BYTES: '1GB', WIRE_MAX_ROWS: '1000000' });
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    const body = JSON.stringify({
      backend: 'postgres',
      sql: `select repeat('x', 10000) from generate_series(1, 90000)`,
    });
    socket.on('error', () => undefined);
    socket.pause();
    socket.write(
      `POST /query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
        `Accept: ${NDJSON}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await untilRuns('select repeat%');
    const stoppedAtMs = performance.now();
    terminate();
    await untilNothingIsLeft();
    expect(performance.now() - stoppedAtMs).toBeLessThan(8000);
    socket.destroy();
  });

  it('a row that waits for a lock is not written later', async () => {
    await runDirectly(database.url, 'create table held (id int primary key)');
    await startImpatient();
    const holder = runDirectly(
      database.url,
      `begin; lock table held in share mode; select pg_sleep(3); commit`,
    );
    await untilRuns('begin; lock%');
    const created = service.ask('/api/postgres/public/held', { body: { id: 1 } });
    await untilTrue(
      database.url,
      `select exists (select from pg_locks
         where relation = 'held'::regclass and not granted)`,
    );
    terminate();
    expect(problemOf(await created)).toMatchObject({ status: 503, sqlState: '57P01' });
    await untilNothingIsLeft();
    await holder;
    expect(await runDirectly(database.url, 'select * from held')).toEqual([]);
  });

  it('a second signal does not wait for it', async () => {
    await start({ SHUTDOWN_TIMEOUT: '10m' });
    const running = query('select pg_sleep(60.6)').catch((error: unknown) => error);
    await untilRuns('%pg_sleep(60.6)%');
    terminate();
    await service.logged('service-stopping');
    terminate();
    expect([0, 1]).toContain(await service.exited());
    await running;
    await untilTrue(database.url, runningStatements('%pg_sleep(60.6)%', 0));
  });
});

describeMongodb('With MongoDB', () => {
  let mongodb: TestMongodbDatabase;

  beforeAll(async () => {
    mongodb = await createTestMongodbDatabase();
    const three = mongodb.client.db(mongodb.name).collection<{ _id: number }>('three');
    await three.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
  });

  afterAll(async () => {
    await mongodb.drop();
  });

  const settings = (): Record<string, string> => ({
    MONGODB_URI: mongodb.uri,
    WIRE_MONGODB_JAVASCRIPT: 'true',
  });

  /** Sleeps for each of the three documents, on the server. */
  async function sleep(mark: string, sleepMs: number): Promise<Answer> {
    const filter = `{ $where: "sleep(${sleepMs}) || true", mark: { $ne: "${mark}" } }`;
    const answer = service.ask('/query', {
      body: { backend: 'mongodb', command: `db.three.find(${filter})` },
    });
    await untilRunning(mongodb, { 'filter.mark.$ne': mark });
    terminate();
    return await answer;
  }

  it('a running statement finishes before the deadline', async () => {
    await start(settings());
    const answer = await sleep('finishes', 400);
    expect(answer).toMatchObject({ status: 200, isWhole: true });
    expect(JSON.parse(answer.text)).toMatchObject({ rowCount: 3, truncated: false });
    expect(answer.headers.connection).toBe('close');
    expect(await service.exited()).toBe(0);
  });

  it('a running statement is killed on the server past the deadline', async () => {
    await startImpatient(settings());
    const answer = await sleep('is killed', 20_000);
    expect(problemOf(answer)).toMatchObject({ status: 503, sqlState: '57P01', detail: STOPPED });
    expect(await service.exited()).toBe(0);
    await untilNothingHeld(mongodb);
  });
});
