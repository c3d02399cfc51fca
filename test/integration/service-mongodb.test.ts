// The whole service as a process of its own, with PostgreSQL and MongoDB behind its two ports.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { testPostgresUrl } from '../support/databases.ts';
import { runningStatements, untilFound, untilTrue } from '../support/facts.ts';
import { heldOperations, untilNothingHeld, untilRunning } from '../support/mongodb-facts.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { parseJsonLines } from '../support/observations.ts';
import { readSample } from '../support/prometheus-text.ts';
import { runPsql } from '../support/psql.ts';
import type { PsqlResult } from '../support/psql.ts';
import { BUN, httpUrlOf, NODE, portOf, startService } from '../support/start-service.ts';
import type { RunningService } from '../support/start-service.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';
import { WireClient } from '../support/wire-client.ts';

type BackendName = 'postgres' | 'mongodb';

const FREE_PORTS = { PORT: '0', WIRE_POSTGRES_PORT: '0', WIRE_MONGODB_PORT: '0' };

/** Nothing listens there; finding that out takes the driver some seconds. */
const DOWN_URI = 'mongodb://someone:hunter2@127.0.0.1:1/shop';

const hasBun = spawnSync(BUN.command, ['--version']).status === 0;
if (!hasBun) {
  process.stderr.write('SKIPPED: MongoDB under Bun, since there is no bun (or BUN_BINARY)\n');
}

let database: TestMongodbDatabase;
let directory: TemporaryDirectory;
let service: RunningService;

function start(environment: Readonly<Record<string, string>>, runtime = NODE): void {
  service = startService({
    runtime,
    directory: directory.path,
    environment: { ...FREE_PORTS, WIRE_UPSTREAM_DSN: testPostgresUrl(), ...environment },
  });
}

function portFor(backend: BackendName): number {
  const line = service.log.find(
    (one) => one['event'] === 'listener-bound' && one['backend'] === backend,
  );
  return portOf(line ?? {});
}

async function psql(
  backend: BackendName,
  text: string,
  interrupt?: AbortSignal,
): Promise<PsqlResult> {
  const databases = { postgres: 'alice', mongodb: database.name };
  return await runPsql({
    url: `postgresql://alice@127.0.0.1:${portFor(backend)}/${databases[backend]}?sslmode=disable`,
    args: ['-At', '-c', text],
    ...(interrupt && { interrupt }),
  });
}

/** Sleeps for each of the three documents, on the server. */
const slow = (mark: string, sleepMs: number): string =>
  `db.three.find({ $where: "sleep(${sleepMs}) || true", mark: { $ne: "${mark}" } })`;

/** Such a statement, for untilRunning. */
const marked = (mark: string): Record<string, unknown> => ({ 'filter.mark.$ne': mark });

async function metrics(): Promise<string> {
  return await (await fetch(`${httpUrlOf(service)}/metrics`)).text();
}

/** The line of this text, once it is written. */
async function audited(text: string): Promise<Record<string, unknown>> {
  const file = path.join(directory.path, 'audit.jsonl');
  return await untilFound(
    () => parseJsonLines(readFileSync(file, 'utf8')).find((line) => line['text'] === text),
    `the audit line of ${text}`,
  );
}

async function answerOf(probe: string): Promise<readonly [status: number, body: unknown]> {
  const response = await fetch(`${httpUrlOf(service)}/${probe}`);
  return [response.status, await response.json()];
}

/** What the service has said to anybody who is not to know its connection strings. */
async function everythingSaid(...results: readonly PsqlResult[]): Promise<string> {
  const probes = await Promise.all(['readyz', 'health'].map(answerOf));
  return JSON.stringify([service.stderr(), service.stdout(), await metrics(), probes, results]);
}

