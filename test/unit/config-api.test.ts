import { describe, expect, test } from '@jest/globals';
import type { ApiConfig } from '../../src/config-api.ts';
import { loadFrom, problemsOf } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

const HASH = '0f'.repeat(32);
const TOKENS = { API_TOKENS: `ci:write:${HASH}` };
const DSN = 'postgres://u:p@h/d';

const apiOf = (world: ConfigWorld): ApiConfig | undefined => loadFrom(world).api;

/** A world whose file has one listener with these lines. */
function withListener(lines: string, env: ConfigWorld['env'] = {}): ConfigWorld {
  const toml = `[[listeners]]\nname = "a"\nport = 6000\n${lines}`;
  return { env: { ...env, GATEPOST_CONFIG: 'a.toml' }, files: { 'a.toml': toml } };
}

describe('the REST API', () => {
  test('has what was set', () => {
    const env = {
      ...TOKENS,
      API_RATE_LIMIT: '0',
      API_TRUST_PROXY: '2',
      API_CORS_ORIGINS: 'https://a.test',
      API_METRICS: 'token',
      API_ALLOW: 'postgres/public.*',
      API_DENY: '*/audit.*',
      API_READ_ONLY: 'mongodb/shop.rates',
      POSTGRES_POOL_MAX: '1',
      POSTGRES_POOL_IDLE_TIMEOUT: '2s',
      POSTGRES_POOL_ACQUIRE_TIMEOUT: '3s',
      MONGODB_POOL_MAX: '4',
      MONGODB_POOL_IDLE_TIMEOUT: '5s',
      MONGODB_POOL_ACQUIRE_TIMEOUT: '6s',
    };
    expect(apiOf({ env })).toMatchObject({
      tokens: [{ name: 'ci', scope: 'write', sha256: HASH }],
      rateLimitPerMinute: 0,
      trustProxy: 2,
      isLoopbackOnly: false,
      corsOrigins: ['https://a.test'],
      isMetricsOpen: false,
      tables: {
        allow: ['postgres/public.*'],
        deny: ['*/audit.*'],
        readOnly: ['mongodb/shop.rates'],
      },
      postgres: { pool: { connectionsMax: 1, idleTimeoutMs: 2000, acquireTimeoutMs: 3000 } },
      mongodb: { pool: { connectionsMax: 4, idleTimeoutMs: 5000, acquireTimeoutMs: 6000 } },
    });
  });

  test('takes its tokens from a file, and lists of the TOML file', () => {
    const env = { API_TOKENS_FILE: 'tokens', GATEPOST_CONFIG: 'a.toml' };
    const toml = 'api_deny = ["*/audit.*", "*/x.y"]\napi_rate_limit = 7';
    const files = { tokens: `# people\nme:admin:${HASH}\n`, 'a.toml': toml };
    expect(apiOf({ env, files })).toMatchObject({
      tokens: [{ name: 'me', scope: 'admin' }],
      tables: { deny: ['*/audit.*', '*/x.y'] },
      rateLimitPerMinute: 7,
    });
  });

  test('has smaller pools in development than in production, unless they are set', () => {
    const small = { connectionsMax: 5, idleTimeoutMs: 10_000, acquireTimeoutMs: 5000 };
    const large = { connectionsMax: 20, idleTimeoutMs: 60_000, acquireTimeoutMs: 10_000 };
    const poolsOf = (env: ConfigWorld['env'] = {}): unknown[] => {
      const api = apiOf({ env });
      return [api?.postgres?.pool, api?.mongodb?.pool];
    };
    expect(poolsOf()).toEqual([small, small]);
    expect(poolsOf({ NODE_ENV: 'test' })).toEqual([small, small]);
    expect(poolsOf({ NODE_ENV: 'production' })).toEqual([large, large]);
    expect(poolsOf({ NODE_ENV: 'PRODUCTION', MONGODB_POOL_MAX: '3' })).toEqual([
      large,
      { ...large, connectionsMax: 3 },
    ]);
  });

  test('has the limits and policies of a listener that has none of its own', () => {
    const env = {
      WIRE_UPSTREAM_DSN: DSN,
      MONGODB_URI: 'mongodb://h',
      WIRE_MAX_ROWS: '4',
      WIRE_MAX_BYTES: '5kB',
      WIRE_QUERY_TIMEOUT: '3s',
      WIRE_ON_LIMIT: 'truncate',
      WIRE_IDLE_TIMEOUT: '2m',
      WIRE_ALLOW: 'select',
      WIRE_DENY: 'drop',
      WIRE_MONGODB_DENY: '$out',
      WIRE_MONGODB_JAVASCRIPT: 'true',
      WIRE_ACCESS: 'read-only',
    };
    const { api, listeners } = loadFrom({ env });
    const [postgres, mongodb] = listeners;
    expect(api?.postgres).toMatchObject({
      upstreamDsn: DSN,
      limits: postgres?.limits,
      policy: postgres?.policy,
      idleTimeoutMs: 120_000,
    });
    expect(api?.mongodb).toMatchObject({
      mongodbUri: 'mongodb://h',
      limits: mongodb?.limits,
      policy: mongodb?.policy,
    });
    expect(api?.mongodb?.policy.isJavaScriptAllowed).toBe(true);
  });

  test('takes no limit and no policy from a listener', () => {
    const { api } = loadFrom(
      withListener('max_rows = 3\naccess = "read-only"\ndeny = ["copy"]', { POSTGRES_HOST: 'db' }),
    );
    expect(api?.postgres).toMatchObject({
      upstreamDsn: 'postgresql://postgres@db:5432',
      limits: { rowsMax: 10_000 },
      policy: { access: 'read-write', deny: [] },
    });
  });

  const off = { WIRE_POSTGRES_PORT: 'off', WIRE_MONGODB_PORT: 'off' };
  const embedded = 'embedded';

  test.each<[string, ConfigWorld, string | undefined, string | undefined]>([
    ['nothing is configured', {}, embedded, embedded],
    ['there is no listener', { env: off }, undefined, undefined],
    [
      'there is an upstream and no listener',
      { env: { ...off, WIRE_UPSTREAM_DSN: DSN } },
      DSN,
      undefined,
    ],
    [
      'there is a URI and no listener',
      { env: { ...off, MONGODB_URI: 'mongodb://h' } },
      undefined,
      'mongodb://h',
    ],
    ['one listener is off', { env: { WIRE_MONGODB_PORT: 'off' } }, embedded, undefined],
    [
      'a listener has the embedded MongoDB',
      withListener('backend = "mongodb"'),
      undefined,
      embedded,
    ],
    [
      'listeners have upstreams of their own',
      withListener(`upstream_dsn = "${DSN}"`),
      undefined,
      undefined,
    ],
    [
      'a listener has another upstream',
      withListener(`upstream_dsn = "${DSN}"`, { WIRE_UPSTREAM_DSN: 'postgres://x/y' }),
      'postgres://x/y',
      undefined,
    ],
  ])('has these databases where %s', (_, world, postgres, mongodb) => {
    const api = apiOf(world);
    const name = (config: object | undefined, upstream: string | undefined): string | undefined =>
      config && (upstream ?? embedded);
    expect(name(api?.postgres, api?.postgres?.upstreamDsn)).toBe(postgres);
    expect(name(api?.mongodb, api?.mongodb?.mongodbUri)).toBe(mongodb);
  });

  test.each<[string, ConfigWorld['env'], boolean]>([
    ['loopback', {}, true],
    ['localhost', { HOST: 'localhost' }, true],
    ['IPv6 loopback', { HOST: '::1' }, true],
    ['an address of the network', { HOST: '10.0.0.7' }, false],
    ['a proxy in front of loopback', { API_TRUST_PROXY: '1' }, false],
    ['a proxy by its address', { API_TRUST_PROXY: 'loopback' }, false],
  ])('says whether only this machine asks: %s', (_, env, isLoopbackOnly) => {
    const world = { env: { WIRE_AUTH: 'accounts', ...env } };
    expect(apiOf(world)?.isLoopbackOnly).toBe(isLoopbackOnly);
  });

  test('is not there when it is off, nor for pgwire-proxy', () => {
    expect(apiOf({ env: { API: 'OFF', ...TOKENS } })).toBeUndefined();
    expect(apiOf({ command: 'pgwire-proxy', env: { POSTGRES_HOST: 'db' } })).toBeUndefined();
  });
});

