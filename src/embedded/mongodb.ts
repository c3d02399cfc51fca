import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Component } from '../lifecycle.ts';
import type { Observer } from '../observation.ts';
import type { ReleaseLock } from '../process-lock.ts';
import { prepareDataDirectory } from './data-directory.ts';
import { settlesBefore, withDeadline } from './deadline.ts';
import { lockDirectory } from './directory-lock.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';
import { LOOPBACK } from './free-port.ts';
import { findMongod } from './mongodb-binary.ts';
import { stopMongodOrphan } from './mongodb-orphan.ts';
import type { MongodProgram } from './mongodb-program.ts';
import { MONGODB_ADVICE } from './mongodb-program.ts';
import { REPLICA_SET_NAME } from './mongodb-replica-set.ts';
import type { Mongod } from './mongodb-server.ts';

/** From the launch to the first write; long enough for a journal to be read after a crash. */
const START_TIMEOUT_MS = 60_000;

const COMPONENT_NAME = 'embedded-mongodb';

export interface EmbeddedMongodbOptions {
  /** Where the data of all embedded databases lies; ours is in its folder `mongodb`. */
  readonly directory: string;
  readonly observer: Observer;
  /** MONGOD_BINARY: the operator's own mongod, which nothing else replaces. */
  readonly binary?: string | undefined;
  /** Where a fetched mongod is kept; the folder `programs` of the directory unless said. */
  readonly programsDirectory?: string | undefined;
}

/** The MongoDB that Gatepost brings along for those who have none. */
export interface EmbeddedMongodb extends Component {
  /**
   * Connection string of the running server.
   *
   * @throws EmbeddedDatabaseError that says what is under way, or why it failed and what to do
   */
  uri(): string;
  /** Resolves with the connection string; rejects when it failed, or the signal aborts. */
  untilRunning(signal: AbortSignal): Promise<string>;
}

/**
 * A mongod of our own: a one-node replica set on a free loopback port, data kept between runs.
 * `start` does not wait for it, since its program may have to be fetched first: a failure is
 * observed, and Gatepost runs without it.
 */
export function createEmbeddedMongodb(options: EmbeddedMongodbOptions): EmbeddedMongodb {
  return new EmbeddedServer(options);
}

type State =
  | { readonly kind: 'stopped' }
  /** What is under way: one sentence. */
  | { readonly kind: 'starting'; readonly doing: string }
  | { readonly kind: 'running'; readonly uri: string }
  | { readonly kind: 'failed'; readonly error: EmbeddedDatabaseError };

/** What there is only while the server runs. */
interface Running {
  readonly mongod: Mongod;
  readonly releaseLock: ReleaseLock;
}

class EmbeddedServer implements EmbeddedMongodb {
  readonly name = COMPONENT_NAME;
  readonly #options: EmbeddedMongodbOptions;
  #state: State = { kind: 'stopped' };
  #running: Running | undefined;
  #stopping = new AbortController();
  /** Settles when what is under way is over: a start, or the clearing away of a dead server. */
  #settled: Promise<void> = Promise.resolve();

  constructor(options: EmbeddedMongodbOptions) {
    this.#options = options;
  }

  uri(): string {
    switch (this.#state.kind) {
      case 'running':
        return this.#state.uri;
      case 'failed':
        throw this.#state.error;
      case 'starting':
        throw new EmbeddedDatabaseError(
          `The embedded MongoDB is not there yet (${this.#state.doing}): try again in a moment`,
        );
      case 'stopped':
        throw new EmbeddedDatabaseError('The embedded MongoDB is not running: start it first');
    }
  }

