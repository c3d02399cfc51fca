import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { stopPostgresOrphan } from '../../../src/embedded/postgres-orphan.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';

const { signal } = new AbortController();

let directory: TemporaryDirectory;
let lock: string;
let children: ChildProcess[];

beforeEach(async () => {
  directory = await createTemporaryDirectory();
  lock = path.join(directory.path, 'postmaster.pid');
  children = [];
});

afterEach(async () => {
  children.forEach((child) => child.kill('SIGKILL'));
  await directory.remove();
});

/** Stands in for a server: a process with these words on its command line. */
async function startProcess(onInterrupt: string, ...words: string[]): Promise<ChildProcess> {
  const script = `process.on('SIGINT', () => { ${onInterrupt} }); setInterval(() => {}, 1000);
    console.log('up');`;
  const child = spawn(process.execPath, ['-e', script, '--', ...words]);
  children.push(child);
  await once(createInterface(child.stdout), 'line');
  return child;
}

describe('An orphan', () => {
  test.each([
    ['there is no lock file', undefined],
    ['the lock file is empty', ''],
    ['the lock file is nonsense', 'nonsense\n'],
    ['its process has ended', '2000000000\n/data\n'],
  ])('is not there when %s', async (_title, content) => {
    if (content !== undefined) {
      await writeFile(lock, content);
    }
    expect(await stopPostgresOrphan(directory.path, signal)).toBeUndefined();
    expect(await readFile(lock, 'utf8').catch(() => undefined)).toBe(content);
  });

  test.each([
    ['a server', ''],
    ['a single-user server, which writes its id negated', '-'],
  ])('is stopped when it is %s of this cluster', async (_title, sign) => {
    const child = await startProcess('process.exit(0)', '-D', directory.path);
    await writeFile(lock, `${sign}${child.pid ?? ''}\n${directory.path}\n`);
    expect(await stopPostgresOrphan(directory.path, signal)).toBe(child.pid);
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(0);
  });

  test('is not another program that has its id by now, whose id gives way to ours', async () => {
    const child = await startProcess('process.exit(0)', '-D', `${directory.path}-of-another`);
    await writeFile(lock, `${child.pid ?? ''}\n${directory.path}\n1700000000\n5432\n`);
    expect(await stopPostgresOrphan(directory.path, signal)).toBeUndefined();
    expect(child.exitCode).toBeNull();
    expect(await readFile(lock, 'utf8')).toBe(
      `${process.pid}\n${directory.path}\n1700000000\n5432\n`,
    );
  });

  test('that does not stop is waited for until the signal aborts', async () => {
    const child = await startProcess(`console.log('interrupted')`, '-D', directory.path);
    await writeFile(lock, `${child.pid ?? ''}\n${directory.path}\n`);
    const controller = new AbortController();
    const outcome = stopPostgresOrphan(directory.path, controller.signal);
    child.stdout?.once('data', () => {
      controller.abort();
    });
    await expect(outcome).rejects.toMatchObject({ name: 'AbortError' });
  });
});
