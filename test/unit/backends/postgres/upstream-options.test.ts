import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Setting, Startup } from '../../../../src/backends/backend.ts';
import {
  sessionClientConfig,
  upstreamApplicationName,
} from '../../../../src/backends/postgres/upstream-options.ts';
import { parseDsn } from '../../../../src/postgres-dsn.ts';
import type { SessionGuardrails } from '../../../../src/backends/postgres/upstream-options.ts';
import { parseOptions } from '../../../../wire/startup-parameters.ts';

const STARTUP: Startup = {
  user: 'alice',
  database: undefined,
  applicationName: 'psql',
  address: '10.0.0.1',
  settings: [],
};

const GUARDRAILS: SessionGuardrails = {
  limits: { rowsMax: 5, bytesMax: 500, queryTimeoutMs: 30_000, onLimit: 'error' },
  idleTimeoutMs: 900_000,
  access: 'read-write',
};

/** What the upstream itself ends, a second after Gatepost would have. */
const BACKSTOPS: readonly Setting[] = [
  ['statement_timeout', '31000'],
  ['idle_in_transaction_session_timeout', '901000'],
];

const DSN = 'postgresql://gate:secret@db.example:6543/shop?sslmode=disable';

/** The settings of a session's `options`, read as the server's command line. */
function settingsOf(
  startup: Partial<Startup>,
  { access = 'read-write', dsn = DSN }: { access?: 'read-write' | 'read-only'; dsn?: string } = {},
): Setting[] {
  const guardrails = { ...GUARDRAILS, access };
  const config = sessionClientConfig(parseDsn(dsn), { ...STARTUP, ...startup }, guardrails);
  return parseOptions(config.options ?? '');
}

describe('sessionClientConfig', () => {
  test('takes the login from the DSN, and never from the client', () => {
    const base = parseDsn(DSN);
    const config = sessionClientConfig(base, { ...STARTUP, user: 'mallory' }, GUARDRAILS);
    expect(config).toMatchObject({
      host: 'db.example',
      port: 6543,
      user: 'gate',
      password: 'secret',
      database: 'shop',
      application_name: 'gatepost/psql@10.0.0.1',
      keepAlive: true,
    });
  });

  test('takes the database from the client when it named one', () => {
    const config = sessionClientConfig(parseDsn(DSN), { ...STARTUP, database: 'x' }, GUARDRAILS);
    expect(config.database).toBe('x');
  });

  test('leaves the base as it is for the next session', () => {
    const base = Object.freeze(parseDsn(DSN));
    sessionClientConfig(base, { ...STARTUP, database: 'x' }, GUARDRAILS);
    expect(base.database).toBe('shop');
  });

  test.each([
    ['nothing asked for', {}, {}, BACKSTOPS],
    [
      "the DSN's own options behind ours",
      {},
      { dsn: `${DSN}&options=-c%20work_mem%3D1MB` },
      [...BACKSTOPS, ['work_mem', '1MB']],
    ],
    [
      "the client's settings in their order",
      {
        settings: [
          ['work_mem', '2MB'],
          ['search_path', 'a'],
          ['work_mem', '3MB'],
        ],
      },
      { dsn: `${DSN}&options=-c%20work_mem%3D1MB` },
      [
        ...BACKSTOPS,
        ['work_mem', '1MB'],
        ['work_mem', '2MB'],
        ['search_path', 'a'],
        ['work_mem', '3MB'],
      ],
    ],
    [
      'no encoding: pg would not let it through',
      {
        settings: [
          ['client_encoding', 'LATIN1'],
          ['Client_Encoding', 'x'],
          ['DateStyle', ''],
        ],
      },
      {},
      [...BACKSTOPS, ['DateStyle', '']],
    ],
    [
      'read-only last, so that no client undoes it',
      { settings: [['default_transaction_read_only', 'off']] },
      { access: 'read-only' },
      [
        ...BACKSTOPS,
        ['default_transaction_read_only', 'off'],
        ['default_transaction_read_only', 'on'],
      ],
    ],
    [
      'read-only last where only the account is',
      { access: 'read-only', settings: [['default_transaction_read_only', 'off']] },
      {},
      [
        ...BACKSTOPS,
        ['default_transaction_read_only', 'off'],
        ['default_transaction_read_only', 'on'],
      ],
    ],
    [
      'read-only where the account may write and the listener does not let it',
      { access: 'read-write' },
      { access: 'read-only' },
      [...BACKSTOPS, ['default_transaction_read_only', 'on']],
    ],
  ] as const)('gives the upstream %s', (_name, startup, options, settings) => {
    expect(settingsOf(startup, options)).toEqual(settings);
  });

  test.each([
    ['a blank', 'a b'],
    ['blanks at the ends', ' a '],
    ['a backslash', 'C:\\temp'],
    ['a line end', 'a\nb\tc\r'],
    ['what looks like a switch', 'a -c default_transaction_read_only=off'],
    ['quotes', `"a", 'b'`],
    ['an equals sign', 'a=b'],
    ['letters outside ASCII', 'größe\u00a0\u2028'],
    ['nothing', ''],
  ])('gives the upstream a value with %s unchanged', (_name, value) => {
    expect(settingsOf({ settings: [['search_path', value]] })).toEqual([
      ...BACKSTOPS,
      ['search_path', value],
    ]);
  });

  test('lets no value become another setting', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('-', 'c', ' ', '\\', '=', 'a', '\n') }),
        (value) => {
          const settings = settingsOf({ settings: [['a', value]] }, { access: 'read-only' });
          expect(settings).toEqual([
            ...BACKSTOPS,
            ['a', value],
            ['default_transaction_read_only', 'on'],
          ]);
        },
      ),
      { seed: 12, numRuns: 500 },
    );
  });
});

