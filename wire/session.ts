// One client's session, from its startup packet to its end: a loop over its frames.
import { performance } from 'node:perf_hooks';
import type {
  BackendSession,
  Frontend,
  Setting,
  Startup,
  TransactionStatus,
} from '../src/backends/backend.ts';
import { ServiceError } from '../src/errors.ts';
import { narrowLimits } from '../src/guardrails/limits.ts';
import type { SessionIdentity } from '../src/observation.ts';
import { admitClient } from './admission.ts';
import type { Admission, Door } from './admission.ts';
import { refuseEarlyFrames } from './authentication.ts';
import type { CancelRegistry } from './cancel-registry.ts';
import type { FrontendConnection } from './frontend-connection.ts';
import {
  encodeErrorResponse,
  encodeNegotiateProtocolVersion,
  encodeReadyForQuery,
} from './protocol/backend-messages.ts';
import { FRONTEND, ProtocolError } from './protocol/frame.ts';
import type { Frame } from './protocol/frame-reader.ts';
import {
  asFatal,
  clientGoneError,
  extendedQueryError,
  functionCallError,
  idleError,
  sessionReport,
  shutdownError,
} from './session-errors.ts';
import type { Opening } from './startup.ts';
import { readStartupParameters } from './startup-parameters.ts';
import type { StartupParameters } from './startup-parameters.ts';
import { StatementRunner } from './statement-runner.ts';
import { encodeWelcome } from './welcome.ts';

/** What all sessions of a listener share. */
export interface SessionContext extends Door {
  readonly idleTimeoutMs: number;
  readonly cancels: CancelRegistry;
}

export interface SessionOptions {
  readonly context: SessionContext;
  readonly connection: FrontendConnection;
  readonly sessionId: string;
  readonly address: string;
  /**
   * Called when the client has proved who it is, or nobody asks.
   *
   * @throws ServiceError FATAL 53300 when the listener has no place left
   */
  readonly takePlace: () => void;
  /** Called when the client is logged in and the startup deadline no longer counts. */
  readonly onReady: () => void;
  /** Called instead when it is not, unless it left before it had proved anything. */
  readonly onRejected: (error: ServiceError) => void;
}

const EXTENDED_QUERY: ReadonlySet<number> = new Set([
  FRONTEND.parse,
  FRONTEND.bind,
  FRONTEND.describe,
  FRONTEND.execute,
  FRONTEND.close,
  FRONTEND.flush,
]);

/** Runs one session. It ends by its client, by an error, or by `drain` and `abort`. */
export class Session {
  readonly #options: SessionOptions;
  /** Aborts the opening of the backend session. */
  readonly #lifetime = new AbortController();
  readonly #startedAtMs = performance.now();
  #admission: Admission | undefined;
  #identity: SessionIdentity | undefined;
  #backend: BackendSession | undefined;
  #runner: StatementRunner | undefined;
  #unregister: (() => void) | undefined;
  #status: TransactionStatus = 'I';
  #isSkippingToSync = false;
  #isDraining = false;
  /** Why there is no client left; nothing can be told to it then. */
  #departure: ServiceError | undefined;
  /** Why the backend has gone, where it has told the client itself. */
  #told: ServiceError | undefined;
  #isIdle = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Resolves when nothing of the session is left. Never rejects. */
  async run(opening: Extract<Opening, { kind: 'startup' }>): Promise<void> {
    const { connection } = this.#options;
    let error: ServiceError | undefined;
    try {
      connection.onClosed(() => {
        this.#departure = connection.interruption ?? clientGoneError();
        this.#stopWork(this.#departure);
      });
      const runner = await this.#open(opening);
      if (runner !== undefined) {
        await this.#serve(runner);
        error = runner.fatal ?? this.#told;
      }
    } catch (thrown) {
      // Whatever its leaving broke off is no failure of its own.
      error = this.#departure ?? this.#tell(thrown);
    } finally {
      await this.#close(error);
    }
  }

  /** Ends the session when its running statement is done, at once when there is none. */
  drain(): void {
    this.#isDraining = true;
    if (this.#isIdle) {
      this.#options.connection.interrupt(shutdownError());
    }
  }

  /** Ends the session now: stops what runs and tells the client why. */
  abort(error: ServiceError): void {
    const { connection } = this.#options;
    connection.interrupt(error);
    if (!connection.hasRoom) {
      // It takes nothing, so that it would not hear why either; what waits for it must not.
      connection.destroy();
    }
    this.#stopWork(error);
  }

