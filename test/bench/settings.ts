// How long and how often is measured, from the environment and the arguments.

/** Fewer say nothing of the spread, and are good for trying the bench itself. */
const ROUNDS_MIN_TO_WRITE = 3;

export interface BenchSettings {
  /** Seconds of one pgbench run. */
  readonly seconds: number;
  readonly rounds: number;
  /** Whether the results go into docs/performance.md. */
  readonly isWriting: boolean;
}

/** @throws Error that names the variable, or says why the results must not be written */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
): BenchSettings {
  const settings = {
    seconds: readCount('BENCH_SECONDS', env['BENCH_SECONDS'] ?? '5'),
    rounds: readCount('BENCH_ROUNDS', env['BENCH_ROUNDS'] ?? '3'),
    isWriting: args.includes('--write'),
  };
  if (settings.isWriting && settings.rounds < ROUNDS_MIN_TO_WRITE) {
    throw new Error(`--write needs BENCH_ROUNDS of ${ROUNDS_MIN_TO_WRITE} at least`);
  }
  return settings;
}

function readCount(name: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) {
    throw new Error(`${name} is ${text}: give a whole number from 1 on`);
  }
  return count;
}
