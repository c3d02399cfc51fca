// MongoDB behind the wire: one client a session, statements run by tables and never evaluated.
import { randomInt } from 'node:crypto';
import type { MongoClient } from 'mongodb';
import { isSameDatabase } from '../../guardrails/mongo-databases.ts';
import { createMongoPolicies } from '../../guardrails/mongo-policy.ts';
import type { MongoPolicy, MongoPolicyRules } from '../../guardrails/mongo-policy.ts';
import { ServiceError } from '../../errors.ts';
import type { Backend, BackendSession, CancelKey, Startup } from '../backend.ts';
import type { Access } from '../pool.ts';
import {
  assertDatabaseAllowed,
  hiddenDatabaseError,
  initialDatabase,
} from '../session-admission.ts';
import { appNameOf, openClient } from './client.ts';
import { Connection } from './connection.ts';
import { assertDatabaseName } from './database-name.ts';
import { MongodbSession } from './mongodb-session.ts';
import { connectionError } from './server-errors.ts';
import { createAdminClient, killThrough, ping } from './shared-client.ts';
import type { SharedClient } from './shared-client.ts';
import { OWN_SETTINGS, SqlDesk } from './sql-desk.ts';

export interface MongodbBackendOptions {
  readonly name: string;
  /**
   * Gives the connection string, a secret; asked for each session, since an embedded server may
   * still be starting.
   *
   * @throws ServiceError that says so
   */
  readonly uri: () => string;
  readonly rules: MongoPolicyRules;
}

/** The backend of one listener. */
export interface MongodbBackend extends Backend {
  /** Pings the server; rejects when there is no answer. */
  probe(signal: AbortSignal): Promise<void>;
  /** Ends the connection that is shared by probes and cancels. */
  close(): Promise<void>;
}

/**
 * A MongoDB backend. Nothing is connected until a session is opened.
 *
 * @throws ServiceError 22023 when a rule names what cannot be a command or stage
 */
export function createMongodbBackend(options: MongodbBackendOptions): MongodbBackend {
  const policies = createMongoPolicies(options.rules);
  const admin = createAdminClient(options.uri);
  return {
    name: options.name,
    ownSettings: OWN_SETTINGS,
    open: async (startup, _frontend, signal): Promise<BackendSession> => {
      assertNotHidden(startup.database, options.rules);
      const client = await openClient(options.uri(), { appName: appNameOf(startup), signal });
      try {
        return await openSession(client, startup, { policies, admin, rules: options.rules });
      } catch (error) {
        await client.close();
        throw error instanceof ServiceError ? error : connectionError(error, 'FATAL');
      }
    },
    // Keys of other processes lead nowhere: operations are found by this process's own comments.
    cancel: () => Promise.resolve(),
    probe: async (signal) => {
      await ping(await admin.open(signal), signal);
    },
    close: async () => {
      await admin.close();
    },
  };
}

/** @throws ServiceError FATAL, before anything is dialled */
function assertNotHidden(
  database: string | undefined,
  { hiddenDatabase }: Pick<MongoPolicyRules, 'hiddenDatabase'>,
): void {
  if (database !== undefined && isSameDatabase(database, hiddenDatabase)) {
    throw hiddenDatabaseError(database);
  }
}

interface Shared {
  readonly policies: Readonly<Record<Access, MongoPolicy>>;
  readonly admin: SharedClient;
  readonly rules: MongoPolicyRules;
}

async function openSession(
  client: MongoClient,
  startup: Startup,
  { policies, admin, rules }: Shared,
): Promise<BackendSession> {
  const { databases } = startup;
  const database = startup.database ?? initialDatabase(client.options.dbName, databases);
  assertDatabaseName(database, 'FATAL');
  assertDatabaseAllowed(startup, database);
  const access = startup.access === 'read-only' ? startup.access : rules.access;
  const cancelKey = createCancelKey();
  const sql = new SqlDesk({
    processId: cancelKey.processId,
    startup,
    database,
    serverVersion: await versionOf(client),
    isReadOnly: access === 'read-only',
  });
  const listed = { databases, hiddenDatabase: rules.hiddenDatabase };
  const connection = new Connection({ client, kill: killThrough(admin), listed });
  const policy = policies[access].within(databases);
  return new MongodbSession({ cancelKey, connection, policy, sql, database });
}

const UINT32 = 0x1_0000_0000;

/** The process id keeps its sign bit clear, as PostgreSQL's own do. */
function createCancelKey(): CancelKey {
  return { processId: randomInt(1, UINT32 / 2), secretKey: randomInt(UINT32) };
}

async function versionOf(client: MongoClient): Promise<string> {
  const info = await client.db('admin').command({ buildInfo: 1 });
  return String(info['version']);
}