describe('the start is refused', () => {
  const howTo = 'set API_TOKENS (gatepost token NAME makes one), or ACCOUNTS=on';
  const beyond = (host: string): string =>
    `HOST is "${host}", and the REST API has neither tokens nor accounts: whoever reaches the ` +
    `port could read and change the databases; ${howTo}, or API=off, or HOST=127.0.0.1`;
  const proxied =
    'API_TRUST_PROXY says that a proxy brings requests from elsewhere, and the REST API has ' +
    `neither tokens nor accounts: ${howTo}, or API=off, or API_TRUST_PROXY=0`;
  const metrics = `API_METRICS is token, and there are none: ${howTo}, or API_METRICS=open`;
  const metricsOff =
    'API_METRICS is token, and API is off, which takes no tokens: set API=on, or API_METRICS=open';

  test.each<[string, ConfigWorld['env'], readonly string[]]>([
    ['beyond loopback without tokens', { HOST: '0.0.0.0' }, [beyond('0.0.0.0')]],
    ['on every IPv6 address without tokens', { HOST: '::' }, [beyond('::')]],
    ['on a name without tokens', { HOST: 'db.internal' }, [beyond('db.internal')]],
    ['behind a proxy without tokens', { API_TRUST_PROXY: '1' }, [proxied]],
    ['behind proxies by address without tokens', { API_TRUST_PROXY: 'loopback' }, [proxied]],
    ['with metrics by token without tokens', { API_METRICS: 'token' }, [metrics]],
    [
      'with metrics by token and the API off',
      { API_METRICS: 'token', API: 'off', ...TOKENS },
      [metricsOff],
    ],
    [
      'for all reasons at once',
      { HOST: '0.0.0.0', API_METRICS: 'token', API_TRUST_PROXY: '1' },
      [metrics, beyond('0.0.0.0'), proxied],
    ],
  ])('%s', (_, env, problems) => {
    // Listeners beyond loopback have a test of their own, and accounts another.
    const world = { env: { ACCOUNTS: 'off', WIRE_ALLOW_INSECURE: 'true', ...env } };
    expect(problemsOf(world)).toEqual(problems);
  });

  test.each<[string, ConfigWorld]>([
    ['on loopback', {}],
    ['on localhost', { env: { HOST: 'localhost' } }],
    ['on IPv6 loopback', { env: { HOST: '::1' } }],
    ['with tokens', { env: { HOST: '0.0.0.0', API_TRUST_PROXY: '1', ...TOKENS } }],
    ['with the API off', { env: { HOST: '0.0.0.0', API: 'off', API_TRUST_PROXY: '1' } }],
    [
      'with accounts',
      { env: { ACCOUNTS: 'on', HOST: '::', API_TRUST_PROXY: '1', API_METRICS: 'token' } },
    ],
    [
      'by pgwire-proxy, which serves no HTTP',
      { command: 'pgwire-proxy', env: { HOST: '0.0.0.0', POSTGRES_HOST: 'db' } },
    ],
  ])('but not %s', (_, { env, ...world }) => {
    const open = { ACCOUNTS: 'off', WIRE_ALLOW_INSECURE: 'true', ...env };
    expect(problemsOf({ ...world, env: open })).toEqual([]);
  });

  test('with one line where the tokens themselves are refused', () => {
    const open = { HOST: '0.0.0.0', ACCOUNTS: 'off', WIRE_ALLOW_INSECURE: 'true' };
    expect(problemsOf({ env: { ...open, API_TOKENS: 'hunter2' } })).toEqual([
      expect.stringMatching(/^API_TOKENS is \*\*\* \(environment\): entry 1 is not name:scope/),
    ]);
    expect(problemsOf({ env: { ...open, API_TOKENS_FILE: 'none' } })).toEqual([
      'API_TOKENS_FILE is "none" (environment), which cannot be read: there is no such file',
    ]);
  });
});

