// One million rows of 100 bytes, once to psql and once to a reader that only counts.
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { openUpstream } from '../../src/backends/postgres/upstream.ts';
import { runDirectly } from '../support/databases.ts';
import { queryFrame } from '../support/wire-client.ts';
import { libpqEnvironment, runProgram } from './programs.ts';
import type { Run } from './rounds.ts';
import type { BenchPlace, Subject } from './subjects.ts';

export const ROWS = 1_000_000;

const TIMEOUT_MS = 120_000;

const SELECT = 'select * from bench_rows';

/** ReadyForQuery, idle: where an answer ends. No row of ours holds a NUL. */
const READY = Buffer.from('Z\0\0\0\u0005I');

/** A table and not a function: PostgreSQL is to be as fast as it can. */
export async function createRows(url: string): Promise<void> {
  await runDirectly(
    url,
    `create table bench_rows as
       select i as id, rpad(md5(i::text), 78, 'x') as text from generate_series(1, ${ROWS}) i`,
  );
  // Otherwise the first readers would still write: hint bits.
  await runDirectly(url, 'vacuum analyze bench_rows');
}

/** psql takes the whole result into its memory and prints it to nowhere. */
export async function selectByPsql(subject: Subject, { login }: BenchPlace): Promise<Run> {
  const startedAtMs = performance.now();
  await runProgram('psql', ['-X', '-w', '-At', '-o', '/dev/null', '-c', SELECT], {
    env: libpqEnvironment(login, subject.port),
    timeoutMs: TIMEOUT_MS,
  });
  return toRun(startedAtMs);
}

/** The time from the query to the answer's end, the login left out. */
export async function selectBySocket(subject: Subject, place: BenchPlace): Promise<Run> {
  const socket = await openSession(subject, place);
  try {
    const startedAtMs = performance.now();
    socket.write(queryFrame(SELECT));
    const bytes = await countUntilReady(socket);
    if (bytes < ROWS * 90) {
      throw new Error(`${subject.name} delivered ${bytes} bytes: the select has failed`);
    }
    return toRun(startedAtMs);
  } finally {
    socket.destroy();
  }
}

/** A session that has logged in, as a bare socket. */
export async function openSession({ port }: Subject, { login }: BenchPlace): Promise<Socket> {
  const config = { host: '127.0.0.1', port, ...login, ssl: false };
  const { socket } = await openUpstream(config, undefined, AbortSignal.timeout(TIMEOUT_MS));
  socket.on('error', () => undefined);
  return socket;
}

/** Bytes up to ReadyForQuery. */
export async function countUntilReady(socket: Socket): Promise<number> {
  return await new Promise((resolve, reject) => {
    let bytes = 0;
    let end = Buffer.alloc(0);
    socket.setTimeout(TIMEOUT_MS, () => {
      socket.destroy();
    });
    socket.on('close', () => {
      reject(new Error('The connection was closed before ReadyForQuery'));
    });
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      end = Buffer.concat([end, chunk.subarray(-READY.length)]).subarray(-READY.length);
      if (end.equals(READY)) {
        resolve(bytes);
      }
    });
    socket.resume();
  });
}

function toRun(startedAtMs: number): Run {
  const seconds = (performance.now() - startedAtMs) / 1000;
  return { count: ROWS, perSecond: ROWS / seconds };
}
