// psql through Gatepost prints what psql on a direct connection prints.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runPsql } from '../support/psql.ts';
import type { PsqlResult } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';

/** Everything that the runs look at. Runs that change something roll it back. */
const FIXTURE = `
  create table customer (
    id integer primary key,
    name text not null check (name <> ''),
    credit numeric(10, 2) default 0
  );
  comment on table customer is 'Who buys';
  create table purchase (
    id integer primary key,
    customer_id integer not null references customer (id) on delete cascade,
    bought_at timestamptz not null default '2026-01-02 03:04:05+00',
    note text
  );
  create index purchase_note on purchase (note) where note is not null;
  create view rich as select id, name from customer where credit > 100;
  create sequence ticket start 7;
  create type mood as enum ('sad', 'glad');
  create function twice(n integer) returns integer
    language sql immutable as 'select n * 2';
  create function raise_all(text) returns void language plpgsql as $body$
  begin
    raise exception using message = $1, errcode = 'P4711', detail = 'A detail',
      hint = 'A hint', schema = 'public', table = 'customer', column = 'name',
      datatype = 'text', constraint = 'customer_name_check';
  end $body$;
  create table zebra ();
  insert into customer values (1, 'Ann', 120.50), (2, 'Zoë 🦓', 0), (3, 'A|B', null);
  insert into purchase (id, customer_id, note) values (10, 1, 'first'), (11, 1, null);
`;

let database: TestDatabase;
let gate: Gate;
let directory: TemporaryDirectory;
/** No privilege on anything. */
let role: string;

beforeAll(async () => {
  database = await createTestDatabase();
  role = `${database.name}_role`;
  await runDirectly(database.url, `${FIXTURE}; create role ${role}`);
  gate = await startGate({ dsn: database.url });
  directory = await createTemporaryDirectory();
});

afterAll(async () => {
  await gate.stop();
  await runDirectly(database.url, `drop role ${role}`);
  await database.drop();
  await directory.remove();
});

/** Names of this run in a table of fixed texts. */
function fillIn(text: string): string {
  return text.replaceAll('ROLE', role).replaceAll('DATABASE', database.name);
}

/** What differs between any two connections: ports and process ids. */
function normalise({ stdout, stderr, exitCode }: PsqlResult): PsqlResult {
  const clean = (text: string): string =>
    text.replaceAll(/port \d+/g, 'port N').replaceAll(/PID \d+/g, 'PID N');
  return { stdout: clean(stdout), stderr: clean(stderr), exitCode };
}

async function runBoth(
  args: readonly string[],
  input: string,
): Promise<{ readonly through: PsqlResult; readonly direct: PsqlResult }> {
  const url = `postgresql://postgres@127.0.0.1:${gate.port}/${database.name}`;
  const [through, direct] = await Promise.all([
    runPsql({ url, args, input }),
    runPsql({ url: database.url, args, input }),
  ]);
  return { through: normalise(through), direct: normalise(direct) };
}

interface Run {
  readonly title: string;
  readonly args?: readonly string[];
  readonly input?: string;
  /** What must be among the output, so that two equal failures are no success. */
  readonly shows: string | RegExp;
  readonly exitCode?: number;
}

const command = (...texts: readonly string[]): readonly string[] =>
  texts.flatMap((text) => ['-c', text]);

const DESCRIPTIONS: readonly Run[] = [
  [String.raw`\d`, 'customer'],
  [String.raw`\d customer`, 'Referenced by:'],
  [String.raw`\d+ purchase`, 'ON DELETE CASCADE'],
  [String.raw`\d+ rich`, 'View definition:'],
  [String.raw`\d purchase_note`, 'Index "public.purchase_note"'],
  [String.raw`\d ticket`, 'Sequence "public.ticket"'],
  [String.raw`\d nosuch`, 'Did not find any relation'],
  [String.raw`\dt`, 'List of relations'],
  [String.raw`\dt+`, 'Who buys'],
  [String.raw`\di+`, 'purchase_note'],
  [String.raw`\dv`, 'rich'],
  [String.raw`\ds`, 'ticket'],
  [String.raw`\dn+`, 'public'],
  [String.raw`\dT+ mood`, 'glad'],
  [String.raw`\df`, 'raise_all'],
  [String.raw`\df+`, 'select n \\* 2'],
  [String.raw`\df pg_catalog.pg_*size*`, 'pg_relation_size'],
  [String.raw`\sf raise_all`, 'raise exception using'],
  [String.raw`\sv rich`, 'CREATE OR REPLACE VIEW'],
  [String.raw`\dp customer`, 'Access privileges'],
  [String.raw`\l DATABASE`, 'gatepost_test_'],
  [String.raw`\l template*`, 'template1'],
  [String.raw`\du ROLE`, 'Cannot login'],
  [String.raw`\dx`, 'plpgsql'],
  [String.raw`\dconfig work_mem`, 'work_mem'],
  [String.raw`\do ||`, 'concatenate'],
  [String.raw`\encoding`, 'UTF8'],
].map(([text = '', shows = '']) => ({
  title: text,
  args: command(text),
  shows: new RegExp(shows),
}));

