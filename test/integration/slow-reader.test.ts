// A client that does not read costs little, and not for long.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { gatepostSessions, runningStatements, untilTrue } from '../support/facts.ts';
import { startGateProcess } from '../support/gate-process.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate, GateOptions } from '../support/start-gate.ts';
import { firstReport, queryFrame, typesOf, WireClient } from '../support/wire-client.ts';

const MEBIBYTE = 1024 * 1024;

const SLOW_READER_TIMEOUT_MS = 400;

/** The result of the issue: 1 GB. */
const GIGABYTE = `select repeat('x', 1000000) from generate_series(1, 1000)`;

/** The same in rows that are small. */
const MANY_ROWS = `select repeat('x', 100) from generate_series(1, 10000000)`;

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
    const process = await startGateProcess({ dsn: database.url, limits: UNLIMITED });
    // Code and buffers that any result takes are there before memory is measured.
    const reader = await WireClient.login(process.port);
    await reader.query('select 1');
    const before = await process.residentBytes();
    const stuck = [];
    for (let index = 0; index < clients; index += 1) {
      stuck.push(await stuckClient(process.port, query));
    }
    await untilTrue(database.url, waitingUpstreams(clients));
    const grown = (await process.residentBytes()) - before;
    console.log(query, clients, grown / MEBIBYTE);
    expect(grown).toBeLessThan(clients * 8 * MEBIBYTE);
    for (const client of [...stuck, reader]) {
      client.destroy();
    }
    await process.stop();
  });
});
