import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttpServer } from '../../../routes/http-server.ts';
import { createRecorder } from '../../support/observations.ts';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

const NEVER = new AbortController().signal;

let recorder: ReturnType<typeof createRecorder>;
/** What the application does with a request; each test may replace it. */
let answer: RequestListener;
let server: ReturnType<typeof createHttpServer>;

beforeEach(() => {
  recorder = createRecorder();
  answer = (_request, response) => response.end('ok');
  server = create({ port: 0 });
});

afterEach(async () => {
  await server.stop(AbortSignal.abort());
});

function create({ host = '127.0.0.1', port }: { host?: string; port: number }): typeof server {
  return createHttpServer({
    host,
    port,
    observer: recorder,
    app: (request, response) => answer(request, response),
  });
}

/** The port of the started server. */
function readPort(): number {
  return Number(new URL(server.url ?? '').port);
}

/** The body that the server answers with. */
async function fetchText(agent?: Agent): Promise<string> {
  const url = server.url ?? '';
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent }, resolve).on('error', reject);
  });
  return (await response.setEncoding('utf8').toArray()).join('');
}

describe('start', () => {
  test('answers at the URL that it reports', async () => {
    expect(server.url).toBeUndefined();
    await server.start(NEVER);
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await fetchText()).toBe('ok');
    expect(recorder.observations).toEqual([
      { kind: 'component-reported', component: 'http', message: `HTTP on ${server.url ?? ''}` },
    ]);
  });

  test('that fails is told by the setting that the address comes from', async () => {
    const { app, observer } = { app: answer, observer: recorder };
    const elsewhere = createHttpServer({
      ...{ host: '192.0.2.1', port: 0, app, observer },
      addressSetting: 'http.address',
    });
    await expect(elsewhere.start(NEVER)).rejects.toThrow(/: set http\.address$/);
    await expect(create({ host: '192.0.2.1', port: 0 }).start(NEVER)).rejects.toThrow(
      /: set HOST$/,
    );
  });

  test('writes an IPv6 address in brackets', async () => {
    server = create({ host: '::1', port: 0 });
    await server.start(NEVER);
    expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect(await fetchText()).toBe('ok');
  });

  test('names the port and the setting when the port is in use', async () => {
    await server.start(NEVER);
    const port = readPort();
    const second = create({ port });
    await expect(second.start(NEVER)).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use: end what listens there or set PORT`,
    );
    expect(await fetchText()).toBe('ok');
    expect(recorder.observations.filter(({ kind }) => kind === 'fault')).toEqual([]);
  });

  test('names the setting when the host is not of this machine', async () => {
    // TEST-NET-1: no machine has it.
    const elsewhere = create({ host: '192.0.2.1', port: 0 });
    await expect(elsewhere.start(NEVER)).rejects.toThrow(
      'Host 192.0.2.1 is no address of this machine (EADDRNOTAVAIL): set HOST',
    );
  });

  test('does not begin when its signal has aborted', async () => {
    await expect(server.start(AbortSignal.abort(new Error('no more')))).rejects.toThrow('no more');
    expect(server.url).toBeUndefined();
  });
});

describe('a client that does not play along', () => {
  test('gets 400 for what is no HTTP, and its connection is closed', async () => {
    await server.start(NEVER);
    const socket = connect(readPort(), '127.0.0.1');
    socket.write('\0\0\0\u0008\u0004\u00d2\u0016/');
    const text = (await socket.setEncoding('latin1').toArray()).join('');
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(text).not.toContain('<');
  });

  test('is closed when its headers trickle for longer than the timeout', async () => {
    server = createHttpServer({
      host: '127.0.0.1',
      port: 0,
      observer: recorder,
      app: (_request, response) => response.end('ok'),
      headersTimeoutMs: 300,
    });
    await server.start(NEVER);
    const socket = connect(readPort(), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\n');
    const trickle = setInterval(() => socket.write('x: y\r\n'), 50);
    const [status] = (await socket.setEncoding('latin1').toArray()).join('').split('\r\n');
    clearInterval(trickle);
    expect(status).toBe('HTTP/1.1 408 Request Timeout');
  });
});

describe('stop', () => {
  /** Resolves with the response that the server holds open. */
  function holdAnswer(): Promise<ServerResponse> {
    return new Promise((resolve) => {
      answer = (_request, response) => resolve(response);
    });
  }

  test('refuses new connections', async () => {
    await server.start(NEVER);
    const port = readPort();
    await server.stop(NEVER);
    const refused = once(connect(port, '127.0.0.1'), 'connect');
    await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('closes connections that have asked nothing yet', async () => {
    await server.start(NEVER);
    const socket = connect(readPort(), '127.0.0.1');
    await once(socket, 'connect');
    // An answered request proves that the server has accepted what came before it.
    await fetchText();
    const closed = once(socket, 'close');
    await server.stop(NEVER);
    await closed;
  });

  test('closes idle connections at once', async () => {
    await server.start(NEVER);
    const agent = new Agent({ keepAlive: true });
    await fetchText(agent);
    const startedAt = performance.now();
    await server.stop(NEVER);
    // Node's keep-alive would hold the connection for five seconds.
    expect(performance.now() - startedAt).toBeLessThan(2000);
    agent.destroy();
  });

  test('lets a running answer finish, then closes its connection at once', async () => {
    await server.start(NEVER);
    const held = holdAnswer();
    const agent = new Agent({ keepAlive: true });
    const text = fetchText(agent);
    const response = await held;
    const stopping = server.stop(NEVER);
    response.end('finished');
    const startedAt = performance.now();
    expect(await text).toBe('finished');
    await stopping;
    expect(performance.now() - startedAt).toBeLessThan(2000);
    agent.destroy();
  });

  test('ends what is still running at the deadline', async () => {
    await server.start(NEVER);
    const held = holdAnswer();
    const text = fetchText();
    const ended = expect(text).rejects.toThrow('socket hang up');
    await held;
    const deadline = new AbortController();
    const stopping = server.stop(deadline.signal);
    deadline.abort();
    await stopping;
    await ended;
  });

  test('resolves when it was never started, and when it is stopped twice', async () => {
    await expect(server.stop(NEVER)).resolves.toBeUndefined();
    await server.start(NEVER);
    await server.stop(NEVER);
    await expect(server.stop(NEVER)).resolves.toBeUndefined();
  });

  test('frees the port for the next', async () => {
    await server.start(NEVER);
    const port = readPort();
    await server.stop(NEVER);
    const next = createServer().listen(port, '127.0.0.1');
    await once(next, 'listening');
    expect(next.address()).toMatchObject({ port });
    next.close();
  });
});
