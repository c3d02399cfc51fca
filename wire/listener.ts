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
  sessionReport,
  shutdownError,
  startupTimeoutError,
  tooManyConnectionsError,
} from './session-errors.ts';
import { Session } from './session.ts';
import type { SessionContext } from './session.ts';
import { readOpening } from './startup.ts';
import type { Opening } from './startup.ts';

/** From accept to ReadyForQuery in all. */
const STARTUP_TIMEOUT_MS = 10_000;

/**
 * Sockets that have not sent a startup packet yet. When there are more, the oldest goes: a real
 * client has sent its packet long before, so that silent sockets cannot keep it out.
 */
const UNAUTHENTICATED_MAX = 256;

/** Probes of an idle client begin after so long; a dead peer frees its place. */
const KEEPALIVE_DELAY_MS = 30_000;

/** Bytes a socket takes before `write` asks to wait: one read of the upstream. */
const WRITE_AHEAD_BYTES = 64 * 1024;

/** Connections that wait in the kernel to be accepted. */
const BACKLOG = 511;

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

/** A wire listener. `stop` lets running statements finish until its deadline. */
export class Listener implements Component {
  readonly name: string;
  readonly #options: ListenerOptions;
  readonly #server: Server;
  /** In the order in which they were accepted. */
  readonly #unauthenticated = new Map<FrontendConnection, string>();
  readonly #sessions = new Set<Session>();
  readonly #serving = new Set<Promise<void>>();
  #isDraining = false;

  constructor(options: ListenerOptions) {
    this.name = `listener ${options.context.listener}`;
    this.#options = options;
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
    for (const connection of this.#unauthenticated.keys()) {
      connection.destroy();
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
    this.#makeRoom();
    this.#unauthenticated.set(connection, address);
    const serving = this.#serve(connection, address)
      .catch((error: unknown) => {
        this.#options.context.observer.observe({ kind: 'fault', component: this.name, error });
        connection.destroy();
      })
      .finally(() => {
        this.#unauthenticated.delete(connection);
        this.#serving.delete(serving);
      });
    this.#serving.add(serving);
  }

  #makeRoom(): void {
    if (this.#unauthenticated.size < UNAUTHENTICATED_MAX) {
      return;
    }
    for (const [oldest, address] of this.#unauthenticated) {
      this.#unauthenticated.delete(oldest);
      this.#reject(address, 'too-many-unauthenticated', 'No startup packet, and others wait');
      oldest.destroy();
      return;
    }
  }

  async #serve(connection: FrontendConnection, address: string): Promise<void> {
    const sessionId = randomUUID();
    const session = new Session({
      context: this.#options.context,
      connection,
      sessionId,
      address,
      onReady: () => {
        clearTimeout(timer);
      },
    });
    let hasPacket = false;
    const timer = setTimeout(() => {
      if (hasPacket) {
        session.abort(startupTimeoutError());
      } else {
        // PostgreSQL says nothing to whom it knows nothing about.
        this.#reject(address, 'startup-timeout', 'No startup packet in time');
        connection.destroy();
      }
    }, this.#options.startupTimeoutMs ?? STARTUP_TIMEOUT_MS);
    try {
      const opening = await this.#readOpening(connection, address, sessionId);
      hasPacket = true;
      this.#unauthenticated.delete(connection);
      await this.#open(opening, { connection, session, sessionId, address });
    } finally {
      clearTimeout(timer);
    }
  }

  async #readOpening(
    connection: FrontendConnection,
    address: string,
    sessionId: string,
  ): Promise<Opening> {
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

  async #open(
    opening: Opening,
    {
      connection,
      session,
      sessionId,
      address,
    }: {
      readonly connection: FrontendConnection;
      readonly session: Session;
      readonly sessionId: string;
      readonly address: string;
    },
  ): Promise<void> {
    if (opening.kind !== 'startup') {
      if (opening.kind === 'cancel') {
        await this.#cancel(opening.key, address);
      }
      await connection.end();
      return;
    }
    const { connectionsMax } = this.#options;
    if (this.#sessions.size >= connectionsMax) {
      const error = tooManyConnectionsError(connectionsMax);
      this.#reject(address, 'too-many-connections', error.message);
      connection.write(encodeErrorResponse(sessionReport(error, sessionId)));
      await connection.end();
      return;
    }
    this.#sessions.add(session);
    try {
      await session.run(opening);
    } finally {
      this.#sessions.delete(session);
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
