// A client that does not read costs little, and not for long.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { gatepostSessions, untilTrue } from '../support/facts.ts';
import { startOwnProcess } from '../support/own-process.ts';
import type { OwnProcess } from '../support/own-process.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate, GateOptions } from '../support/start-gate.ts';
import { firstReport, queryFrame, typesOf, WireClient } from '../support/wire-client.ts';

const MEBIBYTE = 1024 * 1024;

const SLOW_READER_TIMEOUT_MS = 1000;

/** The result of the issue: 1 GB. */
const GIGABYTE = `select repeat('x', 1000000) from generate_series(1, 1000)`;

/** The same in rows that are small. */
const MANY_ROWS = `select repeat('x', 100), generate_series(1, 10000000)`;

const UNLIMITED = { rowsMax: 1e9, bytesMax: 1e11 };

let database: TestDatabase;
let gate: Gate | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await gate?.stop();
  gate = undefined;
  await untilTrue(database.url, gatepostSessions(0));
});

afterAll(async () => {
  await database.drop();
});

/** A client that has asked for a result, and takes none of it. */
async function stuckClient(port: number, query: string): Promise<WireClient> {
  const client = await WireClient.login(port);
  client.pause();
  client.send(queryFrame(query));
  return client;
}

/** A condition: this many sessions of the gate wait for it to take their results. */
function waitingUpstreams(count: number): string {
  return `select count(*) = ${count} from pg_stat_activity
    where datname = current_database() and wait_event = 'ClientWrite'`;
}

/** The most memory of a process while an upstream could have sent most of a gigabyte. */
async function peakBytes(process: OwnProcess): Promise<number> {
  let peak = 0;
  for (let look = 0; look < 25; look += 1) {
    peak = Math.max(peak, await process.residentBytes());
    await pause(20);
  }
  return peak;
}

async function start(options: Partial<GateOptions> = {}): Promise<Gate> {
  gate = await startGate({
    dsn: database.url,
    ...options,
    limits: { ...UNLIMITED, ...options.limits },
  });
  return gate;
}

describe('A client that never reads its result', () => {
  it.each([
    { name: '1 GB in large rows', query: GIGABYTE, clients: 1 },
    { name: '1 GB in small rows', query: MANY_ROWS, clients: 1 },
    { name: 'ten of them at once', query: GIGABYTE, clients: 10 },
  ])('costs less than 8 MB of memory: $name', async ({ query, clients }) => {
    const process = await startOwnProcess({
      kind: 'gate',
      options: { dsn: database.url, limits: UNLIMITED },
    });
    // Code and buffers that any result takes are there before memory is measured.
    const reader = await WireClient.login(process.port);
    await reader.query(query.replace(/\d+\)$/, '50)'));
    const before = await process.residentBytes();
    const stuck = [];
    for (let index = 0; index < clients; index += 1) {
      stuck.push(await stuckClient(process.port, query));
    }
    await untilTrue(database.url, waitingUpstreams(clients));
    expect((await peakBytes(process)) - before).toBeLessThan(clients * 8 * MEBIBYTE);
    for (const client of [...stuck, reader]) {
      client.destroy();
    }
    await process.stop();
  });
});

describe('A client that takes no byte for too long', () => {
  it('is closed, and its statement stopped', async () => {
    const strict = await start({ slowReaderTimeoutMs: SLOW_READER_TIMEOUT_MS });
    const client = await stuckClient(strict.port, GIGABYTE);
    await untilTrue(database.url, waitingUpstreams(1));
    const closed = await strict.observed((one) => one.kind === 'session-closed');
    expect(closed.error?.message).toBe(`Client took no byte for ${SLOW_READER_TIMEOUT_MS} ms`);
    expect(closed.durationMs).toBeGreaterThanOrEqual(SLOW_READER_TIMEOUT_MS);
    expect(strict.statements().at(-1)).toMatchObject({ text: GIGABYTE, outcome: 'aborted' });
    await untilTrue(database.url, gatepostSessions(0));
    client.destroy();
  });

  it('is not one that takes its result in small helpings', async () => {
    const { port } = await start({ slowReaderTimeoutMs: SLOW_READER_TIMEOUT_MS });
    const client = await stuckClient(
      port,
      `select repeat('x', 1000000) from generate_series(1, 60)`,
    );
    const startedAtMs = performance.now();
    const frames = [];
    for (let helping = 0; helping < 60; helping += 1) {
      await pause(SLOW_READER_TIMEOUT_MS / 16);
      client.resume();
      frames.push(...(await client.until('D')));
      client.pause();
    }
    expect(performance.now() - startedAtMs).toBeGreaterThan(3 * SLOW_READER_TIMEOUT_MS);
    client.resume();
    frames.push(...(await client.untilReady()));
    expect(typesOf(frames)).toBe(`T${'D'.repeat(60)}CZ`);
    client.destroy();
  });

  it('is not one that waits for a statement', async () => {
    const { port } = await start({ slowReaderTimeoutMs: 300 });
    const client = await WireClient.login(port);
    expect(typesOf(await client.query('select pg_sleep(1)'))).toBe('TDCZ');
    client.destroy();
  });
});

describe('While a client does not read', () => {
  it('other sessions are answered', async () => {
    const { port } = await start();
    const stuck = await stuckClient(port, GIGABYTE);
    await untilTrue(database.url, waitingUpstreams(1));
    const other = await WireClient.login(port);
    expect(typesOf(await other.query('select 1'))).toBe('TDCZ');
    stuck.destroy();
    other.destroy();
  });

  it('its statement still ends at the query timeout', async () => {
    const { port } = await start({ limits: { queryTimeoutMs: 300 } });
    const client = await stuckClient(port, MANY_ROWS);
    await untilTrue(
      database.url,
      `exists (select from pg_stat_activity
        where datname = current_database() and state = 'idle'
          and query = '${MANY_ROWS.replaceAll("'", "''")}')`,
    );
    client.resume();
    const frames = await client.untilReady();
    expect(typesOf(frames)).toMatch(/^TD+EZ$/);
    expect(firstReport(frames)).toMatchObject({ C: '57014' });
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    client.destroy();
  });
});
