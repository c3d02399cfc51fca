import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isRunning } from '../../src/os-process.ts';
import { runDirectly } from '../support/databases.ts';
import type { EmbeddedBench } from '../support/embedded-bench.ts';
import { createEmbeddedBench, stopEmbedded as stop } from '../support/embedded-bench.ts';

const isRoot = process.getuid?.() === 0;

let bench: EmbeddedBench;

beforeEach(async () => {
  bench = await createEmbeddedBench();
});

afterEach(async () => {
  await bench.remove();
});

describe('A directory of the embedded PostgreSQL', () => {
  test('is refused while another Gatepost uses it, by its process id', async () => {
    const { child, pid } = await bench.startElsewhere();
    await expect(bench.start()).rejects.toThrow(
      `Another Gatepost (process ${pid}) uses ${bench.directory}: stop it, or set ` +
        'GATEPOST_DATA_DIR to another directory',
    );
    child.stdin.end();
    await once(child, 'close');
    expect(await readdir(bench.directory)).toEqual(['postgres', 'postgres.log']);
  });

  test('is refused to a second server of the same process', async () => {
    const first = await bench.start();
    await expect(bench.start()).rejects.toThrow(`Another Gatepost (process ${process.pid})`);
    expect(await runDirectly(first.dsn(), 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('is taken over from a Gatepost that was killed, whose server is stopped', async () => {
    const { child, pid, dsn } = await bench.startElsewhere();
    await runDirectly(dsn, 'create table kept as select 9 as n');
    const orphan = await bench.serverPid();
    // The whole process group, as a terminal does it: the server is not in it.
    process.kill(-pid, 'SIGKILL');
    await once(child, 'close');
    expect(await runDirectly(dsn, 'select n from kept')).toEqual([{ n: 9 }]);

    const postgres = await bench.start();
    expect(await isRunning(orphan)).toBe(false);
    expect(bench.reports()).toContain(
      `Stopped PostgreSQL process ${orphan}, which an earlier run had left behind`,
    );
    expect(await runDirectly(postgres.dsn(), 'select n from kept')).toEqual([{ n: 9 }]);
  });

  test('is taken over when its lock names a process that has the id of a dead one', async () => {
    await stop(await bench.start());
    await writeFile(path.join(bench.directory, 'gatepost.pid'), `${process.ppid}\n1\n`);
    const postgres = await bench.start();
    expect(await runDirectly(postgres.dsn(), 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test("is opened, and nothing harmed, when the server's lock names another program", async () => {
    const postgres = await bench.start();
    const lock = path.join(bench.directory, 'postgres/postmaster.pid');
    const content = await readFile(lock, 'utf8');
    await stop(postgres);
    const other = execa('sleep', ['60'], { reject: false });
    await writeFile(lock, content.replace(/^\d+/, String(other.pid)));
    await bench.start();
    expect(await isRunning(other.pid ?? 0)).toBe(true);
    other.kill('SIGKILL');
    await other;
  });

  test('is made again after an interrupted first start', async () => {
    await mkdir(path.join(bench.directory, 'postgres.initializing/base'), { recursive: true });
    await chmod(bench.directory, 0o711);
    await writeFile(path.join(bench.directory, 'postgres.initializing/PG_VERSION'), '16\n');
    const postgres = await bench.start();
    expect(await runDirectly(postgres.dsn(), 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await readdir(bench.directory)).not.toContain('postgres.initializing');
  });

  test.each([
    ['files of somebody else', 'notes.txt', '', 'holds files but no PostgreSQL cluster'],
    ['a cluster of another version', 'PG_VERSION', '15\n', 'was made by PostgreSQL 15'],
  ])('is refused and left as it is when it holds %s', async (_title, name, content, message) => {
    await mkdir(path.join(bench.directory, 'postgres'), { recursive: true });
    await chmod(bench.directory, 0o711);
    await writeFile(path.join(bench.directory, 'postgres', name), content);
    await expect(bench.start()).rejects.toThrow(message);
    expect(await readdir(bench.directory)).toEqual(['postgres']);
    expect(await readdir(path.join(bench.directory, 'postgres'))).toEqual([name]);
  });

  test('is refused when it cannot be created', async () => {
    await writeFile(bench.directory, 'a file');
    await expect(bench.start()).rejects.toThrow(
      `Cannot create ${bench.directory}: make its parent writable`,
    );
  });

  (isRoot ? test : test.skip)(
    'is refused to root when the account of the server may not enter it',
    async () => {
      await mkdir(bench.directory, { mode: 0o700 });
      await expect(bench.start()).rejects.toThrow(
        new RegExp(`user \\d+, who may not enter ${bench.directory}: set GATEPOST_DATA_DIR`),
      );
      expect(await readdir(bench.directory)).toEqual([]);
    },
  );

  (isRoot ? test : test.skip)("keeps its cluster's owner, also under root", async () => {
    await stop(await bench.start());
    const { uid } = await stat(path.join(bench.directory, 'postgres'));
    expect(uid).not.toBe(0);
    await stop(await bench.start());
    expect((await stat(path.join(bench.directory, 'postgres'))).uid).toBe(uid);
  });
});
