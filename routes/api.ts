// The REST API put together: pools of both databases behind routes that share their guardrails.
import express from 'express';
import type { RequestHandler, Router } from 'express';
import type { AccountAdministration, Accounts } from '../src/accounts.ts';
import { createMongoPool } from '../src/backends/mongodb/mongo-pool.ts';
import type { ClosableMongoPool } from '../src/backends/mongodb/mongo-pool.ts';
import type { Access as SqlAccess } from '../src/backends/pool.ts';
import { createPostgresBackend } from '../src/backends/postgres/postgres-backend.ts';
import type { PostgresBackend } from '../src/backends/postgres/postgres-backend.ts';
import { createSqlPool } from '../src/backends/postgres/sql-pool.ts';
import type { AccessOptions, ClosableSqlPool } from '../src/backends/postgres/sql-pool.ts';
import { parseDsn } from '../src/postgres-dsn.ts';
import type { Limits } from '../src/config.ts';
import type { SessionsConfig } from '../src/config-accounts.ts';
import type { ApiConfig, ApiMongodbConfig, ApiPostgresConfig } from '../src/config-api.ts';
import type { ConnectorsControl } from '../src/connectors-control.ts';
import { createSqlPolicy } from '../src/guardrails/sql-policy.ts';
import type { Component } from '../src/lifecycle.ts';
import type { Observer } from '../src/observation.ts';
import type { HiddenNames } from '../src/own-names.ts';
import type { Probe } from '../src/readiness.ts';
import type { ActivityReader } from '../src/store/activity-reader.ts';
import type { ResponseCache } from '../src/store/response-cache.ts';
import type { StoreClient } from '../src/store/store-client.ts';
import { createAccess } from './access.ts';
import { noAccountsError } from './account-problems.ts';
import { createAccountsRoutes } from './accounts.ts';
import { createActivityRoutes } from './activity.ts';
import { createAuthRoutes } from './auth.ts';
import { createCachedAnswers } from './cached-answers.ts';
import { fingerprintOf } from './cached-key.ts';
import { createConnectorsRoutes } from './connectors.ts';
import { createCors } from './cors.ts';
import { createDocsRoutes } from './docs.ts';
import { parseJsonBody } from './json-body.ts';
import { createMongodbCrudRoutes } from './mongodb-crud.ts';
import { createPostgresCrudRoutes } from './postgres-crud.ts';
import { createQueryRoutes } from './query.ts';
import { createRateLimit } from './rate-limit.ts';
import { createRequestDrain } from './request-drain.ts';
import { GUARDED_PATHS } from './route-scopes.ts';
import { createStatementRunner } from './statement-run.ts';
import { createTableRules } from './table-rules.ts';
import { WebSessions } from './web-sessions.ts';

/** The API as parts of the app, and as a part of the service with a life. */
export interface Api extends Component {
  /** Who asks, how often, and with which scope: for every path, the probes' too. */
  readonly doors: readonly RequestHandler[];
  readonly routes: Router;
  /** Whether the databases behind it answer. */
  readonly probes: readonly Probe[];
  /** As Express's setting `trust proxy` takes it. */
  readonly trustProxy: ApiConfig['trustProxy'];
}

export interface ApiOptions {
  /** Of Gatepost, for what describes it. */
  readonly version: string;
  readonly config: ApiConfig;
  readonly observer: Observer;
  /** Connection strings, secrets; asked for when a connection is needed. They may throw. */
  readonly upstreams: { readonly postgres: () => string; readonly mongodb: () => string };
  /** Names of Gatepost's own that requests may not use; nothing unless given. */
  readonly hidden?: Partial<HiddenNames> | undefined;
  /** Undefined where none run in this process. */
  readonly connectors?: ConnectorsControl | undefined;
  /** Keeps answers for whoever asks for that; stopped with the API. Undefined where none does. */
  readonly cache?: ResponseCache | undefined;
  /** What is kept of activity and the log; undefined where nothing is. */
  readonly activity?: ActivityReader | undefined;
  /** Who may come in besides tokens of the configuration; undefined where there are none. */
  readonly accounts?: Accounts | undefined;
  /**
   * What `/auth` and `/api/accounts` change accounts by, as whoever is said; given where
   * `accounts` is.
   */
  readonly administration?: ((actor: string) => AccountAdministration) | undefined;
  /** Gatepost's own database of MongoDB; without it nobody can log in over HTTP. */
  readonly store?: StoreClient | undefined;
  /** How sessions are kept, and what their cookies are signed with. */
  readonly sessions?: ApiSessions | undefined;
}

export interface ApiSessions extends Omit<SessionsConfig, 'secrets'> {
  /** The first signs, all are accepted; asked for when a session is needed first, and kept. */
  readonly secrets: () => Promise<readonly string[]>;
}

/**
 * Nothing is connected until a request needs it.
 *
 * @throws ServiceError 22023 when a rule names what there is not
 */
