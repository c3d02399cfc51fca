// A client may narrow its own limits in its startup packet, and never widen them.
import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport, startupPacket, typesOf, WireClient } from '../support/wire-client.ts';

let database: TestDatabase;
let gate: Gate;

beforeAll(async () => {
  database = await createTestDatabase();
  gate = await startGate({
    dsn: database.url,
    limits: { rowsMax: 5, bytesMax: 1000, queryTimeoutMs: 5000 },
  });
});

afterAll(async () => {
  await gate.stop();
  await database.drop();
});

describe('A client with settings of its own', () => {
  test.each([
    { setting: 'gatepost.max_rows=3', query: 'select generate_series(1, 4)', types: 'TDDDEZ' },
    { setting: 'gatepost.max_rows=3', query: 'select generate_series(1, 3)', types: 'TDDDCZ' },
    { setting: 'gatepost.max_bytes=24', query: 'select generate_series(1, 3)', types: 'TDDEZ' },
    { setting: 'gatepost.max_bytes=36', query: 'select generate_series(1, 3)', types: 'TDDDCZ' },
    { setting: 'GATEPOST.MAX_ROWS=3', query: 'select generate_series(1, 4)', types: 'TDDDEZ' },
  ])('narrows a limit: $setting, $query', async ({ setting, query, types }) => {
    const { client, welcome } = await login(`-c ${setting}`);
    expect(typesOf(welcome)).not.toContain('N');
    expect(typesOf(await client.query(query))).toBe(types);
    client.destroy();
  });

  it('narrows the query timeout', async () => {
    const { client } = await login('-c gatepost.query_timeout=100');
    const frames = await client.query('select pg_sleep(60)');
    expect(firstReport(frames)).toMatchObject({
      C: '57014',
      H: expect.stringContaining('The limit is 100 ms'),
    });
    client.destroy();
  });

  test.each([
    { setting: 'gatepost.max_rows=6', warning: `stays at the listener's 5 rows` },
    { setting: 'gatepost.max_rows=0', warning: 'must be a whole number of rows from 1' },
    { setting: 'gatepost.max_rows=-1', warning: 'must be a whole number of rows from 1' },
    { setting: 'gatepost.max_rows=off', warning: 'must be a whole number of rows from 1' },
    { setting: 'gatepost.max_rows=1e9', warning: 'must be a whole number of rows from 1' },
    { setting: 'gatepost.max_bytes=1001', warning: `stays at the listener's 1000 bytes` },
    { setting: 'gatepost.query_timeout=5001', warning: `stays at the listener's 5000 ms` },
    { setting: 'gatepost.on_limit=truncate', warning: 'gatepost.on_limit is not a setting' },
    { setting: 'gatepost.maxrows=1', warning: 'known are gatepost.max_rows' },
  ])('is warned of what is not taken, and served: $setting', async ({ setting, warning }) => {
    const { client, welcome } = await login(`-c ${setting}`);
    expect(firstReport(welcome, 'N')).toMatchObject({
      S: 'WARNING',
      C: '01000',
      M: expect.stringContaining(warning),
    });
    expect(typesOf(await client.query('select generate_series(1, 6)'))).toBe('TDDDDDEZ');
    client.destroy();
  });

  it('has the last value that it gives a setting, as with PostgreSQL', async () => {
    const { client } = await login('-c gatepost.max_rows=2 -c gatepost.max_rows=4');
    expect(typesOf(await client.query('select generate_series(1, 6)'))).toBe('TDDDDEZ');
    client.destroy();
  });

  it('cannot lift a limit with SET', async () => {
    const { client } = await login('');
    await client.query('set gatepost.max_rows = 100');
    expect(typesOf(await client.query('select generate_series(1, 6)'))).toBe('TDDDDDEZ');
    client.destroy();
  });

  it('may be psql with PGOPTIONS', async () => {
    const { stdout, stderr } = await runPsql({
      url: gate.url,
      args: ['-At'],
      environment: { PGOPTIONS: '-c gatepost.max_rows=2 -c gatepost.max_bytes=2000' },
      input: 'select 1; select 2;\nselect generate_series(1, 3);',
    });
    expect(stderr).toContain(`gatepost.max_bytes stays at the listener's 1000 bytes`);
    expect(stderr).toContain('Result cut at the limit of 2 rows per query');
    expect(stdout).toBe('1\n2');
  });
});

async function login(
  options: string,
): Promise<{ client: WireClient; welcome: Awaited<ReturnType<WireClient['untilReady']>> }> {
  const client = await WireClient.open(gate.port);
  client.send(startupPacket({ user: 'tester', options }));
  return { client, welcome: await client.untilReady() };
}
