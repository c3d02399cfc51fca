// A gate or the REST API in a process of its own, so that its memory can be measured.
import { execaNode } from 'execa';
import { fileURLToPath } from 'node:url';
import type { ApiStageOptions } from './api-stage.ts';
import type { MemoryAccount } from './memory-accounts.ts';
import type { GateOptions } from './start-gate.ts';
import type { MongodbGateOptions } from './start-mongodb-gate.ts';

const PROGRAM = new URL('./run-own-process.ts', import.meta.url);
const HOOKS = new URL('./typescript.js', import.meta.url);

/** A process that does not stop is a failed test, not a stuck run. */
const STOP_TIMEOUT_MS = 5000;

/** What is to run there, with options that survive JSON. */
export type OwnProcessTask =
  | {
      readonly kind: 'api';
      readonly options: ApiStageOptions;
      /** Where answers are kept; nowhere unless said. */
      readonly cache?: { readonly mongodbUri: string; readonly database: string };
    }
  | {
      readonly kind: 'gate';
      readonly options: Pick<GateOptions, 'dsn' | 'limits' | 'connectionsMax'>;
      readonly accounts?: readonly MemoryAccount[];
    }
  | { readonly kind: 'mongodb-gate'; readonly options: Pick<MongodbGateOptions, 'uri' | 'limits'> };

export interface OwnProcess {
  readonly port: number;
  /** Resident memory of the process now. */
  residentBytes(): Promise<number>;
  /** The longest that its event loop was late since this was asked last. */
  eventLoopDelayMaxMs(): Promise<number>;
  stop(): Promise<void>;
}

/** What it may be asked over IPC. */
export type OwnProcessQuestion = 'resident memory' | 'event loop delay';

/** Starts what startApi, startGate or startMongodbGate starts in this one. */
export async function startOwnProcess(task: OwnProcessTask): Promise<OwnProcess> {
  const child = execaNode(fileURLToPath(PROGRAM), [JSON.stringify(task)], {
    nodeOptions: ['--import', fileURLToPath(HOOKS)],
    ipc: true,
    // How it ends is told by what its clients see.
    reject: false,
  });
  const ask = async (question: OwnProcessQuestion): Promise<number> => {
    await child.sendMessage(question);
    return Number(await child.getOneMessage());
  };
  return {
    port: Number(await child.getOneMessage()),
    residentBytes: async () => await ask('resident memory'),
    eventLoopDelayMaxMs: async () => await ask('event loop delay'),
    stop: async () => {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      child.disconnect();
      await child;
      clearTimeout(timer);
    },
  };
}
