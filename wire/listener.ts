// One port: accepts, bounds how many, and gives every socket a session.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { CancelKey } from '../src/backends/backend.ts';
import { ServiceError } from '../src/errors.ts';
import type { Component } from '../src/lifecycle.ts';
import { explainListenError } from '../src/listen-error.ts';
import type { RejectionReason } from '../src/observation.ts';
import type { CancelBudget } from './cancel-budget.ts';
import { FrontendConnection } from './frontend-connection.ts';
import { encodeErrorResponse } from './protocol/backend-messages.ts';
import { ProtocolError } from './protocol/frame.ts';
import {
  asFatal,
  describeFailure,
  loginTimeoutError,
  sessionReport,
  shutdownError,
  startupTimeoutError,
  tooManyConnectionsError,
  tooManyLoginsError,
} from './session-errors.ts';
import { Session } from './session.ts';
import type { SessionContext } from './session.ts';
import { readOpening } from './startup.ts';
import type { Opening } from './startup.ts';
import { WaitingClients } from './waiting-clients.ts';

/** From accept to ReadyForQuery in all. */
const STARTUP_TIMEOUT_MS = 10_000;

/** Probes of an idle client begin after so long; a dead peer frees its place. */
const KEEPALIVE_DELAY_MS = 30_000;

/** Bytes a socket takes before `write` asks to wait: one read of the upstream. */
const WRITE_AHEAD_BYTES = 64 * 1024;

/** Connections that wait in the kernel to be accepted. */
const BACKLOG = 511;

/**
 * Sockets without a startup packet. When there are more one goes, without a word, as PostgreSQL
 * says nothing to whom it knows nothing about. Twice what the kernel may hand over at once: of
 * honest clients who come all together, and whose packets are on their way, none has to go.
 */
const SILENT_MAX = 2 * (BACKLOG + 1);

/**
 * Clients amid their login, who hear it when they have to go; as many as may have sessions, if
 * those are more, so that all of them can log in anew at once.
 */
const LOGINS_MAX_AT_LEAST = 256;

/** Clients that were told to go and have not gone. When there are more, one is cut off. */
const DISMISSED_MAX = 256;

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly connectionsMax: number;
  readonly secureContext: SecureContext | undefined;
  readonly context: SessionContext;
  readonly cancelBudget: CancelBudget;
  /** For tests of deadlines. */
  readonly startupTimeoutMs?: number | undefined;
  readonly slowReaderTimeoutMs?: number | undefined;
}

/** A socket of which nobody knows yet whose it is. */
interface Newcomer {
  readonly connection: FrontendConnection;
  readonly address: string;
  readonly session: Session;
  readonly sessionId: string;
  /** What ends it unless it is ready in time. */
  readonly deadline: NodeJS.Timeout;
  /** What its failure is observed as; undefined when it has been. */
  rejection: RejectionReason | undefined;
}

/** A wire listener. `stop` lets running statements finish until its deadline. */
export class Listener implements Component {
  readonly name: string;
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #silent = new WaitingClients<Newcomer>(SILENT_MAX);
  /** They have sent their startup packet, and are asked for more. */
  readonly #loggingIn: WaitingClients<Newcomer>;
  readonly #dismissed = new WaitingClients<Newcomer>(DISMISSED_MAX);
  readonly #sessions = new Set<Session>();
  readonly #serving = new Set<Promise<void>>();
  #isDraining = false;

