// A gate in a process of its own, so that its memory can be measured.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { GateOptions } from './start-gate.ts';

export interface GateProcess {
  readonly port: number;
  /** Resident memory of the process now. */
  residentBytes(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a gate as startGate does; its options have to survive JSON. */
export async function startGateProcess(
  options: Pick<GateOptions, 'dsn' | 'limits' | 'connectionsMax'>,
): Promise<GateProcess> {
  const child = fork(path.join(import.meta.dirname, 'run-gate.ts'), [JSON.stringify(options)], {
    execArgv: ['--import', path.join(import.meta.dirname, 'typescript.js')],
  });
  const port = await answerOf(child);
  return {
    port,
    residentBytes: async () => {
      child.send('resident memory');
      return await answerOf(child);
    },
    stop: async () => {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}

/** The next number that the process sends; rejects when it ends instead. */
async function answerOf(child: ChildProcess): Promise<number> {
  return await new Promise<number>((resolve, reject) => {
    const settle = (answer: unknown): void => {
      child.off('message', settle);
      child.off('exit', settle);
      if (typeof answer === 'number' && child.exitCode === null) {
        resolve(answer);
      } else {
        reject(new Error(`The gate's process ended with ${child.exitCode ?? 'a signal'}`));
      }
    };
    child.on('message', settle);
    child.on('exit', settle);
  });
}
