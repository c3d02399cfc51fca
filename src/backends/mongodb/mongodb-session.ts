// One client's session with MongoDB: shell text in, rows out.
import { isUtf8 } from 'node:buffer';
import { readQueryText } from '../../../wire/protocol/frontend-messages.ts';
import { ServiceError, SQLSTATE } from '../../errors.ts';
import type { MongoPolicy } from '../../guardrails/mongo-policy.ts';
import { COMMAND_TAGS_MAX } from '../backend.ts';
import type { BackendEvent, BackendSession, CancelKey, Exchange, Notice } from '../backend.ts';
import type { Connection } from './connection.ts';
import type { Plan } from './plan.ts';
import { runPlan } from './plan-run.ts';
import { reasonOf, toBackendError } from './server-errors.ts';
import type { SqlDesk } from './sql-desk.ts';
import { prepareSteps } from './statement-steps.ts';
import type { Step } from './statement-steps.ts';

export interface MongodbSessionOptions {
  readonly cancelKey: CancelKey;
  readonly connection: Connection;
  readonly policy: MongoPolicy;
  readonly sql: SqlDesk;
  readonly database: string;
}

type Events = AsyncGenerator<BackendEvent, void, undefined>;

export class MongodbSession implements BackendSession {
  readonly cancelKey: CancelKey;
  readonly #connection: Connection;
  readonly #policy: MongoPolicy;
  readonly #sql: SqlDesk;
  #database: string;
  /** Of the exchange that is running. */
  #stopper: AbortController | undefined;
  #commandTags: string[] = [];
  #sqlState: string | undefined;

  constructor({ cancelKey, connection, policy, sql, database }: MongodbSessionOptions) {
    this.cancelKey = cancelKey;
    this.#connection = connection;
    this.#policy = policy;
    this.#sql = sql;
    this.#database = database;
  }

  get parameters(): ReadonlyMap<string, string> {
    return this.#sql.parameters;
  }

  get database(): string {
    return this.#database;
  }

  get notices(): readonly Notice[] {
    return this.#sql.notices;
  }

  async *execute(exchange: Exchange): Events {
    this.#commandTags = [];
    this.#sqlState = undefined;
    const stopper = new AbortController();
    const onAbort = (): void => {
      stopper.abort(exchange.signal.reason);
    };
    exchange.signal.addEventListener('abort', onAbort, { once: true });
    if (exchange.signal.aborted) {
      onAbort();
    }
    this.#stopper = stopper;
    try {
      for await (const frame of exchange.frames) {
        yield* this.#answer(frame, exchange, stopper);
      }
    } finally {
      this.#stopper = undefined;
      exchange.signal.removeEventListener('abort', onAbort);
    }
    yield {
      kind: 'ready',
      status: this.#sql.transactionStatus,
      isForwarded: false,
      commandTags: this.#commandTags,
      sqlState: this.#sqlState,
    };
  }

  cancel(): Promise<'matched' | 'late'> {
    this.#stopper?.abort(
      new ServiceError(SQLSTATE.queryCanceled, 'canceling statement due to user request'),
    );
    return Promise.resolve(this.#stopper === undefined ? 'late' : 'matched');
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** Nothing runs until all of the text has been understood and admitted. */
  async *#answer(frame: Buffer, exchange: Exchange, stopper: AbortController): Events {
    const { signal } = stopper;
    try {
      const text = readText(frame);
      const steps = prepareSteps(text, { database: this.#database, policy: this.#policy });
      if (steps.length === 0) {
        yield { kind: 'empty' };
      }
      for (const step of steps) {
        signal.throwIfAborted();
        const events =
          'plan' in step
            ? this.#run(step.plan, exchange, signal)
            : this.#ask(step, exchange, signal);
        yield* this.#limitTime(this.#track(events), stopper);
      }
    } catch (thrown) {
      yield this.#toError(thrown, signal);
    }
  }

  async *#run(plan: Plan, { guard }: Exchange, signal: AbortSignal): Events {
    const { ejson } = this.#sql;
    yield* runPlan(plan, { connection: this.#connection, guard, signal, ejson });
    this.#database = plan.database ?? this.#database;
    this.#sql.database = this.#database;
  }

  async *#ask(
    step: Extract<Step, { sql: string }>,
    exchange: Exchange,
    signal: AbortSignal,
  ): Events {
    const context = {
      connection: this.#connection,
      policy: this.#policy,
      guard: exchange.guard,
      signal,
    };
    try {
      yield* this.#sql.answer(step.sql, context);
    } catch (error) {
      throw error instanceof ServiceError ? step.shift(error) : error;
    }
  }

  /** The client's own statement_timeout; the listener's limit holds beside it. */
  async *#limitTime(events: Events, stopper: AbortController): Events {
    const timeoutMs = this.#sql.statementTimeoutMs;
    const timer = timeoutMs > 0 ? setTimeout(onTimeout, timeoutMs) : undefined;
    function onTimeout(): void {
      const message = 'canceling statement due to statement timeout';
      stopper.abort(new ServiceError(SQLSTATE.queryCanceled, message));
    }
    try {
      yield* events;
    } finally {
      clearTimeout(timer);
    }
  }

  async *#track(events: Events): Events {
    for await (const event of events) {
      if (event.kind === 'complete' && this.#commandTags.length < COMMAND_TAGS_MAX) {
        this.#commandTags.push(event.commandTag);
      }
      yield event;
    }
  }

  /** An abort says itself why; whatever it broke off has nothing to add. */
  #toError(thrown: unknown, signal: AbortSignal): BackendEvent {
    const reason = reasonOf(thrown, signal);
    const error = toBackendError(reason);
    if (error === undefined) {
      throw reason;
    }
    this.#sqlState = error.sqlState;
    const isFromDatabase = error.sqlState === SQLSTATE.internalError;
    return { kind: 'error', error, ...(isFromDatabase ? { isFromDatabase } : {}) };
  }
}

function readText(frame: Buffer): string {
  const bytes = readQueryText(frame);
  if (!isUtf8(bytes)) {
    throw new ServiceError(SQLSTATE.characterNotInRepertoire, 'Query is not valid UTF8', {
      hint: 'Send the text in UTF8',
    });
  }
  return bytes.toString('utf8');
}