export async function createApi(options: ApiOptions): Promise<Api> {
  const { version, config, observer, upstreams, connectors, cache, accounts, activity } = options;
  const { hidden = {} } = options;
  const drain = createRequestDrain();
  const webSessions = openSessions(options);
  const access = createAccess(config, accounts, webSessions);
  const postgres =
    config.postgres && (await openPostgres(config.postgres, upstreams.postgres, hidden));
  const mongodb = config.mongodb && openMongodb(config.mongodb, upstreams.mongodb, hidden);
  const shared = {
    runner: createStatementRunner(observer, () => parseDsn(upstreams.postgres()).database),
    rules: createTableRules(config.tables, hidden),
    cached: openCache(options),
  };
  const routes = express.Router();
  routes.use(
    createDocsRoutes({
      version,
      hasPostgres: postgres !== undefined,
      hasMongodb: mongodb !== undefined,
      hasConnectors: connectors !== undefined,
      hasAccounts: accounts !== undefined,
      hasActivity: activity !== undefined,
    }),
  );
  // Scopes have been asked for: nobody's body is read who may not send it.
  routes.use(GUARDED_PATHS, drain.middleware, parseJsonBody);
  routes.use(createQueryRoutes({ ...shared, postgres, mongodb }));
  routes.use(createAllAccountRoutes(options, webSessions));
  routes.use(createActivityRoutes(activity));
  if (postgres !== undefined) {
    routes.use(createPostgresCrudRoutes({ ...shared, ...postgres }));
  }
  if (mongodb !== undefined) {
    routes.use(createMongodbCrudRoutes({ ...shared, ...mongodb }));
  }
  if (connectors !== undefined) {
    routes.use(createConnectorsRoutes({ connectors }));
  }
  return {
    name: drain.name,
    doors: [
      createCors(config.corsOrigins),
      access.identify,
      createRateLimit(config.rateLimitPerMinute),
      access.guard,
    ],
    routes,
    probes: [postgres?.probe, mongodb?.probe].filter((probe) => probe !== undefined),
    trustProxy: config.trustProxy,
    start: async (signal) => {
      await drain.start(signal);
    },
    stop: async (deadline) => {
      await drain.stop(deadline);
      await Promise.all([postgres?.pool.close(), mongodb?.pool.close(), cache?.stop(deadline)]);
    },
  };
}

function openCache(options: ApiOptions): ReturnType<typeof createCachedAnswers> {
  const { version, config, observer, upstreams, cache } = options;
  return createCachedAnswers({
    cache,
    observer,
    fingerprint: (backend) => {
      const { limits, policy } = config[backend] ?? {};
      return fingerprintOf(version, upstreams[backend](), { limits, policy });
    },
  });
}

function openSessions({ accounts, store, sessions }: ApiOptions): WebSessions | undefined {
  if (accounts === undefined || store === undefined || sessions === undefined) {
    return undefined;
  }
  const { secrets, ...config } = sessions;
  return new WebSessions({ accounts, store, config, secrets });
}

/** Where there are no accounts, their paths say how to have some. */
function createAllAccountRoutes(
  { accounts, administration }: ApiOptions,
  webSessions: WebSessions | undefined,
): Router {
  const routes = express.Router();
  if (accounts === undefined || administration === undefined) {
    return routes.use(['/auth', '/api/accounts'], (_request, _response, next) => {
      next(noAccountsError());
    });
  }
  const dependencies = { accounts, administration, webSessions };
  return routes.use(createAuthRoutes(dependencies), createAccountsRoutes(dependencies));
}

/** A database behind the API. */
interface Opened<Pool> {
  readonly limits: Limits;
  readonly pool: Pool;
  readonly probe: Probe;
}

async function openPostgres(
  { limits, policy, idleTimeoutMs, isRequired, pool }: ApiPostgresConfig,
  dsn: () => string,
  { postgresSchema: hiddenSchema }: Partial<HiddenNames>,
): Promise<Opened<ClosableSqlPool>> {
  const openBackend = (access: SqlAccess): PostgresBackend =>
    createPostgresBackend({
      name: 'postgres',
      dsn: dsn(),
      guardrails: { limits, idleTimeoutMs, access },
      hiddenSchema,
    });
  const rules = { ...policy, hiddenSchema };
  const policies = {
    'read-only': await createSqlPolicy({ ...rules, access: 'read-only' }),
    'read-write': await createSqlPolicy({ ...rules, access: 'read-write' }),
  };
  const accessOptions = (wanted: SqlAccess): AccessOptions => {
    // A listener that is read-only has no writers behind it over HTTP either.
    const access = policy.access === 'read-only' ? 'read-only' : wanted;
    let backend: PostgresBackend | undefined;
    return {
      backend: {
        open: async (startup, frontend, signal) => {
          backend ??= openBackend(access);
          return await backend.open(startup, frontend, signal);
        },
      },
      policy: policies[access],
      ownPolicy: policies['read-write'],
    };
  };
  const access = {
    'read-only': accessOptions('read-only'),
    'read-write': accessOptions('read-write'),
  };
  const probe = async (signal: AbortSignal): Promise<void> => {
    await openBackend('read-only').probe(signal);
  };
  return {
    limits,
    pool: createSqlPool({ access, pool }),
    probe: { backend: 'postgres', isRequired, probe },
  };
}

function openMongodb(
  { limits, policy, isRequired, pool: config }: ApiMongodbConfig,
  uri: () => string,
  { mongodbDatabase: hiddenDatabase }: Partial<HiddenNames>,
): Opened<ClosableMongoPool> {
  const pool = createMongoPool({ uri, rules: { ...policy, hiddenDatabase }, pool: config });
  const probe = async (signal: AbortSignal): Promise<void> => {
    await pool.probe(signal);
  };
  return { limits, pool, probe: { backend: 'mongodb', isRequired, probe } };
}
