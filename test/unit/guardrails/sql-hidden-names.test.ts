import { describe, expect, it } from '@jest/globals';
import {
  hiddenSchemaError,
  isPathTo,
  mayName,
  mentionsName,
  mentionsQualifier,
} from '../../../src/guardrails/sql-hidden-names.ts';

const CONFORMING = { standardConformingStrings: true };

function may(text: string, settings = CONFORMING): boolean {
  return mayName(Buffer.from(text), 'gatepost', settings);
}

describe('A text that might name the schema', () => {
  it.each([
    'table gatepost.accounts',
    'table GATEPOST.accounts',
    `select 'xgatepostx'`,
    String.raw`table U&"\0067atepost".accounts`,
    `table u&"!0067atepost" uescape '!'`,
    `(U&'!0067atepost')`,
    String.raw`select E'\x67atepost.a'::regclass`,
    String.raw`select e'\147atepost'`,
    `select set_config('search_path', $1, false)`,
    'select database_to_xml(true, true, $$$$)',
    'select SCHEMA_TO_XML(x, true, true, $$$$)',
    'select * from PG_STATS',
    'table pg_statistic_ext_data',
    `table pg_toast.pg_toast_2619`,
    `select get_raw_page('t', 0)`,
    'reassign owned by a to b',
    `set search_path = "$user"`,
    `set search_path = 'gate'  \n  'post'`,
    `set search_path = 'gate' -- and\n 'post'`,
  ])('is read: %s', (text) => {
    expect(may(text)).toBe(true);
  });

  it.each([
    '',
    'select 1',
    `select 'gate' || 'post'`,
    'select a from t where menu&"b" = 1',
    String.raw`select 'C:\x67' as "see"`,
    String.raw`select 'some\thing'`,
    `select e'no escape'`,
    'set search_path = public',
    'select * from pg_stat_activity, pg_statio_all_tables where pg_stat_get_numscans(1) = 0',
    `select 'a',\n 'b'\n, 'c' from t -- and 'd'`,
  ])('is not: %s', (text) => {
    expect(may(text)).toBe(false);
  });

  it('has escapes in every string where strings do not conform to the standard', () => {
    const text = String.raw`select '\147atepost'`;
    expect(may(text)).toBe(false);
    expect(may(text, { standardConformingStrings: false })).toBe(true);
  });

  it('is read in whatever encoding it comes', () => {
    const latin1 = Buffer.from('table "gatepost".a; -- é', 'latin1');
    expect(mayName(latin1, 'gatepost', CONFORMING)).toBe(true);
    expect(mayName(latin1.subarray(0, 7), 'gatepost', CONFORMING)).toBe(false);
    expect(mayName(Buffer.from('table "größe".a'), 'größe', CONFORMING)).toBe(true);
    expect(mayName(Buffer.from('table "a.c"'), 'a?c', CONFORMING)).toBe(false);
  });
});

describe('The name of the schema', () => {
  it.each([
    ['gatepost', true, false],
    ['"gatepost", public', true, false],
    ['public,GatePost', true, false],
    ['gatepost.accounts', true, true],
    ['"gatepost" . "accounts"', true, true],
    ['select * from (gatepost.a)', true, true],
    ['gateposts, my_gatepost, gatepost2, $gatepost, gatepost$x', false, false],
    ['agatepost.a', false, false],
    ['', false, false],
  ])('in %j is a word: %j, and in front of a dot: %j', (text, isNamed, isQualifier) => {
    expect(mentionsName(text, 'gatepost')).toBe(isNamed);
    expect(mentionsQualifier(text, 'gatepost')).toBe(isQualifier);
  });

  it.each([
    ['public, "gatepost"', true],
    ['"$user", public', true],
    ['$USER', true],
    ['public, users', false],
  ])('is on the path of %j: %j', (value, isOnPath) => {
    expect(isPathTo(value, 'gatepost')).toBe(isOnPath);
  });

  it('is no pattern', () => {
    expect(mentionsName('a.c', 'a?c')).toBe(false);
    expect(mentionsName('abc', 'a.c')).toBe(false);
    expect(mentionsName('x (a.c) y', 'a.c')).toBe(true);
  });
});

describe('What names the schema', () => {
  it('is told so, and that nothing was run', () => {
    expect(hiddenSchemaError('gatepost', { where: 'statement 2' })).toMatchObject({
      sqlState: '42501',
      severity: 'ERROR',
      message: `schema gatepost is Gatepost's own, and statement 2 names it or may reach it`,
      detail: 'Nothing of it was run',
    });
    const fatal = hiddenSchemaError('gatepost', { severity: 'FATAL', where: 'setting role' });
    expect(fatal.severity).toBe('FATAL');
  });
});
