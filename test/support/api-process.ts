// The REST API in a process of its own, so that its memory can be measured.
import { execaNode } from 'execa';
import { fileURLToPath } from 'node:url';
import type { ApiStageOptions } from './api-stage.ts';
import type { GateProcess } from './gate-process.ts';

const PROGRAM = new URL('./run-api.ts', import.meta.url);
const HOOKS = new URL('./typescript.js', import.meta.url);

/** An API that does not stop is a failed test, not a stuck run. */
const STOP_TIMEOUT_MS = 5000;

/** Starts the API as startApi does. */
export async function startApiProcess(options: ApiStageOptions): Promise<GateProcess> {
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
