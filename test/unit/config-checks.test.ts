import { describe, expect, test } from '@jest/globals';
import { loadFrom, problemsOf } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

const TLS = { 'c.pem': 'certificate', 'k.pem': 'key' };
const DSN = 'postgres://u:p@h/d';
const URI = 'mongodb://u:p@a:1,b:2/d';
const MONGODB = 'backend = "mongodb"';

/** A world whose file has one listener with these lines. */
function withListener(lines: string, world: ConfigWorld = {}): ConfigWorld {
  const toml = `[[listeners]]\nname = "a"\nport = 6000\n${lines}`;
  const env = { ...world.env, GATEPOST_CONFIG: 'a.toml' };
  return { ...world, env, files: { ...TLS, ...world.files, 'a.toml': toml } };
}

describe('an upstream', () => {
  test.each<[string, ConfigWorld, string]>([
    [
      'the host and the connection string',
      { env: { POSTGRES_HOST: 'db', WIRE_UPSTREAM_DSN: DSN } },
      'POSTGRES_HOST and WIRE_UPSTREAM_DSN both name an upstream: keep one',
    ],
    [
      'the host and the connection string from two sources',
      { env: { POSTGRES_HOST: 'db' }, flags: { WIRE_UPSTREAM_DSN: DSN } },
      'POSTGRES_HOST and WIRE_UPSTREAM_DSN both name an upstream: keep one',
    ],
    [
      'the host and the connection string of a file',
      { env: { POSTGRES_HOST: 'db', WIRE_UPSTREAM_DSN_FILE: 'dsn' }, files: { dsn: DSN } },
      'POSTGRES_HOST and WIRE_UPSTREAM_DSN both name an upstream: keep one',
    ],
    [
      'both forms of one listener',
      withListener(`upstream_dsn = "${DSN}"\nupstream_dsn_file = "dsn"`, { files: { dsn: DSN } }),
      'listener "a": upstream_dsn and upstream_dsn_file are both given: keep one',
    ],
    [
      'both forms of one MongoDB listener',
      withListener(`${MONGODB}\nmongodb_uri = "${URI}"\nmongodb_uri_file = "uri"`, {
        files: { uri: URI },
      }),
      'listener "a": mongodb_uri and mongodb_uri_file are both given: keep one',
    ],
  ])('is refused when it is named twice: %s', (_, world, problem) => {
    expect(problemsOf(world)).toEqual([problem]);
  });

  test('of one listener may come from a file', () => {
    const world = withListener('upstream_dsn_file = "dsn"', { files: { dsn: `${DSN}\n` } });
    expect(loadFrom(world).listeners[0]).toMatchObject({ upstreamDsn: DSN });
  });

  test.each([
    [{}, 'which cannot be read: there is no such file'],
    [{ dsn: '\n' }, 'which is empty'],
  ])('of one listener whose file is %j is refused', (files, reason) => {
    expect(problemsOf(withListener('upstream_dsn_file = "dsn"', { files }))).toEqual([
      `listener "a": upstream_dsn_file is "dsn" (file), ${reason}`,
    ]);
  });

  test('of one listener is parsed when it comes from a file, and not shown', () => {
    const files = { dsn: 'mysql://u:hunter2@h' };
    expect(problemsOf(withListener('upstream_dsn_file = "dsn"', { files }))).toEqual([
      expect.stringMatching(/^listener "a": upstream_dsn is \*\*\*: it does not begin with /),
    ]);
  });
});

describe('a MongoDB', () => {
  const named = `${MONGODB}\nmongodb_uri_file = "uri"`;

  test('of one listener may come from a file', () => {
    const world = withListener(named, { files: { uri: `${URI}\n` } });
    expect(loadFrom(world).listeners[0]).toMatchObject({ mongodbUri: URI });
  });

  test.each([
    [{}, 'which cannot be read: there is no such file'],
    [{ uri: '\n' }, 'which is empty'],
  ])('of one listener whose file is %j is refused', (files, reason) => {
    expect(problemsOf(withListener(named, { files }))).toEqual([
      `listener "a": mongodb_uri_file is "uri" (file), ${reason}`,
    ]);
  });

  test('of one listener is parsed when it comes from a file, and not shown', () => {
    const files = { uri: 'postgres://u:hunter2@h' };
    expect(problemsOf(withListener(named, { files }))).toEqual([
      expect.stringMatching(/^listener "a": mongodb_uri is \*\*\*: it does not begin with /),
    ]);
  });
});

