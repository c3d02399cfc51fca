// The table of settings: the one schema that everything else about configuration follows.

import assert from 'node:assert/strict';
import * as z from 'zod';
import { accountSettings } from './config-account-settings.ts';
import { apiSettings } from './config-api-settings.ts';
import { maskConnectionString } from './config-dsn.ts';
import * as places from './config-place-values.ts';
import { lookUpNotes, optional, withDefault } from './config-setting-notes.ts';
import type { SettingNotes } from './config-setting-notes.ts';
import * as values from './config-values.ts';

export type { SettingNotes } from './config-setting-notes.ts';

/** Two sockets a session: far beyond it a process runs out of file descriptors first. */
const CONNECTIONS_MAX = 10_000;

/** Counters stay exact numbers far beyond it, and no psql survives as many rows. */
const ROWS_MAX = 1_000_000_000_000;

const { duration, size, choice, path, wordList, commandList } = values;

const service = 'Service';
const serviceSettings = {
  NODE_ENV: withDefault(choice(['development', 'production', 'test']), 'development', {
    group: service,
    summary: 'What the process runs for',
  }),
  HOST: withDefault(places.listenHost, '127.0.0.1', {
    group: service,
    summary: 'Address that HTTP and the listeners bind to',
  }),
  PORT: withDefault(places.listenPort, '3000', { group: service, summary: 'Port of HTTP' }),
  LOG_LEVEL: withDefault(choice(['error', 'warn', 'info', 'debug']), 'info', {
    group: service,
    summary: 'The least severe log lines that are written',
  }),
  AUDIT_FILE: optional(path('file'), {
    group: service,
    summary: 'Where each statement leaves an audit line; - is standard output, unset is no audit',
  }),
  SHUTDOWN_TIMEOUT: withDefault(duration, '10s', {
    group: service,
    summary: 'How long running statements may take to finish after SIGTERM',
  }),
  GATEPOST_CONFIG: optional(path('file'), {
    group: service,
    summary: 'TOML file with any of these settings in lower case, and with [[listeners]]',
  }),
  GATEPOST_DATA_DIR: withDefault(path('directory'), '.gatepost', {
    group: service,
    summary: 'Where the embedded databases keep their data',
  }),
  WIRE_ENABLE_OTEL_METRICS: withDefault(values.flag, 'false', {
    group: service,
    summary: 'Whether metrics also go to the OpenTelemetry API',
  }),
};

const postgres = 'PostgreSQL';
const postgresSettings = {
  POSTGRES_HOST: optional(places.remoteHost, {
    group: postgres,
    summary: 'Host of your PostgreSQL; without it and WIRE_UPSTREAM_DSN an embedded one runs',
  }),
  POSTGRES_PORT: withDefault(places.remotePort, '5432', {
    group: postgres,
    summary: 'Port of your PostgreSQL',
  }),
  POSTGRES_DB: optional(places.databaseName, {
    group: postgres,
    summary: 'Database of your PostgreSQL, for whoever names none',
  }),
  POSTGRES_USER: withDefault(values.anyText, 'postgres', {
    group: postgres,
    summary: 'User that Gatepost logs in as',
  }),
  POSTGRES_PASSWORD: optional(values.anyText, {
    group: postgres,
    summary: 'Password of that user',
    secret: 'whole',
  }),
  POSTGRES_PASSWORD_FILE: optional(path('file'), {
    group: postgres,
    summary: 'File that holds POSTGRES_PASSWORD',
  }),
  POSTGRES_SSLMODE: withDefault(choice(['disable', 'require', 'verify-full']), 'disable', {
    group: postgres,
    summary:
      "TLS to POSTGRES_HOST, in libpq's meaning: require encrypts, verify-full also checks the " +
      'certificate; for a CA file give WIRE_UPSTREAM_DSN',
  }),
  WIRE_UPSTREAM_DSN: optional(places.postgresDsn, {
    group: postgres,
    summary: 'Connection string of your PostgreSQL, instead of POSTGRES_HOST and its siblings',
    secret: 'connection-string',
  }),
  WIRE_UPSTREAM_DSN_FILE: optional(path('file'), {
    group: postgres,
    summary: 'File that holds WIRE_UPSTREAM_DSN',
  }),
  POSTGRES_READINESS: withDefault(choice(['required', 'optional']), 'required', {
    group: postgres,
    summary: 'Whether /readyz needs PostgreSQL to answer',
  }),
};

const mongodb = 'MongoDB';
const mongodbSettings = {
  MONGODB_URI: optional(places.mongodbUri, {
    group: mongodb,
    summary:
      'Connection string of your MongoDB, its TLS included (?tls=true); without it an embedded ' +
      'one runs',
    secret: 'connection-string',
  }),
  MONGODB_URI_FILE: optional(path('file'), {
    group: mongodb,
    summary: 'File that holds MONGODB_URI',
  }),
  MONGODB_READINESS: optional(choice(['required', 'optional']), {
    group: mongodb,
    summary:
      'Whether /readyz needs MongoDB to answer; unset is required with a connection string, ' +
      'and optional for the embedded one, which may have to be fetched first',
  }),
  MONGOD_BINARY: optional(path('file'), {
    group: mongodb,
    summary: 'The mongod program of the embedded MongoDB; unset takes one that is found or fetched',
  }),
};

