// A B C A B C …: every subject once a round, so that whatever else the machine does meets all.
import { readCpuTime } from './process-usage.ts';
import type { CpuTime } from './process-usage.ts';
import type { Subject } from './subjects.ts';

/** What one run of a load did. */
export interface Run {
  /** Queries, rows or connections that went through. */
  readonly count: number;
  /** How many of them a second. */
  readonly perSecond: number;
}

/** One run with what it cost the proxy. */
export interface Sample extends Run {
  /** CPU time of the proxy; undefined for the direct way, and where nothing is known of it. */
  readonly cpu: CpuTime | undefined;
}

/** By subject's name, a sample a round. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

export interface RoundsOptions {
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  readonly load: (subject: Subject) => Promise<Run>;
  /** Asked between two runs. */
  readonly signal: AbortSignal;
}

/** Puts the load on every subject in every round. */
export async function measureRounds(options: RoundsOptions): Promise<Samples> {
  const { subjects, rounds, load, signal } = options;
  const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) {
      signal.throwIfAborted();
      samples.get(subject.name)?.push(await measure(subject, load));
    }
  }
  return samples;
}

async function measure(subject: Subject, load: RoundsOptions['load']): Promise<Sample> {
  const before = await cpuOf(subject);
  const run = await load(subject);
  const after = await cpuOf(subject);
  return { ...run, cpu: before && after && difference(after, before) };
}

async function cpuOf({ pid }: Subject): Promise<CpuTime | undefined> {
  return pid === undefined ? undefined : await readCpuTime(pid);
}

function difference(after: CpuTime, before: CpuTime): CpuTime {
  return {
    userUs: after.userUs - before.userUs,
    systemUs: after.systemUs - before.systemUs,
  };
}
