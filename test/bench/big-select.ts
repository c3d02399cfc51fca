// One million rows of 100 bytes, once to psql and once to a reader that only counts.
import { performance } from 'node:perf_hooks';
import { runDirectly } from '../support/databases.ts';
import { CountingReader } from './counting-reader.ts';
import { libpqEnvironment, runProgram } from './programs.ts';
import type { Run } from './rounds.ts';
import type { BenchPlace, Subject } from './subjects.ts';

const ROWS = 1_000_000;

/** One after the other for the counting reader: a single one is over before it can be timed. */
const SELECTS = 5;

/** What a row takes on the wire at least; fewer bytes are an error's. */
const ROW_BYTES_MIN = 90;

const PSQL_TIMEOUT_MS = 120_000;

const SELECT = 'select * from bench_rows';

/** A table and not a function: PostgreSQL is to be as fast as it can. */
export async function createRows(url: string): Promise<void> {
  await runDirectly(
    url,
    `create table bench_rows as
       select i as id, rpad(md5(i::text), 78, 'x') as text from generate_series(1, ${ROWS}) i;
     grant select on bench_rows to public`,
  );
  // Otherwise the first readers would still write: hint bits.
  await runDirectly(url, 'vacuum analyze bench_rows');
}

/** psql takes the whole result into its memory and prints it to nowhere. */
export async function selectByPsql(subject: Subject, { login }: BenchPlace): Promise<Run> {
  const startedAtMs = performance.now();
  await runProgram('psql', ['-X', '-w', '-At', '-o', '/dev/null', '-c', SELECT], {
    env: libpqEnvironment(login, subject.port),
    timeoutMs: PSQL_TIMEOUT_MS,
  });
  return toRun(startedAtMs, 1);
}

/** The time from the first query to the last answer's end, the login left out. */
export async function selectByCounting(subject: Subject, { reader }: BenchPlace): Promise<Run> {
  const client = await CountingReader.open(subject.port, reader);
  try {
    const startedAtMs = performance.now();
    for (let select = 0; select < SELECTS; select += 1) {
      const bytes = await client.query(SELECT);
      if (bytes < ROWS * ROW_BYTES_MIN) {
        throw new Error(`${subject.name} delivered ${bytes} bytes: the select has failed`);
      }
    }
    return toRun(startedAtMs, SELECTS);
  } finally {
    client.close();
  }
}

function toRun(startedAtMs: number, selects: number): Run {
  const seconds = (performance.now() - startedAtMs) / 1000;
  const count = selects * ROWS;
  return { count, perSecond: count / seconds };
}
