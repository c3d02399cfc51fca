// A session that is idle for too long is ended with FATAL 57P05; one whose statement runs is not.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { gatepostSessions, untilTrue } from '../support/facts.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { reportFields, typesOf, WireClient } from '../support/wire-client.ts';

const IDLE_TIMEOUT_MS = 1000;

const IDLE = {
  S: 'FATAL',
  C: '57P05',
  M: 'terminating connection due to idle-session timeout',
  D: expect.stringContaining('Session '),
  H: expect.stringMatching(/1000 ms.*WIRE_IDLE_TIMEOUT/),
};

let database: TestDatabase;
let gate: Gate;

beforeAll(async () => {
  database = await createTestDatabase();
  gate = await startGate({ dsn: database.url, idleTimeoutMs: IDLE_TIMEOUT_MS });
});

afterAll(async () => {
  await gate.stop();
  await database.drop();
});

describe('The idle timeout', () => {
  it('ends a session that never asks anything', async () => {
    // Before the login: this process may see its end late, when the timeout has begun already.
    const startedAtMs = performance.now();
    const client = await WireClient.login(gate.port);
    expect(reportFields(await client.frame())).toMatchObject(IDLE);
    expect(performance.now() - startedAtMs).toBeGreaterThan(IDLE_TIMEOUT_MS / 2);
    expect(await client.closed()).toHaveLength(0);
    await untilTrue(database.url, gatepostSessions(0));
  });

  it('begins anew with each statement, and leaves a long one alone', async () => {
    const client = await WireClient.login(gate.port);
    const longer = `select pg_sleep(${(IDLE_TIMEOUT_MS * 2) / 1000})`;
    expect(typesOf(await client.query(longer))).toBe('TDCZ');
    const startedAtMs = performance.now();
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    expect(reportFields(await client.frame())).toMatchObject(IDLE);
    expect(performance.now() - startedAtMs).toBeGreaterThan(IDLE_TIMEOUT_MS / 2);
    expect(await client.closed()).toHaveLength(0);
  });

  it('rolls back the transaction that a session is idle in, with one word about it', async () => {
    const client = await WireClient.login(gate.port);
    await client.query('begin; create table idle_in_transaction ()');
    expect(reportFields(await client.frame())).toMatchObject(IDLE);
    expect(await client.closed()).toHaveLength(0);
    await untilTrue(database.url, gatepostSessions(0));
    expect(
      await runDirectly(database.url, `select to_regclass('idle_in_transaction') as name`),
    ).toEqual([{ name: null }]);
  });

  it('is observed as what ended the session', async () => {
    const other = await startGate({ dsn: database.url, idleTimeoutMs: 100 });
    const client = await WireClient.login(other.port);
    await client.closed();
    expect(await other.observed((one) => one.kind === 'session-closed')).toMatchObject({
      statements: 0,
      error: { sqlState: '57P05' },
    });
    await other.stop();
  });
});
