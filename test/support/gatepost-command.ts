// One run of a command of ours, from the build.
import { execa } from 'execa';
import { NODE } from './start-service.ts';

/** A command that hangs is a failed test, not a stuck run. */
const COMMAND_TIMEOUT_MS = 28_000;

export interface CommandResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Working directory: `.env` and `.gatepost` are looked for here. */
  readonly directory: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Of standard input; nothing unless given. */
  readonly input?: string;
}

/** Runs a command to its end. */
export async function runGatepost(
  args: string,
  { directory, environment = {}, input = '' }: CommandOptions,
): Promise<CommandResult> {
  const { exitCode, stdout, stderr } = await execa(
    NODE.command,
    [...NODE.args, ...args.split(' ')],
    {
      cwd: directory,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      extendEnv: false,
      input,
      reject: false,
      timeout: COMMAND_TIMEOUT_MS,
    },
  );
  return { exitCode, stdout, stderr };
}
