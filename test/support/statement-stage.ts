// A statement runner between a real client connection and a database that plays its answers.
import type { BackendEvent, BackendSession, Exchange } from '../../src/backends/backend.ts';
import type { Limits } from '../../src/config.ts';
import { ServiceError } from '../../src/errors.ts';
import type { SqlPolicy } from '../../src/guardrails/sql-policy.ts';
import type { Observation, StatementFinished } from '../../src/observation.ts';
import { FrontendConnection } from '../../wire/frontend-connection.ts';
import { StatementRunner } from '../../wire/statement-runner.ts';
import { openLoopback } from './loopback.ts';
import { createRecorder, createSession } from './observations.ts';
import type { WireClient } from './wire-client.ts';

/** Whose statements are run. */
export const RUNNER_SESSION = createSession({ applicationName: 'psql' });

const LIMITS: Limits = {
  rowsMax: 2,
  bytesMax: 10_000,
  queryTimeoutMs: 60_000,
  onLimit: 'error',
};

/** What a database answers to one exchange. */
export type Answer = (exchange: Exchange) => AsyncGenerator<BackendEvent, void, undefined>;

export interface StatementStage {
  readonly far: WireClient;
  readonly connection: FrontendConnection;
  /** Answers that are still to be played, the next one first. */
  readonly answers: Answer[];
  /** Exchanges that the backend was given. */
  readonly exchanges: readonly Exchange[];
  /** Run-time settings as the backend reports them. */
  readonly parameters: Map<string, string>;
  readonly observations: readonly Observation[];
  /** Cancels that the backend was given. */
  readonly cancels: number;
  createRunner(options?: {
    readonly limits?: Partial<Limits>;
    readonly policy?: SqlPolicy;
  }): StatementRunner;
  /** The observations of statements. */
  finished(): StatementFinished[];
  /** Leaves no socket and no timer behind. */
  close(): void;
}

/** Sets everything up but the runner, which tests choose the options of. */
export async function openStatementStage(): Promise<StatementStage> {
  const loopback = await openLoopback();
  const connection = new FrontendConnection(loopback.near);
  const recorder = createRecorder();
  const parameters = new Map([['application_name', 'gatepost/psql@127.0.0.1']]);
  const answers: Answer[] = [];
  const exchanges: Exchange[] = [];
  const runners: StatementRunner[] = [];
  let cancels = 0;
  const backend: BackendSession = {
    cancelKey: { processId: 1, secretKey: 2 },
    notices: [],
    parameters,
    execute: (exchange) => {
      exchanges.push(exchange);
      const answer = answers.shift();
      if (answer === undefined) {
        throw new Error('Nothing more to play');
      }
      return answer(exchange);
    },
    cancel: () => {
      cancels += 1;
      return Promise.resolve('matched');
    },
    close: () => Promise.resolve(),
  };
  return {
    far: loopback.far,
    connection,
    answers,
    exchanges,
    parameters,
    observations: recorder.observations,
    get cancels() {
      return cancels;
    },
    createRunner: ({ limits, policy } = {}) => {
      const runner = new StatementRunner({
        backend,
        connection,
        identity: RUNNER_SESSION,
        limits: { ...LIMITS, ...limits },
        policy,
        observer: recorder,
      });
      runners.push(runner);
      return runner;
    },
    finished: () => recorder.observations.filter((one) => one.kind === 'statement-finished'),
    close: () => {
      for (const runner of runners) {
        runner.close();
      }
      loopback.close();
    },
  };
}

/** Plays these events. */
export function plays(...events: readonly BackendEvent[]): Answer {
  return async function* play() {
    for (const event of events) {
      yield await Promise.resolve(event);
    }
  };
}

/** The last event of an answer, forwarded and idle unless said otherwise. */
export function ready(
  changes: Partial<Extract<BackendEvent, { kind: 'ready' }>> = {},
): BackendEvent {
  return {
    kind: 'ready',
    status: 'I',
    isForwarded: true,
    commandTags: [],
    sqlState: undefined,
    ...changes,
  };
}

/** Answers as soon as the statement is stopped, with the reason. */
export const untilStopped: Answer = async function* wait({ signal }) {
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve);
  });
  const error: unknown = signal.reason;
  if (!(error instanceof ServiceError)) {
    throw new TypeError('A statement is stopped with a ServiceError');
  }
  yield { kind: 'error', error };
  yield ready({ isForwarded: false, sqlState: error.sqlState });
};
