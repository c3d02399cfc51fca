import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { describeConfig } from '../../src/config-report.ts';
import { notesOf, SETTING_NAMES } from '../../src/config-settings.ts';
import type { SettingName } from '../../src/config-settings.ts';
import { loadFrom, problemsOf } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

/** A value that each setting refuses; anything goes for the texts and paths but a NUL. */
const BAD: Readonly<Record<SettingName, string>> = {
  NODE_ENV: 'staging',
  HOST: 'a b',
  PORT: '70000',
  LOG_LEVEL: 'trace',
  AUDIT_FILE: 'a\0',
  SHUTDOWN_TIMEOUT: '10',
  GATEPOST_CONFIG: 'a\0',
  GATEPOST_DATA_DIR: 'a\0',
  WIRE_ENABLE_OTEL_METRICS: 'yes',
  POSTGRES_HOST: 'db:5432',
  POSTGRES_PORT: '0',
  POSTGRES_DB: 'a?b',
  POSTGRES_USER: 'a\0',
  POSTGRES_PASSWORD: 'hunter2\0',
  POSTGRES_PASSWORD_FILE: 'a\0',
  WIRE_UPSTREAM_DSN: 'postgres://u:hunter2@h:port/d',
  WIRE_UPSTREAM_DSN_FILE: 'a\0',
  POSTGRES_READINESS: 'maybe',
  WIRE_POSTGRES_PORT: 'none',
  WIRE_MAX_CONNECTIONS: '0',
  WIRE_IDLE_TIMEOUT: '25d',
  WIRE_ENABLE_TLS: 'on',
  WIRE_TLS_CERT: 'a\0',
  WIRE_TLS_KEY: 'a\0',
  WIRE_QUERY_TIMEOUT: '30',
  WIRE_MAX_ROWS: '10k',
  WIRE_MAX_BYTES: '100',
  WIRE_ON_LIMIT: 'stop',
  WIRE_ALLOW: 'select,,',
  WIRE_DENY: ',',
  WIRE_ACCESS: 'readonly',
  WIRE_MONGODB_ALLOW: 'find,,',
  WIRE_MONGODB_DENY: 'aggregate:out',
  WIRE_MONGODB_JAVASCRIPT: 'on',
  MONGODB_URI: 'mongodb://u:hunter2@/d',
  MONGODB_URI_FILE: 'a\0',
  MONGODB_READINESS: 'maybe',
  MONGOD_BINARY: 'a\0',
  WIRE_MONGODB_PORT: '-1',
  POSTGRES_SSLMODE: 'verify-ca',
  API: 'yes',
  API_TOKENS: 'ci:read:hunter2',
  API_TOKENS_FILE: 'a\0',
  API_RATE_LIMIT: '-1',
  API_TRUST_PROXY: 'true',
  API_CORS_ORIGINS: '*',
  API_METRICS: 'closed',
  API_ALLOW: 'public.orders',
  API_DENY: 'postgres/public',
  API_READ_ONLY: 'mongodb/shop.',
  POSTGRES_POOL_MAX: '0',
  POSTGRES_POOL_IDLE_TIMEOUT: '10',
  POSTGRES_POOL_ACQUIRE_TIMEOUT: '0s',
  MONGODB_POOL_MAX: '1001',
  MONGODB_POOL_IDLE_TIMEOUT: 'never',
  MONGODB_POOL_ACQUIRE_TIMEOUT: '25d',
  ACCOUNTS: 'yes',
  ACCOUNTS_DATABASE_URL: 'mysql://u:hunter2@h/d',
  ACCOUNTS_DATABASE_URL_FILE: 'a\0',
  ACCOUNTS_SCRAM_ITERATIONS: '4095',
  WIRE_AUTH: 'scram',
  WIRE_ALLOW_INSECURE: 'yes',
  SESSION_SECRET: 'hunter2',
  SESSION_SECRET_FILE: 'a\0',
  SESSION_IDLE_TIMEOUT: '30',
  SESSION_MAX_AGE: '25d',
  ACTIVITY: 'full',
  ACTIVITY_MONGODB_URI: 'mongodb://u:hunter2@/d',
  ACTIVITY_MONGODB_URI_FILE: 'a\0',
  ACTIVITY_RETENTION: '1ms',
  ACTIVITY_LOG_RETENTION: '3651d',
  IGGY_CONNECTORS_CONFIG_PATH: 'a\0',
};

