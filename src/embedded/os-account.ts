import { stat } from 'node:fs/promises';
import path from 'node:path';
import { toErrorCode } from '../error-code.ts';
import type { OsAccount } from './command.ts';
import { run } from './command.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';

/** The account of Debian's and of most other PostgreSQL packages. */
const ACCOUNT_NAME = 'postgres';

const ADVICE = 'run Gatepost as an ordinary user, or set POSTGRES_HOST to use your own PostgreSQL';

/**
 * The account that the server runs as: ourselves (undefined), but never root, which PostgreSQL
 * refuses. For root it is whoever owns the cluster, or else `postgres`, created when missing.
 */
export async function chooseAccount(
  clusterDirectory: string,
  signal: AbortSignal,
): Promise<OsAccount | undefined> {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const owner = await ownerOf(clusterDirectory);
  if (owner !== undefined && owner.uid !== 0) {
    return owner;
  }
  return (await findAccount(signal)) ?? (await createAccount(signal));
}

async function ownerOf(directory: string): Promise<OsAccount | undefined> {
  try {
    const { uid, gid } = await stat(directory);
    return { uid, gid };
  } catch (error) {
    if (toErrorCode(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

async function findAccount(signal: AbortSignal): Promise<OsAccount | undefined> {
  const uid = await readId('-u', signal);
  const gid = await readId('-g', signal);
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** Asks `id` and not /etc/passwd: accounts may come from elsewhere. */
async function readId(option: '-u' | '-g', signal: AbortSignal): Promise<number | undefined> {
  const command = { file: 'id', args: [option, ACCOUNT_NAME], account: undefined };
  const { isSuccess, output } = await run(command, signal);
  return isSuccess && /^\d+$/.test(output) ? Number(output) : undefined;
}

async function createAccount(signal: AbortSignal): Promise<OsAccount> {
  const args = ['--system', '--user-group', '--no-create-home', ACCOUNT_NAME];
  const result = await run({ file: 'useradd', args, account: undefined }, signal).catch(
    (error: unknown) => ({ isSuccess: false, output: String(error) }),
  );
  signal.throwIfAborted();
  const account = result.isSuccess ? await findAccount(signal) : undefined;
  if (account === undefined) {
    throw new EmbeddedDatabaseError(
      `PostgreSQL does not run as root, and the account "${ACCOUNT_NAME}" cannot be created ` +
        `(${result.output}): create it, ${ADVICE}`,
    );
  }
  return account;
}

/**
 * Throws, with what to do, when the account cannot enter a folder on the way to the file or cannot
 * read the file itself. Needs no account but ours when that is undefined.
 */
export async function assertReachable(
  file: string,
  account: OsAccount | undefined,
  advice: string,
): Promise<void> {
  if (account === undefined) {
    return;
  }
  for (const step of stepsTo(file)) {
    const { mode, uid, gid } = await stat(step);
    if (!isEnterable({ mode, uid, gid }, account)) {
      throw new EmbeddedDatabaseError(
        `PostgreSQL does not run as root but as user ${account.uid}, who may not enter ${step}: ` +
          `${advice}, or ${ADVICE}`,
      );
    }
  }
}

/** From the root down to the file itself. */
function stepsTo(file: string): readonly string[] {
  const parent = path.dirname(file);
  return parent === file ? [file] : [...stepsTo(parent), file];
}

/** Read from the mode bits, as the kernel does for an account with no further groups. */
export function isEnterable(
  entry: { readonly mode: number; readonly uid: number; readonly gid: number },
  account: OsAccount,
): boolean {
  if (entry.uid === account.uid) {
    return (entry.mode & 0o100) !== 0;
  }
  if (entry.gid === account.gid) {
    return (entry.mode & 0o010) !== 0;
  }
  return (entry.mode & 0o001) !== 0;
}
