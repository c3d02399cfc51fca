import { createServer } from 'node:http';
import supertest from 'supertest';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createApp } from '../../../routes/app.ts';
import { createReadiness } from '../../../src/readiness.ts';
import { createRecorder } from '../../support/observations.ts';
import type { Server } from 'node:http';

let recorder: ReturnType<typeof createRecorder>;
let server: Server;
let render: () => Promise<string>;

beforeEach(() => {
  recorder = createRecorder();
  render = () => Promise.resolve('# nothing\n');
  const app = createApp({
    version: '1.2.3',
    observer: recorder,
    readiness: createReadiness({ observer: recorder, probes: [] }),
    metrics: { render: () => render(), contentType: 'text/plain; version=0.0.4; charset=utf-8' },
  });
  server = createServer(app).listen(0, '127.0.0.1');
});

afterEach(() => {
  server.close();
});

/** Every kind of answer that there is. */
const ANSWERS = [
  ['get', '/livez', 200],
  ['head', '/livez', 200],
  ['get', '/readyz', 200],
  ['get', '/health', 200],
  ['get', '/metrics', 200],
  ['options', '/metrics', 204],
  ['get', '/', 404],
  ['post', '/livez', 405],
  ['get', '/%E0%A4%A', 400],
] as const;

describe('createApp', () => {
  test.each(ANSWERS)('answers %s %s with %d and safe headers', async (method, path, status) => {
    const { headers, ...response } = await supertest(server)[method](path);
    expect(response.status).toBe(status);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'no-referrer',
    });
    for (const absent of ['x-powered-by', 'etag', 'access-control-allow-origin']) {
      expect(headers).not.toHaveProperty(absent);
    }
  });

  test('never compares: a conditional request is answered in full', async () => {
    const response = await supertest(server).get('/livez').set('If-None-Match', '"x"');
    expect(response.status).toBe(200);
  });

  test('does not take query parameters apart', async () => {
    const response = await supertest(server).get('/livez?a[$ne]=1&a[b][c]=2&__proto__[x]=1');
    expect(response.status).toBe(200);
    expect({}).not.toHaveProperty('x');
  });

  test('answers a fault with a problem, without stack, and observes it', async () => {
    const error = new Error('registry is broken');
    render = () => Promise.reject(error);
    const response = await supertest(server).get('/metrics');
    expect(response.status).toBe(500);
    expect(response.type).toBe('application/problem+json');
    expect(response.text).not.toMatch(/registry|\bat |\.ts|</);
    const requestId = response.get('X-Request-Id');
    expect(recorder.observations).toEqual([
      { kind: 'fault', component: 'http', error, sessionId: requestId },
      expect.objectContaining({
        kind: 'request-finished',
        requestId,
        path: '/metrics',
        status: 500,
      }),
    ]);
  });
});
