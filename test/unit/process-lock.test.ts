import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { takeLock } from '../../src/process-lock.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';

/** No system gives out ids this high. */
const NO_PROCESS = 2_000_000_000;

let directory: TemporaryDirectory;
let file: string;

beforeEach(async () => {
  directory = await createTemporaryDirectory();
  file = path.join(directory.path, 'a.lock');
});

afterEach(async () => {
  await directory.remove();
});

describe('The lock of a process', () => {
  test('names its holder while it is held', async () => {
    const release = await takeLock(file);
    expect(await readFile(file, 'utf8')).toMatch(new RegExp(`^${process.pid}\n`));
    await release();
    expect(await readdir(directory.path)).toEqual([]);
  });

  test('is refused while its holder runs, with the holder in the error', async () => {
    await takeLock(file);
    await expect(takeLock(file)).rejects.toMatchObject({
      name: 'ProcessLockError',
      message: `Process ${process.pid} holds ${file}`,
      holderPid: process.pid,
      isWritable: true,
    });
  });

  test('is taken over when its holder has ended', async () => {
    await writeFile(file, `${NO_PROCESS}\n1\n`);
    await takeLock(file);
    expect(await readFile(file, 'utf8')).toMatch(new RegExp(`^${process.pid}\n`));
  });

  test('is refused where no file can be made, with the cause', async () => {
    const missing = path.join(directory.path, 'missing', 'a.lock');
    await expect(takeLock(missing)).rejects.toMatchObject({
      holderPid: undefined,
      isWritable: false,
      cause: expect.objectContaining({ code: 'ENOENT' }),
    });
  });

  test('leaves a lock alone that somebody else has taken meanwhile', async () => {
    const release = await takeLock(file);
    await writeFile(file, '1\n1\n');
    await release();
    expect(await readFile(file, 'utf8')).toBe('1\n1\n');
  });
});
