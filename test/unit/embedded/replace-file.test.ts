import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { lstat, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { replaceFile } from '../../../src/embedded/replace-file.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';

let directory: TemporaryDirectory;
let file: string;

beforeEach(async () => {
  directory = await createTemporaryDirectory();
  file = path.join(directory.path, 'file');
});

afterEach(async () => {
  await directory.remove();
});

describe('A replaced file', () => {
  test('is made when there was none', async () => {
    await replaceFile(file, 'new');
    expect(await readFile(file, 'utf8')).toBe('new');
  });

  test('holds nothing of the one before', async () => {
    await writeFile(file, 'something longer');
    await replaceFile(file, 'new');
    expect(await readFile(file, 'utf8')).toBe('new');
  });

  test('takes the place of a link and leaves what it pointed to', async () => {
    const target = path.join(directory.path, 'precious');
    await writeFile(target, 'precious');
    await symlink(target, file);
    await replaceFile(file, 'new');
    expect((await lstat(file)).isSymbolicLink()).toBe(false);
    expect(await readFile(target, 'utf8')).toBe('precious');
  });
});
