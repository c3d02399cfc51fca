import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MongoClient } from 'mongodb';
import pg from 'pg';
import {
  composeConnectionString,
  explainConnectionString,
  isSameServer,
  maskConnectionString,
} from '../../src/config-dsn.ts';
import type { UpstreamParts } from '../../src/config-dsn.ts';
import { databaseName } from '../../src/config-place-values.ts';

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

describe('explainConnectionString, for MongoDB,', () => {
  const schemes = ['mongodb+srv', 'mongodb'];

  const ACCEPTED = [
    'mongodb://h',
    'mongodb://h?replicaSet=rs',
    'mongodb://u@h/d',
    'mongodb://u:@h/d',
    'mongodb://a:1,b:2,[::1]:3/d?replicaSet=rs&readPreference=secondary',
    'mongodb://u%3A:p%40%2F%3F%23%5B%25@h:5432/d?authSource=admin',
    'mongodb://%2Ftmp%2Fmongodb-27017.sock/d',
    'mongodb+srv://u:p@cluster.example.com/d?retryWrites=true',
  ];

  test.each(ACCEPTED)('has nothing against %s, and neither has the driver', (text) => {
    expect(explainConnectionString(text, schemes)).toBeUndefined();
    // Nothing is dialled before the first command.
    expect(() => new MongoClient(text)).not.toThrow();
  });

  const REFUSED: readonly (readonly [string, RegExp])[] = [
    ['mongodb:///d', /^it names no host$/],
    ['mongodb:///?host=h', /^it names no host$/],
    ['mongodb://u:p@/d', /^it names no host$/],
    ['mongodb://a:x,b/d', /^its host or port is malformed$/],
    ['mongodb://[::1/d', /^its host or port is malformed$/],
    ['mongodb://h:65536/d', /^its host or port is malformed$/],
    ['mongodb://h:0/d', /^one of its hosts or ports is empty or zero$/],
    ['mongodb://:p@h/d', /^it has a password and no user$/],
    ['mongodb://u:p:q@h/d', /must be written %3A %5B or %5D$/],
    ['mongodb://u:p[q@h/d', /must be written %3A %5B or %5D$/],
    ['mongodb://u]:p@h/d', /must be written %3A %5B or %5D$/],
    ['mongodb://u:p@q@h/d', /must be written %40 %2F %3F or %23$/],
    ['mongodb://u:50%@h/d', /^a percent sign in it must be written %25$/],
    ['mongodb+srv://h:27017/d', /^mongodb\+srv:\/\/ takes one host and no port$/],
    ['mongodb+srv://a,b/d', /^mongodb\+srv:\/\/ takes one host and no port$/],
    ['mongodbs://h', /^it does not begin with mongodb\+srv:\/\/ or mongodb:\/\/$/],
  ];

  test.each(REFUSED)('says of %j why it is refused, as the driver would', (text, reason) => {
    expect(explainConnectionString(text, schemes)).toMatch(reason);
    expect(() => new MongoClient(text)).toThrow();
  });

  test.each(['mongodb://a,,b/d', 'mongodb://a:1,/d', 'mongodb://a:,b/d'])(
    'refuses %s, in which the driver would dial a host without a name or port',
    (text) => {
      expect(explainConnectionString(text, schemes)).toMatch(/hosts or ports is empty/);
    },
  );

  test('accepts any user and password, encoded, as the driver reads them', () => {
    const text = fc.string({ minLength: 1, unit: 'grapheme' });
    fc.assert(
      fc.property(text, text, (username, password) => {
        const secret = encodeURIComponent(password);
        const uri = `mongodb://${encodeURIComponent(username)}:${secret}@a:1,b:2/d`;
        expect(explainConnectionString(uri, schemes)).toBeUndefined();
        expect(new MongoClient(uri).options.credentials).toMatchObject({ username, password });
        expect(maskConnectionString(uri)).toBe(
          `mongodb://${encodeURIComponent(username)}:***@a:1,b:2/d`,
        );
      }),
    );
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
    ['mongodb+srv://u%40x:p%3A%5B@c/d', 'mongodb+srv://u%40x:***@c/d'],
    ["mongodb://u:$!*(),;=+&~'|^{}@[::1]:1,b/", 'mongodb://u:***@[::1]:1,b/'],
    ['mongodb://h/?proxyPassword=p&proxyHost=x', 'mongodb://h/?proxyPassword=***&proxyHost=x'],
    [
      'mongodb://h/?TLSCERTIFICATEKEYFILEPASSWORD=p',
      'mongodb://h/?TLSCERTIFICATEKEYFILEPASSWORD=***',
    ],
    [
      'mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:t',
      'mongodb://h/?authMechanismProperties=***',
    ],
  ])('shows %s as %s', (text, masked) => {
    expect(maskConnectionString(text)).toBe(masked);
  });

  test.each([
    ...['postgres://u:p/q@h/d', 'mysql://u:p@h/d', 'u:p@h', '', 'postgres://u:p@h/d?a=b@c'],
    ...['mongodb://u:p@q@a:1,b:2/d', 'mongodb://u:p@a,mongodb://u:p@b/', 'mongodb+srv://u:p#@c'],
  ])('shows nothing of %j, which it cannot take apart', (text) => {
    expect(maskConnectionString(text)).toBe('***');
  });

  test('never shows a part of a password, wherever its separators fall', () => {
    const separators = fc.string({
      unit: fc.constantFrom(...Array.from('@/?#:%&= 1')),
      maxLength: 6,
    });
    fc.assert(
      fc.property(separators, separators, (first, second) => {
        // Digits in front, because they could pass for a port.
        const login = `user:98765${first}S3CR3T${second}`;
        const texts = [
          `postgres://${login}@host/db`,
          `mongodb://${login}@a:1,b:2/db?replicaSet=rs`,
          `mongodb+srv://${login}@host/db`,
        ];
        expect(texts.map(maskConnectionString).join()).not.toMatch(/98765|S3CR3T/);
      }),
    );
  });
});

