// The same connection, once it goes on in TLS.
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FrontendConnection } from '../../../wire/frontend-connection.ts';
import { inPieces } from '../../support/backend-frames.ts';
import { TEST_CERTIFICATES } from '../../support/certificates.ts';
import { openLoopback } from '../../support/loopback.ts';
import type { Loopback } from '../../support/loopback.ts';
import { queryFrame, SSL_REQUEST, startupPacket } from '../../support/wire-client.ts';

const SECURE_CONTEXT = createSecureContext({
  cert: readFileSync(TEST_CERTIFICATES.certFile),
  key: readFileSync(TEST_CERTIFICATES.keyFile),
});

const PACKET = startupPacket({ user: 'alice' });

let loopback: Loopback;
let connection: FrontendConnection;

beforeEach(async () => {
  loopback = await openLoopback();
  connection = new FrontendConnection(loopback.near);
});

afterEach(() => {
  connection.destroy();
  loopback.close();
});

describe('upgrade', () => {
  test('goes on in TLS after an SSLRequest', async () => {
    loopback.far.send(SSL_REQUEST);
    await connection.startupPacket();
    expect(connection.isEncrypted).toBe(false);
    connection.write(Buffer.from('S'));
    const upgraded = connection.upgrade(SECURE_CONTEXT, { isDirect: false });
    expect((await loopback.far.bytes(1)).toString()).toBe('S');
    await loopback.far.startTls();
    expect(await upgraded).toBe(true);
    expect(connection.isEncrypted).toBe(true);

    loopback.far.send(PACKET, queryFrame('select 1'));
    expect(await connection.startupPacket()).toEqual(PACKET.subarray(4));
    expect((await connection.frame())?.bytes).toEqual(queryFrame('select 1'));
    connection.write(Buffer.from('encrypted '), Buffer.from('answer'));
    expect((await loopback.far.bytes(16)).toString()).toBe('encrypted answer');
    const ended = connection.end();
    await loopback.far.closed();
    await ended;
    expect(connection.isClosed).toBe(true);
  });

  test('answers a pipeline of a client that says its last word in TLS', async () => {
    const secured = loopback.far.startTls();
    expect(await connection.upgrade(SECURE_CONTEXT, { isDirect: false })).toBe(true);
    await secured;
    loopback.far.send(PACKET, queryFrame('select 1'));
    loopback.far.end();
    expect(await connection.startupPacket()).toEqual(PACKET.subarray(4));
    expect((await connection.frame())?.bytes).toEqual(queryFrame('select 1'));
    expect(await connection.frame()).toBeUndefined();
    connection.write(Buffer.from('answer'));
    expect((await loopback.far.bytes(6)).toString()).toBe('answer');
  });

  test('goes on in TLS from the first byte, which has been looked at', async () => {
    const secured = loopback.far.startTls({ ALPNProtocols: ['postgresql'] });
    expect(await connection.firstByte()).toBe(0x16);
    expect(await connection.upgrade(SECURE_CONTEXT, { isDirect: true })).toBe(true);
    await secured;
    loopback.far.send(PACKET);
    expect(await connection.startupPacket()).toEqual(PACKET.subarray(4));
  });

  test.each([
    ['no ALPN', {}, { isDirect: true }, false],
    ['no ALPN after an SSLRequest', {}, { isDirect: false }, true],
    ['ALPN after an SSLRequest', { ALPNProtocols: ['postgresql'] }, { isDirect: false }, true],
  ])('with %s', async (_name, tlsOptions, options, isTaken) => {
    const secured = loopback.far.startTls(tlsOptions);
    await connection.firstByte();
    const upgraded = connection.upgrade(SECURE_CONTEXT, options);
    if (isTaken) {
      expect(await upgraded).toBe(true);
    } else {
      await expect(upgraded).rejects.toMatchObject({
        sqlState: '08P01',
        severity: 'FATAL',
        message:
          'received direct SSL connection request without ALPN protocol negotiation extension',
      });
    }
    await secured;
  });

  test('fails when the client speaks another application protocol', async () => {
    const secured = loopback.far.startTls({ ALPNProtocols: ['h2'] });
    const refused = expect(secured).rejects.toThrow();
    await connection.firstByte();
    expect(await connection.upgrade(SECURE_CONTEXT, { isDirect: true })).toBe(false);
    await refused;
  });

  test.each([
    ['sends what is not TLS', () => loopback.far.send(queryFrame('select 1'))],
    ['leaves at once', () => loopback.far.destroy()],
    [
      'leaves in the middle of the handshake',
      () => {
        loopback.far.send(Buffer.from([0x16, 3, 1, 2, 0]));
        loopback.far.destroy();
      },
    ],
  ])('gives up when the client %s', async (_name, act) => {
    const upgraded = connection.upgrade(SECURE_CONTEXT, { isDirect: false });
    act();
    expect(await upgraded).toBe(false);
    expect(await connection.startupPacket()).toBeUndefined();
  });

  test('ends when the connection is destroyed from here', async () => {
    const upgraded = connection.upgrade(SECURE_CONTEXT, { isDirect: false });
    connection.destroy();
    expect(await upgraded).toBe(false);
  });
});

test('a large frame and its answer pass through TLS at the pace of the other side', async () => {
  const secured = loopback.far.startTls();
  await connection.firstByte();
  await connection.upgrade(SECURE_CONTEXT, { isDirect: false });
  await secured;
  const frame = queryFrame('x'.repeat(2 * 1024 * 1024));
  const read = connection.frame();
  for (const piece of inPieces(frame, 100_000)) {
    loopback.far.send(piece);
  }
  expect((await read)?.bytes.equals(frame)).toBe(true);
  loopback.far.pause();
  connection.write(frame, frame, frame, frame);
  expect(connection.hasRoom).toBe(false);
  const room = connection.room();
  loopback.far.resume();
  await room;
  expect(await loopback.far.bytes(4 * frame.length)).toHaveLength(4 * frame.length);
});
