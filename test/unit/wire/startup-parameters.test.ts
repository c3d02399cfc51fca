import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ServiceError } from '../../../src/errors.ts';
import { parseOptions, readStartupParameters } from '../../../wire/startup-parameters.ts';
import type { StartupParameters } from '../../../wire/startup-parameters.ts';

const ADDRESS = '10.0.0.1';

type Pair = readonly [string, string];

function read(...parameters: readonly Pair[]): StartupParameters {
  return readStartupParameters([['user', 'alice'], ...parameters], ADDRESS);
}

/** The error of a startup packet that is refused. */
function refusalOf(...parameters: readonly Pair[]): unknown {
  try {
    readStartupParameters(parameters, ADDRESS);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ServiceError);
    return thrown;
  }
  throw new Error('Nothing was refused');
}

describe('parseOptions', () => {
  // Every text was given to PostgreSQL 16 as `options`: it reads the same settings.
  test.each([
    ['', []],
    [' \t\n', []],
    ['-c search_path=a', [['search_path', 'a']]],
    ['-csearch_path=a', [['search_path', 'a']]],
    ['--search_path=a', [['search_path', 'a']]],
    ['--search-path=a', [['search_path', 'a']]],
    ['-c search-path=a', [['search_path', 'a']]],
    ['-c SEARCH_PATH=a', [['SEARCH_PATH', 'a']]],
    ['-c  search_path=a', [['search_path', 'a']]],
    ['\t\n-c\v\fsearch_path=a\r', [['search_path', 'a']]],
    ['-c search_path=', [['search_path', '']]],
    ['-c search_path=a=b', [['search_path', 'a=b']]],
    ['-c search_path=a-b', [['search_path', 'a-b']]],
    ['-c search_path=a\\ b', [['search_path', 'a b']]],
    ['-c search_path=a\\\\b', [['search_path', 'a\\b']]],
    ['-c search_path=a\\\nb', [['search_path', 'a\nb']]],
    ['-c search_path=a\\', [['search_path', 'a']]],
    ['-c search_path=a\\é', [['search_path', 'aé']]],
    ['-c search_path=\\"a\\"', [['search_path', '"a"']]],
    ['-c search_path="a\u00a0b"', [['search_path', '"a\u00a0b"']]],
    ['-c search_path="a\u2028b"', [['search_path', '"a\u2028b"']]],
    ['\\-c search_path=a', [['search_path', 'a']]],
    ['-c\\ search_path=a', [[' search_path', 'a']]],
    ['-c --search_path=a', [['__search_path', 'a']]],
    ['-c "search_path=a', [['"search_path', 'a']]],
    [
      '-c a=1 --b-c=2 -cd=3 -c a=4',
      [
        ['a', '1'],
        ['b_c', '2'],
        ['d', '3'],
        ['a', '4'],
      ],
    ],
  ])('reads %j', (options, settings) => {
    expect(parseOptions(options)).toEqual(settings);
  });

  // PostgreSQL refuses these too, but for -e and -S, which Gatepost does not know.
  test.each([
    ['-c search_path', '-c'],
    ['-c', '-c'],
    ['-c a=1 -c', '-c'],
    ['-c =a', '-c'],
    ['--=a', '--=a'],
    ['--search_path', '--search_path'],
    ['-csearch_path', '-csearch_path'],
    ['search_path=a', 'search_path=a'],
    ['-x', '-x'],
    ['-e', '-e'],
    ['-S 1024', '-S'],
    ['-c a=1 b', 'b'],
    ['-c a=b c', 'c'],
    ['-c a=1 \\', ''],
    ['-C a=1', '-C'],
    ['-', '-'],
  ])('refuses %j', (options, word) => {
    expect(() => parseOptions(options)).toThrow(
      expect.objectContaining({
        sqlState: '42601',
        severity: 'FATAL',
        message: `invalid command-line argument for server process: ${word}`,
        hint: 'Options are written as -c name=value',
      }),
    );
  });

  test('reads back any value whose blanks and backslashes are escaped', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', ' ', '\\', '\n', '=', 'é', '-') }),
        (value) => {
          const escaped = value.replaceAll(/[ \n\\]/g, String.raw`\$&`);
          expect(parseOptions(`-c name=${escaped} --next=1`)).toEqual([
            ['name', value],
            ['next', '1'],
          ]);
        },
      ),
      { seed: 10, numRuns: 500 },
    );
  });

  test('reads or refuses any text, in time that does not explode', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        try {
          expect(Array.isArray(parseOptions(text))).toBe(true);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ServiceError);
        }
      }),
      { seed: 11, numRuns: 500 },
    );
    expect(() => parseOptions('\\'.repeat(9999))).toThrow(ServiceError);
  });
});

