// Statements run by psql print through Gatepost what they print on a direct connection.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runPsql } from '../support/psql.ts';
import { commands, startPsqlParity } from '../support/psql-parity.ts';
import type { PsqlParity, PsqlRun } from '../support/psql-parity.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

let parity: PsqlParity;

beforeAll(async () => {
  parity = await startPsqlParity();
});

afterAll(async () => {
  await parity.stop();
});

async function expectParity(run: PsqlRun): Promise<void> {
  const { through, direct } = await parity.runBoth(run);
  expect(through).toEqual(direct);
  expect(`${through.stdout}\n${through.stderr}`).toMatch(run.shows);
  expect(through.exitCode).toBe(run.exitCode ?? 0);
}

const STATEMENTS: readonly PsqlRun[] = [
  {
    title: 'a simple query',
    args: commands('select version()'),
    shows: 'PostgreSQL 16',
  },
  {
    title: 'several statements in one -c',
    args: commands('select 1 as a; select 2 as b; select 3 as c'),
    shows: '(1 row)',
  },
  {
    title: 'several statements of which the second fails',
    args: commands('select 1; select 1/0; select 3'),
    shows: 'division by zero',
    exitCode: 1,
  },
  {
    title: 'several -c, of which one fails',
    args: commands('select 1', 'select nosuch', 'select 3'),
    shows: 'column "nosuch" does not exist',
  },
  {
    title: 'RETURNING',
    args: commands(`begin; insert into customer values (4, 'Bob') returning *;
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
    args: commands('select 1 +\n  form customer\n  where true'),
    shows: '^',
    exitCode: 1,
  },
  {
    title: 'a syntax error behind wide characters',
    args: commands(`select 'Zoë 🦓 żółw' as x form customer`),
    shows: '^',
    exitCode: 1,
  },
  {
    title: 'a permission error',
    args: commands('set role ROLE', 'select * from customer', 'drop table customer'),
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
    args: commands(`set client_min_messages = debug1; do $$ begin
      raise debug 'd'; raise log 'l'; raise info 'i'; raise notice 'n' using hint = 'h';
      raise warning 'w' using detail = 'd', errcode = '01P01'; end $$`),
    shows: /INFO: {2}i\nNOTICE: {2}n\nHINT: {2}h\nWARNING: {2}w/,
  },
  {
    title: 'a notice in the middle of a result',
    args: commands(`drop table if exists nosuch; select 1; drop view if exists nosuch; select 2`),
    shows: 'skipping',
  },
  {
    title: 'rows without columns',
    args: commands('select from generate_series(1, 3)'),
    shows: '(3 rows)',
  },
  { title: 'a table without columns', args: commands('table zebra'), shows: '(0 rows)' },
  { title: 'an empty query', args: commands('', ';', '  -- nothing'), shows: '' },
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
    args: commands(`select * from customer; select 'žluťoučký', '日本語', '🐘' as "Größe"`),
    shows: 'Zoë 🦓',
  },
  {
    title: 'a value of a megabyte',
    args: ['-At', ...commands(`select repeat('ab', 524288)`)],
    shows: /^(ab){524288}/,
  },
  {
    title: 'a statement of a megabyte',
    input: `select length('${'ab'.repeat(524_288)}');`,
    shows: '1048576',
  },
  {
    title: 'a thousand columns',
    args: ['-At', ...commands(`select ${Array.from({ length: 1000 }, (_, n) => n).join()}`)],
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
    args: ['--csv', ...commands('table customer', String.raw`\x`, 'table purchase')],
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
    args: ['-1', '-v', 'ON_ERROR_STOP=1', ...commands('create table gone (n int)', 'select 1/0')],
    shows: 'division by zero',
    exitCode: 1,
  },
  {
    title: 'standard input that stops at an error',
    args: ['-v', 'ON_ERROR_STOP=1'],
    input: 'select 1;\nselect 1/0;\nselect 2;',
    shows: 'division by zero',
    exitCode: 3,
  },
  {
    title: 'what is printed with every statement shown (-e -b)',
    args: ['-e', '-b'],
    input: 'select 1;\nselect nosuch;',
    shows: 'STATEMENT:  select nosuch;',
  },
];

describe('psql prints through Gatepost what it prints directly', () => {
  it.each(STATEMENTS)('for $title', async (run) => {
    await expectParity(run);
  });

  it('for a script of several statements (-f)', async () => {
    const directory = await createTemporaryDirectory();
    const file = path.join(directory.path, 'script.sql');
    await writeFile(file, SCRIPT);
    await expectParity({ title: 'a script', args: ['-f', file], shows: 'after the error' });
    await directory.remove();
  });

  it('but for the session that a refused login has in its DETAIL', async () => {
    const { stderr, exitCode } = await runPsql({ url: `${parity.url}_not` });
    expect(stderr).toMatch(/FATAL: {2}database "\w+_not" does not exist\nDETAIL: {2}Session /);
    expect(exitCode).toBe(2);
  });
});

const SCRIPT = `-- A script
create temporary table s (n int, t text);
insert into s values (1, 'one;two'), (2, $$dollar; quoted$$);
/* a comment; with /* another; */ inside */
select * from s order by n;
select * from nosuch; select 'after the error';
\\echo done
`;