describeMongodb('Both databases behind one service', () => {
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    directory = await createTemporaryDirectory();
    const three = database.client.db(database.name).collection<{ _id: number }>('three');
    await three.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
  });

  afterAll(async () => {
    await database.drop();
    await directory.remove();
  });

  const runtimes = hasBun ? [NODE, BUN] : [NODE];

  describe.each(runtimes)('that runs, under $name', (runtime) => {
    beforeAll(async () => {
      start(
        {
          MONGODB_URI: database.uri,
          WIRE_MONGODB_JAVASCRIPT: 'true',
          AUDIT_FILE: 'audit.jsonl',
        },
        runtime,
      );
      await service.logged('service-started');
    });

    afterAll(async () => {
      await service.stop();
    });

    it('psql speaks SQL on one port and MongoDB on the other, at once', async () => {
      const [postgres, mongodb] = [new AbortController(), new AbortController()];
      const sleep = `select pg_sleep(60), '${runtime.name}'`;
      const inPostgres = psql('postgres', sleep, postgres.signal);
      const inMongodb = psql('mongodb', slow(runtime.name, 20_000), mongodb.signal);
      await untilTrue(testPostgresUrl(), runningStatements('select pg_sleep(60), %', 1));
      await untilRunning(database, marked(runtime.name));
      const answers = await Promise.all([
        psql('postgres', 'select generate_series(1, 3)'),
        psql('mongodb', 'db.three.find().sort({_id: 1})'),
      ]);
      expect(answers.map(({ stdout }) => stdout)).toEqual([
        '1\n2\n3',
        '{"_id":1}\n{"_id":2}\n{"_id":3}',
      ]);
      // Ctrl+C in one of them ends that one alone.
      mongodb.abort();
      expect((await inMongodb).stderr).toContain('canceling statement due to user request');
      await untilNothingHeld(database);
      await untilTrue(testPostgresUrl(), runningStatements('select pg_sleep(60), %', 1));
      postgres.abort();
      expect((await inPostgres).stderr).toContain('canceling statement due to user request');
    });

    it('metrics count each listener by its labels', async () => {
      const labels = (name: BackendName): Record<string, string> => ({
        listener: name,
        backend: name,
      });
      const read = async (): Promise<(number | undefined)[]> => {
        const text = await metrics();
        return (['postgres', 'mongodb'] as const).flatMap((name) => [
          readSample(text, 'gatepost_stats_queries_total', labels(name)),
          readSample(text, 'gatepost_stats_rows_total', labels(name)),
          readSample(text, 'gatepost_errors_total', { listener: name, sqlstate_class: 'XX' }) ?? 0,
          readSample(text, 'gatepost_errors_total', { listener: name, sqlstate_class: '42' }) ?? 0,
        ]);
      };
      const before = await read();
      await psql('postgres', 'select generate_series(1, 5)');
      await psql('postgres', 'select nothing');
      await psql('mongodb', 'db.three.find()');
      await psql('mongodb', 'db.three.find({ $nope: 1 })');
      await psql('mongodb', 'db.three.findOne()');
      const added = (await read()).map((value, index) => (value ?? 0) - (before[index] ?? 0));
      expect(added).toEqual([...[2, 5, 0, 1], ...[3, 4, 1, 0]]);
      const text = await metrics();
      for (const backend of ['postgres', 'mongodb']) {
        expect(readSample(text, 'gatepost_backend_up', { backend })).toBe(1);
      }
    });

    it('the audit has the statements of both, as they were typed', async () => {
      const mark = `/* ${runtime.name} */`;
      const find = `db.three.find({ _id: { $gt: 1 } }) ${mark}`;
      const insert = `db.three.insertOne({ _id: 1 }) ${mark}`;
      const select = `select generate_series(1, 4) ${mark}`;
      await psql('mongodb', find);
      await psql('mongodb', insert);
      await psql('postgres', select);
      expect(await audited(find)).toMatchObject({
        ...{ listener: 'mongodb', backend: 'mongodb', user: 'alice', database: database.name },
        ...{ application_name: 'psql', client_addr: '127.0.0.1' },
        ...{ command_tags: ['SELECT 2'], rows: 2, bytes: 40, outcome: 'ok', sqlstate: null },
      });
      expect(await audited(insert)).toMatchObject({
        ...{ listener: 'mongodb', backend: 'mongodb' },
        ...{ command_tags: [], rows: 0, outcome: 'error', sqlstate: 'XX000' },
      });
      expect(await audited(select)).toMatchObject({
        ...{ listener: 'postgres', backend: 'postgres', user: 'alice' },
        ...{ command_tags: ['SELECT 4'], rows: 4, outcome: 'ok', sqlstate: null },
      });
    });

    it('probes show both backends up', async () => {
      expect(await answerOf('readyz')).toEqual([200, { status: 'ready' }]);
      const up = (backend: BackendName): unknown =>
        expect.objectContaining({ backend, isRequired: true, isUp: true, failure: null });
      expect(await answerOf('health')).toEqual([
        200,
        expect.objectContaining({
          listeners: [
            { listener: 'postgres', isBound: true },
            { listener: 'mongodb', isBound: true },
          ],
          backends: [up('postgres'), up('mongodb')],
        }),
      ]);
    });

    it('SIGTERM lets running statements finish, tells idle clients, and exits with 0', async () => {
      const idle = await WireClient.login(portFor('mongodb'), { user: 'alice' });
      const mark = `drained ${runtime.name}`;
      const sleep = `select pg_sleep(1.5), '${mark}'`;
      const running = [psql('mongodb', slow(mark, 500)), psql('postgres', sleep)];
      await untilRunning(database, marked(mark));
      await untilTrue(testPostgresUrl(), runningStatements(`select pg_sleep(1.5)%${mark}%`, 1));
      service.process.kill('SIGTERM');
      expect((await idle.closed()).toString()).toContain('57P01');
      await expect(WireClient.open(portFor('mongodb'))).rejects.toThrow('ECONNREFUSED');
      const results = await Promise.all(running);
      expect(results.map(({ stdout }) => stdout)).toEqual([
        '{"_id":1}\n{"_id":2}\n{"_id":3}',
        `|${mark}`,
      ]);
      expect(await service.exited()).toBe(0);
      expect(await heldOperations(database)).toBe(0);
    });
  });

  describe.each(runtimes)('that has a bad day, under $name', (runtime) => {
    afterEach(async () => {
      await service.stop();
    });

    it('SIGTERM ends what is not done by the deadline, and it exits with 0', async () => {
      const mark = `stopped ${runtime.name}`;
      start(
        {
          MONGODB_URI: database.uri,
          WIRE_MONGODB_JAVASCRIPT: 'true',
          SHUTDOWN_TIMEOUT: '300ms',
        },
        runtime,
      );
      await service.logged('service-started');
      const running = psql('mongodb', slow(mark, 20_000));
      await untilRunning(database, marked(mark));
      service.process.kill('SIGTERM');
      const { stderr } = await running;
      expect(stderr).toContain('terminating connection due to administrator command');
      expect(await service.exited()).toBe(0);
      await untilNothingHeld(database);
    });

    it('PostgreSQL works while MongoDB is required and down, which makes it unready', async () => {
      start({ MONGODB_URI: DOWN_URI, MONGODB_READINESS: 'required' }, runtime);
      await service.logged('service-started');
      const [readiness, postgres, mongodb] = await Promise.all([
        answerOf('readyz'),
        psql('postgres', 'select 42'),
        psql('mongodb', 'db.three.find()'),
      ]);
      const reasons = [expect.stringMatching(/^Backend mongodb does not answer/)];
      expect(readiness).toEqual([503, { status: 'unready', reasons }]);
      expect(postgres.stdout).toBe('42');
      expect(mongodb.stderr).toMatch(/FATAL: {2}Cannot reach MongoDB\n.*\n?HINT: /);
      expect(mongodb.stderr).not.toMatch(/127\.0\.0\.1:1\b/);
      expect(mongodb.exitCode).toBe(2);
      expect(readSample(await metrics(), 'gatepost_backend_up', { backend: 'mongodb' })).toBe(0);
      expect(await everythingSaid(postgres, mongodb)).not.toMatch(/hunter2|someone/);
    });

    it('is ready while MongoDB is optional and down', async () => {
      start({ MONGODB_URI: DOWN_URI, MONGODB_READINESS: 'optional' }, runtime);
      await service.logged('service-started');
      expect(await answerOf('readyz')).toEqual([200, { status: 'ready' }]);
      const [, health] = await answerOf('health');
      expect(health).toMatchObject({
        backends: [
          { backend: 'postgres', isUp: true },
          { backend: 'mongodb', isRequired: false, isUp: false },
        ],
      });
      expect(await everythingSaid()).not.toMatch(/hunter2|someone/);
    });
  });
});