  #stopWork(error: ServiceError): void {
    this.#lifetime.abort(error);
    this.#runner?.stop(error);
  }

  /** @returns undefined when the client left before it had proved who it is */
  async #open(
    opening: Extract<Opening, { kind: 'startup' }>,
  ): Promise<StatementRunner | undefined> {
    const { connection, address } = this.#options;
    const asked = readStartupParameters(opening.parameters, address);
    if (opening.isNewerMinor || asked.protocolOptions.length > 0) {
      connection.write(encodeNegotiateProtocolVersion(asked.protocolOptions));
    }
    const admission = await this.#admit(asked.startup);
    return admission && (await this.#begin(admission, asked));
  }

  async #admit(startup: Startup): Promise<Admission | undefined> {
    const { context, connection, takePlace } = this.#options;
    this.#admission = await admitClient({
      door: context,
      connection,
      startup,
      signal: this.#lifetime.signal,
      takePlace,
      onRevoked: (reason) => {
        this.abort(reason);
      },
    });
    return this.#admission;
  }

  async #begin(
    { startup, limits: limitsMax, policy, owner }: Admission,
    { ownSettings }: StartupParameters,
  ): Promise<StatementRunner> {
    const { context, connection, onReady } = this.#options;
    const isForBackend = ([name]: Setting): boolean =>
      context.backend.ownSettings?.has(name.toLowerCase()) === true;
    const { limits, warnings } = narrowLimits(
      limitsMax,
      ownSettings.filter((setting) => !isForBackend(setting)),
    );
    const settings = [...startup.settings, ...ownSettings.filter(isForBackend)];
    const backend = await context.backend.open(
      { ...startup, settings },
      this.#frontend(),
      this.#lifetime.signal,
    );
    this.#backend = backend;
    if (context.accounts !== undefined) {
      refuseEarlyFrames(connection);
    }
    const identity = this.#identify(startup, owner);
    this.#identity = identity;
    const { observer } = context;
    const runner = new StatementRunner({ backend, connection, identity, limits, policy, observer });
    this.#runner = runner;
    this.#unregister = context.cancels.register(
      backend.cancelKey,
      async () => await runner.cancel(),
    );
    connection.write(...encodeWelcome(backend, warnings));
    onReady();
    observer.observe({ kind: 'session-opened', session: identity });
    return runner;
  }

  #identify(startup: Startup, owner: string | undefined): SessionIdentity {
    const { context, connection, sessionId, address } = this.#options;
    return {
      sessionId,
      listener: context.listener,
      backend: context.backend.name,
      user: startup.user,
      owner,
      database: startup.database ?? '',
      address,
      applicationName: startup.applicationName,
      isEncrypted: connection.isEncrypted,
    };
  }

  #frontend(): Frontend {
    const { connection } = this.#options;
    return {
      unsolicited: async (chunks) => {
        connection.write(...chunks);
        await connection.room();
      },
      closed: (reason, { isTold }) => {
        if (isTold) {
          this.#told = reason;
          connection.stopReading();
        } else {
          connection.interrupt(reason);
        }
      },
    };
  }

  async #serve(runner: StatementRunner): Promise<void> {
    const { connection, context } = this.#options;
    const idleTimer = setTimeout(() => {
      if (this.#isIdle) {
        connection.interrupt(idleError(context.idleTimeoutMs));
      }
    }, context.idleTimeoutMs);
    try {
      let isOpen = true;
      while (isOpen) {
        if (this.#isDraining) {
          throw shutdownError();
        }
        idleTimer.refresh();
        this.#isIdle = true;
        const frame = await connection.frame();
        this.#isIdle = false;
        isOpen = frame !== undefined && (await this.#answer(frame, runner));
      }
    } finally {
      clearTimeout(idleTimer);
    }
  }

  /** @returns false when the session is to end without another word */
  async #answer(frame: Frame, runner: StatementRunner): Promise<boolean> {
    const { connection } = this.#options;
    if (frame.type === FRONTEND.terminate) {
      return false;
    }
    if (this.#isSkippingToSync && frame.type !== FRONTEND.sync) {
      return true;
    }
    if (frame.type === FRONTEND.query) {
      const status = await runner.run(frame.bytes, this.#status);
      this.#status = status ?? this.#status;
      return status !== undefined;
    }
    this.#answerUnsupported(frame, runner);
    await connection.room();
    return true;
  }

  /** COPY messages outside of a COPY are ignored, as PostgreSQL does. */
  #answerUnsupported(frame: Frame, runner: StatementRunner): void {
    const refused = { text: '', receivedBytes: frame.bytes.length };
    if (frame.type === FRONTEND.sync) {
      this.#isSkippingToSync = false;
      this.#options.connection.write(encodeReadyForQuery(this.#status));
    } else if (frame.type === FRONTEND.functionCall) {
      runner.refuse(functionCallError(), { ...refused, status: this.#status });
    } else if (EXTENDED_QUERY.has(frame.type)) {
      this.#isSkippingToSync = true;
      runner.refuse(extendedQueryError(), { ...refused, status: undefined });
    }
  }

  /** Tells the client what ended its session; a bug is observed with its stack instead. */
  #tell(thrown: unknown): ServiceError | undefined {
    const { connection, context, sessionId } = this.#options;
    if (!(thrown instanceof ServiceError) && !(thrown instanceof ProtocolError)) {
      context.observer.observe({ kind: 'fault', component: `session ${sessionId}`, error: thrown });
    }
    const error = asFatal(thrown);
    connection.write(encodeErrorResponse(sessionReport(error, sessionId)));
    return error;
  }

  async #close(error: ServiceError | undefined): Promise<void> {
    const { connection, context, onRejected } = this.#options;
    this.#unregister?.();
    this.#admission?.presence?.leave();
    this.#runner?.close();
    await Promise.all([connection.end(), this.#backend?.close()]);
    if (this.#identity === undefined || this.#runner === undefined) {
      if (error !== undefined) {
        onRejected(error);
      }
      return;
    }
    context.observer.observe({
      kind: 'session-closed',
      session: this.#identity,
      durationMs: performance.now() - this.#startedAtMs,
      statements: this.#runner.statements,
      rows: this.#runner.rows,
      sentBytes: connection.sentBytes,
      error,
    });
  }
}