describe('a bad value', () => {
  test.each(SETTING_NAMES)('of %s is told with key, value, source and what is accepted', (name) => {
    const value = BAD[name];
    const isSecret = notesOf(name).secret !== 'none';
    const problem = problemsOf({ flags: { [name]: value } }).find((each) =>
      each.includes('accepted is '),
    );
    const shown = isSecret ? '***' : JSON.stringify(value);
    expect(problem?.startsWith(`${name} is ${shown} (flag): `)).toBe(true);
    expect(problem?.endsWith(`accepted is ${notesOf(name).accepted}`)).toBe(true);
  });

  test('is told with the others, one a line, whatever they come from', () => {
    const problems = problemsOf({
      flags: { WIRE_MAX_BYTES: '100' },
      env: { PORT: 'http', WIRE_MAX_ROW: '1', GATEPOST_CONFIG: 'a.toml' },
      files: {
        '.env': 'WIRE_ACCESS=readonly',
        'a.toml': 'log_level = "trace"\n[[listeners]]\nname = "a"\nport = 1\nmax_rows = "x"',
      },
    });
    expect(problems).toEqual([
      expect.stringMatching(/^WIRE_MAX_ROW \(environment\) is not a setting/),
      expect.stringMatching(/^PORT is "http" \(environment\): /),
      expect.stringMatching(/^LOG_LEVEL is "trace" \(file\): /),
      expect.stringMatching(/^WIRE_MAX_BYTES is "100" \(flag\): /),
      expect.stringMatching(/^WIRE_ACCESS is "readonly" \(\.env\): /),
      expect.stringMatching(/^listener "a": max_rows is "x": accepted is /),
    ]);
    expect(problems.some((problem) => problem.includes('\n'))).toBe(false);
  });

  test('does not keep contradictions from being told in the same run', () => {
    const env = { WIRE_MAX_ROWS: 'x', WIRE_TLS_CERT: 'c.pem', POSTGRES_HOST: 'db' };
    const world = { env: { ...env, WIRE_UPSTREAM_DSN: 'postgres://h' }, files: { 'c.pem': '' } };
    expect(problemsOf(world)).toEqual([
      expect.stringMatching(/^WIRE_MAX_ROWS is "x"/),
      'POSTGRES_HOST and WIRE_UPSTREAM_DSN both name an upstream: keep one',
      'WIRE_TLS_CERT and WIRE_TLS_KEY belong together: give both or none',
    ]);
  });

  test('makes up no contradictions: a malformed upstream is still an upstream', () => {
    const world: ConfigWorld = { command: 'pgwire-proxy', env: { WIRE_UPSTREAM_DSN: 'x' } };
    expect(problemsOf(world)).toEqual([expect.stringMatching(/^WIRE_UPSTREAM_DSN is \*\*\* /)]);
  });
});

