// What clients cost that ask for a gigabyte and do not read it.
import { setTimeout as pause } from 'node:timers/promises';
import { queryFrame } from '../support/wire-client.ts';
import { countUntilReady, openSession } from './big-select.ts';
import { readResidentBytes } from './process-usage.ts';
import type { BenchPlace, Subject, SubjectKind } from './subjects.ts';

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
  try {
    const sockets = await Promise.all(
      Array.from({ length: clients }, async () => await openWarmSession(subject, place)),
    );
    const { pid } = subject;
    const beforeBytes = pid === undefined ? undefined : await readResidentBytes(pid);
    if (pid === undefined || beforeBytes === undefined) {
      return undefined;
    }
    for (const socket of sockets) {
      socket.pause();
      socket.write(queryFrame(SELECT));
    }
    const whileBytes = await watch(pid);
    for (const socket of sockets) {
      socket.destroy();
    }
    return { name: kind.name, clients, beforeBytes, whileBytes };
  } finally {
    await subject.stop();
  }
}

async function openWarmSession(
  subject: Subject,
  place: BenchPlace,
): ReturnType<typeof openSession> {
  const socket = await openSession(subject, place);
  const ready = countUntilReady(socket);
  socket.write(queryFrame('select 1'));
  await ready;
  socket.removeAllListeners('close');
  return socket;
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
