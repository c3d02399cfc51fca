import { describe, expect, test } from '@jest/globals';
import { refuseClashes } from '../../src/config-listeners.ts';
import type { ListenerConfig } from '../../src/config-listeners.ts';
import { loadFrom, problemsOf } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

const TLS = { 'c.pem': 'certificate', 'k.pem': 'key', 'own-c.pem': 'c', 'own-k.pem': 'k' };
const TLS_ENV = { WIRE_TLS_CERT: 'c.pem', WIRE_TLS_KEY: 'k.pem' };

/** A world with a file of listeners, each given by its lines. */
function withListeners(listeners: readonly string[], env: ConfigWorld['env'] = {}): ConfigWorld {
  const toml = listeners.map((lines) => `[[listeners]]\n${lines}\n`).join('\n');
  return { env: { ...env, GATEPOST_CONFIG: 'a.toml' }, files: { ...TLS, 'a.toml': toml } };
}

function first(world: ConfigWorld): ListenerConfig | undefined {
  return loadFrom(world).listeners[0];
}

describe('a listener of the file', () => {
  const inherited = {
    HOST: '0.0.0.0',
    API: 'off',
    ACCOUNTS: 'on',
    WIRE_AUTH: 'accounts',
    WIRE_UPSTREAM_DSN: 'postgres://u:p@h/d',
    POSTGRES_READINESS: 'optional',
    WIRE_MAX_CONNECTIONS: '7',
    WIRE_IDLE_TIMEOUT: '2m',
    WIRE_QUERY_TIMEOUT: '3s',
    WIRE_MAX_ROWS: '4',
    WIRE_MAX_BYTES: '5kB',
    WIRE_ON_LIMIT: 'truncate',
    WIRE_ALLOW: 'select',
    WIRE_DENY: 'drop',
    WIRE_ACCESS: 'read-only',
    ...TLS_ENV,
  };

  test('takes what it leaves out from the settings', () => {
    expect(first(withListeners(['name = "a"\nport = 6000'], inherited))).toEqual({
      name: 'a',
      backend: 'postgres',
      host: '0.0.0.0',
      port: 6000,
      upstreamDsn: 'postgres://u:p@h/d',
      isRequired: false,
      tls: { certFile: '/srv/gatepost/c.pem', keyFile: '/srv/gatepost/k.pem' },
      auth: 'accounts',
      connectionsMax: 7,
      idleTimeoutMs: 120_000,
      limits: { rowsMax: 4, bytesMax: 5120, queryTimeoutMs: 3000, onLimit: 'truncate' },
      policy: { allow: ['SELECT'], deny: ['DROP'], access: 'read-only' },
    });
  });

  test('has its own of everything', () => {
    const lines = `
      name = "b"
      port = 6001
      host = "::1"
      upstream_dsn = "postgres://other/e"
      readiness = "required"
      auth = "none"
      tls_cert = "own-c.pem"
      tls_key = "/srv/gatepost/own-k.pem"
      max_connections = 8
      idle_timeout = "9s"
      query_timeout = "10ms"
      max_rows = 11
      max_bytes = "12B"
      on_limit = "error"
      allow = ["insert", "update"]
      deny = ["copy"]
      access = "read-write"`;
    expect(first(withListeners([lines], inherited))).toEqual({
      name: 'b',
      backend: 'postgres',
      host: '::1',
      port: 6001,
      upstreamDsn: 'postgres://other/e',
      isRequired: true,
      tls: { certFile: '/srv/gatepost/own-c.pem', keyFile: '/srv/gatepost/own-k.pem' },
      auth: 'none',
      connectionsMax: 8,
      idleTimeoutMs: 9000,
      limits: { rowsMax: 11, bytesMax: 12, queryTimeoutMs: 10, onLimit: 'error' },
      policy: { allow: ['INSERT', 'UPDATE'], deny: ['COPY'], access: 'read-write' },
    });
  });

  test('is in front of the embedded PostgreSQL when nothing names another', () => {
    expect(first(withListeners(['name = "a"\nport = 1']))).toMatchObject({
      upstreamDsn: undefined,
    });
  });
});