describe('TLS files', () => {
  test.each<[string, ConfigWorld, string]>([
    [
      'a certificate without its key',
      { env: { WIRE_TLS_CERT: 'c.pem' }, files: TLS },
      'WIRE_TLS_CERT and WIRE_TLS_KEY belong together: give both or none',
    ],
    [
      'a key without its certificate',
      { env: { WIRE_TLS_KEY: 'k.pem' }, files: TLS },
      'WIRE_TLS_CERT and WIRE_TLS_KEY belong together: give both or none',
    ],
    [
      'a missing certificate',
      { env: { WIRE_TLS_CERT: 'x.pem', WIRE_TLS_KEY: 'k.pem' }, files: TLS },
      'WIRE_TLS_CERT is "x.pem" (environment), which cannot be read: there is no such file',
    ],
    [
      'a missing key of a listener',
      withListener('tls_cert = "c.pem"\ntls_key = "x.pem"'),
      'listener "a": tls_key is "x.pem" (file), which cannot be read: there is no such file',
    ],
  ])('are refused: %s', (_, world, problem) => {
    expect(problemsOf(world)).toEqual([problem]);
  });

  test('are not looked at when TLS is off', () => {
    const env = { WIRE_TLS_CERT: 'x.pem', WIRE_TLS_KEY: 'y.pem', WIRE_ENABLE_TLS: 'false' };
    expect(loadFrom({ env }).listeners[0]?.tls).toBeUndefined();
  });
});

describe('TLS to the upstream', () => {
  const problem =
    'POSTGRES_SSLMODE asks for TLS, and POSTGRES_HOST is the directory of a Unix socket, which ' +
    'has none: leave POSTGRES_SSLMODE out';

  test.each([
    ['/tmp', 'require', [problem]],
    ['/tmp', 'Verify-Full', [problem]],
    ['/tmp', 'disable', []],
    ['db', 'verify-full', []],
  ])('at %s with %s', (host, mode, problems) => {
    const env = { POSTGRES_HOST: host, POSTGRES_SSLMODE: mode };
    expect(problemsOf({ env })).toEqual(problems);
  });
});

describe('pgwire-proxy', () => {
  test('is refused without an upstream, naming what to give', () => {
    expect(problemsOf({ command: 'pgwire-proxy' })).toEqual([
      'pgwire-proxy needs an upstream: give WIRE_UPSTREAM_DSN (--upstream-dsn) or POSTGRES_HOST',
    ]);
  });

  test.each(['off', 'OFF'])('is refused without a port: %s', (port) => {
    const env = { WIRE_POSTGRES_PORT: port, POSTGRES_HOST: 'db' };
    expect(problemsOf({ command: 'pgwire-proxy', env })).toEqual([
      'WIRE_POSTGRES_PORT is off: pgwire-proxy needs a port',
    ]);
  });

  test.each<[string, ConfigWorld]>([
    ['a connection string', { flags: { WIRE_UPSTREAM_DSN: DSN } }],
    ['a connection string in a file', { env: { WIRE_UPSTREAM_DSN_FILE: 'd' }, files: { d: DSN } }],
    ['a host', { env: { POSTGRES_HOST: 'db' } }],
  ])('starts with %s', (_, world) => {
    expect(problemsOf({ ...world, command: 'pgwire-proxy' })).toEqual([]);
  });
});

