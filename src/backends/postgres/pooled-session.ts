// One connection of the pool: statements one after another, each by another caller.
import { encodeQuery, encodeStatements } from '../../../wire/protocol/frontend-messages.ts';
import { ServiceError, SQLSTATE } from '../../errors.ts';
import { Guard } from '../../guardrails/guard.ts';
import { lexicalSettingsOf } from '../../guardrails/sql-policy.ts';
import type { LexicalSettings } from '../../guardrails/sql-policy.ts';
import type {
  Backend,
  BackendEvent,
  BackendSession,
  Frontend,
  Startup,
  TransactionStatus,
} from '../backend.ts';
import { collectResult } from '../pool.ts';
import type { ResultEvent, ResultEvents, SqlStatement, StatementRun } from '../pool.ts';
import { ResultDecoder } from './result-decoder.ts';
import { APPLICATION_NAME_BYTES_MAX } from './upstream-options.ts';

/** Bind counts them in two bytes. */
const PARAMETERS_MAX = 65_535;

/** How long a session may take to be made as new before it is thrown away. */
const RESET_TIMEOUT_MS = 5000;

const STARTUP: Startup = {
  user: 'gatepost',
  database: undefined,
  applicationName: 'api',
  address: 'pool',
  // What rows are written in, whatever the server's own configuration says.
  settings: [
    ['DateStyle', 'ISO'],
    ['IntervalStyle', 'postgres'],
    ['bytea_output', 'hex'],
    // Floats with all their digits, or pages would begin where they ended.
    ['extra_float_digits', '1'],
  ],
};

type Bounds = Pick<StatementRun, 'guard' | 'signal'>;

export class PooledSession {
  readonly #session: BackendSession;
  readonly #state: { isGone: boolean };
  /** Of statements whose end is a timer's matter. */
  readonly #never = new AbortController().signal;
  #status: TransactionStatus = 'I';

  private constructor(session: BackendSession, state: { isGone: boolean }) {
    this.#session = session;
    this.#state = state;
  }

  /** @throws ServiceError FATAL, as for a session of the wire */
  static async open(backend: Pick<Backend, 'open'>, signal: AbortSignal): Promise<PooledSession> {
    const state = { isGone: false };
    const frontend: Frontend = {
      // Settings that changed, notifications: nobody of REST listens.
      unsolicited: () => Promise.resolve(),
      closed: () => {
        state.isGone = true;
      },
    };
    return new PooledSession(await backend.open(STARTUP, frontend, signal), state);
  }

  /** Whether no further statement can be run. */
  get isGone(): boolean {
    return this.#state.isGone;
  }

  /** How the server reads the text, for the policy. */
  get lexicalSettings(): LexicalSettings {
    return lexicalSettingsOf(this.#session.parameters);
  }

  /**
   * Runs one statement. To leave the loop early cancels it on the server.
   *
   * @throws ServiceError of the server, of the guard, or the signal's reason
   */
  async *run(statement: SqlStatement, run: StatementRun): ResultEvents {
    const { text, parameters } = statement;
    assertStorable(text, 'The statement');
    const { guard, signal } = run;
    const name = `SET application_name = '${applicationNameOf(run.label)}'`;
    if (parameters === undefined) {
      await this.#ask(name, signal);
      yield* this.#exchange([encodeQuery(text)], { guard, signal }, 0);
      return;
    }
    assertParameters(parameters);
    const frames = encodeStatements([
      [name, []],
      [text, parameters],
    ]);
    yield* this.#exchange([frames], { guard, signal }, 1);
  }

  /**
   * Makes the session as new: no transaction, settings, temporary tables or locks of the last
   * caller are left. One that cannot be is closed.
   */
  async reset(): Promise<void> {
    const timer = setTimeout(() => void this.close(), RESET_TIMEOUT_MS);
    try {
      if (this.#status !== 'I') {
        await this.#ask('ROLLBACK', this.#never);
      }
      await this.#ask('DISCARD ALL', this.#never);
    } catch {
      await this.close();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whether the last statement has left a transaction open. */
  get isInTransaction(): boolean {
    return this.#status !== 'I';
  }

  async close(): Promise<void> {
    this.#state.isGone = true;
    await this.#session.close();
  }

  async #ask(text: string, signal: AbortSignal): Promise<void> {
    await collectResult(this.#exchange([encodeQuery(text)], { guard: OWN_GUARD, signal }, 0));
  }

  async *#exchange(frames: readonly Buffer[], run: Bounds, own: number): ResultEvents {
    run.signal.throwIfAborted();
    const decoder = new ResultDecoder(own);
    const outcome = new Outcome();
    const events = this.#session.execute({ frames, ...run });
    const iterator = events[Symbol.asyncIterator]();
    try {
      for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) {
        yield* outcome.take(step.value, decoder);
      }
    } finally {
      if (!outcome.isOver) {
        // The reader has left: the session lives on when the server has stopped.
        await this.#session.cancel();
        await drain(iterator, outcome, decoder);
      }
      this.#status = outcome.status ?? 'I';
      this.#state.isGone ||= outcome.status === undefined;
    }
    const error = outcome.error ?? decoder.error;
    if (error !== undefined) {
      throw error;
    }
  }
}

/** What an exchange has come to so far. */
class Outcome {
  /** Set by the end of the exchange; without it the session has gone. */
  status: TransactionStatus | undefined;
  error: ServiceError | undefined;
  isOver = false;

