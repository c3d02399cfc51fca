import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isRunning } from '../../src/os-process.ts';
import type { EmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { runDirectly, withDatabase } from '../support/databases.ts';
import type { EmbeddedBench } from '../support/embedded-bench.ts';
import { createEmbeddedBench, stopEmbedded as stop } from '../support/embedded-bench.ts';

describe('The embedded PostgreSQL, running', () => {
  let bench: EmbeddedBench;
  let postgres: EmbeddedPostgres;

  beforeAll(async () => {
    bench = await createEmbeddedBench();
    postgres = await bench.start();
  });

  afterAll(async () => {
    await bench.remove();
  });

  test('answers as version 16', async () => {
    const rows = await runDirectly(
      postgres.dsn(),
      `select current_user, current_database(), version() like 'PostgreSQL 16.%' as is_16`,
    );
    expect(rows).toEqual([{ current_user: 'postgres', current_database: 'postgres', is_16: true }]);
  });

  test("says where its data is, and how to use a PostgreSQL of one's own", () => {
    expect(bench.reports()).toEqual([
      `Making a new PostgreSQL cluster in ${bench.directory}/postgres`,
      expect.stringMatching(
        /on 127\.0\.0\.1:\d+, its data is kept in .*\/postgres, .*superuser; .*POSTGRES_HOST/,
      ),
    ]);
  });

  test.each([
    ['server_encoding', 'UTF8'],
    ['fsync', 'on'],
    ['max_connections', '200'],
    ['listen_addresses', '127.0.0.1'],
    ['unix_socket_directories', '.'],
    ['password_encryption', 'scram-sha-256'],
  ])('has %s = "%s"', async (name, value) => {
    expect(await runDirectly(postgres.dsn(), `show ${name}`)).toEqual([{ [name]: value }]);
  });

  test.each(['wrong', ''])('refuses the password "%s"', async (password) => {
    const url = new URL(postgres.dsn());
    url.password = password;
    await expect(runDirectly(url.href, 'select 1')).rejects.toThrow(/password/);
  });

  test('has its password in no file and in no observation', async () => {
    const { password } = new URL(postgres.dsn());
    expect(password.length).toBeGreaterThanOrEqual(32);
    await runDirectly(postgres.dsn(), 'checkpoint');
    const files = await filesBelow(bench.directory);
    expect(files.length).toBeGreaterThan(500);
    const texts = await Promise.all(files.map(async (file) => await readFile(file, 'latin1')));
    expect(files.filter((_file, index) => texts[index]?.includes(password))).toEqual([]);
    expect(JSON.stringify(bench.observations)).not.toContain(password);
  });

  test('gives its processes nothing of our environment', async () => {
    const lines = await runDirectly(
      postgres.dsn(),
      `create temp table e (line text); copy e from program 'env'; select line from e`,
    );
    const names = lines.map(({ line }) => String(line).replace(/=.*/, ''));
    expect(names).toContain('PATH');
    expect(names).not.toContain('HOME');
    expect(names).not.toContain('TEST_POSTGRES_URL');
  });

  test('keeps statements out of its log', async () => {
    await expect(runDirectly(postgres.dsn(), `select 'secret'::int`)).rejects.toThrow(/secret/);
    const log = await readFile(path.join(bench.directory, 'postgres.log'), 'utf8');
    expect(log).toContain('database system is ready to accept connections');
    expect(log).not.toContain('secret');
  });
});

describe('The embedded PostgreSQL, started and stopped', () => {
  let bench: EmbeddedBench;

  beforeEach(async () => {
    bench = await createEmbeddedBench();
  });

  afterEach(async () => {
    await bench.remove();
  });

  test('keeps its data between runs and changes its password', async () => {
    const first = await bench.start();
    const { password } = new URL(first.dsn());
    await runDirectly(first.dsn(), 'create table kept (n int); insert into kept values (42)');
    await stop(first);

    const second = await bench.start();
    expect(await runDirectly(second.dsn(), 'select n from kept')).toEqual([{ n: 42 }]);
    expect(bench.reports().filter((report) => report.startsWith('Making'))).toHaveLength(1);

    const url = new URL(second.dsn());
    expect(url.password).not.toBe(password);
    url.password = password;
    await expect(runDirectly(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  test('gives its role back what a client took from it', async () => {
    const first = await bench.start();
    await runDirectly(first.dsn(), `alter role postgres nologin password 'theirs'`);
    await stop(first);
    const second = await bench.start();
    expect(await runDirectly(second.dsn(), 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('stops in good order, also under a running statement, and leaves no process', async () => {
    const postgres = await bench.start();
    const pid = await bench.serverPid();
    const sleeping = expect(runDirectly(postgres.dsn(), 'select pg_sleep(60)')).rejects.toThrow();
    await waitForSleep(postgres.dsn());
    await stop(postgres);
    await sleeping;
    expect(await isRunning(pid)).toBe(false);
    expect(await readdir(bench.directory)).toEqual(['postgres', 'postgres.log']);
    expect(() => postgres.dsn()).toThrow('The embedded PostgreSQL is not running');
  });

  test('stops at once when the deadline has passed, and recovers what was committed', async () => {
    const postgres = await bench.start();
    const pid = await bench.serverPid();
    await runDirectly(postgres.dsn(), 'create table kept as select 7 as n');
    await postgres.stop(AbortSignal.abort());
    expect(await isRunning(pid)).toBe(false);
    const again = await bench.start();
    expect(await runDirectly(again.dsn(), 'select n from kept')).toEqual([{ n: 7 }]);
  });

  test('is observed, with what to do, when it ends by itself', async () => {
    await bench.start();
    process.kill(await bench.serverPid(), 'SIGKILL');
    const fault = await waitFor(() => bench.observations.find(({ kind }) => kind === 'fault'));
    expect(fault).toMatchObject({ component: 'embedded-postgres' });
    expect(JSON.stringify(fault, errorsAsText)).toMatch(
      /ended by itself and stays down: restart Gatepost.*ended by SIGKILL/,
    );
  });

  test('does not take a stop for an end of its own', async () => {
    await stop(await bench.start());
    expect(bench.observations.map(({ kind }) => kind)).not.toContain('fault');
  });
});

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

async function waitForSleep(dsn: string): Promise<void> {
  await waitFor(async () => {
    const active = await runDirectly(
      withDatabase(dsn, 'template1'),
      `select 1 from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'`,
    );
    return active.length > 0 ? true : undefined;
  });
}

/** Asks until there is an answer; a test's own timeout ends it. */
async function waitFor<Answer>(
  ask: () => Answer | undefined | Promise<Answer | undefined>,
): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) {
      return answer;
    }
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

function errorsAsText(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}
