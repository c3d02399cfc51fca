// How MongoDB is connected to: one client a session, and one beside them that only asks and kills.
import type { MongoClient, MongoClientOptions } from 'mongodb';
import { ServiceError, SQLSTATE } from '../../errors.ts';
import { createMongoClient } from '../../mongodb-driver.ts';
import type { Startup } from '../backend.ts';
import { connectionError } from './server-errors.ts';

/** How long a server may take to be found, and to take a connection. */
const CONNECT_TIMEOUT_MS = 5000;

/** The driver refuses a longer name. */
const APP_NAME_BYTES_MAX = 128;

const OPTIONS: MongoClientOptions = {
  maxPoolSize: 1,
  minPoolSize: 0,
  serverSelectionTimeoutMS: CONNECT_TIMEOUT_MS,
  connectTimeoutMS: CONNECT_TIMEOUT_MS,
  // A statement is never sent twice.
  retryReads: false,
  retryWrites: false,
  // One socket beside each session's own, and not two.
  serverMonitoringMode: 'poll',
};

/**
 * `gatepost/<account>/<application>@<address>`, without the account where nobody is asked; cut at a
 * character's edge, in the application first and in the account then.
 */
export function appNameOf({
  account,
  applicationName,
  address,
}: Pick<Startup, 'account' | 'applicationName' | 'address'>): string {
  const tail = `@${address}`;
  const room = APP_NAME_BYTES_MAX - Buffer.byteLength(tail) - 'gatepost/'.length;
  const owner = account === undefined ? '' : `${cut(account, room - 1)}/`;
  return `gatepost/${owner}${cut(applicationName, room - Buffer.byteLength(owner))}${tail}`;
}

function cut(text: string, bytesMax: number): string {
  // Control characters would reach the server's log.
  const clean = text.replaceAll(/\p{Cc}/gu, '?');
  const { read } = new TextEncoder().encodeInto(clean, new Uint8Array(Math.max(bytesMax, 0)));
  return clean.slice(0, read);
}

export interface ClientOptions {
  /** What the server shows of the client. */
  readonly appName: string;
  readonly signal: AbortSignal;
  /** Connections at a time; 1 unless said. */
  readonly poolMax?: number;
  /** How long a connection may be unused; for ever unless said. */
  readonly idleTimeoutMs?: number;
  /** How long a statement waits for a connection; for ever unless said. */
  readonly acquireTimeoutMs?: number;
  /** Of the driver, where others fit than those that statements of clients need. */
  readonly driver?: MongoClientOptions;
}

function poolOptions({
  idleTimeoutMs,
  acquireTimeoutMs,
}: Pick<ClientOptions, 'idleTimeoutMs' | 'acquireTimeoutMs'>): MongoClientOptions {
  return {
    ...(idleTimeoutMs === undefined ? {} : { maxIdleTimeMS: idleTimeoutMs }),
    ...(acquireTimeoutMs === undefined ? {} : { waitQueueTimeoutMS: acquireTimeoutMs }),
  };
}

/**
 * A connected client that has been answered a ping.
 *
 * @throws ServiceError FATAL 08006, without hosts and credentials; the signal's reason
 */
export async function openClient(
  uri: string,
  { appName, signal, poolMax = 1, driver = {}, ...waits }: ClientOptions,
): Promise<MongoClient> {
  signal.throwIfAborted();
  const client = createClient(uri, {
    ...OPTIONS,
    ...poolOptions(waits),
    ...driver,
    maxPoolSize: poolMax,
    appName,
  });
  const onAbort = (): void => void client.close().catch(() => undefined);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await client.connect();
    await client.db('admin').command({ ping: 1 }, { signal });
    signal.throwIfAborted();
    return client;
  } catch (error) {
    await client.close().catch(() => undefined);
    signal.throwIfAborted();
    throw connectionError(error, 'FATAL');
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * Sees whether the driver takes a connection string; nothing is dialled.
 *
 * @throws ServiceError 08006
 */
export function verifyConnectionString(uri: string): void {
  createClient(uri, OPTIONS);
}

/** What the driver says of option names; its other messages may repeat a password. */
const OPTION_MESSAGE = /^options? [\w, ]{1,200} (is|are) not supported$/i;

/** What the driver says of a connection string, where it is about the names of options only. */
export function optionProblemOf(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : '';
  return OPTION_MESSAGE.test(message) ? message : undefined;
}

function createClient(uri: string, options: MongoClientOptions): MongoClient {
  try {
    return createMongoClient(uri, options);
  } catch (error) {
    const problem = optionProblemOf(error);
    const said = problem === undefined ? '' : `: ${problem}`;
    throw new ServiceError(
      SQLSTATE.connectionFailure,
      `The MongoDB driver refuses the connection string (MONGODB_URI)${said}`,
      {
        severity: 'FATAL',
        hint: 'See that its options are the ones of the MongoDB manual, with values that they take',
        cause: error,
      },
    );
  }
}
