import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { toErrorCode } from '../error-code.ts';
import type { MongodProgram } from './mongodb-program.ts';
import { checkProgram } from './mongodb-program.ts';
import { isRunning } from '../os-process.ts';

/**
 * The folder of a kept program is named by the SHA-256 of its content: the name cannot come to
 * belong to another file, as a record beside it could. The program in it has its own name, which
 * the server shows to its clients.
 */
const KEPT_NAME = /^mongod-([0-9a-f]{64})$/;

const PROGRAM_NAME = 'mongod';

/** A folder of somebody who fetches, named by the process. */
const FETCH_NAME = /^fetch-(\d+)$/;

/** The program kept in that folder by an earlier fetch, if it is whole and runs. */
export async function findKeptProgram(
  programsDirectory: string,
  signal: AbortSignal,
): Promise<MongodProgram | undefined> {
  for (const name of await readNames(programsDirectory)) {
    const file = path.join(programsDirectory, name, PROGRAM_NAME);
    const digest = KEPT_NAME.exec(name)?.[1];
    if (digest === undefined || (await digestOfKept(file, signal)) !== digest) {
      continue;
    }
    const program = await checkProgram(file, signal).catch(() => undefined);
    signal.throwIfAborted();
    if (program !== undefined) {
      return program;
    }
  }
  return undefined;
}

/**
 * Keeps the program that `fetch` puts into the folder it is given and names. That folder is removed
 * whatever happens, so that nothing half-written stays.
 */
export async function keepProgram(
  programsDirectory: string,
  signal: AbortSignal,
  fetch: (folder: string) => Promise<string>,
): Promise<MongodProgram> {
  await removeAbandoned(programsDirectory);
  const folder = path.join(programsDirectory, `fetch-${process.pid}`);
  try {
    await mkdir(folder, { recursive: true });
    const fetched = await fetch(folder);
    const draft = path.join(folder, 'mongod.checked');
    await copyFile(fetched, draft);
    await chmod(draft, 0o755);
    const { version } = await checkProgram(draft, signal);
    const kept = path.join(programsDirectory, `mongod-${await digestOf(draft, signal)}`);
    await mkdir(kept, { recursive: true });
    const file = path.join(kept, PROGRAM_NAME);
    await rename(draft, file);
    return { file, version };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a killed fetch has left, our own process id's included: it was a container's before. */
async function removeAbandoned(programsDirectory: string): Promise<void> {
  for (const name of await readNames(programsDirectory)) {
    const pid = Number(FETCH_NAME.exec(name)?.[1]);
    if (Number.isSafeInteger(pid) && (pid === process.pid || !(await isRunning(pid)))) {
      await rm(path.join(programsDirectory, name), { recursive: true, force: true });
    }
  }
}

/** Undefined where there is no such file: a process was killed before it had put it there. */
async function digestOfKept(file: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await digestOf(file, signal);
  } catch (error) {
    if (toErrorCode(error) === 'ENOENT' || toErrorCode(error) === 'ENOTDIR') {
      return undefined;
    }
    throw error;
  }
}

/** The SHA-256 of a file, in hexadecimal. */
export async function digestOf(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, { signal });
  return hash.digest('hex');
}

async function readNames(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    // A path that leads through a file is reported by whoever writes there.
    if (toErrorCode(error) === 'ENOENT' || toErrorCode(error) === 'ENOTDIR') {
      return [];
    }
    throw error;
  }
}
