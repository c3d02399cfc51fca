import express from 'express';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createErrorHandler } from '../../../routes/error-handler.ts';
import { createHttpServer } from '../../../routes/http-server.ts';
import { refuseMalformed } from '../../../routes/malformed-request.ts';
import { exchange } from '../../support/http-client.ts';
import { createRecorder } from '../../support/observations.ts';

const NEVER = new AbortController().signal;

let server: ReturnType<typeof createHttpServer>;

beforeEach(async () => {
  const observer = createRecorder();
  const app = express();
  app.use(refuseMalformed, (_request, response) => response.send('taken'));
  app.use(createErrorHandler(observer));
  server = createHttpServer({ host: '127.0.0.1', port: 0, app, observer });
  await server.start(NEVER);
});

afterEach(async () => {
  await server.stop(AbortSignal.abort());
});

/** The status and the last line of what these lines are answered with. */
async function ask(...lines: readonly string[]): Promise<readonly [status: number, text: string]> {
  const { port } = new URL(server.url ?? '');
  const said = await exchange(port, [...lines, 'Connection: close', '', ''].join('\r\n'));
  return [Number(said.slice(9, 12)), said.slice(said.lastIndexOf('\n') + 1)];
}

const HOST = 'Host: localhost';

describe('an address', () => {
  test.each([
    '/',
    '/a%2Fb%C3%BC',
    '/?name=eq.%C3%BC+%25&a%5B%5D=%F0%9F%98%80',
    '/?name=ilike.100%',
    '/?name=eq.%zz%2',
    '/?',
  ])('%s is taken', async (address) => {
    expect(await ask(`GET ${address} HTTP/1.1`, HOST)).toEqual([200, 'taken']);
  });

  test.each([
    ['/%E0%A4%A', 'The path has a percent sign that encodes no character'],
    ['/%80', 'The path has a percent sign that encodes no character'],
    ['/?nn=eq.%80', 'The query string has percent signs that encode no UTF-8'],
    ['/?%C3=eq.x', 'The query string has percent signs that encode no UTF-8'],
    ['/?a=eq.%C3x%BC', 'The query string has percent signs that encode no UTF-8'],
    ['/?a=eq.%ED%A0%80', 'The query string has percent signs that encode no UTF-8'],
  ])('%s is refused', async (address, detail) => {
    const [status, text] = await ask(`GET ${address} HTTP/1.1`, HOST);
    expect([status, JSON.parse(text)]).toMatchObject([400, { status: 400, detail }]);
  });
});

describe('a request', () => {
  test.each([
    ['GET / HTTP/1.0', 'X: y'],
    ['GET / HTTP/1.1', 'Host:'],
    ['GET / HTTP/1.0', 'Expect: a miracle'],
  ])('that is %s with %s is taken', async (...lines) => {
    const [status] = await ask(...lines);
    expect(status).toBe(lines[1] === 'Expect: a miracle' ? 417 : 200);
  });

  test.each([
    [400, 'The request has no Host', ['GET / HTTP/1.1']],
    [417, 'The request expects what is not done here', [HOST, 'Expect: a miracle']],
    [417, 'The request expects what is not done here', [HOST, 'Expect: 100-continue, more']],
  ])('is refused with %d: %s', async (expected, detail, lines) => {
    const all = lines[0] === HOST ? ['POST / HTTP/1.1', ...lines] : lines;
    const [status, text] = await ask(...all);
    expect([status, JSON.parse(text)]).toMatchObject([expected, { status: expected, detail }]);
  });
});
