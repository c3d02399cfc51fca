import { describe, expect, test } from '@jest/globals';
import * as places from '../../src/config-place-values.ts';
import type { TextType } from '../../src/config-values.ts';

/** Every type under a name for titles. */
const TYPES = { ...places } satisfies Record<string, TextType<unknown>>;

type TypeName = keyof typeof TYPES;

function refusal(type: TypeName, text: string): string | undefined {
  return TYPES[type].schema.safeParse(text).error?.issues[0]?.message;
}

describe('an accepted place', () => {
  test.each<[TypeName, string, unknown]>([
    ['listenPort', '0', 0],
    ['listenPort', '65535', 65_535],
    ['optionalListenPort', '5433', 5433],
    ['optionalListenPort', 'off', 'off'],
    ['optionalListenPort', 'OFF', 'off'],
    ['remotePort', '1', 1],
    ['databaseName', 'app', 'app'],
    ['databaseName', 'a/b.c d', 'a/b.c d'],
    ['listenHost', '127.0.0.1', '127.0.0.1'],
    ['listenHost', '0.0.0.0', '0.0.0.0'],
    ['listenHost', '::', '::'],
    ['listenHost', 'localhost', 'localhost'],
    ['remoteHost', 'db.example.com', 'db.example.com'],
    ['remoteHost', 'my_db', 'my_db'],
    ['remoteHost', '::1', '::1'],
    ['remoteHost', '/var/run/postgresql', '/var/run/postgresql'],
    ['postgresDsn', 'postgres://u:p@h:1/d?sslmode=require', 'postgres://u:p@h:1/d?sslmode=require'],
    ['postgresDsn', 'postgresql://u:p%40@%2Ftmp/d', 'postgresql://u:p%40@%2Ftmp/d'],
    ['postgresDsn', 'postgresql:///d?host=/tmp', 'postgresql:///d?host=/tmp'],
    ['postgresDsn', 'postgresql://u@[::1]:5432/d', 'postgresql://u@[::1]:5432/d'],
    ['mongodbUri', 'mongodb://a:1,b:2/d?replicaSet=rs', 'mongodb://a:1,b:2/d?replicaSet=rs'],
    [
      'mongodbUri',
      'mongodb://%2Ftmp%2Fmongodb-27017.sock/d',
      'mongodb://%2Ftmp%2Fmongodb-27017.sock/d',
    ],
    [
      'mongodbUri',
      'mongodb+srv://u:p@cluster.example.com',
      'mongodb+srv://u:p@cluster.example.com',
    ],
  ])('of %s: %j is %j', (type, text, value) => {
    expect(TYPES[type].schema.parse(text)).toEqual(value);
  });
});

describe('a refused place', () => {
  test.each<[TypeName, string]>([
    ['listenPort', '65536'],
    ['listenPort', 'off'],
    ['listenPort', '-1'],
    ['listenPort', 'http'],
    ['optionalListenPort', 'none'],
    ['optionalListenPort', '70000'],
    ['remotePort', '0'],
    ['databaseName', 'a?b'],
    ['databaseName', 'a#b'],
    ['databaseName', 'a\0'],
    ['listenHost', '/var/run'],
    ['listenHost', 'a b'],
    ['listenHost', '-x'],
    ['listenHost', 'http://localhost'],
    ['listenHost', '127.0.0.1:80'],
    ['listenHost', 'fe80::1%eth0'],
    ['remoteHost', 'db:5432'],
    ['remoteHost', 'postgres://db'],
    ['remoteHost', '/tmp/\0'],
  ])('of %s: %j is told what is accepted', (type, text) => {
    expect(refusal(type, text)).toBe(`accepted is ${TYPES[type].accepted}`);
  });

  test.each<[TypeName, string, string]>([
    ['databaseName', '..', 'it reads as a relative path'],
    ['databaseName', 'a/./b', 'it reads as a relative path'],
    ['postgresDsn', 'mysql://h/d', 'it does not begin with postgres:// or postgresql://'],
    ['postgresDsn', 'host=h dbname=d', 'it does not begin with postgres:// or postgresql://'],
    ['postgresDsn', 'postgresql://u:p@/d', 'it names no host'],
    ['postgresDsn', 'postgresql://u:p w@h/d', 'a blank in it must be written %20'],
    ['postgresDsn', 'postgresql://h:99999/d', 'its host or port is malformed'],
    ['mongodbUri', 'mongodb://u:p@/d', 'it names no host'],
    ['mongodbUri', 'mongodb+srv://a:1/d', 'mongodb+srv:// takes one host and no port'],
    ['mongodbUri', 'postgres://h/d', 'it does not begin with mongodb+srv:// or mongodb://'],
  ])('of %s: %j is also told why: %s', (type, text, reason) => {
    expect(refusal(type, text)).toBe(`${reason}; accepted is ${TYPES[type].accepted}`);
  });
});