  async untilRunning(signal: AbortSignal): Promise<string> {
    if (!(await settlesBefore(this.#settled, signal))) {
      throw signal.reason;
    }
    return this.uri();
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#stopping = new AbortController();
    this.#state = { kind: 'starting', doing: 'Opening its directory' };
    this.#settled = this.#open(AbortSignal.any([signal, this.#stopping.signal]));
    await Promise.resolve();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await this.#settled;
    const running = this.#running;
    this.#running = undefined;
    this.#state = { kind: 'stopped' };
    await running?.mongod.stop(deadline);
    await running?.releaseLock();
  }

  /** Never rejects: a failure is a state, and observed unless we were told to stop. */
  async #open(signal: AbortSignal): Promise<void> {
    try {
      const directory = await prepareDataDirectory(this.#options.directory);
      const dataDirectory = path.join(directory, 'mongodb');
      await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
      const releaseLock = await lockDirectory(dataDirectory);
      try {
        const mongod = await this.#startServer(directory, signal);
        this.#running = { mongod, releaseLock };
        this.#state = { kind: 'running', uri: uriOf(mongod) };
        this.#watch({ mongod, releaseLock });
      } catch (error) {
        await releaseLock();
        throw error;
      }
    } catch (error) {
      if (signal.aborted) {
        this.#state = { kind: 'stopped' };
        return;
      }
      this.#fail(error);
    }
  }

  async #startServer(directory: string, signal: AbortSignal): Promise<Mongod> {
    this.#state = { kind: 'starting', doing: "Looking for MongoDB's program" };
    const program = await findMongod(
      {
        binary: this.#options.binary,
        programsDirectory: this.#options.programsDirectory ?? path.join(directory, 'programs'),
        report: (message) => {
          this.#state = { kind: 'starting', doing: message };
          this.#report(message);
        },
      },
      signal,
    );
    this.#state = { kind: 'starting', doing: `Starting MongoDB ${program.version}` };
    const lateError = new EmbeddedDatabaseError(
      `The embedded MongoDB did not start within ${START_TIMEOUT_MS} ms: see mongodb.log in ` +
        `${directory}, or ${MONGODB_ADVICE}`,
    );
    return await withDeadline(
      signal,
      START_TIMEOUT_MS,
      lateError,
      async (both) => await this.#launch(program, directory, both),
    );
  }

  async #launch(program: MongodProgram, directory: string, signal: AbortSignal): Promise<Mongod> {
    const dataDirectory = path.join(directory, 'mongodb');
    const orphan = await stopMongodOrphan(dataDirectory, signal);
    if (orphan !== undefined) {
      this.#report(`Stopped MongoDB process ${orphan}, which an earlier run had left behind`);
    }
    // Who has a MongoDB of their own does not pay for loading the library.
    const { startMongod } = await import('./mongodb-server.ts');
    const logFile = path.join(directory, 'mongodb.log');
    const mongod = await startMongod({ program, dataDirectory, logFile }, signal);
    this.#report(
      `Embedded MongoDB ${program.version} is running on 127.0.0.1:${mongod.port}, its data is ` +
        `kept in ${dataDirectory}, and it asks no user of this machine for a password; to use ` +
        'your own MongoDB, set MONGODB_URI',
    );
    return mongod;
  }

  /** It is not started again by itself: sessions fail, and a restart of Gatepost mends both. */
  #watch({ mongod, releaseLock }: Running): void {
    const observeEnd = async (lastWords: string): Promise<void> => {
      if (this.#running?.mongod !== mongod) {
        return;
      }
      this.#running = undefined;
      const close = async (): Promise<void> => {
        await mongod.stop(AbortSignal.abort());
        await releaseLock();
      };
      this.#settled = close().catch((error: unknown) => {
        this.#observeFault(error);
      });
      this.#fail(
        new EmbeddedDatabaseError(
          `The embedded MongoDB ended by itself and stays down: restart Gatepost\n${lastWords}`,
        ),
      );
      await this.#settled;
    };
    mongod.ended.then(observeEnd).catch((error: unknown) => {
      this.#observeFault(error);
    });
  }

  #fail(cause: unknown): void {
    const error = new EmbeddedDatabaseError(sentencesOf(cause), cause);
    this.#state = { kind: 'failed', error };
    const message = `Gatepost goes on without MongoDB: ${error.message}`;
    this.#options.observer.observe({ kind: 'risk-noticed', component: this.name, message });
  }

  #report(message: string): void {
    this.#options.observer.observe({ kind: 'component-reported', component: this.name, message });
  }

  #observeFault(error: unknown): void {
    this.#options.observer.observe({ kind: 'fault', component: this.name, error });
  }
}

function uriOf({ port }: Mongod): string {
  return `mongodb://${LOOPBACK}:${port}/?replicaSet=${REPLICA_SET_NAME}`;
}

/** The error's message, and that of what caused it. */
function sentencesOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.cause === undefined
    ? error.message
    : `${error.message}\n${sentencesOf(error.cause)}`;
}
