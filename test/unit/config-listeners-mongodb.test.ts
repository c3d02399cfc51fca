import { describe, expect, test } from '@jest/globals';
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

describe('a MongoDB listener of the file', () => {
  const plain = 'name = "m"\nport = 6002\nbackend = "mongodb"';
  const inherited = {
    HOST: '0.0.0.0',
    API: 'off',
    ACCOUNTS: 'on',
    WIRE_AUTH: 'accounts',
    MONGODB_URI: 'mongodb://u:p@h/d',
    WIRE_MAX_CONNECTIONS: '7',
    WIRE_IDLE_TIMEOUT: '2m',
    WIRE_QUERY_TIMEOUT: '3s',
    WIRE_MAX_ROWS: '4',
    WIRE_MAX_BYTES: '5kB',
    WIRE_ON_LIMIT: 'truncate',
    WIRE_ALLOW: 'select',
    WIRE_DENY: 'drop',
    WIRE_ACCESS: 'read-only',
    WIRE_MONGODB_ALLOW: 'find,aggregate',
    WIRE_MONGODB_DENY: '$lookup',
    WIRE_MONGODB_JAVASCRIPT: 'true',
    WIRE_UPSTREAM_DSN: 'postgres://u:p@h/d',
    POSTGRES_READINESS: 'optional',
    ...TLS_ENV,
  };

  test('takes what it leaves out from the settings, of PostgreSQL nothing', () => {
    expect(first(withListeners([plain], inherited))).toEqual({
      name: 'm',
      backend: 'mongodb',
      host: '0.0.0.0',
      port: 6002,
      mongodbUri: 'mongodb://u:p@h/d',
      isRequired: true,
      tls: { certFile: '/srv/gatepost/c.pem', keyFile: '/srv/gatepost/k.pem' },
      auth: 'accounts',
      connectionsMax: 7,
      idleTimeoutMs: 120_000,
      limits: { rowsMax: 4, bytesMax: 5120, queryTimeoutMs: 3000, onLimit: 'truncate' },
      policy: {
        allow: ['find', 'aggregate'],
        deny: ['$lookup'],
        access: 'read-only',
        isJavaScriptAllowed: true,
      },
    });
  });

  test('has its own of everything', () => {
    const lines = `
      ${plain}
      host = "::1"
      mongodb_uri = "mongodb+srv://u:p@c.example.com/e"
      readiness = "optional"
      auth = "none"
      tls_cert = "own-c.pem"
      tls_key = "own-k.pem"
      max_connections = 8
      idle_timeout = "9s"
      query_timeout = "10ms"
      max_rows = 11
      max_bytes = "12B"
      on_limit = "error"
      allow = ["aggregate"]
      deny = ["drop", "aggregate:$out"]
      access = "read-write"
      javascript = false`;
    expect(first(withListeners([lines], inherited))).toEqual({
      name: 'm',
      backend: 'mongodb',
      host: '::1',
      port: 6002,
      mongodbUri: 'mongodb+srv://u:p@c.example.com/e',
      isRequired: false,
      tls: { certFile: '/srv/gatepost/own-c.pem', keyFile: '/srv/gatepost/own-k.pem' },
      auth: 'none',
      connectionsMax: 8,
      idleTimeoutMs: 9000,
      limits: { rowsMax: 11, bytesMax: 12, queryTimeoutMs: 10, onLimit: 'error' },
      policy: {
        allow: ['aggregate'],
        deny: ['drop', 'aggregate:$out'],
        access: 'read-write',
        isJavaScriptAllowed: false,
      },
    });
  });

  test('has a backend that an empty text does not name', () => {
    const lines = 'name = "a"\nport = 1\nbackend = ""\nupstream_dsn = "postgres://h"';
    expect(first(withListeners([lines]))?.backend).toBe('postgres');
  });

  test.each<[string, string, string]>([
    ['upstream_dsn = "postgres://u:hunter2@h"', 'mongodb', 'postgres'],
    ['upstream_dsn_file = "dsn"', 'mongodb', 'postgres'],
    ['mongodb_uri = "mongodb://u:hunter2@h"', 'postgres', 'mongodb'],
    ['mongodb_uri_file = "uri"', 'postgres', 'mongodb'],
    ['javascript = true', 'postgres', 'mongodb'],
  ])('is not mixed up with the other kind: %s on backend %s', (line, backend, other) => {
    const lines = `name = "m"\nport = 6002\nbackend = "${backend}"\n${line}`;
    const key = line.split(' ')[0] ?? '';
    expect(problemsOf(withListeners([lines]))).toEqual([
      `listener "m": ${key} is of backend "${other}", and this listener has backend ` +
        `"${backend}": leave it out, or set backend = "${other}"`,
    ]);
  });

  test('is asked for by its backend: its keys alone are those of a PostgreSQL listener', () => {
    const lines = 'name = "m"\nport = 6002\nmongodb_uri = "mongodb://h"';
    expect(problemsOf(withListeners([lines]))).toEqual([
      'listener "m": mongodb_uri is of backend "mongodb", and this listener has backend ' +
        '"postgres": leave it out, or set backend = "mongodb"',
    ]);
  });
});

describe('whether MongoDB has to answer', () => {
  const own = 'name = "m"\nport = 6002\nbackend = "mongodb"';
  const uri = 'mongodb_uri = "mongodb://h"';

  test.each<[string, ConfigWorld, boolean]>([
    ['no, where it is embedded', {}, false],
    ['yes, where MONGODB_URI names one', { env: { MONGODB_URI: 'mongodb://h' } }, true],
    [
      'no, when it is optional',
      {
        env: { MONGODB_URI: 'mongodb://h', MONGODB_READINESS: 'optional' },
      },
      false,
    ],
    ['yes, when the embedded one is required', { env: { MONGODB_READINESS: 'required' } }, true],
    ['no, whatever PostgreSQL has to', { env: { POSTGRES_READINESS: 'required' } }, false],
    ['no, for a listener in front of the embedded one', withListeners([own]), false],
    ['yes, for a listener with its own URI', withListeners([`${own}\n${uri}`]), true],
    [
      'no, for a listener that inherits it',
      withListeners([`${own}\n${uri}`], {
        MONGODB_READINESS: 'optional',
      }),
      false,
    ],
    [
      'yes, for a listener that says so',
      withListeners([`${own}\nreadiness = "required"`], {
        MONGODB_READINESS: 'optional',
      }),
      true,
    ],
  ])('%s', (_, world, isRequired) => {
    const listener = loadFrom(world).listeners.find(({ backend }) => backend === 'mongodb');
    expect(listener?.isRequired).toBe(isRequired);
  });
});

describe('listening beyond loopback', () => {
  test('is said of the listener that does, whatever the others do', () => {
    const lines = 'name = "m"\nport = 6002\nbackend = "mongodb"\nhost = "0.0.0.0"';
    const { warnings } = loadFrom(withListeners([lines, 'name = "a"\nport = 1'], TLS_ENV));
    expect(warnings).toEqual([
      expect.stringMatching(/^Listener m listens on 0\.0\.0\.0 without authentication: /),
    ]);
  });
});
