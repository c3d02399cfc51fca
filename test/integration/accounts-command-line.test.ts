import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isPasswordOf, parseScramVerifier } from '../../src/scram-verifier.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { createEmbeddedBench } from '../support/embedded-bench.ts';
import type { EmbeddedBench } from '../support/embedded-bench.ts';
import { runGatepost } from '../support/gatepost-command.ts';
import type { CommandOptions, CommandResult } from '../support/gatepost-command.ts';
import { startService } from '../support/start-service.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';

const PASSWORD = 'correct horse battery staple';

let directory: TemporaryDirectory;

beforeEach(async () => {
  directory = await createTemporaryDirectory();
});

afterEach(async () => {
  await directory.remove();
});

describe('gatepost account, with a PostgreSQL of its own', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(async () => {
    await database.drop();
  });

  async function run(args: string, more: Partial<CommandOptions> = {}): Promise<CommandResult> {
    return await runGatepost(args, {
      directory: directory.path,
      environment: { ACCOUNTS: 'on', ACCOUNTS_DATABASE_URL: database.url },
      ...more,
    });
  }

  test('goes from nothing to an account and back', async () => {
    expect(await run('migrate')).toEqual({
      ...{ exitCode: 0, stdout: 'Schema gatepost is at 0001 (1 applied)', stderr: '' },
    });
    expect((await run('migrate')).stdout).toBe('Schema gatepost is at 0001 (0 applied)');
    expect((await run('account list')).stdout).toContain('gatepost account create NAME');

    const created = await run('account create root --scope admin', { input: `${PASSWORD}\n` });
    expect(created).toEqual({
      ...{ exitCode: 0, stdout: 'Account root is created with scope admin', stderr: '' },
    });
    const [row] = await runDirectly(database.url, 'select verifier from gatepost.accounts');
    const verifier = parseScramVerifier(String(row?.['verifier']));
    expect(verifier?.iterations).toBe(65_536);
    expect(verifier && (await isPasswordOf(verifier, PASSWORD))).toBe(true);

    const made = await run('account token root --name ci --expires 1h');
    expect(made.stdout).toMatch(/^gp_[\w-]{43}$/);
    const [, id = ''] = /revoke root (\S+)/.exec(made.stderr) ?? [];
    expect((await run('account tokens root')).stdout).toContain(id);
    expect((await run(`account revoke root ${id}`)).exitCode).toBe(0);
    expect((await run('account tokens root')).stdout).not.toContain(id);

    const last = await run('account delete root');
    expect(last).toMatchObject({ exitCode: 1, stdout: '' });
    expect(last.stderr).toContain('is the last administrator');
    await run('account create second --scope admin', { input: `${PASSWORD}\n` });
    expect((await run('account delete root')).exitCode).toBe(0);
    expect(JSON.parse((await run('account list --json')).stdout)).toMatchObject([
      { name: 'second', scope: 'admin', isDisabled: false },
    ]);
    // It has touched nothing where the embedded database would be.
    expect(await readdir(directory.path)).toEqual([]);
  });

  test.each([
    ['a password that is too short', 'account create bob', 'short\n', /at least 8 characters/],
    ['no password', 'account create bob', '', /No secret came on standard input/],
    ['a name that cannot be', 'account create -- -bob', `${PASSWORD}\n`, /The name of an account/],
    ['nobody', 'account disable nobody', '', /There is no account "nobody"/],
  ])('refuses %s with exit code 1, and a sentence', async (_name, args, input, message) => {
    const { exitCode, stdout, stderr } = await run(args, { input });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test('says why a database cannot be reached, without its password', async () => {
    const environment = {
      ACCOUNTS: 'on',
      ACCOUNTS_DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x',
    };
    const { exitCode, stderr } = await run('account list', { environment });
    expect(exitCode).toBe(1);
    expect(stderr).toBe('Accounts cannot be read: connect ECONNREFUSED 127.0.0.1:1');
  });
});

describe('gatepost account, with the embedded PostgreSQL', () => {
  async function run(args: string, more: Partial<CommandOptions> = {}): Promise<CommandResult> {
    return await runGatepost(args, { directory: directory.path, ...more });
  }

  test('starts it for the moment where it does not run, and leaves nothing behind', async () => {
    const created = await run('account create root --scope admin', { input: `${PASSWORD}\n` });
    expect(created).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await run('account list')).stdout).toMatch(/^root +admin +enabled/m);
    const data = path.join(directory.path, '.gatepost');
    expect((await readdir(data)).sort()).toEqual(['postgres', 'postgres.log']);
    const left = await readdir(path.join(data, 'postgres'));
    expect(left.filter((name) => /^\.s\.PGSQL|^postmaster\.pid/.test(name))).toEqual([]);
  });

  test('uses it where a service runs', async () => {
    const service = startService({
      directory: directory.path,
      environment: { PORT: '0', WIRE_POSTGRES_PORT: '0', WIRE_MONGODB_PORT: 'off' },
    });
    try {
      await service.logged('service-started');
      const created = await run('account create root --scope admin', { input: `${PASSWORD}\n` });
      expect(created).toMatchObject({ exitCode: 0, stderr: '' });
      expect((await run('account list')).stdout).toMatch(/^root +admin +enabled/m);
      // The service goes on.
      expect(service.process.exitCode).toBeNull();
    } finally {
      await service.stop();
    }
    expect((await run('account list')).stdout).toMatch(/^root +admin +enabled/m);
  });
});

describe('The socket of the embedded PostgreSQL', () => {
  let bench: EmbeddedBench;

  beforeEach(async () => {
    bench = await createEmbeddedBench();
  });

  afterEach(async () => {
    await bench.remove();
  });

  test('is in a directory that nobody but its owner may enter', async () => {
    await bench.start();
    const cluster = path.join(bench.directory, 'postgres');
    const { mode } = await stat(cluster);
    expect(mode & 0o077).toBe(0);
    expect(await readdir(cluster)).toContainEqual(expect.stringMatching(/^\.s\.PGSQL\.\d+$/));
  });

  test('is not made where its path would be too long, and the command says so', async () => {
    const long = path.join(directory.path, 'x'.repeat(90));
    await mkdir(long);
    await chmod(long, 0o711);
    const environment = { GATEPOST_DATA_DIR: path.join(long, 'data') };
    const service = startService({
      directory: directory.path,
      environment: {
        ...{ PORT: '0', WIRE_POSTGRES_PORT: '0', WIRE_MONGODB_PORT: 'off' },
        ...environment,
      },
    });
    try {
      await service.logged('service-started');
      const { exitCode, stderr } = await runGatepost('account list', {
        ...{ directory: directory.path, environment },
      });
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/ has no socket, whose path would be too long: stop Gatepost first/);
    } finally {
      await service.stop();
    }
    // It works without one where nothing else runs.
    const { stdout } = await runGatepost('account list', {
      ...{ directory: directory.path, environment },
    });
    expect(stdout).toContain('There are no accounts yet');
  });
});
