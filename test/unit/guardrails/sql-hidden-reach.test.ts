// Texts that do not spell the name of the schema, and would show what is in it all the same.
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { SqlPolicy } from '../../../src/guardrails/sql-policy.ts';
import { PSQL_QUERIES } from '../../support/psql-queries.ts';
import { HARMLESS_CORPUS } from '../../support/read-only-harmless.ts';
import { policyOf, UTF8, verdict } from '../../support/sql-policies.ts';

const REFUSED = `42501 schema gatepost is Gatepost's own, and statement 1 names it or may reach it`;

let policy: SqlPolicy;
let reading: SqlPolicy;

beforeAll(async () => {
  policy = await policyOf({ hiddenSchema: 'gatepost' });
  reading = await policyOf({ hiddenSchema: 'gatepost', access: 'read-only' });
});

/** For readers too: what they are refused anyway is further below. */
const REACHING: readonly string[] = [
  `select table_to_xml(c.oid::regclass, true, false, '') from pg_class c`,
  `select TABLE_TO_XML(c.oid, true, false, '') from pg_class c`,
  `select "table_to_xml"(c.oid, true, false, '') from pg_class c`,
  String.raw`select U&"t\0061ble_to_xml"(c.oid, true, false, '') from pg_class c`,
  `select pg_catalog.table_to_xml_and_xmlschema(c.oid, true, false, '') from pg_class c`,
  `select table_to_xmlschema(c.oid, true, false, '') from pg_class c`,
  `select table_to_xml(('gate' || 'post.accounts')::regclass, true, false, '')`,
  `select table_to_xml(16390, true, false, '')`,
  `select table_to_xml(4294967295, true, false, '')`,
  `select table_to_xml('16390', true, false, '')`,
  `select table_to_xml('16390'::regclass, true, false, '')`,
  `select table_to_xml('16390x'::char(5)::regclass, true, false, '')`,
  String.raw`select table_to_xml('\x3136333930'::bytea::text::regclass, true, false, '')`,
  `select table_to_xml(a::regclass, true, false, '') from (values ('x')) as v (a)`,
  `select table_to_xml(nulls => true, tableforest => false, targetns => '', tbl => $1)`,
  `select table_to_xml(nulls => true, tableforest => false, targetns => '', tbl => '16390')`,
  `prepare p (regclass) as select table_to_xml($1, true, false, '')`,
  `select table_to_xml('pg_stats', true, false, '')`,
  `select table_to_xml('pg_catalog."pg_statistic"', true, false, '')`,
  `select table_to_xml('pg_toast.pg_toast_2619', true, false, '')`,
  `select schema_to_xml(nspname, true, false, '') from pg_namespace`,
  `select schema_to_xml('gate' || 'post', true, false, '')`,
  `select schema_to_xml('pg_catalog', true, false, '')`,
  `select schema_to_xml_and_xmlschema($1, true, false, '')`,
  `select database_to_xml(true, false, '')`,
  `select database_to_xml_and_xmlschema(true, false, '')`,
  'select * from pg_stats',
  'select * from PG_CATALOG . "pg_stats"',
  String.raw`select * from U&"pg!005fstats" uescape '!'`,
  'select (s).most_common_vals from pg_stats as s',
  'select 1 where exists (table pg_stats_ext)',
  'table pg_stats_ext_exprs',
  'table pg_statistic',
  'copy pg_statistic to stdout',
  'select * from pg_statistic_ext_data',
  'select * from pg_toast.pg_toast_16390',
  `select * from get_raw_page('x', 0)`,
  'select * from heap_page_items($1)',
  `select * from public.bt_page_items('i', 1)`,
  `select * from pg_get_wal_block_info('0/0', '0/1')`,
  `set search_path = 'gate'\n'post'`,
  `set search_path = 'gate'  \t\r\n  'post'`,
  `set schema 'gate'\n'post'`,
  `set search_path = public, "$user"`,
  `set search_path = '$USER'`,
  `select set_config('search_path', '"$user"', false)`,
  String.raw`select set_config('search_path', '\x67617465706f7374'::bytea::text, false)`,
];

/** What readers are refused for another reason. */
const REACHING_OF_WRITERS: readonly string[] = [
  `select query_to_xml('table ' || 'gate' || 'post.accounts', true, false, '')`,
  `select query_to_xml($1, true, false, '')`,
  `select query_to_xml('table pg_stats', true, false, '')`,
  `select query_to_xml('select table_to_xml(16390, true, true, '''')', true, false, '')`,
  String.raw`select query_to_xml('select E''\x67atepost''', true, false, '')`,
  `select query_to_xml(query => 'table ' || a, nulls => true, tableforest => false,
     targetns => '') from t`,
  `select cursor_to_xml(c, 1, true, false, '') from t`,
  `create view v as select * from pg_stats`,
  'drop owned by app',
  'reassign owned by app to other',
];

