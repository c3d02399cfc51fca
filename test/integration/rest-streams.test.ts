// Answers that are large, slow, cut short or left: over real sockets.
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from '@jest/globals';
import { once } from 'node:events';
import { request as openRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { text as readText } from 'node:stream/consumers';
import { ADMIN, startApi } from '../support/api-stage.ts';
import type { ApiStage, ApiStageOptions } from '../support/api-stage.ts';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runningStatements, untilFact, untilTrue } from '../support/facts.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { parseJsonLines } from '../support/observations.ts';
import { startOwnProcess } from '../support/own-process.ts';
import type { OwnProcess } from '../support/own-process.ts';

const MEBIBYTE = 1024 * 1024;
const NDJSON = 'application/x-ndjson';
const FORMATS = ['application/json', NDJSON, 'text/csv'];

const UNLIMITED = { rowsMax: 1e9, bytesMax: 1e11 };

/** Some megabytes, then an error. */
const FAILS_LATE = `select repeat('x', 100), 1 / (40000 - n) from generate_series(1, 50000) n`;

let database: TestDatabase;
let stage: ApiStage | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await stage?.stop();
  stage = undefined;
});

afterAll(async () => {
  await database.drop();
});

async function start(options: Partial<ApiStageOptions> = {}): Promise<ApiStage> {
  stage = await startApi({
    dsn: database.url,
    ...options,
    limits: { ...UNLIMITED, ...options.limits },
  });
  return stage;
}

function send(port: number, body: object, accept = NDJSON): ClientRequest {
  const sent = openRequest({
    host: '127.0.0.1',
    port,
    path: '/query',
    method: 'POST',
    headers: {
      Authorization: `Bearer ${ADMIN}`,
      'Content-Type': 'application/json',
      Accept: accept,
    },
  });
  sent.end(JSON.stringify(body));
  return sent;
}

function sendSql(port: number, sql: string, accept?: string): ClientRequest {
  return send(port, { backend: 'postgres', sql }, accept);
}

async function responseTo(sent: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

/** The whole body; rejects where it breaks off. */
async function bodyOf(sent: ClientRequest): Promise<string> {
  return await readText(await responseTo(sent));
}

describe('an error in the middle of an answer', () => {
  test.each(FORMATS.filter((format) => format !== NDJSON))('cuts %s off', async (format) => {
    const { port, ...api } = await start();
    const response = await responseTo(sendSql(port, FAILS_LATE, format));
    expect(response.statusCode).toBe(200);
    await expect(readText(response)).rejects.toThrow(/aborted/);
    expect(api.statements().at(-1)).toMatchObject({ outcome: 'error', sqlState: '22012' });
    expect(api.faults()).toEqual([]);
  });

  it('is the last line of NDJSON', async () => {
    const { port } = await start();
    const lines = parseJsonLines(await bodyOf(sendSql(port, FAILS_LATE)));
    const { $meta: meta } = lines.at(-1) as { $meta: Readonly<Record<string, unknown>> };
    expect(meta).toMatchObject({
      rows: lines.length - 1,
      truncated: true,
      sqlState: '22012',
      message: 'division by zero',
      durationMs: expect.any(Number),
    });
  });

  it('of several statements is told behind those that ended', async () => {
    const { port } = await start();
    const lines = parseJsonLines(await bodyOf(sendSql(port, `select 1 as a; ${FAILS_LATE}`)));
    expect(lines.slice(0, 2)).toMatchObject([{ a: 1 }, { $meta: { rows: 1, more: true } }]);
    expect(lines.at(-1)).toMatchObject({ $meta: { sqlState: '22012' } });
  });

  it('is a timeout too', async () => {
    // The first rows are there at once, however busy the machine is; then nothing comes for long.
    const { port } = await start({ limits: { queryTimeoutMs: 2000 } });
    const text = await bodyOf(
      sendSql(
        port,
        `select repeat('x', 9000), pg_sleep(case when n < 9 then 0 else 60 end)
          from generate_series(1, 10) n`,
      ),
    );
    expect(parseJsonLines(text).at(-1)).toMatchObject({ $meta: { sqlState: '57014' } });
  });

  test.each(FORMATS)('that comes before a row is a problem: %s', async (format) => {
    const { port } = await start();
    const response = await responseTo(
      sendSql(port, 'select 1 / (n - 1) from generate_series(1, 3) n', format),
    );
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(await readText(response))).toMatchObject({ sqlState: '22012' });
  });
});

describe('a large answer', () => {
  test.each(FORMATS)('comes whole in %s', async (format) => {
    const { port } = await start();
    const sql = `select n, repeat('x', 100) as x from generate_series(1, 100000) n`;
    const body = await bodyOf(sendSql(port, sql, format));
    if (format === 'application/json') {
      const { rows, rowCount } = JSON.parse(body) as { rows: object[]; rowCount: number };
      expect([rows.length, rows.at(-1), rowCount]).toEqual([
        100_000,
        { n: 100_000, x: 'x'.repeat(100) },
        100_000,
      ]);
    } else {
      expect(body.split('\n')).toHaveLength(100_002);
    }
  });

  it('comes row by row where rows are slow', async () => {
    const { port } = await start();
    // PostgreSQL sends in chunks of 8 KiB: with the second row the first one is through.
    const sent = sendSql(
      port,
      `select repeat('x', 9000) as x from generate_series(1, 2)
        union all select pg_sleep(30)::text`,
    );
    sent.on('error', () => undefined);
    const response = await responseTo(sent);
    const [chunk] = (await once(response, 'data')) as [Buffer];
    expect(chunk.toString('utf8')).toMatch(/^\{"x":"x+"\}\n$/);
    await untilTrue(database.url, runningStatements('%pg_sleep(30)%', 1));
    sent.destroy();
    await untilTrue(database.url, runningStatements('%pg_sleep(30)%', 0));
  });
});

