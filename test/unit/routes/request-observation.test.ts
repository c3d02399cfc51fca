import express from 'express';
import { once } from 'node:events';
import { createServer, request as openRequest } from 'node:http';
import type { Server } from 'node:http';
import supertest from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { contextOf } from '../../../routes/request-context.ts';
import { identifyRequest } from '../../../routes/request-id.ts';
import { observeRequests } from '../../../routes/request-observation.ts';
import { untilFact } from '../../support/facts.ts';
import { createRecorder } from '../../support/observations.ts';

let recorder: ReturnType<typeof createRecorder>;
let server: Server;

beforeEach(async () => {
  recorder = createRecorder();
  const app = express();
  app.use(identifyRequest, observeRequests(recorder));
  app.get('/answered', (request, response) => {
    contextOf(request).caller = 'dashboards';
    response.status(201).end();
  });
  app.get('/waiting', (_request, response) => {
    response.write('begun');
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('A request', () => {
  it('is observed with who asked, what, and how it was answered, without its values', async () => {
    const sent = supertest(server).get('/answered?name=eq.secret').set('X-Request-Id', 'id-1');
    expect((await sent).status).toBe(201);
    expect(recorder.observations).toEqual([
      {
        kind: 'request-finished',
        requestId: 'id-1',
        caller: 'dashboards',
        address: '127.0.0.1',
        method: 'GET',
        path: '/answered',
        status: 201,
        durationMs: expect.any(Number),
        isComplete: true,
      },
    ]);
  });

  it('is observed as incomplete when its client goes before the end', async () => {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const request = openRequest({ port, path: '/waiting' }).end();
    request.on('error', () => undefined);
    await once(request, 'response');
    request.destroy();
    await untilFact(() => recorder.observations.length === 1, 'the observation');
    expect(recorder.observations[0]).toMatchObject({ isComplete: false, status: 200 });
  });
});
