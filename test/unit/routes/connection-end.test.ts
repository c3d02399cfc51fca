import { connect } from 'node:net';
import express from 'express';
import type { RequestHandler } from 'express';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createErrorHandler } from '../../../routes/error-handler.ts';
import { createHttpServer } from '../../../routes/http-server.ts';
import { parseJsonBody } from '../../../routes/json-body.ts';
import { createRecorder } from '../../support/observations.ts';

const NEVER = new AbortController().signal;

let server: ReturnType<typeof createHttpServer>;
/** What happens when the client has got something. */
let onHeard: (() => void) | undefined;

afterEach(async () => {
  onHeard = undefined;
  await server.stop(AbortSignal.abort());
});

/** Serves this behind the reader of bodies; gives the port. */
async function serve(handler: RequestHandler): Promise<number> {
  const observer = createRecorder();
  const app = express();
  app.use(parseJsonBody, handler, createErrorHandler(observer));
  server = createHttpServer({ host: '127.0.0.1', port: 0, app, observer });
  await server.start(NEVER);
  return Number(new URL(server.url ?? '').port);
}

interface Heard {
  readonly text: string;
  /** Undefined where the connection ended in good order. */
  readonly error: string | undefined;
  readonly sentBytes: number;
}

/** @param feed what is sent behind the head, again and again */
async function hear(
  port: number,
  head: readonly string[],
  feed?: Buffer,
  body = '',
): Promise<Heard> {
  return await new Promise((resolve) => {
    const isRude = feed !== undefined;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: isRude });
    let [text, error]: [string, string | undefined] = ['', undefined];
    const push = (): void => {
      while (feed !== undefined && !socket.destroyed && socket.write(feed)) {
        // Until the kernel takes no more.
      }
    };
    socket.on('data', (chunk) => {
      text += String(chunk);
      onHeard?.();
    });
    socket.on('drain', push);
    socket.on('error', (thrown) => {
      error = 'code' in thrown ? String(thrown.code) : thrown.message;
    });
    socket.once('close', () => resolve({ text, error, sentBytes: socket.bytesWritten }));
    socket.write([...head, '', body].join('\r\n'), () => push());
  });
}

describe('an answer that is cut', () => {
  const fail: RequestHandler = (_request, response, next) => {
    // A reset that comes with the data is a mere end to a client on Node.
    onHeard = () => {
      next(new Error('the other half is missing'));
    };
    response.write('half of it');
  };

  test('over HTTP/1.0 ends with a reset: nothing else tells it from a whole one', async () => {
    const port = await serve(fail);
    const { error, text } = await hear(port, ['GET / HTTP/1.0']);
    expect(error).toBe('ECONNRESET');
    expect(text).not.toMatch(/Transfer-Encoding/i);
  });

  test('over HTTP/1.1 ends without its last chunk', async () => {
    const port = await serve(fail);
    const { text } = await hear(port, ['GET / HTTP/1.1', 'Host: localhost']);
    expect(text).toMatch(/half of it/);
    expect(text).not.toMatch(/\r\n0\r\n/);
  });

  test('over HTTP/1.0 where it is whole ends in good order', async () => {
    const port = await serve((_request, response) => {
      response.write('one half, ');
      response.end('the other');
    });
    const { error, text } = await hear(port, ['GET / HTTP/1.0']);
    expect([error, text.slice(text.indexOf('\r\n\r\n') + 4)]).toEqual([
      undefined,
      'one half, the other',
    ]);
  });

  test('over HTTP/1.0 by a timeout ends with a reset too', async () => {
    const port = await serve((_request, response) => {
      response.setTimeout(50);
      response.write('half of it');
    });
    expect((await hear(port, ['GET / HTTP/1.0'])).error).toBe('ECONNRESET');
  });
});

describe('a body that is too large', () => {
  const MEBIBYTE = 1024 * 1024;
  const POST = ['POST / HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];
  const take: RequestHandler = (_request, response) => {
    response.end('taken');
  };

  test.each([
    ['by its length', ['Content-Length: 1000000000'], Buffer.alloc(MEBIBYTE, ' ')],
    [
      'in chunks',
      ['Transfer-Encoding: chunked'],
      Buffer.from(`10000\r\n${' '.repeat(0x10000)}\r\n`),
    ],
  ])('%s is refused before it ends, and not read', async (_how, headers, feed) => {
    const port = await serve(take);
    const { text, sentBytes } = await hear(port, [...POST, ...headers], feed);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toMatch(/\r\nConnection: close\r\n/);
    expect(text).toMatch(/The request is too large/);
    // What the kernels of both sides hold for a socket, and no more.
    expect(sentBytes).toBeLessThan(20 * MEBIBYTE);
  });

  test('is not asked for from a client that waits to be told', async () => {
    const port = await serve(take);
    const { text } = await hear(port, [
      ...POST,
      `Content-Length: ${MEBIBYTE + 1}`,
      'Expect: 100-continue',
    ]);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).not.toMatch(/100 Continue/);
  });

  test('is not meant where it fits: then the client is told to send it', async () => {
    const port = await serve(take);
    const head = [...POST, 'Content-Length: 2', 'Expect: 100-continue', 'Connection: close'];
    const { text } = await hear(port, head, undefined, '{}');
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  });
});
