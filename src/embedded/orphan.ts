import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { toErrorCode } from '../error-code.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';
import { commandLineOf, isRunning } from './os-process.ts';
import { replaceFile } from './replace-file.ts';

/** Each signal's time to work before the next: fast shutdown, immediate shutdown. */
const SIGNALS = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 5_000],
] as const;

/** Somebody else's child tells nobody of its end: it is asked for at this pace. */
const POLL_MS = 25;

/**
 * Stops the server that a killed Gatepost left running on this cluster, if there is one, and gives
 * its process id. The caller holds the directory's lock, so no Gatepost uses that server any more.
 */
export async function stopOrphan(
  clusterDirectory: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const file = path.join(clusterDirectory, 'postmaster.pid');
  const content = await readLockFile(file);
  const pid = parsePid(content);
  if (pid === undefined || !(await isRunning(pid))) {
    // The server itself removes the lock file of a process that has ended.
    return undefined;
  }
  const words = await commandLineOf(pid);
  if (!words.includes(clusterDirectory)) {
    await disownLockFile(file, content);
    return undefined;
  }
  await stopProcess(pid, clusterDirectory, signal);
  return pid;
}

/** The first line of postmaster.pid; a single-user server writes its id negated. */
function parsePid(content: string): number | undefined {
  const pid = Math.abs(Number.parseInt(content, 10));
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

async function stopProcess(pid: number, directory: string, signal: AbortSignal): Promise<void> {
  for (const [name, timeoutMs] of SIGNALS) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if (toErrorCode(error) === 'ESRCH') {
        return;
      }
      throw new EmbeddedDatabaseError(
        `PostgreSQL process ${pid} of another user works in ${directory}: stop it, or set ` +
          'GATEPOST_DATA_DIR to another directory',
        error,
      );
    }
    if (await hasEnded(pid, timeoutMs, signal)) {
      return;
    }
  }
  throw new EmbeddedDatabaseError(
    `PostgreSQL process ${pid} was left in ${directory} by an earlier run and does ` +
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

/**
 * The id in the lock file is another program's by now, as at every restart of a container, and the
 * server would refuse to start beside it. It takes an id that is its own parent's for stale, so we
 * write ours; the other lines stay, by which it finds processes that outlived their server.
 */
async function disownLockFile(file: string, content: string): Promise<void> {
  await replaceFile(file, content.replace(/^-?\d+/, String(process.pid)));
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
