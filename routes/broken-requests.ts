// Requests that Node's parser gives up: they never reach the app, and get a problem all the same.
import { randomUUID } from 'node:crypto';
import type { Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { toErrorCode } from '../src/error-code.ts';
import type { Observer } from '../src/observation.ts';
import { endWith } from './connection-end.ts';
import { formatProblem, titleOf } from './problem.ts';

/** Of all headers together, the address of the request included. Node's own, by name. */
export const HEADERS_BYTES_MAX = 16 * 1024;

interface Refusal {
  readonly status: number;
  readonly detail: string;
  readonly hint?: string;
}

/** By the codes of Node and of its parser, llhttp. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    detail: 'The request did not come to its end in time',
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    detail: `The headers are larger than ${HEADERS_BYTES_MAX / 1024} KiB`,
    hint: 'Send fewer or shorter ones; the address with its query string counts too',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, detail: 'The extensions of a chunk are too large' },
  HPE_INVALID_METHOD: {
    status: 400,
    detail: 'The request does not begin with a method of HTTP',
    hint: 'Plain HTTP is spoken here, without TLS',
  },
  HPE_INVALID_URL: {
    status: 400,
    detail: 'The address has a character that has to be percent-encoded',
    hint: 'Only ASCII stands in an address: other letters are written as %C3%BC is',
  },
};

const OTHER: Refusal = {
  status: 400,
  detail: 'The request is no HTTP that can be read',
  hint: 'Look at its first line, its headers, and where its body ends',
};

/** Of a connection that is lost nobody reads an answer. */
const LOST: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);

/** Answers what the server cannot read, and closes its connection. To be called before the app. */
export function answerBrokenRequests(server: Server, observer: Observer): void {
  const running = new WeakMap<Duplex, Set<ServerResponse>>();
  const refused = new WeakSet<Duplex>();
  server.on('request', ({ socket }, response) => {
    const responses = running.get(socket) ?? new Set();
    running.set(socket, responses.add(response));
    response.once('close', () => responses.delete(response));
  });
  server.on('clientError', (error, socket) => {
    // The parser says it again for every further chunk.
    if (refused.has(socket)) {
      return;
    }
    refused.add(socket);
    const responses = [...(running.get(socket) ?? [])];
    // Within an answer nothing else can be said.
    const isBegun = responses.some(({ headersSent }) => headersSent);
    if (isBegun || !socket.writable || LOST.has(toErrorCode(error))) {
      socket.destroy();
      return;
    }
    refuse(socket, { error, observer, response: responses.at(-1) });
  });
}

interface Broken {
  readonly error: Error;
  readonly observer: Observer;
  /** Of the request, where only its body is broken. */
  readonly response: ServerResponse | undefined;
}

function refuse(socket: Duplex, { error, observer, response }: Broken): void {
  const refusal = REFUSALS[toErrorCode(error) ?? ''] ?? OTHER;
  const requestId = String(response?.getHeader('X-Request-Id') ?? randomUUID());
  endWith(socket, encodeAnswer(refusal, requestId));
  if (response !== undefined) {
    // It is noticed when its connection is closed.
    response.statusCode = refusal.status;
    return;
  }
  observer.observe({
    kind: 'request-finished',
    requestId,
    caller: 'anonymous',
    address: (socket instanceof Socket ? socket.remoteAddress : undefined) ?? '',
    method: '',
    path: '',
    status: refusal.status,
    durationMs: 0,
    isComplete: true,
  });
}

function encodeAnswer({ status, detail, hint }: Refusal, requestId: string): string {
  const body = formatProblem(status, detail, { hint, requestId });
  const head = [
    `HTTP/1.1 ${status} ${titleOf(status)}`,
    `X-Request-Id: ${requestId}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
