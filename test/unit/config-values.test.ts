import { describe, expect, test } from '@jest/globals';
import {
  anyText,
  choice,
  commandList,
  count,
  databaseName,
  duration,
  flag,
  listenerName,
  listenHost,
  listenPort,
  mongodbUri,
  optionalListenPort,
  path,
  postgresDsn,
  remoteHost,
  remotePort,
  size,
  wordList,
} from '../../src/config-values.ts';
import type { TextType } from '../../src/config-values.ts';

/** Every type under a name for titles. */
const TYPES = {
  anyText,
  choice: choice(['required', 'optional']),
  commandList,
  count: count(1000),
  databaseName,
  directory: path('directory'),
  duration,
  file: path('file'),
  flag,
  listenerName,
  listenHost,
  listenPort,
  mongodbUri,
  optionalListenPort,
  postgresDsn,
  remoteHost,
  remotePort,
  size,
  wordList,
} satisfies Record<string, TextType<unknown>>;

type TypeName = keyof typeof TYPES;

function parse(type: TypeName, text: string): unknown {
  return TYPES[type].schema.parse(text);
}

function refusal(type: TypeName, text: string): string | undefined {
  return TYPES[type].schema.safeParse(text).error?.issues[0]?.message;
}

describe('an accepted text', () => {
  test.each<[TypeName, string, unknown]>([
    ['duration', '1ms', 1],
    ['duration', '500ms', 500],
    ['duration', '30s', 30_000],
    ['duration', ' 30 s ', 30_000],
    ['duration', '15m', 900_000],
    ['duration', '1h', 3_600_000],
    ['duration', '24d', 2_073_600_000],
    ['size', '1B', 1],
    ['size', '64kB', 65_536],
    ['size', '64KB', 65_536],
    ['size', '100MB', 104_857_600],
    ['size', '100mb', 104_857_600],
    ['size', '100 MiB', 104_857_600],
    ['size', '2GB', 2_147_483_648],
    ['size', '2GiB', 2_147_483_648],
    ['size', '1TB', 1_099_511_627_776],
    ['count', '1', 1],
    ['count', '10', 10],
    ['count', '1_000', 1000],
    ['count', ' 7 ', 7],
    ['listenPort', '0', 0],
    ['listenPort', '65535', 65_535],
    ['optionalListenPort', '5433', 5433],
    ['optionalListenPort', 'off', 'off'],
    ['optionalListenPort', 'OFF', 'off'],
    ['remotePort', '1', 1],
    ['choice', 'optional', 'optional'],
    ['choice', 'Required', 'required'],
    ['flag', 'true', true],
    ['flag', 'False', false],
    ['wordList', 'drop', ['DROP']],
    ['wordList', 'drop, truncate', ['DROP', 'TRUNCATE']],
    ['wordList', ' create   table ,DROP,drop', ['CREATE TABLE', 'DROP']],
    ['commandList', 'drop', ['drop']],
    ['commandList', ' drop ,find,drop', ['drop', 'find']],
    [
      'commandList',
      'listIndexes,$out,aggregate:$merge',
      ['listIndexes', '$out', 'aggregate:$merge'],
    ],
    ['commandList', 'find,Find', ['find', 'Find']],
    ['commandList', 'aggregate : $out,aggregate:$out', ['aggregate:$out']],
    ['commandList', '_isSelf,$_internal', ['_isSelf', '$_internal']],
    ['anyText', ' p@ss\'"%\\ ', ' p@ss\'"%\\ '],
    ['file', './certs/server cert.pem', './certs/server cert.pem'],
    ['directory', '.gatepost', '.gatepost'],
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
    ['listenerName', 'orders-2', 'orders-2'],
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
    expect(parse(type, text)).toEqual(value);
  });
});

describe('a refused text', () => {
  test.each<[TypeName, string]>([
    ['duration', '0ms'],
    ['duration', '-1s'],
    ['duration', '25d'],
    ['duration', '1.5s'],
    ['duration', '30S'],
    ['duration', '30sec'],
    ['duration', 's'],
    ['duration', '1h30m'],
    ['duration', `${'9'.repeat(400)}s`],
    ['duration', '30toString'],
    ['size', '0B'],
    ['size', '2TB'],
    ['size', '1.5GB'],
    ['size', '100M'],
    ['size', 'MB'],
    ['size', '-1MB'],
    ['count', '0'],
    ['count', '1001'],
    ['count', '-1'],
    ['count', '1.0'],
    ['count', '1e2'],
    ['count', '10k'],
    ['count', '1__0'],
    ['count', '_1'],
    ['count', '0x10'],
    ['count', ''],
    ['listenPort', '65536'],
    ['listenPort', 'off'],
    ['listenPort', '-1'],
    ['listenPort', 'http'],
    ['optionalListenPort', 'none'],
    ['optionalListenPort', '70000'],
    ['remotePort', '0'],
    ['choice', 'maybe'],
    ['flag', 'yes'],
    ['flag', '1'],
    ['anyText', ''],
    ['anyText', 'a\0b'],
    ['anyText', '\ud800'],
    ['file', 'a\0b'],
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
    ['listenerName', 'Orders'],
    ['listenerName', 'a_b'],
    ['listenerName', 'x'.repeat(64)],
  ])('of %s: %j is told what is accepted', (type, text) => {
    expect(refusal(type, text)).toBe(`accepted is ${TYPES[type].accepted}`);
  });

  test.each<[TypeName, string, string]>([
    ['duration', '30', 'a bare number does not say its unit'],
    ['duration', '0', 'a bare number does not say its unit'],
    ['duration', '1.5', 'a bare number does not say its unit'],
    ['size', '100', 'a bare number does not say its unit'],
    ['size', '1_000', 'a bare number does not say its unit'],
    ['wordList', 'drop,,copy', 'an entry is empty'],
    ['wordList', ' , ', 'an entry is empty'],
    ['commandList', 'drop,,find', 'an entry is empty'],
    ['commandList', '', 'an entry is empty'],
    ['commandList', 'drop find', 'an entry is neither a command nor a stage'],
    ['commandList', 'aggregate:out', 'an entry is neither a command nor a stage'],
    ['commandList', 'aggregate:', 'an entry is neither a command nor a stage'],
    ['commandList', ':$out', 'an entry is neither a command nor a stage'],
    ['commandList', '$', 'an entry is neither a command nor a stage'],
    ['commandList', 'db.dropDatabase()', 'an entry is neither a command nor a stage'],
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

describe('the longest duration', () => {
  test('fits a timer of Node, which ends at 2^31 - 1 ms', () => {
    expect(parse('duration', '24d')).toBeLessThan(2 ** 31);
    expect(refusal('duration', `${24 * 24 + 1}h`)).toContain('24d');
  });
});
