import { describe, expect, test } from '@jest/globals';
import type { Config } from '../../src/config.ts';
import { loadFrom, problemsOf } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

type Env = NonNullable<ConfigWorld['env']>;

const DSN = 'postgresql://app:hunter2@db/orders';
const OWN_POSTGRES = { WIRE_UPSTREAM_DSN: DSN };
const URI = 'mongodb://app:hunter2@a:27017,b:27017/shop';
const OWN_MONGODB = { MONGODB_URI: URI };
const PEOPLE = 'postgresql://keeper:hunter2@people/people';
const STORE = 'mongodb://keeper:hunter2@store';

/** A world whose file has one listener with these lines, and no usual ones. */
function withListener(lines: string, env: Env = {}): ConfigWorld {
  const toml = `[[listeners]]\nname = "a"\nport = 6000\n${lines}`;
  return { env: { ...env, GATEPOST_CONFIG: 'a.toml' }, files: { 'a.toml': toml } };
}

const proxy = (env: Env = {}): ConfigWorld => ({
  command: 'pgwire-proxy',
  env: { ...OWN_POSTGRES, ...env },
});

/** Where something is kept, in a word: its connection string, `embedded`, or `none`. */
function placeOf(config: object | undefined, text: string | undefined): string {
  return config === undefined ? 'none' : (text ?? 'embedded');
}

function placesOf({ accounts, store }: Config): [accounts: string, store: string] {
  return [placeOf(accounts, accounts?.databaseUrl), placeOf(store, store?.mongodbUri)];
}

