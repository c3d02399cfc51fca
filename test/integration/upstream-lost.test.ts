// An upstream that goes away in the middle of a session is one FATAL with its own SQLSTATE or
// 08006, never half a row followed by another message, and never a statement sent again.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  commandComplete,
  dataRow,
  errorResponse,
  readyForQuery,
  sizedFrame,
} from '../support/backend-frames.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { essentialFields, loginDirectly } from '../support/direct-client.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import type { FakeUpstream } from '../support/fake-upstream.ts';
import { gatepostSessions, runningStatements, untilTrue } from '../support/facts.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { queryFrame, reportFields, typesOf, WireClient } from '../support/wire-client.ts';

const LOST = {
  S: 'FATAL',
  C: '08006',
  M: 'The connection to the upstream PostgreSQL was lost',
  D: expect.stringContaining('Session '),
};

const KIBIBYTE = 1024;

/** A whole answer. */
const DONE = Buffer.concat([commandComplete('SELECT 0'), readyForQuery()]);

describe('A backend that the administrator terminates', () => {
  let database: TestDatabase;
  let gate: Gate;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  beforeEach(async () => {
    gate = await startGate({ dsn: database.url });
  });

  afterEach(async () => {
    await gate.stop();
  });

  afterAll(async () => {
    await database.drop();
  });

  async function terminate(applicationName: string): Promise<void> {
    await runDirectly(
      database.url,
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name like '${applicationName}'`,
    );
  }

  /** What a client hears when its backend is terminated, after it has sent these queries. */
  async function lastFields(
    client: WireClient,
    applicationName: string,
    query: string | undefined,
  ): Promise<Record<string, unknown>> {
    if (query !== undefined) {
      client.send(queryFrame(query));
      await untilTrue(database.url, runningStatements(query, 1));
    }
    await terminate(applicationName);
    const words = await client.closed();
    const start = words.indexOf('E');
    expect(words.length - start).toBe(words.readUInt32BE(start + 1) + 1);
    return essentialFields(reportFields({ type: 'E', bytes: words.subarray(start) }));
  }

  it.each([
    { name: 'while idle', before: 'select 1', query: undefined },
    { name: 'in a transaction', before: 'begin', query: undefined },
    { name: 'in the middle of a statement', before: 'select 1', query: 'select pg_sleep(65)' },
  ])('ends the session $name, as on a direct connection', async ({ before, query }) => {
    const { client: direct } = await loginDirectly(database.url, { application_name: 'direct' });
    await direct.query(before);
    const client = await WireClient.login(gate.port);
    await client.query(before);
    const fields = await lastFields(client, 'gatepost/%', query);
    expect(fields).toMatchObject({ S: 'FATAL', C: '57P01' });
    expect(fields).toEqual(await lastFields(direct, 'direct', query));
    await untilTrue(database.url, gatepostSessions(0));
    expect(await gate.observed((one) => one.kind === 'session-closed')).toMatchObject({
      error: { sqlState: '57P01' },
    });
  });

  it('costs no other session anything', async () => {
    const [struck, spared] = [
      await WireClient.login(gate.port, { application_name: 'struck' }),
      await WireClient.login(gate.port, { application_name: 'spared' }),
    ];
    await terminate('gatepost/struck%');
    await struck.closed();
    expect(typesOf(await spared.query('select 1'))).toBe('TDCZ');
    expect(typesOf(await (await WireClient.login(gate.port)).query('select 1'))).toBe('TDCZ');
  });
});

describe('An upstream whose connection breaks', () => {
  let upstream: FakeUpstream;
  let gate: Gate;
  let client: WireClient;

  beforeEach(async () => {
    upstream = await startFakeUpstream({});
    gate = await startGate({ dsn: upstream.dsn });
    client = await WireClient.login(gate.port);
  });

  afterEach(async () => {
    await gate.stop();
    await upstream.stop();
  });

  /** Everything that the client is sent when this is all that answers its query. */
  async function answerWith(...bytes: readonly Buffer[]): Promise<Buffer> {
    client.send(queryFrame('select'));
    const { socket } = await upstream.asked('select');
    socket.end(Buffer.concat(bytes));
    return await client.closed();
  }

  const row = dataRow('a value');

  it.each([
    { name: 'before the answer', whole: [], rest: [] },
    { name: 'at the edge of a row', whole: [row, row], rest: [] },
    { name: 'in the header of a row', whole: [row], rest: [row.subarray(0, 3)] },
    { name: 'in the middle of a row', whole: [row], rest: [row.subarray(0, 12)] },
    {
      name: 'in the middle of the largest row that is kept until it is whole',
      whole: [row],
      rest: [sizedFrame('D', 64 * KIBIBYTE).subarray(0, -1)],
    },
    {
      name: 'between the answer and ReadyForQuery',
      whole: [row, commandComplete('SELECT 1')],
      rest: [],
    },
  ])('is told with FATAL 08006, behind whole frames: $name', async ({ whole, rest }) => {
    const sent = await answerWith(...whole, ...rest);
    const kept = Buffer.concat(whole);
    expect(sent.subarray(0, kept.length)).toEqual(kept);
    const last = sent.subarray(kept.length);
    expect(last.readUInt32BE(1)).toBe(last.length - 1);
    expect(reportFields({ type: 'E', bytes: last })).toMatchObject(LOST);
    expect(gate.statements()).toMatchObject([{ outcome: 'aborted', sqlState: '08006' }]);
  });

  it('in the middle of a row too large to keep, ends with that half and no word', async () => {
    const half = sizedFrame('D', 300 * KIBIBYTE).subarray(0, 200 * KIBIBYTE);
    const sent = await answerWith(row, half);
    expect(sent.equals(Buffer.concat([row, half]).subarray(0, sent.length))).toBe(true);
    expect(sent.length).toBeGreaterThan(row.length);
    expect(gate.statements()).toMatchObject([{ outcome: 'aborted', sqlState: '08006' }]);
  });

  it('right after its own FATAL is told in its own words, once', async () => {
    const fatal = errorResponse('57P02', 'FATAL');
    expect(await answerWith(row, fatal)).toEqual(Buffer.concat([row, fatal]));
    expect(gate.statements()).toMatchObject([{ outcome: 'aborted', sqlState: '57P02' }]);
    expect(await gate.observed((one) => one.kind === 'session-closed')).toMatchObject({
      error: { sqlState: '57P02' },
    });
  });

  it('while the session is idle, is told with FATAL 08006', async () => {
    client.send(queryFrame('select'));
    const { socket } = await upstream.asked('select');
    socket.write(DONE);
    await client.untilReady();
    socket.end();
    expect(reportFields(await client.frame())).toMatchObject(LOST);
    expect(await client.closed()).toHaveLength(0);
  });

  it('by a reset, is told with FATAL 08006', async () => {
    client.send(queryFrame('select'));
    const { socket } = await upstream.asked('select');
    socket.resetAndDestroy();
    expect(reportFields(await client.frame())).toMatchObject(LOST);
    expect(await client.closed()).toHaveLength(0);
  });

  it('never has a statement sent again', async () => {
    await answerWith();
    const next = await WireClient.login(gate.port);
    next.send(queryFrame('another'));
    (await upstream.asked('another')).socket.write(DONE);
    await next.untilReady();
    expect(upstream.queries).toEqual(['select', 'another']);
    next.destroy();
  });

  it('takes its session with it, and no other', async () => {
    const other = await WireClient.login(gate.port);
    await answerWith();
    other.send(queryFrame('of the other'));
    const { socket } = await upstream.asked('of the other');
    socket.write(DONE);
    expect(typesOf(await other.untilReady())).toBe('CZ');
    other.destroy();
  });
});
