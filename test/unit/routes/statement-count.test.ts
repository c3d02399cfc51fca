import { performance } from 'node:perf_hooks';
import { describe, expect, test } from '@jest/globals';
import { holdsSeveralCommands, holdsSeveralStatements } from '../../../routes/statement-count.ts';

describe('holdsSeveralStatements', () => {
  test.each([
    '',
    ';',
    ' ; ; -- nothing',
    'select 1',
    'select 1;',
    ' select 1 ;; \n ; ',
    "select ';', 1",
    `select ";" from "a;b"`,
    "select 'it''s; here'",
    String.raw`select E'\'; select 2'`,
    'select $$a; b$$',
    'select $x$a; $$ b$x$ as y',
    'select 1 -- ; select 2',
    'select 1; -- select 2',
    'select 1 /* ; /* ; */ ; */ ',
    'select 1; /* ; select 2 */',
    'select a$b$; -- $b$',
    'create rule r as on insert to t do also (insert into u values (1); delete from v)',
    `create function f() returns int begin atomic select 1; select case when true then 2 end; end`,
    'create or replace procedure p() begin atomic insert into t values (1); end;',
    "select '; unterminated",
    'select $$; unterminated',
    'select 1 /* ; unterminated',
    'select $1; ',
  ])('has one in %j', (sql) => {
    expect(holdsSeveralStatements(sql)).toBe(false);
  });

  test.each([
    'select 1; select 2',
    'select 1;select 2;',
    "select ';'; select 2",
    'begin; insert into t values (1); commit',
    'select 1 -- x\n; select 2',
    'select 1; /* x */ select 2',
    String.raw`select '\'; select 2`,
    'select $$a$$; select 2',
    'create function f() returns int begin atomic select 1; end; select f()',
    'select (1); select 2',
    ";;select 1; 'x'",
  ])('has several in %j', (sql) => {
    expect(holdsSeveralStatements(sql)).toBe(true);
  });

  test.each([
    ['blanks', `select ${' '.repeat(1_000_000)};x`],
    ['semicolons', `select ${';'.repeat(1_000_000)}`],
    ['quotes', `select ${"''".repeat(500_000)};x`],
    ['dollars', `select ${'$a$b'.repeat(250_000)};x`],
    ['comments', `select ${'/*'.repeat(500_000)};x`],
  ])('takes no long time for a megabyte of %s', (_name, sql) => {
    const startedAtMs = performance.now();
    holdsSeveralStatements(sql);
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
  });
});

describe('holdsSeveralCommands', () => {
  test.each([
    ['db.a.find()', false],
    ['db.a.find();', false],
    ['db.a.find({ a: "x;y" })', false],
    ['db.a.find({\n a: 1\n})', false],
    ['db.a.find({a:', false],
    ['db.a.find({\na:', false],
    ['db.a.find(); db.b.find()', true],
    ['show dbs\nshow collections', true],
  ])('of %j is %s', (text, isSeveral) => {
    expect(holdsSeveralCommands(text)).toBe(isSeveral);
  });
});
