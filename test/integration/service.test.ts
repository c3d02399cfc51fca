import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { testPostgresUrl } from '../support/databases.ts';
import { runningStatements, untilTrue } from '../support/facts.ts';
import { parseJsonLines } from '../support/observations.ts';
import { runPsql } from '../support/psql.ts';
import { BUN, httpUrlOf, NODE, portOf, startService } from '../support/start-service.ts';
import type { RunningService, ServiceOptions } from '../support/start-service.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';
import { queryFrame, WireClient } from '../support/wire-client.ts';

const FREE_PORTS = { PORT: '0', WIRE_POSTGRES_PORT: '0', WIRE_MONGODB_PORT: 'off' };

const hasBun = spawnSync(BUN.command, ['--version']).status === 0;
if (!hasBun) {
  process.stderr.write('SKIPPED: the service under Bun, since there is no bun (or BUN_BINARY)\n');
}

const directories: { readonly path: string; remove(): Promise<void> }[] = [];

async function temporaryPath(): Promise<string> {
  const directory = await createTemporaryDirectory();
  directories.push(directory);
  return directory.path;
}

afterAll(async () => {
  await Promise.all(directories.map(async (directory) => await directory.remove()));
});

function psqlUrl(port: number): string {
  return `postgresql://alice@127.0.0.1:${port}/alice?sslmode=disable`;
}

describe.each(hasBun ? [NODE, BUN] : [NODE])('the service under $name', (runtime) => {
  let service: RunningService;
  let port: number;
  let directory: string;

  beforeAll(async () => {
    directory = await temporaryPath();
    service = startService({
      runtime,
      directory,
      environment: { ...FREE_PORTS, AUDIT_FILE: 'audit.jsonl' },
    });
    port = portOf(await service.logged('listener-bound'));
    await service.logged('service-started');
  });

  afterAll(async () => {
    await service.stop();
  });

  test('brings up a PostgreSQL of its own that psql reaches through it', async () => {
    const { stdout, exitCode } = await runPsql({
      url: psqlUrl(port),
      args: ['-At', '-c', 'select version()'],
    });
    expect(stdout).toMatch(/^PostgreSQL 16\./);
    expect(exitCode).toBe(0);
  });

  test('says where its data is and how to use a PostgreSQL of one’s own', () => {
    expect(service.stderr()).toContain(path.join(directory, '.gatepost'));
    expect(service.stderr()).toContain('POSTGRES_HOST');
  });

  test('answers its probes', async () => {
    const url = httpUrlOf(service);
    for (const [probe, body] of [
      ['livez', { status: 'ok' }],
      ['readyz', { status: 'ready' }],
    ] as const) {
      const response = await fetch(`${url}/${probe}`);
      expect([response.status, await response.json()]).toEqual([200, body]);
    }
    const health = await (await fetch(`${url}/health`)).text();
    expect(JSON.parse(health)).toMatchObject({ status: 'ready', backends: [{ isUp: true }] });
    expect(health).not.toMatch(/127\.0\.0\.1|postgres:/);
  });

  test('counts a query in the metrics, and writes it to the audit', async () => {
    const marker = `select 'audited under ${runtime.name}'`;
    await runPsql({ url: psqlUrl(port), args: ['-c', marker] });
    const metrics = await (await fetch(`${httpUrlOf(service)}/metrics`)).text();
    const total = /gatepost_stats_queries_total\{[^}]*\} (\d+)/.exec(metrics)?.[1];
    expect(Number(total)).toBeGreaterThan(0);
    const lines = parseJsonLines(readFileSync(path.join(directory, 'audit.jsonl'), 'utf8'));
    expect(lines).toContainEqual(
      expect.objectContaining({ text: marker, rows: 1, outcome: 'ok', user: 'alice' }),
    );
  });

  test('stops in good order at SIGTERM: unready, idle sessions told, exit code 0', async () => {
    const idle = await WireClient.login(port, { user: 'alice' });
    const running = runPsql({ url: psqlUrl(port), args: ['-At', '-c', 'select pg_sleep(1), 42'] });
    const watching = await WireClient.login(port, { user: 'alice' });
    const isSleeping = "select count(*) from pg_stat_activity where query like 'select pg_sleep%'";
    let sleeping = '0';
    while (sleeping !== '1') {
      const frames = await watching.query(isSleeping);
      sleeping = frames.find(({ type }) => type === 'D')?.bytes.toString('utf8', 11) ?? '0';
    }
    const url = httpUrlOf(service);
    service.process.kill('SIGTERM');
    const lastWords = await idle.closed();
    expect(lastWords.toString()).toContain('57P01');
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    await expect(WireClient.open(port)).rejects.toThrow('ECONNREFUSED');
    expect((await running).stdout).toBe('|42');
    expect(await service.exited()).toBe(0);
    expect(existsSync(path.join(directory, '.gatepost/postgres/postmaster.pid'))).toBe(false);
  });
});

