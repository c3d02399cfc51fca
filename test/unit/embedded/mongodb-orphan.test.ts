import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { stopMongodOrphan } from '../../../src/embedded/mongodb-orphan.ts';
import { isRunning } from '../../../src/os-process.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';

const { signal } = new AbortController();

let temporary: TemporaryDirectory;
let lock: string;
let children: ChildProcess[];

beforeEach(async () => {
  temporary = await createTemporaryDirectory();
  lock = path.join(temporary.path, 'mongod.lock');
  children = [];
});

afterEach(async () => {
  children.forEach((child) => child.kill('SIGKILL'));
  await temporary.remove();
});

/** Stands in for a server: a process with these words on its command line. */
async function startProcess(onInterrupt: string, ...words: string[]): Promise<number> {
  const script = `process.on('SIGINT', () => { ${onInterrupt} }); setInterval(() => {}, 1000);
    console.log('up');`;
  const child = spawn(process.execPath, ['-e', script, '--', ...words]);
  children.push(child);
  await once(createInterface(child.stdout), 'line');
  const pid = child.pid ?? 0;
  await writeFile(lock, `${pid}\n`);
  return pid;
}

describe('A mongod that was left behind', () => {
  test.each([
    ['there is no lock file', undefined],
    ['the lock file is empty, as after a stop in good order', ''],
    ['the lock file is nonsense', 'nonsense\n'],
    ['its process has ended', '2000000000\n'],
  ])('is not there when %s', async (_title, content) => {
    if (content !== undefined) {
      await writeFile(lock, content);
    }
    expect(await stopMongodOrphan(temporary.path, signal)).toBeUndefined();
  });

  test('is stopped in good order', async () => {
    const pid = await startProcess('process.exit(0)', '--dbpath', temporary.path);
    const exit = once(children[0]!, 'exit');
    expect(await stopMongodOrphan(temporary.path, signal)).toBe(pid);
    expect(await exit).toEqual([0, null]);
  });

  test('is left alone when its process id is another program', async () => {
    const pid = await startProcess('process.exit(0)', '--dbpath', `${temporary.path}-other`);
    expect(await stopMongodOrphan(temporary.path, signal)).toBeUndefined();
    expect(await isRunning(pid)).toBe(true);
  });

  test('is no longer waited for when the signal aborts', async () => {
    await startProcess('console.log("asked")', '--dbpath', temporary.path);
    const controller = new AbortController();
    const stopped = stopMongodOrphan(temporary.path, controller.signal);
    await once(createInterface(children[0]!.stdout!), 'line');
    controller.abort();
    await expect(stopped).rejects.toThrow('aborted');
  });
});