describe('accounts and the store', () => {
  test.each<[string, ConfigWorld, string, string]>([
    ['the embedded databases', {}, 'embedded', 'embedded'],
    ['the same, and ACCOUNTS off', { env: { ACCOUNTS: 'off' } }, 'none', 'none'],
    [
      'the same, and ACCOUNTS off but ACTIVITY on',
      { env: { ACCOUNTS: 'off', ACTIVITY: 'on' } },
      'none',
      'embedded',
    ],
    ['the same, and ACTIVITY off', { env: { ACTIVITY: 'off' } }, 'embedded', 'embedded'],
    ['your databases', { env: { ...OWN_POSTGRES, ...OWN_MONGODB } }, 'none', 'none'],
    [
      'your databases, and ACCOUNTS on',
      { env: { ...OWN_POSTGRES, ...OWN_MONGODB, ACCOUNTS: 'on' } },
      DSN,
      URI,
    ],
    [
      'your databases, and ACTIVITY on',
      { env: { ...OWN_POSTGRES, ...OWN_MONGODB, ACTIVITY: 'on' } },
      'none',
      URI,
    ],
    ['your PostgreSQL only', { env: OWN_POSTGRES }, 'none', 'none'],
    [
      'your PostgreSQL only, and ACCOUNTS on',
      { env: { ...OWN_POSTGRES, ACCOUNTS: 'on' } },
      DSN,
      'embedded',
    ],
    ['your MongoDB only', { env: OWN_MONGODB }, 'embedded', 'none'],
    [
      'your MongoDB only, and ACCOUNTS on',
      { env: { ...OWN_MONGODB, ACCOUNTS: 'on' } },
      'embedded',
      URI,
    ],
    [
      'your MongoDB only, and ACTIVITY on',
      { env: { ...OWN_MONGODB, ACTIVITY: 'on' } },
      'embedded',
      URI,
    ],
    [
      'your MongoDB only, and one for activity',
      { env: { ...OWN_MONGODB, ACTIVITY_MONGODB_URI: STORE } },
      'embedded',
      STORE,
    ],
    ['the embedded PostgreSQL', { env: { WIRE_MONGODB_PORT: 'off' } }, 'embedded', 'none'],
    ['the embedded MongoDB', { env: { WIRE_POSTGRES_PORT: 'off' } }, 'none', 'none'],
    [
      'databases of their own',
      {
        env: {
          ...{ ...OWN_POSTGRES, ...OWN_MONGODB, ACCOUNTS: 'on' },
          ...{ ACCOUNTS_DATABASE_URL: PEOPLE, ACTIVITY_MONGODB_URI: STORE },
        },
      },
      PEOPLE,
      STORE,
    ],
    [
      'databases of their own beside the embedded ones',
      { env: { ACCOUNTS_DATABASE_URL: PEOPLE, ACTIVITY_MONGODB_URI: STORE } },
      PEOPLE,
      STORE,
    ],
    [
      'databases of their own, which alone is no word',
      {
        env: {
          ...{ ...OWN_POSTGRES, ...OWN_MONGODB },
          ...{ ACCOUNTS_DATABASE_URL: PEOPLE, ACTIVITY_MONGODB_URI: STORE },
        },
      },
      'none',
      'none',
    ],
    ['a listener to the embedded PostgreSQL', withListener(''), 'embedded', 'none'],
    ['a listener to another PostgreSQL', withListener(`upstream_dsn = "${DSN}"`), 'none', 'none'],
    [
      'a listener to the embedded MongoDB',
      withListener('backend = "mongodb"', { ACTIVITY: 'on' }),
      'none',
      'embedded',
    ],
    ['pgwire-proxy', proxy(), 'none', 'none'],
    ['pgwire-proxy, and ACCOUNTS on', proxy({ ACCOUNTS: 'on' }), DSN, 'none'],
    [
      'pgwire-proxy, and both on with a MongoDB',
      proxy({ ACCOUNTS: 'on', ...OWN_MONGODB }),
      DSN,
      URI,
    ],
    [
      'connectors, which serve nobody',
      {
        command: 'connectors',
        env: { ...OWN_POSTGRES, ...OWN_MONGODB, ACCOUNTS: 'on', ACTIVITY: 'on' },
      },
      'none',
      'none',
    ],
  ])('are where somebody wants them, and nowhere else: %s', (_, world, accounts, store) => {
    expect(placesOf(loadFrom(world))).toEqual([accounts, store]);
  });

  test.each<[string, Env, boolean | undefined]>([
    ['nothing said', {}, true],
    ['ACCOUNTS on', { ACCOUNTS: 'on' }, true],
    ['ACTIVITY off', { ACTIVITY: 'off' }, false],
    ['ACCOUNTS off', { ACCOUNTS: 'off' }, undefined],
    ['ACCOUNTS off and ACTIVITY on', { ACCOUNTS: 'off', ACTIVITY: 'on' }, true],
    ['both off', { ACCOUNTS: 'off', ACTIVITY: 'off' }, undefined],
  ])('record activity as ACTIVITY says, and else as ACCOUNTS: %s', (_, env, isRecording) => {
    expect(loadFrom({ env }).store?.isRecording).toBe(isRecording);
  });

  test('have what was set', () => {
    const [one, two] = ['x'.repeat(32), 'y'.repeat(40)];
    const config = loadFrom({
      env: {
        NODE_ENV: 'production',
        ACCOUNTS_SCRAM_ITERATIONS: '4096',
        SESSION_SECRET: `${one},${two}`,
        SESSION_IDLE_TIMEOUT: '5m',
        SESSION_MAX_AGE: '1h',
        ACTIVITY_RETENTION: '90d',
        ACTIVITY_LOG_RETENTION: '1h',
      },
    });
    expect(config).toMatchObject({
      accounts: {
        scramIterations: 4096,
        sessions: {
          secrets: [one, two],
          idleTimeoutMs: 300_000,
          maxAgeMs: 3_600_000,
          isTlsRequired: true,
        },
      },
      store: { activityRetentionMs: 7_776_000_000, logRetentionMs: 3_600_000 },
    });
  });
});

