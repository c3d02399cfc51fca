// How the connectors reach MongoDB: by their own client, with the operator's options.
import type { MongoClient, MongoClientOptions } from 'mongodb';
import { optionProblemOf } from '../backends/mongodb/client.ts';
import { ConnectorError } from './connector-error.ts';
import { shownFailure } from './mongodb-failures.ts';
import { redactUri } from './redact.ts';
import { createMongoClient } from '../mongodb-driver.ts';
import { untilAborted } from '../until-aborted.ts';
import { withinTime } from './within-time.ts';

export interface MongodbOptions {
  /** A secret. */
  readonly connectionUri: string;
  /** Goes before what the connection string says; the driver's own where neither does. */
  readonly maxPoolSize?: number | undefined;
  /** What the server shows of the client. */
  readonly appName: string;
  /** Without an answer, where the connection string has no socketTimeoutMS; for ever unless set. */
  readonly commandTimeoutMs?: number | undefined;
}

/** How long a server may take to be found, where the connection string does not say. */
const SERVER_SELECTION_TIMEOUT_MS = 10_000;

const PING_TIMEOUT_MS = 10_000;

/** The driver refuses a longer name. */
const APP_NAME_BYTES_MAX = 128;

/**
 * A connected client that has been answered a ping; the caller closes it.
 *
 * @throws ConnectorError `invalid-config` | `init`; the signal's reason
 */
export async function openMongodb(
  options: MongodbOptions,
  signal: AbortSignal,
): Promise<MongoClient> {
  signal.throwIfAborted();
  const client = createClient(options);
  const onAbort = (): void => void client.close().catch(() => undefined);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await client.connect();
    await withinTime(PING_TIMEOUT_MS, signal, async (inTime) => {
      await untilAborted(client.db('admin').command({ ping: 1 }), inTime);
    });
    signal.throwIfAborted();
    return client;
  } catch (error) {
    await client.close().catch(() => undefined);
    signal.throwIfAborted();
    const place = redactUri(options.connectionUri);
    throw new ConnectorError(
      'init',
      `Cannot connect to MongoDB at ${place} (${shownFailure(error)}): ` +
        'see whether it runs, lets Gatepost in, and connection_uri is right',
    );
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function createClient(asked: MongodbOptions): MongoClient {
  const { connectionUri, maxPoolSize, appName, commandTimeoutMs } = asked;
  const options: MongoClientOptions = { appName: clip(appName) };
  if (maxPoolSize !== undefined) {
    options.maxPoolSize = maxPoolSize;
  }
  if (!/[?&]serverSelectionTimeoutMS=/i.test(connectionUri)) {
    options.serverSelectionTimeoutMS = SERVER_SELECTION_TIMEOUT_MS;
  }
  if (commandTimeoutMs !== undefined && !/[?&]socketTimeoutMS=/i.test(connectionUri)) {
    options.socketTimeoutMS = commandTimeoutMs;
  }
  const client = parsed(connectionUri, options);
  if (client.writeConcern?.w === 0) {
    throw new ConnectorError(
      'invalid-config',
      'connection_uri has w=0, with which MongoDB does not say whether a write is stored: ' +
        'leave w out',
    );
  }
  return client;
}

function parsed(connectionUri: string, options: MongoClientOptions): MongoClient {
  try {
    return createMongoClient(connectionUri, options);
  } catch (error) {
    const problem = optionProblemOf(error);
    const said = problem === undefined ? '' : ` (${problem})`;
    throw new ConnectorError(
      'invalid-config',
      `The MongoDB driver does not take connection_uri ${redactUri(connectionUri)}${said}: ` +
        'write it as mongodb://user:password@host/?options of the MongoDB manual, ' +
        'with special characters percent-encoded',
    );
  }
}

/** At a character's edge; control characters would reach the server's log. */
function clip(appName: string): string {
  const clean = appName.replaceAll(/\p{Cc}/gu, '?');
  const { read } = new TextEncoder().encodeInto(clean, new Uint8Array(APP_NAME_BYTES_MAX));
  return clean.slice(0, read);
}
