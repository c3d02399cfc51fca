// Runs one Query message after another: policy, guard, timeout, delivery, observation.
import { performance } from 'node:perf_hooks';
import type { BackendEvent, BackendSession, TransactionStatus } from '../src/backends/backend.ts';
import type { Limits } from '../src/config.ts';
import { ServiceError, SQLSTATE, toServiceError } from '../src/errors.ts';
import { Guard } from '../src/guardrails/guard.ts';
import { queryTimeoutError } from '../src/guardrails/query-timeout.ts';
import { lexicalSettingsOf } from '../src/guardrails/sql-policy.ts';
import type { SqlPolicy } from '../src/guardrails/sql-policy.ts';
import type {
  Observer,
  SessionIdentity,
  StatementFinished,
  StatementOutcome,
} from '../src/observation.ts';
import { DeadlineTimer } from './deadline-timer.ts';
import type { FrontendConnection } from './frontend-connection.ts';
import {
  encodeCommandComplete,
  encodeErrorResponse,
  encodeNoticeResponse,
  encodeParameterStatus,
  encodeReadyForQuery,
} from './protocol/backend-messages.ts';
import { FRAME_HEADER_BYTES, ProtocolError } from './protocol/frame.ts';
import { readQueryText } from './protocol/frontend-messages.ts';
import {
  encodeDataRows,
  encodeEmptyQueryResponse,
  encodeRowDescription,
} from './protocol/result-messages.ts';
import { errorReport, sessionReport } from './session-errors.ts';

/** How a client narrows its own timeout. */
const OWN_SETTING = 'gatepost.query_timeout of the client';

export interface StatementRunnerOptions {
  readonly backend: BackendSession;
  readonly connection: FrontendConnection;
  readonly identity: SessionIdentity;
  readonly limits: Limits;
  readonly policy: SqlPolicy | undefined;
  readonly observer: Observer;
}

/** A frame that is answered without being run. */
export interface RefusedFrame {
  readonly text: string;
  readonly receivedBytes: number;
  /** What ReadyForQuery says behind the error; undefined where it waits for Sync. */
  readonly status: TransactionStatus | undefined;
}

/** What is known of a running statement besides what the backend answers. */
interface Running {
  readonly guard: Guard;
  readonly startedAtMs: number;
  /** Why it was stopped from here. */
  stoppedBy: StatementOutcome | undefined;
  isCancelForwarded: boolean;
}

interface Answer {
  /** Undefined when the backend has gone. */
  status: TransactionStatus | undefined;
  commandTags: readonly string[];
  sqlState: string | undefined;
  /** What ends the session. */
  fatal: ServiceError | undefined;
  /** The error is one of ours: a limit, a timeout, an unsupported COPY. */
  hasOwnError: boolean;
}

/** One session's statements. */
export class StatementRunner {
  readonly #options: StatementRunnerOptions;
  readonly #initialApplicationName: string | undefined;
  /** Shared by all statements until one of them is stopped. */
  #stopper = new AbortController();
  readonly #timer: DeadlineTimer;
  #running: Running | undefined;
  #statements = 0;
  #rows = 0;
  #fatal: ServiceError | undefined;

