// A client's cancel stops its running statement with 57014, wherever the cancel arrives, and the
// session goes on.
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
import { CancelRegistry } from '../../wire/cancel-registry.ts';
import { cancel, cancelOverTls, loginWithKey } from '../support/cancels.ts';
import type { Cancellable } from '../support/cancels.ts';
import { TEST_CERTIFICATES } from '../support/certificates.ts';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runningStatements, untilTrue } from '../support/facts.ts';
import { runPsql } from '../support/psql.ts';
import type { PsqlResult } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport, queryFrame, statusOf, typesOf } from '../support/wire-client.ts';

/** As PostgreSQL itself says it: the frames of a cancelled statement are the upstream's own. */
const CANCELLED = { S: 'ERROR', C: '57014', M: 'canceling statement due to user request' };

let database: TestDatabase;
let gate: Gate;
let neighbour: Gate;
let replica: Gate;
let session: Cancellable;

beforeAll(async () => {
  database = await createTestDatabase();
  const cancels = new CancelRegistry();
  gate = await startGate({ dsn: database.url, tls: TEST_CERTIFICATES, cancels });
  neighbour = await startGate({ dsn: database.url, cancels });
  replica = await startGate({ dsn: database.url });
});

beforeEach(async () => {
  session = await loginWithKey(gate.port);
});

afterEach(() => {
  session.client.destroy();
});

afterAll(async () => {
  await Promise.all([gate.stop(), neighbour.stop(), replica.stop()]);
  await database.drop();
});

describe('A cancel', () => {
  test.each([
    { name: 'in plain text', send: async () => await cancel(gate.port, session.key) },
    { name: 'over TLS', send: async () => await cancelOverTls(gate.port, session.key) },
    {
      name: 'to another listener of the process',
      send: async () => await cancel(neighbour.port, session.key),
    },
    {
      name: 'to another replica of the gate',
      send: async () => await cancel(replica.port, session.key),
    },
  ])('stops the running statement: $name', async ({ send }) => {
    const { client } = session;
    client.send(queryFrame('select pg_sleep(60)'));
    await untilTrue(database.url, runningStatements('select pg_sleep(60)', 1));
    expect(await send()).toHaveLength(0);
    const frames = await client.untilReady();
    expect(typesOf(frames)).toMatch(/^T?EZ$/);
    expect(firstReport(frames)).toMatchObject(CANCELLED);
    expect(statusOf(frames)).toBe('I');
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });

  it('fails the transaction that it strikes', async () => {
    const { client } = session;
    await client.query('begin');
    client.send(queryFrame('select pg_sleep(60)'));
    await untilTrue(database.url, runningStatements('select pg_sleep(60)', 1));
    await cancel(gate.port, session.key);
    expect(statusOf(await client.untilReady())).toBe('E');
    expect(statusOf(await client.query('rollback'))).toBe('I');
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });

  it('stops a result that is being delivered', async () => {
    const { client } = session;
    client.send(
      queryFrame(`select repeat('x', 9000), pg_sleep(0.01) from generate_series(1, 5000)`),
    );
    await client.until('D');
    await cancel(gate.port, session.key);
    const frames = await client.untilReady();
    expect(firstReport(frames)).toMatchObject(CANCELLED);
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });

  it('reaches an upstream that speaks TLS', async () => {
    const chained = await startGate({
      dsn:
        `postgresql://tester@127.0.0.1:${gate.port}/` +
        `?sslmode=verify-full&sslrootcert=${TEST_CERTIFICATES.authority}`,
    });
    const { client, key } = await loginWithKey(chained.port);
    client.send(queryFrame('select pg_sleep(60)'));
    await untilTrue(database.url, runningStatements('select pg_sleep(60)', 1));
    await cancel(chained.port, key);
    expect(firstReport(await client.untilReady())).toMatchObject(CANCELLED);
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    client.destroy();
    await chained.stop();
  });

  it('is what Ctrl+C in psql sends, with the same end as on a direct connection', async () => {
    const [through, direct] = [await interruptPsql(gate.url), await interruptPsql(database.url)];
    expect(through.stderr).toContain('ERROR:  canceling statement due to user request');
    expect(through).toEqual(direct);
  });

  it('a hundred times at once, is one', async () => {
    const { client } = session;
    client.send(queryFrame('select pg_sleep(60)'));
    await untilTrue(database.url, runningStatements('select pg_sleep(60)', 1));
    const cancels = Array.from({ length: 100 }, async () => await cancel(gate.port, session.key));
    const frames = await client.untilReady();
    expect(typesOf(frames)).toMatch(/^T?EZ$/);
    expect((await Promise.all(cancels)).every((answer) => answer.length === 0)).toBe(true);
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });

  it('of many sessions at once, stops each its own', async () => {
    const sessions = await Promise.all(
      Array.from({ length: 40 }, async () => await loginWithKey(gate.port)),
    );
    for (const { client } of sessions) {
      client.send(queryFrame('select pg_sleep(62)'));
    }
    await untilTrue(database.url, runningStatements('select pg_sleep(62)', sessions.length));
    const [spared, ...cancelled] = sessions;
    await Promise.all(cancelled.map(async ({ key }) => await cancel(gate.port, key)));
    for (const { client } of cancelled) {
      expect(firstReport(await client.untilReady())).toMatchObject(CANCELLED);
      expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
      client.destroy();
    }
    await untilTrue(database.url, runningStatements('select pg_sleep(62)', 1));
    spared?.client.destroy();
  });
});

/** What psql shows when Ctrl+C is pressed while it runs a statement. */
async function interruptPsql(url: string): Promise<PsqlResult> {
  const interrupt = new AbortController();
  const run = runPsql({ url, args: ['-c', 'select pg_sleep(61)'], interrupt: interrupt.signal });
  await untilTrue(database.url, runningStatements('select pg_sleep(61)', 1));
  interrupt.abort();
  return await run;
}
