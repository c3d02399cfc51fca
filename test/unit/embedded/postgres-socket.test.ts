import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import {
  findSocketDsn,
  removeStaleSockets,
  socketSetting,
} from '../../../src/embedded/postgres-socket.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';

let temporary: TemporaryDirectory;
let cluster: string;

beforeEach(async () => {
  temporary = await createTemporaryDirectory();
  cluster = path.join(temporary.path, 'postgres');
  await mkdir(cluster);
});

afterEach(async () => {
  await temporary.remove();
});

/** postmaster.pid as PostgreSQL 16 writes it. */
async function writeLock(changes: Readonly<Record<number, string>> = {}): Promise<void> {
  const lines = ['4711', cluster, '1700000000', '5433', '.', '127.0.0.1', '  1  2', 'ready   '];
  const text = lines.map((line, index) => changes[index] ?? line).join('\n');
  await writeFile(path.join(cluster, 'postmaster.pid'), `${text}\n`);
}

describe('The socket of a running server', () => {
  test('is found by its lock file, and needs no password', async () => {
    await writeLock();
    const dsn = await findSocketDsn(temporary.path);
    const client = new pg.Client({ connectionString: dsn });
    expect(client).toMatchObject({
      ...{ host: cluster, port: 5433, user: 'postgres', database: 'postgres' },
    });
    expect(new URL(dsn ?? '').password).toBe('');
  });

  test.each([
    ['the server is starting', { 7: 'starting' }],
    ['the server is stopping', { 7: 'stopping' }],
  ])('is not there where %s', async (_name, changes) => {
    await writeLock(changes);
    expect(await findSocketDsn(temporary.path)).toBeUndefined();
  });

  test.each([
    ['has none', { 4: '' }],
    ['has another', { 4: '/tmp' }],
    ['has no port', { 3: 'x' }],
  ])('is an error to act on where the server %s', async (_name, changes) => {
    await writeLock(changes);
    await expect(findSocketDsn(temporary.path)).rejects.toThrow(
      /^The PostgreSQL that runs in .* has no socket, whose path would be too long: stop Gatepost/,
    );
  });

  test('is not there where nothing runs, or there is nothing', async () => {
    expect(await findSocketDsn(temporary.path)).toBeUndefined();
    expect(await findSocketDsn(path.join(temporary.path, 'nowhere'))).toBeUndefined();
  });

  test("is an error to act on where the directory is another user's", async () => {
    await mkdir(path.join(cluster, 'postmaster.pid'));
    await expect(findSocketDsn(temporary.path)).rejects.toThrow(
      /^Cannot read .*postmaster\.pid: it belongs to another user; run this as the one who runs/,
    );
  });
});

describe('A socket is made', () => {
  test.each([
    ['where its path is short enough', 90, '.'],
    ['not where the kernel would refuse it', 93, ''],
  ])('%s', (_name, length, setting) => {
    // 107 bytes on Linux and 103 elsewhere, of which "/.s.PGSQL.65535" takes 15.
    const room = process.platform === 'linux' ? length : length - 4;
    expect(socketSetting(`/${'x'.repeat(room)}`)).toBe(setting);
    expect(socketSetting(`/${'ä'.repeat(room)}`)).toBe('');
  });
});

test('Stale sockets are removed, and nothing else', async () => {
  for (const name of ['.s.PGSQL.1234', '.s.PGSQL.1234.lock', 'PG_VERSION', '.s.PG']) {
    await writeFile(path.join(cluster, name), '');
  }
  await removeStaleSockets(cluster);
  expect((await readdir(cluster)).sort()).toEqual(['.s.PG', 'PG_VERSION']);
});