describe('a bad listener', () => {
  function problemsOfListener(...lines: string[]): readonly string[] {
    const toml = ['[[listeners]]', ...lines].join('\n');
    return problemsOf({ env: { GATEPOST_CONFIG: 'a.toml' }, files: { 'a.toml': toml } });
  }

  test.each([
    ['host = "a b"', 'host is "a b": accepted is an address or host name'],
    ['port = 70000', 'port is "70000": accepted is a port'],
    ['port = "off"', 'port is "off": accepted is a port'],
    ['backend = "mysql"', 'backend is "mysql": accepted is postgres or mongodb'],
    ['backend = "MongoDB"', 'backend is "MongoDB": accepted is postgres or mongodb'],
    ['readiness = "no"', 'readiness is "no": accepted is required or optional'],
    ['max_connections = 0', 'max_connections is "0": accepted is a whole number'],
    ['query_timeout = 30', 'query_timeout is "30": a bare number does not say its unit; accepted'],
    ['idle_timeout = "0s"', 'idle_timeout is "0s": accepted is a whole number with ms'],
    ['max_rows = -1', 'max_rows is "-1": accepted is a whole number'],
    ['max_bytes = 5', 'max_bytes is "5": a bare number does not say its unit; accepted is'],
    ['on_limit = "stop"', 'on_limit is "stop": accepted is error or truncate'],
    ['access = "none"', 'access is "none": accepted is read-write or read-only'],
    ['allow = ["a", ""]', 'allow is "a,": an entry is empty; accepted is statement kinds'],
    ['upstream_dsn = "mysql://hunter2@h"', 'upstream_dsn is ***: it does not begin with'],
  ])('is told its name, key, value and what is accepted: %s', (line, start) => {
    const port = line.startsWith('port') ? '' : 'port = 1';
    const problems = problemsOfListener('name = "a"', port, line);
    expect(problems).toEqual([expect.stringContaining(`listener "a": ${start}`)]);
  });

  test.each([
    ['javascript = "on"', 'javascript is "on": accepted is true or false'],
    ['readiness = "no"', 'readiness is "no": accepted is required or optional'],
    ['allow = ["find", ""]', 'allow is "find,": an entry is empty; accepted is commands'],
    ['deny = ["drop table"]', 'deny is "drop table": an entry is neither a command nor a stage'],
    ['mongodb_uri = "mysql://hunter2@h"', 'mongodb_uri is ***: it does not begin with'],
    ['mongodb_uri = "mongodb://u:hunter2@"', 'mongodb_uri is ***: it names no host'],
    ['max_rows = -1', 'max_rows is "-1": accepted is a whole number'],
  ])('of MongoDB is told as much: %s', (line, start) => {
    const problems = problemsOfListener('name = "a"', 'port = 1', 'backend = "mongodb"', line);
    expect(problems).toEqual([expect.stringContaining(`listener "a": ${start}`)]);
  });

  test('of no backend that we know is told nothing of the keys that it might have', () => {
    const lines = ['backend = "mysql"', 'mongodb_uri = "mongodb://h"', 'upstream_dsn = "x"'];
    expect(problemsOfListener('name = "a"', 'port = 1', ...lines)).toEqual([
      'listener "a": backend is "mysql": accepted is postgres or mongodb',
    ]);
  });

  test('is told what it lacks', () => {
    expect(problemsOfListener()).toEqual([
      'listener 1 of the file: name is missing',
      'listener 1 of the file: port is missing',
    ]);
  });

  test('is told when its name is not one', () => {
    expect(problemsOfListener('name = "My DB"', 'port = 1')).toEqual([
      'listener "My DB": name is "My DB": accepted is 1 to 63 of a to z, 0 to 9 and -',
    ]);
  });
});