const HARMLESS: readonly string[] = [
  `select table_to_xml('public.orders', true, false, '')`,
  `select table_to_xml('orders'::regclass, true, false, '')`,
  `select table_to_xml('public."Orders 2"'::text::pg_catalog.regclass, true, false, '')`,
  `select table_to_xml(nulls => true, tableforest => false, targetns => '', tbl => 'orders')`,
  `select schema_to_xml('public', true, false, '')`,
  `select schema_to_xmlschema('public'::name, true, false, '')`,
  `select xmlelement(name a, 1), xmlforest(1 as b)`,
  'select * from pg_stat_activity',
  `select * from pg_stat_user_tables, pg_statio_user_tables`,
  'select stxname, stxkeys from pg_statistic_ext',
  'select pg_stats from t as pg_stats',
  'select * from mine.pg_stats',
  `select n.nspname from pg_namespace n where n.nspname !~ '^pg_toast'`,
  `select 'pg_stats', 'pg_toast.pg_toast_1'`,
  `select 'one'\n'two'`,
  `select relname from pg_class where relowner = owned.by`,
  'set search_path = users, public',
  `select current_user, '$user'`,
  `select first_page_items from books`,
];

describe('What reaches a hidden schema without its name', () => {
  it.each(REACHING)('is refused to everybody: %s', (text) => {
    expect(verdict(policy, text)).toBe(REFUSED);
    expect(verdict(reading, text)).toBe(REFUSED);
  });

  it.each(REACHING_OF_WRITERS)('is refused to those who write: %s', (text) => {
    expect(verdict(policy, text)).toBe(REFUSED);
    expect(verdict(reading, text)).toMatch(/^25006/);
  });

  it.each(HARMLESS)('is not %s', (text) => {
    expect(verdict(policy, text)).toBe('admitted');
    expect(verdict(reading, text)).toBe('admitted');
  });

  it('is nothing of what psql asks, and nothing that readers do', () => {
    const texts = [...HARMLESS_CORPUS, ...PSQL_QUERIES.flatMap(({ queries }) => queries)].map(
      (text) => text.replaceAll('{oid}', '16384'),
    );
    const refused = texts.filter((text) => verdict(reading, text) !== 'admitted');
    expect(texts.length).toBeGreaterThan(100);
    expect(refused).toEqual([]);
  });

  it('is not a query of a constant that would be admitted, or a cursor by its name', () => {
    const texts = [
      `select query_to_xml('select * from orders', true, false, '')`,
      `select query_to_xml('select * from pg_stat_activity'::text, true, false, '')`,
      `select cursor_to_xml('c', 1, true, false, '')`,
      `select cursor_to_xmlschema('c'::refcursor, true, false, '')`,
      'alter sequence s owned by t.a',
    ];
    expect(texts.map((text) => verdict(policy, text))).toEqual(texts.map(() => 'admitted'));
  });

  it('is not spelled with a comment within a string, which only some servers read', () => {
    expect(verdict(policy, `set search_path = 'gate' -- and\n 'post'`)).toMatch(/^42601/);
    expect(verdict(policy, `set search_path = 'gate'\n-- and\n'post'`)).toMatch(/^42601/);
  });

  it('is told in every statement of a text', () => {
    const text = 'select 1; select 2; table pg_stats';
    expect(verdict(policy, text)).toMatch(/^42501 .* statement 3 /);
  });

  it('is refused where letters outside ASCII are letters of a single byte for the server', () => {
    expect(verdict(policy, 'table pg_statİstic', UTF8)).toBe(REFUSED);
  });

  it('is free where no schema is hidden', async () => {
    const free = await policyOf({ access: 'read-only' });
    expect(verdict(free, 'table pg_stats')).toBe('admitted');
    expect(verdict(free, `select table_to_xml(16390, true, false, '')`)).toBe('admitted');
  });

  it('is looked for in time that grows with the text only', () => {
    const quotes = [`'\n--`, `'--`, `' \n`, `'\n'`, 'pg_sta', '_page'];
    for (const quote of quotes) {
      const text = quote.repeat(Math.ceil((2 * 1024 * 1024) / quote.length));
      const start = performance.now();
      verdict(policy, text);
      expect(performance.now() - start).toBeLessThan(2000);
    }
  });
});