describe('who connects where', () => {
  test('is taken from the packet', () => {
    const { startup } = read(['database', 'shop'], ['application_name', 'psql']);
    expect(startup).toEqual({
      user: 'alice',
      database: 'shop',
      applicationName: 'psql',
      address: ADDRESS,
      settings: [],
    });
  });

  test.each([
    ['none', []],
    ['an empty one', [['database', '']]],
    ["the user's own name, which is psql's default", [['database', 'alice']]],
  ] as const)('has no database of its own when the packet names %s', (_name, parameters) => {
    expect(read(...parameters).startup.database).toBeUndefined();
  });

  test('is what was said last, as in PostgreSQL', () => {
    const { startup } = read(['user', 'bob'], ['database', 'a'], ['database', 'b']);
    expect(startup).toMatchObject({ user: 'bob', database: 'b' });
  });

  test.each([
    ['missing', []],
    ['empty', [['user', '']]],
    [
      'empty in the end',
      [
        ['user', 'alice'],
        ['user', ''],
      ],
    ],
    ['written in another way', [['User', 'alice']]],
  ] as const)('is refused when the user is %s', (_name, parameters) => {
    expect(refusalOf(...parameters)).toMatchObject({
      sqlState: '28000',
      severity: 'FATAL',
      message: 'no PostgreSQL user name specified in startup packet',
    });
  });

  test('is kept only as far as it is of use', () => {
    const long = 'x'.repeat(9000);
    const { startup } = readStartupParameters(
      [
        ['user', long],
        ['application_name', long],
      ],
      ADDRESS,
    );
    expect(startup.user).toHaveLength(256);
    expect(startup.applicationName).toHaveLength(256);
  });
});

describe('replication', () => {
  test.each(['false', 'off', 'no', '0', 'f', 'n', 'FALSE', 'Off'])('may be %s', (value) => {
    expect(read(['replication', value]).startup.settings).toEqual([]);
  });

  test.each(['true', 'on', 'yes', '1', 'database', 'DATABASE', 'maybe', '', ' off', 'off\n'])(
    'is refused when it is %j',
    (value) => {
      expect(refusalOf(['user', 'alice'], ['replication', value])).toMatchObject({
        sqlState: '0A000',
        severity: 'FATAL',
        message: 'Replication connections are not supported through Gatepost',
      });
    },
  );
});

describe('settings', () => {
  test('go on in the order in which they take effect: options first', () => {
    const { startup } = read(
      ['search_path', 'c'],
      ['options', '-c search_path=a -c work_mem=1MB'],
      ['DateStyle', 'German'],
      ['search_path', 'd'],
    );
    expect(startup.settings).toEqual([
      ['search_path', 'a'],
      ['work_mem', '1MB'],
      ['search_path', 'c'],
      ['DateStyle', 'German'],
      ['search_path', 'd'],
    ]);
  });

  test('are not the parameters that say who connects where', () => {
    const { startup, ownSettings, protocolOptions } = read(
      ['database', 'shop'],
      ['options', ''],
      ['replication', 'off'],
      ['application_name', 'psql'],
    );
    expect([startup.settings, ownSettings, protocolOptions]).toEqual([[], [], []]);
  });

  test('keep an empty value', () => {
    expect(read(['DateStyle', '']).startup.settings).toEqual([['DateStyle', '']]);
  });

  test('that are unknown go on: PostgreSQL says what it thinks of them', () => {
    expect(read(['no_such_setting', '1']).startup.settings).toEqual([['no_such_setting', '1']]);
  });

  test.each([
    ['of options', ['options', '-c gatepost.max_rows=5'], ['gatepost.max_rows', '5']],
    ['of its own', ['gatepost.max_rows', '5'], ['gatepost.max_rows', '5']],
    ['in capitals', ['GatePost.Max_Rows', '5'], ['GatePost.Max_Rows', '5']],
    ['with dashes', ['options', '--gatepost.max-rows=5'], ['gatepost.max_rows', '5']],
    ['that is unknown', ['gatepost.x', '5'], ['gatepost.x', '5']],
  ] as const)('for Gatepost stay here: one %s', (_name, parameter, own) => {
    const { startup, ownSettings } = read(parameter, ['work_mem', '1MB']);
    expect(ownSettings).toEqual([own]);
    expect(startup.settings).toEqual([['work_mem', '1MB']]);
  });

  test('of another namespace are not for Gatepost', () => {
    const settings: readonly Pair[] = [
      ['gatepostx.max_rows', '5'],
      ['gatepost', '5'],
      ['x.gatepost.max_rows', '5'],
    ];
    expect(read(...settings)).toMatchObject({ startup: { settings }, ownSettings: [] });
  });

  test('of the protocol are named, and go nowhere', () => {
    const { startup, protocolOptions } = read(
      ['_pq_.compression', 'on'],
      ['work_mem', '1MB'],
      ['_pq_.', ''],
      ['_PQ_.x', '1'],
    );
    expect(protocolOptions).toEqual(['_pq_.compression', '_pq_.']);
    expect(startup.settings).toEqual([
      ['work_mem', '1MB'],
      ['_PQ_.x', '1'],
    ]);
  });
});
