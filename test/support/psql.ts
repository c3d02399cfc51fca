import { execa } from 'execa';

/** A psql that hangs is a failed test, not a stuck run. */
const PSQL_TIMEOUT_MS = 25_000;

export interface PsqlOptions {
  /** Where to connect: a connection string or libpq's `key=value` words. */
  readonly url: string;
  /** What follows the connection: `['-c', 'select 1']`. */
  readonly args?: readonly string[];
  /** Text typed on its standard input. */
  readonly input?: string;
  /** Further environment, such as PGOPTIONS. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Ends psql as Ctrl+C does: it cancels the running statement. */
  readonly interrupt?: AbortSignal;
}

export interface PsqlResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

/**
 * Runs the real psql without the user's own settings: no ~/.psqlrc, no PG* environment, no
 * password prompt. A failure of a statement is a result, a psql that cannot run is an error.
 */
export async function runPsql(options: PsqlOptions): Promise<PsqlResult> {
  const child = execa('psql', ['-X', '-w', '-d', options.url, ...(options.args ?? [])], {
    reject: false,
    input: options.input ?? '',
    timeout: PSQL_TIMEOUT_MS,
    extendEnv: false,
    env: {
      PATH: process.env['PATH'],
      PGCONNECT_TIMEOUT: '10',
      PAGER: 'cat',
      LC_ALL: 'C.UTF-8',
      ...options.environment,
    },
  });
  const interrupt = (): void => {
    child.kill('SIGINT');
  };
  options.interrupt?.addEventListener('abort', interrupt, { once: true });
  const result = await child;
  options.interrupt?.removeEventListener('abort', interrupt);
  if (result.code === 'ENOENT') {
    throw new Error('psql is missing: install the PostgreSQL client (Debian: postgresql-client)');
  }
  if (result.timedOut) {
    throw new Error(`psql did not end within ${PSQL_TIMEOUT_MS} ms: ${result.stderr}`);
  }
  return { stdout: result.stdout, stderr: result.stderr, exitCode: result.exitCode };
}
