import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { cp, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** A checkout without dependencies, on which .ci/setup.mjs needs seconds and no network. */
let checkout: TemporaryDirectory;

beforeAll(async () => {
  checkout = await createTemporaryDirectory();
  await mkdir(file('src'));
  for (const name of ['.ci/setup.mjs', 'tsconfig.json', 'tsconfig.build.json']) {
    await cp(path.join(ROOT, name), file(name));
  }
  await writeJson('package.json', { name: 'x', type: 'module', engines: { node: '>=20.19' } });
  await writeLock('1.0.0');
  await writeFile(file('src/main.ts'), 'export const one = 1;\n');
});

afterAll(async () => {
  await checkout.remove();
});

function file(name: string): string {
  return path.join(checkout.path, name);
}

async function writeJson(name: string, content: unknown): Promise<void> {
  await writeFile(file(name), JSON.stringify(content));
}

async function writeLock(version: string): Promise<void> {
  const root = { name: 'x', engines: { node: '>=20.19' } };
  await writeJson('package-lock.json', {
    name: 'x',
    version,
    lockfileVersion: 3,
    requires: true,
    packages: { '': root },
  });
}

/** The steps that were taken, and whether they went well. */
async function setUp(...args: string[]): Promise<{ steps: string[]; exitCode?: number }> {
  const { stdout, stderr, exitCode } = await execa('node', [file('.ci/setup.mjs'), ...args], {
    reject: false,
  });
  expect(stdout).toBe('');
  const steps = stderr.split('\n').filter((line) => line.endsWith('…'));
  return exitCode === undefined ? { steps } : { steps, exitCode };
}

const INSTALL = 'Installing dependencies from package-lock.json …';
const BUILD = 'Building …';

describe('The set-up', () => {
  test('installs when nothing is installed, and not again', async () => {
    expect(await setUp('--install-only')).toEqual({ steps: [INSTALL], exitCode: 0 });
    expect(await setUp('--install-only')).toEqual({ steps: [], exitCode: 0 });
  });

  test('installs again when the lock file has changed', async () => {
    await writeLock('1.0.1');
    expect(await setUp('--install-only')).toEqual({ steps: [INSTALL], exitCode: 0 });
    expect(await setUp('--install-only')).toEqual({ steps: [], exitCode: 0 });
  });

  describe('with a compiler', () => {
    beforeAll(async () => {
      for (const name of ['typescript', '@types']) {
        await symlink(path.join(ROOT, 'node_modules', name), file(`node_modules/${name}`));
      }
    });

    test('builds when nothing is built, and not again', async () => {
      expect(await setUp()).toEqual({ steps: [BUILD], exitCode: 0 });
      expect(existsSync(file('dist/src/main.js'))).toBe(true);
      expect(await setUp()).toEqual({ steps: [], exitCode: 0 });
    });

    test('goes by the content of a file and not by its time', async () => {
      await utimes(file('src/main.ts'), new Date(), new Date());
      expect(await setUp('--build-only')).toEqual({ steps: [], exitCode: 0 });
      await writeFile(file('src/main.ts'), 'export const one = 2;\n');
      expect(await setUp('--build-only')).toEqual({ steps: [BUILD], exitCode: 0 });
    });

    test('leaves nothing of a source that was deleted', async () => {
      await writeFile(file('src/other.ts'), 'export const two = 2;\n');
      await setUp();
      expect(existsSync(file('dist/src/other.js'))).toBe(true);
      await rm(file('src/other.ts'));
      expect(await setUp()).toEqual({ steps: [BUILD], exitCode: 0 });
      expect(existsSync(file('dist/src/other.js'))).toBe(false);
    });

    test('fails when the build does, each time it is asked', async () => {
      await writeFile(file('src/main.ts'), 'export const one: string = 1;\n');
      expect(await setUp()).toEqual({ steps: [BUILD], exitCode: 1 });
      expect(await setUp()).toEqual({ steps: [BUILD], exitCode: 1 });
    });
  });

  test('names the Node that is needed when this one is too old', async () => {
    await writeJson('package.json', { name: 'x', engines: { node: '>=99.1' } });
    const { stderr, exitCode } = await execa('node', [file('.ci/setup.mjs')], { reject: false });
    expect(stderr).toMatch(/^Node >=99\.1 is needed, this is \d+\.\d+\.\d+: install a newer one$/);
    expect(exitCode).toBe(1);
  });
});
