import { chown, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { toErrorCode } from '../error-code.ts';
import type { OsAccount } from './command.ts';
import { run } from './command.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { replaceFile } from './replace-file.ts';
import { createScramVerifier } from '../scram-verifier.ts';

/** The major version of the programs that we ship; a cluster belongs to one major version. */
const MAJOR_VERSION = '16';

/** The second is always there, and sorts by bytes all the same. */
const LOCALES = ['C.UTF-8', 'C'];

/**
 * Everybody on this machine can reach the port, so everybody must know the password. The socket is
 * in the cluster's own directory: whoever can enter that could as well overwrite the files of the
 * cluster, this one included, so that asking him for a password would keep nobody out.
 */
const ACCESS_RULES = 'local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n';

/** Where a cluster lies and what works on it. */
export interface ClusterPlace {
  readonly directory: string;
  readonly binaries: PostgresBinaries;
  readonly account: OsAccount | undefined;
}

/** Whether the directory holds a cluster of our version; throws when it holds anything else. */
export async function isClusterPresent(directory: string): Promise<boolean> {
  const entries = await readEntries(directory);
  if (entries.length === 0) {
    return false;
  }
  if (!entries.includes('PG_VERSION')) {
    throw new EmbeddedDatabaseError(
      `${directory} holds files but no PostgreSQL cluster: move them away, or set ` +
        'GATEPOST_DATA_DIR to another directory',
    );
  }
  const version = (await readFile(path.join(directory, 'PG_VERSION'), 'utf8')).trim();
  if (version !== MAJOR_VERSION) {
    throw new EmbeddedDatabaseError(
      `${directory} was made by PostgreSQL ${version} and the embedded one is ${MAJOR_VERSION}: ` +
        'dump it with its own version, or set GATEPOST_DATA_DIR to another directory',
    );
  }
  return true;
}

/**
 * Makes a new cluster. It is made beside its final place and moved there when whole, so that an
 * interrupted one is recognised by its name and made again.
 */
export async function createCluster(place: ClusterPlace, signal: AbortSignal): Promise<void> {
  const draft = `${place.directory}.initializing`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  if (place.account !== undefined) {
    await chown(draft, place.account.uid, place.account.gid);
  }
  await initialize({ ...place, directory: draft }, signal);
  await rename(draft, place.directory);
  await syncDirectory(path.dirname(place.directory));
}

async function initialize(place: ClusterPlace, signal: AbortSignal): Promise<void> {
  let output = '';
  for (const locale of LOCALES) {
    // Nobody can log in until `setPassword` has run and the access rules are written.
    const result = await run(
      {
        file: place.binaries.initdb,
        args: [
          `--pgdata=${place.directory}`,
          '--username=postgres',
          '--auth=reject',
          '--encoding=UTF8',
          `--locale=${locale}`,
        ],
        account: place.account,
      },
      signal,
    );
    if (result.isSuccess) {
      return;
    }
    output = result.output;
    if (!output.includes('invalid locale name')) {
      break;
    }
  }
  throw new EmbeddedDatabaseError(
    `Cannot make a PostgreSQL cluster in ${path.dirname(place.directory)}: initdb failed; mend ` +
      `what it says, or set POSTGRES_HOST to use your own PostgreSQL\n${output}`,
  );
}

/**
 * Gives the role `postgres` a new password, in single-user mode and so before anybody can connect.
 * The server and its files see only the verifier.
 */
export async function setPassword(
  place: ClusterPlace,
  password: string,
  signal: AbortSignal,
): Promise<void> {
  await replaceFile(path.join(place.directory, 'pg_hba.conf'), ACCESS_RULES);
  const verifier = await createScramVerifier(password);
  const settings = ['exit_on_error=on', 'log_checkpoints=off', 'log_min_error_statement=panic'];
  const { isSuccess, output } = await run(
    {
      file: place.binaries.postgres,
      args: [
        '--single',
        '-D',
        place.directory,
        ...settings.flatMap((setting) => ['-c', setting]),
        // The one database that cannot be dropped.
        'template1',
      ],
      account: place.account,
    },
    signal,
    `ALTER ROLE postgres WITH LOGIN SUPERUSER PASSWORD '${verifier}'\n`,
  );
  if (!isSuccess) {
    throw new EmbeddedDatabaseError(
      `The cluster in ${place.directory} does not open: mend what PostgreSQL says, or set ` +
        `GATEPOST_DATA_DIR to another directory\n${output}`,
    );
  }
}

async function readEntries(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (toErrorCode(error) === 'ENOENT') {
      return [];
    }
    throw new EmbeddedDatabaseError(
      `Cannot read ${directory}: it belongs to another user; run Gatepost as that one, or set ` +
        'GATEPOST_DATA_DIR to another directory',
      error,
    );
  }
}

/** A rename is durable once its directory is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