describe('the process', () => {
  let service: RunningService | undefined;
  let directory: string;

  beforeEach(async () => {
    directory = await temporaryPath();
  });

  afterEach(async () => {
    await service?.stop();
    service = undefined;
  });

  function start(options: Omit<ServiceOptions, 'directory'>): RunningService {
    service = startService({ directory, ...options });
    return service;
  }

  const external = (): Record<string, string> => ({
    ...FREE_PORTS,
    WIRE_UPSTREAM_DSN: testPostgresUrl(),
  });

  test('cancels what still runs at the deadline, and exits with 0', async () => {
    const running = start({ environment: { ...external(), SHUTDOWN_TIMEOUT: '500ms' } });
    const port = portOf(await running.logged('listener-bound'));
    const query = runPsql({ url: psqlUrl(port), args: ['-c', 'select pg_sleep(60.1)'] });
    await untilTrue(testPostgresUrl(), runningStatements('select pg_sleep(60.1)', 1));
    running.process.kill('SIGTERM');
    expect((await query).stderr).toContain('terminating connection due to administrator command');
    expect(await running.exited()).toBe(0);
  });

  test('ends at once at a second signal, whatever still runs', async () => {
    const running = start({ environment: { ...external(), SHUTDOWN_TIMEOUT: '10m' } });
    const port = portOf(await running.logged('listener-bound'));
    const client = await WireClient.login(port, { user: 'alice' });
    client.send(queryFrame('select pg_sleep(60.2)'));
    await untilTrue(testPostgresUrl(), runningStatements('select pg_sleep(60.2)', 1));
    running.process.kill('SIGTERM');
    await running.logged('service-stopping');
    running.process.kill('SIGTERM');
    expect([0, 1]).toContain(await running.exited());
    client.destroy();
  });

  test('takes the two SIGINT of one Ctrl+C under npm for one', async () => {
    const running = start({ environment: external() });
    const port = portOf(await running.logged('listener-bound'));
    const query = runPsql({ url: psqlUrl(port), args: ['-At', '-c', 'select pg_sleep(1.1), 42'] });
    await untilTrue(testPostgresUrl(), runningStatements('select pg_sleep(1.1)%', 1));
    running.process.kill('SIGINT');
    running.process.kill('SIGINT');
    expect((await query).stdout).toBe('|42');
    expect(await running.exited()).toBe(0);
  });

  test('serves HTTP and says unready while its PostgreSQL is down', async () => {
    const environment = { ...FREE_PORTS, WIRE_UPSTREAM_DSN: 'postgresql://u:s3cret@127.0.0.1:1/d' };
    const running = start({ environment });
    const port = portOf(await running.logged('listener-bound'));
    const readiness = await fetch(`${httpUrlOf(running)}/readyz`);
    expect(readiness.status).toBe(503);
    const { stderr } = await runPsql({ url: psqlUrl(port), args: ['-c', 'select 1'] });
    expect(stderr).toContain('FATAL:  Cannot connect to the upstream PostgreSQL');
    expect(stderr).not.toMatch(/s3cret|:1\b/);
    expect(running.stderr()).not.toContain('s3cret');
  });

  test('is ready without a PostgreSQL that is optional', async () => {
    const running = start({
      environment: {
        ...FREE_PORTS,
        WIRE_UPSTREAM_DSN: 'postgresql://u:s3cret@127.0.0.1:1/d',
        POSTGRES_READINESS: 'optional',
      },
    });
    await running.logged('service-started');
    expect((await fetch(`${httpUrlOf(running)}/readyz`)).status).toBe(200);
  });

  test('says which port is in use and which setting changes it', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address: AddressInfo | string | null = taken.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const running = start({ environment: { ...external(), WIRE_POSTGRES_PORT: `${port ?? 0}` } });
    expect(await running.exited()).toBe(1);
    expect(running.stderr()).toMatch(new RegExp(`Port ${port ?? 0} .*in use.*WIRE_POSTGRES_PORT`));
    taken.close();
  });

  test.each([
    [{ WIRE_MAX_ROWS: 'many' }, /WIRE_MAX_ROWS.*many/],
    [{ WIRE_MAX_ROW: '5' }, /WIRE_MAX_ROW\b.*WIRE_MAX_ROWS/],
    [{ WIRE_DENY: 'DORP' }, /DORP.*DROP/],
  ])('refuses to start with %j, in a sentence', async (environment, sentence) => {
    const running = start({ environment: { ...external(), ...environment } });
    expect(await running.exited()).toBe(2);
    expect(running.stderr()).toMatch(sentence);
    expect(running.stderr()).not.toMatch(/^\s+at /m);
  });

  test('listens beyond loopback without TLS and accounts only if it may, and warns', async () => {
    const environment = { ...external(), HOST: '0.0.0.0', API: 'off' };
    const refused = start({ environment });
    expect(await refused.exited()).toBe(2);
    expect(refused.stderr()).toMatch(/without TLS and without accounts.*WIRE_ALLOW_INSECURE=true/);
    const running = start({ environment: { ...environment, WIRE_ALLOW_INSECURE: 'true' } });
    await running.logged('service-started');
    expect(await running.logged('risk-noticed')).toMatchObject({ level: 'warn' });
  });

  test('runs one listener without HTTP as pgwire-proxy, by the flags of its seed', async () => {
    const flags = ['--port', '0', '--upstream-dsn', testPostgresUrl(), '--max-rows', '2'];
    const running = start({
      args: ['pgwire-proxy', ...flags, '--max-bytes', '1MB', '--query-timeout', '5s'],
    });
    const port = portOf(await running.logged('listener-bound'));
    const three = await runPsql({
      url: psqlUrl(port),
      args: ['-c', 'select generate_series(1, 3)'],
    });
    expect(three.stderr).toContain('limit of 2 rows');
    expect(running.log.some((line) => line['component'] === 'http')).toBe(false);
  });

  test('prints what it would run with, secrets masked, as check', async () => {
    const running = start({
      args: ['check'],
      environment: { WIRE_UPSTREAM_DSN: 'postgresql://u:s3cret@db/orders' },
    });
    expect(await running.exited()).toBe(0);
    expect(running.stdout()).toContain('***');
    expect(running.stdout() + running.stderr()).not.toContain('s3cret');
  });
});
