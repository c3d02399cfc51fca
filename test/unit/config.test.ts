import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { ConfigError } from '../../src/config-problems.ts';
import { SETTING_NAMES } from '../../src/config-settings.ts';
import type { SettingName } from '../../src/config-settings.ts';
import { loadConfig, readSystemInputs } from '../../src/config.ts';
import { createSystem, loadFrom } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

describe('loadConfig', () => {
  test('gives the promised defaults', () => {
    const { settings, ...config } = loadFrom({});
    expect(config).toEqual({
      environment: 'development',
      http: { host: '127.0.0.1', port: 3000 },
      api: {
        tokens: [],
        rateLimitPerMinute: 6000,
        trustProxy: 0,
        isLoopbackOnly: true,
        corsOrigins: [],
        isMetricsOpen: true,
        tables: { allow: [], deny: [], readOnly: [] },
        postgres: {
          isRequired: true,
          upstreamDsn: undefined,
          limits: {
            rowsMax: 10_000,
            bytesMax: 104_857_600,
            queryTimeoutMs: 30_000,
            onLimit: 'error',
          },
          policy: { allow: [], deny: [], access: 'read-write' },
          idleTimeoutMs: 900_000,
          pool: { connectionsMax: 5, idleTimeoutMs: 10_000, acquireTimeoutMs: 5000 },
        },
        mongodb: {
          isRequired: false,
          mongodbUri: undefined,
          limits: {
            rowsMax: 10_000,
            bytesMax: 104_857_600,
            queryTimeoutMs: 30_000,
            onLimit: 'error',
          },
          policy: { allow: [], deny: [], access: 'read-write', isJavaScriptAllowed: false },
          pool: { connectionsMax: 5, idleTimeoutMs: 10_000, acquireTimeoutMs: 5000 },
        },
      },
      listeners: [
        {
          name: 'postgres',
          backend: 'postgres',
          host: '127.0.0.1',
          port: 5433,
          upstreamDsn: undefined,
          isRequired: true,
          tls: undefined,
          auth: 'none',
          connectionsMax: 100,
          idleTimeoutMs: 900_000,
          limits: {
            rowsMax: 10_000,
            bytesMax: 104_857_600,
            queryTimeoutMs: 30_000,
            onLimit: 'error',
          },
          policy: { allow: [], deny: [], access: 'read-write' },
        },
        {
          name: 'mongodb',
          backend: 'mongodb',
          host: '127.0.0.1',
          port: 5434,
          mongodbUri: undefined,
          isRequired: false,
          tls: undefined,
          auth: 'none',
          connectionsMax: 100,
          idleTimeoutMs: 900_000,
          limits: {
            rowsMax: 10_000,
            bytesMax: 104_857_600,
            queryTimeoutMs: 30_000,
            onLimit: 'error',
          },
          policy: { allow: [], deny: [], access: 'read-write', isJavaScriptAllowed: false },
        },
      ],
      accounts: {
        databaseUrl: undefined,
        isShared: false,
        scramIterations: 65_536,
        sessions: {
          secrets: undefined,
          idleTimeoutMs: 1_800_000,
          maxAgeMs: 43_200_000,
          isTlsRequired: false,
        },
      },
      store: {
        mongodbUri: undefined,
        isShared: true,
        isRecording: true,
        activityRetentionMs: 2_592_000_000,
        logRetentionMs: 604_800_000,
      },
      dataDirectory: '/srv/gatepost/.gatepost',
      mongodBinary: undefined,
      shutdownTimeoutMs: 10_000,
      auditFile: undefined,
      logLevel: 'info',
      isOtelMetricsEnabled: false,
      warnings: [],
    });
    expect(settings.map(({ name }) => name)).toEqual(SETTING_NAMES);
    expect(settings.every(({ source }) => /^default\b/.test(source))).toBe(true);
  });

  test('gives what was set', () => {
    const config = loadFrom({
      env: {
        NODE_ENV: 'production',
        HOST: '0.0.0.0',
        WIRE_ALLOW_INSECURE: 'true',
        PORT: '8080',
        LOG_LEVEL: 'warn',
        AUDIT_FILE: 'log/audit.jsonl',
        SHUTDOWN_TIMEOUT: '1m',
        GATEPOST_DATA_DIR: '/var/lib/gatepost',
        WIRE_ENABLE_OTEL_METRICS: 'true',
      },
    });
    expect(config).toMatchObject({
      environment: 'production',
      http: { host: '0.0.0.0', port: 8080 },
      logLevel: 'warn',
      auditFile: '/srv/gatepost/log/audit.jsonl',
      shutdownTimeoutMs: 60_000,
      dataDirectory: '/var/lib/gatepost',
      isOtelMetricsEnabled: true,
    });
    expect(config.listeners[0]?.host).toBe('0.0.0.0');
  });

  test('leaves standard output as the place of the audit', () => {
    expect(loadFrom({ env: { AUDIT_FILE: '-' } }).auditFile).toBe('-');
  });

  test.each([
    ['bin/mongod', '/srv/gatepost/bin/mongod'],
    ['/usr/bin/mongod', '/usr/bin/mongod'],
  ])('gives the program of the embedded MongoDB as an absolute path: %s', (file, absolute) => {
    expect(loadFrom({ env: { MONGOD_BINARY: file } }).mongodBinary).toBe(absolute);
  });

  test('gives pgwire-proxy one listener and no HTTP', () => {
    const flags = { WIRE_UPSTREAM_DSN: 'postgres://u:p@h/d', WIRE_POSTGRES_PORT: '6000' };
    const config = loadFrom({ command: 'pgwire-proxy', flags, env: { PORT: '6000' } });
    expect(config.http).toBeUndefined();
    expect(config.api).toBeUndefined();
    expect(config.listeners).toHaveLength(1);
    expect(config.listeners[0]).toMatchObject({ port: 6000, upstreamDsn: 'postgres://u:p@h/d' });
  });

  test('composes the upstream so that pg finds its parts again', () => {
    const env = {
      POSTGRES_HOST: '/var/run/postgresql',
      POSTGRES_PORT: '6432',
      POSTGRES_DB: 'my db',
      POSTGRES_USER: 'app@corp',
      POSTGRES_PASSWORD: 'p@ss:w/o?r#d% ',
    };
    const listener = loadFrom({ env }).listeners.find((each) => each.backend === 'postgres');
    const connectionString = listener?.upstreamDsn;
    expect(connectionString).toBeDefined();
    expect(new pg.Client({ connectionString })).toMatchObject({
      host: '/var/run/postgresql',
      port: 6432,
      database: 'my db',
      user: 'app@corp',
      password: 'p@ss:w/o?r#d% ',
    });
  });

  test.each([
    ['require', { rejectUnauthorized: false }],
    ['verify-full', {}],
    ['disable', undefined],
  ])('composes the upstream with TLS as libpq means it: %s', (mode, ssl) => {
    const env = { POSTGRES_HOST: 'db', POSTGRES_DB: 'd', POSTGRES_SSLMODE: mode };
    const [listener] = loadFrom({ env }).listeners;
    const dsn = listener?.backend === 'postgres' ? listener.upstreamDsn : undefined;
    expect(parseIntoClientConfig(dsn ?? '').ssl).toEqual(ssl);
    expect(parseIntoClientConfig(dsn ?? '')).toMatchObject({ host: 'db', database: 'd' });
  });

  test('names the user postgres and no database where only the host is given', () => {
    const { listeners } = loadFrom({ env: { POSTGRES_HOST: 'db' } });
    expect(listeners[0]).toMatchObject({ upstreamDsn: 'postgresql://postgres@db:5432' });
  });

  test('is frozen in every part', () => {
    const config = loadFrom({ env: { WIRE_DENY: 'drop' } });
    const unfrozen: unknown[] = [];
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) {
        return;
      }
      unfrozen.push(...(Object.isFrozen(value) ? [] : [value]));
      Object.values(value).forEach(visit);
    };
    visit(config);
    expect(unfrozen).toEqual([]);
  });

  test('throws one error with a line for each problem', () => {
    const env = { PORT: 'x', WIRE_MAX_ROWS: '0' };
    const load = (): unknown => loadFrom({ env });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/^PORT is "x" .*\nWIRE_MAX_ROWS is "0" .*$/);
  });

  test('leaves its inputs as they were', () => {
    const env = Object.freeze({ PORT: '1', POSTGRES_PASSWORD_FILE: 'pw' });
    const system = createSystem({ env, files: { pw: 'secret' } });
    const inputs = Object.freeze({ ...system, command: 'serve', argvSettings: Object.freeze({}) });
    expect(loadConfig({ ...inputs, command: 'serve' }).http?.port).toBe(1);
    expect(env).toEqual({ PORT: '1', POSTGRES_PASSWORD_FILE: 'pw' });
  });
});

