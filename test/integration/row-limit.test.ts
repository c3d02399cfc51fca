// A result ends at max_rows with an error, and its session goes on.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport, statusOf, typesOf, WireClient } from '../support/wire-client.ts';

/** Still at work when the cut of the statement before it reaches the server. */
const LONG = 'select pg_sleep(60)';

/** A column that fills the server's output buffer, so that rows leave it one by one. */
const WIDE = `repeat('x', 9000)`;

const ROWS = 2_000_000;

let database: TestDatabase;
let gate: Gate;
let client: WireClient;

beforeAll(async () => {
  database = await createTestDatabase();
  gate = await startGate({ dsn: database.url, limits: { rowsMax: 5 } });
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

describe('The row limit', () => {
  it('lets a result of exactly the limit through', async () => {
    const frames = await client.query('select generate_series(1, 5)');
    expect(typesOf(frames)).toBe('TDDDDDCZ');
  });

  it('stops before the row past the limit and says which limit, where and what to do', async () => {
    const frames = await client.query('select generate_series(1, 6)');
    expect(typesOf(frames)).toBe('TDDDDDEZ');
    expect(statusOf(frames)).toBe('I');
    const opened = gate.observations.findLast((one) => one.kind === 'session-opened');
    expect(firstReport(frames)).toMatchObject({
      S: 'ERROR',
      V: 'ERROR',
      C: '54000',
      M: 'Result cut at the limit of 5 rows per query',
      D: expect.stringContaining(`Session ${opened?.session.sessionId ?? '?'}`),
      H: expect.stringMatching(/WIRE_MAX_ROWS.*max_rows.*gatepost\.max_rows/),
    });
  });

  it('counts all statements of a Query together, and each Query anew', async () => {
    const three = 'select generate_series(1, 3)';
    expect(typesOf(await client.query(`${three}; ${three}`))).toBe('TDDDCTDDEZ');
    expect(typesOf(await client.query(three))).toBe('TDDDCZ');
    expect(typesOf(await client.query(three))).toBe('TDDDCZ');
  });

  it('counts rows without columns, and rows that EXPLAIN, SHOW and FETCH give', async () => {
    const explain = await client.query('explain (costs off) select 1 where 1 in (1,2) limit 1');
    expect(typesOf(explain)).toMatch(/^TD+CZ$/);
    expect(typesOf(await client.query('select from generate_series(1, 6)'))).toBe('TDDDDDEZ');
    expect(typesOf(await client.query('show all'))).toBe('TDDDDDEZ');
    await client.query('begin; declare six cursor for select generate_series(1, 6)');
    expect(typesOf(await client.query('fetch all from six'))).toBe('TDDDDDEZ');
    await client.query('rollback');
  });

  it('leaves a transaction in the state that the server is in', async () => {
    await client.query('begin');
    const stopped = await client.query(`select ${WIDE} from generate_series(1, 20); ${LONG}`);
    expect(typesOf(stopped)).toBe('TDDDDDEZ');
    expect(statusOf(stopped)).toBe('E');
    expect(firstReport(await client.query('select 1'))).toMatchObject({ C: '25P02' });
    expect(statusOf(await client.query('rollback'))).toBe('I');
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });

  it('says so when the server was done before it could be stopped', async () => {
    await client.query('begin');
    const tooLate = await client.query('select generate_series(1, 6)');
    expect(statusOf(tooLate)).toBe('T');
    expect(firstReport(tooLate)['D']).toMatch(/effects stand\. Session /);
    expect(typesOf(await client.query('select 1; rollback'))).toBe('TDCCZ');
  });

  it('ends what it cuts on the server before the next statement', async () => {
    const large = `select i, repeat('x', 100) from generate_series(1, ${ROWS}) as i`;
    expect(typesOf(await client.query(large))).toBe('TDDDDDEZ');
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    const running = await runDirectly(
      database.url,
      `select query from pg_stat_activity
       where state = 'active' and query like '%generate_series(1, ${ROWS})%'
         and pid <> pg_backend_pid()`,
    );
    expect(running).toEqual([]);
  });
});

describe('A change whose RETURNING is cut', () => {
  beforeAll(async () => {
    await runDirectly(database.url, 'create table changed (id int)');
  });

  const insert = `insert into changed select generate_series(1, 20) returning id`;

  it('is undone where the server is stopped', async () => {
    const frames = await client.query(`${insert}, ${WIDE}; ${LONG}`);
    expect(typesOf(frames)).toBe('TDDDDDEZ');
    expect(firstReport(frames)['D']).not.toMatch(/effects stand/);
    expect(await runDirectly(database.url, 'select * from changed')).toEqual([]);
  });

  it('stands where the server was done, and DETAIL says so', async () => {
    const frames = await client.query(insert);
    expect(typesOf(frames)).toBe('TDDDDDEZ');
    expect(firstReport(frames)['D']).toMatch(/effects stand/);
    expect(await runDirectly(database.url, 'select * from changed')).toHaveLength(20);
  });

  it('stands or not as DETAIL says, when it is large', async () => {
    const many = `insert into changed select generate_series(1000, 200000) returning id`;
    const frames = await client.query(many);
    expect(typesOf(frames)).toBe('TDDDDDEZ');
    const isSaidToStand = firstReport(frames)['D']?.includes('effects stand');
    const left = await runDirectly(database.url, 'select id from changed where id >= 1000');
    expect(left.length > 0).toBe(isSaidToStand);
  });
});

describe('Clients at the row limit', () => {
  it('psql shows the error and goes on', async () => {
    const { stdout, stderr } = await runPsql({
      url: gate.url,
      args: ['-At'],
      input: 'select generate_series(1, 6);\nselect 7;\n',
    });
    expect(stderr).toContain('ERROR:  Result cut at the limit of 5 rows per query');
    expect(stderr).toContain('HINT:  Narrow the query');
    expect(stdout).toBe('7');
  });

  it('psql with FETCH_COUNT reads any result piece by piece', async () => {
    const { stdout, stderr } = await runPsql({
      url: gate.url,
      args: ['-At', '-v', 'FETCH_COUNT=5'],
      input: 'select generate_series(1, 20);\n',
    });
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toHaveLength(20);
  });

  it('psql with a larger FETCH_COUNT has the error, and rolls back', async () => {
    const { stdout, stderr } = await runPsql({
      url: gate.url,
      args: ['-At', '-v', 'FETCH_COUNT=6'],
      input: 'select generate_series(1, 20);\nselect 7;\n',
    });
    expect(stderr).toContain('Result cut at the limit of 5 rows per query');
    expect(stdout).toMatch(/^7$/m);
  });

  it('node-postgres is given the 10 000 rows of the usual limit, and then the error', async () => {
    const usual = await startGate({ dsn: database.url });
    const driver = new pg.Client(usual.url);
    await driver.connect();
    let rows = 0;
    const failure = new Promise<Error>((resolve, reject) => {
      const query = driver.query(new pg.Query(`select generate_series(1, ${ROWS})`));
      query.on('row', () => (rows += 1));
      query.on('error', resolve);
      query.on('end', () => {
        reject(new Error('The result was not cut'));
      });
    });
    expect(await failure).toMatchObject({ code: '54000' });
    expect(rows).toBe(10_000);
    expect((await driver.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await driver.end();
    await usual.stop();
  });
});
