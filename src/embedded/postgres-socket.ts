// A Unix socket of the embedded PostgreSQL, in the cluster's own directory, which nobody but its
// owner (and root) may enter: by it the command line reaches a server whose password is only in the
// memory of the service.
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { composeConnectionString } from '../config-dsn.ts';
import { toErrorCode } from '../error-code.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';

/** What the kernel takes as the path of a socket, without the NUL behind it. */
const SOCKET_PATH_BYTES_MAX = process.platform === 'linux' ? 107 : 103;

const SOCKET_PREFIX = '.s.PGSQL.';

const PORT_DIGITS_MAX = 5;

/** Lines of postmaster.pid, counted from 0 (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_*). */
const PORT_LINE = 3;
const SOCKET_DIRECTORY_LINE = 4;
const STATUS_LINE = 7;

/**
 * The server's setting for a socket in its own directory, where it works; empty, which is for none,
 * where a client could not name the place: the kernel wants a short path.
 */
export function socketSetting(directory: string): string {
  const longest = path.join(directory, `${SOCKET_PREFIX}${'0'.repeat(PORT_DIGITS_MAX)}`);
  return Buffer.byteLength(longest) <= SOCKET_PATH_BYTES_MAX ? '.' : '';
}

/**
 * The connection string of the server that runs on the cluster of a data directory, by its socket;
 * undefined where none is ready.
 *
 * @throws EmbeddedDatabaseError where it has no socket, or the directory is another user's
 */
export async function findSocketDsn(dataDirectory: string): Promise<string | undefined> {
  const directory = path.join(path.resolve(dataDirectory), 'postgres');
  const lines = (await readLockFile(path.join(directory, 'postmaster.pid'))).split('\n');
  const port = Number(lines[PORT_LINE]);
  if (lines[STATUS_LINE]?.trim() !== 'ready') {
    return undefined;
  }
  if (!Number.isSafeInteger(port) || lines[SOCKET_DIRECTORY_LINE] !== '.') {
    throw new EmbeddedDatabaseError(
      `The PostgreSQL that runs in ${directory} has no socket, whose path would be too long: ` +
        'stop Gatepost first, or set GATEPOST_DATA_DIR to a shorter path',
    );
  }
  return composeConnectionString({
    host: directory,
    port,
    user: 'postgres',
    password: undefined,
    database: 'postgres',
  });
}

/** Removes what killed servers have left: each start has another port, and so another socket. */
export async function removeStaleSockets(directory: string): Promise<void> {
  const entries = await readdir(directory);
  for (const entry of entries.filter((name) => name.startsWith(SOCKET_PREFIX))) {
    await rm(path.join(directory, entry), { force: true });
  }
}

async function readLockFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (toErrorCode(error) === 'ENOENT') {
      return '';
    }
    throw new EmbeddedDatabaseError(
      `Cannot read ${file}: it belongs to another user; run this as the one who runs Gatepost`,
      error,
    );
  }
}
