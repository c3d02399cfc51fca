// With on_limit=truncate a result ends at the limit with a warning, as if there were no more.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport, statusOf, typesOf, WireClient } from '../support/wire-client.ts';
import type { ReceivedFrame } from '../support/wire-client.ts';

let database: TestDatabase;
let gate: Gate;
let client: WireClient;

beforeAll(async () => {
  database = await createTestDatabase();
  await runDirectly(database.url, 'create table item (id int)');
  gate = await startGate({ dsn: database.url, limits: { rowsMax: 5, onLimit: 'truncate' } });
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

describe('A truncated result', () => {
  it('has the rows up to the limit, a warning, and a tag that counts them', async () => {
    const frames = await client.query('select generate_series(1, 6)');
    expect(typesOf(frames)).toBe('TDDDDDNCZ');
    expect(firstReport(frames, 'N')).toMatchObject({
      S: 'WARNING',
      C: '01000',
      M: 'Result cut at the limit of 5 rows per query',
      H: expect.stringContaining('WIRE_MAX_ROWS'),
    });
    expect(tagsOf(frames)).toEqual(['SELECT 5']);
    expect(statusOf(frames)).toBe('I');
  });

  it('is no different from any result when it ends at the limit', async () => {
    const frames = await client.query('select generate_series(1, 5)');
    expect(typesOf(frames)).toBe('TDDDDDCZ');
  });

  it('leaves the transaction as it was', async () => {
    await client.query('begin');
    const frames = await client.query('select generate_series(1, 6)');
    expect(statusOf(frames)).toBe('T');
    expect(typesOf(await client.query('select 1; commit'))).toBe('TDCCZ');
  });

  it('lets the statements behind it run, without rows', async () => {
    const frames = await client.query(
      'select generate_series(1, 4); select generate_series(1, 4);' +
        'select 1; create table behind (id int); show server_version',
    );
    expect(typesOf(frames)).toBe('TDDDDCTDNCTNCCTNCZ');
    expect(tagsOf(frames)).toEqual(['SELECT 4', 'SELECT 1', 'SELECT 0', 'CREATE TABLE', 'SHOW']);
    expect(await runDirectly(database.url, 'select * from behind')).toEqual([]);
  });

  it('keeps the effect and the tag of a change whose RETURNING it cuts', async () => {
    const frames = await client.query(
      'insert into item select generate_series(1, 9) returning id; select 1',
    );
    expect(typesOf(frames)).toBe('TDDDDDNCTNCZ');
    expect(tagsOf(frames)).toEqual(['INSERT 0 9', 'SELECT 0']);
    expect(await runDirectly(database.url, 'select * from item')).toHaveLength(9);
  });

  it('counts what FETCH delivers', async () => {
    await client.query('begin; declare nine cursor for select generate_series(1, 9)');
    expect(tagsOf(await client.query('fetch 7 from nine'))).toEqual(['FETCH 5']);
    expect(tagsOf(await client.query('fetch 7 from nine'))).toEqual(['FETCH 2']);
  });

  it('ends with the error of its statement, when that comes behind the limit', async () => {
    const frames = await client.query('select 1 / (i - 8) from generate_series(1, 9) i; select 1');
    expect(typesOf(frames)).toBe('TDDDDDEZ');
    expect(firstReport(frames)).toMatchObject({ C: '22012' });
  });

  it('is read to its end, however large', async () => {
    const frames = await client.query('select generate_series(1, 500000)');
    expect(typesOf(frames)).toBe('TDDDDDNCZ');
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });

  it('is also cut at the byte limit', async () => {
    const bytes = await startGate({
      dsn: database.url,
      limits: { bytesMax: 50, onLimit: 'truncate' },
    });
    const narrow = await WireClient.login(bytes.port);
    const frames = await narrow.query(`select 'x' from generate_series(1, 9)`);
    expect(typesOf(frames)).toBe('TDDDDNCZ');
    expect(firstReport(frames, 'N')).toMatchObject({
      M: 'Result cut at the limit of 50 bytes per query',
      H: expect.stringContaining('WIRE_MAX_BYTES'),
    });
    await bytes.stop();
  });

  it('is shown by psql, with the warning', async () => {
    const { stdout, stderr } = await runPsql({
      url: gate.url,
      args: ['-c', 'select generate_series(1, 6) as n'],
    });
    expect(stderr).toContain('WARNING:  Result cut at the limit of 5 rows per query');
    expect(stdout).toContain('(5 rows)');
  });
});

function tagsOf(frames: readonly ReceivedFrame[]): string[] {
  return frames
    .filter(({ type }) => type === 'C')
    .map(({ bytes }) => bytes.toString('utf8', 5, bytes.length - 1));
}
