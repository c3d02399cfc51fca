// One observation for each session's start and end, and for each Query, with all that logs, metrics
// and the audit need.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { StatementFinished } from '../../src/observation.ts';
import { cancel, loginWithKey } from '../support/cancels.ts';
import { TEST_CERTIFICATES } from '../support/certificates.ts';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runningStatements, untilTrue } from '../support/facts.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate, GateOptions } from '../support/start-gate.ts';
import {
  frontendFrame,
  queryFrame,
  SSL_REQUEST,
  startupPacket,
  WireClient,
} from '../support/wire-client.ts';
import type { ReceivedFrame } from '../support/wire-client.ts';

let database: TestDatabase;
let gate: Gate;
let client: WireClient;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  client.destroy();
  await gate.stop();
});

afterAll(async () => {
  await database.drop();
});

async function start(options: Partial<GateOptions> = {}): Promise<void> {
  gate = await startGate({ dsn: database.url, ...options });
  client = await WireClient.login(gate.port);
}

/** The one statement so far. */
function soleStatement(): StatementFinished | undefined {
  const statements = gate.statements();
  expect(statements).toHaveLength(1);
  return statements[0];
}

function sizeOf(frames: readonly ReceivedFrame[], type?: string): number {
  return frames
    .filter((frame) => type === undefined || frame.type === type)
    .reduce((bytes, frame) => bytes + frame.bytes.length, 0);
}

describe('A statement is observed once, with its text, counts, outcome and SQLSTATE', () => {
  it.each<{
    options?: Partial<GateOptions>;
    query: string;
    seen: Partial<StatementFinished>;
  }>([
    {
      query: 'select i, null from generate_series(1, 3) as i',
      seen: { outcome: 'ok', commandTags: ['SELECT 3'], rows: 3, sqlState: undefined },
    },
    {
      query: 'begin; create temp table t (); show work_mem; commit',
      seen: {
        outcome: 'ok',
        commandTags: ['BEGIN', 'CREATE TABLE', 'SHOW', 'COMMIT'],
        rows: 1,
        sqlState: undefined,
      },
    },
    { query: '', seen: { outcome: 'ok', commandTags: [], rows: 0, sqlState: undefined } },
    {
      query: 'select 1; selekt',
      seen: { outcome: 'error', commandTags: [], rows: 0, sqlState: '42601' },
    },
    {
      query: 'select 10 / (3 - i) from generate_series(1, 5) as i',
      seen: { outcome: 'error', commandTags: [], rows: 2, sqlState: '22012' },
    },
    {
      options: { limits: { rowsMax: 2 } },
      query: 'select generate_series(1, 3)',
      seen: { outcome: 'limited', limit: 'rows', rows: 2, sqlState: '54000' },
    },
    {
      options: { limits: { bytesMax: 30 } },
      query: 'select generate_series(1, 3)',
      seen: { outcome: 'limited', limit: 'bytes', rows: 2, sqlState: '54000' },
    },
    {
      options: { limits: { rowsMax: 2, onLimit: 'truncate' } },
      query: 'select generate_series(1, 3)',
      seen: { outcome: 'truncated', limit: 'rows', rows: 2, sqlState: undefined },
    },
    {
      options: { limits: { queryTimeoutMs: 50 } },
      query: 'select pg_sleep(60)',
      seen: { outcome: 'timeout', rows: 0, sqlState: '57014' },
    },
    {
      query: `set statement_timeout = 20; select pg_sleep(60)`,
      seen: { outcome: 'error', rows: 0, sqlState: '57014' },
    },
    {
      options: { rules: { deny: ['DROP'] } },
      query: 'select 1; drop table t',
      seen: { outcome: 'refused', commandTags: [], rows: 0, sqlState: '42501' },
    },
    {
      query: 'copy (select 1) to stdout',
      seen: { outcome: 'refused', rows: 0, sqlState: '0A000' },
    },
  ])('$query: $seen', async ({ options, query, seen }) => {
    await start(options);
    const startedAtMs = performance.now();
    const frames = await client.query(query);
    const elapsedMs = performance.now() - startedAtMs;
    const statement = soleStatement();
    expect(statement).toMatchObject({
      text: query,
      limit: undefined,
      bytes: sizeOf(frames, 'D'),
      receivedBytes: queryFrame(query).length,
      sentBytes: sizeOf(frames),
      ...seen,
    });
    expect(statement?.durationMs).toBeGreaterThanOrEqual(0);
    expect(statement?.durationMs).toBeLessThanOrEqual(elapsedMs);
  });

  it('when the client cancels it', async () => {
    gate = await startGate({ dsn: database.url });
    const session = await loginWithKey(gate.port);
    ({ client } = session);
    client.send(queryFrame('select pg_sleep(60)'));
    await untilTrue(database.url, runningStatements('select pg_sleep(60)', 1));
    await cancel(gate.port, session.key);
    await client.untilReady();
    expect(soleStatement()).toMatchObject({ outcome: 'cancelled', sqlState: '57014' });
    expect(gate.observations.filter(({ kind }) => kind === 'cancel-requested')).toMatchObject([
      { listener: 'test', address: '127.0.0.1', result: 'matched' },
    ]);
  });

  it('when the client leaves', async () => {
    await start();
    client.send(queryFrame('select pg_sleep(60)'));
    await untilTrue(database.url, runningStatements('select pg_sleep(60)', 1));
    client.destroy();
    await gate.observed((one) => one.kind === 'session-closed');
    expect(soleStatement()).toMatchObject({ outcome: 'aborted', sqlState: '08006' });
  });

  it('when it is not of the simple protocol, without a text', async () => {
    await start();
    client.send(frontendFrame('P', '\0select 1\0\0\0'), frontendFrame('S', ''));
    await client.untilReady();
    expect(soleStatement()).toMatchObject({ text: '', outcome: 'refused', sqlState: '0A000' });
  });
});

