// Programs of the system that the bench runs to their end: pgbench, psql, and their versions.
import { execa } from 'execa';

/** What libpq programs need to reach every subject in the same way. */
export interface Login {
  readonly user: string;
  readonly database: string;
  /** Only PostgreSQL itself asks for it, so only direct and bare pipe make use of it. */
  readonly password: string;
}

/** Nothing of the user's own: no PG* variables, no password file, no negotiation of encryption. */
export function libpqEnvironment(
  { user, database, password }: Login,
  port: number,
): NodeJS.Dict<string> {
  return {
    PATH: process.env['PATH'],
    LC_ALL: 'C.UTF-8',
    PGHOST: '127.0.0.1',
    PGPORT: `${port}`,
    PGUSER: user,
    PGDATABASE: database,
    PGPASSWORD: password,
    PGSSLMODE: 'disable',
    PGGSSENCMODE: 'disable',
    PGCONNECT_TIMEOUT: '10',
  };
}

/** @throws Error with what the program printed when it failed or did not end in time */
export async function runProgram(
  file: string,
  args: readonly string[],
  { env, timeoutMs }: { readonly env: NodeJS.Dict<string>; readonly timeoutMs: number },
): Promise<string> {
  const { stdout } = await execa(file, args, { extendEnv: false, env, timeout: timeoutMs });
  return stdout;
}

/** The first line of `--version`; undefined when the program is not installed. */
export async function versionOf(file: string): Promise<string | undefined> {
  const { exitCode, stdout } = await execa(file, ['--version'], {
    reject: false,
    timeout: 10_000,
    // Debian keeps daemons where an ordinary user's PATH does not look.
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  return exitCode === 0 ? stdout.split('\n')[0] : undefined;
}
