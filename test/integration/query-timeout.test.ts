// A query ends at the query timeout, whatever it does about that, and its session goes on.
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
import { errorResponse, readyForQuery } from '../support/backend-frames.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import { untilFact } from '../support/facts.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  firstReport,
  queryFrame,
  reportFields,
  statusOf,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

const TIMEOUT_MS = 500;

const TIMED_OUT = {
  S: 'ERROR',
  C: '57014',
  M: 'canceling statement due to query timeout',
  D: expect.stringMatching(/^Session [0-9a-f-]{36}$/),
  H: expect.stringMatching(/500 ms.*WIRE_QUERY_TIMEOUT.*gatepost\.query_timeout/),
};

let database: TestDatabase;
let gate: Gate;
let client: WireClient;

beforeAll(async () => {
  database = await createTestDatabase();
  gate = await startGate({ dsn: database.url, limits: { queryTimeoutMs: TIMEOUT_MS } });
});

beforeEach(async () => {
  client = await WireClient.login(gate.port);
});

afterEach(() => {
  client.destroy();
});

afterAll(async () => {
  await gate.stop();
  await database.drop();
});

describe('The query timeout', () => {
  it('ends a statement with 57014 and leaves the session usable', async () => {
    const startedAtMs = performance.now();
    const frames = await client.query('select pg_sleep(60)');
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(TIMEOUT_MS);
    expect(typesOf(frames)).toMatch(/^T?EZ$/);
    expect(firstReport(frames)).toMatchObject(TIMED_OUT);
    expect(statusOf(frames)).toBe('I');
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });

  it('fails the transaction that it strikes', async () => {
    await client.query('begin');
    const frames = await client.query('select pg_sleep(60)');
    expect(firstReport(frames)).toMatchObject(TIMED_OUT);
    expect(statusOf(frames)).toBe('E');
    expect(statusOf(await client.query('rollback'))).toBe('I');
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });

  test.each([
    `set statement_timeout = 0`,
    `select set_config('statement_timeout', '0', false)`,
    `set statement_timeout = '1h'`,
    `reset all`,
  ])('cannot be lifted: %s', async (attempt) => {
    expect(typesOf(await client.query(attempt))).toMatch(/CZ$/);
    expect(firstReport(await client.query('select pg_sleep(60)'))).toMatchObject(TIMED_OUT);
  });

  it('leaves a shorter statement_timeout of the client its own', async () => {
    await client.query('set statement_timeout = 50');
    expect(firstReport(await client.query('select pg_sleep(60)'))).toMatchObject({
      M: 'canceling statement due to statement timeout',
    });
  });

  it('counts all statements of a Query together, and each Query anew', async () => {
    const most = `select pg_sleep(${(TIMEOUT_MS * 0.75) / 1000})`;
    expect(typesOf(await client.query(most))).toBe('TDCZ');
    expect(typesOf(await client.query(most))).toBe('TDCZ');
    expect(firstReport(await client.query(`${most}; ${most}`))).toMatchObject(TIMED_OUT);
  });

  it('undoes what its Query did before', async () => {
    await client.query('create table undone (); select pg_sleep(60)');
    expect(await runDirectly(database.url, `select to_regclass('undone') as name`)).toEqual([
      { name: null },
    ]);
  });

  it('stops a result that is being delivered', async () => {
    const frames = await client.query(
      `select repeat('x', 9000), pg_sleep(0.02) from generate_series(1, 3000)`,
    );
    expect(typesOf(frames)).toMatch(/^TD+EZ$/);
    expect(firstReport(frames)).toMatchObject(TIMED_OUT);
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });

  it('is shown by psql, which goes on', async () => {
    const { stdout, stderr } = await runPsql({
      url: gate.url,
      args: ['-At'],
      input: 'select pg_sleep(60);\nselect 7;\n',
    });
    expect(stderr).toContain('ERROR:  canceling statement due to query timeout');
    expect(stdout).toBe('7');
  });
});

const TIMED_OUT_MESSAGE = 'canceling statement due to query timeout';

describe('A statement that ends about when its time does', () => {
  it('has one answer, and the next statement has its own', async () => {
    const narrow = await startGate({ dsn: database.url, limits: { queryTimeoutMs: 20 } });
    const racer = await WireClient.login(narrow.port);
    const answers = new Set<string>();
    for (let round = 0; round < 60; round += 1) {
      const sleepMs = 15 + (round % 20) / 2;
      racer.send(queryFrame(`select pg_sleep(${sleepMs / 1000})`), queryFrame('select 1'));
      answers.add(typesOf(await racer.untilReady()));
      // On a busy machine its own 20 ms may pass; a cancel of the one before it must not reach it.
      const next = await racer.untilReady();
      expect(typesOf(next)).toMatch(/^(TDC|(TD?)?E)Z$/);
      expect(['', TIMED_OUT_MESSAGE]).toContain(firstReport(next)['M'] ?? '');
    }
    expect([...answers].filter((types) => !/^(TDC|(TD?)?E)Z$/.test(types))).toEqual([]);
    racer.destroy();
    await narrow.stop();
  });

  it('has no second error, when its own is on the way already', async () => {
    const upstream = await startFakeUpstream({});
    // Long enough for the error to be there first, on a busy machine too.
    const narrow = await startGate({ dsn: upstream.dsn, limits: { queryTimeoutMs: 2000 } });
    const failing = await WireClient.login(narrow.port);
    failing.send(queryFrame('select'));
    const { socket } = await upstream.asked('select');
    socket.write(errorResponse('22012'));
    await untilFact(() => upstream.cancels === 1, 'the timeout to strike');
    socket.write(readyForQuery());
    const frames = await failing.untilReady();
    expect(typesOf(frames)).toBe('EZ');
    expect(firstReport(frames)).toMatchObject({ C: '22012' });
    failing.destroy();
    await narrow.stop();
    await upstream.stop();
  });
});

describe('A statement that does not stop', () => {
  const FATAL = {
    ...TIMED_OUT,
    S: 'FATAL',
    D: expect.stringMatching(/went on for 2000 ms after it was told to stop.*Session /),
  };

  it('costs its client the session, soon', async () => {
    client.send(
      queryFrame(`do $$ begin loop begin perform pg_sleep(60);
        exception when query_canceled then null; end; end loop; end $$`),
    );
    expect(reportFields(await client.frame())).toMatchObject(FATAL);
    expect(await client.closed()).toHaveLength(0);
  });

  it('costs the upstream its connection', async () => {
    const upstream = await startFakeUpstream({ onQuery: () => undefined });
    const deaf = await startGate({ dsn: upstream.dsn, limits: { queryTimeoutMs: TIMEOUT_MS } });
    const stuck = await WireClient.login(deaf.port);
    expect(upstream.connections).toBe(1);
    stuck.send(queryFrame('select 1'));
    expect(reportFields(await stuck.frame())).toMatchObject(FATAL);
    expect(await stuck.closed()).toHaveLength(0);
    expect(upstream.cancels).toBe(1);
    await untilFact(() => upstream.connections === 0, 'the connection to the upstream to be gone');
    await deaf.stop();
    await upstream.stop();
  });
});
