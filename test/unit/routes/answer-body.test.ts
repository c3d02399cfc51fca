import express from 'express';
import type { Response } from 'express';
import { once } from 'node:events';
import { createServer, request as openRequest } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AnswerBody } from '../../../routes/answer-body.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

interface Opened {
  readonly body: AnswerBody;
  readonly response: Response;
  readonly gone: AbortController;
  /** What the client gets; it reads nothing by itself. */
  readonly answer: Promise<IncomingMessage>;
}

/** A body over a real connection. */
async function openBody(): Promise<Opened> {
  const app = express();
  const opened = new Promise<Response>((resolve) => {
    app.get('/', (_request, response) => {
      resolve(response);
    });
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const client = openRequest({ host: '127.0.0.1', port, path: '/' });
  const answer = once(client, 'response').then(([message]) => message as IncomingMessage);
  // A test may end before there is an answer.
  answer.catch(() => undefined);
  client.end();
  const response = await opened;
  const gone = new AbortController();
  const body = new AnswerBody(response, { contentType: 'text/plain', signal: gone.signal });
  return { body, response, gone, answer };
}

describe('the body of an answer', () => {
  it('that is small goes out at once, with its length', async () => {
    const { body, answer } = await openBody();
    body.append('grö');
    body.append(Buffer.from('ße'));
    expect([body.isBegun, body.isFull]).toEqual([false, false]);
    body.end();
    const { headers } = await answer;
    expect(headers).toMatchObject({ 'content-type': 'text/plain', 'content-length': '7' });
    expect(await readText(await answer)).toBe('größe');
  });

  it('is nothing where nothing was appended', async () => {
    const { body, answer } = await openBody();
    body.end();
    expect((await answer).headers['content-length']).toBe('0');
  });

  it('goes out in chunks where it is large', async () => {
    const { body, answer } = await openBody();
    const part = 'x'.repeat(40_000);
    body.append(part);
    expect(body.isFull).toBe(false);
    body.append(part);
    expect(body.isFull).toBe(true);
    await body.flush();
    expect([body.isBegun, body.isFull]).toEqual([true, false]);
    // Nothing is held back: nothing is sent, for an empty chunk would be the last one.
    await body.flush();
    body.append('end');
    body.end();
    expect((await answer).headers['transfer-encoding']).toBe('chunked');
    expect(await readText(await answer)).toBe(`${part}${part}end`);
  });

  it('leaves status and headers alone until it goes out', async () => {
    const { body, response, answer } = await openBody();
    body.append('half');
    expect(response.getHeader('Content-Type')).toBeUndefined();
    response.status(400).end('problem');
    expect([(await answer).statusCode, await readText(await answer)]).toEqual([400, 'problem']);
  });

  it('waits for a client that does not read, and goes on when it does', async () => {
    const { body, answer, response } = await openBody();
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    let chunks = 0;
    let flushed = Promise.resolve();
    while (!response.writableNeedDrain && chunks < 100) {
      await flushed;
      body.append(megabyte);
      flushed = body.flush();
      chunks += 1;
    }
    expect(chunks).toBeLessThan(100);
    const settled = await Promise.race([flushed.then(() => true), Promise.resolve(false)]);
    expect(settled).toBe(false);
    (await answer).resume();
    await flushed;
    body.end();
  });

  it('does not wait for one that has gone', async () => {
    const { body, gone, response } = await openBody();
    const reason = new Error('gone');
    body.append(Buffer.alloc(64 * 1024 * 1024));
    const flushed = body.flush();
    expect(response.writableNeedDrain).toBe(true);
    gone.abort(reason);
    await expect(flushed).rejects.toBe(reason);
    await expect(body.flush()).rejects.toBe(reason);
  });
});
