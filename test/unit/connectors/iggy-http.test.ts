import { afterEach, describe, expect, it } from '@jest/globals';
import type { IggyError } from '../../../src/connectors/iggy-error.ts';
import { HttpServer, parseAddress } from '../../../src/connectors/iggy-http.ts';
import type { HttpReply } from '../../../src/connectors/iggy-http.ts';
import { startFakeIggy } from '../../support/fake-iggy.ts';
import type { FakeAnswer, FakeIggy } from '../../support/fake-iggy.ts';

const NEVER = new AbortController().signal;
const BOUNDS = { timeoutMs: 10_000, replyBytesMax: 1000 };

const open: { readonly close: () => void | Promise<void> }[] = [];

afterEach(async () => {
  for (const { close } of open.splice(0)) {
    await close();
  }
});

async function openServer(
  answer: FakeAnswer,
  bounds = BOUNDS,
): Promise<{ fake: FakeIggy; server: HttpServer }> {
  const fake = await startFakeIggy(answer);
  const server = new HttpServer(new URL(`${fake.address}/below/`), bounds);
  open.push({ close: () => server.close() }, { close: async () => await fake.stop() });
  return { fake, server };
}

async function ask(server: HttpServer, signal = NEVER): Promise<HttpReply> {
  return await server.exchange({ method: 'GET', path: '/x' }, signal);
}

describe('HttpServer', () => {
  it('sends method, path, token and body, and reads all of the answer', async () => {
    const { fake, server } = await openServer(() => ({
      status: 418,
      body: '{"größe":1}',
      headers: { 'Retry-After': '3' },
    }));
    const request = { method: 'PUT', path: '/a%20b?c=1', body: '{"é":1}', bearer: 'abc' } as const;
    await expect(server.exchange(request, NEVER)).resolves.toEqual({
      status: 418,
      text: '{"größe":1}',
      retryAfter: '3',
    });
    expect(fake.requests).toEqual([
      { method: 'PUT', path: '/below/a%20b?c=1', body: '{"é":1}', bearer: 'abc' },
    ]);
  });

  it('does not say a token or a body that there is not', async () => {
    const { fake, server } = await openServer(() => ({ status: 200 }));
    await expect(ask(server)).resolves.toMatchObject({ status: 200, text: '' });
    expect(fake.requests).toMatchObject([{ bearer: undefined, body: '' }]);
  });

  it.each<[string, FakeAnswer, IggyError['kind']]>([
    [
      'a connection that is reset',
      (_, response) => void response.socket?.resetAndDestroy(),
      'unreachable',
    ],
    [
      'half an answer',
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"half":', () => response.socket?.destroy());
        return undefined;
      },
      'unreachable',
    ],
    [
      'an answer that is too large',
      () => ({ status: 200, body: 'x'.repeat(1001) }),
      'reply-too-large',
    ],
    [
      'no HTTP',
      (_, response) => void response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n\r\n'),
      'unreachable',
    ],
  ])('throws for %s', async (_, answer, kind) => {
    const { server } = await openServer(answer);
    await expect(ask(server)).rejects.toMatchObject({ name: 'IggyError', kind });
  });

  it('takes the bounds of a request in place of its own', async () => {
    const { server } = await openServer(() => ({ status: 200, body: 'x'.repeat(1500) }));
    const bounds = { timeoutMs: 1000, replyBytesMax: 1500 };
    const asked = server.exchange({ method: 'GET', path: '/', bounds }, NEVER);
    await expect(asked).resolves.toMatchObject({ text: 'x'.repeat(1500) });
    const { server: silent } = await openServer(() => undefined);
    await expect(
      silent.exchange({ method: 'GET', path: '/', bounds: { ...bounds, timeoutMs: 20 } }, NEVER),
    ).rejects.toMatchObject({ kind: 'timeout', message: expect.stringContaining('within 20 ms') });
  });

  it('takes an answer of just its bound', async () => {
    const { server } = await openServer(() => ({ status: 200, body: 'x'.repeat(1000) }));
    await expect(ask(server)).resolves.toMatchObject({ text: 'x'.repeat(1000) });
  });

  it('can be asked again after a failure', async () => {
    let isBroken = true;
    const { server } = await openServer((_, response) => {
      if (!isBroken) {
        return { status: 200, body: 'well' };
      }
      isBroken = false;
      response.socket?.destroy();
      return undefined;
    });
    await expect(ask(server)).rejects.toThrow('cannot be reached');
    await expect(ask(server)).resolves.toMatchObject({ text: 'well' });
  });

  it.each<[string, FakeAnswer]>([
    ['that does not come', () => undefined],
    [
      'that does not end',
      (_, response) => {
        response.writeHead(200);
        response.write('{');
        return undefined;
      },
    ],
  ])('gives up an answer %s at its deadline', async (_, answer) => {
    const { server } = await openServer(answer, { ...BOUNDS, timeoutMs: 50 });
    await expect(ask(server)).rejects.toMatchObject({
      kind: 'timeout',
      message: expect.stringMatching(/^Iggy at 127\.0\.0\.1:\d+ did not answer within 50 ms$/),
    });
  });

  it('ends a request under way when the signal aborts', async () => {
    const stop = new AbortController();
    const { server } = await openServer(() => {
      stop.abort(new Error('stopped'));
      return undefined;
    });
    await expect(ask(server, stop.signal)).rejects.toThrow('stopped');
  });

  it('does not ask when the signal has aborted', async () => {
    const { fake, server } = await openServer(() => ({ status: 200 }));
    await expect(ask(server, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    expect(fake.requests).toEqual([]);
  });

  it('says where nobody listens, and what to check', async () => {
    const { fake, server } = await openServer(() => ({ status: 200 }));
    await fake.stop();
    open.pop();
    await expect(ask(server)).rejects.toThrow(
      /^Iggy at 127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\); check its address/,
    );
  });
});

describe('parseAddress', () => {
  it.each([
    ['http://host:3000', 'http://host:3000/'],
    ['https://host', 'https://host/'],
    ['host:3000', 'http://host:3000/'],
    ['127.0.0.1:3000', 'http://127.0.0.1:3000/'],
    ['http://host/iggy/', 'http://host/iggy/'],
  ])('takes %s', (address, url) => {
    expect(parseAddress(address).href).toBe(url);
  });

  it.each(['', 'tcp://host:8090', 'http://user:hunter2@host', 'http://', 'host:hunter2'])(
    'refuses %j without repeating it',
    (address) => {
      expect(() => parseAddress(address)).toThrow(
        /^Iggy's address is not one of its HTTP API; write http:\S+, without credentials$/,
      );
    },
  );
});
