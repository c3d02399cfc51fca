import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ClusterPlace } from '../../../src/embedded/postgres-cluster.ts';
import {
  createCluster,
  isClusterPresent,
  setPassword,
} from '../../../src/embedded/postgres-cluster.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';

const { signal } = new AbortController();

let temporary: TemporaryDirectory;
let directory: string;

beforeEach(async () => {
  temporary = await createTemporaryDirectory();
  directory = path.join(temporary.path, 'postgres');
});

afterEach(async () => {
  await temporary.remove();
});

/** A cluster whose programs are this shell script; `$1` is initdb's first argument. */
async function placeWith(script: string): Promise<ClusterPlace> {
  const program = path.join(temporary.path, 'program');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  return { directory, account: undefined, binaries: { initdb: program, postgres: program } };
}

describe('A cluster', () => {
  test('is not present where there is no folder, nor in an empty one', async () => {
    expect(await isClusterPresent(directory)).toBe(false);
    await mkdir(directory);
    expect(await isClusterPresent(directory)).toBe(false);
  });

  test('is present in a folder that says so', async () => {
    await mkdir(directory);
    await writeFile(path.join(directory, 'PG_VERSION'), '16\n');
    expect(await isClusterPresent(directory)).toBe(true);
  });

  test.each([
    ['notes.txt', '', /holds files but no PostgreSQL cluster: move them away, or set GATEPOST/],
    ['PG_VERSION', '15\n', /was made by PostgreSQL 15 and the embedded one is 16: dump it/],
  ])('is refused for the file %s', async (name, content, message) => {
    await mkdir(directory);
    await writeFile(path.join(directory, name), content);
    await expect(isClusterPresent(directory)).rejects.toThrow(message);
  });

  test('comes to its place when it is whole', async () => {
    const place = await placeWith('touch "${1#--pgdata=}/PG_VERSION"');
    await mkdir(`${directory}.initializing/base`, { recursive: true });
    await createCluster(place, signal);
    expect(await readdir(temporary.path)).toEqual(['postgres', 'program']);
    expect(await readdir(directory)).toEqual(['PG_VERSION']);
  });

  test('does not come to its place when it fails, and says why', async () => {
    const place = await placeWith('echo "no space left" >&2; exit 1');
    await expect(createCluster(place, signal)).rejects.toThrow(/initdb failed.*\nno space left$/);
    expect(await readdir(temporary.path)).not.toContain('postgres');
  });

  test('sorts by bytes where the system has no C.UTF-8', async () => {
    const place = await placeWith(`
      case "$*" in *--locale=C.UTF-8*) echo 'error: invalid locale name "C.UTF-8"'; exit 1;; esac
      echo "$@" >"\${1#--pgdata=}/arguments"`);
    await createCluster(place, signal);
    expect(await readdir(directory)).toEqual(['arguments']);
  });

  test('that does not open says why', async () => {
    const place = await placeWith('cat >/dev/null; echo "FATAL: broken"; exit 1');
    await mkdir(directory);
    await expect(setPassword(place, 'secret', signal)).rejects.toThrow(
      `The cluster in ${directory} does not open: mend what PostgreSQL says, or set ` +
        'GATEPOST_DATA_DIR to another directory\nFATAL: broken',
    );
  });

  test('is given the verifier of a password and never the password', async () => {
    const place = await placeWith(`cat >${temporary.path}/input`);
    await mkdir(directory);
    await setPassword(place, 'secret', signal);
    const input = await readFile(path.join(temporary.path, 'input'), 'utf8');
    expect(input).toMatch(/^ALTER ROLE postgres .* PASSWORD 'SCRAM-SHA-256\$4096:[^']+'\n$/);
    expect(input).not.toContain('secret');
    expect(await readFile(path.join(directory, 'pg_hba.conf'), 'utf8')).toBe(
      'local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n',
    );
  });
});
