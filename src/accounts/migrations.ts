// The schema of the accounts, brought up to date: forward only, by one process at a time.
import path from 'node:path';
import { runner } from 'node-pg-migrate';
import type { RunnerOption } from 'node-pg-migrate';
import { DatabaseError } from 'pg';
import type { ClientBase } from 'pg';
import * as z from 'zod';
import { ServiceError, SQLSTATE } from '../errors.ts';
import { OWN_NAME } from '../own-names.ts';
import { isServerAway } from './accounts-errors.ts';
import * as accounts from './migrations/0001-accounts.ts';

/** What a run has done. */
export interface Migrated {
  /** Number of the newest migration, as its file is called: `0001`. */
  readonly newest: string;
  /** How many there were to apply. */
  readonly applied: number;
}

/** Every migration by its file's name, in order; imported, so that nothing is loaded by path. */
const MIGRATIONS = new Map([['0001-accounts', accounts]]);

const SCHEMA = OWN_NAME;
const TABLE = 'migrations';

/** The key of whoever migrates: `gate` and `post` as bytes. */
const ADVISORY_LOCK = '1734440037, 1886352244';

/** How long ten processes wait for the one that migrates. */
const LOCK_TIMEOUT_MS = 30_000;

/** How long one step of a migration may take. */
const STATEMENT_TIMEOUT_MS = 60_000;

/** A file of a migration is called like this; beside it lie source maps. */
const OTHER_FILES = String.raw`(?!\d{4}-[\w-]+\.(?:ts|js)$).*`;

/**
 * Brings schema `gatepost` of the client's database to the newest migration. The settings of its
 * session are changed by it.
 *
 * @throws ServiceError 0A000 for a schema newer than this program, 42501 for missing rights, 55000
 *   for what else keeps it from being brought up to date; what `pg` throws where the server is away
 */