describe('a setting of MongoDB', () => {
  const SETTINGS: readonly (readonly [SettingName, string, object])[] = [
    ['WIRE_MONGODB_PORT', '6434', { port: 6434 }],
    ['MONGODB_URI', 'mongodb://h/d', { mongodbUri: 'mongodb://h/d', isRequired: true }],
    ['MONGODB_URI_FILE', 'uri', { mongodbUri: 'mongodb://u:p@a:1,b:2', isRequired: true }],
    ['MONGODB_READINESS', 'required', { mongodbUri: undefined, isRequired: true }],
    ['WIRE_MONGODB_ALLOW', 'find,$match', { policy: { allow: ['find', '$match'] } }],
    ['WIRE_MONGODB_DENY', 'drop', { policy: { deny: ['drop'] } }],
    ['WIRE_MONGODB_JAVASCRIPT', 'true', { policy: { isJavaScriptAllowed: true } }],
    ['WIRE_ACCESS', 'read-only', { policy: { access: 'read-only' } }],
  ];
  const uriFile = { uri: 'mongodb://u:p@a:1,b:2\n' };

  /** The same text by each way that there is to give it. */
  function worldsOf(name: SettingName, text: string): ConfigWorld[] {
    const toml = `${name.toLowerCase()} = ${JSON.stringify(text)}`;
    return [
      { flags: { [name]: text }, files: uriFile },
      { env: { [name]: text }, files: uriFile },
      { files: { ...uriFile, '.env': `${name}=${text}` } },
      { env: { GATEPOST_CONFIG: 'a.toml' }, files: { ...uriFile, 'a.toml': toml } },
    ];
  }

  test.each(SETTINGS)(
    'does the same as a flag, in the environment, in .env and in the file: %s',
    (name, text, expected) => {
      for (const world of worldsOf(name, text)) {
        const listener = loadFrom(world).listeners.find(({ backend }) => backend === 'mongodb');
        expect(listener).toMatchObject(expected);
      }
    },
  );

  test('leaves the PostgreSQL listener as it was', () => {
    const [plain] = loadFrom({}).listeners;
    for (const [name, text] of SETTINGS.filter(([each]) => each !== 'WIRE_ACCESS')) {
      expect(loadFrom({ env: { [name]: text }, files: uriFile }).listeners[0]).toEqual(plain);
    }
  });

  test('is none of the lists of SQL', () => {
    const { listeners } = loadFrom({ env: { WIRE_ALLOW: 'select', WIRE_DENY: 'drop' } });
    expect(listeners.map(({ policy }) => policy)).toMatchObject([
      { allow: ['SELECT'], deny: ['DROP'] },
      { allow: [], deny: [] },
    ]);
  });
});

describe('readSystemInputs', () => {
  test('has the environment and the directory of the process', () => {
    const inputs = readSystemInputs();
    expect(inputs.env['PATH']).toBe(process.env['PATH']);
    expect(inputs.workingDirectory).toBe(process.cwd());
  });

  test('reads files, but none that is far too large', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'gatepost-'));
    try {
      const file = path.join(directory, 'file');
      const { readTextFile } = readSystemInputs();
      writeFileSync(file, 'grüße\n');
      expect(readTextFile(file)).toBe('grüße\n');
      writeFileSync(file, 'x'.repeat(1024 * 1024 + 1));
      expect(() => readTextFile(file)).toThrow('it is larger than 1048576 bytes');
      expect(() => readTextFile(path.join(directory, 'missing'))).toThrow(/ENOENT/);
      expect(() => readTextFile('/dev/zero')).toThrow('it is no regular file');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
