import { link, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { toErrorCode } from '../error-code.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';
import { isRunning, startTimeOf } from './os-process.ts';

const LOCK_FILE = 'gatepost.pid';

/** How often a stale lock is taken over before giving up on others who do the same. */
const ATTEMPTS_MAX = 3;

/** Gives the lock back; does nothing when somebody else has taken it meanwhile. */
export type ReleaseLock = () => Promise<void>;

/**
 * Makes this process the only Gatepost that uses the directory. A lock whose process has ended is
 * taken over; one whose process runs is refused, naming it.
 */
export async function lockDirectory(directory: string): Promise<ReleaseLock> {
  const file = path.join(directory, LOCK_FILE);
  const own = `${process.pid}\n${(await startTimeOf(process.pid)) ?? ''}\n`;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (await createWhole(file, own)) {
      return async () => {
        await removeIfHolds(file, own);
      };
    }
    const holder = await readText(file);
    if (holder === undefined) {
      continue;
    }
    await refuseIfAlive(directory, holder);
    await removeIfHolds(file, holder);
  }
  throw new EmbeddedDatabaseError(
    `Cannot take ${file}: other Gatepost processes are starting there; start one at a time`,
  );
}

/**
 * Creates the file with its content in one step, so that nobody ever reads it half written; false
 * when it exists.
 */
async function createWhole(file: string, content: string): Promise<boolean> {
  const draft = `${file}.${process.pid}`;
  try {
    await writeFile(draft, content, { mode: 0o600 });
    await link(draft, file);
    return true;
  } catch (error) {
    if (toErrorCode(error) === 'EEXIST') {
      return false;
    }
    throw new EmbeddedDatabaseError(
      `Cannot create ${file}: make the directory writable for the user who runs Gatepost, or set ` +
        'GATEPOST_DATA_DIR to another one',
      error,
    );
  } finally {
    await rm(draft, { force: true });
  }
}

async function refuseIfAlive(directory: string, holder: string): Promise<void> {
  const [pidText = '', startTime = ''] = holder.split('\n');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 0 || !(await isRunning(pid))) {
    return;
  }
  // The same id with another start time is another process: the holder has ended.
  const current = await startTimeOf(pid);
  if (startTime !== '' && current !== undefined && current !== startTime) {
    return;
  }
  throw new EmbeddedDatabaseError(
    `Another Gatepost (process ${pid}) uses ${directory}: stop it, or set GATEPOST_DATA_DIR to ` +
      'another directory',
  );
}

async function removeIfHolds(file: string, content: string): Promise<void> {
  if ((await readText(file)) === content) {
    await rm(file, { force: true });
  }
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (toErrorCode(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}
