// The settings of the REST API and of the pools that it asks.

import { apiTokens, originList, tablePatterns, trustedProxies } from './config-api-values.ts';
import { optional, withDefault } from './config-setting-notes.ts';
import { choice, count, countOrNone, duration, path } from './config-values.ts';

/** A caller that needs more needs no limit. */
const RATE_LIMIT_MAX = 1_000_000;

/** PostgreSQL's usual max_connections is 100; each connection costs it a process. */
const POOL_CONNECTIONS_MAX = 1000;

const group = 'HTTP API';

const accessSettings = {
  API: withDefault(choice(['on', 'off']), 'on', {
    group,
    summary: 'Whether HTTP serves the REST API; off leaves the probes and the metrics',
  }),
  API_TOKENS: optional(apiTokens, {
    group,
    summary:
      'Tokens that the REST API accepts, as hashes, beside those of accounts; with neither it ' +
      'needs none, and serves loopback only',
    secret: 'whole',
  }),
  API_TOKENS_FILE: optional(path('file'), {
    group,
    summary: 'File that holds API_TOKENS, an entry a line, comments after #',
  }),
  API_RATE_LIMIT: withDefault(countOrNone(RATE_LIMIT_MAX), '6000', {
    group,
    summary: 'Requests a minute of one account or token, or of one address where there is neither',
  }),
  API_TRUST_PROXY: withDefault(trustedProxies, '0', {
    group,
    summary: "Proxies whose X-Forwarded-For is believed to be the client's address",
  }),
  API_CORS_ORIGINS: optional(originList, {
    group,
    summary: 'Web pages of these origins may ask the REST API; unset is none',
  }),
  API_METRICS: withDefault(choice(['open', 'token']), 'open', {
    group,
    summary: 'Whether /metrics needs a token, of API_TOKENS or of an account',
  }),
};

const tableSettings = {
  API_ALLOW: optional(tablePatterns, {
    group,
    summary:
      'The only tables and collections below /api; unset is all but those of the system; ' +
      'POST /query has its rules in WIRE_ALLOW and its siblings',
  }),
  API_DENY: optional(tablePatterns, {
    group,
    summary: 'Tables and collections that are hidden below /api, whatever is allowed',
  }),
  API_READ_ONLY: optional(tablePatterns, {
    group,
    summary: 'Tables and collections that are read-only below /api',
  }),
};

const connections = (database: string): string =>
  `Connections of the REST API to ${database} at a time`;
const idle = (database: string): string =>
  `How long a connection of the REST API to ${database} stays open unused`;
const acquire = (database: string): string =>
  `How long a request of the REST API waits for a connection to ${database}`;

const poolSettings = {
  POSTGRES_POOL_MAX: withDefault(count(POOL_CONNECTIONS_MAX), '5', {
    group,
    summary: connections('PostgreSQL'),
    productionFallback: '20',
  }),
  POSTGRES_POOL_IDLE_TIMEOUT: withDefault(duration, '10s', {
    group,
    summary: idle('PostgreSQL'),
    productionFallback: '60s',
  }),
  POSTGRES_POOL_ACQUIRE_TIMEOUT: withDefault(duration, '5s', {
    group,
    summary: acquire('PostgreSQL'),
    productionFallback: '10s',
  }),
  MONGODB_POOL_MAX: withDefault(count(POOL_CONNECTIONS_MAX), '5', {
    group,
    summary: connections('MongoDB'),
    productionFallback: '20',
  }),
  MONGODB_POOL_IDLE_TIMEOUT: withDefault(duration, '10s', {
    group,
    summary: idle('MongoDB'),
    productionFallback: '60s',
  }),
  MONGODB_POOL_ACQUIRE_TIMEOUT: withDefault(duration, '5s', {
    group,
    summary: acquire('MongoDB'),
    productionFallback: '10s',
  }),
};

export const apiSettings = { ...accessSettings, ...tableSettings, ...poolSettings };