describe('the usual listeners', () => {
  const listener = 'name = "a"\nport = 6000';

  test.each<[string, ConfigWorld, readonly string[]]>([
    ['are there without a file', {}, ['postgres:5433', 'mongodb:5434']],
    [
      'are there with a file without listeners',
      withListeners([]),
      ['postgres:5433', 'mongodb:5434'],
    ],
    ['are not there beside listeners', withListeners([listener]), ['a:6000']],
    [
      'are there beside listeners when the port of PostgreSQL is set',
      withListeners([listener], { WIRE_POSTGRES_PORT: '5433' }),
      ['a:6000', 'postgres:5433'],
    ],
    [
      'are there beside listeners when the port of MongoDB is set',
      withListeners([listener], { WIRE_MONGODB_PORT: '5434' }),
      ['a:6000', 'mongodb:5434'],
    ],
    [
      'take any free port',
      { env: { WIRE_POSTGRES_PORT: '0', WIRE_MONGODB_PORT: '0' } },
      ['postgres:0', 'mongodb:0'],
    ],
    ['are one when PostgreSQL is off', { env: { WIRE_POSTGRES_PORT: 'off' } }, ['mongodb:5434']],
    ['are one when MongoDB is off', { env: { WIRE_MONGODB_PORT: 'off' } }, ['postgres:5433']],
    [
      'are none when both are off',
      {
        flags: { WIRE_POSTGRES_PORT: 'off', WIRE_MONGODB_PORT: 'off' },
      },
      [],
    ],
    [
      'are that of PostgreSQL alone for pgwire-proxy',
      { command: 'pgwire-proxy', env: { POSTGRES_HOST: 'db', WIRE_MONGODB_PORT: '5434' } },
      ['postgres:5433'],
    ],
  ])('%s', (_, world, expected) => {
    const listeners = loadFrom(world).listeners.map(({ name, port }) => `${name}:${port}`);
    expect(listeners).toEqual(expected);
  });

  test('are there when the file itself sets their ports', () => {
    const ports = 'wire_postgres_port = 7000\nwire_mongodb_port = 7001';
    const toml = `${ports}\n[[listeners]]\n${listener}`;
    const world = { env: { GATEPOST_CONFIG: 'a.toml' }, files: { 'a.toml': toml } };
    expect(loadFrom(world).listeners.map(({ port }) => port)).toEqual([6000, 7000, 7001]);
  });

  test.each(['5433', '5434'])('do not come in place of a listener that is refused: %s', (port) => {
    // One would clash with HTTP if they came.
    const world = withListeners(['name = "a"'], { PORT: port });
    expect(problemsOf(world)).toEqual(['listener "a": port is missing']);
  });

  test('share no port and no name with others', () => {
    expect(problemsOf({ env: { WIRE_MONGODB_PORT: '5433' } })).toEqual([
      'listener "mongodb": port 5433 is taken by listener "postgres"',
    ]);
    const world = withListeners(['name = "mongodb"\nport = 1'], { WIRE_MONGODB_PORT: '5434' });
    expect(problemsOf(world)).toEqual([
      'listener "mongodb": the name is taken by another listener',
    ]);
  });
});

