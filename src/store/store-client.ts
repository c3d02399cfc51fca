// The one client of Gatepost's own database of MongoDB: activity, log, sessions, cached answers.
import type { Db, MongoClientOptions } from 'mongodb';
import { Reachability } from '../backends/mongodb/reachability.ts';
import { SharedClient } from '../backends/mongodb/shared-client.ts';

/** The database; doors hide it. */
export const STORE_DATABASE = 'gatepost';

const POOL_MAX = 10;

/** How long a server may take to be found: whoever waits for it has something else to do. */
const SELECTION_TIMEOUT_MS = 2000;

/** A server that says nothing for so long is away; what it is asked has shorter limits. */
const SOCKET_TIMEOUT_MS = 15_000;

/** How long one waits for a connection where all are busy. */
const ACQUIRE_TIMEOUT_MS = 5000;

/** These are writes of our own, which may be sent again; a statement of a client never is. */
const DRIVER_OPTIONS: MongoClientOptions = {
  retryReads: true,
  retryWrites: true,
  serverSelectionTimeoutMS: SELECTION_TIMEOUT_MS,
  connectTimeoutMS: SELECTION_TIMEOUT_MS,
  socketTimeoutMS: SOCKET_TIMEOUT_MS,
};

export interface StoreClientOptions {
  /** `gatepost` unless said. */
  readonly database?: string;
}

/** Opened when it is needed first, shared by everybody who writes or reads there. */
export class StoreClient {
  readonly #client: SharedClient;
  readonly #database: string;
  readonly #reachability = new Reachability();
  /**
   * @param uri gives the connection string, a secret; throws while there is none. It is asked each
   *   time until a server has answered
   */
  constructor(uri: () => string, { database = STORE_DATABASE }: StoreClientOptions = {}) {
    this.#database = database;
    this.#client = new SharedClient(uri, {
      appName: 'gatepost/store',
      poolMax: POOL_MAX,
      acquireTimeoutMs: ACQUIRE_TIMEOUT_MS,
      driver: DRIVER_OPTIONS,
    });
  }

  /**
   * The database, where a server is known that takes writes; its client is `db.client`.
   *
   * @throws ServiceError 08006 while MongoDB is away, at once where that is known; the signal's
   *   reason
   */
  async open(signal: AbortSignal): Promise<Db> {
    const client = await this.#client.open(signal);
    await this.#reachability.assert(client, signal);
    return client.db(this.#database);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
