import type { ChildProcess } from 'node:child_process';
import { MongoInstance } from 'mongodb-memory-server-core';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { ENVIRONMENT } from './command.ts';
import { settlesBefore, settlesWithin } from './deadline.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';
import { findFreePort, LOOPBACK } from './free-port.ts';
import { complaintOf } from './mongodb-log.ts';
import type { MongodProgram } from './mongodb-program.ts';
import { MONGODB_ADVICE } from './mongodb-program.ts';
import { becomePrimary, REPLICA_SET_NAME } from './mongodb-replica-set.ts';
import { ServerLog } from './server-log.ts';

/** How often a start is tried again because another process took the port that was free. */
const PORT_ATTEMPTS_MAX = 5;

/** Our own deadline is the shorter one; the library's is there because it has one. */
const LAUNCH_TIMEOUT_MS = 600_000;

/** How long the last lines are waited for when the server has ended. */
const LAST_LINES_TIMEOUT_MS = 1_000;

/** An idle server is to be small, and to leave no trace of what is asked of it. */
const ARGUMENTS = [
  ['--wiredTigerCacheSizeGB', '0.25'],
  ['--oplogSize', '256'],
  ['--nounixsocket'],
  // Slow statements would be logged with their literals.
  ['--slowms', '2147483647'],
  ['--setParameter', 'diagnosticDataCollectionEnabled=false'],
].flat();

/** There is nobody to hand over to, so nothing is waited for. Version 4 has no such parameter. */
const SHUTDOWN_ARGUMENTS = ['--setParameter', 'shutdownTimeoutMillisForSignaledShutdown=0'];

/** What an error quotes of the log's errors; the first says most. */
const COMPLAINTS_MAX = 5;

export interface MongodOptions {
  readonly program: MongodProgram;
  readonly dataDirectory: string;
  readonly logFile: string;
}

/** A running mongod. */
export interface Mongod {
  readonly port: number;
  /** Resolves when it has ended, with how it did and its last lines. */
  readonly ended: Promise<string>;
  /** Resolves when it has ended: in good order, or killed when the deadline aborts. */
  stop(deadline: AbortSignal): Promise<void>;
}

/**
 * Starts a one-node replica set on a free port of the loopback interface; resolves when it takes
 * writes. When the signal aborts the server is killed and the reason is thrown.
 */
export async function startMongod(options: MongodOptions, signal: AbortSignal): Promise<Mongod> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    const mongod = await launchMongod(options, await findFreePort());
    try {
      await settleBefore(mongod.ready, signal);
      await settleBefore(becomePrimary(`${LOOPBACK}:${mongod.port}`, signal), signal);
      return mongod;
    } catch (error) {
      await mongod.stop(AbortSignal.abort());
      signal.throwIfAborted();
      const lastWords = await mongod.ended;
      if (attempt === PORT_ATTEMPTS_MAX || !lastWords.includes('Address already in use')) {
        throw new EmbeddedDatabaseError(
          `The embedded MongoDB does not start: mend what it says, or ${MONGODB_ADVICE}\n` +
            lastWords,
          error,
        );
      }
    }
  }
}

async function settleBefore(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (!(await settlesBefore(promise, signal))) {
    // It is rejected when the server is killed, and nobody asks any more.
    promise.catch(() => undefined);
    throw signal.reason;
  }
}

interface Launched extends Mongod {
  /** Resolves when the server answers; rejects when it ends before. */
  readonly ready: Promise<void>;
}

/**
 * The library also starts a small process that ends the server some seconds after our own process
 * has gone. It is in a session of its own as the server is, so that the terminal's Ctrl+C reaches
 * neither and we drain first; the library hooks no signal and no exit of ours.
 */
async function launchMongod(options: MongodOptions, port: number): Promise<Launched> {
  const instance = createInstance(options, port);
  const takeLine = instance.stdoutHandler.bind(instance);
  // The library judges chunks as if they were lines, and throws where nobody catches when a fatal
  // error shares its chunk with another line. It is handed the one line that it waits for.
  instance.stdoutHandler = () => undefined;
  instance.stderrHandler = () => undefined;
  const launched = once(instance, 'instanceLaunched');
  const ready = instance.start();
  await Promise.race([launched, ready]);
  const child = instance.mongodProcess;
  if (child === undefined) {
    throw new EmbeddedDatabaseError(`Cannot run ${options.program.file}: ${MONGODB_ADVICE}`);
  }
  // Its own way to stop a set connects first, takes its time, and prints what fails.
  instance.isReplSet = false;
  const ended = followToEnd(child, options.logFile, (line) => {
    if (line.includes('Waiting for connections')) {
      takeLine(line);
    }
  });
  return {
    port,
    ready,
    ended,
    stop: async (deadline) => {
      await endProcess(child, ended, deadline);
      // Nothing is left of it but the process that watches over it.
      await instance.stop();
    },
  };
}

function createInstance({ program, dataDirectory }: MongodOptions, port: number): MongoInstance {
  const isVersion4 = program.version.startsWith('4.');
  return new MongoInstance({
    instance: {
      port,
      ip: LOOPBACK,
      dbPath: dataDirectory,
      replSet: REPLICA_SET_NAME,
      storageEngine: 'wiredTiger',
      launchTimeout: LAUNCH_TIMEOUT_MS,
      args: isVersion4 ? ARGUMENTS : [...ARGUMENTS, ...SHUTDOWN_ARGUMENTS],
    },
    // The version keeps the library from comparing it with its own and complaining.
    binary: { systemBinary: program.file, version: program.version },
    spawn: { detached: true, cwd: '/', env: ENVIRONMENT },
  });
}

/** Keeps what the server says; resolves when it has ended, with what it complained of and how. */
async function followToEnd(
  child: ChildProcess,
  logFile: string,
  onLine: (line: string) => void,
): Promise<string> {
  // The library reads these streams too: what is said before we are there is lost to us, so the
  // pipes are laid in the turn of the launch. The loader of programs speaks on the second.
  const words = new PassThrough();
  child.stdout?.pipe(words, { end: false });
  child.stderr?.pipe(words, { end: false });
  child.once('close', () => words.end());
  const log = new ServerLog(logFile);
  const complaints: string[] = [];
  const followed = log.follow(words, (line) => {
    const complaint = complaintOf(line);
    if (complaint !== undefined && complaints.length < COMPLAINTS_MAX) {
      complaints.push(complaint);
    }
    onLine(line);
  });
  await once(child, 'exit');
  await settlesWithin(followed, LAST_LINES_TIMEOUT_MS);
  const lastWords = complaints.length === 0 ? log.tail() : complaints.join('\n');
  return `${lastWords}\n${describeExit(child)}`.trim();
}

async function endProcess(
  child: ChildProcess,
  ended: Promise<string>,
  deadline: AbortSignal,
): Promise<void> {
  if (!deadline.aborted) {
    child.kill('SIGINT');
    if (await settlesBefore(ended, deadline)) {
      return;
    }
  }
  child.kill('SIGKILL');
  await ended;
}

function describeExit(child: ChildProcess): string {
  return child.signalCode === null
    ? `(mongod ended with status ${child.exitCode ?? 'unknown'})`
    : `(mongod was ended by ${child.signalCode})`;
}
