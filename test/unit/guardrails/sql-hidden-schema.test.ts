import { beforeAll, describe, expect, it } from '@jest/globals';
import type { SqlPolicy } from '../../../src/guardrails/sql-policy.ts';
import { policyOf, UTF8, verdict } from '../../support/sql-policies.ts';

let policy: SqlPolicy;

beforeAll(async () => {
  policy = await policyOf({ hiddenSchema: 'gatepost' });
});

const REFUSED = `42501 schema gatepost is Gatepost's own, and statement 1 names it or may reach it`;

/** Statements that read, write or change something of the schema. */
const NAMING: readonly string[] = [
  'select * from gatepost.accounts',
  'table gatepost.accounts',
  'select * from GatePost . accounts',
  'select * from "gatepost"."accounts"',
  String.raw`select * from U&"g\0061tepost".accounts`,
  `select * from U&"g!0061tepost" uescape '!' .accounts`,
  'select * from gatepost/* . */.accounts',
  'select * from shop.gatepost.accounts',
  'select 1 from (select 1 where exists (select 1 from gatepost.accounts)) as nested',
  'with a as (select * from gatepost.accounts) select 1',
  'insert into gatepost.accounts (name) values (1)',
  'insert into t select * from gatepost.accounts',
  'update t set a = (select name from gatepost.accounts limit 1)',
  'delete from gatepost.accounts',
  'merge into gatepost.accounts using t on true when matched then delete',
  'truncate t, gatepost.accounts',
  'copy gatepost.accounts to stdout',
  'copy (select * from gatepost.accounts) to stdout',
  'lock table gatepost.accounts',
  'vacuum gatepost.accounts',
  'analyze gatepost.accounts',
  'explain select * from gatepost.accounts',
  'prepare p as select * from gatepost.accounts',
  `execute p('gatepost.accounts')`,
  'declare c cursor for select * from gatepost.accounts',
  'create view v as select * from gatepost.accounts',
  'create table t as select * from gatepost.accounts',
  'create table t (like gatepost.accounts including all)',
  'create table t (id int references gatepost.accounts)',
  'create table t () inherits (gatepost.accounts)',
  'create table gatepost.t (id int)',
  'create index on gatepost.accounts (id)',
  'create trigger t after insert on gatepost.accounts execute function f()',
  'create trigger t after insert on t execute function gatepost.f()',
  'create rule r as on insert to t do also select * from gatepost.accounts',
  'create policy p on gatepost.accounts',
  'create sequence gatepost.s',
  "create type gatepost.t as enum ('a')",
  'create domain gatepost.d as int',
  'create statistics gatepost.s on a, b from t',
  'create function gatepost.f() returns int language sql return 1',
  'create publication p for table gatepost.accounts',
  'create publication p for tables in schema gatepost',
  "create foreign table t (a int) server s options (schema_name 'gatepost')",
  'import foreign schema gatepost from server s into public',
  'import foreign schema public from server s into gatepost',
  'create extension x with schema gatepost',
  'alter extension x set schema gatepost',
  'alter extension x add schema gatepost',
  'create schema gatepost',
  'create schema if not exists gatepost',
  'create schema authorization gatepost',
  'drop schema gatepost cascade',
  'drop schema a, gatepost',
  'alter schema gatepost rename to other',
  'alter schema public rename to gatepost',
  'alter schema gatepost owner to mallory',
  `comment on schema gatepost is 'mine'`,
  `comment on table gatepost.accounts is 'mine'`,
  `comment on column gatepost.accounts.name is 'mine'`,
  `security label on schema gatepost is 'mine'`,
  'grant usage on schema gatepost to public',
  'grant all on schema public, gatepost to public',
  'revoke all on schema gatepost from public',
  'grant select on gatepost.accounts to public',
  'grant select on all tables in schema gatepost to public',
  'alter default privileges in schema gatepost grant select on tables to public',
  'drop table gatepost.accounts',
  'drop table t, gatepost.accounts',
  'drop table shop.gatepost.accounts',
  'drop function gatepost.f(int)',
  'drop type gatepost.t',
  'drop policy p on gatepost.accounts',
  'alter table gatepost.accounts rename to a',
  'alter table gatepost.accounts add column more int',
  'alter table t set schema gatepost',
  'alter function f(int) set schema gatepost',
  'alter type t set schema gatepost',
  'reindex schema gatepost',
  'reindex table gatepost.accounts',
  'set search_path = gatepost',
  'set search_path = public, gatepost',
  `set search_path to 'gatepost'`,
  `set local search_path to 'GatePost, public'`,
  `set session search_path to '"gatepost"'`,
  `set "search_path" = gatepost`,
  'set SEARCH_PATH = gatepost',
  `set schema 'gatepost'`,
  'set role gatepost',
  'set session authorization gatepost',
  'alter role app set search_path = gatepost',
  'alter role all in database shop set search_path to public, gatepost',
  'alter database shop set search_path = gatepost',
  'alter system set search_path = gatepost',
  'alter function f() set search_path = gatepost',
  `create function f() returns int language sql set search_path = gatepost as 'select 1'`,
  `select set_config('search_path', 'gatepost', false)`,
  `select pg_catalog.set_config('search_path'::text, 'public, gatepost'::text, false)`,
  `select set_config('search_path', 'gate' || 'post', false)`,
  `select set_config('search' || '_path', 'x', false)`,
  `select set_config(name, setting, false) from settings`,
  `select set_config('role', 'gatepost', false)`,
  `update pg_settings set setting = 'gatepost' where name = 'search_path'`,
  `update pg_catalog.pg_settings set setting = 'public, "gatepost"' where name = 'search_path'`,
  `select 'gatepost.accounts'::regclass`,
  `select regclass 'gatepost.accounts'`,
  `select cast('gatepost.accounts' as pg_catalog.regclass)`,
  `select '"gatepost".accounts'::text::regclass`,
  `select array['gatepost.accounts']::regclass[]`,
  String.raw`select E'g\x61tepost.accounts'::regclass`,
  String.raw`select U&'g\0061tepost.accounts'::regclass`,
  `select 'gatepost'::regnamespace`,
  `select 'gatepost.f(int)'::regprocedure`,
  `create table t (a regclass default 'gatepost.accounts')`,
  `select to_regclass('gatepost.accounts')`,
  `select pg_get_viewdef('gatepost.v')`,
  `select pg_total_relation_size('"gatepost" . "accounts"')`,
  `select table_to_xml('gatepost.accounts', true, false, '')`,
  `select query_to_xml('select * from gatepost.accounts', true, false, '')`,
  `select * from dblink('dbname=shop', 'select * from gatepost.accounts') as t(a text)`,
  `select schema_to_xml('gatepost', true, false, '')`,
  `select schema_to_xml_and_xmlschema('gatepost', true, false, '')`,
  "select database_to_xml(true, false, '')",
  'select a operator(gatepost.+) b from t',
  'select a::gatepost.t from t',
  'select a collate gatepost.c from t',
  'select gatepost.f(1)',
  'call gatepost.p()',
  `call p('gatepost.accounts')`,
  'select * from t order by a using operator(gatepost.<)',
  `do $$ begin perform 1 from gatepost.accounts; end $$`,
  `do 'begin perform 1 from "GATEPOST".accounts; end'`,
  `create function f() returns text language sql as 'select name from gatepost.accounts'`,
  `create procedure p() language plpgsql as $a$ begin set search_path = gatepost; end $a$`,
  'create function f() returns int language sql begin atomic select 1 from gatepost.accounts; end',
];

