import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { lockDirectory } from '../../../src/embedded/directory-lock.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';

/** No system gives out ids this high. */
const NO_PROCESS = 2_000_000_000;

let directory: TemporaryDirectory;
let file: string;

beforeEach(async () => {
  directory = await createTemporaryDirectory();
  file = path.join(directory.path, 'gatepost.pid');
});

afterEach(async () => {
  await directory.remove();
});

describe('The lock of a directory', () => {
  test('names our process and is gone when released', async () => {
    const release = await lockDirectory(directory.path);
    expect(await readFile(file, 'utf8')).toMatch(new RegExp(`^${process.pid}\n`));
    expect(await readdir(directory.path)).toEqual(['gatepost.pid']);
    await release();
    expect(await readdir(directory.path)).toEqual([]);
  });

  test('is refused while its process runs, and left as it is', async () => {
    const release = await lockDirectory(directory.path);
    await expect(lockDirectory(directory.path)).rejects.toThrow(
      `Another Gatepost (process ${process.pid}) uses ${directory.path}: stop it, or set ` +
        'GATEPOST_DATA_DIR to another directory',
    );
    expect(await readdir(directory.path)).toEqual(['gatepost.pid']);
    await release();
  });

  test('is refused when the holder has left no start time', async () => {
    await writeFile(file, `${process.ppid}\n\n`);
    await expect(lockDirectory(directory.path)).rejects.toThrow(`process ${process.ppid}`);
  });

  test.each([
    ['has ended', `${NO_PROCESS}\n123\n`],
    ['has an id that another process has by now', `${process.ppid}\n1\n`],
    ['is our own, of an earlier life', `${process.pid}\n1\n`],
    ['cannot be read from it', 'nonsense'],
    ['is missing from it', ''],
    ['would be a group of processes', '-1\n\n'],
  ])('is taken over when its process %s', async (_title, content) => {
    await writeFile(file, content);
    const release = await lockDirectory(directory.path);
    expect(await readFile(file, 'utf8')).toMatch(new RegExp(`^${process.pid}\n`));
    await release();
  });

  test('is given to one of many that ask at once', async () => {
    await writeFile(file, `${NO_PROCESS}\n123\n`);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, async () => await lockDirectory(directory.path)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('is not released by one who no longer holds it', async () => {
    const release = await lockDirectory(directory.path);
    await writeFile(file, '1\n1\n');
    await release();
    expect(await readFile(file, 'utf8')).toBe('1\n1\n');
  });

  test('cannot be taken in a directory that is not there', async () => {
    const missing = path.join(directory.path, 'missing');
    await expect(lockDirectory(missing)).rejects.toThrow(/Cannot create .*set GATEPOST_DATA_DIR/);
  });
});
