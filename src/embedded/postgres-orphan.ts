import path from 'node:path';
import { stopOrphan } from './orphan.ts';
import { replaceFile } from './replace-file.ts';

/** Fast shutdown, immediate shutdown. */
const SIGNALS = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 5_000],
] as const;

/**
 * Stops the PostgreSQL that a killed Gatepost left running on this cluster, if there is one, and
 * gives its process id.
 */
export async function stopPostgresOrphan(
  directory: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const lockFile = path.join(directory, 'postmaster.pid');
  return await stopOrphan(
    {
      product: 'PostgreSQL',
      directory,
      lockFile,
      signals: SIGNALS,
      disownLockFile: async (content) => {
        await disownLockFile(lockFile, content);
      },
    },
    signal,
  );
}

/**
 * The id in the lock file is another program's by now, as at every restart of a container, and the
 * server would refuse to start beside it. It takes an id that is its own parent's for stale, so we
 * write ours; the other lines stay, by which it finds processes that outlived their server.
 */
async function disownLockFile(file: string, content: string): Promise<void> {
  await replaceFile(file, content.replace(/^-?\d+/, String(process.pid)));
}
