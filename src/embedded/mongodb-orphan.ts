import path from 'node:path';
import { stopOrphan } from './orphan.ts';

/** Shutdown in good order, then none: the journal brings back what was written. */
const SIGNALS = [
  ['SIGINT', 10_000],
  ['SIGKILL', 5_000],
] as const;

/**
 * Ends the mongod that a killed Gatepost left running on this data, if there is one, and gives its
 * process id. An id in the lock file that is another program's by now harms nothing: the server's
 * own lock does not rest on it.
 */
export async function stopMongodOrphan(
  directory: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const lockFile = path.join(directory, 'mongod.lock');
  return await stopOrphan({ product: 'MongoDB', directory, lockFile, signals: SIGNALS }, signal);
}