  *take(event: BackendEvent, decoder: ResultDecoder): Generator<ResultEvent, void, undefined> {
    switch (event.kind) {
      case 'frames':
        for (const chunk of event.chunks) {
          yield* decoder.decode(chunk);
        }
        break;
      case 'ready':
        this.status = event.status;
        this.isOver = true;
        break;
      case 'gone':
      case 'error':
        this.error ??= event.error;
        this.isOver ||= event.kind === 'gone' || event.error.severity === 'FATAL';
        break;
      case 'parameter':
        break;
      case 'columns':
      case 'rows':
      case 'notice':
      case 'complete':
      case 'empty':
        yield event;
        break;
    }
  }
}

/** Takes what is still to come and drops it. */
async function drain(
  iterator: AsyncIterator<BackendEvent>,
  outcome: Outcome,
  decoder: ResultDecoder,
): Promise<void> {
  for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) {
    // Read to its end for what it notes; what it gives is dropped.
    Array.from(outcome.take(step.value, decoder));
  }
}

/** What we ask ourselves gives no rows that matter. */
const OWN_GUARD = new Guard({
  rowsMax: 1,
  bytesMax: 1024,
  queryTimeoutMs: RESET_TIMEOUT_MS,
  onLimit: 'truncate',
});

/** What can stand in a literal of SQL, and in an application_name, as it is. */
const IS_PLAIN = /^[\x20-\x26\x28-\x5b\x5d-\x7e]*$/;
const UNPLAIN = /[^\x20-\x26\x28-\x5b\x5d-\x7e]/g;

/** `gatepost/<route> <request id>`: the id is kept whole, the route cut. */
function applicationNameOf(label: string): string {
  const clean = IS_PLAIN.test(label) ? label : label.replaceAll(UNPLAIN, '?');
  const id = clean.slice(clean.lastIndexOf(' ')).slice(-37);
  const room = APPLICATION_NAME_BYTES_MAX - 'gatepost/'.length - id.length;
  return `gatepost/${clean.slice(0, Math.max(0, clean.length - id.length)).slice(0, room)}${id}`;
}

function assertParameters(parameters: readonly (string | null)[]): void {
  if (parameters.length > PARAMETERS_MAX) {
    throw new ServiceError(
      SQLSTATE.programLimitExceeded,
      `A statement takes ${PARAMETERS_MAX} parameters at most`,
    );
  }
  for (const value of parameters) {
    assertStorable(value ?? '', 'A parameter');
  }
}

/** Half a character: encoded, it would be another text. */
const HALF_CHARACTER = /\p{Surrogate}/u;

/** A NUL would end the text early. */
function assertStorable(text: string, what: string): void {
  if (HALF_CHARACTER.test(text)) {
    throw new ServiceError(SQLSTATE.characterNotInRepertoire, `${what} holds half a character`, {
      hint: 'A surrogate (\\ud800 to \\udfff) is part of a pair',
    });
  }
  if (text.includes('\0')) {
    throw new ServiceError(SQLSTATE.characterNotInRepertoire, `${what} holds a NUL character`, {
      hint: 'PostgreSQL stores no NUL in text; send bytea, or leave it out',
    });
  }
}
