// Runs one statement of a request under the guardrails, and observes how it ended.
import { performance } from 'node:perf_hooks';
import { COMMAND_TAGS_MAX } from '../src/backends/backend.ts';
import type { Access, ResultEvent, ResultEvents, StatementRun } from '../src/backends/pool.ts';
import type { Limits } from '../src/config.ts';
import { ServiceError, SQLSTATE, toServiceError } from '../src/errors.ts';
import { Guard } from '../src/guardrails/guard.ts';
import { queryTimeoutError } from '../src/guardrails/query-timeout.ts';
import { sqlStateOf } from '../src/http-status.ts';
import { HTTP_DOOR } from '../src/observation.ts';
import type { Observer, StatementOutcome } from '../src/observation.ts';
import { limitsOf, refuseStatement } from './account-limits.ts';
import { clientGoneError } from './request-context.ts';
import type { RequestContext } from './request-context.ts';

export interface StatementRequest {
  readonly context: RequestContext;
  readonly backend: 'postgres' | 'mongodb';
  /** As the audit shows it; empty for the usual one. */
  readonly database: string;
  /** The statement as the audit shows it. */
  readonly text: string;
  /** The API's, narrowed by what the request asks for. */
  readonly limits: Limits;
  readonly access: Access;
  /** Method and path pattern: `GET /api/postgres/{schema}/{table}`. */
  readonly route: string;
}

/** What a finished statement came to; filled in while it runs. */
export interface StatementSummary {
  readonly guard: Guard;
  durationMs: number;
}

export interface StatementRunner {
  /**
   * The statement's events, metered, bounded in time and observed. To leave the loop early stops
   * the statement.
   *
   * @param open is given what the pool wants to know
   * @throws ServiceError what the statement failed with
   */
  run(request: StatementRequest, open: (run: StatementRun) => ResultEvents): GuardedStatement;
  /** The same for what gives one reply instead of rows. */
  ask<T>(request: StatementRequest, open: (run: StatementRun) => Promise<T>): Promise<T>;
}

export interface GuardedStatement {
  readonly events: ResultEvents;
  /** Aborted when the statement is stopped: nobody has to wait for its reader any longer. */
  readonly signal: AbortSignal;
  readonly summary: StatementSummary;
}

/**
 * Statements of an account are its own: refused where it may not ask that backend or database,
 * and stopped at its own time.
 *
 * @param postgresDatabase the one database of PostgreSQL that is served; it may throw
 */
export function createStatementRunner(
  observer: Observer,
  postgresDatabase?: () => string | undefined,
): StatementRunner {
  const assertAllowed = ({ context: { account }, backend }: StatementRequest): void => {
    if (account === undefined) {
      return;
    }
    // Which databases a statement of MongoDB uses is judged with the statement.
    const isJudgedHere = backend === 'postgres' && account.databases !== undefined;
    const database = isJudgedHere ? (postgresDatabase?.() ?? '') : undefined;
    const refusal = refuseStatement(account, backend, database);
    if (refusal !== undefined) {
      throw refusal;
    }
  };
  return {
    run: (request, open) => {
      const summary = { guard: new Guard(request.limits), durationMs: 0 };
      const stopper = new AbortController();
      const watched = { summary, observer, stopper };
      const openAllowed = (run: StatementRun): ResultEvents => {
        assertAllowed(request);
        return open(run);
      };
      return {
        summary,
        signal: stopper.signal,
        events: runGuarded(request, { open: openAllowed, ...watched }),
      };
    },
    ask: async (request, open) => {
      const summary = { guard: new Guard(request.limits), durationMs: 0 };
      const stopper = new AbortController();
      return await runObserved(request, { summary, observer, stopper }, async (run) => {
        assertAllowed(request);
        return await open(run);
      });
    },
  };
}

interface Watched {
  readonly summary: StatementSummary;
  readonly observer: Observer;
  readonly stopper: AbortController;
}

async function* runGuarded(
  request: StatementRequest,
  { open, ...watched }: Watched & { readonly open: (run: StatementRun) => ResultEvents },
): ResultEvents {
  const watch = new StatementWatch(request, watched);
  try {
    yield* watch.noteTags(open(watch.run));
    watch.finish(undefined);
  } catch (thrown) {
    throw watch.fail(thrown);
  } finally {
    watch.close();
  }
}

