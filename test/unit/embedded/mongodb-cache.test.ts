import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findKeptProgram, keepProgram } from '../../../src/embedded/mongodb-cache.ts';
import { writeFakeMongod } from '../../support/fake-mongod.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';

const { signal } = new AbortController();

let temporary: TemporaryDirectory;
let programs: string;

beforeEach(async () => {
  temporary = await createTemporaryDirectory();
  programs = path.join(temporary.path, 'programs');
});

afterEach(async () => {
  await temporary.remove();
});

async function fetchFake(folder: string): Promise<string> {
  const file = path.join(folder, 'some-name');
  await writeFakeMongod(file);
  await writeFile(path.join(folder, 'archive'), 'left over');
  return file;
}

describe('A fetched program', () => {
  test('is kept under the SHA-256 of its content, with nothing beside it, and found', async () => {
    const kept = await keepProgram(programs, signal, fetchFake);
    const digest = createHash('sha256')
      .update(await readFile(kept.file))
      .digest('hex');
    const file = path.join(programs, `mongod-${digest}`, 'mongod');
    expect(kept).toEqual({ file, version: '7.0.31' });
    expect(await readdir(programs)).toEqual([`mongod-${digest}`]);
    expect((await stat(kept.file)).mode & 0o777).toBe(0o755);
    expect(await findKeptProgram(programs, signal)).toEqual(kept);
  });

  test('is not found when its content has changed, and is replaced', async () => {
    const kept = await keepProgram(programs, signal, fetchFake);
    await appendFile(kept.file, '# changed\n');
    expect(await findKeptProgram(programs, signal)).toBeUndefined();
    await keepProgram(programs, signal, fetchFake);
    expect(await findKeptProgram(programs, signal)).toEqual(kept);
  });

  test('is not kept when it is no mongod, and nothing is left of it', async () => {
    const fetch = async (folder: string): Promise<string> => {
      const file = path.join(folder, 'mongod');
      await writeFile(file, '#!/bin/sh\necho no library >&2; exit 127\n');
      return file;
    };
    await expect(keepProgram(programs, signal, fetch)).rejects.toThrow(
      'does not run as a mongod: no library',
    );
    expect(await readdir(programs)).toEqual([]);
  });

  test('leaves nothing when its fetch fails half-way', async () => {
    const fetch = async (folder: string): Promise<string> => {
      await fetchFake(folder);
      throw new Error('the line is down');
    };
    await expect(keepProgram(programs, signal, fetch)).rejects.toThrow('the line is down');
    expect(await readdir(programs)).toEqual([]);
  });

  test('leaves nothing when the signal aborts before it is checked', async () => {
    const controller = new AbortController();
    const reason = new Error('Called off');
    const fetch = async (folder: string): Promise<string> => {
      controller.abort(reason);
      return await fetchFake(folder);
    };
    await expect(keepProgram(programs, controller.signal, fetch)).rejects.toBe(reason);
    expect(await readdir(programs)).toEqual([]);
  });

  test('clears away what a killed fetch has left, never one that runs', async () => {
    const running = `fetch-${process.ppid}`;
    for (const name of ['fetch-2000000000', `fetch-${process.pid}`, running, 'fetch-me']) {
      await mkdir(path.join(programs, name), { recursive: true });
      await writeFile(path.join(programs, name, 'part'), 'half');
    }
    const { file } = await keepProgram(programs, signal, fetchFake);
    const left = [running, 'fetch-me', path.basename(path.dirname(file))];
    expect((await readdir(programs)).sort()).toEqual(left.sort());
  });

  test('is not found where the folder is missing', async () => {
    expect(await findKeptProgram(programs, signal)).toBeUndefined();
  });
});
