// A gate in front of MongoDB in a process of its own, so that its memory can be measured.
import { execaNode } from 'execa';
import { fileURLToPath } from 'node:url';
import type { GateProcess } from './gate-process.ts';
import type { MongodbGateOptions } from './start-mongodb-gate.ts';

const PROGRAM = new URL('./run-mongodb-gate.ts', import.meta.url);
const HOOKS = new URL('./typescript.js', import.meta.url);

/** A gate that does not stop is a failed test, not a stuck run. */
const STOP_TIMEOUT_MS = 5000;

/** Starts a gate as startMongodbGate does; its options have to survive JSON. */
export async function startMongodbGateProcess(
  options: Pick<MongodbGateOptions, 'uri' | 'limits'>,
): Promise<GateProcess> {
  const child = execaNode(fileURLToPath(PROGRAM), [JSON.stringify(options)], {
    nodeOptions: ['--import', fileURLToPath(HOOKS)],
    ipc: true,
    // How it ends is told by what its clients see.
    reject: false,
  });
  return {
    port: Number(await child.getOneMessage()),
    residentBytes: async () => {
      await child.sendMessage('resident memory');
      return Number(await child.getOneMessage());
    },
    stop: async () => {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      child.disconnect();
      await child;
      clearTimeout(timer);
    },
  };
}
