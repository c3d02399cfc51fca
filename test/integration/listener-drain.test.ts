// A listener that stops refuses the new, tells the idle, waits for what runs until its deadline,
// and leaves no socket behind.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { gatepostSessions, runningStatements, untilTrue } from '../support/facts.ts';
import { holdLock } from '../support/held-lock.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  firstReport,
  queryFrame,
  reportFields,
  startupPacket,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

/** Longer than any test takes. */
const NO_DEADLINE_MS = 60_000;

/** What waits for nobody takes less, on a busy machine too. */
const SOON_MS = 10_000;

const SHUTDOWN = {
  S: 'FATAL',
  C: '57P01',
  M: 'terminating connection due to administrator command',
  D: expect.stringContaining('Session '),
  H: expect.stringContaining('shutting down'),
};

let database: TestDatabase;
let gate: Gate;
let client: WireClient;

beforeAll(async () => {
  database = await createTestDatabase();
});

beforeEach(async () => {
  gate = await startGate({ dsn: database.url });
  client = await WireClient.login(gate.port);
});

afterEach(async () => {
  client.destroy();
  await gate.stop();
  await untilTrue(database.url, gatepostSessions(0));
});

afterAll(async () => {
  await database.drop();
});

/** The fields of the last word that a client hears, which is an ErrorResponse. */
async function lastWord(of: WireClient): Promise<Readonly<Record<string, string>>> {
  const frame = await of.frame();
  expect(await of.closed()).toHaveLength(0);
  return reportFields(frame);
}

describe('A listener that stops', () => {
  it('tells its idle sessions, in a transaction or not, and is done', async () => {
    const other = await WireClient.login(gate.port);
    await other.query('begin');
    await gate.stop(NO_DEADLINE_MS);
    expect(await lastWord(client)).toMatchObject(SHUTDOWN);
    expect(await lastWord(other)).toMatchObject(SHUTDOWN);
    const closed = gate.observations.filter((one) => one.kind === 'session-closed');
    expect(closed).toMatchObject([
      { error: { sqlState: '57P01' } },
      { error: { sqlState: '57P01' } },
    ]);
  });

  it('lets a running statement finish, and then tells its session', async () => {
    const lock = await holdLock(database.url);
    client.send(queryFrame(lock.sql));
    await lock.untilAwaited();
    const stopped = gate.stop(NO_DEADLINE_MS);
    await lock.release();
    expect(typesOf(await client.untilReady())).toBe('TDCZ');
    expect(await lastWord(client)).toMatchObject(SHUTDOWN);
    await stopped;
  });

  it('cancels at its deadline what still runs', async () => {
    client.send(queryFrame('select pg_sleep(66)'));
    await untilTrue(database.url, runningStatements('select pg_sleep(66)', 1));
    const startedAtMs = performance.now();
    await gate.stop(200);
    expect(performance.now() - startedAtMs).toBeLessThan(SOON_MS);
    const frames = await client.until('E');
    expect(firstReport(frames)).toMatchObject(SHUTDOWN);
    expect(await client.closed()).toHaveLength(0);
    await untilTrue(database.url, runningStatements('select pg_sleep(66)', 0));
    expect(gate.statements()).toMatchObject([{ outcome: 'aborted', sqlState: '57P01' }]);
  });

  it('does not run what is pipelined behind the statement that it waits for', async () => {
    const lock = await holdLock(database.url);
    client.send(queryFrame(lock.sql), queryFrame('create table too_late ()'));
    await lock.untilAwaited();
    const stopped = gate.stop(NO_DEADLINE_MS);
    await lock.release();
    expect(typesOf(await client.untilReady())).toBe('TDCZ');
    expect(await lastWord(client)).toMatchObject(SHUTDOWN);
    await stopped;
    await untilTrue(database.url, `to_regclass('too_late') is null`);
  });

  it('runs a Query that comes in the same moment wholly or not at all', async () => {
    for (let round = 0; round < 20; round += 1) {
      const racing = await startGate({ dsn: database.url });
      const racer = await WireClient.login(racing.port);
      racer.send(queryFrame('select 1'));
      await new Promise((resolve) => {
        setTimeout(resolve, round / 10);
      });
      await racing.stop(NO_DEADLINE_MS);
      const frames = await racer.until('E');
      expect(typesOf(frames)).toMatch(/^(TDCZ)?E$/);
      expect(firstReport(frames)).toMatchObject(SHUTDOWN);
      expect(await racer.closed()).toHaveLength(0);
    }
  });

  it('refuses new connections at once', async () => {
    const lock = await holdLock(database.url);
    client.send(queryFrame(lock.sql));
    await lock.untilAwaited();
    const stopped = gate.stop(NO_DEADLINE_MS);
    await expect(WireClient.open(gate.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await lock.release();
    expect(typesOf(await client.untilReady())).toBe('TDCZ');
    await stopped;
  });

  it('closes sockets that have not sent their startup packet', async () => {
    const silent = await WireClient.open(gate.port);
    silent.send(startupPacket({ user: 'tester' }).subarray(0, 5));
    await gate.stop(NO_DEADLINE_MS);
    expect(await silent.closed()).toHaveLength(0);
  });

  it('is shown by psql', async () => {
    const run = runPsql({ url: gate.url, args: ['-c', 'select pg_sleep(67)'] });
    await untilTrue(database.url, runningStatements('select pg_sleep(67)', 1));
    await gate.stop(100);
    const { stderr, exitCode } = await run;
    expect(stderr).toContain('FATAL:  terminating connection due to administrator command');
    expect(exitCode).toBe(2);
  });

  it('does not wait for a client that does not read', async () => {
    client.pause();
    client.send(queryFrame(`select repeat('x', 1000), generate_series(1, 10000000)`));
    await untilTrue(
      database.url,
      `exists (select from pg_stat_activity
         where datname = current_database() and wait_event = 'ClientWrite')`,
    );
    const startedAtMs = performance.now();
    await gate.stop(100);
    expect(performance.now() - startedAtMs).toBeLessThan(SOON_MS);
    expect(gate.statements()).toMatchObject([{ outcome: 'aborted', sqlState: '57P01' }]);
  });
});
