// A proxy as a process of its own, from its first connection to its end.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { OsAccount } from '../../src/embedded/command.ts';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 10_000;
const LOOK_INTERVAL_MS = 20;

export interface ProxyCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.Dict<string>;
  /** Where it will listen. */
  readonly port: number;
  /** What it prints goes there: reading it here would cost time that is measured. */
  readonly logFile: string;
  readonly account?: OsAccount | undefined;
}

export interface ProxyProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

/** @throws Error with what it printed when it takes no connection in time */
export async function startProxy(command: ProxyCommand): Promise<ProxyProcess> {
  const log = openSync(command.logFile, 'a');
  const child = spawn(command.file, command.args, {
    ...command.account,
    env: command.env,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  try {
    await once(child, 'spawn');
    await untilListening(command, child);
  } catch (cause) {
    await stop(child);
    const output = await readFile(command.logFile, 'utf8');
    throw new Error(`${command.file} does not start:\n${output}`, { cause });
  }
  return { pid: child.pid ?? 0, stop: async () => await stop(child) };
}

/** A loopback port that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

async function untilListening({ port }: ProxyCommand, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await isListening(port))) {
    if (!isRunning(child) || Date.now() > deadline) {
      throw new Error(`Port ${port} takes no connection`);
    }
    await pause(LOOK_INTERVAL_MS);
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) {
    return;
  }
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
