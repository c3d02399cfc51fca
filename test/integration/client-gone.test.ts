// A client that leaves in the middle of a statement takes the statement with it.
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  test,
} from '@jest/globals';
import { spawn } from 'node:child_process';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { gatepostSessions, runningStatements, untilTrue } from '../support/facts.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  frontendFrame,
  queryFrame,
  startupPacket,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

/** How soon the upstream must be free of a statement that nobody waits for. */
const SOON_MS = 1000;

const LONG = 'select pg_sleep(63)';

const TERMINATE = frontendFrame('X', '');

let database: TestDatabase;
let gate: Gate;
let client: WireClient;

beforeAll(async () => {
  database = await createTestDatabase();
  gate = await startGate({ dsn: database.url });
});

beforeEach(async () => {
  client = await WireClient.login(gate.port);
});

afterEach(async () => {
  client.destroy();
  await untilTrue(database.url, gatepostSessions(0));
});

afterAll(async () => {
  await gate.stop();
  await database.drop();
});

/** Resolves when the upstream has no statement and no session left; soon, or it throws. */
async function untilUpstreamIsFree(): Promise<void> {
  const startedAtMs = performance.now();
  await untilTrue(database.url, runningStatements('%pg_sleep(63)%', 0));
  await untilTrue(database.url, gatepostSessions(0));
  expect(performance.now() - startedAtMs).toBeLessThan(SOON_MS);
}

describe('A client that leaves while its statement runs', () => {
  test.each([
    { name: 'closes', leave: () => client.end() },
    { name: 'resets', leave: () => client.reset() },
    { name: 'vanishes', leave: () => client.destroy() },
  ])('has it stopped at the upstream within a second: $name', async ({ leave }) => {
    client.send(queryFrame(LONG));
    await untilTrue(database.url, runningStatements(LONG, 1));
    leave();
    await untilUpstreamIsFree();
    expect(gate.statements().at(-1)).toMatchObject({ text: LONG, outcome: 'aborted' });
  });

  it('also in a transaction, which is rolled back', async () => {
    await client.query('create table gone (); begin; create table left_behind ()');
    client.send(queryFrame(LONG));
    await untilTrue(database.url, runningStatements(LONG, 1));
    client.destroy();
    await untilUpstreamIsFree();
    expect(await runDirectly(database.url, `select to_regclass('left_behind') as name`)).toEqual([
      { name: null },
    ]);
  });

  it('also when it is in the middle of a large result', async () => {
    client.send(
      queryFrame(`select repeat('x', 9000), pg_sleep(0.001) from generate_series(1, 99999)`),
    );
    await client.until('D');
    client.reset();
    await untilUpstreamIsFree();
  });

  it('also when it is psql, killed', async () => {
    const psql = spawn('psql', ['-X', '-w', '-d', gate.url, '-c', LONG], { stdio: 'ignore' });
    await untilTrue(database.url, runningStatements(LONG, 1));
    psql.kill('SIGKILL');
    await untilTrue(database.url, runningStatements(LONG, 0));
    client.destroy();
    await untilUpstreamIsFree();
  });
});

describe('A client that leaves in good order', () => {
  it('has what it pipelined before Terminate executed, and nothing behind it', async () => {
    client.send(
      queryFrame('create table first ()'),
      queryFrame('select pg_sleep(0.2); create table second ()'),
      TERMINATE,
      queryFrame('create table third ()'),
    );
    client.end();
    expect(typesOf([...(await client.untilReady()), ...(await client.untilReady())])).toBe(
      'CZTDCCZ',
    );
    expect(await client.closed()).toHaveLength(0);
    expect(
      await runDirectly(
        database.url,
        `select relname from pg_class where relname in ('first', 'second', 'third') order by 1`,
      ),
    ).toEqual([{ relname: 'first' }, { relname: 'second' }]);
  });

  it('may send all it has to say at once, the startup packet included', async () => {
    const hasty = await WireClient.open(gate.port);
    hasty.send(startupPacket({ user: 'tester' }), queryFrame('select 1'), TERMINATE);
    hasty.end();
    await hasty.untilReady();
    expect(typesOf(await hasty.untilReady())).toBe('TDCZ');
    expect(await hasty.closed()).toHaveLength(0);
  });

  it('leaves no session at the upstream, with or without Terminate', async () => {
    const others = [await WireClient.login(gate.port), await WireClient.login(gate.port)];
    await untilTrue(database.url, gatepostSessions(3));
    others[0]?.send(TERMINATE);
    others[1]?.end();
    client.destroy();
    await untilUpstreamIsFree();
    expect(gate.observations.filter(({ kind }) => kind === 'session-opened')).toHaveLength(
      gate.observations.filter(({ kind }) => kind === 'session-closed').length,
    );
  });
});
