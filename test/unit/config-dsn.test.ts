import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import {
  composeConnectionString,
  explainConnectionString,
  maskConnectionString,
} from '../../src/config-dsn.ts';
import type { UpstreamParts } from '../../src/config-dsn.ts';
import { databaseName } from '../../src/config-values.ts';

const PARTS: UpstreamParts = {
  host: 'db.example.com',
  port: 5432,
  user: 'app',
  password: 'secret',
  database: 'orders',
};

/** The parts that `pg`, which dials with the string, finds in it. */
function readByPg(connectionString: string): Record<string, unknown> {
  const { host, port, user, password, database } = new pg.Client({ connectionString });
  return { host, port, user, password, database };
}

describe('composeConnectionString', () => {
  test('writes a plain upstream plainly', () => {
    expect(composeConnectionString(PARTS)).toBe(
      'postgresql://app:secret@db.example.com:5432/orders',
    );
  });

  test('leaves out a password and a database that are not there', () => {
    const parts = { ...PARTS, password: undefined, database: undefined };
    expect(composeConnectionString(parts)).toBe('postgresql://app@db.example.com:5432');
  });

  test.each<[string, Partial<UpstreamParts>]>([
    ['a password with every separator', { password: 'p@ss:w/o?r#d&=+;,$![]' }],
    ['a password with a percent sign', { password: '100%' }],
    ['a password that looks encoded', { password: '%41%2F%zz' }],
    ['a password with blanks and quotes', { password: ` it's "quoted" \\ ` }],
    ['a password of other letters', { password: 'пароль-密码-🔑' }],
    ['a password of line breaks', { password: 'a\nb\tc' }],
    ['a user with an address in it', { user: 'app@example.com' }],
    ['a user with a colon', { user: 'a:b' }],
    ['a database with separators', { database: 'a/b:c@d&e=f+g' }],
    ['a database with a percent sign', { database: '50%41' }],
    ['a database with blanks', { database: 'my own database' }],
    ['an IPv6 address', { host: '::1' }],
    ['an IPv4 address', { host: '10.0.0.7', port: 6432 }],
    ['the directory of a Unix socket', { host: '/var/run/postgresql' }],
    ['a directory with a colon, as of Cloud SQL', { host: '/cloudsql/project:region:name' }],
    ['a directory with a blank', { host: '/tmp/my sockets' }],
  ])('is read back by pg: %s', (_, changes) => {
    const parts = { ...PARTS, ...changes };
    expect(readByPg(composeConnectionString(parts))).toEqual(parts);
  });

  test('is read back by pg and accepted by the setting, whatever user and password are', () => {
    const text = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((each) => !each.includes('\0'));
    fc.assert(
      fc.property(text, text, (user, password) => {
        const parts = { ...PARTS, user, password };
        const dsn = composeConnectionString(parts);
        expect(readByPg(dsn)).toEqual(parts);
        expect(explainConnectionString(dsn, ['postgresql'])).toBeUndefined();
      }),
    );
  });

  test('is read back by pg with any database that the setting accepts', () => {
    const database = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((each) => databaseName.schema.safeParse(each).success);
    fc.assert(
      fc.property(database, (each) => {
        const parts = { ...PARTS, database: each };
        expect(readByPg(composeConnectionString(parts))).toEqual(parts);
      }),
    );
  });
});

describe('explainConnectionString', () => {
  const schemes = ['postgres', 'postgresql'];

  test.each([
    'postgres://h',
    'postgres://u@h/d',
    'postgres://u:@h/d',
    'postgres://u:p:q@h/d',
    'postgresql://u:p%40%2F%3F%23@h:5432/d?sslmode=verify-full&options=-c%20a%3Db',
    'postgresql://h1,h2:5433/d',
  ])('has nothing against %s', (text) => {
    expect(explainConnectionString(text, schemes)).toBeUndefined();
  });

  test.each([
    ['postgres://u:p@ss@h/d', /@ \/ \? or # .* %40 %2F %3F or %23/],
    ['postgres://u:12/34@h/d', /must be written %40 %2F %3F or %23/],
    ['postgres://u:12?34@h/d', /must be written %40 %2F %3F or %23/],
    ['postgres://u:12#34@h/d', /must be written %40 %2F %3F or %23/],
    ['postgres://u:p@h/d#x', /must be written %40 %2F %3F or %23/],
    ['postgres://u:50%@h/d', /a percent sign in it must be written %25/],
    ['postgres://u:%ff@h/d', /a percent sign in it must be written %25/],
    ['postgres://u:p@h/%', /a percent sign in it must be written %25/],
    ['postgres://u:p q@h/d', /a blank in it must be written %20/],
    ['postgres://u:p@h/d\n', /a blank in it must be written %20/],
    ['postgres://u:p@', /it names no host/],
    ['postgres:///d?port=1', /it names no host/],
    ['postgres://u:p@h:port/d', /its host or port is malformed/],
    ['postgres://u:p@[::1/d', /its host or port is malformed/],
    ['POSTGRES://h/d', /it does not begin with postgres:\/\/ or postgresql:\/\//],
    ['', /it does not begin with/],
  ])('says of %j why it is refused', (text, reason) => {
    expect(explainConnectionString(text, schemes)).toMatch(reason);
  });
});

describe('maskConnectionString', () => {
  test.each([
    ['postgres://u:p@h:5432/d', 'postgres://u:***@h:5432/d'],
    ['postgresql://u:%40%2F@%2Ftmp/d', 'postgresql://u:***@%2Ftmp/d'],
    ['postgres://u@h/d', 'postgres://u@h/d'],
    ['postgres://:p@h/d', 'postgres://:***@h/d'],
    ['postgres://h/d', 'postgres://h/d'],
    ['postgres://h/d?password=p&sslmode=require', 'postgres://h/d?password=***&sslmode=require'],
    ['postgres://h/d?p%61ssword=p', 'postgres://h/d?password=***'],
    ['postgres://h/d?sslpassword=p', 'postgres://h/d?sslpassword=***'],
    ['mongodb://u:p@a:1,b:2/d?replicaSet=rs', 'mongodb://u:***@a:1,b:2/d?replicaSet=rs'],
    ['mongodb+srv://u:p@c', 'mongodb+srv://u:***@c'],
    [
      'mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:t',
      'mongodb://h/?authMechanismProperties=***',
    ],
  ])('shows %s as %s', (text, masked) => {
    expect(maskConnectionString(text)).toBe(masked);
  });

  test.each(['postgres://u:p/q@h/d', 'mysql://u:p@h/d', 'u:p@h', '', 'postgres://u:p@h/d?a=b@c'])(
    'shows nothing of %j, which it cannot take apart',
    (text) => {
      expect(maskConnectionString(text)).toBe('***');
    },
  );

  test('never shows a part of a password, wherever its separators fall', () => {
    const separators = fc.string({
      unit: fc.constantFrom(...Array.from('@/?#:%&= 1')),
      maxLength: 6,
    });
    fc.assert(
      fc.property(separators, separators, (first, second) => {
        // Digits in front, because they could pass for a port.
        const dsn = `postgres://user:98765${first}S3CR3T${second}@host/db`;
        expect(maskConnectionString(dsn)).not.toMatch(/98765|S3CR3T/);
      }),
    );
  });
});
