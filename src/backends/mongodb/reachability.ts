// Whether a client's server is there, as the driver's own monitor sees it: who asks while it is
// away is told at once.
import type { MongoClient, TopologyDescription } from 'mongodb';
import { untilAborted } from '../../until-aborted.ts';
import { Outage } from '../outage.ts';
import { connectionError } from './server-errors.ts';
import { ping } from './shared-client.ts';

/** How long a server may take to be found and to answer. */
const REACH_TIMEOUT_MS = 4000;

export class Reachability {
  readonly #outage = new Outage();
  #client: MongoClient | undefined;
  #isReachable = true;

  /**
   * Resolves at once where the server is known to be there. Else whoever comes first looks for it,
   * and the others fail until the next may try.
   *
   * @param client connected; the same one each time
   * @throws ServiceError 08006; the signal's reason
   */
  async assert(client: MongoClient, signal: AbortSignal): Promise<void> {
    this.#watch(client);
    if (!this.#isReachable) {
      // Not stopped by the one who came first: its outcome is the answer to others.
      const reached = this.#outage.attempt(async () => await reach(client));
      await untilAborted(reached, signal);
    }
  }

  #watch(client: MongoClient): void {
    if (this.#client === client) {
      return;
    }
    this.#client = client;
    this.#isReachable = true;
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      this.#isReachable = hasWritable(newDescription);
    });
  }
}

async function reach(client: MongoClient): Promise<void> {
  try {
    await ping(client, AbortSignal.timeout(REACH_TIMEOUT_MS));
  } catch (error) {
    throw connectionError(error);
  }
}

function hasWritable({ servers }: TopologyDescription): boolean {
  return [...servers.values()].some(({ isWritable }) => isWritable);
}