describe('what is kept on a server that is queried', () => {
  const on = { ACCOUNTS: 'on' };

  test.each<[string, ConfigWorld, boolean]>([
    ['the embedded one, which has another database for them', {}, false],
    ['that of the upstream', { env: { ...on, ...OWN_POSTGRES } }, true],
    ['that of the host', { env: { ...on, POSTGRES_HOST: 'db', ACCOUNTS_DATABASE_URL: DSN } }, true],
    [
      'another database and user of it, which clients may name too',
      { env: { ...on, ...OWN_POSTGRES, ACCOUNTS_DATABASE_URL: 'postgres://k:p@DB:5432/people' } },
      true,
    ],
    ['another server', { env: { ...on, ...OWN_POSTGRES, ACCOUNTS_DATABASE_URL: PEOPLE } }, false],
    ['another server beside the embedded one', { env: { ACCOUNTS_DATABASE_URL: PEOPLE } }, false],
    [
      'that of one listener',
      withListener(`upstream_dsn = "${DSN}"`, { ...on, ACCOUNTS_DATABASE_URL: DSN }),
      true,
    ],
  ])('is known of accounts: %s', (_, world, isShared) => {
    expect(loadFrom(world).accounts?.isShared).toBe(isShared);
  });

  test.each<[string, ConfigWorld, boolean]>([
    ['the embedded one', {}, true],
    ['yours', { env: { ...OWN_MONGODB, ...on } }, true],
    [
      'one host of it',
      { env: { ...OWN_MONGODB, ...on, ACTIVITY_MONGODB_URI: 'mongodb://k:p@b' } },
      true,
    ],
    ['another server', { env: { ...OWN_MONGODB, ...on, ACTIVITY_MONGODB_URI: STORE } }, false],
    ['another server beside the embedded one', { env: { ACTIVITY_MONGODB_URI: STORE } }, false],
    [
      'yours, where only the REST API asks it',
      { env: { ...OWN_MONGODB, ...on, WIRE_MONGODB_PORT: 'off' } },
      true,
    ],
    [
      'yours, where nobody asks it',
      { env: { ...OWN_MONGODB, ...on, WIRE_MONGODB_PORT: 'off', API: 'off' } },
      false,
    ],
    [
      'that of one listener',
      withListener(`backend = "mongodb"\nmongodb_uri = "${STORE}"`, {
        ...{ ACTIVITY: 'on', ACTIVITY_MONGODB_URI: STORE },
      }),
      true,
    ],
  ])('is known of the store: %s', (_, world, isShared) => {
    expect(loadFrom(world).store?.isShared).toBe(isShared);
  });
});

describe('the start is refused', () => {
  const noPostgres =
    'ACCOUNTS is on, and no PostgreSQL is there to keep them: set ACCOUNTS_DATABASE_URL';
  const noMongodb = 'ACTIVITY is on, and no MongoDB is there to keep it: set ACTIVITY_MONGODB_URI';
  const off = { WIRE_POSTGRES_PORT: 'off', WIRE_MONGODB_PORT: 'off' };

  test.each<[string, ConfigWorld, readonly string[]]>([
    ['with accounts and no PostgreSQL', { env: { ...off, ACCOUNTS: 'on' } }, [noPostgres]],
    ['with activity and no MongoDB', { env: { ...off, ACTIVITY: 'on' } }, [noMongodb]],
    [
      'with activity and no MongoDB, by pgwire-proxy',
      proxy({ ACCOUNTS: 'on', ACTIVITY: 'on' }),
      [noMongodb],
    ],
    [
      'with both and neither',
      { env: { ...off, ACCOUNTS: 'on', ACTIVITY: 'on' } },
      [noPostgres, noMongodb],
    ],
    [
      'with a listener to another PostgreSQL, whose accounts are nowhere',
      withListener(`upstream_dsn = "${DSN}"`, { ACCOUNTS: 'on' }),
      [noPostgres],
    ],
  ])('%s', (_, world, problems) => {
    expect(problemsOf(world)).toEqual(problems);
  });

  test.each<[string, ConfigWorld]>([
    [
      'with places of their own',
      {
        env: {
          ...{ ...off, ACCOUNTS: 'on', ACTIVITY: 'on' },
          ...{ ACCOUNTS_DATABASE_URL: PEOPLE, ACTIVITY_MONGODB_URI: STORE },
        },
      },
    ],
    ['with your databases and no listener', { env: { ...off, ...OWN_POSTGRES, ACCOUNTS: 'on' } }],
    ['by connectors', { command: 'connectors', env: { ...off, ACCOUNTS: 'on', ACTIVITY: 'on' } }],
  ])('but not %s', (_, world) => {
    expect(problemsOf(world)).toEqual([]);
  });

  test.each<[string, Env, RegExp]>([
    ['ACCOUNTS_DATABASE_URL', { ACCOUNTS_DATABASE_URL: 'x' }, /^ACCOUNTS_DATABASE_URL is \*\*\* /],
    ['ACTIVITY_MONGODB_URI', { ACTIVITY_MONGODB_URI: 'x' }, /^ACTIVITY_MONGODB_URI is \*\*\* /],
  ])('with one line where %s itself is refused', (_, env, line) => {
    const others = { ACCOUNTS_DATABASE_URL: PEOPLE, ACTIVITY_MONGODB_URI: STORE };
    const world = { env: { ...off, ...others, ACCOUNTS: 'on', ACTIVITY: 'on', ...env } };
    expect(problemsOf(world)).toEqual([expect.stringMatching(line)]);
  });
});
