// Accounts put together for the command line.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { AccountAdministration } from './accounts.ts';
import { createAccountStore } from './accounts/account-store.ts';
import type { AccountStore } from './accounts/account-store.ts';
import type { Migrated } from './accounts/migrations.ts';
import type { AccountsConfig } from './config-accounts.ts';
import type { Config } from './config.ts';
import { DirectoryInUseError, EmbeddedDatabaseError } from './embedded/embedded-database-error.ts';
import { findSocketDsn } from './embedded/postgres-socket.ts';
import { createEmbeddedPostgres } from './embedded/postgres.ts';
import { ServiceError, SQLSTATE } from './errors.ts';

/** Who is told as the one who changed something. */
const ACTOR = 'command line';

/** How long what was opened for a command may take to close. */
const CLOSE_TIMEOUT_MS = 10_000;

/** How long a Gatepost that is starting may take until its PostgreSQL answers. */
const SOCKET_TIMEOUT_MS = 10_000;

/** Between two looks at it. */
const SOCKET_PAUSE_MS = 100;

/** What happens is printed by the command itself. */
const SILENT = { observe: () => undefined };

/**
 * Opens the accounts for some work, and closes them. The embedded PostgreSQL is used where it runs,
 * and started for the moment where it does not.
 *
 * @throws ServiceError where they cannot be opened; what the work throws
 */
export async function withAccounts(
  config: Config,
  work: (administration: AccountAdministration) => Promise<void>,
): Promise<void> {
  await withStore(config, async (store) => {
    await work(store.administration(ACTOR));
  });
}

/**
 * Brings the schema of the accounts up to date, and says what that took.
 *
 * @throws as withAccounts does
 */
export async function migrateAccounts(config: Config): Promise<Migrated> {
  return await withStore(config, (_store, migrated) => Promise.resolve(migrated));
}

async function withStore<T>(
  config: Config,
  work: (store: AccountStore, migrated: Migrated) => Promise<T>,
): Promise<T> {
  const { accounts } = config;
  assert(accounts !== undefined, 'The command has a configuration of accounts');
  return await untilSignal(async (signal) => {
    const place = await openPlace(config, accounts, signal);
    const store = createAccountStore({
      databaseUrl: place.databaseUrl,
      ownsDatabase: accounts.databaseUrl === undefined,
      scramIterations: accounts.scramIterations,
      observer: SILENT,
    });
    try {
      return await work(store, await store.open(signal));
    } finally {
      await store.stop(AbortSignal.timeout(CLOSE_TIMEOUT_MS));
      await place.close();
    }
  });
}

/** Work that SIGINT and SIGTERM end in good order: no server is left behind. */
async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopped = new AbortController();
  const stop = (): void => {
    stopped.abort(new ServiceError(SQLSTATE.queryCanceled, 'Interrupted'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    return await work(stopped.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

interface Place {
  readonly databaseUrl: () => string;
  close(): Promise<void>;
}

async function openPlace(
  { dataDirectory }: Config,
  { databaseUrl }: AccountsConfig,
  signal: AbortSignal,
): Promise<Place> {
  if (databaseUrl !== undefined) {
    return { databaseUrl: () => databaseUrl, close: () => Promise.resolve() };
  }
  try {
    return await openEmbedded(dataDirectory, signal);
  } catch (error) {
    // Its sentence is for the operator, who reads it on standard error.
    throw error instanceof EmbeddedDatabaseError
      ? new ServiceError(SQLSTATE.connectionNotEstablished, error.message)
      : error;
  }
}

async function openEmbedded(directory: string, signal: AbortSignal): Promise<Place> {
  const postgres = createEmbeddedPostgres({ directory, observer: SILENT });
  try {
    await postgres.start(signal);
  } catch (error) {
    if (!(error instanceof DirectoryInUseError)) {
      throw error;
    }
    const url = await findRunning(directory, error, signal);
    return { databaseUrl: () => url, close: () => Promise.resolve() };
  }
  return {
    databaseUrl: () => postgres.dsn(),
    close: async () => {
      await postgres.stop(AbortSignal.timeout(CLOSE_TIMEOUT_MS));
    },
  };
}

/** The server of the Gatepost that has the directory, which may be just starting. */
async function findRunning(
  directory: string,
  { holderPid }: DirectoryInUseError,
  signal: AbortSignal,
): Promise<string> {
  for (let waitedMs = 0; waitedMs < SOCKET_TIMEOUT_MS; waitedMs += SOCKET_PAUSE_MS) {
    const url = await findSocketDsn(directory);
    if (url !== undefined) {
      return url;
    }
    await pause(SOCKET_PAUSE_MS, undefined, { signal });
  }
  throw new EmbeddedDatabaseError(
    `Gatepost runs as process ${holderPid}, and its PostgreSQL cannot be reached: try again when ` +
      'it has started, or stop it first',
  );
}