/** What only reads of the schema that it is there, and what only has the word in it. */
const HARMLESS: readonly string[] = [
  'select 1',
  `select 'gatepost.accounts'`,
  `select * from pg_namespace where nspname = 'gatepost'`,
  `select * from pg_tables where schemaname = 'gatepost' and tablename <> 'a.gatepost.b'`,
  `select n.nspname from pg_catalog.pg_namespace n
     where n.nspname operator(pg_catalog.~) '^(gatepost)$' collate pg_catalog.default`,
  `select c.oid from pg_class c where c.relname ~ '^(gatepost)$' and pg_table_is_visible(c.oid)`,
  `select '16388'::pg_catalog.regclass, 'public.t'::regclass, 'my_gatepost.t'::regclass`,
  `insert into notes values ('see gatepost.accounts')`,
  `update notes set text = 'gatepost' where text = 'gatepost.io'`,
  `select gatepost.id from t as gatepost where gatepost.id = 1`,
  'select * from gatepost',
  'select * from public.gatepost',
  'select gatepost from t as a(gatepost, b) join u using (gatepost, b)',
  'create table gatepost (gatepost int, b int, primary key (gatepost, b))',
  `create type t as enum ('gatepost', 'b')`,
  'copy t (gatepost, b) to stdout',
  'create role gatepost',
  'drop extension gatepost, other',
  'create schema other authorization gatepost',
  'alter schema other owner to gatepost',
  'grant usage on schema other to gatepost',
  `comment on table t is 'of gatepost.accounts'`,
  `select current_setting('gatepost.max_rows')`,
  `select set_config('gatepost.max_rows', '5', false)`,
  `select set_config('application_name', 'gatepost.one', false)`,
  `select set_config('myapp.tenant'::text, $1, true)`,
  `select pg_catalog.set_config('search_path', '', false)`,
  `set gatepost.max_rows = 5`,
  'show gatepost.max_rows',
  `set application_name = 'gatepost'`,
  'set search_path = public, gatepost_two',
  'alter role gatepost set search_path = public',
  `select has_schema_privilege('gatepost', 'usage')`,
  `select lower('gatepost'), format('%s', 'agatepost.x')`,
  `update settings set setting = 'gatepost' where name = 'search_path'`,
  `do $$ begin perform 1 from gateposts.accounts; end $$`,
  'listen gatepost',
  `-- gatepost.accounts
   select 1`,
];

