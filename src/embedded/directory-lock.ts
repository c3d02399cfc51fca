import path from 'node:path';
import type { ReleaseLock } from '../process-lock.ts';
import { ProcessLockError, takeLock } from '../process-lock.ts';
import { DirectoryInUseError, EmbeddedDatabaseError } from './embedded-database-error.ts';

const LOCK_FILE = 'gatepost.pid';

/**
 * Makes this process the only Gatepost that uses the directory. A lock whose process has ended is
 * taken over; one whose process runs is refused, naming it.
 */
export async function lockDirectory(directory: string): Promise<ReleaseLock> {
  const file = path.join(directory, LOCK_FILE);
  try {
    return await takeLock(file);
  } catch (error) {
    throw error instanceof ProcessLockError ? refusal(directory, file, error) : error;
  }
}

function refusal(directory: string, file: string, error: ProcessLockError): EmbeddedDatabaseError {
  if (!error.isWritable) {
    return new EmbeddedDatabaseError(
      `Cannot create ${file}: make the directory writable for the user who runs Gatepost, or set ` +
        'GATEPOST_DATA_DIR to another one',
      error.cause,
    );
  }
  if (error.holderPid === undefined) {
    return new EmbeddedDatabaseError(
      `Cannot take ${file}: other Gatepost processes are starting there; start one at a time`,
    );
  }
  return new DirectoryInUseError(
    `Another Gatepost (process ${error.holderPid}) uses ${directory}: stop it, or set ` +
      'GATEPOST_DATA_DIR to another directory',
    error.holderPid,
  );
}
