import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttpServer } from '../../../routes/http-server.ts';
import { exchange } from '../../support/http-client.ts';
import { createRecorder } from '../../support/observations.ts';

const NEVER = new AbortController().signal;

let recorder: ReturnType<typeof createRecorder>;
let answer: RequestListener;
let server: ReturnType<typeof createHttpServer>;

beforeEach(async () => {
  recorder = createRecorder();
  answer = (request, response) => {
    request.resume().once('end', () => response.end('ok'));
  };
  server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    observer: recorder,
    app: (request, response) => answer(request, response),
    headersTimeoutMs: 300,
  });
  await server.start(NEVER);
});

afterEach(async () => {
  await server.stop(AbortSignal.abort());
});

function readPort(): number {
  return Number(new URL(server.url ?? '').port);
}

/** An answer as it was written on the socket. */
function parseAnswer(said: string): {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
} {
  const [head = '', body = ''] = said.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = new Headers(
    lines.map((line): [string, string] => [line.split(':', 1)[0] ?? '', line.split(': ')[1] ?? '']),
  );
  return { status: Number(first.slice(9, 12)), headers, body: JSON.parse(body) };
}

const HOST = 'Host: localhost\r\n';

describe('what cannot be read is answered with a problem', () => {
  test.each([
    ['an unknown method', 'FLY / HTTP/1.1\r\n\r\n', 400, /method/],
    ['TLS', '\u0016\u0003\u0001\u0002\0\u0001', 400, /method/],
    ['an unknown version', 'GET / HTTP/9.9\r\n\r\n', 400, /no HTTP/],
    ['a header without a name', `GET / HTTP/1.1\r\n${HOST}: x\r\n\r\n`, 400, /no HTTP/],
    ['an umlaut in the address', `GET /\u00fc HTTP/1.1\r\n${HOST}\r\n`, 400, /percent-encoded/],
    ['large headers', `GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431, /16 KiB/],
    ['a long address', `GET /?${'y'.repeat(20_000)} HTTP/1.1\r\n\r\n`, 431, /16 KiB/],
    ['headers that never end', 'GET / HTTP/1.1\r\n', 408, /in time/],
    [
      'two lengths',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`,
      400,
      /no HTTP/,
    ],
    [
      'a length and chunks',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      /no HTTP/,
    ],
    [
      'a chunk that is none',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
      400,
      /no HTTP/,
    ],
    [
      'a chunk of extensions',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n`,
      413,
      /extensions/,
    ],
  ])('%s', async (_what, text, status, detail) => {
    const said = await exchange(readPort(), text);
    const { headers, body, ...parsed } = parseAnswer(said);
    expect(parsed.status).toBe(status);
    expect(headers.get('Content-Type')).toBe('application/problem+json; charset=utf-8');
    expect(headers.get('Connection')).toBe('close');
    expect(headers.get('Cache-Control')).toBe('no-store');
    const requestId = headers.get('X-Request-Id');
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toMatchObject({ status, detail: expect.stringMatching(detail), requestId });
  });

  test('and is noticed under the id of the answer', async () => {
    const { headers } = parseAnswer(await exchange(readPort(), 'FLY / HTTP/1.1\r\n\r\n'));
    expect(recorder.observations.at(-1)).toEqual({
      kind: 'request-finished',
      requestId: headers.get('X-Request-Id'),
      caller: 'anonymous',
      address: '127.0.0.1',
      method: '',
      path: '',
      status: 400,
      durationMs: 0,
      isComplete: true,
    });
  });

  test('whose body only is broken has the id of the request', async () => {
    answer = (request, response) => {
      response.setHeader('X-Request-Id', 'mine');
      request.resume();
    };
    const text = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`;
    const { body } = parseAnswer(await exchange(readPort(), text));
    expect(body).toMatchObject({ status: 400, requestId: 'mine' });
    expect(recorder.observations).toHaveLength(1);
  });
});

describe('a connection that is refused', () => {
  /** Resolves with all that came until the server closed it. */
  async function readAll(socket: Socket): Promise<string> {
    return (await socket.setEncoding('latin1').toArray()).join('');
  }

  test('is closed although its client goes on', async () => {
    const socket = connect({ port: readPort(), host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('FLY / HTTP/1.1\r\n\r\n');
    const said = await readAll(socket);
    const timer = setInterval(() => socket.write('FLY'), 20);
    await closed;
    clearInterval(timer);
    expect(said.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('is cut where an answer has begun: nothing else is said within it', async () => {
    answer = (_request, response) => {
      response.write('begun');
    };
    const said = await new Promise<string>((resolve) => {
      const socket = connect(readPort(), '127.0.0.1');
      let text = '';
      socket.on('error', () => undefined).once('close', () => resolve(text));
      socket.on('data', (chunk) => {
        text += String(chunk);
        socket.write('FLY / HTTP/1.1\r\n\r\n');
      });
      socket.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    });
    expect(said).toMatch(/begun/);
    expect(said).not.toMatch(/400|\r\n0\r\n/);
  });
});
