// SSLRequest, GSSENCRequest and TLS from the first byte on, before anybody has logged in.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TEST_CERTIFICATES } from '../support/certificates.ts';
import { testPostgresUrl } from '../support/databases.ts';
import {
  destroyDirectClients,
  essentialFields,
  lastWords,
  openDirectly,
} from '../support/direct-client.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  GSSENC_REQUEST,
  queryFrame,
  reportFields,
  SSL_REQUEST,
  startupPacket,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

const STARTUP = startupPacket({ user: 'tester' });

let plain: Gate;
let encrypted: Gate;

beforeAll(async () => {
  const dsn = testPostgresUrl();
  plain = await startGate({ dsn });
  encrypted = await startGate({ dsn, tls: TEST_CERTIFICATES });
});

afterAll(async () => {
  destroyDirectClients();
  await Promise.all([plain.stop(), encrypted.stop()]);
});

async function answer(client: WireClient, request: Buffer): Promise<string> {
  client.send(request);
  return (await client.bytes(1)).toString();
}

/** The last ErrorResponse before the close; PostgreSQL may have answered the request before it. */
function lastError(bytes: Buffer): Record<string, unknown> {
  const start = bytes.indexOf('E');
  return essentialFields(reportFields({ type: 'E', bytes: bytes.subarray(start) }));
}

describe('A listener without TLS', () => {
  it.each([
    { name: 'SSLRequest', requests: [SSL_REQUEST] },
    { name: 'GSSENCRequest', requests: [GSSENC_REQUEST] },
    { name: 'SSLRequest and then GSSENCRequest', requests: [SSL_REQUEST, GSSENC_REQUEST] },
    { name: 'GSSENCRequest and then SSLRequest', requests: [GSSENC_REQUEST, SSL_REQUEST] },
  ])('declines $name and takes the login on the same socket', async ({ requests }) => {
    const client = await WireClient.open(plain.port);
    for (const request of requests) {
      expect(await answer(client, request)).toBe('N');
    }
    client.send(STARTUP);
    await client.untilReady();
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    client.destroy();
  });

  it.each([
    { name: 'SSLRequest', request: SSL_REQUEST },
    { name: 'GSSENCRequest', request: GSSENC_REQUEST },
  ])('refuses a second $name as PostgreSQL does', async ({ request }) => {
    const direct = await openDirectly(testPostgresUrl());
    const client = await WireClient.open(plain.port);
    expect(await answer(client, request)).toBe(await answer(direct, request));
    const refusal = lastError(await lastWords(client, request));
    expect(refusal).toEqual(lastError(await lastWords(direct, request)));
    expect(refusal).toMatchObject({ S: 'FATAL', C: '0A000' });
  });

  it.each([
    { first: SSL_REQUEST, second: GSSENC_REQUEST },
    { first: GSSENC_REQUEST, second: SSL_REQUEST },
  ])('answers each kind of request once, whatever lies between', async ({ first, second }) => {
    const client = await WireClient.open(plain.port);
    await answer(client, first);
    await answer(client, second);
    expect(lastError(await lastWords(client, first))).toMatchObject({ S: 'FATAL', C: '0A000' });
  });

  it.each([
    { name: 'SSLRequest', request: SSL_REQUEST },
    { name: 'GSSENCRequest', request: GSSENC_REQUEST },
  ])('refuses what is sent behind $name in plain text', async ({ request }) => {
    const packet = Buffer.concat([request, STARTUP]);
    const refusal = lastError(await lastWords(await WireClient.open(plain.port), packet));
    const direct = await openDirectly(testPostgresUrl());
    expect(refusal).toEqual(lastError(await lastWords(direct, packet)));
    expect(refusal).toMatchObject({ S: 'FATAL', C: '08P01' });
  });

  it.each([1, 3, 4, 7])('takes an SSLRequest that is split behind byte %i', async (boundary) => {
    const client = await WireClient.open(plain.port);
    await client.sendInPieces([SSL_REQUEST.subarray(0, boundary), SSL_REQUEST.subarray(boundary)]);
    expect((await client.bytes(1)).toString()).toBe('N');
    client.send(STARTUP);
    await client.untilReady();
    client.destroy();
  });

  it('closes at a TLS ClientHello and says nothing', async () => {
    const client = await WireClient.open(plain.port);
    await expect(client.startTls({ ALPNProtocols: ['postgresql'] })).rejects.toThrow();
    expect(Buffer.concat(client.transcript)).toHaveLength(0);
  });

  it('lets psql go on in plain text, unless it demands TLS', async () => {
    const url = `postgresql://tester@127.0.0.1:${plain.port}/postgres`;
    const args = ['-Atc', 'select 1'];
    expect(await runPsql({ url: `${url}?sslmode=prefer`, args })).toMatchObject({ stdout: '1' });
    expect(await runPsql({ url: `${url}?sslmode=require`, args })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('server does not support SSL, but SSL was required'),
    });
  });
});

