// A result ends at max_bytes, counted to the byte in DataRow frames, before the row that would
// pass it.
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from '@jest/globals';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport, statusOf, typesOf, WireClient } from '../support/wire-client.ts';

/** Type byte, length, count of columns, length of the column. */
const FRAME_OVERHEAD_BYTES = 11;

const MEBIBYTE = 1024 * 1024;

let database: TestDatabase;
let gate: Gate | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await gate?.stop();
});

afterAll(async () => {
  await database.drop();
});

describe('The byte limit', () => {
  const row = FRAME_OVERHEAD_BYTES + 10;

  test.each([
    { bytesMax: 3 * row, rows: 3, name: 'lets a result of exactly the limit through', end: 'CZ' },
    { bytesMax: 3 * row - 1, rows: 2, name: 'stops one byte short of it', end: 'EZ' },
    {
      bytesMax: row - 1,
      rows: 0,
      name: 'stops before the first row when that is too large',
      end: 'EZ',
    },
  ])('$name', async ({ bytesMax, rows, end }) => {
    const client = await loginWithLimit(bytesMax);
    const frames = await client.query(`select repeat('x', 10) from generate_series(1, 3)`);
    expect(typesOf(frames)).toBe(`T${'D'.repeat(rows)}${end}`);
    expect(statusOf(frames)).toBe('I');
  });

  it('counts the frames of all statements of a Query, whatever their shape', async () => {
    const batch = `select; select 1, null, 'iii'; select '{1,2}'::int[] from generate_series(1, 2)`;
    const unlimited = await (await loginWithLimit(MEBIBYTE)).query(batch);
    const sizes = unlimited.filter(({ type }) => type === 'D').map(({ bytes }) => bytes.length);
    const sum = sizes.reduce((total, size) => total + size);
    await gate?.stop();
    expect(typesOf(await (await loginWithLimit(sum)).query(batch))).toBe('TDCTDCTDDCZ');
    await gate?.stop();
    expect(typesOf(await (await loginWithLimit(sum - 1)).query(batch))).toBe('TDCTDCTDEZ');
  });

  it('says which limit, where and what to do', async () => {
    const client = await loginWithLimit(100);
    const frames = await client.query(`select repeat('x', 100)`);
    const opened = gate?.observations.findLast((one) => one.kind === 'session-opened');
    expect(firstReport(frames)).toMatchObject({
      S: 'ERROR',
      C: '54000',
      M: 'Result cut at the limit of 100 bytes per query',
      D: expect.stringContaining(`Session ${opened?.session.sessionId ?? '?'}`),
      H: expect.stringMatching(/WIRE_MAX_BYTES.*max_bytes.*gatepost\.max_bytes/),
    });
  });

  it('stops within rows that are larger than what is read at a time', async () => {
    const client = await loginWithLimit(3 * MEBIBYTE);
    const frames = await client.query(`select repeat('x', 1e6::int) from generate_series(1, 20)`);
    expect(typesOf(frames)).toBe('TDDDEZ');
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });

  it('sends nothing of a 60 MB row, keeps none of it, and goes on', async () => {
    const client = await loginWithLimit(30 * MEBIBYTE);
    await client.query('begin');
    const heldBefore = heldBytes();
    const frames = await client.query(`select repeat('x', ${60 * MEBIBYTE})`);
    expect(typesOf(frames)).toBe('TEZ');
    expect(firstReport(frames)).toMatchObject({ C: '54000' });
    expect(heldBytes() - heldBefore).toBeLessThan(30 * MEBIBYTE);
    expect(statusOf(await client.query('rollback'))).toBe('I');
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });
});

async function loginWithLimit(bytesMax: number): Promise<WireClient> {
  gate = await startGate({ dsn: database.url, limits: { bytesMax } });
  return await WireClient.login(gate.port);
}

function heldBytes(): number {
  return process.memoryUsage().arrayBuffers;
}
