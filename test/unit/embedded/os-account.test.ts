import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { assertReachable, isEnterable } from '../../../src/embedded/os-account.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';

const ACCOUNT = { uid: 100, gid: 200 };
/** Owns nothing here. */
const STRANGER = { uid: 3_999_999, gid: 3_999_999 };

describe('A folder', () => {
  test.each([
    ['may be entered by its owner', { mode: 0o700, uid: 100, gid: 0 }, true],
    ['may be entered by its group', { mode: 0o710, uid: 0, gid: 200 }, true],
    ['may be entered by everybody', { mode: 0o711, uid: 0, gid: 0 }, true],
    ['is closed to others', { mode: 0o700, uid: 0, gid: 0 }, false],
    ['is closed to its group alone', { mode: 0o701, uid: 0, gid: 200 }, false],
    ['is closed to its owner alone', { mode: 0o077, uid: 100, gid: 200 }, false],
    ['may be read by others and not entered', { mode: 0o744, uid: 0, gid: 0 }, false],
  ])('%s', (_title, entry, isExpected) => {
    expect(isEnterable(entry, ACCOUNT)).toBe(isExpected);
  });
});

describe('A path', () => {
  let directory: TemporaryDirectory;
  let inner: string;

  beforeEach(async () => {
    directory = await createTemporaryDirectory();
    inner = path.join(directory.path, 'a', 'b');
    await mkdir(inner, { recursive: true });
    await chmod(path.join(directory.path, 'a'), 0o711);
    await chmod(inner, 0o711);
  });

  afterEach(async () => {
    await directory.remove();
  });

  test('is reached through folders that everybody may enter', async () => {
    await expect(assertReachable(inner, STRANGER, 'move it')).resolves.toBeUndefined();
  });

  test('is not reached through a closed folder, which is named with what to do', async () => {
    await chmod(path.join(directory.path, 'a'), 0o700);
    await expect(assertReachable(inner, STRANGER, 'move it')).rejects.toThrow(
      `PostgreSQL does not run as root but as user ${STRANGER.uid}, who may not enter ` +
        `${directory.path}/a: move it, or run Gatepost as an ordinary user, or set POSTGRES_HOST`,
    );
  });

  test('is not looked at when the server runs as ourselves', async () => {
    await expect(assertReachable('/nowhere', undefined, 'move it')).resolves.toBeUndefined();
  });
});
