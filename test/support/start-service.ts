// The whole service as a user starts it: a process of its own, from the build or under Bun.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** A first start makes a database cluster; a busy machine takes its time. */
const START_TIMEOUT_MS = 25_000;

const ROOT = path.resolve(import.meta.dirname, '../..');

/** How to run Gatepost. */
export interface Runtime {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

export const NODE: Runtime = {
  name: 'node',
  command: process.execPath,
  args: [path.join(ROOT, 'dist/src/main.js')],
};

export const BUN: Runtime = {
  name: 'bun',
  command: process.env['BUN_BINARY'] ?? 'bun',
  args: [path.join(ROOT, 'src/main.ts')],
};

export interface ServiceOptions {
  readonly runtime?: Runtime;
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Working directory: `.env` and `.gatepost` are looked for here. */
  readonly directory: string;
}

/** A log line of the service. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface RunningService {
  readonly process: ChildProcess;
  readonly log: readonly LogLine[];
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the first line, past or to come, that has this event. */
  logged(event: string): Promise<LogLine>;
  /** Resolves with the exit code, or the signal that ended it. */
  exited(): Promise<number | string>;
  /** Ends it by SIGTERM, if it still runs; resolves when it is gone. */
  stop(): Promise<number | string>;
}

/** Starts a process; it need not come up. The caller stops it. */
export function startService({
  runtime = NODE,
  args = [],
  environment = {},
  directory,
}: ServiceOptions): RunningService {
  const child = spawn(runtime.command, [...runtime.args, ...args], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: LogLine[] = [];
  const looks = new Set<() => void>();
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  createInterface({ input: child.stderr }).on('line', (line) => {
    stderr += `${line}\n`;
    const parsed = parseLine(line);
    if (parsed !== undefined) {
      log.push(parsed);
    }
    looks.forEach((look) => {
      look();
    });
  });
  const exit = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve(code ?? signal ?? 'gone');
    });
  });
  exit.catch(() => undefined);
  return {
    process: child,
    log,
    stdout: () => stdout,
    stderr: () => stderr,
    exited: async () => await exit,
    logged: async (event) => {
      const found = new Promise<LogLine>((resolve) => {
        const look = (): void => {
          const line = log.find((one) => one['event'] === event);
          if (line !== undefined) {
            looks.delete(look);
            resolve(line);
          }
        };
        looks.add(look);
        look();
      });
      return await Promise.race([found, failAfter(event, exit, () => stderr)]);
    },
    stop: async () => {
      child.kill('SIGTERM');
      return await exit;
    },
  };
}

function parseLine(line: string): LogLine | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

async function failAfter(
  event: string,
  exit: Promise<unknown>,
  stderr: () => string,
): Promise<never> {
  const timeout = new Promise<void>((resolve) => {
    setTimeout(resolve, START_TIMEOUT_MS).unref();
  });
  await Promise.race([timeout, exit]);
  throw new Error(`No log line with event ${event}; standard error says:\n${stderr()}`);
}

/** The port of the wire listener, as the log names it. */
export function portOf(line: LogLine): number {
  return Number(line['port']);
}

/** The URL of the HTTP server, as the log names it. */
export function httpUrlOf(service: RunningService): string {
  const line = service.log.find((one) => one['component'] === 'http');
  return /http:\S+/.exec(String(line?.['message']))?.[0] ?? '';
}