describe('warnings', () => {
  test('there are none for a plain start', () => {
    expect(loadFrom({}).warnings).toEqual([]);
  });

  test('name what the embedded PostgreSQL ignores', () => {
    const env = { POSTGRES_USER: 'u', POSTGRES_PASSWORD: 'hunter2', POSTGRES_DB: 'd' };
    expect(loadFrom({ env }).warnings).toEqual([
      'Ignored by the embedded PostgreSQL: POSTGRES_DB, POSTGRES_USER, POSTGRES_PASSWORD; ' +
        'set POSTGRES_HOST to use your own',
    ]);
  });

  test('name what a connection string makes superfluous', () => {
    const env = { POSTGRES_PORT: '6432', WIRE_UPSTREAM_DSN: DSN };
    expect(loadFrom({ env }).warnings).toEqual([
      'Ignored: POSTGRES_PORT, because WIRE_UPSTREAM_DSN names the upstream',
    ]);
  });

  test('name a TLS mode that a connection string makes superfluous', () => {
    const env = { POSTGRES_SSLMODE: 'verify-full', WIRE_UPSTREAM_DSN: DSN };
    expect(loadFrom({ env }).warnings).toEqual([
      'Ignored: POSTGRES_SSLMODE, because WIRE_UPSTREAM_DSN names the upstream',
    ]);
  });

  test('do not come with a host of its own', () => {
    const env = { POSTGRES_HOST: 'db', POSTGRES_USER: 'u', POSTGRES_PORT: '6432' };
    expect(loadFrom({ env }).warnings).toEqual([]);
  });

  const uriIgnored =
    'MONGODB_URI is ignored, because no listener uses it: set WIRE_MONGODB_PORT, or write ' +
    'backend = "mongodb" in a listener of the file';
  const binaryIgnored = 'MONGOD_BINARY is ignored, because no listener uses the embedded MongoDB';

  test.each<[string, ConfigWorld, readonly string[]]>([
    ['a URI that is used', { env: { MONGODB_URI: URI } }, []],
    [
      'a URI that only the REST API uses',
      { env: { MONGODB_URI: URI, WIRE_MONGODB_PORT: 'off' } },
      [],
    ],
    ['a program that is used', { env: { MONGOD_BINARY: 'm' } }, []],
    [
      'a URI that no port uses',
      { env: { MONGODB_URI: URI, WIRE_MONGODB_PORT: 'off', API: 'off' } },
      [uriIgnored],
    ],
    [
      'a URI from a file that no port uses',
      {
        env: { MONGODB_URI_FILE: 'uri', WIRE_MONGODB_PORT: 'off', API: 'off' },
        files: { uri: URI },
      },
      [uriIgnored],
    ],
    [
      'a URI beside PostgreSQL listeners',
      withListener('', { env: { MONGODB_URI: URI, API: 'off' } }),
      [uriIgnored],
    ],
    ['a URI that a listener takes', withListener(MONGODB, { env: { MONGODB_URI: URI } }), []],
    [
      'a URI in whose place the listener has its own',
      withListener(`${MONGODB}\nmongodb_uri = "mongodb://h"`, {
        env: { MONGODB_URI: URI, API: 'off' },
      }),
      [uriIgnored],
    ],
    ['a program beside a URI', { env: { MONGODB_URI: URI, MONGOD_BINARY: 'm' } }, [binaryIgnored]],
    [
      'a program that no port uses',
      { env: { MONGOD_BINARY: 'm', WIRE_MONGODB_PORT: 'off' } },
      [binaryIgnored],
    ],
    ['a program that a listener uses', withListener(MONGODB, { env: { MONGOD_BINARY: 'm' } }), []],
    [
      'settings of MongoDB for pgwire-proxy, which shares its environment with a service',
      {
        command: 'pgwire-proxy',
        env: { POSTGRES_HOST: 'db', MONGODB_URI: URI, MONGOD_BINARY: 'm', WIRE_DENY: 'drop' },
      },
      [],
    ],
  ])('on %s are as few as there is reason for', (_, world, warnings) => {
    expect(loadFrom(world).warnings).toEqual(warnings);
  });

  const listsIgnored = (lists: string, listener: string): string =>
    `Ignored by listener ${listener}: ${lists}, for PostgreSQL only; ` +
    'set WIRE_MONGODB_ALLOW or WIRE_MONGODB_DENY to restrict its commands';

  test.each<[string, ConfigWorld, readonly string[]]>([
    ['one list', { env: { WIRE_DENY: 'drop' } }, [listsIgnored('WIRE_DENY', 'mongodb')]],
    [
      'two lists',
      { env: { WIRE_DENY: 'drop', WIRE_ALLOW: 'select' } },
      [listsIgnored('WIRE_ALLOW, WIRE_DENY', 'mongodb')],
    ],
    [
      'a listener of the file',
      withListener(MONGODB, { env: { WIRE_DENY: 'drop' } }),
      [listsIgnored('WIRE_DENY', 'a')],
    ],
    ['a list for MongoDB too', { env: { WIRE_DENY: 'drop', WIRE_MONGODB_DENY: 'drop' } }, []],
    ['a list of what is allowed', { env: { WIRE_DENY: 'drop', WIRE_MONGODB_ALLOW: 'find' } }, []],
    ['read-only access', { env: { WIRE_DENY: 'drop', WIRE_ACCESS: 'read-only' } }, []],
    ['no port for MongoDB', { env: { WIRE_DENY: 'drop', WIRE_MONGODB_PORT: 'off' } }, []],
    ['a list of MongoDB alone', { env: { WIRE_MONGODB_DENY: 'drop' } }, []],
  ])('say that SQL lists leave MongoDB open: %s', (_, world, warnings) => {
    expect(loadFrom(world).warnings).toEqual(warnings);
  });

  test('pass on what was noticed while texts were gathered', () => {
    const env = { POSTGRES_HOST: 'db', POSTGRES_PORT: 'tcp://10.0.0.1:5432' };
    expect(loadFrom({ env }).warnings).toEqual([
      'POSTGRES_PORT is ignored: its value is a service link that Kubernetes sets',
    ]);
  });
});