describe('upstreamApplicationName', () => {
  test.each([
    ['', '10.0.0.1', 'gatepost/@10.0.0.1'],
    ['psql', '10.0.0.1', 'gatepost/psql@10.0.0.1'],
    ['psql', '::1', 'gatepost/psql@::1'],
    ['Größe\n\0', '10.0.0.1', 'gatepost/Gr??e??@10.0.0.1'],
    ['a b~', '10.0.0.1', 'gatepost/a b~@10.0.0.1'],
    ['x'.repeat(45), '10.0.0.1', `gatepost/${'x'.repeat(45)}@10.0.0.1`],
    ['x'.repeat(46), '10.0.0.1', `gatepost/${'x'.repeat(45)}@10.0.0.1`],
    [
      'psql-with-more',
      'fe80:1111:2222:3333:4444:5555:6666:7777',
      'gatepost/psql-with-more@fe80:1111:2222:3333:4444:5555:6666:7777',
    ],
  ])('of %j at %s is %j', (applicationName, address, expected) => {
    expect(upstreamApplicationName({ applicationName, address })).toBe(expected);
  });

  test.each([
    ['alice', 'psql', '10.0.0.1', 'gatepost/alice/psql@10.0.0.1'],
    ['alice', '', '::1', 'gatepost/alice/@::1'],
    ['Zoë', 'a/b', '::1', 'gatepost/Zo?/a/b@::1'],
    ['alice', 'x'.repeat(80), '10.0.0.1', `gatepost/alice/${'x'.repeat(39)}@10.0.0.1`],
    ['a'.repeat(44), 'psql', '10.0.0.1', `gatepost/${'a'.repeat(44)}/@10.0.0.1`],
    ['a'.repeat(63), 'psql', '10.0.0.1', `gatepost/${'a'.repeat(44)}/@10.0.0.1`],
    [
      'a'.repeat(63),
      'psql',
      'fe80:1111:2222:3333:4444:5555:6666:7777',
      `gatepost/${'a'.repeat(13)}/@fe80:1111:2222:3333:4444:5555:6666:7777`,
    ],
  ])('of account %j with %j at %s is %j', (account, applicationName, address, expected) => {
    expect(upstreamApplicationName({ account, applicationName, address })).toBe(expected);
    expect(expected.length).toBeLessThanOrEqual(63);
  });

  test('never passes 63 bytes, whatever is in it', () => {
    const name = fc.string({ unit: fc.constantFrom('x', 'ü', '€', '😀', '\n'), maxLength: 80 });
    const address = fc.string({ unit: fc.constantFrom('1', ':', '.', '%'), maxLength: 80 });
    fc.assert(
      fc.property(name, address, fc.option(name), (applicationName, from, account) => {
        const startup = { account: account ?? undefined, applicationName, address: from };
        const bytes = Buffer.from(upstreamApplicationName(startup));
        expect(bytes.length).toBeLessThanOrEqual(63);
        expect(bytes.every((byte) => byte >= 0x20 && byte < 0x7f)).toBe(true);
      }),
      { seed: 13 },
    );
  });
});
