// MongoDB for REST: one client whose connections are shared by statements of many callers.
import { BSON } from 'mongodb';
import type { PoolConfig } from '../../config-api.ts';
import { ServiceError, SQLSTATE } from '../../errors.ts';
import { createMongoPolicies } from '../../guardrails/mongo-policy.ts';
import type { MongoPolicy, MongoPolicyRules } from '../../guardrails/mongo-policy.ts';
import type { BackendEvent } from '../backend.ts';
import { isResultEvent } from '../pool.ts';
import type { MongoPool, MongoStatement, ResultEvents, StatementRun } from '../pool.ts';
import { initialDatabase } from '../session-admission.ts';
import { documentBytes, readPath } from './bson-reader.ts';
import { Connection } from './connection.ts';
import { assertDatabaseName } from './database-name.ts';
import type { Plan } from './plan.ts';
import { runPlan } from './plan-run.ts';
import { DriverRefusal, reasonOf, toBackendError } from './server-errors.ts';
import { createAdminClient, killThrough, ping, SharedClient } from './shared-client.ts';
import { commandPlan } from './database-methods.ts';
import { assertAdmitted, prepareSteps } from './statement-steps.ts';
import { encodeValue } from './value-bson.ts';

export interface MongoPoolOptions {
  /**
   * Gives the connection string, a secret; asked when a connection is needed, since an embedded
   * server may still be starting.
   *
   * @throws ServiceError that says so
   */
  readonly uri: () => string;
  readonly rules: MongoPolicyRules;
  readonly pool: PoolConfig;
}

export interface ClosableMongoPool extends MongoPool {
  /** Pings the server; rejects when there is no answer. */
  probe(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * Nothing is connected until it is needed.
 *
 * @throws ServiceError 22023 when a rule names what cannot be a command or stage
 */
export function createMongoPool({ uri, rules, pool }: MongoPoolOptions): ClosableMongoPool {
  const policies = createMongoPolicies(rules);
  const policyOf = ({ access, databases }: StatementRun): MongoPolicy =>
    policies[access].within(databases);
  const admin = createAdminClient(uri);
  const shared = new SharedClient(uri, {
    appName: 'gatepost/api',
    poolMax: pool.connectionsMax,
    idleTimeoutMs: pool.idleTimeoutMs,
    acquireTimeoutMs: pool.acquireTimeoutMs,
  });
  const kill = killThrough(admin);
  const open = async (run: StatementRun): Promise<OpenConnection> => {
    const client = await shared.open(run.signal);
    const listed = { databases: run.databases, hiddenDatabase: rules.hiddenDatabase };
    return {
      connection: new Connection({ client, kill, label: run.label, listed }),
      database: initialDatabase(client.options.dbName, run.databases),
    };
  };
  return {
    query: (statement, run) => runStatement(statement, run, { open, policy: policyOf(run) }),
    command: async (database, command, run) =>
      await runCommand({ database, command }, run, { open, policy: policyOf(run) }),
    probe: async (signal) => {
      await ping(await admin.open(signal), signal);
    },
    close: async () => {
      await Promise.all([shared.close(), admin.close()]);
    },
  };
}

interface OpenConnection {
  readonly connection: Connection;
  /** Where statements run that name none. */
  readonly database: string;
}

interface Context {
  readonly open: (run: StatementRun) => Promise<OpenConnection>;
  readonly policy: MongoPolicy;
}

async function* runStatement(
  statement: MongoStatement,
  run: StatementRun,
  { open, policy }: Context,
): ResultEvents {
  const { guard, signal } = run;
  let connection: Connection | undefined;
  try {
    const opened = await open(run);
    ({ connection } = opened);
    const database = statement.database ?? opened.database;
    for (const plan of prepare(statement, database, policy)) {
      signal.throwIfAborted();
      yield* resultsOf(runPlan(plan, { connection, guard, signal, ejson: 'lossless' }));
    }
  } catch (thrown) {
    throw toShownError(thrown, signal);
  } finally {
    await connection?.end();
  }
}

async function* resultsOf(events: AsyncIterable<BackendEvent>): ResultEvents {
  for await (const event of events) {
    if (isResultEvent(event)) {
      yield event;
    }
  }
}

function planOf(database: string, command: Readonly<Record<string, unknown>>): Plan {
  return commandPlan(database, new Map(Object.entries(command)));
}

function prepare(statement: MongoStatement, database: string, policy: MongoPolicy): Plan[] {
  assertDatabaseName(database, 'ERROR');
  if ('command' in statement) {
    const plan = planOf(database, statement.command);
    assertAdmitted(plan, policy);
    return [plan];
  }
  return prepareSteps(statement.text, { database, policy }).map((step) => {
    if ('sql' in step) {
      throw new ServiceError(SQLSTATE.syntaxError, 'MongoDB does not take SQL', {
        hint: 'Send "backend": "postgres" for SQL, or a statement of the MongoDB shell',
      });
    }
    return step.plan;
  });
}

async function runCommand(
  operation: { readonly database: string; readonly command: Readonly<Record<string, unknown>> },
  run: StatementRun,
  { open, policy }: Context,
): Promise<Readonly<Record<string, unknown>>> {
  const { signal, guard } = run;
  let connection: Connection | undefined;
  try {
    assertDatabaseName(operation.database, 'ERROR');
    assertAdmitted(planOf(operation.database, operation.command), policy);
    ({ connection } = await open(run));
    const timeoutMs = guard.limits.queryTimeoutMs;
    const reply = await connection.run(operation, { signal, timeoutMs });
    const value = readPath(encodeValue(reply), ['v']);
    return value === undefined ? {} : BSON.deserialize(documentBytes(value), EXACT);
  } catch (thrown) {
    throw toShownError(thrown, signal);
  } finally {
    await connection?.end();
  }
}

/** What comes back is what is stored, type for type. */
const EXACT = { promoteValues: false, promoteBuffers: false, bsonRegExp: true } as const;

function toShownError(thrown: unknown, signal: AbortSignal): unknown {
  const reason = reasonOf(thrown, signal);
  if (reason instanceof DriverRefusal) {
    // The caller's mistake, which a status tells from a server's.
    return new ServiceError(SQLSTATE.invalidParameterValue, reason.message);
  }
  return toBackendError(reason) ?? reason;
}
