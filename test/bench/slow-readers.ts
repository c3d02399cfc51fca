// What clients cost that ask for a gigabyte and do not read it.
import { setTimeout as pause } from 'node:timers/promises';
import { CountingReader } from './counting-reader.ts';
import { readResidentBytes } from './process-usage.ts';
import type { BenchPlace, SubjectKind } from './subjects.ts';

/** A gigabyte of rows. */
const SELECT = "select repeat('x', 1000) from generate_series(1, 1000000)";

/** The buffers are full long before; no proxy gives up on a slow reader as early. */
const WATCH_MS = 4000;
const LOOK_INTERVAL_MS = 50;

export interface SlowReaderMemory {
  readonly name: string;
  readonly clients: number;
  /** Resident memory of the proxy with the sessions open and idle. */
  readonly beforeBytes: number;
  /** The most that was seen while they did not read. */
  readonly whileBytes: number;
}

/** Measures in a new process, whose memory no earlier load has stretched. */
export async function measureSlowReaders(
  kind: SubjectKind,
  clients: number,
  place: BenchPlace,
): Promise<SlowReaderMemory | undefined> {
  const subject = await kind.start(place);
  const readers: CountingReader[] = [];
  try {
    for (let client = 0; client < clients; client += 1) {
      const reader = await CountingReader.open(subject.port, place.reader);
      await reader.query('select 1');
      readers.push(reader);
    }
    const { pid } = subject;
    const beforeBytes = pid === undefined ? undefined : await readResidentBytes(pid);
    if (pid === undefined || beforeBytes === undefined) {
      return undefined;
    }
    for (const reader of readers) {
      reader.ignore(SELECT);
    }
    return { name: kind.name, clients, beforeBytes, whileBytes: await watch(pid) };
  } finally {
    for (const reader of readers) {
      reader.close();
    }
    await subject.stop();
  }
}

async function watch(pid: number): Promise<number> {
  const endMs = Date.now() + WATCH_MS;
  let most = 0;
  while (Date.now() < endMs) {
    most = Math.max(most, (await readResidentBytes(pid)) ?? 0);
    await pause(LOOK_INTERVAL_MS);
  }
  return most;
}