describe('TLS', () => {
  const own = 'tls_cert = "own-c.pem"\ntls_key = "own-k.pem"';
  const plain = 'name = "a"\nport = 6000';

  test.each<[string, ConfigWorld, boolean]>([
    ['is off by default', {}, false],
    ['is on when certificate and key are given', { env: TLS_ENV, files: TLS }, true],
    ['is on when asked for', { env: { ...TLS_ENV, WIRE_ENABLE_TLS: 'true' }, files: TLS }, true],
    ['is off when asked for', { env: { ...TLS_ENV, WIRE_ENABLE_TLS: 'false' }, files: TLS }, false],
    ['is on for files of a listener', withListeners([`${plain}\n${own}`]), true],
  ])('%s', (_, world, isOn) => {
    expect(first(world)?.tls !== undefined).toBe(isOn);
  });

  test.each<[string, ConfigWorld, string]>([
    [
      'on without files',
      { env: { WIRE_ENABLE_TLS: 'true', WIRE_MONGODB_PORT: 'off' } },
      'listener "postgres": WIRE_ENABLE_TLS needs WIRE_TLS_CERT and WIRE_TLS_KEY',
    ],
    [
      'on without files for a listener',
      withListeners([plain], { WIRE_ENABLE_TLS: 'true' }),
      'listener "a": WIRE_ENABLE_TLS needs WIRE_TLS_CERT and WIRE_TLS_KEY',
    ],
    [
      'half a pair of a listener',
      withListeners([`${plain}\ntls_cert = "own-c.pem"`]),
      'listener "a": tls_cert and tls_key belong together: give both or none',
    ],
    [
      'half a pair of a listener, which the settings do not complete',
      withListeners([`${plain}\ntls_key = "own-k.pem"`], TLS_ENV),
      'listener "a": tls_cert and tls_key belong together: give both or none',
    ],
    [
      'files of a listener where TLS is off',
      withListeners([`${plain}\n${own}`], { WIRE_ENABLE_TLS: 'false' }),
      'listener "a": tls_cert and tls_key contradict WIRE_ENABLE_TLS, which is false',
    ],
  ])('is refused: %s', (_, world, problem) => {
    expect(problemsOf(world)).toEqual([problem]);
  });
});

describe('clashes', () => {
  function clashesOf(
    listeners: readonly (readonly [name: string, port: number])[],
    httpPort?: number,
  ): string[] {
    const problems: string[] = [];
    const named = listeners.map(([name, port]) => ({ name, port }));
    refuseClashes(named, httpPort, problems);
    return problems;
  }

  test.each<[string, readonly (readonly [string, number])[], number | undefined, string[]]>([
    ['nothing', [], 3000, []],
    [
      'different ports',
      [
        ['a', 1],
        ['b', 2],
      ],
      3,
      [],
    ],
    [
      'any free port twice',
      [
        ['a', 0],
        ['b', 0],
      ],
      0,
      [],
    ],
    ['no HTTP', [['a', 3000]], undefined, []],
    [
      'one port for two listeners',
      [
        ['a', 1],
        ['b', 1],
      ],
      3000,
      ['listener "b": port 1 is taken by listener "a"'],
    ],
    ['the port of HTTP', [['a', 3000]], 3000, ['listener "a": port 3000 is taken by HTTP (PORT)']],
    [
      'one name for two listeners',
      [
        ['a', 1],
        ['a', 2],
      ],
      3000,
      ['listener "a": the name is taken by another listener'],
    ],
    ['HTTP', [['http', 1]], 3000, ['listener "http": the name is taken by what comes over HTTP']],
    [
      'everything at once',
      [
        ['a', 1],
        ['a', 1],
      ],
      1,
      [
        'listener "a": port 1 is taken by HTTP (PORT)',
        'listener "a": the name is taken by another listener',
        'listener "a": port 1 is taken by listener "a"',
      ],
    ],
  ])('of %s', (_, listeners, httpPort, problems) => {
    expect(clashesOf(listeners, httpPort)).toEqual(problems);
  });

  test('stop the start', () => {
    expect(problemsOf({ env: { WIRE_POSTGRES_PORT: '3000' } })).toEqual([
      'listener "postgres": port 3000 is taken by HTTP (PORT)',
    ]);
    const world = withListeners(['name = "postgres"\nport = 1'], { WIRE_POSTGRES_PORT: '5433' });
    expect(problemsOf(world)).toEqual([
      'listener "postgres": the name is taken by another listener',
    ]);
  });
});
