// Several clients of the REST API that write and read in a loop, and remember what they were told.
import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { untilFact } from './facts.ts';
import { ask } from './http-client.ts';
import type { Answer, Question } from './http-client.ts';

/** What somebody does who was told to come again: not at once. */
const PAUSE_MS = 5;

/** Longer than any request may take here: whoever waits so long hangs. */
const HANG_MS = 15_000;

/** Shorter than the server keeps a connection: nobody asks on one that is just being closed. */
const UNUSED_MS = 3000;

/** One kind of request. */
export interface LoadKind {
  readonly name: string;
  readonly backend: 'postgres' | 'mongodb';
  /** The request that writes or reads this id. */
  readonly request: (id: string) => { readonly path: string } & Question;
  /** Whether an answer of status 2xx is as it has to be. */
  readonly isRight: (answer: Answer, id: string) => boolean;
}

export interface Attempt {
  readonly kind: LoadKind;
  readonly id: string;
  /** Of performance.now. */
  readonly endedAtMs: number;
  /** An error where there was none in time, or the connection was lost. */
  readonly answer: Answer | Error;
}

export interface Load {
  readonly attempts: readonly Attempt[];
  /** Resolves when each kind has had a right answer from now on; with how long it took. */
  untilAllSucceed(): Promise<number>;
  /** Lets what runs end. */
  stop(): Promise<void>;
}

/** @param clientsPerKind each asks one thing at a time, on a connection of its own */
export function startLoad(url: string, kinds: readonly LoadKind[], clientsPerKind: number): Load {
  const attempts: Attempt[] = [];
  let isStopping = false;
  const agent = new Agent({ keepAlive: true, timeout: UNUSED_MS });
  const runClient = async (kind: LoadKind): Promise<void> => {
    while (!isStopping) {
      const id = randomUUID();
      const { path, ...question } = kind.request(id);
      const asked = ask(`${url}${path}`, { ...question, agent, timeoutMs: HANG_MS });
      const answer = await asked.catch((error: unknown) =>
        error instanceof Error ? error : new Error(String(error)),
      );
      attempts.push({ kind, id, endedAtMs: performance.now(), answer });
      await pause(PAUSE_MS);
    }
  };
  const clients = kinds.flatMap((kind) =>
    Array.from({ length: clientsPerKind }, async () => {
      await runClient(kind);
    }),
  );
  return {
    attempts,
    untilAllSucceed: async () => {
      const sinceMs = performance.now();
      const from = attempts.length;
      await untilFact(() => {
        const good = new Set(
          attempts
            .slice(from)
            .filter(hasSucceeded)
            .map(({ kind }) => kind),
        );
        return good.size === kinds.length;
      }, 'every kind of request to succeed');
      return performance.now() - sinceMs;
    },
    stop: async () => {
      isStopping = true;
      await Promise.all(clients);
      agent.destroy();
    },
  };
}

/** Whether it was acknowledged. */
export function hasSucceeded({ answer }: Attempt): boolean {
  return !(answer instanceof Error) && answer.status < 300;
}
