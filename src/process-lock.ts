// A file that only one process holds: it names its holder, so that a holder that has ended is seen.
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { toErrorCode } from './error-code.ts';
import { isRunning, startTimeOf } from './os-process.ts';

/** How often a stale lock is taken over before giving up on others who do the same. */
const ATTEMPTS_MAX = 3;

/** Gives the lock back; does nothing when somebody else has taken it meanwhile. */
export type ReleaseLock = () => Promise<void>;

/** Why a lock is not ours. */
export class ProcessLockError extends Error {
  override readonly name = 'ProcessLockError';
  /** The process that holds it; undefined when several take it at once, or none can. */
  readonly holderPid: number | undefined;
  readonly isWritable: boolean;

  constructor(message: string, why: { holderPid?: number; isWritable?: boolean; cause?: unknown }) {
    super(message, why.cause === undefined ? undefined : { cause: why.cause });
    this.holderPid = why.holderPid;
    this.isWritable = why.isWritable ?? true;
  }
}

/**
 * Makes this process the only one that holds the file. A lock whose process has ended is taken
 * over; one whose process runs is refused.
 *
 * @throws ProcessLockError
 */
export async function takeLock(file: string): Promise<ReleaseLock> {
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
    await refuseIfAlive(file, holder);
    await removeIfHolds(file, holder);
  }
  throw new ProcessLockError(`Several processes take ${file} at once`, {});
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
    throw new ProcessLockError(`${file} cannot be created`, { isWritable: false, cause: error });
  } finally {
    await rm(draft, { force: true });
  }
}

async function refuseIfAlive(file: string, holder: string): Promise<void> {
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
  throw new ProcessLockError(`Process ${pid} holds ${file}`, { holderPid: pid });
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