const STATEMENTS: readonly Run[] = [
  {
    title: 'a simple query',
    args: command('select version()'),
    shows: 'PostgreSQL 16',
  },
  {
    title: 'several statements in one -c',
    args: command('select 1 as a; select 2 as b; select 3 as c'),
    shows: '(1 row)',
  },
  {
    title: 'several statements of which the second fails',
    args: command('select 1; select 1/0; select 3'),
    shows: 'division by zero',
    exitCode: 1,
  },
  {
    title: 'several -c, of which one fails',
    args: command('select 1', 'select nosuch', 'select 3'),
    shows: 'column "nosuch" does not exist',
  },
  {
    title: 'RETURNING',
    args: command(`begin; insert into customer values (4, 'Bob') returning *;
      update customer set credit = 9 where id = 4 returning id, credit;
      delete from customer where id = 4 returning name; rollback`),
    shows: 'UPDATE 1',
  },
  {
    title: 'BEGIN, COMMIT and ROLLBACK, each with its effect',
    input: `
      begin; create temporary table t (n int); insert into t values (1); commit;
      begin; insert into t values (2); rollback;
      select * from t;
      commit;
    `,
    shows: 'there is no transaction in progress',
  },
  {
    title: 'savepoints',
    input: `
      begin; savepoint a; select 1/0; select 1; rollback to a; select 2; release a; commit;
    `,
    shows: 'current transaction is aborted',
  },
  {
    title: 'a failed transaction that is committed',
    input: 'begin; select nosuch; commit; select 1;',
    shows: 'ROLLBACK',
  },
  {
    title: 'a syntax error and its position',
    args: command('select 1 +\n  form customer\n  where true'),
    shows: '^',
    exitCode: 1,
  },
  {
    title: 'a syntax error behind wide characters',
    args: command(`select 'Zoë 🦓 żółw' as x form customer`),
    shows: '^',
    exitCode: 1,
  },
  {
    title: 'a permission error',
    args: command('set role ROLE', 'select * from customer', 'drop table customer'),
    shows: 'permission denied for table customer',
    exitCode: 1,
  },
  {
    title: 'an error with every field, printed verbosely',
    input: String.raw`
      \set VERBOSITY verbose
      select raise_all('All of it');
      insert into customer values (1, 'Ann');
      insert into purchase values (12, 99);
      insert into customer values (5, '');
      insert into customer values (6, null);
    `,
    shows: /CONSTRAINT NAME: {2}customer_name_check[^]*LOCATION: {2}exec_stmt_raise/,
  },
  {
    title: 'an error with DETAIL, HINT and CONTEXT',
    input: String.raw`
      select raise_all('Some of it');
      \errverbose
      select 'x' || 1 + 2;
    `,
    shows: 'CONTEXT:  PL/pgSQL function raise_all(text) line 3 at RAISE',
  },
  {
    title: 'SQLSTATE alone',
    input: String.raw`
      \set VERBOSITY sqlstate
      select nosuch;
      \echo :LAST_ERROR_SQLSTATE :ROW_COUNT :SERVER_VERSION_NUM
    `,
    shows: '42703',
  },
  {
    title: 'notices of every level',
    args: command(`set client_min_messages = debug1; do $$ begin
      raise debug 'd'; raise log 'l'; raise info 'i'; raise notice 'n' using hint = 'h';
      raise warning 'w' using detail = 'd', errcode = '01P01'; end $$`),
    shows: /INFO: {2}i\nNOTICE: {2}n\nHINT: {2}h\nWARNING: {2}w/,
  },
  {
    title: 'a notice in the middle of a result',
    args: command(`drop table if exists nosuch; select 1; drop view if exists nosuch; select 2`),
    shows: 'skipping',
  },
  {
    title: 'rows without columns',
    args: command('select from generate_series(1, 3)'),
    shows: '(3 rows)',
  },
  { title: 'a table without columns', args: command('table zebra'), shows: '(0 rows)' },
  { title: 'an empty query', args: command('', ';', '  -- nothing'), shows: '' },
  {
    title: 'LISTEN and NOTIFY',
    input: `listen news; notify news, 'hello'; select pg_notify('news', 'again'); select 1;`,
    shows: 'Asynchronous notification "news" with payload "hello"',
  },
  {
    title: 'a result read by a cursor (FETCH_COUNT)',
    input: String.raw`
      \set FETCH_COUNT 7
      select n, repeat('x', n) from generate_series(1, 50) n;
    `,
    shows: '(50 rows)',
  },
  {
    title: 'a cursor of its own',
    input: `
      begin; declare c scroll cursor for select generate_series(1, 9);
      fetch 3 from c; fetch backward 2 from c; move 4 in c; fetch all from c; close c; commit;
    `,
    shows: 'MOVE 4',
  },
  {
    title: 'prepared statements by SQL',
    input: `prepare p (int) as select $1 + 1; execute p (41); deallocate p; execute p (1);`,
    shows: '42',
  },
  {
    title: 'text in many scripts',
    args: command(`select * from customer; select 'žluťoučký', '日本語', '🐘' as "Größe"`),
    shows: 'Zoë 🦓',
  },
  {
    title: 'a value of a megabyte',
    args: ['-At', ...command(`select repeat('ab', 524288)`)],
    shows: /^(ab){524288}/,
  },
  {
    title: 'a statement of a megabyte',
    input: `select length('${'ab'.repeat(524_288)}');`,
    shows: '1048576',
  },
  {
    title: 'a thousand columns',
    args: ['-At', ...command(`select ${Array.from({ length: 1000 }, (_, n) => n).join()}`)],
    shows: '998|999',
  },
  {
    title: 'variables, \\gset, \\gexec, \\if and \\crosstabview',
    input: String.raw`
      select 40 + 2 as answer \gset
      \echo :answer
      select format('select %s as n', n) from generate_series(1, 2) n \gexec
      \if true
        select :answer;
      \endif
      select a, b, a * b from generate_series(1, 2) a, generate_series(1, 2) b \crosstabview
    `,
    shows: '42',
  },
  {
    title: 'other output formats',
    args: ['--csv', ...command('table customer', String.raw`\x`, 'table purchase')],
    shows: '2,Zoë 🦓,0.00',
  },
  {
    title: 'a session whose encoding changes',
    input: String.raw`
      set client_encoding = 'LATIN1'; show client_encoding; select 'a' || chr(233);
      \encoding UTF8
      select chr(233);
    `,
    shows: 'LATIN1',
  },
  {
    title: 'a change of role, time zone and path',
    input: `
      set timezone = 'Asia/Tokyo'; select bought_at from purchase;
      set search_path = nowhere; table customer; reset all; set role ROLE; select current_user;
    `,
    shows: '2026-01-02 12:04:05+09',
  },
  {
    title: 'a transaction over everything (-1) that stops at an error',
    args: ['-1', '-v', 'ON_ERROR_STOP=1', ...command('create table gone (n int)', 'select 1/0')],
    shows: 'division by zero',
    exitCode: 1,
  },
  {
    title: 'standard input that stops at an error',
    args: ['-v', 'ON_ERROR_STOP=1'],
    input: 'select 1;\nselect 1/0;\nselect 2;',
    shows: 'psql:<stdin>:2: ERROR:  division by zero',
    exitCode: 3,
  },
  {
    title: 'what is printed with every statement shown (-e -b)',
    args: ['-e', '-b'],
    input: 'select 1;\nselect nosuch;',
    shows: 'STATEMENT:  select nosuch;',
  },
];