  constructor(options: StatementRunnerOptions) {
    this.#options = options;
    const { queryTimeoutMs } = options.limits;
    this.#timer = new DeadlineTimer(queryTimeoutMs, () => {
      this.stop(queryTimeoutError(queryTimeoutMs, OWN_SETTING), 'timeout');
    });
    this.#initialApplicationName = options.backend.parameters.get('application_name');
  }

  /** Query messages so far, refused ones included. */
  get statements(): number {
    return this.#statements;
  }

  /** Rows delivered so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Why the session has to end, once `run` has said so; the client knows it, or cannot be told. */
  get fatal(): ServiceError | undefined {
    return this.#fatal;
  }

  /**
   * Answers one Query frame, ReadyForQuery included.
   *
   * @param status the transaction status before it
   * @returns the transaction status after it; undefined when the session has to end
   */
  async run(frame: Buffer, status: TransactionStatus): Promise<TransactionStatus | undefined> {
    const refusal = this.#judge(frame);
    if (refusal !== undefined) {
      this.refuse(refusal, { text: textOf(frame), receivedBytes: frame.length, status });
      await this.#options.connection.room();
      return status;
    }
    return await this.#execute(frame);
  }

  /** Answers with an error what is not run, and observes it. */
  refuse(error: ServiceError, { text, receivedBytes, status }: RefusedFrame): void {
    const { connection } = this.#options;
    const sentBefore = connection.sentBytes;
    this.#writeError(error);
    if (status !== undefined) {
      connection.write(encodeReadyForQuery(status));
    }
    this.#observe({
      text,
      commandTags: [],
      rows: 0,
      bytes: 0,
      receivedBytes,
      sentBytes: connection.sentBytes - sentBefore,
      durationMs: 0,
      outcome: 'refused',
      sqlState: error.sqlState,
      limit: undefined,
    });
  }

  /** Ends the life of the runner's timer. */
  close(): void {
    this.#timer.close();
  }

  /** Stops what runs, with this error as the answer. */
  stop(error: ServiceError, outcome: StatementOutcome = 'aborted'): void {
    if (this.#running !== undefined && this.#running.stoppedBy === undefined) {
      this.#running.stoppedBy = outcome;
      this.#stopper.abort(error);
      this.#stopper = new AbortController();
    }
  }

  /** Forwards a client's cancel to what runs. */
  async cancel(): Promise<'matched' | 'late'> {
    if (this.#running === undefined) {
      return 'late';
    }
    this.#running.isCancelForwarded = true;
    return await this.#options.backend.cancel();
  }

  /** Why this Query must not run; undefined when it may. */
  #judge(frame: Buffer): ServiceError | undefined {
    try {
      const text = readQueryText(frame);
      const { policy, backend } = this.#options;
      return policy?.admit(text, lexicalSettingsOf(backend.parameters));
    } catch (thrown) {
      if (thrown instanceof ProtocolError) {
        return new ServiceError(thrown.sqlState, thrown.message);
      }
      throw thrown;
    }
  }

  async #execute(frame: Buffer): Promise<TransactionStatus | undefined> {
    const { limits, connection } = this.#options;
    const sentBefore = connection.sentBytes;
    const running: Running = {
      guard: new Guard(limits),
      startedAtMs: performance.now(),
      stoppedBy: undefined,
      isCancelForwarded: false,
    };
    this.#running = running;
    this.#timer.start(running.startedAtMs);
    const answer: Answer = {
      status: undefined,
      commandTags: [],
      sqlState: undefined,
      fatal: undefined,
      hasOwnError: false,
    };
    try {
      await this.#deliver(frame, running, answer);
    } catch (thrown) {
      answer.sqlState = toServiceError(thrown).sqlState;
      throw thrown;
    } finally {
      this.#timer.stop();
      this.#running = undefined;
      this.#fatal = answer.fatal;
      this.#rows += running.guard.rows;
      this.#observe({
        text: textOf(frame),
        commandTags: answer.commandTags,
        rows: running.guard.rows,
        bytes: running.guard.bytes,
        receivedBytes: frame.length,
        sentBytes: connection.sentBytes - sentBefore,
        durationMs: performance.now() - running.startedAtMs,
        outcome: outcomeOf(answer, running),
        sqlState: answer.sqlState,
        limit: running.guard.exceeded,
      });
    }
    return answer.fatal === undefined ? answer.status : undefined;
  }

  async #deliver(frame: Buffer, running: Running, answer: Answer): Promise<void> {
    const { backend, connection } = this.#options;
    const exchange = { frames: [frame], guard: running.guard, signal: this.#stopper.signal };
    for await (const event of backend.execute(exchange)) {
      this.#write(event, answer);
      if (!connection.hasRoom) {
        await connection.room();
      }
    }
  }

  #write(event: BackendEvent, answer: Answer): void {
    const { connection } = this.#options;
    switch (event.kind) {
      case 'frames':
        connection.write(...event.chunks);
        break;
      case 'columns':
        connection.write(encodeRowDescription(event.columns));
        break;
      case 'rows':
        connection.write(encodeDataRows(event.rows));
        break;
      case 'notice':
        connection.write(encodeNoticeResponse(event.notice));
        break;
      case 'parameter':
        connection.write(encodeParameterStatus(...event.setting));
        break;
      case 'complete':
        connection.write(encodeCommandComplete(event.commandTag));
        break;
      case 'empty':
        connection.write(encodeEmptyQueryResponse());
        break;
      case 'error':
        this.#takeError(event, answer);
        break;
      case 'gone':
        answer.sqlState = event.error.sqlState;
        answer.fatal = event.error;
        break;
      case 'ready':
        answer.status = event.status;
        answer.commandTags = event.commandTags;
        answer.sqlState = event.sqlState;
        if (answer.fatal === undefined && !event.isForwarded) {
          connection.write(encodeReadyForQuery(event.status));
        }
        break;
    }
  }

  #takeError(
    { error, isFromDatabase = false }: Extract<BackendEvent, { kind: 'error' }>,
    answer: Answer,
  ): void {
    answer.hasOwnError = !isFromDatabase;
    answer.sqlState = error.sqlState;
    answer.fatal = error.severity === 'FATAL' ? error : undefined;
    if (isFromDatabase) {
      this.#options.connection.write(encodeErrorResponse(errorReport(error)));
    } else {
      this.#writeError(error);
    }
  }

  #writeError(error: ServiceError): void {
    const { connection, identity } = this.#options;
    connection.write(encodeErrorResponse(sessionReport(error, identity.sessionId)));
  }

  #observe(finished: Omit<StatementFinished, 'kind' | 'session'>): void {
    this.#statements += 1;
    this.#options.observer.observe({
      kind: 'statement-finished',
      session: this.#currentIdentity(),
      ...finished,
    });
  }

  /** What the client has set since it logged in: drivers name themselves, shells say `use`. */
  #currentIdentity(): SessionIdentity {
    const { backend, identity } = this.#options;
    const { database = identity.database } = backend;
    const applicationName = backend.parameters.get('application_name');
    const isRenamed =
      applicationName !== undefined && applicationName !== this.#initialApplicationName;
    if (!isRenamed && database === identity.database) {
      return identity;
    }
    return { ...identity, database, ...(isRenamed ? { applicationName } : {}) };
  }
}

/** The text of a Query frame, whose terminator may be missing. */
function textOf(frame: Buffer): string {
  const end = frame.at(-1) === 0 ? frame.length - 1 : frame.length;
  return frame.toString('utf8', FRAME_HEADER_BYTES, end);
}

/** How a statement ended; pure. */
function outcomeOf(answer: Answer, running: Running): StatementOutcome {
  if (answer.status === undefined) {
    return running.stoppedBy ?? 'aborted';
  }
  if (answer.sqlState === undefined) {
    return running.guard.exceeded === undefined ? 'ok' : 'truncated';
  }
  return failureOf(answer, running);
}

function failureOf(
  { sqlState, hasOwnError }: Answer,
  { guard, stoppedBy, isCancelForwarded }: Running,
): StatementOutcome {
  if (isCancelForwarded && sqlState === SQLSTATE.queryCanceled) {
    return stoppedBy ?? 'cancelled';
  }
  if (!hasOwnError) {
    return 'error';
  }
  return stoppedBy ?? (guard.exceeded === undefined ? 'refused' : 'limited');
}
