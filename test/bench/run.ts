// The whole bench: one PostgreSQL, all subjects side by side, every measure in turn.
//
//   npm run bench -- [--write]     BENCH_SECONDS=5 BENCH_ROUNDS=3
import path from 'node:path';
import process from 'node:process';
import { chooseAccount } from '../../src/embedded/os-account.ts';
import { createEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';
import { describeLoad, describeMachine } from './machine.ts';
import { runMeasures } from './measures.ts';
import { renderReport } from './report.ts';
import type { BenchResults } from './results.ts';
import { readSettings } from './settings.ts';
import type { BenchPlace } from './subjects.ts';
import { findTools } from './tools.ts';
import { formatReport, writeReport } from './write-report.ts';

/** The same for everybody, with room for PgBouncer's pool beside everybody's sessions. */
const POSTGRES_CONNECTIONS_MAX = 300;

const STOP_TIMEOUT_MS = 20_000;

const settings = readSettings(process.env, process.argv.slice(2));
const tools = await findTools();
for (const omission of tools.omissions) {
  say(`LEFT OUT: ${omission}`);
}
const markdown = await formatReport(renderReport(await runBench()));
process.stdout.write(`\n${markdown}`);
if (settings.isWriting) {
  await writeReport(markdown);
}

async function runBench(): Promise<BenchResults> {
  const startedAt = new Date();
  const loadBefore = await describeLoad();
  say(`Load of others: ${loadBefore}`);
  const temporary = await createTemporaryDirectory();
  const directory = path.join(temporary.path, 'data');
  const postgres = createEmbeddedPostgres({
    directory,
    observer: { observe: () => undefined },
    connectionsMax: POSTGRES_CONNECTIONS_MAX,
  });
  try {
    await postgres.start(AbortSignal.timeout(STOP_TIMEOUT_MS));
    const url = postgres.dsn();
    const account = await chooseAccount(
      path.join(directory, 'postgres'),
      AbortSignal.timeout(5000),
    );
    const place = { ...toPlace(url), directory: temporary.path, account };
    const { facts } = await describeMachine(url);
    const measured = await runMeasures({ place, url, settings, tools }, say);
    const loadAfter = await describeLoad();
    const loads = [
      ['others before', loadBefore],
      ['others after', loadAfter],
    ] as const;
    const { omissions } = tools;
    return { startedAt, settings, facts: [...facts, ...loads], omissions, ...measured };
  } finally {
    await postgres.stop(AbortSignal.timeout(STOP_TIMEOUT_MS));
    await temporary.remove();
  }
}

function toPlace(url: string): Pick<BenchPlace, 'postgresPort' | 'login'> {
  const { port, username: user, password, pathname } = new URL(url);
  return { postgresPort: Number(port), login: { user, password, database: pathname.slice(1) } };
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
