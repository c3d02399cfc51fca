// The REST API put together: pools of both databases behind routes that share their guardrails.
import express from 'express';
import type { RequestHandler, Router } from 'express';
import { createMongoPool } from '../src/backends/mongodb/mongo-pool.ts';
import type { ClosableMongoPool } from '../src/backends/mongodb/mongo-pool.ts';
import type { Access as SqlAccess } from '../src/backends/pool.ts';
import { createPostgresBackend } from '../src/backends/postgres/postgres-backend.ts';
import type { PostgresBackend } from '../src/backends/postgres/postgres-backend.ts';
import { createSqlPool } from '../src/backends/postgres/sql-pool.ts';
import type { AccessOptions, ClosableSqlPool } from '../src/backends/postgres/sql-pool.ts';
import type { Limits } from '../src/config.ts';
import type { ApiConfig, ApiMongodbConfig, ApiPostgresConfig } from '../src/config-api.ts';
import type { ConnectorsControl } from '../src/connectors-control.ts';
import { createSqlPolicy } from '../src/guardrails/sql-policy.ts';
import type { Component } from '../src/lifecycle.ts';
import type { Observer } from '../src/observation.ts';
import type { Probe } from '../src/readiness.ts';
import { createAccess } from './access.ts';
import type { Access } from './access.ts';
import { createConnectorsRoutes } from './connectors.ts';
import { createCors } from './cors.ts';
import { createDocsRoutes } from './docs.ts';
import { parseJsonBody } from './json-body.ts';
import { createMongodbCrudRoutes } from './mongodb-crud.ts';
import { createPostgresCrudRoutes } from './postgres-crud.ts';
import { createQueryRoutes } from './query.ts';
import { createRateLimit } from './rate-limit.ts';
import { createRequestDrain } from './request-drain.ts';
import { createStatementRunner } from './statement-run.ts';
import { createTableRules } from './table-rules.ts';

/** The API as parts of the app, and as a part of the service with a life. */
export interface Api extends Component {
  /** Who asks and how often: for every path, the probes' too. */
  readonly doors: readonly RequestHandler[];
  readonly access: Access;
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
  /** Undefined where none run in this process. */
  readonly connectors?: ConnectorsControl | undefined;
}

/**
 * Nothing is connected until a request needs it.
 *
 * @throws ServiceError 22023 when a rule names what there is not
 */
export async function createApi({
  version,
  config,
  observer,
  upstreams,
  connectors,
}: ApiOptions): Promise<Api> {
  const drain = createRequestDrain();
  const access = createAccess(config);
  const postgres = config.postgres && (await openPostgres(config.postgres, upstreams.postgres));
  const mongodb = config.mongodb && openMongodb(config.mongodb, upstreams.mongodb);
  const shared = {
    runner: createStatementRunner(observer),
    rules: createTableRules(config.tables),
  };
  const routes = express.Router();
  routes.use(
    createDocsRoutes({
      version,
      hasPostgres: postgres !== undefined,
      hasMongodb: mongodb !== undefined,
      hasConnectors: connectors !== undefined,
    }),
  );
  const byMethod = [drain.middleware, access.requireScopeOfMethod, parseJsonBody];
  // A reader may ask; what the statement may do follows from the scope.
  routes.use('/query', drain.middleware, access.requireScope('read'), parseJsonBody);
  routes.use(createQueryRoutes({ ...shared, postgres, mongodb }));
  routes.use('/api', ...byMethod);
  if (postgres !== undefined) {
    routes.use(createPostgresCrudRoutes({ ...shared, ...postgres }));
  }
  if (mongodb !== undefined) {
    routes.use(createMongodbCrudRoutes({ ...shared, ...mongodb }));
  }
  if (connectors !== undefined) {
    routes.use('/connectors', drain.middleware);
    routes.use(createConnectorsRoutes({ connectors, access }));
  }
  return {
    name: drain.name,
    doors: [
      createCors(config.corsOrigins),
      access.identify,
      createRateLimit(config.rateLimitPerMinute),
    ],
    access,
    routes,
    probes: [postgres?.probe, mongodb?.probe].filter((probe) => probe !== undefined),
    trustProxy: config.trustProxy,
    start: async (signal) => {
      await drain.start(signal);
    },
    stop: async (deadline) => {
      await drain.stop(deadline);
      await Promise.all([postgres?.pool.close(), mongodb?.pool.close()]);
    },
  };
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
): Promise<Opened<ClosableSqlPool>> {
  const openBackend = (access: SqlAccess): PostgresBackend =>
    createPostgresBackend({
      name: 'postgres',
      dsn: dsn(),
      guardrails: { limits, idleTimeoutMs, access },
    });
  const policies = {
    'read-only': await createSqlPolicy({ ...policy, access: 'read-only' }),
    'read-write': await createSqlPolicy({ ...policy, access: 'read-write' }),
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
): Opened<ClosableMongoPool> {
  const pool = createMongoPool({ uri, rules: policy, pool: config });
  const probe = async (signal: AbortSignal): Promise<void> => {
    await pool.probe(signal);
  };
  return { limits, pool, probe: { backend: 'mongodb', isRequired, probe } };
}
