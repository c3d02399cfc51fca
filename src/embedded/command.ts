import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';

/** The account that a program runs as; undefined for our own. */
export interface OsAccount {
  readonly uid: number;
  readonly gid: number;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly account: OsAccount | undefined;
  /** For what fetches programs: it needs the machine's PATH, proxies and package index. */
  readonly isEnvironmentInherited?: boolean;
  /** What to do where the program cannot be run. */
  readonly advice?: string;
}

/** A program under way, with all three streams in our hands. */
export type Launched = ChildProcessByStdio<Writable, Readable, Readable>;

export interface CommandResult {
  readonly isSuccess: boolean;
  /** The end of what it printed on both streams. */
  readonly output: string;
}

/** What is kept of a program's output: its last words say why it failed. */
const OUTPUT_CHARACTERS_MAX = 16_384;

/** Nothing of our own environment, which holds secrets, reaches the server's processes. */
export const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/**
 * Starts a program in a session of its own, where the terminal's Ctrl+C does not reach it, away
 * from our working directory, which its account may not be allowed to enter.
 */
export async function launch(command: Command): Promise<Launched> {
  const child = spawn(command.file, command.args, {
    ...command.account,
    detached: true,
    cwd: '/',
    // Undefined stands for our own.
    env: command.isEnvironmentInherited === true ? undefined : ENVIRONMENT,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new EmbeddedDatabaseError(
      `Cannot run ${command.file}: check that it is there and may be executed, or ` +
        (command.advice ?? 'set POSTGRES_HOST to use your own PostgreSQL'),
      error,
    );
  }
  // A program that ends without reading its input is judged by its exit status.
  child.stdin.on('error', () => undefined);
  return child;
}

/** Runs a program to its end; when the signal aborts it is killed and the reason is thrown. */
export async function run(
  command: Command,
  signal: AbortSignal,
  input = '',
): Promise<CommandResult> {
  signal.throwIfAborted();
  const child = await launch(command);
  const output = collectOutput(child);
  const kill = (): void => {
    killGroup(child);
  };
  signal.addEventListener('abort', kill, { once: true });
  try {
    const closed = once(child, 'close');
    if (signal.aborted) {
      // While it was being launched.
      kill();
    }
    child.stdin.end(input);
    await closed;
  } finally {
    signal.removeEventListener('abort', kill);
  }
  signal.throwIfAborted();
  return { isSuccess: child.exitCode === 0, output: output() };
}

/** Ends a launched program and what it started in its session. */
function killGroup(child: Launched): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended in between.
  }
}

function collectOutput(child: Launched): () => string {
  let kept = '';
  const keep = (chunk: unknown): void => {
    kept = `${kept}${String(chunk)}`.slice(-OUTPUT_CHARACTERS_MAX);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return () => kept.trim();
}
