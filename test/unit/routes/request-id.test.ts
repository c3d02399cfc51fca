import express from 'express';
import type { Request } from 'express';
import { createServer, request as openRequest } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import supertest from 'supertest';
import { afterEach, beforeEach, describe, expect, it, test } from '@jest/globals';
import { contextOf } from '../../../routes/request-context.ts';
import { identifyRequest } from '../../../routes/request-id.ts';
import { untilFact } from '../../support/facts.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let server: Server;
let seen: Request | undefined;

beforeEach(async () => {
  seen = undefined;
  const app = express();
  app.use(identifyRequest);
  app.get('/answered', (request, response) => {
    seen = request;
    response.json(contextOf(request));
  });
  app.get('/waiting', (request) => {
    seen = request;
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('the id of a request', () => {
  test.each(['a', 'Trace-1_2.3', 'x'.repeat(128)])("is the client's own: %s", async (id) => {
    const response = await supertest(server).get('/answered').set('X-Request-Id', id);
    expect(response.get('X-Request-Id')).toBe(id);
    expect(response.body).toMatchObject({ requestId: id });
  });

  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['one that is too long', 'x'.repeat(129)],
    ['one with a blank', 'a b'],
    ['one with a quote', 'a"b'],
    ['one of other letters', 'größe'],
    ['two of them', 'a, b'],
  ])('is ours where the client sends %s', async (_name, id) => {
    const sent = supertest(server).get('/answered');
    const response = await (id === undefined ? sent : sent.set('X-Request-Id', id));
    const { requestId } = response.body as { requestId: string };
    expect(requestId).toMatch(UUID);
    expect(response.get('X-Request-Id')).toBe(requestId);
  });
});

describe('the context of a request', () => {
  it('is nobody with the least of scopes, at the address of the socket', async () => {
    const response = await supertest(server).get('/answered');
    expect(response.body).toMatchObject({
      caller: 'anonymous',
      scope: 'read',
      address: '127.0.0.1',
    });
  });

  it('is not aborted by an answer that was sent', async () => {
    await supertest(server).get('/answered');
    await untilFact(() => seen?.destroyed === true, 'the request to be over');
    expect(seen && contextOf(seen).signal.aborted).toBe(false);
  });

  it('is aborted with 57014 when the client goes first', async () => {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const client = openRequest({ host: '127.0.0.1', port, path: '/waiting' });
    client.on('error', () => undefined);
    client.end();
    await untilFact(() => seen !== undefined, 'the request');
    const { signal } = contextOf(seen!);
    expect(signal.aborted).toBe(false);
    const aborted = once(signal, 'abort');
    client.destroy();
    await aborted;
    expect(signal.reason).toMatchObject({ sqlState: '57014', name: 'ServiceError' });
  });
});
