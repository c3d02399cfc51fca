import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { LISTENER_KEYS } from '../../src/config-listener-keys.ts';
import {
  describeSetting,
  fallbackOf,
  isSettingName,
  notesOf,
  SETTING_NAMES,
  settingsSchema,
} from '../../src/config-settings.ts';

const manual = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');

/** The blocks of the manual: what is said about a setting, above its commented line. */
const documented = manual
  .split('\n\n')
  .map((block) => block.split('\n'))
  .map((lines) => ({
    text: lines.slice(0, -1).join(' ').replaceAll(/ ?# /g, ' ').trim(),
    setting: /^# ([A-Z_]+)=(.*)$/.exec(lines.filter((line) => line !== '').at(-1) ?? ''),
    hasOneSetting: lines.filter((line) => /^#? ?[A-Z_]+=/.test(line)).length === 1,
  }))
  .filter(({ setting }) => setting !== null)
  .map(({ setting, ...rest }) => ({ ...rest, name: setting?.[1], fallback: setting?.[2] }));

describe('.env.example', () => {
  test('documents every setting, in the order of the table, and no other', () => {
    expect(documented.map(({ name }) => name)).toEqual(SETTING_NAMES);
    expect(documented.every(({ hasOneSetting }) => hasOneSetting)).toBe(true);
  });

  test('sets nothing when it is copied as it is', () => {
    expect(manual.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });

  test.each(SETTING_NAMES)('has the default of %s', (name) => {
    const fallback = documented.find((block) => block.name === name)?.fallback;
    expect(fallback).toBe(notesOf(name).fallback ?? '');
  });

  test.each(SETTING_NAMES)('says what %s is for and what it accepts', (name) => {
    const text = documented.find((block) => block.name === name)?.text;
    expect(text).toContain(`${notesOf(name).summary}.`);
    expect(text).toContain(`Accepted: ${notesOf(name).accepted}.`);
    const { productionFallback } = notesOf(name);
    const production = `In production the default is ${productionFallback ?? ''}.`;
    expect(text?.includes(production)).toBe(productionFallback !== undefined);
  });

  test.each(SETTING_NAMES)('has %s under the heading of its group', (name) => {
    const before = manual.slice(0, manual.search(new RegExp(`^# ${name}=`, 'm')));
    expect(before.match(/^## .*$/gm)?.at(-1)).toBe(`## ${notesOf(name).group}`);
  });

  test.each(LISTENER_KEYS)('names the key %s of a listener', (key) => {
    const header = manual.slice(0, manual.indexOf('## '));
    expect(header).toMatch(new RegExp(`\\b${key}\\b`));
  });

  test('fits 100 columns', () => {
    expect(manual.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });
});

describe('the table of settings', () => {
  test('has the promised defaults', () => {
    const defaults = SETTING_NAMES.map((name) => [name, notesOf(name).fallback]);
    expect(Object.fromEntries(defaults)).toEqual({
      NODE_ENV: 'development',
      HOST: '127.0.0.1',
      PORT: '3000',
      LOG_LEVEL: 'info',
      AUDIT_FILE: undefined,
      SHUTDOWN_TIMEOUT: '10s',
      GATEPOST_CONFIG: undefined,
      GATEPOST_DATA_DIR: '.gatepost',
      WIRE_ENABLE_OTEL_METRICS: 'false',
      POSTGRES_HOST: undefined,
      POSTGRES_PORT: '5432',
      POSTGRES_DB: undefined,
      POSTGRES_USER: 'postgres',
      POSTGRES_PASSWORD: undefined,
      POSTGRES_PASSWORD_FILE: undefined,
      POSTGRES_READINESS: 'required',
      WIRE_UPSTREAM_DSN: undefined,
      WIRE_UPSTREAM_DSN_FILE: undefined,
      WIRE_POSTGRES_PORT: '5433',
      WIRE_MAX_CONNECTIONS: '100',
      WIRE_IDLE_TIMEOUT: '15m',
      WIRE_ENABLE_TLS: undefined,
      WIRE_TLS_CERT: undefined,
      WIRE_TLS_KEY: undefined,
      WIRE_QUERY_TIMEOUT: '30s',
      WIRE_MAX_ROWS: '10000',
      WIRE_MAX_BYTES: '100MB',
      WIRE_ON_LIMIT: 'error',
      WIRE_ALLOW: undefined,
      WIRE_DENY: undefined,
      WIRE_ACCESS: 'read-write',
      MONGODB_URI: undefined,
      MONGODB_URI_FILE: undefined,
      MONGODB_READINESS: undefined,
      MONGOD_BINARY: undefined,
      WIRE_MONGODB_PORT: '5434',
      WIRE_MONGODB_ALLOW: undefined,
      WIRE_MONGODB_DENY: undefined,
      WIRE_MONGODB_JAVASCRIPT: 'false',
      POSTGRES_SSLMODE: 'disable',
      API: 'on',
      API_TOKENS: undefined,
      API_TOKENS_FILE: undefined,
      API_RATE_LIMIT: '6000',
      API_TRUST_PROXY: '0',
      API_CORS_ORIGINS: undefined,
      API_METRICS: 'open',
      API_ALLOW: undefined,
      API_DENY: undefined,
      API_READ_ONLY: undefined,
      POSTGRES_POOL_MAX: '5',
      POSTGRES_POOL_IDLE_TIMEOUT: '10s',
      POSTGRES_POOL_ACQUIRE_TIMEOUT: '5s',
      MONGODB_POOL_MAX: '5',
      MONGODB_POOL_IDLE_TIMEOUT: '10s',
      MONGODB_POOL_ACQUIRE_TIMEOUT: '5s',
      ACCOUNTS: undefined,
      ACCOUNTS_DATABASE_URL: undefined,
      ACCOUNTS_DATABASE_URL_FILE: undefined,
      ACCOUNTS_SCRAM_ITERATIONS: '65536',
      WIRE_AUTH: 'none',
      WIRE_ALLOW_INSECURE: 'false',
      SESSION_SECRET: undefined,
      SESSION_SECRET_FILE: undefined,
      SESSION_IDLE_TIMEOUT: '30m',
      SESSION_MAX_AGE: '12h',
      ACTIVITY: undefined,
      ACTIVITY_MONGODB_URI: undefined,
      ACTIVITY_MONGODB_URI_FILE: undefined,
      ACTIVITY_RETENTION: '30d',
      ACTIVITY_LOG_RETENTION: '7d',
      IGGY_CONNECTORS_CONFIG_PATH: undefined,
    });
  });

  test('has the promised defaults of production, where they are others', () => {
    const defaults = SETTING_NAMES.map((name) => [name, notesOf(name).productionFallback]);
    expect(Object.fromEntries(defaults.filter(([, text]) => text !== undefined))).toEqual({
      POSTGRES_POOL_MAX: '20',
      POSTGRES_POOL_IDLE_TIMEOUT: '60s',
      POSTGRES_POOL_ACQUIRE_TIMEOUT: '10s',
      MONGODB_POOL_MAX: '20',
      MONGODB_POOL_IDLE_TIMEOUT: '60s',
      MONGODB_POOL_ACQUIRE_TIMEOUT: '10s',
    });
  });

  test.each(['development', 'production', 'test'] as const)(
    'accepts its own defaults in %s',
    (environment) => {
      const texts = SETTING_NAMES.map((name) => [name, fallbackOf(name, environment)]);
      expect(settingsSchema.safeParse(Object.fromEntries(texts)).error).toBeUndefined();
      expect(settingsSchema.safeParse({}).success).toBe(true);
    },
  );

  test('knows its names, and nothing that objects inherit', () => {
    expect(SETTING_NAMES.every(isSettingName)).toBe(true);
    expect(['wire_max_rows', 'toString', '__proto__', ''].some(isSettingName)).toBe(false);
  });

  test.each(SETTING_NAMES)('describes %s in one sentence without its full stop', (name) => {
    expect(notesOf(name).summary).toMatch(/^[A-Z].*[^.]$/);
  });

  test('has a setting that names a file for every secret', () => {
    const secrets = SETTING_NAMES.filter((name) => notesOf(name).secret !== 'none');
    expect(secrets).toEqual([
      'POSTGRES_PASSWORD',
      'WIRE_UPSTREAM_DSN',
      'MONGODB_URI',
      'API_TOKENS',
      'ACCOUNTS_DATABASE_URL',
      'SESSION_SECRET',
      'ACTIVITY_MONGODB_URI',
    ]);
    expect(secrets.every((name) => isSettingName(`${name}_FILE`))).toBe(true);
  });
});

describe('describeSetting', () => {
  test.each([
    ['WIRE_MAX_ROWS', '5', '5'],
    ['WIRE_MAX_ROWS', undefined, '10000'],
    ['AUDIT_FILE', undefined, undefined],
    ['POSTGRES_PASSWORD', 'hunter2', '***'],
    ['POSTGRES_PASSWORD', 'postgres://hunter2@h', '***'],
    ['POSTGRES_PASSWORD', undefined, undefined],
    ['POSTGRES_PASSWORD_FILE', '/run/secrets/pw', '/run/secrets/pw'],
    ['WIRE_UPSTREAM_DSN', 'postgres://u:hunter2@h/d', 'postgres://u:***@h/d'],
    ['MONGODB_URI', 'mongodb://u:hunter2@h/d', 'mongodb://u:***@h/d'],
    ['MONGODB_URI', 'mongodb+srv://u:hunter2@h', 'mongodb+srv://u:***@h'],
    ['MONGODB_URI_FILE', '/run/secrets/uri', '/run/secrets/uri'],
    ['MONGODB_READINESS', undefined, undefined],
    ['WIRE_MONGODB_JAVASCRIPT', undefined, 'false'],
    ['API_TOKENS', 'ci:read:0f', '***'],
    ['API_TOKENS_FILE', '/run/secrets/tokens', '/run/secrets/tokens'],
    ['POSTGRES_POOL_MAX', undefined, '5'],
    ['ACCOUNTS_DATABASE_URL', 'postgres://u:hunter2@h/d', 'postgres://u:***@h/d'],
    ['ACTIVITY_MONGODB_URI', 'mongodb://u:hunter2@h/d', 'mongodb://u:***@h/d'],
    ['SESSION_SECRET', 'hunter2', '***'],
    ['SESSION_SECRET_FILE', '/run/secrets/session', '/run/secrets/session'],
  ] as const)('shows %s of %j as %j', (name, text, shown) => {
    expect(describeSetting(name, text, 'development')).toBe(shown);
  });

  test.each([
    ['POSTGRES_POOL_MAX', undefined, '20'],
    ['POSTGRES_POOL_MAX', '7', '7'],
    ['WIRE_MAX_ROWS', undefined, '10000'],
  ] as const)('shows of %s %j in production %j', (name, text, shown) => {
    expect(describeSetting(name, text, 'production')).toBe(shown);
  });
});
