// Statements of many callers over few sessions: nothing of one reaches another.
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import { createPostgresBackend } from '../../src/backends/postgres/postgres-backend.ts';
import { collectResult } from '../../src/backends/pool.ts';
import type {
  Access,
  CollectedResult,
  SqlStatement,
  StatementRun,
} from '../../src/backends/pool.ts';
import { createSqlPool } from '../../src/backends/postgres/sql-pool.ts';
import type { ClosableSqlPool } from '../../src/backends/postgres/sql-pool.ts';
import type { Limits } from '../../src/config.ts';
import { ServiceError } from '../../src/errors.ts';
import { Guard } from '../../src/guardrails/guard.ts';
import { createSqlPolicy } from '../../src/guardrails/sql-policy.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runningStatements, untilTrue } from '../support/facts.ts';

const LIMITS: Limits = {
  rowsMax: 1000,
  bytesMax: 1_000_000,
  queryTimeoutMs: 30_000,
  onLimit: 'error',
};

let database: TestDatabase;
let pool: ClosableSqlPool;

/** @param acquireTimeoutMs longer than opening a connection takes on the busiest machine */
async function createPool(
  dsn: string,
  connectionsMax = 2,
  acquireTimeoutMs = 20_000,
): Promise<ClosableSqlPool> {
  const backend = (access: Access): ReturnType<typeof createPostgresBackend> =>
    createPostgresBackend({
      name: 'postgres',
      dsn,
      guardrails: { limits: LIMITS, idleTimeoutMs: 60_000, access },
    });
  const lists = { allow: [], deny: ['drop'] };
  return createSqlPool({
    access: {
      'read-only': {
        backend: backend('read-only'),
        policy: await createSqlPolicy({ ...lists, access: 'read-only' }),
        ownPolicy: await createSqlPolicy({ ...lists, access: 'read-write' }),
      },
      'read-write': {
        backend: backend('read-write'),
        policy: await createSqlPolicy({ ...lists, access: 'read-write' }),
        ownPolicy: await createSqlPolicy({ ...lists, access: 'read-write' }),
      },
    },
    pool: { connectionsMax, idleTimeoutMs: 10_000, acquireTimeoutMs },
  });
}

interface Options {
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
  readonly access?: Access;
}

function runOf({ limits, signal, access = 'read-write' }: Options): StatementRun {
  return {
    guard: new Guard({ ...LIMITS, ...limits }),
    signal: signal ?? new AbortController().signal,
    access,
    label: 'GET /api/postgres/{schema}/{table} 5e0f8a3e-0000-4000-8000-000000000000',
  };
}

async function ask(
  statement: string | SqlStatement,
  options: Options = {},
): Promise<CollectedResult> {
  const given = typeof statement === 'string' ? { text: statement } : statement;
  return await collectResult(pool.query(given, runOf(options)));
}

async function values(statement: string | SqlStatement, options?: Options): Promise<string[][]> {
  const { rows } = await ask(statement, options);
  return rows.map((row) => row.map((value) => value?.toString('utf8') ?? 'NULL'));
}