describe('isSameServer', () => {
  test.each([
    ['postgres://a:x@db/one', 'postgresql://b:y@db:5432/two'],
    ['postgres://DB:6432', 'postgres://db:6432/d?sslmode=require'],
    ['postgres://localhost/d', 'postgres://127.0.0.1:5432/d'],
    ['postgres://[::1]:5432/d', 'postgres://127.0.1.1/d'],
    ['postgres://u@%2Ftmp/d', 'postgresql:///d?host=/tmp'],
    ['postgres:///d?host=db&port=6432', 'postgres://db:6432'],
    ['postgres://[fe80::2]:6432/d', 'postgres://[FE80::2]:6432/e'],
    ['mongodb://a:27017,b:27018/d?replicaSet=rs', 'mongodb://u:p@b:27018'],
    ['mongodb://a/d?host=ignored', 'mongodb://a:27017'],
    ['mongodb+srv://u:p@c.example.com/d', 'mongodb+srv://c.example.com'],
  ])('is true of %s and %s', (one, other) => {
    expect(isSameServer(one, other)).toBe(true);
    expect(isSameServer(other, one)).toBe(true);
  });

  test.each([
    ['postgres://db/d', 'postgres://other/d'],
    ['postgres://db/d', 'postgres://db:6432/d'],
    ['postgres://db:5432/d', 'mongodb://db:27017/d'],
    ['postgres://u@%2Ftmp/d', 'postgres://u@%2Frun/d'],
    ['mongodb://a:1,b:2', 'mongodb://a:2,b:1'],
    ['mongodb+srv://c.example.com', 'mongodb://c.example.com'],
    ['postgres://[::1]:1', 'postgres://[::2]:1'],
    ['not one', 'not one'],
  ])('is false of %s and %s', (one, other) => {
    expect(isSameServer(one, other)).toBe(false);
    expect(isSameServer(other, one)).toBe(false);
  });
});
