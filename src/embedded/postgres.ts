import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Component } from '../lifecycle.ts';
import type { Observer } from '../observation.ts';
import type { ReleaseLock } from '../process-lock.ts';
import { prepareDataDirectory } from './data-directory.ts';
import { withDeadline } from './deadline.ts';
import { lockDirectory } from './directory-lock.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';
import { stopPostgresOrphan } from './postgres-orphan.ts';
import { assertReachable, chooseAccount } from './os-account.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import type { ClusterPlace } from './postgres-cluster.ts';
import { createCluster, isClusterPresent, setPassword } from './postgres-cluster.ts';
import { removeStaleSockets } from './postgres-socket.ts';
import type { Postmaster } from './postmaster.ts';
import { startPostmaster } from './postmaster.ts';

/** From the lock to the first connection; a first start takes about a second. */
const START_TIMEOUT_MS = 30_000;

/** Room for a listener's 100 clients, REST's pool and the probes. */
const CONNECTIONS_MAX = 200;

const PASSWORD_BYTES = 24;

const COMPONENT_NAME = 'embedded-postgres';

export interface EmbeddedPostgresOptions {
  /** Where the data of all embedded databases lies; ours is in its folder `postgres`. */
  readonly directory: string;
  readonly observer: Observer;
  /** 200 unless said. */
  readonly connectionsMax?: number;
  /** 30 s unless said. */
  readonly startTimeoutMs?: number;
}

/** The PostgreSQL that Gatepost brings along for those who have none. */
export interface EmbeddedPostgres extends Component {
  /** Connection string of the running server, with its password; throws before the start. */
  dsn(): string;
}

/**
 * A PostgreSQL server of our own: data kept between runs, on a free loopback port, open only with a
 * password that is new at every start and nowhere but in this process's memory. `start` rejects
 * with an EmbeddedDatabaseError that says what to do.
 */
export function createEmbeddedPostgres(options: EmbeddedPostgresOptions): EmbeddedPostgres {
  return new EmbeddedServer(options);
}

/** What there is only while the server runs. */
interface Running {
  readonly postmaster: Postmaster;
  readonly password: string;
  readonly releaseLock: ReleaseLock;
}

class EmbeddedServer implements EmbeddedPostgres {
  readonly name = COMPONENT_NAME;
  readonly #options: EmbeddedPostgresOptions;
  #running: Running | undefined;

  constructor(options: EmbeddedPostgresOptions) {
    this.#options = options;
  }

  dsn(): string {
    if (this.#running === undefined) {
      throw new EmbeddedDatabaseError('The embedded PostgreSQL is not running: start it first');
    }
    const { postmaster, password } = this.#running;
    const place = `127.0.0.1:${postmaster.port}/postgres?sslmode=disable`;
    return `postgresql://postgres:${password}@${place}`;
  }

  async start(signal: AbortSignal): Promise<void> {
    const timeoutMs = this.#options.startTimeoutMs ?? START_TIMEOUT_MS;
    const lateError = new EmbeddedDatabaseError(
      `The embedded PostgreSQL did not start within ${timeoutMs} ms: see postgres.log in ` +
        `${this.#options.directory}, or set POSTGRES_HOST to use your own`,
    );
    await withDeadline(signal, timeoutMs, lateError, async (both) => {
      const binaries = await findPostgresBinaries();
      const directory = await prepareDataDirectory(this.#options.directory);
      const releaseLock = await lockDirectory(directory);
      try {
        const server = await this.#startServer(directory, binaries, both);
        this.#running = { ...server, releaseLock };
        this.#watch(server.postmaster);
      } catch (error) {
        await releaseLock();
        throw error;
      }
    });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const running = this.#running;
    if (running === undefined) {
      return;
    }
    this.#running = undefined;
    await running.postmaster.stop(deadline);
    await running.releaseLock();
  }

  async #startServer(
    directory: string,
    binaries: PostgresBinaries,
    signal: AbortSignal,
  ): Promise<Omit<Running, 'releaseLock'>> {
    const place = await this.#prepareCluster(path.join(directory, 'postgres'), binaries, signal);
    const password = randomBytes(PASSWORD_BYTES).toString('base64url');
    await setPassword(place, password, signal);
    const postmaster = await startPostmaster(
      {
        place,
        logFile: path.join(directory, 'postgres.log'),
        connectionsMax: this.#options.connectionsMax ?? CONNECTIONS_MAX,
      },
      signal,
    );
    this.#report(
      `Embedded PostgreSQL is running on 127.0.0.1:${postmaster.port}, its data is kept in ` +
        `${place.directory}, and clients act as its superuser; to use your own PostgreSQL, set ` +
        'POSTGRES_HOST or WIRE_UPSTREAM_DSN',
    );
    return { postmaster, password };
  }

  async #prepareCluster(
    directory: string,
    binaries: PostgresBinaries,
    signal: AbortSignal,
  ): Promise<ClusterPlace> {
    const account = await chooseAccount(directory, signal);
    await assertReachable(path.dirname(directory), account, 'set GATEPOST_DATA_DIR to another one');
    await assertReachable(binaries.postgres, account, 'install Gatepost in another directory');
    const orphan = await stopPostgresOrphan(directory, signal);
    if (orphan !== undefined) {
      this.#report(`Stopped PostgreSQL process ${orphan}, which an earlier run had left behind`);
    }
    const place = { directory, binaries, account };
    if (await isClusterPresent(directory)) {
      await removeStaleSockets(directory);
    } else {
      this.#report(`Making a new PostgreSQL cluster in ${directory}`);
      await createCluster(place, signal);
    }
    return place;
  }

  /** It is not started again by itself: sessions fail, and a restart of Gatepost mends both. */
  #watch(postmaster: Postmaster): void {
    const observeEnd = (lastWords: string): void => {
      if (this.#running?.postmaster === postmaster) {
        const error = new EmbeddedDatabaseError(
          `The embedded PostgreSQL ended by itself and stays down: restart Gatepost\n${lastWords}`,
        );
        this.#options.observer.observe({ kind: 'fault', component: this.name, error });
      }
    };
    postmaster.ended.then(observeEnd, (error: unknown) => {
      this.#options.observer.observe({ kind: 'fault', component: this.name, error });
    });
  }

  #report(message: string): void {
    this.#options.observer.observe({ kind: 'component-reported', component: this.name, message });
  }
}
