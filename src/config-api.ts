// What the REST API runs with: the settings of listeners that have none of their own, and its own.

import type { ApiTokenConfig } from './api-tokens.ts';
import {
  isLoopback,
  isMongodbRequired,
  resolveLimits,
  resolveMongodbPolicy,
  resolvePostgresPolicy,
} from './config-listeners.ts';
import type {
  Limits,
  ListenerConfig,
  MongodbPolicyConfig,
  PolicyConfig,
} from './config-listeners.ts';
import { echo } from './config-problems.ts';
import type { SettingName, Settings } from './config-settings.ts';
import type { GivenTexts } from './config-sources.ts';

/** The connections to one database that the requests share. */
export interface PoolConfig {
  readonly connectionsMax: number;
  readonly idleTimeoutMs: number;
  readonly acquireTimeoutMs: number;
}

/** Patterns of tables and collections; `*` is any run of characters. */
export interface TableRules {
  /** Empty restricts nothing. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly readOnly: readonly string[];
}

export interface ApiPostgresConfig {
  /** Connection string of the upstream; undefined for the embedded PostgreSQL. A secret. */
  readonly upstreamDsn: string | undefined;
  readonly limits: Limits;
  readonly policy: PolicyConfig;
  readonly idleTimeoutMs: number;
  readonly pool: PoolConfig;
  /** Whether `/readyz` needs it to answer. */
  readonly isRequired: boolean;
}

export interface ApiMongodbConfig {
  /** Connection string; undefined for the embedded MongoDB. A secret. */
  readonly mongodbUri: string | undefined;
  readonly limits: Limits;
  readonly policy: MongodbPolicyConfig;
  readonly pool: PoolConfig;
  /** Whether `/readyz` needs it to answer. */
  readonly isRequired: boolean;
}

/** The REST API, everything resolved. */
export interface ApiConfig {
  /** As configured; tokens of accounts are accepted beside them. */
  readonly tokens: readonly ApiTokenConfig[];
  /** 0 is no limit. */
  readonly rateLimitPerMinute: number;
  /** How many proxies are in front, or which; 0 is none. */
  readonly trustProxy: number | readonly string[];
  /** Whether only this machine asks, who needs no token until there is one, or an account. */
  readonly isLoopbackOnly: boolean;
  readonly corsOrigins: readonly string[];
  readonly isMetricsOpen: boolean;
  readonly tables: TableRules;
  /** Undefined where no PostgreSQL is configured. */
  readonly postgres: ApiPostgresConfig | undefined;
  readonly mongodb: ApiMongodbConfig | undefined;
}

interface ApiContext {
  readonly upstreamDsn: string | undefined;
  readonly listeners: readonly ListenerConfig[];
}

/** The REST API of these settings; undefined when it is off. */
export function resolveApi(settings: Settings, context: ApiContext): ApiConfig | undefined {
  if (settings.API === 'off') {
    return undefined;
  }
  return {
    tokens: settings.API_TOKENS ?? [],
    rateLimitPerMinute: settings.API_RATE_LIMIT,
    trustProxy: settings.API_TRUST_PROXY,
    isLoopbackOnly: isLoopback(settings.HOST) && settings.API_TRUST_PROXY === 0,
    corsOrigins: settings.API_CORS_ORIGINS ?? [],
    isMetricsOpen: settings.API_METRICS === 'open',
    tables: {
      allow: settings.API_ALLOW ?? [],
      deny: settings.API_DENY ?? [],
      readOnly: settings.API_READ_ONLY ?? [],
    },
    postgres: resolvePostgres(settings, context),
    mongodb: resolveMongodb(settings, context),
  };
}

/**
 * The upstream that the settings name; without one the embedded PostgreSQL, where a listener has
 * that. A listener's own upstream stays its own, for so do its limits and its policy.
 */
function resolvePostgres(
  settings: Settings,
  { upstreamDsn, listeners }: ApiContext,
): ApiPostgresConfig | undefined {
  const isEmbedded = listeners.some(
    (listener) => listener.backend === 'postgres' && listener.upstreamDsn === undefined,
  );
  if (upstreamDsn === undefined && !isEmbedded) {
    return undefined;
  }
  return {
    upstreamDsn,
    limits: resolveLimits({}, settings),
    policy: resolvePostgresPolicy({}, settings),
    idleTimeoutMs: settings.WIRE_IDLE_TIMEOUT,
    isRequired: settings.POSTGRES_READINESS === 'required',
    pool: {
      connectionsMax: settings.POSTGRES_POOL_MAX,
      idleTimeoutMs: settings.POSTGRES_POOL_IDLE_TIMEOUT,
      acquireTimeoutMs: settings.POSTGRES_POOL_ACQUIRE_TIMEOUT,
    },
  };
}

