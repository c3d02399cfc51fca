// Requests to one of several servers, with a token, until they are answered or given up.
import { IggyError, isServersOwnFault, isTransientIggyError, refusalError } from './iggy-error.ts';
import { HttpServer, parseAddress } from './iggy-http.ts';
import type { HttpBounds, HttpReply, HttpRequest } from './iggy-http.ts';
import { parseIggyJson } from './iggy-json.ts';
import { IggySession } from './iggy-session.ts';
import type { IggyCredentials } from './iggy-session.ts';
import { redactSecrets } from './redact.ts';
import { backOffMs, retry } from './retry.ts';
import type { BackOff } from './retry.ts';

export interface RetryPolicy extends BackOff {
  /** At one server; every further server adds one. */
  readonly attemptsMax: number;
  /** A server may ask for longer pauses in vain. */
  readonly retryAfterMaxMs: number;
}

export interface TransportOptions {
  /** Of the servers' HTTP APIs; the first one is used until it fails. */
  readonly addresses: readonly string[];
  readonly credentials: IggyCredentials;
  readonly bounds: HttpBounds;
  readonly retry: RetryPolicy;
  /** Learns of every failure that is tried again. */
  readonly onRetry?: ((error: unknown) => void) | undefined;
}

interface Server {
  readonly http: HttpServer;
  readonly session: IggySession;
}

export interface TransportRequest extends Omit<HttpRequest, 'bearer'> {
  /** What is asked, for errors: `send to stream "a"`. */
  readonly action: string;
}

export class IggyTransport {
  readonly #servers: readonly Server[];
  readonly #options: TransportOptions;
  readonly #running = new Set<AbortController>();
  #at = 0;
  #isClosed = false;

  /** @throws IggyError for an address that is none, or when there is none */
  constructor(options: TransportOptions) {
    this.#options = options;
    this.#servers = options.addresses.map((address) => {
      const http = new HttpServer(parseAddress(address), options.bounds);
      const session = new IggySession({
        credentials: options.credentials,
        exchange: async (request, signal) => await http.exchange(request, signal),
      });
      return { http, session };
    });
    if (this.#servers.length === 0) {
      throw new IggyError('refused', "Iggy's address is missing; set iggy.address");
    }
  }

  /**
   * The answer's JSON, undefined where it is empty. A request whose fate is unknown is sent again:
   * each that is made here can be repeated, a send at the price of messages stored twice.
   *
   * @throws IggyError, the signal's reason
   */
  async request(request: TransportRequest, signal: AbortSignal): Promise<unknown> {
    if (this.#isClosed) {
      throw closedError();
    }
    const running = new AbortController();
    const onAbort = (): void => running.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#running.add(running);
    try {
      return await this.#tryUntilAnswered(request, running.signal);
    } finally {
      this.#running.delete(running);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #tryUntilAnswered(request: TransportRequest, signal: AbortSignal): Promise<unknown> {
    const { retry: policy, onRetry } = this.#options;
    return await retry(async () => await this.#tryOnce(request, signal), {
      attemptsMax: policy.attemptsMax + this.#servers.length - 1,
      signal,
      isTransient: isTransientIggyError,
      pauseMs: (attempt, error) => this.#pauseMs(attempt, error),
      onRetry: (_, error) => onRetry?.(error),
    });
  }

  async #tryOnce(request: TransportRequest, signal: AbortSignal): Promise<unknown> {
    const at = this.#at;
    const server = this.#servers[at];
    if (server === undefined) {
      throw closedError();
    }
    try {
      return await askServer(server, request, signal);
    } catch (error) {
      // Several requests may fail together: they move on once.
      if (isServersOwnFault(error) && this.#at === at) {
        this.#at = (at + 1) % this.#servers.length;
      }
      throw error;
    }
  }

  #pauseMs(attempt: number, error: unknown): number {
    const { retry: policy } = this.#options;
    if (isServersOwnFault(error) && attempt < this.#servers.length) {
      // The next server has not been asked yet.
      return 0;
    }
    const asked = error instanceof IggyError ? error.retryAfterMs : undefined;
    const own = backOffMs(attempt, policy);
    return asked === undefined ? own : Math.min(Math.max(asked, own), policy.retryAfterMaxMs);
  }

  /** Ends what is under way, and every connection. */
  close(): void {
    this.#isClosed = true;
    for (const running of this.#running) {
      running.abort(closedError());
    }
    for (const { http, session } of this.#servers) {
      session.close();
      http.close();
    }
  }
}

/** One request at one server; a token that is refused is replaced once. */
async function askServer(
  server: Server,
  request: TransportRequest,
  signal: AbortSignal,
): Promise<unknown> {
  const { action, ...plain } = request;
  let bearer = await server.session.token(signal);
  let reply = await server.http.exchange({ ...plain, bearer }, signal);
  if (!isSuccess(reply) && refusalError(action, reply).kind === 'unauthenticated') {
    bearer = await server.session.tokenAfter(bearer, signal);
    reply = await server.http.exchange({ ...plain, bearer }, signal);
  }
  if (isSuccess(reply)) {
    return parseReply(action, reply.text);
  }
  const text = redactSecrets(reply.text, [...server.session.secrets, bearer]);
  throw refusalError(action, { ...reply, text });
}

function isSuccess({ status }: HttpReply): boolean {
  return status >= 200 && status < 300;
}

function parseReply(action: string, text: string): unknown {
  if (text.trim() === '') {
    return undefined;
  }
  try {
    return parseIggyJson(text);
  } catch {
    // The parser's own words would show a piece of a message.
    throw new IggyError('unexpected-reply', `Iggy's answer is not JSON: it was asked to ${action}`);
  }
}

function closedError(): IggyError {
  return new IggyError('unreachable', 'The connection to Iggy is closed');
}
