import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createErrorHandler } from '../../../routes/error-handler.ts';
import { contextOf } from '../../../routes/request-context.ts';
import { createRequestDrain } from '../../../routes/request-drain.ts';
import { identifyRequest } from '../../../routes/request-id.ts';
import type { RequestDrain } from '../../../routes/request-drain.ts';
import { createRecorder } from '../../support/observations.ts';
import type { Response } from 'express';

const NEVER = new AbortController().signal;

let drain: RequestDrain;
let server: Server;
let url: string;
/** The answers that wait for the test to end them. */
let waiting: Response[];
/** Theirs, which stop what runs for them. */
let signals: AbortSignal[];

beforeEach(async () => {
  drain = createRequestDrain();
  waiting = [];
  signals = [];
  const app = express();
  app.use(identifyRequest, drain.middleware);
  app.get('/slow', (request, response) => {
    waiting.push(response);
    signals.push(contextOf(request).signal);
    server.emit('waits');
  });
  app.use(createErrorHandler(createRecorder()));
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/slow`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** Sends a request and resolves once it runs; its answer is in `answer`. */
async function startRequest(): Promise<{ readonly answer: ReturnType<typeof fetch> }> {
  const waits = once(server, 'waits');
  const answer = fetch(url);
  await waits;
  return { answer };
}

describe('The drain of requests', () => {
  it('is over at once where nothing runs', async () => {
    await expect(drain.stop(NEVER)).resolves.toBeUndefined();
  });

  it('refuses what comes later, and says when to come again', async () => {
    await drain.stop(NEVER);
    const response = await fetch(url);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.get('connection')).toBe('close');
    expect(await response.json()).toMatchObject({ detail: 'Gatepost is shutting down' });
  });

  it('waits for what runs, whose connection is not kept', async () => {
    const { answer } = await startRequest();
    let isStopped = false;
    const stopped = drain.stop(NEVER).then(() => {
      isStopped = true;
    });
    expect((await fetch(url)).status).toBe(503);
    expect(isStopped).toBe(false);
    waiting[0]?.end('done');
    const response = await answer;
    expect(await response.text()).toBe('done');
    expect(response.headers.get('connection')).toBe('close');
    await stopped;
    expect(signals[0]?.aborted).toBe(false);
  });

  it('ends what still runs at the deadline', async () => {
    const { answer } = await startRequest();
    const deadline = new AbortController();
    const stopped = drain.stop(deadline.signal);
    expect(signals[0]?.aborted).toBe(false);
    deadline.abort();
    expect(signals[0]?.reason).toMatchObject({ sqlState: '57P01' });
    waiting[0]?.end('stopped');
    expect(await (await answer).text()).toBe('stopped');
    await stopped;
  });

  it('does not wait for a client that does not take its last words', async () => {
    const { answer } = await startRequest();
    await drain.stop(AbortSignal.abort());
    expect(signals[0]?.aborted).toBe(true);
    waiting[0]?.destroy();
    await expect(answer).rejects.toThrow();
  });
});
