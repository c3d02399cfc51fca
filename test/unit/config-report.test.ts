import { describe, expect, test } from '@jest/globals';
import { describeConfig } from '../../src/config-report.ts';
import { SETTING_NAMES } from '../../src/config-settings.ts';
import { loadFrom } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

/** The report without its padding: a setting or key, its value, its source. */
function report(world: ConfigWorld): string[] {
  return describeConfig(loadFrom(world)).map((line) => line.trim().replace(/ {2,}/g, ' | '));
}

describe('describeConfig', () => {
  test('shows a plain start', () => {
    expect(report({}).slice(SETTING_NAMES.length + 1)).toEqual([
      '',
      'HTTP 127.0.0.1:3000',
      '',
      'REST API',
      'tokens | none needed until there is an account',
      'rate_limit | 6000 a minute',
      'trust_proxy | 0',
      'cors_origins | none',
      'metrics | open',
      'allow | all',
      'deny | none',
      'read_only | none',
      'postgres | embedded PostgreSQL, data in /srv/gatepost/.gatepost',
      'postgres_access | read-write',
      'postgres_pool | 5 connections, idle 10s, acquire 5s',
      'mongodb | embedded MongoDB, data in /srv/gatepost/.gatepost',
      'mongodb_access | read-write',
      'mongodb_pool | 5 connections, idle 10s, acquire 5s',
      '',
      'Accounts',
      'database | embedded PostgreSQL, data in /srv/gatepost/.gatepost',
      'scram_iterations | 65536',
      'sessions | idle 30m, at most 12h',
      'session_secret | kept with the accounts',
      'session_cookie | with TLS or without',
      '',
      'Activity, sessions and cache',
      'database | embedded MongoDB, data in /srv/gatepost/.gatepost',
      'activity | for 30d',
      'log | for 7d',
      '',
      'Listener postgres',
      'address | 127.0.0.1:5433',
      'backend | postgres',
      'upstream | embedded PostgreSQL, data in /srv/gatepost/.gatepost',
      'readiness | required',
      'auth | none',
      'tls | off',
      'max_connections | 100',
      'idle_timeout | 15m',
      'query_timeout | 30s',
      'max_rows | 10000',
      'max_bytes | 104857600 bytes',
      'on_limit | error',
      'allow | all',
      'deny | none',
      'access | read-write',
      '',
      'Listener mongodb',
      'address | 127.0.0.1:5434',
      'backend | mongodb',
      'upstream | embedded MongoDB, data in /srv/gatepost/.gatepost',
      'readiness | optional',
      'auth | none',
      'tls | off',
      'max_connections | 100',
      'idle_timeout | 15m',
      'query_timeout | 30s',
      'max_rows | 10000',
      'max_bytes | 104857600 bytes',
      'on_limit | error',
      'allow | all',
      'deny | none',
      'access | read-write',
      'javascript | false',
    ]);
  });

  test('shows every setting once, with its default', () => {
    const lines = report({}).slice(1, SETTING_NAMES.length + 1);
    expect(lines.map((line) => line.split(' | ')[0])).toEqual(SETTING_NAMES);
    expect(lines).toContain('WIRE_MAX_ROWS | 10000 | default');
    expect(lines).toContain('POSTGRES_HOST | unset | default');
  });

  test.each([
    ['development', '5 | default in development (20 in production)'],
    ['production', '20 | default in production (5 in development)'],
    ['Production', '20 | default in production (5 in development)'],
    ['test', '5 | default in test (20 in production)'],
  ])('shows both defaults where NODE_ENV decides: %s', (environment, shown) => {
    const lines = report({ env: { NODE_ENV: environment } });
    expect(lines).toContain(`POSTGRES_POOL_MAX | ${shown}`);
    expect(lines).toContain('WIRE_MAX_ROWS | 10000 | default');
  });

  test('shows the REST API with everything resolved, tokens and passwords masked', () => {
    const hash = '0f'.repeat(32);
    const lines = report({
      env: {
        NODE_ENV: 'production',
        API_TOKENS: `ci:write:${hash} grafana:read:${'1f'.repeat(32)}`,
        API_RATE_LIMIT: '0',
        API_TRUST_PROXY: '10.0.0.0/8, loopback',
        API_CORS_ORIGINS: 'https://app.example.com',
        API_METRICS: 'token',
        API_ALLOW: 'postgres/public.*',
        API_DENY: '*/audit.*,*/x.y',
        API_READ_ONLY: 'postgres/public.rates',
        WIRE_UPSTREAM_DSN: 'postgres://app:hunter2@db/orders',
        WIRE_MONGODB_PORT: 'off',
        WIRE_ACCESS: 'read-only',
        POSTGRES_POOL_MAX: '7',
      },
    });
    const start = lines.indexOf('REST API');
    expect(lines.slice(start, lines.indexOf('', start))).toEqual([
      'REST API',
      'tokens | ci (write), grafana (read)',
      'rate_limit | none',
      'trust_proxy | 10.0.0.0/8, loopback',
      'cors_origins | https://app.example.com',
      'metrics | token',
      'allow | postgres/public.*',
      'deny | */audit.*, */x.y',
      'read_only | postgres/public.rates',
      'postgres | postgres://app:***@db/orders',
      'postgres_access | read-only',
      'postgres_pool | 7 connections, idle 1m, acquire 10s',
      'mongodb | none',
    ]);
    expect(lines.join()).not.toContain(hash);
    expect(lines).toContain('API_TOKENS | *** | environment');
  });

  test('says that the REST API is off, and nothing of it where there is no HTTP', () => {
    expect(report({ env: { API: 'off' } })).toContain('REST API off');
    const proxy = report({ command: 'pgwire-proxy', env: { POSTGRES_HOST: 'db' } });
    expect(proxy.filter((line) => line.startsWith('REST'))).toEqual([]);
  });

  test('shows where each value came from', () => {
    const lines = report({
      flags: { WIRE_MAX_ROWS: '5', GATEPOST_CONFIG: 'a.toml' },
      env: { PORT: '0', POSTGRES_PASSWORD_FILE: 'pw', POSTGRES_HOST: 'db' },
      files: { '.env': 'LOG_LEVEL=debug', 'a.toml': 'wire_deny = ["drop", "copy"]', pw: 'x' },
    });
    expect(lines).toEqual(
      expect.arrayContaining([
        'WIRE_MAX_ROWS | 5 | flag',
        'PORT | 0 | environment',
        'LOG_LEVEL | debug | .env',
        'WIRE_DENY | drop,copy | file',
        'POSTGRES_PASSWORD | *** | POSTGRES_PASSWORD_FILE',
        'POSTGRES_PASSWORD_FILE | pw | environment',
        'HTTP 127.0.0.1:any free port',
      ]),
    );
  });

  test('shows listeners with everything resolved, passwords masked', () => {
    const toml = `
      [[listeners]]
      name = "orders"
      port = 6000
      host = "::1"
      upstream_dsn = "postgres://app:hunter2@db:5432/orders?sslpassword=hunter2"
      readiness = "optional"
      tls_cert = "c.pem"
      tls_key = "k.pem"
      max_connections = 3
      idle_timeout = "90s"
      query_timeout = "1500ms"
      max_rows = 1_000
      max_bytes = "1kB"
      on_limit = "truncate"
      allow = ["select", "show"]
      deny = ["create  table"]
      access = "read-only"`;
    const files = { 'a.toml': toml, 'c.pem': '', 'k.pem': '' };
    const lines = report({ env: { GATEPOST_CONFIG: 'a.toml' }, files });
    expect(lines.slice(lines.indexOf('Listener orders'))).toEqual([
      'Listener orders',
      'address | [::1]:6000',
      'backend | postgres',
      'upstream | postgres://app:***@db:5432/orders?sslpassword=***',
      'readiness | optional',
      'auth | none',
      'tls | /srv/gatepost/c.pem /srv/gatepost/k.pem',
      'max_connections | 3',
      'idle_timeout | 90s',
      'query_timeout | 1500ms',
      'max_rows | 1000',
      'max_bytes | 1024 bytes',
      'on_limit | truncate',
      'allow | SELECT, SHOW',
      'deny | CREATE TABLE',
      'access | read-only',
    ]);
  });

  test('shows a MongoDB listener with everything resolved, passwords masked', () => {
    const toml = `
      [[listeners]]
      name = "events"
      port = 6000
      backend = "mongodb"
      mongodb_uri = "mongodb://app:hunter2@a:1,b:2/events?tlsCertificateKeyFilePassword=hunter2"
      readiness = "optional"
      allow = ["find", "aggregate"]
      deny = ["$out", "aggregate:$merge"]
      access = "read-only"
      javascript = true`;
    const files = { 'a.toml': toml };
    const lines = report({ env: { GATEPOST_CONFIG: 'a.toml' }, files });
    expect(lines.slice(lines.indexOf('Listener events'))).toEqual([
      'Listener events',
      'address | 127.0.0.1:6000',
      'backend | mongodb',
      'upstream | mongodb://app:***@a:1,b:2/events?tlsCertificateKeyFilePassword=***',
      'readiness | optional',
      'auth | none',
      'tls | off',
      'max_connections | 100',
      'idle_timeout | 15m',
      'query_timeout | 30s',
      'max_rows | 10000',
      'max_bytes | 104857600 bytes',
      'on_limit | error',
      'allow | find, aggregate',
      'deny | $out, aggregate:$merge',
      'access | read-only',
      'javascript | true',
    ]);
  });

  test.each([
    ['1ms', '1ms'],
    ['1000ms', '1s'],
    ['60s', '1m'],
    ['61s', '61s'],
    ['120m', '2h'],
    ['48h', '2d'],
    ['25h', '25h'],
  ])('shows the duration %s as %s', (text, shown) => {
    expect(report({ env: { WIRE_QUERY_TIMEOUT: text } })).toContain(`query_timeout | ${shown}`);
  });

  test('masks the upstream that is composed of its parts', () => {
    const env = { POSTGRES_HOST: 'db', POSTGRES_USER: 'a@b', POSTGRES_PASSWORD: 'hunter/2' };
    const lines = report({ env });
    expect(lines).toContain('upstream | postgresql://a%40b:***@db:5432');
    expect(lines.join()).not.toMatch(/hunter/);
  });

  test('says that HTTP is off', () => {
    const config = loadFrom({ command: 'pgwire-proxy', env: { POSTGRES_HOST: 'db' } });
    expect(describeConfig(config)).toContain('HTTP off');
  });

  test('ends with the warnings', () => {
    const lines = report({ env: { MONGOD_BINARY: 'm', MONGODB_URI: 'mongodb://h' } });
    expect(lines.slice(-3)).toEqual([
      '',
      'Warnings',
      'MONGOD_BINARY is ignored, because no listener uses the embedded MongoDB',
    ]);
  });

  test('keeps a value with line breaks on its line', () => {
    const env = { AUDIT_FILE: 'a\n  PORT  1  flag', WIRE_DENY: 'drop\u001b[2J' };
    const lines = report({ env });
    expect(lines).toContain('AUDIT_FILE | "a\\n | PORT | 1 | flag" | environment');
    expect(lines.join('\n')).not.toContain('\u001b');
  });
});
