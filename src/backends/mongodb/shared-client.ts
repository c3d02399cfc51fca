// One client of MongoDB that many use, opened when it is needed first.
import type { MongoClient } from 'mongodb';
import { untilAborted } from '../../until-aborted.ts';
import { Outage } from '../outage.ts';
import { openClient } from './client.ts';
import type { ClientOptions } from './client.ts';
import { killByTag } from './operation-stop.ts';
import type { KillOperations } from './operation-stop.ts';

/** Connections for probes and kills: one must not wait for the other. */
const ADMIN_POOL_MAX = 4;

/** How long a kill waits for a connection. */
const ADMIN_TIMEOUT_MS = 5000;

/** How soon a server that came back is noticed while nobody waits for it; the driver's is 10 s. */
const HEARTBEAT_MS = 2000;

/** How long whoever comes first may wait for the client; the others wait with him. */
const OPEN_TIMEOUT_MS = 6000;

export class SharedClient {
  readonly #uri: () => string;
  readonly #options: Omit<ClientOptions, 'signal'>;
  readonly #outage = new Outage();
  #client: Promise<MongoClient> | undefined;

  /**
   * @param uri gives the connection string, a secret; throws while there is none
   */
  constructor(uri: () => string, options: Omit<ClientOptions, 'signal'>) {
    this.#uri = uri;
    this.#options = options;
  }

  /**
   * The client, connected; the driver itself finds a server again that was lost later.
   *
   * @throws ServiceError FATAL 08006; what `uri` throws; the signal's reason
   */
  async open(signal: AbortSignal): Promise<MongoClient> {
    signal.throwIfAborted();
    // Where there is no address yet, no server has failed: the one that comes is used at once.
    this.#client ??= this.#connect(this.#uri());
    return await untilAborted(this.#client, signal);
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.close();
  }

  /** Not stopped by the one who came first: others may wait for it. */
  async #connect(uri: string): Promise<MongoClient> {
    try {
      return await this.#outage.attempt(
        async () =>
          await openClient(uri, {
            ...this.#options,
            driver: { heartbeatFrequencyMS: HEARTBEAT_MS, ...this.#options.driver },
            signal: AbortSignal.timeout(OPEN_TIMEOUT_MS),
          }),
      );
    } catch (error) {
      // The next one tries again.
      this.#client = undefined;
      throw error;
    }
  }
}

/** The client that only asks and kills. */
export function createAdminClient(uri: () => string): SharedClient {
  return new SharedClient(uri, { appName: 'gatepost/admin', poolMax: ADMIN_POOL_MAX });
}

/** Rejects when the server does not answer. */
export async function ping(client: MongoClient, signal: AbortSignal): Promise<void> {
  await client.db('admin').command({ ping: 1 }, { signal });
}

/** Kills through a client of its own: the one that runs the operation may have none free. */
export function killThrough(admin: SharedClient): KillOperations {
  return async (tag) => {
    await killByTag(await admin.open(AbortSignal.timeout(ADMIN_TIMEOUT_MS)), tag);
  };
}
