import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { toErrorCode } from '../error-code.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';
import { commandLineOf, isRunning } from '../os-process.ts';

/** A server that a killed Gatepost may have left running. */
export interface LeftServer {
  /** For sentences. */
  readonly product: string;
  /** Its data; a word of its command line. */
  readonly directory: string;
  /** Begins with its process id. */
  readonly lockFile: string;
  /** What to stop it by, each with its time in ms to work before the next. */
  readonly signals: readonly (readonly [NodeJS.Signals, number])[];
  /** Called when the id in the lock file is another program's by now. */
  readonly disownLockFile?: (content: string) => Promise<void>;
}

/** Somebody else's child tells nobody of its end: it is asked for at this pace. */
const POLL_MS = 25;

/**
 * Stops the server if it still runs, and gives its process id. The caller holds the directory's
 * lock, so no Gatepost uses that server any more.
 */
export async function stopOrphan(
  server: LeftServer,
  signal: AbortSignal,
): Promise<number | undefined> {
  const content = await readLockFile(server.lockFile);
  const pid = parsePid(content);
  if (pid === undefined || !(await isRunning(pid))) {
    // A server replaces the lock file of a process that has ended.
    return undefined;
  }
  const words = await commandLineOf(pid);
  if (!words.includes(server.directory)) {
    await server.disownLockFile?.(content);
    return undefined;
  }
  await stopProcess(pid, server, signal);
  return pid;
}

/** The first line; a single-user PostgreSQL writes its id negated. */
function parsePid(content: string): number | undefined {
  const pid = Math.abs(Number.parseInt(content, 10));
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

async function stopProcess(
  pid: number,
  { product, directory, signals }: LeftServer,
  signal: AbortSignal,
): Promise<void> {
  for (const [name, timeoutMs] of signals) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if (toErrorCode(error) === 'ESRCH') {
        return;
      }
      throw new EmbeddedDatabaseError(
        `${product} process ${pid} of another user works in ${directory}: stop it, or set ` +
          'GATEPOST_DATA_DIR to another directory',
        error,
      );
    }
    if (await hasEnded(pid, timeoutMs, signal)) {
      return;
    }
  }
  throw new EmbeddedDatabaseError(
    `${product} process ${pid} was left in ${directory} by an earlier run and does ` +
      'not stop: end it',
  );
}

async function hasEnded(pid: number, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const polls = Math.ceil(timeoutMs / POLL_MS);
  for (let poll = 0; poll < polls; poll += 1) {
    if (!(await isRunning(pid))) {
      return true;
    }
    await delay(POLL_MS, undefined, { signal });
  }
  return false;
}

async function readLockFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (toErrorCode(error) === 'ENOENT') {
      return '';
    }
    throw error;
  }
}
