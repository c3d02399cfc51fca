// A listener serves max_connections sessions; one more is told so, and a place left is free.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { cancel, loginWithKey } from '../support/cancels.ts';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { gatepostSessions, runningStatements, untilFact, untilTrue } from '../support/facts.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  firstReport,
  frontendFrame,
  queryFrame,
  reportFields,
  startupPacket,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

const CONNECTIONS_MAX = 3;

const TERMINATE = frontendFrame('X', '');

let database: TestDatabase;
let gate: Gate;

beforeAll(async () => {
  database = await createTestDatabase();
});

beforeEach(async () => {
  gate = await startGate({ dsn: database.url, connectionsMax: CONNECTIONS_MAX });
});

afterEach(async () => {
  await gate.stop();
});

afterAll(async () => {
  await database.drop();
});

/** Takes every place there is. */
async function fill(): Promise<WireClient[]> {
  const logins = Array.from(
    { length: CONNECTIONS_MAX },
    async () => await WireClient.login(gate.port),
  );
  return await Promise.all(logins);
}

/** Sessions that were closed so far. */
function closedSessions(): number {
  return gate.observations.filter(({ kind }) => kind === 'session-closed').length;
}

describe('The connection past the limit', () => {
  it('is refused with FATAL 53300, which psql shows', async () => {
    await fill();
    const { stderr, exitCode } = await runPsql({ url: gate.url, args: ['-c', 'select 1'] });
    expect(stderr).toContain('FATAL:  sorry, too many clients already');
    expect(stderr).toMatch(/HINT: .*3.*WIRE_MAX_CONNECTIONS/);
    expect(exitCode).toBe(2);
    const rejection = await gate.observed((one) => one.kind === 'connection-rejected');
    expect(rejection).toMatchObject({ reason: 'too-many-connections' });
  });

  it('hears it after its startup packet, and costs the upstream nothing', async () => {
    const [served] = await fill();
    const client = await WireClient.open(gate.port);
    client.send(startupPacket({ user: 'tester' }));
    expect(reportFields(await client.frame())).toMatchObject({ S: 'FATAL', C: '53300' });
    expect(await client.closed()).toHaveLength(0);
    await untilTrue(database.url, gatepostSessions(CONNECTIONS_MAX));
    expect(typesOf((await served?.query('select 1')) ?? [])).toBe('TDCZ');
  });

  it('does not keep a cancel out', async () => {
    const { client, key } = await loginWithKey(gate.port);
    await WireClient.login(gate.port);
    await WireClient.login(gate.port);
    client.send(queryFrame('select pg_sleep(64)'));
    await untilTrue(database.url, runningStatements('select pg_sleep(64)', 1));
    await cancel(gate.port, key);
    expect(firstReport(await client.untilReady())).toMatchObject({ C: '57014' });
  });
});

describe('A place', () => {
  it('is free again when its client has left, however it leaves', async () => {
    const [first, second, third] = await fill();
    first?.send(TERMINATE);
    second?.reset();
    third?.end();
    await untilFact(() => closedSessions() === CONNECTIONS_MAX, 'the sessions to be closed');
    for (const client of await fill()) {
      expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    }
  });

  it('is free again after 200 clients that come and break off', async () => {
    for (let round = 0; round < 200; round += 1) {
      const client = await WireClient.open(gate.port);
      client.send(startupPacket({ user: 'tester' }).subarray(0, 4 + (round % 20)));
      client.reset();
    }
    for (let round = 0; round < 200; round += 20) {
      const clients = await Promise.all(
        Array.from({ length: 20 }, async () => await WireClient.open(gate.port)),
      );
      for (const [index, client] of clients.entries()) {
        client.send(startupPacket({ user: 'tester' }));
        [() => client.reset(), () => client.end(), () => client.destroy()][index % 3]?.();
      }
    }
    await untilTrue(database.url, gatepostSessions(0));
    for (const client of await fill()) {
      expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    }
  });

  it('is not taken by a socket that has not sent its startup packet', async () => {
    const silent = Array.from({ length: 20 }, async () => await WireClient.open(gate.port));
    await Promise.all(silent);
    expect(await fill()).toHaveLength(CONNECTIONS_MAX);
  });

  it('is free again when the upstream cannot be reached', async () => {
    const unreachable = await startGate({
      dsn: 'postgresql://nobody@127.0.0.1:1/none?sslmode=disable',
      connectionsMax: 1,
    });
    for (let round = 0; round < 3; round += 1) {
      const client = await WireClient.open(unreachable.port);
      client.send(startupPacket({ user: 'tester' }));
      expect(reportFields(await client.frame())).toMatchObject({ S: 'FATAL', C: '08001' });
      await client.closed();
      await untilFact(
        () => unreachable.observations.length > round + 1,
        'the failed login to be observed',
      );
    }
    await unreachable.stop();
  });
});
