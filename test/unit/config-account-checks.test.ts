import { describe, expect, test } from '@jest/globals';
import { loadFrom, problemsOf } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

const DSN = 'postgresql://app:hunter2@db/orders';
const OWN = { WIRE_UPSTREAM_DSN: DSN };
const URI = 'mongodb://app:hunter2@h';
const SECRET = 'x'.repeat(32);

describe('logging in', () => {
  const problem = (name: string): string =>
    `listener "${name}": its clients log in with accounts (WIRE_AUTH, or auth in the file), and ` +
    'ACCOUNTS is off: set ACCOUNTS=on';

  test.each<[string, ConfigWorld, readonly string[]]>([
    [
      'where accounts are off',
      { env: { WIRE_AUTH: 'accounts', ACCOUNTS: 'off' } },
      [problem('postgres'), problem('mongodb')],
    ],
    [
      'where nobody asked for them',
      { env: { WIRE_AUTH: 'accounts', WIRE_MONGODB_PORT: 'off', ...OWN } },
      [problem('postgres')],
    ],
    [
      'at pgwire-proxy, where nobody asked for them',
      { command: 'pgwire-proxy', env: { WIRE_AUTH: 'accounts', ...OWN } },
      [problem('postgres')],
    ],
    [
      'at one listener of the file',
      {
        env: { GATEPOST_CONFIG: 'a.toml', ...OWN },
        files: {
          'a.toml':
            '[[listeners]]\nname = "a"\nport = 1\n' +
            '[[listeners]]\nname = "b"\nport = 2\nauth = "accounts"',
        },
      },
      [problem('b')],
    ],
  ])('is refused %s', (_, world, problems) => {
    expect(problemsOf(world)).toEqual(problems);
  });

  test.each<[string, ConfigWorld]>([
    ['the embedded databases', { env: { WIRE_AUTH: 'accounts' } }],
    ['your PostgreSQL', { env: { WIRE_AUTH: 'accounts', ACCOUNTS: 'on', ...OWN } }],
    [
      'pgwire-proxy',
      { command: 'pgwire-proxy', env: { WIRE_AUTH: 'accounts', ACCOUNTS: 'on', ...OWN } },
    ],
  ])('is there with %s', (_, world) => {
    const { listeners, warnings } = loadFrom(world);
    expect(new Set(listeners.map(({ auth }) => auth))).toEqual(new Set(['accounts']));
    expect(warnings).toEqual([]);
  });

  test('is of no listener of connectors, which have none', () => {
    const world: ConfigWorld = { command: 'connectors', env: { WIRE_AUTH: 'accounts', ...OWN } };
    expect(problemsOf(world)).toEqual([]);
  });
});

