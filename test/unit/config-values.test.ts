import { describe, expect, test } from '@jest/globals';
import {
  anyText,
  choice,
  commandList,
  count,
  countOrNone,
  duration,
  flag,
  listenerName,
  path,
  period,
  secrets,
  size,
  wholeNumber,
  wordList,
} from '../../src/config-values.ts';
import type { TextType } from '../../src/config-values.ts';

/** Every type under a name for titles. */
const TYPES = {
  anyText,
  choice: choice(['required', 'optional']),
  commandList,
  count: count(1000),
  countOrNone: countOrNone(1000),
  directory: path('directory'),
  duration,
  file: path('file'),
  flag,
  listenerName,
  period,
  secrets,
  size,
  wholeNumber: wholeNumber(10, 20),
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
    ['period', '1s', 1000],
    ['period', ' 30d ', 2_592_000_000],
    ['period', '3650d', 315_360_000_000],
    ['wholeNumber', '10', 10],
    ['wholeNumber', '20', 20],
    ['secrets', 'x'.repeat(32), ['x'.repeat(32)]],
    [
      'secrets',
      ` ${'x'.repeat(32)},\n${'y+/='.repeat(8)}\t${'x'.repeat(32)} `,
      ['x'.repeat(32), 'y+/='.repeat(8)],
    ],
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
    ['countOrNone', '0', 0],
    ['countOrNone', '1_000', 1000],
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
    ['listenerName', 'orders-2', 'orders-2'],
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
    ['period', '500ms'],
    ['period', '1500ms'],
    ['period', '0s'],
    ['period', '3651d'],
    ['wholeNumber', '9'],
    ['wholeNumber', '21'],
    ['wholeNumber', '1e1'],
    ['size', '0B'],
    ['size', '2TB'],
    ['size', '1.5GB'],
    ['size', '100M'],
    ['size', 'MB'],
    ['size', '-1MB'],
    ['count', '0'],
    ['countOrNone', '-1'],
    ['countOrNone', '1001'],
    ['countOrNone', 'none'],
    ['count', '1001'],
    ['count', '-1'],
    ['count', '1.0'],
    ['count', '1e2'],
    ['count', '10k'],
    ['count', '1__0'],
    ['count', '_1'],
    ['count', '0x10'],
    ['count', ''],
    ['choice', 'maybe'],
    ['flag', 'yes'],
    ['flag', '1'],
    ['anyText', ''],
    ['anyText', 'a\0b'],
    ['anyText', '\ud800'],
    ['file', 'a\0b'],
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
    ['period', '30', 'a bare number does not say its unit'],
    ['secrets', 'x'.repeat(31), 'one of them is shorter, or there is none'],
    ['secrets', `${'x'.repeat(32)},hunter2`, 'one of them is shorter, or there is none'],
    ['secrets', ' , ', 'one of them is shorter, or there is none'],
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