describe('The pool of PostgreSQL', () => {
  beforeAll(async () => {
    database = await createTestDatabase();
    await runDirectly(database.url, 'create table canary (n int); insert into canary values (1)');
  });

  beforeEach(async () => {
    pool = await createPool(database.url);
  });

  afterEach(async () => {
    await pool.close();
  });

  afterAll(async () => {
    await database.drop();
  });

  it('gives columns, rows and the command tag', async () => {
    const { columns, rows, commandTag } = await ask("select 1 as a, null as b, 'ü' as c");
    expect(columns).toEqual([
      { name: 'a', typeOid: 23 },
      { name: 'b', typeOid: 25 },
      { name: 'c', typeOid: 25 },
    ]);
    expect(rows.map((row) => row.map((value) => value?.toString() ?? null))).toEqual([
      ['1', null, 'ü'],
    ]);
    expect(commandTag).toBe('SELECT 1');
  });

  it('takes values beside the text, and never as a part of it', async () => {
    const text = 'select $1::text, $2::int + 1, $3::text';
    expect(await values({ text, parameters: ["'; drop table canary; --", '41', null] })).toEqual([
      ["'; drop table canary; --", '42', 'NULL'],
    ]);
  });

  it.each([
    ['select 1; select 2, 3', undefined, ['SELECT 1', 'SELECT 1']],
    ['select 1 where false', [], ['SELECT 0']],
    ['insert into canary select 2 where false', [], ['INSERT 0 0']],
    ['', undefined, []],
  ])('answers %j with %j by a complete for each statement', async (text, parameters, tags) => {
    const kinds: string[] = [];
    for await (const event of pool.query({ text, parameters }, runOf({}))) {
      if (event.kind === 'complete') {
        kinds.push(event.commandTag);
      }
    }
    expect(kinds).toEqual(tags);
  });

  it('puts a row together that is larger than a socket read', async () => {
    const [[text = ''] = []] = await values({ text: "select repeat('x', 700000)", parameters: [] });
    expect(text).toBe('x'.repeat(700_000));
  });

  it('refuses a row above the byte limit before it is in memory', async () => {
    await expect(ask("select repeat('x', 2000000)")).rejects.toMatchObject({ sqlState: '54000' });
    expect(await values('select 1')).toEqual([['1']]);
  });

  it.each([undefined, []])('cuts at the limit of rows, with parameters %j', async (parameters) => {
    const statement = { text: 'select generate_series(1, 5)', parameters };
    const cut = { rowsMax: 3, onLimit: 'truncate' } as const;
    expect(await values(statement, { limits: cut })).toEqual([['1'], ['2'], ['3']]);
    await expect(ask(statement, { limits: { rowsMax: 3 } })).rejects.toMatchObject({
      sqlState: '54000',
    });
    expect(await values(statement, { limits: { rowsMax: 5 } })).toHaveLength(5);
  });

  it('throws what the server says, and goes on with the session', async () => {
    await expect(ask({ text: 'select $1::int', parameters: ['x'] })).rejects.toMatchObject({
      name: 'ServiceError',
      sqlState: '22P02',
      message: 'invalid input syntax for type integer: "x"',
    });
    await expect(ask('select 1 frmo x')).rejects.toMatchObject({ sqlState: '42601', position: 15 });
    expect(await values('select 1')).toEqual([['1']]);
  });

  it('leaves nothing of one caller to the next', async () => {
    const single = await createPool(database.url, 1);
    const run = runOf({});
    const events = async (text: string): Promise<CollectedResult> =>
      await collectResult(single.query({ text }, run));
    await events("set work_mem = '77MB'; create temp table mine (n int); listen here");
    await events('select pg_advisory_lock(4711)');
    await events('begin; insert into canary values (99)');
    const { rows } = await events(`select current_setting('work_mem'), to_regclass('mine'),
      (select count(*) from pg_locks where locktype = 'advisory'),
      (select count(*) from canary), pg_backend_pid() > 0, now() = statement_timestamp()`);
    expect(rows[0]?.map((value) => value?.toString() ?? null)).toEqual([
      '4MB',
      null,
      '0',
      '1',
      't',
      't',
    ]);
    await single.close();
  });

  it('says that a transaction was left open and rolled back', async () => {
    const notices: string[] = [];
    for await (const event of pool.query({ text: 'begin; select 1' }, runOf({}))) {
      if (event.kind === 'notice') {
        notices.push(event.notice.message);
      }
    }
    expect(notices).toEqual(['The transaction was left open and has been rolled back']);
  });

  it.each(['insert into canary values (2)', 'set transaction_read_only = off; delete from canary'])(
    'never writes for a reader: %s',
    async (text) => {
      await expect(ask(text, { access: 'read-only' })).rejects.toMatchObject({ sqlState: '25006' });
      const own = { text: text.split(';').at(-1) ?? '', isOwn: true };
      await expect(ask(own, { access: 'read-only' })).rejects.toMatchObject({ sqlState: '25006' });
    },
  );

  it('asks the operator’s lists, also for statements of ours', async () => {
    for (const isOwn of [true, false]) {
      await expect(ask({ text: 'drop table canary', isOwn })).rejects.toMatchObject({
        sqlState: '42501',
      });
    }
  });

  it('shows the server who asks: the route cut, the request id whole', async () => {
    const text = "select current_setting('application_name')";
    const name = 'gatepost/GET /api/postgres 5e0f8a3e-0000-4000-8000-000000000000';
    expect(await values(text)).toEqual([[name]]);
    expect(await values({ text, parameters: [] })).toEqual([[name]]);
  });

  it('stops a statement on the server when its signal is aborted', async () => {
    const stopper = new AbortController();
    const asked = ask('select pg_sleep(61)', { signal: stopper.signal });
    await untilTrue(database.url, runningStatements('select pg_sleep(61)', 1));
    stopper.abort(new ServiceError('57014', 'for a test'));
    await expect(asked).rejects.toMatchObject({ sqlState: '57014', message: 'for a test' });
    await untilTrue(database.url, runningStatements('select pg_sleep(61)', 0));
  });

  it('stops a statement that nobody reads to its end, and keeps the session', async () => {
    const single = await createPool(database.url, 1);
    const pid = async (): Promise<string | undefined> => {
      const { rows } = await collectResult(
        single.query({ text: 'select pg_backend_pid()' }, runOf({})),
      );
      return rows[0]?.[0]?.toString();
    };
    const before = await pid();
    const endless = 'select generate_series(1, 100000000)';
    for await (const event of single.query(
      { text: endless },
      runOf({ limits: { rowsMax: 1e9, bytesMax: 1e12 } }),
    )) {
      if (event.kind === 'rows') {
        break;
      }
    }
    expect(await pid()).toBe(before);
    await single.close();
  });

  it('says that all connections are busy, and which setting changes it', async () => {
    // Before it gives up, both connections have to be opened.
    await pool.close();
    pool = await createPool(database.url, 2, 3000);
    const stopper = new AbortController();
    const busy = ['62.1', '62.2'].map((seconds) =>
      ask(`select pg_sleep(${seconds})`, { signal: stopper.signal }).catch(() => undefined),
    );
    await untilTrue(database.url, runningStatements('select pg_sleep(62%', 2));
    await expect(ask('select 1')).rejects.toMatchObject({
      sqlState: '53300',
      hint: expect.stringContaining('POSTGRES_POOL_MAX'),
    });
    stopper.abort(new ServiceError('57014', 'for a test'));
    await Promise.all(busy);
    expect(await values('select 1')).toEqual([['1']]);
  });

  it('lets go of a caller that does not wait any longer', async () => {
    const busy = new AbortController();
    const long = [63.1, 63.2].map((seconds) =>
      ask(`select pg_sleep(${seconds})`, { signal: busy.signal }).catch(() => undefined),
    );
    await untilTrue(database.url, runningStatements('select pg_sleep(63%', 2));
    const left = new AbortController();
    const waiting = ask('select 1', { signal: left.signal });
    left.abort(new ServiceError('57014', 'gone'));
    await expect(waiting).rejects.toMatchObject({ message: 'gone' });
    busy.abort(new ServiceError('57014', 'for a test'));
    await Promise.all(long);
  });

  it('opens a new session for one that the server has ended', async () => {
    expect(await values('select 1')).toEqual([['1']]);
    await runDirectly(
      database.url,
      `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await untilTrue(
      database.url,
      `not exists (select from pg_stat_activity
      where datname = current_database() and application_name like 'gatepost/%')`,
    );
    const answers = await Promise.allSettled([values('select 2'), values('select 3')]);
    expect(answers.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await values('select 4')).toEqual([['4']]);
  });

  it('fails at once while the server is down', async () => {
    const down = await createPool('postgresql://u:s3cret@127.0.0.1:1/d');
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const asked = collectResult(down.query({ text: 'select 1' }, runOf({})));
      await expect(asked).rejects.toMatchObject({ sqlState: '08001' });
    }
    await down.close();
  });

  it.each([
    ['a statement', { text: "select 'a\0b'" }],
    ['a parameter', { text: 'select $1', parameters: ['a\0b'] }],
  ])('refuses a NUL in %s', async (_what, statement) => {
    // The policy, where there is one, says it in its own way.
    const sqlState: unknown = expect.stringMatching(/^(22021|08P01)$/);
    await expect(ask(statement)).rejects.toMatchObject({ sqlState });
  });
});