function resolveMongodb(
  settings: Settings,
  { listeners }: ApiContext,
): ApiMongodbConfig | undefined {
  const { MONGODB_URI: mongodbUri } = settings;
  const isEmbedded = listeners.some(
    (listener) => listener.backend === 'mongodb' && listener.mongodbUri === undefined,
  );
  if (mongodbUri === undefined && !isEmbedded) {
    return undefined;
  }
  return {
    mongodbUri,
    isRequired: isMongodbRequired(mongodbUri, settings.MONGODB_READINESS),
    limits: resolveLimits({}, settings),
    policy: resolveMongodbPolicy({}, settings),
    pool: {
      connectionsMax: settings.MONGODB_POOL_MAX,
      idleTimeoutMs: settings.MONGODB_POOL_IDLE_TIMEOUT,
      acquireTimeoutMs: settings.MONGODB_POOL_ACQUIRE_TIMEOUT,
    },
  };
}

const HOW_TO_ACCESS = 'set API_TOKENS (gatepost token NAME makes one), or ACCOUNTS=on';

interface ApiCallers {
  readonly given: GivenTexts;
  /** With accounts nobody is served beyond loopback who has none, not even while none is there. */
  readonly hasAccounts: boolean;
  readonly problems: string[];
}

/** Adds a problem where the API would be open to whom it is not meant for. */
export function checkApi(settings: Settings, { given, hasAccounts, problems }: ApiCallers): void {
  // What cannot be read or is refused is told already; then tokens are meant all the same.
  const hasTokens = given.settings.has('API_TOKENS') || given.settings.has('API_TOKENS_FILE');
  if (!hasTokens && !hasAccounts) {
    checkOpenApi(settings, problems);
  } else if (settings.API === 'off' && settings.API_METRICS === 'token') {
    problems.push(
      'API_METRICS is token, and API is off, which takes no tokens: set API=on, or ' +
        'API_METRICS=open',
    );
  }
}

function checkOpenApi(settings: Settings, problems: string[]): void {
  if (settings.API_METRICS === 'token') {
    problems.push(
      `API_METRICS is token, and there are none: ${HOW_TO_ACCESS}, or API_METRICS=open`,
    );
  }
  if (settings.API === 'on' && !isLoopback(settings.HOST)) {
    problems.push(
      `HOST is ${echo(settings.HOST)}, and the REST API has neither tokens nor accounts: whoever ` +
        `reaches the port could read and change the databases; ${HOW_TO_ACCESS}, or API=off, or ` +
        'HOST=127.0.0.1',
    );
  }
  if (settings.API === 'on' && settings.API_TRUST_PROXY !== 0) {
    problems.push(
      'API_TRUST_PROXY says that a proxy brings requests from elsewhere, and the REST API has ' +
        `neither tokens nor accounts: ${HOW_TO_ACCESS}, or API=off, or API_TRUST_PROXY=0`,
    );
  }
}

const isOfApi = (name: SettingName): boolean =>
  name !== 'API' && /^API_|^(POSTGRES|MONGODB)_POOL_/.test(name);

/** What is allowed about the API, and yet probably not what was meant. */
export function describeApiRisks(
  api: ApiConfig | undefined,
  settings: Settings,
  given: GivenTexts,
): string[] {
  if (api === undefined) {
    const ignored = [...given.settings.keys()].filter(isOfApi).join(', ');
    return ignored === '' ? [] : [`Ignored: ${ignored}, because API is off`];
  }
  return [...describeOpenDoors(api, settings)];
}

function* describeOpenDoors(api: ApiConfig, { HOST, NODE_ENV }: Settings): Generator<string> {
  if (isLoopback(HOST)) {
    return;
  }
  yield (
    `HTTP listens on ${HOST} without TLS: credentials and rows cross the network in plain text; ` +
    'put a proxy that ends TLS in front of it, or set HOST to 127.0.0.1'
  );
  if (NODE_ENV === 'production' && api.isMetricsOpen) {
    yield (
      `Whoever reaches HTTP on ${HOST} reads /metrics without a token; set API_METRICS=token ` +
      'where that is not meant'
    );
  }
}
