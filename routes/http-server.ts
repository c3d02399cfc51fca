import { once } from 'node:events';
import { createServer } from 'node:http';
import { explainListenError } from '../src/listen-error.ts';
import { answerBrokenRequests, HEADERS_BYTES_MAX } from './broken-requests.ts';
import { cutAtTimeout } from './connection-end.ts';
import type { Socket } from 'node:net';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Component } from '../src/lifecycle.ts';
import type { Observer } from '../src/observation.ts';

/** From the first byte of a request to the end of its headers: ends clients that trickle. */
const HEADERS_TIMEOUT_MS = 10_000;
/** The same for the whole request. */
const REQUEST_TIMEOUT_MS = 60_000;
/** How often Node looks for requests over these two; its own 30 s would triple the first. */
const TIMEOUT_CHECK_INTERVAL_MS = 1000;
/** How long a connection waits for its next request. */
const KEEP_ALIVE_TIMEOUT_MS = 5000;
/** A socket on which nothing moves, because the client does not read or the statement runs. */
const SOCKET_TIMEOUT_MS = 60_000;
/** How much longer than a statement a socket lives, so that the client hears of its timeout. */
const SOCKET_TIMEOUT_MARGIN_MS = 10_000;
/** Leaves most of the usual 4096 file descriptors to the listeners. */
const CONNECTIONS_MAX = 1024;

interface HttpServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly app: RequestListener;
  readonly observer: Observer;
  /** What says host and port, for errors; HOST and PORT unless said. */
  readonly addressSetting?: string;
  /** HEADERS_TIMEOUT_MS unless said. */
  readonly headersTimeoutMs?: number;
  /** How long one statement may run without an answer. */
  readonly queryTimeoutMs?: number;
}

interface HttpServer extends Component {
  /** Where it answers; undefined until it is started. */
  readonly url: string | undefined;
}

/** The HTTP port as a component: bounded in time and connections, stopped in good order. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  return new NodeHttpServer(options);
}

class NodeHttpServer implements HttpServer {
  readonly name = 'http';
  readonly #host: string;
  readonly #port: number;
  readonly #addressSetting: string | undefined;
  readonly #observer: Observer;
  readonly #server: Server;
  /** Connections without a request so far: to Node they are not idle. */
  readonly #unused = new Set<Socket>();
  #isStarted = false;
  #isStopping = false;

  constructor({
    host,
    port,
    app,
    observer,
    addressSetting,
    headersTimeoutMs,
    queryTimeoutMs = 0,
  }: HttpServerOptions) {
    this.#host = host;
    this.#port = port;
    this.#addressSetting = addressSetting;
    this.#observer = observer;
    this.#server = createServer({
      headersTimeout: headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
      maxHeaderSize: HEADERS_BYTES_MAX,
      // Node would refuse without a word what the app can tell.
      requireHostHeader: false,
    });
    this.#server.timeout = Math.max(SOCKET_TIMEOUT_MS, queryTimeoutMs + SOCKET_TIMEOUT_MARGIN_MS);
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on('request', (request, response) => {
      this.#unused.delete(request.socket);
      this.#endConnectionWhenStopping(response);
      if (request.httpVersionMinor === 0) {
        cutAtTimeout(request, response);
      }
    });
    answerBrokenRequests(this.#server, observer);
    // The app decides: nobody is told to send a body that is refused by its headers.
    const pass: RequestListener = (...exchange) => this.#server.emit('request', ...exchange);
    this.#server.on('checkContinue', pass).on('checkExpectation', pass);
    this.#server.on('connection', (socket) => this.#noteUnused(socket));
    this.#server.on('request', app);
    this.#server.on('error', (error) => this.#noticeError(error));
  }

  get url(): string | undefined {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') {
      return undefined;
    }
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    try {
      const listening = once(this.#server, 'listening', { signal });
      this.#server.listen({ host: this.#host, port: this.#port });
      await listening;
    } catch (error) {
      this.#server.close();
      throw explainListenError(error, {
        host: this.#host,
        port: this.#port,
        portSetting: this.#addressSetting ?? 'PORT',
        hostSetting: this.#addressSetting ?? 'HOST',
      });
    }
    this.#isStarted = true;
    this.#report(`HTTP on ${this.url ?? 'an unknown address'}`);
  }

  /** Answers what has been asked, then closes; at the deadline it closes at once. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true;
    const closeAll = (): void => this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      // Its error says that the server was not listening: it is closed then all the same.
      this.#server.close(() => resolve());
      this.#closeIdle();
      for (const socket of this.#unused) {
        socket.destroy();
      }
      if (deadline.aborted) {
        closeAll();
      }
      deadline.addEventListener('abort', closeAll, { once: true });
    });
    deadline.removeEventListener('abort', closeAll);
  }

  #noteUnused(socket: Socket): void {
    this.#unused.add(socket);
    socket.once('close', () => this.#unused.delete(socket));
  }

  /** A connection that stays open after its answer would hold up the stop. */
  #endConnectionWhenStopping(response: ServerResponse): void {
    response.once('close', () => {
      if (this.#isStopping) {
        this.#closeIdle();
      }
    });
  }

  /** Also a connection whose answer is just over: to Node it is idle a turn later. */
  #closeIdle(): void {
    this.#server.closeIdleConnections();
    setImmediate(() => this.#server.closeIdleConnections());
  }

  #report(message: string): void {
    this.#observer.observe({ kind: 'component-reported', component: this.name, message });
  }

  /** Accepting can fail while it runs, for want of file descriptors; start tells its own errors. */
  #noticeError(error: unknown): void {
    if (this.#isStarted) {
      this.#observer.observe({ kind: 'fault', component: this.name, error });
    }
  }
}
