// Which programs of the system are there, and what cannot be measured without the others.
import { versionOf } from './programs.ts';

export interface Tools {
  readonly hasPgBouncer: boolean;
  readonly hasPgbench: boolean;
  readonly hasPsql: boolean;
  /** What is left out for want of a program, and where to have it from. */
  readonly omissions: readonly string[];
}

const OMISSIONS: ReadonlyMap<string, string> = new Map([
  ['pgbouncer', 'everything about PgBouncer, which is not installed (Debian: pgbouncer)'],
  ['pgbench', 'small queries and connections: no pgbench on PATH (Debian: postgresql)'],
  ['psql', 'the big select by psql: no psql on PATH (Debian: postgresql-client)'],
]);

export async function findTools(): Promise<Tools> {
  const missing = new Set<string>();
  for (const program of OMISSIONS.keys()) {
    if ((await versionOf(program)) === undefined) {
      missing.add(program);
    }
  }
  return {
    hasPgBouncer: !missing.has('pgbouncer'),
    hasPgbench: !missing.has('pgbench'),
    hasPsql: !missing.has('psql'),
    omissions: [...OMISSIONS].flatMap(([program, omission]) =>
      missing.has(program) ? [omission] : [],
    ),
  };
}
