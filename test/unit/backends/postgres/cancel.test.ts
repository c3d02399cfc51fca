import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import path from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { CANCEL_TIMEOUT_MS, sendCancel } from '../../../../src/backends/postgres/cancel.ts';
import type { CancelTarget } from '../../../../src/backends/postgres/cancel.ts';
import { TEST_CERTIFICATES } from '../../../support/certificates.ts';
import { untilFact } from '../../../support/facts.ts';
import { createTemporaryDirectory } from '../../../support/temporary-directory.ts';
import { cancelRequest, SSL_REQUEST } from '../../../support/wire-client.ts';

const KEY = { processId: 4711, secretKey: 4_294_967_295 };

const REQUEST = cancelRequest(4711, -1);

const AUTHORITY = readFileSync(TEST_CERTIFICATES.authority);

const SECURE_CONTEXT = createSecureContext({
  cert: readFileSync(TEST_CERTIFICATES.certFile),
  key: readFileSync(TEST_CERTIFICATES.keyFile),
});

/** A postmaster that does what a test says with each connection. */
interface Postmaster {
  readonly target: CancelTarget;
  readonly received: readonly Buffer[];
}

let server: Server | undefined;
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) {
    socket.destroy();
  }
  sockets.clear();
  if (server?.listening === true) {
    server.close();
    await once(server, 'close');
  }
});

async function startPostmaster(
  serve: (socket: Socket, received: Buffer[]) => void,
  socketPath?: string,
): Promise<Postmaster> {
  const received: Buffer[] = [];
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket, received);
  });
  server.listen(socketPath === undefined ? { port: 0, host: '127.0.0.1' } : { path: socketPath });
  await once(server, 'listening');
  const address = server.address();
  return {
    received,
    target: {
      address:
        typeof address === 'object' && address !== null
          ? { host: '127.0.0.1', port: address.port }
          : { path: address ?? '' },
      tls: undefined,
      serverName: '127.0.0.1',
      isTlsDirect: false,
    },
  };
}

/** Takes a CancelRequest as PostgreSQL does: reads it, signals, closes without a word. */
function takeAndClose(socket: Socket, received: Buffer[]): void {
  const parts: Buffer[] = [];
  socket.on('data', (chunk) => {
    parts.push(chunk);
    const bytes = Buffer.concat(parts);
    if (bytes.length >= REQUEST.length) {
      received.push(bytes);
      socket.end();
    }
  });
}

/** Answers an SSLRequest, and goes on in TLS when the answer begins with S. */
function answerSslRequest(socket: Socket, received: Buffer[], answer: string): void {
  socket.once('data', (chunk: Buffer) => {
    received.push(chunk);
    socket.write(answer);
    if (answer.startsWith('S')) {
      takeAndClose(secure(socket), received);
    }
  });
}

function secure(socket: Socket): TLSSocket {
  const encrypted = new TLSSocket(socket, {
    isServer: true,
    secureContext: SECURE_CONTEXT,
    ALPNProtocols: ['postgresql'],
  });
  encrypted.on('error', () => undefined);
  return encrypted;
}