describe('A hidden schema', () => {
  it.each(NAMING)('is not named by %s', (text) => {
    expect(verdict(policy, text)).toBe(REFUSED);
  });

  it.each(HARMLESS)('does not forbid %s', (text) => {
    expect(verdict(policy, text)).toBe('admitted');
  });

  it('is told apart in every statement of a text, with what to know', () => {
    const text = Buffer.from('select 1; select 2; table gatepost.accounts');
    expect(policy.admit(text, UTF8)).toMatchObject({
      sqlState: '42501',
      severity: 'ERROR',
      message: `schema gatepost is Gatepost's own, and statement 3 names it or may reach it`,
      hint: expect.stringContaining('accounts of Gatepost'),
    });
  });

  it.each([
    ['read-only access', { access: 'read-only' as const }],
    ['a deny list', { deny: ['DROP'] }],
    ['an allow list', { allow: ['SELECT'] }],
  ])('is hidden beside %s', async (_name, rules) => {
    const both = await policyOf({ ...rules, hiddenSchema: 'gatepost' });
    expect(verdict(both, 'select * from gatepost.accounts')).toBe(REFUSED);
    expect(verdict(both, 'select 1')).toBe('admitted');
    expect(verdict(both, 'drop table t')).toMatch(/^(25006|42501) .*DROP/);
  });

  it('has the name that it is given, whatever is in it', async () => {
    const odd = await policyOf({ hiddenSchema: 'a.b (c' });
    expect(verdict(odd, 'select * from "a.b (c".t')).toMatch(/^42501 schema a\.b \(c is/);
    expect(verdict(odd, `select '"a.b (c".t'::regclass`)).toMatch(/^42501/);
    expect(verdict(odd, 'select * from gatepost.accounts')).toBe('admitted');
  });

  it('leaves a text alone that cannot name it, however it is written', () => {
    const long = `select '${'x'.repeat(2 * 1024 * 1024)}'`;
    expect(verdict(policy, long)).toBe('admitted');
    expect(verdict(policy, 'no sql at all')).toBe('admitted');
    const latin1 = { ...UTF8, clientEncoding: 'LATIN1' };
    expect(verdict(policy, Buffer.from(`select 'é'`, 'latin1'), latin1)).toBe('admitted');
  });

  it('is looked for where the text might spell it in another way', () => {
    const plain = { ...UTF8, standardConformingStrings: false };
    expect(verdict(policy, String.raw`select '\147atepost.a'::regclass`, plain)).toMatch(/^0A000/);
    expect(verdict(policy, `${'x'.repeat(1024 * 1024)} gatepost`)).toMatch(/^54000/);
    expect(verdict(policy, 'gatepost is no sql')).toMatch(/^42601/);
  });
});
