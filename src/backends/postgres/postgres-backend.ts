// PostgreSQL behind the wire: one upstream connection a session, relayed.
import { Client } from 'pg';
import type { ClientConfig } from 'pg';
import { hiddenSchemaError, isPathTo, PATH_SETTINGS } from '../../guardrails/sql-hidden-names.ts';
import { parseDsn } from '../../postgres-dsn.ts';
import type { Backend, BackendSession, Frontend, Setting, Startup } from '../backend.ts';
import {
  assertDatabaseAllowed,
  hiddenDatabaseError,
  initialDatabase,
} from '../session-admission.ts';
import { sendCancel } from './cancel.ts';
import type { CancelTarget } from './cancel.ts';
import { Relay } from './relay.ts';
import { openUpstream } from './upstream.ts';
import { sessionClientConfig } from './upstream-options.ts';
import type { SessionGuardrails } from './upstream-options.ts';

export interface PostgresBackendOptions {
  readonly name: string;
  /** Connection string of the upstream; a secret. */
  readonly dsn: string;
  readonly guardrails: SessionGuardrails;
  /** A database that nobody may log in to: where Gatepost keeps its accounts. */
  readonly hiddenDatabase?: string | undefined;
  /** As the policy's: a session's own search_path may not name it either. */
  readonly hiddenSchema?: string | undefined;
}

/** The backend of one listener, and the probe that tells whether its upstream answers. */
export interface PostgresBackend extends Backend {
  /** Asks `select 1` over a connection of its own; rejects when there is no answer. */
  probe(signal: AbortSignal): Promise<void>;
}

/**
 * A PostgreSQL backend. Nothing is connected until a session is opened.
 *
 * @throws ServiceError 08001 when the DSN cannot be read
 */
export function createPostgresBackend(options: PostgresBackendOptions): PostgresBackend {
  const base = withoutOwnSchema(parseDsn(options.dsn), options.hiddenSchema);
  return {
    name: options.name,
    open: async (startup, frontend, signal) => {
      const { guardrails } = options;
      const own = initialDatabase(base.database ?? '', startup.databases);
      const database = startup.database ?? own;
      assertAdmitted(startup, database, options);
      // Without a name the upstream user's is left to `pg`.
      const settled = database === '' ? startup : { ...startup, database };
      return await openRelay({ base, guardrails }, settled, frontend, signal);
    },
    cancel: async (key) => {
      await sendCancel(cancelTarget(base), key);
    },
    probe: async (signal) => {
      await probe(base, signal);
    },
  };
}

/**
 * A role that is called as the hidden schema would find its tables by `"$user"`, which every
 * search_path begins with where none is set.
 */
function withoutOwnSchema(base: ClientConfig, hiddenSchema: string | undefined): ClientConfig {
  return hiddenSchema === undefined || base.user !== hiddenSchema
    ? base
    : { ...base, options: `-c search_path=public ${base.options ?? ''}`.trimEnd() };
}

/** @throws ServiceError FATAL, before anything is dialled */
function assertAdmitted(
  startup: Startup,
  database: string,
  { hiddenDatabase, hiddenSchema }: PostgresBackendOptions,
): void {
  if (database === hiddenDatabase) {
    throw hiddenDatabaseError(database);
  }
  assertDatabaseAllowed(startup, database);
  if (hiddenSchema !== undefined) {
    assertPathWithout(hiddenSchema, startup.settings);
  }
}

// What SET would be refused for is no startup parameter either.
function assertPathWithout(schema: string, settings: readonly Setting[]): void {
  const naming = settings.find(
    ([name, value]) => PATH_SETTINGS.has(name.toLowerCase()) && isPathTo(value, schema),
  );
  if (naming !== undefined) {
    throw hiddenSchemaError(schema, { severity: 'FATAL', where: `setting ${naming[0]}` });
  }
}

async function openRelay(
  { base, guardrails }: { base: ClientConfig; guardrails: SessionGuardrails },
  startup: Startup,
  frontend: Frontend,
  signal: AbortSignal,
): Promise<BackendSession> {
  const clientEncoding = startup.settings.findLast(
    ([name]) => name.toLowerCase() === 'client_encoding',
  )?.[1];
  const config = sessionClientConfig(base, startup, guardrails);
  const upstream = await openUpstream(config, clientEncoding, signal);
  // The very server that this session is on: a name may stand for several.
  const { remoteAddress, remotePort } = upstream.socket;
  const target = cancelTarget(base);
  const address =
    remoteAddress === undefined || remotePort === undefined
      ? target.address
      : { host: remoteAddress, port: remotePort };
  return new Relay({
    upstream,
    frontend,
    sendCancel: async () => await sendCancel({ ...target, address }, upstream.cancelKey),
  });
}

function cancelTarget(base: ClientConfig): CancelTarget {
  // `pg` fills in what the DSN leaves out, from the same places as for a session.
  const { host, port } = new Client(base);
  const { ssl } = base;
  return {
    address: host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port },
    tls: ssl === undefined || ssl === false ? undefined : ssl === true ? {} : ssl,
    serverName: host,
    isTlsDirect: base.sslnegotiation === 'direct',
  };
}

async function probe(base: ClientConfig, signal: AbortSignal): Promise<void> {
  const client = new Client({ ...base, application_name: 'gatepost/probe' });
  client.on('error', () => undefined);
  const abort = (): void => void client.connection.stream.destroy(new Error('Probe timed out'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    await client.connect();
    await client.query('select 1');
    await client.end();
  } finally {
    signal.removeEventListener('abort', abort);
    client.connection.stream.destroy();
  }
}