describe('a secret', () => {
  /** Every place that takes one, with a text that holds it; some of them do not belong there. */
  function placesOf(secret: string): ConfigWorld[] {
    const dsn = `postgres://user:${secret}@host/db`;
    const uri = `mongodb://user:${secret}@host,other:2/db`;
    const toml = `[[listeners]]\nname = "a"\nport = 1\nupstream_dsn = ${JSON.stringify(dsn)}`;
    const mongodbToml = `[[listeners]]\nname = "a"\nport = 1\nbackend = "mongodb"
      mongodb_uri = ${JSON.stringify(uri)}`;
    return [
      { env: { POSTGRES_PASSWORD: secret } },
      { env: { POSTGRES_PASSWORD: secret, POSTGRES_HOST: 'db' } },
      { env: { POSTGRES_PASSWORD_FILE: 'pw', POSTGRES_HOST: 'db' }, files: { pw: secret } },
      { env: { WIRE_UPSTREAM_DSN: dsn } },
      { env: { WIRE_UPSTREAM_DSN: `${dsn}?password=${encodeURIComponent(secret)}` } },
      { env: { WIRE_UPSTREAM_DSN_FILE: 'dsn' }, files: { dsn } },
      { env: { MONGODB_URI: uri } },
      { env: { MONGODB_URI: uri.replace('host,other:2', 'host').replace('b:', 'b+srv:') } },
      { env: { MONGODB_URI: `mongodb://h/?proxyPassword=${encodeURIComponent(secret)}` } },
      { env: { MONGODB_URI: uri, HOST: '0.0.0.0', WIRE_MONGODB_PORT: 'off', API: 'off' } },
      { env: { API_TOKENS: secret } },
      { env: { API_TOKENS: `ci:read:${secret}` } },
      { env: { API_TOKENS: `ci:${secret}:${'0'.repeat(64)}` } },
      { env: { API_TOKENS_FILE: 'tokens' }, files: { tokens: `# ${secret}\n${secret}` } },
      { env: { POSTGRES_PASSWORD: secret, POSTGRES_HOST: 'db', POSTGRES_SSLMODE: 'require' } },
      { env: { MONGODB_URI_FILE: 'uri' }, files: { uri } },
      { env: { MONGODB_URI_FILE: uri } },
      { flags: { MONGODB_URI: uri } },
      { env: { MONGODB_READINESS: uri } },
      { env: { MONGOD_BINARY: uri, WIRE_MONGODB_PORT: uri } },
      { env: { WIRE_MONGODB_ALLOW: uri } },
      { env: { GATEPOST_CONFIG: 'a.toml' }, files: { 'a.toml': mongodbToml } },
      {
        env: { GATEPOST_CONFIG: 'a.toml' },
        files: { 'a.toml': mongodbToml.replace('mongodb_uri', 'mongodb_uri_file') },
      },
      {
        env: { GATEPOST_CONFIG: 'a.toml' },
        files: { 'a.toml': mongodbToml.replace('"mongodb"', '"postgres"') },
      },
      { env: { POSTGRES_HOST: dsn } },
      { env: { HOST: dsn } },
      { env: { PORT: dsn } },
      { env: { WIRE_UPSTREAM_DSN_FILE: dsn } },
      { env: { GATEPOST_CONFIG: dsn } },
      { flags: { WIRE_UPSTREAM_DSN: dsn, POSTGRES_PASSWORD: secret, POSTGRES_HOST: dsn } },
      { env: { GATEPOST_CONFIG: 'a.toml' }, files: { 'a.toml': toml } },
      { env: { GATEPOST_CONFIG: 'a.toml' }, files: { 'a.toml': `${toml} x` } },
      {
        env: { GATEPOST_CONFIG: 'a.toml' },
        files: { 'a.toml': toml.replace('upstream_dsn', 'upstream_dsn_file') },
      },
    ];
  }

  /** Everything that a world makes us say: why it does not start, or what it runs with. */
  function outputOf(world: ConfigWorld): string {
    const problems = problemsOf(world);
    return problems.length > 0 ? problems.join('\n') : describeConfig(loadFrom(world)).join('\n');
  }

  test('is in no error and in no report, wherever it is put and whatever it consists of', () => {
    const odd = fc.string({
      unit: fc.constantFrom(...Array.from('@/?#:%&= "\\\n\u00e9')),
      maxLength: 5,
    });
    fc.assert(
      fc.property(odd, odd, (first, second) => {
        // Digits in front, because they could pass for a port.
        const secret = `98765${first}S3CR3T${second}`;
        const outputs = placesOf(secret).map(outputOf);
        expect(outputs.join('\n')).not.toMatch(/98765|S3CR3T/);
      }),
    );
  });

  test('is what makes these worlds differ: each of them says something', () => {
    expect(placesOf('x').map((world) => outputOf(world).length > 0)).not.toContain(false);
  });
});