describe('warnings', () => {
  const placeless =
    'Sessions over HTTP have no MongoDB to be kept in, so that nobody logs in there but with a ' +
    'token: set ACTIVITY_MONGODB_URI';
  const tooIdle =
    'SESSION_IDLE_TIMEOUT is longer than SESSION_MAX_AGE, which ends every session before it: ' +
    'set SESSION_MAX_AGE at least as long';
  const orYours = `${placeless}, or ACTIVITY=on, which keeps them in the MongoDB of MONGODB_URI`;

  test.each<[string, ConfigWorld, readonly string[]]>([
    ['a plain start', {}, []],
    ['your databases', { env: { ...OWN, MONGODB_URI: URI } }, []],
    ['your MongoDB, where accounts are on by themselves', { env: { MONGODB_URI: URI } }, []],
    ['no MongoDB, where accounts are on by themselves', { env: { WIRE_MONGODB_PORT: 'off' } }, []],
    [
      'settings of accounts without any',
      {
        env: {
          ...OWN,
          ...{ ACCOUNTS_DATABASE_URL: DSN, ACCOUNTS_SCRAM_ITERATIONS: '4096' },
          ...{ SESSION_SECRET: SECRET, SESSION_MAX_AGE: '1h' },
        },
      },
      [
        'Ignored: ACCOUNTS_DATABASE_URL, ACCOUNTS_SCRAM_ITERATIONS, SESSION_SECRET, ' +
          'SESSION_MAX_AGE, because ACCOUNTS is off',
      ],
    ],
    [
      'settings of activity without any',
      { env: { ...OWN, ACTIVITY_MONGODB_URI: URI, ACTIVITY_RETENTION: '1d' } },
      ['Ignored: ACTIVITY_MONGODB_URI, ACTIVITY_RETENTION, because ACTIVITY is off'],
    ],
    [
      'both',
      { env: { ACCOUNTS: 'off', SESSION_MAX_AGE: '1h', ACTIVITY_LOG_RETENTION: '1d' } },
      [
        'Ignored: SESSION_MAX_AGE, because ACCOUNTS is off',
        'Ignored: ACTIVITY_LOG_RETENTION, because ACTIVITY is off',
      ],
    ],
    [
      'retention where only sessions are kept',
      { env: { ACTIVITY: 'off', ACTIVITY_MONGODB_URI: URI, ACTIVITY_RETENTION: '1d' } },
      ['Ignored: ACTIVITY_RETENTION, because ACTIVITY is off'],
    ],
    [
      'retention where activity has no place',
      { env: { MONGODB_URI: URI, ACTIVITY_RETENTION: '1d' } },
      ['Ignored: ACTIVITY_RETENTION, because no MongoDB is there to keep it; set ACTIVITY=on'],
    ],
    ['activity that is kept', { env: { ACTIVITY_RETENTION: '1d', ACTIVITY: 'on' } }, []],
    [
      'settings of sessions that have no place',
      { env: { MONGODB_URI: URI, SESSION_SECRET: SECRET } },
      [orYours],
    ],
    [
      'accounts that were asked for, and no MongoDB',
      { env: { ACCOUNTS: 'on', WIRE_MONGODB_PORT: 'off', ...OWN } },
      [placeless],
    ],
    [
      'the same without HTTP',
      { command: 'pgwire-proxy', env: { ACCOUNTS: 'on', SESSION_MAX_AGE: '1h', ...OWN } },
      [],
    ],
    [
      'the same without the REST API',
      { env: { ACCOUNTS: 'on', WIRE_MONGODB_PORT: 'off', API: 'off', ...OWN } },
      [],
    ],
    [
      'sessions that end before they are idle',
      { env: { SESSION_IDLE_TIMEOUT: '2h', SESSION_MAX_AGE: '1h' } },
      [tooIdle],
    ],
    ['an age below the idle time by default', { env: { SESSION_MAX_AGE: '29m' } }, [tooIdle]],
    ['an idle time above the age by default', { env: { SESSION_IDLE_TIMEOUT: '13h' } }, [tooIdle]],
    [
      'an idle time as long as the age',
      { env: { SESSION_IDLE_TIMEOUT: '1h', SESSION_MAX_AGE: '1h' } },
      [],
    ],
    ['times of sessions without HTTP', { env: { SESSION_MAX_AGE: '1m', API: 'off' } }, []],
    [
      'settings for connectors, which have neither',
      { command: 'connectors', env: { SESSION_SECRET: SECRET, ACTIVITY_RETENTION: '1d' } },
      [],
    ],
  ])('of %s are as few as there is reason for', (_, world, warnings) => {
    expect(loadFrom(world).warnings).toEqual(warnings);
  });

  test('name both settings of a secret in a file, and show neither', () => {
    const env = { ...OWN, SESSION_SECRET_FILE: 'secret' };
    const { warnings } = loadFrom({ env, files: { secret: `${SECRET}\n` } });
    expect(warnings).toEqual([
      'Ignored: SESSION_SECRET_FILE, SESSION_SECRET, because ACCOUNTS is off',
    ]);
  });
});