describe('a client that goes away', () => {
  test.each(FORMATS)('stops a statement that has given nothing yet: %s', async (format) => {
    const { port, ...api } = await start();
    const sent = sendSql(port, 'select pg_sleep(60)', format);
    sent.on('error', () => undefined);
    await untilTrue(database.url, runningStatements('%pg_sleep(60)%', 1));
    sent.destroy();
    await untilTrue(database.url, runningStatements('%pg_sleep(60)%', 0));
    await untilFact(() => api.statements().length === 1, 'the statement to be observed');
    expect(api.statements()[0]).toMatchObject({ outcome: 'aborted', sqlState: '57014' });
    expect(api.faults()).toEqual([]);
  });

  test.each(FORMATS)('stops a statement whose rows are on their way: %s', async (format) => {
    const { port, ...api } = await start();
    const sent = sendSql(port, `select repeat('y', 1000) from generate_series(1, 1e7)`, format);
    sent.on('error', () => undefined);
    const response = await responseTo(sent);
    response.on('error', () => undefined);
    await once(response, 'data');
    response.pause();
    await untilTrue(database.url, runningStatements("%repeat(''y''%", 1));
    sent.destroy();
    await untilTrue(database.url, runningStatements("%repeat(''y''%", 0));
    await untilFact(() => api.statements().length === 1, 'the statement to be observed');
    expect(api.statements()[0]).toMatchObject({ outcome: 'aborted' });
    expect(api.faults()).toEqual([]);
  });

  it('leaves the connection as it was for the next one', async () => {
    const { port } = await start();
    const sent = sendSql(port, "set work_mem = '1MB'; select pg_sleep(60)");
    sent.on('error', () => undefined);
    await untilTrue(database.url, runningStatements('%pg_sleep(60)%', 1));
    sent.destroy();
    await untilTrue(database.url, runningStatements('%pg_sleep(60)%', 0));
    const text = await bodyOf(sendSql(port, "select current_setting('work_mem') as m"));
    expect(parseJsonLines(text)[0]).toEqual({ m: '4MB' });
  });
});

describe('a client that never reads', () => {
  /** The most memory of a process while an upstream could have sent most of a gigabyte. */
  async function peakBytes(api: OwnProcess): Promise<number> {
    let peak = 0;
    for (let look = 0; look < 25; look += 1) {
      peak = Math.max(peak, await api.residentBytes());
      await pause(20);
    }
    return peak;
  }

  test.each([
    ['lines, large rows', NDJSON, `select repeat('x', 1000000) from generate_series(1, 1000)`],
    ['lines, small rows', NDJSON, `select repeat('x', 100) from generate_series(1, 10000000)`],
    ['JSON', 'application/json', `select repeat('x', 100) from generate_series(1, 10000000)`],
    ['CSV', 'text/csv', `select repeat('x', 100) from generate_series(1, 10000000)`],
  ])('1 GB costs less than 8 MB of memory: %s', async (_name, accept, sql) => {
    const api = await startOwnProcess({
      kind: 'api',
      options: { dsn: database.url, limits: UNLIMITED },
    });
    // Code and buffers that any answer takes are there before memory is measured.
    for (const rows of ['20)', '20)', '20)']) {
      const warm = sql.replace(/1000+\)$/, sql.includes('1000000)') ? rows : '200000)');
      await bodyOf(sendSql(api.port, warm, accept));
    }
    const before = await api.residentBytes();
    const sent = sendSql(api.port, sql, accept);
    sent.on('error', () => undefined);
    (await responseTo(sent)).pause();
    await untilTrue(
      database.url,
      `select count(*) = 1 from pg_stat_activity
        where datname = current_database() and wait_event = 'ClientWrite'`,
    );
    expect((await peakBytes(api)) - before).toBeLessThan(8 * MEBIBYTE);
    sent.destroy();
    await untilTrue(database.url, runningStatements('%repeat%', 0));
    await api.stop();
  });
});

describeMongodb('a client that goes away from MongoDB', () => {
  let mongodb: TestMongodbDatabase;

  beforeAll(async () => {
    mongodb = await createTestMongodbDatabase();
    await mongodb.client
      .db(mongodb.name)
      .collection('c')
      .insertMany([{ a: 1 }, { a: 2 }]);
  });

  afterAll(async () => {
    await mongodb.drop();
  });

  async function isRunning(mark: string): Promise<boolean> {
    const operations = await mongodb.client
      .db('admin')
      .aggregate([{ $currentOp: {} }, { $match: { 'command.filter.$where': { $regex: mark } } }])
      .toArray();
    return operations.length > 0;
  }

  it('stops what it has asked for', async () => {
    const { port, ...api } = await start({ mongodbUri: mongodb.uri });
    const command = 'db.c.find({ $where: "/* left */ while (true) {}" })';
    const sent = send(port, { backend: 'mongodb', command });
    sent.on('error', () => undefined);
    await untilFact(async () => await isRunning('left'), 'the operation to run');
    sent.destroy();
    await untilFact(async () => !(await isRunning('left')), 'the operation to end');
    await untilFact(() => api.statements().length === 1, 'the statement to be observed');
    expect(api.statements()[0]).toMatchObject({ outcome: 'aborted', sqlState: '57014' });
  });
});