async function runObserved<T>(
  request: StatementRequest,
  watched: Watched,
  open: (run: StatementRun) => Promise<T>,
): Promise<T> {
  const watch = new StatementWatch(request, watched);
  try {
    const reply = await open(watch.run);
    watch.finish(undefined);
    return reply;
  } catch (thrown) {
    throw watch.fail(thrown);
  } finally {
    watch.close();
  }
}

/** One statement from its start to the observation of its end. */
class StatementWatch {
  readonly run: StatementRun;
  readonly #request: StatementRequest;
  readonly #watched: Watched;
  readonly #startedAtMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #commandTags: string[] = [];
  #stoppedBy: StatementOutcome | undefined;
  #isFinished = false;

  constructor(request: StatementRequest, watched: Watched) {
    const { context } = request;
    const { queryTimeoutMs } = limitsOf(context, request.limits);
    this.#request = request;
    this.#watched = watched;
    this.#timer = setTimeout(() => {
      this.#stop('timeout', queryTimeoutError(queryTimeoutMs, 'timeoutMs you sent'));
    }, queryTimeoutMs);
    context.signal.addEventListener('abort', this.#onGone, { once: true });
    if (context.signal.aborted) {
      this.#onGone();
    }
    this.run = {
      guard: watched.summary.guard,
      signal: watched.stopper.signal,
      access: request.access,
      databases: context.account?.databases,
      label: `${request.route} ${context.requestId}`,
    };
  }

  async *noteTags(events: ResultEvents): ResultEvents {
    for await (const event of events) {
      this.#note(event);
      yield event;
    }
  }

  /** @returns what the door shows */
  fail(thrown: unknown): ServiceError {
    const error = toServiceError(thrown);
    this.finish(error);
    return error;
  }

  finish(error: ServiceError | undefined): void {
    if (this.#isFinished) {
      return;
    }
    this.#isFinished = true;
    const { summary, observer } = this.#watched;
    const { guard } = summary;
    summary.durationMs = performance.now() - this.#startedAtMs;
    const { context, backend, database, text } = this.#request;
    if (error?.cause !== undefined && error.sqlState === SQLSTATE.internalError) {
      const { requestId: sessionId } = context;
      observer.observe({ kind: 'fault', component: 'http', error: error.cause, sessionId });
    }
    observer.observe({
      kind: 'statement-finished',
      session: {
        sessionId: context.requestId,
        listener: HTTP_DOOR,
        backend,
        user: context.caller,
        owner: context.owner,
        webSessionId: context.webSessionId,
        database,
        address: context.address,
        applicationName: this.#request.route,
        isEncrypted: false,
      },
      text,
      commandTags: this.#commandTags,
      rows: guard.rows,
      bytes: guard.bytes,
      receivedBytes: Buffer.byteLength(text),
      sentBytes: guard.bytes,
      durationMs: summary.durationMs,
      outcome: this.#outcome(error),
      sqlState: error && sqlStateOf(error),
      limit: guard.exceeded,
    });
  }

  /** Also where the reader has left early: then the statement was stopped by its client. */
  close(): void {
    clearTimeout(this.#timer);
    this.#request.context.signal.removeEventListener('abort', this.#onGone);
    if (!this.#isFinished) {
      this.#stop('aborted', clientGoneError());
      this.finish(clientGoneError());
    }
  }

  readonly #onGone = (): void => {
    const reason: unknown = this.#request.context.signal.reason;
    this.#stop('aborted', reason instanceof ServiceError ? reason : clientGoneError());
  };

  #stop(outcome: StatementOutcome, error: ServiceError): void {
    this.#stoppedBy ??= outcome;
    this.#watched.stopper.abort(error);
  }

  #note(event: ResultEvent): void {
    if (event.kind === 'complete' && this.#commandTags.length < COMMAND_TAGS_MAX) {
      this.#commandTags.push(event.commandTag);
    }
  }

  #outcome(error: ServiceError | undefined): StatementOutcome {
    const { exceeded } = this.#watched.summary.guard;
    if (error === undefined) {
      return exceeded === undefined ? 'ok' : 'truncated';
    }
    if (this.#stoppedBy !== undefined) {
      return this.#stoppedBy;
    }
    return exceeded !== undefined && error.sqlState === SQLSTATE.programLimitExceeded
      ? 'limited'
      : REFUSALS.has(error.sqlState)
        ? 'refused'
        : 'error';
  }
}

/** What the policy says; nothing was run then. */
const REFUSALS: ReadonlySet<string> = new Set([
  SQLSTATE.insufficientPrivilege,
  SQLSTATE.readOnlyTransaction,
]);