describe('sendCancel in plain text', () => {
  test('sends the key, and resolves when the upstream has closed', async () => {
    const { target, received } = await startPostmaster(takeAndClose);
    expect(await sendCancel(target, KEY)).toBe('taken');
    expect(received).toEqual([REQUEST]);
  });

  test('waits for the upstream to close, and not only for it to have read', async () => {
    const { target, received } = await startPostmaster((socket, taken) => {
      socket.once('data', (chunk) => taken.push(chunk));
    });
    let delivery: string | undefined;
    const sent = sendCancel(target, KEY).then((result) => {
      delivery = result;
    });
    await untilFact(() => received.length === 1, 'the key to be read');
    await new Promise((resolve) => setImmediate(resolve));
    expect(delivery).toBeUndefined();
    sockets.forEach((socket) => socket.end());
    await sent;
    expect(delivery).toBe('taken');
  });

  test('goes to a socket in the file system as well', async () => {
    const directory = await createTemporaryDirectory();
    try {
      const socketPath = path.join(directory.path, '.s.PGSQL.5432');
      const { target, received } = await startPostmaster(takeAndClose, socketPath);
      expect(await sendCancel(target, KEY)).toBe('taken');
      expect(received).toEqual([REQUEST]);
    } finally {
      await directory.remove();
    }
  });

  test('is unsent when nobody listens', async () => {
    const { target } = await startPostmaster(takeAndClose);
    server?.close();
    expect(await sendCancel(target, KEY)).toBe('unsent');
    expect(await sendCancel({ ...target, address: { path: '/nowhere/.s' } }, KEY)).toBe('unsent');
  });

  test('is unconfirmed when the connection breaks after the key is on its way', async () => {
    const { target } = await startPostmaster((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    expect(await sendCancel(target, KEY)).toBe('unconfirmed');
  });

  test('is unconfirmed when the upstream does not close in time', async () => {
    const { target } = await startPostmaster((socket) => socket.resume());
    const startedAtMs = performance.now();
    expect(await sendCancel(target, KEY)).toBe('unconfirmed');
    expect(performance.now() - startedAtMs).toBeGreaterThan(CANCEL_TIMEOUT_MS - 50);
    await untilFact(() => [...sockets].every(({ closed }) => closed), 'our end to be closed');
  });
});

describe('sendCancel in TLS', () => {
  test('asks for it, and encrypts the key', async () => {
    const { target, received } = await startPostmaster((socket, taken) => {
      answerSslRequest(socket, taken, 'S');
    });
    expect(await sendCancel({ ...target, tls: { ca: AUTHORITY } }, KEY)).toBe('taken');
    expect(received).toEqual([SSL_REQUEST, REQUEST]);
  });

  test('begins with it at once where the upstream wants that', async () => {
    const protocols: (string | false | null)[] = [];
    const { target, received } = await startPostmaster((socket, taken) => {
      const encrypted = secure(socket);
      encrypted.on('secure', () => protocols.push(encrypted.alpnProtocol));
      takeAndClose(encrypted, taken);
    });
    const direct = { ...target, tls: { ca: AUTHORITY }, isTlsDirect: true };
    expect(await sendCancel(direct, KEY)).toBe('taken');
    expect(received).toEqual([REQUEST]);
    expect(protocols).toEqual(['postgresql']);
  });

  test.each(['localhost', '127.0.0.1', '::1'])(
    'checks the certificate against the name %s',
    async (serverName) => {
      const { target } = await startPostmaster((socket, taken) => {
        answerSslRequest(socket, taken, 'S');
      });
      expect(await sendCancel({ ...target, tls: { ca: AUTHORITY }, serverName }, KEY)).toBe(
        'taken',
      );
    },
  );

  test.each([
    ['the certificate is for another name', { ca: AUTHORITY }, 'db.example', 'S'],
    ['nobody has signed the certificate', {}, '127.0.0.1', 'S'],
    ['the upstream speaks no TLS', { ca: AUTHORITY }, '127.0.0.1', 'N'],
    ['the upstream sends bytes of its own behind S', { ca: AUTHORITY }, '127.0.0.1', 'SE'],
    ['the upstream answers with an error', { ca: AUTHORITY }, '127.0.0.1', 'EFATAL\0'],
  ])('keeps the key to itself when %s', async (_name, tls, serverName, answer) => {
    const { target, received } = await startPostmaster((socket, taken) => {
      answerSslRequest(socket, taken, answer);
    });
    expect(await sendCancel({ ...target, tls, serverName }, KEY)).toBe('unsent');
    expect(received).toEqual([SSL_REQUEST]);
  });

  test('keeps the key to itself when the upstream leaves instead of an answer', async () => {
    const { target } = await startPostmaster((socket) => {
      socket.once('data', () => socket.end());
    });
    expect(await sendCancel({ ...target, tls: { ca: AUTHORITY } }, KEY)).toBe('unsent');
  });
});
