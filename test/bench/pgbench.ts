// Small queries and connections by pgbench, which is written in C and not the bottleneck.
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { libpqEnvironment, runProgram } from './programs.ts';
import type { Run } from './rounds.ts';
import type { BenchPlace, Subject } from './subjects.ts';

/** What a run may take besides its own seconds: opening the sessions, closing them. */
const MARGIN_MS = 60_000;

export interface PgbenchOptions {
  readonly place: BenchPlace;
  readonly clients: number;
  readonly seconds: number;
  /** Whether each query has a connection of its own. */
  readonly isReconnecting: boolean;
  /** As pgbench reads it; `select 1` unless said. */
  readonly script?: string;
}

/** Runs a query over and over, as a simple one. */
export async function runPgbench(
  { port }: Subject,
  { place, clients, seconds, isReconnecting, script: text = 'select 1;' }: PgbenchOptions,
): Promise<Run> {
  const script = path.join(place.directory, 'pgbench.sql');
  await writeFile(script, `${text}\n`);
  const jobs = Math.min(clients, availableParallelism());
  const output = await runProgram(
    'pgbench',
    [
      ...['-n', '-M', 'simple', '-f', script],
      ...['-c', `${clients}`, '-j', `${jobs}`, '-T', `${seconds}`],
      ...(isReconnecting ? ['-C'] : []),
    ],
    { env: libpqEnvironment(place.login, port), timeoutMs: seconds * 1000 + MARGIN_MS },
  );
  return {
    count: readNumber(output, /transactions actually processed: (\d+)/),
    perSecond: readNumber(output, /tps = ([\d.]+)/),
  };
}

function readNumber(output: string, pattern: RegExp): number {
  const text = pattern.exec(output)?.[1];
  if (text === undefined) {
    throw new Error(`pgbench printed no ${pattern.source}:\n${output}`);
  }
  return Number(text);
}