describe('A listener with TLS', () => {
  it('accepts SSLRequest and speaks the protocol in TLS', async () => {
    const client = await WireClient.open(encrypted.port);
    expect(await answer(client, SSL_REQUEST)).toBe('S');
    await client.startTls();
    client.send(STARTUP);
    await client.untilReady();
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    client.destroy();
  });

  it('declines GSSENCRequest and accepts SSLRequest behind it', async () => {
    const client = await WireClient.open(encrypted.port);
    expect(await answer(client, GSSENC_REQUEST)).toBe('N');
    expect(await answer(client, SSL_REQUEST)).toBe('S');
    await client.startTls();
    client.send(STARTUP);
    await client.untilReady();
    client.destroy();
  });

  it('takes a login in plain text', async () => {
    const client = await WireClient.login(encrypted.port);
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    client.destroy();
  });

  it('never takes plain text behind SSLRequest for text inside TLS', async () => {
    const client = await WireClient.open(encrypted.port);
    const bytes = await lastWords(client, Buffer.concat([SSL_REQUEST, STARTUP, queryFrame('x')]));
    expect(lastError(bytes)).toMatchObject({ S: 'FATAL', C: '08P01' });
    expect(encrypted.statements().filter(({ text }) => text === 'x')).toEqual([]);
  });

  it.each([
    { name: 'SSLRequest', request: SSL_REQUEST },
    { name: 'GSSENCRequest', request: GSSENC_REQUEST },
  ])('refuses $name inside TLS', async ({ request }) => {
    const client = await WireClient.open(encrypted.port);
    await answer(client, SSL_REQUEST);
    await client.startTls();
    const refusal = lastError(await lastWords(client, request));
    expect(refusal).toMatchObject({ S: 'FATAL', C: '0A000' });
  });

  it('takes TLS from the first byte on with ALPN postgresql', async () => {
    const client = await WireClient.open(encrypted.port);
    await client.startTls({ ALPNProtocols: ['postgresql'] });
    client.send(STARTUP);
    await client.untilReady();
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    client.destroy();
  });

  it('refuses TLS from the first byte on without ALPN', async () => {
    const client = await WireClient.open(encrypted.port);
    await client.startTls();
    expect(lastError(await lastWords(client, STARTUP))).toEqual({
      S: 'FATAL',
      V: 'FATAL',
      C: '08P01',
      M: 'received direct SSL connection request without ALPN protocol negotiation extension',
    });
  });

  it('refuses another ALPN name in the handshake', async () => {
    const client = await WireClient.open(encrypted.port);
    await expect(client.startTls({ ALPNProtocols: ['h2'] })).rejects.toThrow(/no application/i);
  });

  it.each(['require', 'verify-full'])('lets psql in with sslmode=%s', async (mode) => {
    const query = `sslmode=${mode}&sslrootcert=${TEST_CERTIFICATES.authority}`;
    const url = `postgresql://tester@127.0.0.1:${encrypted.port}/postgres?${query}`;
    const result = await runPsql({
      url,
      args: ['-At', '-c', String.raw`\conninfo`, '-c', 'select 1'],
    });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toMatch(/SSL connection \(protocol: TLSv1\.3.*\n1$/s);
    const opened = encrypted.observations.findLast((one) => one.kind === 'session-opened');
    expect(opened?.session).toMatchObject({ applicationName: 'psql', isEncrypted: true });
  });

  it('outlives a client that breaks the handshake off', async () => {
    const client = await WireClient.open(encrypted.port);
    expect(await answer(client, SSL_REQUEST)).toBe('S');
    expect((await lastWords(client, Buffer.from('this is no TLS record'))).length).toBeLessThan(64);
    const next = await WireClient.login(encrypted.port);
    next.destroy();
  });
});
