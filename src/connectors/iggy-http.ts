// One request and its answer over HTTP, both bounded in time and size.
import { once } from 'node:events';
import { Agent, IncomingMessage, request as requestHttp } from 'node:http';
import type { ClientRequest, RequestOptions } from 'node:http';
import { Agent as SecureAgent, request as requestHttps } from 'node:https';
import { toErrorCode } from '../error-code.ts';
import { IggyError } from './iggy-error.ts';

/** A server's connections at a time; a connector's requests follow one another. */
const CONNECTIONS_MAX = 8;

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: string;
  readonly bearer?: string;
  /** Instead of the server's. */
  readonly bounds?: HttpBounds | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly text: string;
  /** The header, where there is one. */
  readonly retryAfter: string | undefined;
}

export interface HttpBounds {
  readonly timeoutMs: number;
  readonly replyBytesMax: number;
}

/**
 * An address as it is configured, with or without `http://`.
 *
 * @throws IggyError when it is none; its text is not repeated, as it may hold a password
 */
export function parseAddress(address: string): URL {
  const text = /^[a-z]+:\/\//i.test(address) ? address : `http://${address}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '') {
    throw new IggyError(
      'refused',
      "Iggy's address is not one of its HTTP API; write http://host:3000, without credentials",
    );
  }
  return url;
}

/** One server, with connections that are used again. */
export class HttpServer {
  readonly url: URL;
  readonly #agent: Agent;
  readonly #bounds: HttpBounds;

  constructor(url: URL, bounds: HttpBounds) {
    const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
    this.url = url;
    this.#agent = url.protocol === 'https:' ? new SecureAgent(options) : new Agent(options);
    this.#bounds = bounds;
  }

  /**
   * The answer, whatever its status.
   *
   * @throws IggyError `unreachable`, `timeout` or `reply-too-large`; the signal's reason
   */
  async exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpReply> {
    signal.throwIfAborted();
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const { timeoutMs } = request.bounds ?? this.#bounds;
    const timer = setTimeout(() => stop.abort(this.#timeoutError(timeoutMs)), timeoutMs);
    try {
      return await this.#exchange(request, stop.signal);
    } catch (error) {
      stop.signal.throwIfAborted();
      throw error instanceof IggyError ? error : this.#connectionError(error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpReply> {
    const outgoing = this.#open(request, signal);
    // It may fail again after the answer has begun, when nobody else listens.
    outgoing.on('error', () => undefined);
    const answered: Promise<unknown[]> = once(outgoing, 'response', { signal });
    outgoing.end(request.body);
    const [incoming] = await answered;
    if (!(incoming instanceof IncomingMessage)) {
      throw new IggyError('unexpected-reply', 'Iggy answered with something else than HTTP');
    }
    return {
      status: incoming.statusCode ?? 0,
      text: await readText(incoming, (request.bounds ?? this.#bounds).replyBytesMax),
      retryAfter: incoming.headers['retry-after'],
    };
  }

  #open({ method, path, body, bearer }: HttpRequest, signal: AbortSignal): ClientRequest {
    const options: RequestOptions = {
      agent: this.#agent,
      method,
      signal,
      // Behind a gateway the API may be below a folder.
      path: `${this.url.pathname.replace(/\/$/, '')}${path}`,
      headers: {
        accept: 'application/json',
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    };
    return (this.url.protocol === 'https:' ? requestHttps : requestHttp)(this.url, options);
  }

  #timeoutError(timeoutMs: number): IggyError {
    return new IggyError(
      'timeout',
      `Iggy at ${this.url.host} did not answer within ${timeoutMs} ms`,
    );
  }

  #connectionError(cause: unknown): IggyError {
    return new IggyError(
      'unreachable',
      `Iggy at ${this.url.host} cannot be reached (${toErrorCode(cause) ?? 'connection lost'}); ` +
        'check its address and that its HTTP API is on',
      { cause },
    );
  }

  /** Closes its connections, also those in use. */
  close(): void {
    this.#agent.destroy();
  }
}

async function readText(incoming: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    if (!Buffer.isBuffer(chunk)) {
      continue;
    }
    length += chunk.length;
    if (length > bytesMax) {
      // Leaving the loop closes the connection: the rest is not read.
      throw new IggyError(
        'reply-too-large',
        `Iggy's answer is larger than the ${bytesMax} bytes that we take; poll fewer messages`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString('utf8');
}