const listeners = 'Listeners';
const listenerSettings = {
  WIRE_POSTGRES_PORT: withDefault(places.optionalListenPort, '5433', {
    group: listeners,
    summary:
      'Port for psql to PostgreSQL; where a file has [[listeners]], opened only when this is set',
  }),
  WIRE_MONGODB_PORT: withDefault(places.optionalListenPort, '5434', {
    group: listeners,
    summary:
      'Port for psql to MongoDB; where a file has [[listeners]], opened only when this is set',
  }),
  WIRE_MAX_CONNECTIONS: withDefault(values.count(CONNECTIONS_MAX), '100', {
    group: listeners,
    summary: 'Sessions at a time on one listener',
  }),
  WIRE_IDLE_TIMEOUT: withDefault(duration, '15m', {
    group: listeners,
    summary: 'How long a session may wait without a statement',
  }),
  WIRE_ENABLE_TLS: optional(values.flag, {
    group: listeners,
    summary: 'Whether clients may use TLS; unset is on when certificate and key are given',
  }),
  WIRE_TLS_CERT: optional(path('file'), {
    group: listeners,
    summary: 'Certificate chain shown to clients, in PEM, together with WIRE_TLS_KEY',
  }),
  WIRE_TLS_KEY: optional(path('file'), {
    group: listeners,
    summary: 'Private key of the certificate, in PEM, together with WIRE_TLS_CERT',
  }),
};

const policy = 'Limits and policy';
const policySettings = {
  WIRE_QUERY_TIMEOUT: withDefault(duration, '30s', {
    group: policy,
    summary: 'How long one query may run',
  }),
  WIRE_MAX_ROWS: withDefault(values.count(ROWS_MAX), '10000', {
    group: policy,
    summary: 'Rows that one query may deliver',
  }),
  WIRE_MAX_BYTES: withDefault(size, '100MB', {
    group: policy,
    summary: 'Bytes of rows that one query may deliver',
  }),
  WIRE_ON_LIMIT: withDefault(choice(['error', 'truncate']), 'error', {
    group: policy,
    summary: 'How a result ends at a limit: with an error, or normally with a warning',
  }),
  WIRE_ALLOW: optional(wordList, {
    group: policy,
    summary: 'The only statement kinds that PostgreSQL listeners run; unset is all',
  }),
  WIRE_DENY: optional(wordList, {
    group: policy,
    summary: 'Statement kinds that PostgreSQL listeners refuse; unset is none',
  }),
  WIRE_ACCESS: withDefault(choice(['read-write', 'read-only']), 'read-write', {
    group: policy,
    summary: 'Whether statements may change anything, whichever database they are for',
  }),
  WIRE_MONGODB_ALLOW: optional(commandList, {
    group: policy,
    summary: 'The only commands and stages that MongoDB listeners run; unset is all',
  }),
  WIRE_MONGODB_DENY: optional(commandList, {
    group: policy,
    summary: 'Commands and stages that MongoDB listeners refuse; unset is none',
  }),
  WIRE_MONGODB_JAVASCRIPT: withDefault(values.flag, 'false', {
    group: policy,
    summary:
      'Whether statements may make MongoDB run JavaScript: $where, $function, $accumulator ' +
      'and mapReduce',
  }),
};

const connectorsSettings = {
  IGGY_CONNECTORS_CONFIG_PATH: optional(path('file'), {
    group: 'Connectors',
    summary:
      'Configuration of the connectors for Apache Iggy; serve runs none where it is unset, and ' +
      'gatepost connectors takes config.toml',
  }),
};

const settingsShape = {
  ...serviceSettings,
  ...postgresSettings,
  ...mongodbSettings,
  ...listenerSettings,
  ...policySettings,
  ...apiSettings,
  ...accountSettings,
  ...connectorsSettings,
};

/** Every setting, from text. */
export const settingsSchema: z.ZodObject<typeof settingsShape, z.core.$strict> =
  z.strictObject(settingsShape);

export type Settings = z.output<typeof settingsSchema>;
export type SettingName = keyof Settings;

/** Every setting, in the order of the table. */
export const SETTING_NAMES: readonly SettingName[] = settingsSchema.keyof().options;

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settingsSchema.shape, name);
}

/** What is known about a setting: one reader for errors, `--help`, `check` and `.env.example`. */
export function notesOf(name: SettingName): SettingNotes {
  const notes = lookUpNotes(settingsSchema.shape[name]);
  assert(notes !== undefined, `${name} has no notes`);
  return notes;
}

export type Environment = Settings['NODE_ENV'];

/** The text that a setting has where none is given; undefined when it is optional. */
export function fallbackOf(name: SettingName, environment: Environment): string | undefined {
  const { fallback, productionFallback } = notesOf(name);
  return environment === 'production' ? (productionFallback ?? fallback) : fallback;
}

/** A setting's text, or its default, as it may be shown; undefined when it is unset. */
export function describeSetting(
  name: SettingName,
  text: string | undefined,
  environment: Environment,
): string | undefined {
  const { secret } = notesOf(name);
  if (text === undefined || secret === 'none') {
    return text ?? fallbackOf(name, environment);
  }
  return secret === 'whole' ? '***' : maskConnectionString(text);
}