describe('warnings', () => {
  const warningsOf = (env: ConfigWorld['env'] = {}): readonly string[] =>
    loadFrom({ env: { ...env, WIRE_ALLOW_INSECURE: 'true' } }).warnings.filter(
      (warning) => !warning.startsWith('Listener '),
    );

  const plain =
    'HTTP listens on 0.0.0.0 without TLS: credentials and rows cross the network in plain text; ' +
    'put a proxy that ends TLS in front of it, or set HOST to 127.0.0.1';
  const open =
    'Whoever reaches HTTP on 0.0.0.0 reads /metrics without a token; set API_METRICS=token where ' +
    'that is not meant';

  test.each<[string, ConfigWorld['env'], readonly string[]]>([
    ['loopback', TOKENS, []],
    ['loopback in production', { NODE_ENV: 'production' }, []],
    ['development beyond loopback', { HOST: '0.0.0.0', ...TOKENS }, [plain]],
    [
      'production beyond loopback',
      { HOST: '0.0.0.0', NODE_ENV: 'production', ...TOKENS },
      [plain, open],
    ],
    [
      'metrics by token',
      { HOST: '0.0.0.0', NODE_ENV: 'production', API_METRICS: 'token', ...TOKENS },
      [plain],
    ],
    ['the API off beyond loopback', { HOST: '0.0.0.0', API: 'off' }, []],
    [
      'settings of the API when it is off',
      { API: 'off', MONGODB_POOL_MAX: '3', POSTGRES_READINESS: 'optional', ...TOKENS },
      ['Ignored: API_TOKENS, MONGODB_POOL_MAX, because API is off'],
    ],
  ])('of %s', (_, env, warnings) => {
    expect(warningsOf(env)).toEqual(warnings);
  });

  test('are none for pgwire-proxy, which shares its environment with a service', () => {
    const env = { POSTGRES_HOST: 'db', POSTGRES_POOL_MAX: '3', ...TOKENS };
    expect(loadFrom({ command: 'pgwire-proxy', env }).warnings).toEqual([]);
  });
});
