import { once } from 'node:events';
import path from 'node:path';
import type { Launched } from './command.ts';
import { launch } from './command.ts';
import { settlesBefore, settlesWithin } from './deadline.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';
import { findFreePort, LOOPBACK } from './free-port.ts';
import type { ClusterPlace } from './postgres-cluster.ts';
import { socketSetting } from './postgres-socket.ts';
import { ServerLog } from './server-log.ts';

/** How often a start is tried again because another process took the port that was free. */
const PORT_ATTEMPTS_MAX = 5;

/** How long an immediate shutdown may take before the server is killed. */
const QUIT_TIMEOUT_MS = 5_000;

/**
 * How long the last lines are waited for when the server has ended. Processes that outlive a
 * killed server keep its output open.
 */
const LAST_LINES_TIMEOUT_MS = 5000;

/** How the server runs; stronger than postgresql.conf and ALTER SYSTEM. */
export interface PostmasterOptions {
  readonly place: ClusterPlace;
  readonly logFile: string;
  readonly connectionsMax: number;
}

/**
 * Starts the server on a free port of the loopback interface; resolves when it takes connections.
 * When the signal aborts the server is stopped at once and the reason is thrown.
 */
export async function startPostmaster(
  options: PostmasterOptions,
  signal: AbortSignal,
): Promise<Postmaster> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    const postmaster = await launchPostmaster(options, await findFreePort());
    if (await becomesReady(postmaster, signal)) {
      return postmaster;
    }
    const lastWords = await postmaster.ended;
    if (attempt === PORT_ATTEMPTS_MAX || !lastWords.includes('Address already in use')) {
      throw new EmbeddedDatabaseError(
        'The embedded PostgreSQL does not start: mend what it says, or set POSTGRES_HOST to use ' +
          `your own\n${lastWords}`,
      );
    }
  }
}

async function becomesReady(postmaster: Postmaster, signal: AbortSignal): Promise<boolean> {
  const outcome = Promise.race([
    postmaster.ready.then(() => true),
    postmaster.ended.then(() => false),
  ]);
  if (await settlesBefore(outcome, signal)) {
    return await outcome;
  }
  await postmaster.stop(signal);
  throw signal.reason;
}

async function launchPostmaster(options: PostmasterOptions, port: number): Promise<Postmaster> {
  const { directory, binaries, account } = options.place;
  const settings = [
    `listen_addresses=${LOOPBACK}`,
    `port=${port}`,
    `unix_socket_directories=${socketSetting(directory)}`,
    `hba_file=${path.join(directory, 'pg_hba.conf')}`,
    `max_connections=${options.connectionsMax}`,
    'shared_buffers=64MB',
    'cluster_name=gatepost',
    // The log is for the server's own life. Statements and their literals stay out of it.
    'log_destination=stderr',
    'logging_collector=off',
    'log_min_messages=log',
    'log_min_error_statement=panic',
    'log_checkpoints=off',
    // The line that says "ready" is looked for in English.
    'lc_messages=C',
  ];
  const args = ['-D', directory, ...settings.flatMap((setting) => ['-c', setting])];
  const child = await launch({ file: binaries.postgres, args, account });
  return new Postmaster(child, port, new ServerLog(options.logFile));
}

/** A launched PostgreSQL server. */
export class Postmaster {
  readonly port: number;
  /** Resolves when it takes connections. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended, with how it did and its last lines. */
  readonly ended: Promise<string>;
  readonly #child: Launched;

  constructor(child: Launched, port: number, log: ServerLog) {
    this.#child = child;
    this.port = port;
    let markReady: () => void = () => undefined;
    this.ready = new Promise((resolve) => {
      markReady = resolve;
    });
    const exit = once(child, 'exit');
    child.stdin.end();
    child.stdout.resume();
    const followed = log.follow(child.stderr, (line) => {
      if (line.includes('database system is ready to accept connections')) {
        markReady();
      }
    });
    this.ended = exit.then(async () => {
      await settlesWithin(followed, LAST_LINES_TIMEOUT_MS);
      return `${log.tail()}\n${describeExit(child)}`.trim();
    });
  }

  /**
   * Resolves when the server has ended: in good order (fast shutdown), at once when the deadline
   * aborts (immediate shutdown, recovered at the next start), killed when that does not help.
   */
  async stop(deadline: AbortSignal): Promise<void> {
    if (!deadline.aborted) {
      this.#child.kill('SIGINT');
      if (await settlesBefore(this.ended, deadline)) {
        return;
      }
    }
    this.#child.kill('SIGQUIT');
    if (!(await settlesWithin(this.ended, QUIT_TIMEOUT_MS))) {
      this.#child.kill('SIGKILL');
      await this.ended;
    }
  }
}

function describeExit(child: Launched): string {
  return child.signalCode === null
    ? `(postgres ended with status ${child.exitCode ?? 'unknown'})`
    : `(postgres was ended by ${child.signalCode})`;
}
