import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { ConfigError } from '../../src/config-problems.ts';
import { SETTING_NAMES } from '../../src/config-settings.ts';
import { loadConfig, readSystemInputs } from '../../src/config.ts';
import { createSystem, loadFrom } from '../support/load-config.ts';

describe('loadConfig', () => {
  test('gives the promised defaults', () => {
    const { settings, ...config } = loadFrom({});
    expect(config).toEqual({
      environment: 'development',
      http: { host: '127.0.0.1', port: 3000 },
      listeners: [
        {
          name: 'postgres',
          backend: 'postgres',
          host: '127.0.0.1',
          port: 5433,
          upstreamDsn: undefined,
          isRequired: true,
          tls: undefined,
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
      ],
      dataDirectory: '/srv/gatepost/.gatepost',
      shutdownTimeoutMs: 10_000,
      auditFile: undefined,
      logLevel: 'info',
      isOtelMetricsEnabled: false,
      warnings: [],
    });
    expect(settings.map(({ name }) => name)).toEqual(SETTING_NAMES);
    expect(settings.every(({ source }) => source === 'default')).toBe(true);
  });

  test('gives what was set', () => {
    const config = loadFrom({
      env: {
        NODE_ENV: 'production',
        HOST: '0.0.0.0',
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

  test('gives pgwire-proxy one listener and no HTTP', () => {
    const flags = { WIRE_UPSTREAM_DSN: 'postgres://u:p@h/d', WIRE_POSTGRES_PORT: '6000' };
    const config = loadFrom({ command: 'pgwire-proxy', flags, env: { PORT: '6000' } });
    expect(config.http).toBeUndefined();
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
    const connectionString = loadFrom({ env }).listeners[0]?.upstreamDsn;
    expect(connectionString).toBeDefined();
    expect(new pg.Client({ connectionString })).toMatchObject({
      host: '/var/run/postgresql',
      port: 6432,
      database: 'my db',
      user: 'app@corp',
      password: 'p@ss:w/o?r#d% ',
    });
  });

  test('names the user postgres and no database where only the host is given', () => {
    const { listeners } = loadFrom({ env: { POSTGRES_HOST: 'db' } });
    expect(listeners[0]?.upstreamDsn).toBe('postgresql://postgres@db:5432');
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
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