async function expectParity({ args = [], input = '', shows, exitCode = 0 }: Run): Promise<void> {
  const { through, direct } = await runBoth(args.map(fillIn), fillIn(input));
  expect(through).toEqual(direct);
  expect(through.exitCode).toBe(exitCode);
  expect(`${through.stdout}\n${through.stderr}`).toEqual(
    typeof shows === 'string' ? expect.stringContaining(shows) : expect.stringMatching(shows),
  );
}

describe('psql prints through Gatepost what it prints directly', () => {
  it.each(DESCRIPTIONS)('for $title', async (run) => {
    await expectParity({ ...run, exitCode: run.title.includes('nosuch') ? 1 : 0 });
  });

  it.each(STATEMENTS)('for $title', async (run) => {
    await expectParity(run);
  });

  it('for a script of several statements (-f)', async () => {
    const file = path.join(directory.path, 'script.sql');
    await writeFile(
      file,
      `-- A script
      create temporary table s (n int, t text);
      insert into s values (1, 'one;two'), (2, $$dollar; quoted$$);
      /* a comment; with /* another; */ inside */
      select * from s order by n;
      select * from nosuch; select 'after the error';
      \\echo done\n`,
    );
    await expectParity({ title: 'a script', args: ['-f', file], shows: 'after the error' });
  });

  it('for a database that does not exist', async () => {
    const url = `postgresql://postgres@127.0.0.1:${gate.port}/nosuch`;
    const { stderr, exitCode } = await runPsql({ url });
    expect(stderr).toMatch(/FATAL: {2}database "nosuch" does not exist\nDETAIL: {2}Session /);
    expect(exitCode).toBe(2);
  });
});