  constructor(options: ListenerOptions) {
    this.name = `listener ${options.context.listener}`;
    this.#options = options;
    this.#loggingIn = new WaitingClients(Math.max(LOGINS_MAX_AT_LEAST, options.connectionsMax));
    this.#server = createServer(
      {
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEPALIVE_DELAY_MS,
        highWaterMark: WRITE_AHEAD_BYTES,
      },
      (socket) => {
        this.#accept(socket);
      },
    );
  }

  /** The port that is listened on, also where 0 was asked for. */
  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : this.#options.port;
  }

  /** @throws Error that says which port, why, and what to do */
  async start(): Promise<void> {
    const { host, port, context, connectionsMax } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => {
        const usual = `WIRE_${context.backend.name.toUpperCase()}_PORT`;
        const portSetting = `${usual}, or port of listener ${context.listener}`;
        reject(explainListenError(error, { host, port, portSetting }));
      });
      this.#server.listen({ host, port, backlog: BACKLOG }, () => {
        this.#server.removeAllListeners('error');
        resolve();
      });
    });
    // A failed accept (no file descriptor left) costs that one connection and nothing else.
    this.#server.on('error', (error) => {
      context.observer.observe({ kind: 'fault', component: this.name, error });
    });
    context.observer.observe({
      kind: 'listener-bound',
      listener: context.listener,
      backend: context.backend.name,
      address: host,
      port: this.port,
      connectionsMax,
    });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#isDraining = true;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    for (const { connection } of this.#silent) {
      connection.destroy();
    }
    for (const { session } of this.#loggingIn) {
      session.abort(shutdownError());
    }
    for (const session of this.#sessions) {
      session.drain();
    }
    const abort = (): void => {
      for (const session of this.#sessions) {
        session.abort(shutdownError());
      }
    };
    deadline.addEventListener('abort', abort, { once: true });
    if (deadline.aborted) {
      abort();
    }
    await Promise.all(this.#serving);
    deadline.removeEventListener('abort', abort);
    await closed;
  }

  #accept(socket: Socket): void {
    const address = socket.remoteAddress ?? 'unknown';
    const connection = new FrontendConnection(socket, this.#options.slowReaderTimeoutMs);
    if (this.#isDraining) {
      this.#reject(address, 'draining', 'The listener is stopping');
      connection.destroy();
      return;
    }
    const newcomer = this.#createNewcomer(connection, address);
    const surplus = this.#silent.add(newcomer);
    if (surplus !== undefined) {
      this.#turnAway(surplus, 'No startup packet, and others wait');
      surplus.connection.destroy();
    }
    const serving = this.#serve(newcomer)
      .catch((error: unknown) => {
        this.#options.context.observer.observe({ kind: 'fault', component: this.name, error });
        connection.destroy();
      })
      .finally(() => {
        for (const waiting of [this.#silent, this.#loggingIn, this.#dismissed]) {
          waiting.delete(newcomer);
        }
        this.#serving.delete(serving);
      });
    this.#serving.add(serving);
  }

  #beginLogin(newcomer: Newcomer): void {
    this.#silent.delete(newcomer);
    const surplus = this.#loggingIn.add(newcomer);
    if (surplus !== undefined) {
      this.#turnAway(surplus, 'No login, and others wait');
      surplus.session.abort(tooManyLoginsError());
      this.#dismiss(surplus);
    }
  }

  /** It is observed once, whatever becomes of it. */
  #turnAway(newcomer: Newcomer, detail: string): void {
    newcomer.rejection = undefined;
    this.#reject(newcomer.address, 'too-many-unauthenticated', detail);
  }

  /** Its last words are written; it has some time to read them, but not at any price. */
  #dismiss(newcomer: Newcomer): void {
    this.#loggingIn.delete(newcomer);
    this.#dismissed.add(newcomer)?.connection.destroy();
  }

  #createNewcomer(connection: FrontendConnection, address: string): Newcomer {
    const { context, startupTimeoutMs } = this.#options;
    const sessionId = randomUUID();
    const deadline = setTimeout(() => {
      this.#giveUp(newcomer);
    }, startupTimeoutMs ?? STARTUP_TIMEOUT_MS);
    const session = new Session({
      context,
      connection,
      sessionId,
      address,
      takePlace: () => {
        this.#takePlace(newcomer);
      },
      onReady: () => {
        clearTimeout(deadline);
      },
      onRejected: (error) => {
        if (newcomer.rejection !== undefined) {
          this.#reject(address, newcomer.rejection, describeFailure(error));
        }
      },
    });
    const newcomer: Newcomer = {
      connection,
      address,
      session,
      sessionId,
      deadline,
      rejection: 'startup-failed',
    };
    return newcomer;
  }

  /** @throws ServiceError FATAL 53300 */
  #takePlace(newcomer: Newcomer): void {
    const { connectionsMax } = this.#options;
    if (this.#sessions.size >= connectionsMax) {
      newcomer.rejection = 'too-many-connections';
      this.#dismiss(newcomer);
      throw tooManyConnectionsError(connectionsMax);
    }
    this.#loggingIn.delete(newcomer);
    this.#sessions.add(newcomer.session);
  }

  #giveUp(newcomer: Newcomer): void {
    const { connection, address, session } = newcomer;
    if (this.#silent.has(newcomer)) {
      this.#reject(address, 'startup-timeout', 'No startup packet in time');
      connection.destroy();
    } else {
      const isLoggingIn = this.#loggingIn.has(newcomer);
      session.abort(isLoggingIn ? loginTimeoutError() : startupTimeoutError());
    }
  }

  async #serve(newcomer: Newcomer): Promise<void> {
    const { connection, session, deadline } = newcomer;
    try {
      const opening = await this.#readOpening(newcomer);
      if (opening.kind === 'startup') {
        this.#beginLogin(newcomer);
        await session.run(opening);
        return;
      }
      this.#silent.delete(newcomer);
      if (opening.kind === 'cancel') {
        await this.#cancel(opening.key, newcomer.address);
      }
      await connection.end();
    } finally {
      clearTimeout(deadline);
      this.#sessions.delete(session);
    }
  }

  async #readOpening({ connection, address, sessionId }: Newcomer): Promise<Opening> {
    try {
      return await readOpening(connection, this.#options.secureContext);
    } catch (thrown) {
      if (!(thrown instanceof ServiceError) && !(thrown instanceof ProtocolError)) {
        throw thrown;
      }
      const error = asFatal(thrown);
      this.#reject(address, 'protocol-violation', error.message);
      // PostgreSQL answers a broken layout, but not a length that is no startup packet's at all.
      if (thrown.message !== INVALID_LENGTH) {
        connection.write(encodeErrorResponse(sessionReport(error, sessionId)));
      }
      return { kind: 'left' };
    }
  }

  /** The client's socket stays open until the upstream has taken the cancel, as with PostgreSQL. */
  async #cancel(key: CancelKey | undefined, address: string): Promise<void> {
    const { context, cancelBudget } = this.#options;
    const cancel = key === undefined ? undefined : context.cancels.find(key);
    let result: 'matched' | 'late' | 'unknown' | 'rate-limited' = 'unknown';
    if (cancel !== undefined) {
      result = await cancel();
    } else if (!cancelBudget.take(address)) {
      result = 'rate-limited';
    } else if (key !== undefined) {
      // It may be a session of another replica: the upstream knows its own keys.
      await context.backend.cancel(key);
    }
    context.observer.observe({
      kind: 'cancel-requested',
      listener: context.listener,
      address,
      result,
    });
  }

  #reject(address: string, reason: RejectionReason, detail: string): void {
    const { observer, listener } = this.#options.context;
    observer.observe({ kind: 'connection-rejected', listener, address, reason, detail });
  }
}

const INVALID_LENGTH = 'invalid length of startup packet';