export async function migrate(client: ClientBase): Promise<Migrated> {
  const known = [...MIGRATIONS.keys()];
  const newest = numberOf(known.at(-1));
  if ((await listMissing(client, known)).length === 0) {
    // The usual start: no lock is needed, and no right to change anything.
    return { newest, applied: 0 };
  }
  try {
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query(`SET statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
    await client.query(`SELECT pg_advisory_lock(${ADVISORY_LOCK})`);
    // Somebody else may have been first.
    const missing = await listMissing(client, known);
    if (missing.length > 0) {
      await assertRights(client);
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
      await runner(runnerOptions(client));
    }
    await client.query(`SELECT pg_advisory_unlock(${ADVISORY_LOCK})`);
    return { newest, applied: missing.length };
  } catch (error) {
    throw toMigrationError(error);
  }
}

function runnerOptions(dbClient: ClientBase): RunnerOption {
  return {
    dbClient,
    schema: SCHEMA,
    migrationsTable: TABLE,
    direction: 'up',
    // Its own lock does not wait: whoever comes second would fail.
    noLock: true,
    dir: path.join(import.meta.dirname, 'migrations'),
    ignorePattern: OTHER_FILES,
    migrationLoaderStrategies: [{ extensions: ['.ts', '.js'], loader: loadUnits }],
    logger: SILENT,
  };
}

/** It would print statements, and errors with the values in them. */
const SILENT = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

type Loader = Exclude<
  NonNullable<RunnerOption['migrationLoaderStrategies']>[number]['loader'],
  string
>;

/** The modules of the files, which are imported above. */
const loadUnits: Loader = (filePaths) =>
  Promise.resolve(
    filePaths.map((filePath) => {
      const name = path.basename(filePath, path.extname(filePath));
      const actions = MIGRATIONS.get(name);
      if (actions === undefined) {
        throw new Error(`Migration ${name} is not in the list of migrations`);
      }
      return { id: filePath, filePaths: [filePath], actions };
    }),
  );

const nameRows = z.array(z.object({ name: z.string() }));

/**
 * The known migrations that this database lacks.
 *
 * @throws ServiceError 0A000 where it has one that is not known
 */
async function listMissing(
  client: ClientBase,
  known: readonly string[],
): Promise<readonly string[]> {
  const applied = await listApplied(client);
  const unknown = applied.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new ServiceError(
      SQLSTATE.featureNotSupported,
      `Schema ${SCHEMA} is at ${numberOf(unknown.at(-1))}, and this Gatepost knows it up to ` +
        `${numberOf(known.at(-1))}: a newer Gatepost has changed it; run that version, or set ` +
        'ACCOUNTS_DATABASE_URL to another database',
    );
  }
  return known.filter((name) => !applied.includes(name));
}

async function listApplied(client: ClientBase): Promise<readonly string[]> {
  const { rows: tables } = await client.query(
    `SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relname = $2`,
    [SCHEMA, TABLE],
  );
  if (tables.length === 0) {
    return [];
  }
  try {
    const { rows } = await client.query(`SELECT name FROM ${SCHEMA}.${TABLE} ORDER BY name`);
    return nameRows.parse(rows).map(({ name }) => name);
  } catch (error) {
    throw toMigrationError(error);
  }
}

const rightsRows = z.tuple([
  z.object({
    role: z.string(),
    database: z.string(),
    owner: z.string().nullable(),
    may_create_schema: z.boolean(),
    may_create_tables: z.boolean().nullable(),
  }),
]);

async function assertRights(client: ClientBase): Promise<void> {
  const { rows } = await client.query(
    `SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
         quote_ident(pg_get_userbyid(n.nspowner)) AS owner,
         has_database_privilege(current_database(), 'CREATE') AS may_create_schema,
         has_schema_privilege(n.oid, 'CREATE')
           AND has_schema_privilege(n.oid, 'USAGE') AS may_create_tables
       FROM (SELECT) AS one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1`,
    [SCHEMA],
  );
  const [rights] = rightsRows.parse(rows);
  const { role, database, owner } = rights;
  if (owner === null && !rights.may_create_schema) {
    throw rightsError(
      `role ${role} may not create it in database ${database}`,
      `GRANT CREATE ON DATABASE ${database} TO ${role}`,
    );
  }
  if (owner !== null && rights.may_create_tables === false) {
    throw rightsError(
      `it belongs to ${owner}, and role ${role} may not create tables in it`,
      `ALTER SCHEMA ${SCHEMA} OWNER TO ${role}`,
    );
  }
}

function rightsError(why: string, statement: string): ServiceError {
  return new ServiceError(
    SQLSTATE.insufficientPrivilege,
    `Accounts need schema ${SCHEMA}, and ${why}: run ${statement}, or set ACCOUNTS_DATABASE_URL ` +
      'to a database where Gatepost may, or ACCOUNTS=off',
  );
}

/** What is wrong with the database, and not with the way to it, as a sentence to act on. */
function toMigrationError(thrown: unknown): unknown {
  if (thrown instanceof ServiceError || (thrown instanceof DatabaseError && isServerAway(thrown))) {
    return thrown;
  }
  if (thrown instanceof DatabaseError && thrown.code === SQLSTATE.insufficientPrivilege) {
    return rightsError(
      `the role of Gatepost may not use what is in it (${thrown.message})`,
      `GRANT USAGE ON SCHEMA ${SCHEMA} and ALL ON ALL TABLES IN SCHEMA ${SCHEMA} to the role`,
    );
  }
  if (!(thrown instanceof DatabaseError) && !isRunnerError(thrown)) {
    return thrown;
  }
  // Migrations have no values of anybody in them.
  const [words = ''] = thrown.message.split('\n', 1);
  return new ServiceError(
    SQLSTATE.objectNotInState,
    `Schema ${SCHEMA} cannot be brought up to date: ${words}; mend it, or set ` +
      'ACCOUNTS_DATABASE_URL to another database',
  );
}

/** The runner wraps some errors of the server in words of its own. */
function isRunnerError(thrown: unknown): thrown is Error {
  return (
    thrown instanceof Error &&
    /^(?:Unable to ensure|Not run migration|Error loading)/.test(thrown.message)
  );
}

function numberOf(name: string | undefined): string {
  return name?.split('-', 1)[0] ?? '0000';
}