describe('A session is observed', () => {
  it('when it opens and when it closes, with who it was and what it did', async () => {
    gate = await startGate({ dsn: database.url });
    client = await WireClient.login(gate.port, {
      user: 'alice',
      database: database.name,
      application_name: 'observed',
    });
    const frames = [
      ...(await client.query('select generate_series(1, 4)')),
      ...(await client.query('selekt')),
    ];
    client.send(frontendFrame('X', ''));
    await client.closed();
    const closed = await gate.observed((one) => one.kind === 'session-closed');
    const session = {
      sessionId: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      listener: 'test',
      backend: 'postgres',
      user: 'alice',
      database: database.name,
      address: '127.0.0.1',
      applicationName: 'observed',
      isEncrypted: false,
    };
    expect(closed).toMatchObject({ session, statements: 2, rows: 4, error: undefined });
    expect(closed.sentBytes).toBe(Buffer.concat(client.transcript).length);
    expect(closed.sentBytes).toBeGreaterThan(sizeOf(frames));
    const { sessionId } = closed.session;
    const ofSession = gate.observations.filter(
      (one) => 'session' in one && one.session.sessionId === sessionId,
    );
    expect(ofSession.map(({ kind }) => kind)).toEqual([
      'session-opened',
      'statement-finished',
      'statement-finished',
      'session-closed',
    ]);
    expect(ofSession[0]).toMatchObject({ session });
  });

  it('with its encryption', async () => {
    gate = await startGate({ dsn: database.url, tls: TEST_CERTIFICATES });
    client = await WireClient.open(gate.port);
    client.send(SSL_REQUEST);
    await client.bytes(1);
    await client.startTls();
    client.send(startupPacket({ user: 'tester' }));
    await client.untilReady();
    expect(gate.observations.at(-1)).toMatchObject({
      kind: 'session-opened',
      session: { isEncrypted: true },
    });
  });

  it('under the application name that it has at the time', async () => {
    await start();
    await client.query(`set application_name = 'renamed'`);
    await client.query('select 1');
    await client.query('reset application_name');
    expect(gate.statements().map(({ session }) => session.applicationName)).toEqual([
      'renamed',
      'renamed',
      '',
    ]);
  });
});
