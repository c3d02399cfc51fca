// What a bench has found out, before it is put into words.
import type { Samples } from './rounds.ts';
import type { BenchSettings } from './settings.ts';
import type { SlowReaderMemory } from './slow-readers.ts';

/** One load on all subjects. */
export interface Measure {
  readonly title: string;
  /** How it was measured, as a sentence. */
  readonly note: string;
  /** What is counted: `queries`. */
  readonly unit: string;
  readonly samples: Samples;
  /** The share of PgBouncer that is aimed at, if this measure has an aim. */
  readonly aim: number | undefined;
}

export interface BenchResults {
  readonly startedAt: Date;
  readonly settings: BenchSettings;
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** What was left out, and what to do about it. */
  readonly omissions: readonly string[];
  readonly measures: readonly Measure[];
  readonly slowReaders: readonly SlowReaderMemory[];
}
