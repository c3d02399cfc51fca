// Broken startup packets and clients that speak something else meet what they meet at PostgreSQL.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testPostgresUrl } from '../support/databases.ts';
import {
  destroyDirectClients,
  essentialFields,
  lastWords,
  openDirectly,
} from '../support/direct-client.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { int32, reportFields, startupPacket, typesOf, WireClient } from '../support/wire-client.ts';

const VERSION = int32(3 << 16);

let gate: Gate;

beforeAll(async () => {
  gate = await startGate({ dsn: testPostgresUrl() });
});

afterAll(async () => {
  destroyDirectClients();
  await gate.stop();
});

/** A packet of this text behind a length that fits it. */
function packetOf(text: string): Buffer {
  const body = Buffer.from(text, 'latin1');
  return Buffer.concat([int32(8 + body.length), VERSION, body]);
}

async function refusalOf(client: WireClient, packet: Buffer): Promise<Record<string, unknown>> {
  return essentialFields(reportFields({ type: 'E', bytes: await lastWords(client, packet) }));
}

describe('The length of a startup packet', () => {
  it.each([0, 4, 7, 10_001, 0x7fffffff, 0x80000000, 0xffffffff])(
    'of %i closes the connection without a word, before any body',
    async (length) => {
      const client = await WireClient.open(gate.port);
      expect(await lastWords(client, int32(length))).toHaveLength(0);
    },
  );

  it('may be 10 000, however the bytes come', async () => {
    const client = await WireClient.open(gate.port);
    const fixed = startupPacket({ user: 'tester', application_name: '' }).length;
    const packet = startupPacket({ user: 'tester', application_name: 'x'.repeat(10_000 - fixed) });
    expect(packet).toHaveLength(10_000);
    await client.sendInPieces([packet.subarray(0, 5000), packet.subarray(5000)]);
    expect(typesOf(await client.untilReady())).toMatch(/^RS+KZ$/);
    client.destroy();
  });

  it('is judged as soon as its four bytes are there, however they come', async () => {
    const client = await WireClient.open(gate.port);
    await client.sendInPieces([int32(10_001).subarray(0, 3), int32(10_001).subarray(3)]);
    expect(await client.closed()).toHaveLength(0);
  });
});

describe('The layout of a startup packet', () => {
  it.each([
    { name: 'nothing in it', text: '' },
    { name: 'no terminator', text: 'user\0tester\0' },
    { name: 'no terminator of its last value', text: 'user\0tester' },
    { name: 'a name without a value', text: 'user\0tester\0database\0' },
    { name: 'a name without a terminator of the list', text: 'user\0tester\0database\0\0' },
    { name: 'something behind its terminator', text: 'user\0tester\0\0x' },
    { name: 'a second terminator', text: 'user\0tester\0\0\0' },
    { name: 'an empty name', text: 'user\0tester\0\0value\0\0' },
  ])('with $name is refused as by PostgreSQL', async ({ text }) => {
    const refusal = await refusalOf(await WireClient.open(gate.port), packetOf(text));
    expect(refusal).toMatchObject({ S: 'FATAL', C: '08P01' });
    const direct = await openDirectly(testPostgresUrl());
    expect(refusal).toEqual(await refusalOf(direct, packetOf(text)));
  });

  it.each([
    { name: 'no parameter', text: '\0' },
    { name: 'no user', text: 'database\0postgres\0\0' },
    { name: 'an empty user', text: 'user\0\0database\0postgres\0\0' },
  ])('with $name is refused as by PostgreSQL', async ({ text }) => {
    const refusal = await refusalOf(await WireClient.open(gate.port), packetOf(text));
    expect(refusal).toMatchObject({ S: 'FATAL', C: '28000' });
    const direct = await openDirectly(testPostgresUrl());
    expect(refusal).toEqual(await refusalOf(direct, packetOf(text)));
  });

  it.each([
    { name: 'empty values', text: 'user\0tester\0database\0\0options\0\0application_name\0\0\0' },
    { name: 'a user twice', text: 'user\0first\0user\0second\0\0' },
    { name: 'bytes that are no UTF-8', text: 'user\0t\xff\xfe\0application_name\0\xc3\x28\0\0' },
    { name: 'a user of 9 000 bytes', text: `user\0${'u'.repeat(9000)}\0\0` },
  ])('with $name logs in', async ({ text }) => {
    const client = await WireClient.open(gate.port);
    client.send(packetOf(text));
    expect(typesOf(await client.untilReady())).toMatch(/^RS+KZ$/);
    client.destroy();
  });

  it('with thousands of parameters is refused', async () => {
    const text = `user\0tester\0${'a\0b\0'.repeat(2000)}\0`;
    const refusal = await refusalOf(await WireClient.open(gate.port), packetOf(text));
    expect(refusal).toMatchObject({ S: 'FATAL', C: '08P01' });
  });
});

describe('A client of another protocol', () => {
  it.each([
    { name: 'HTTP', bytes: 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n' },
    { name: 'SSH', bytes: 'SSH-2.0-OpenSSH_9.2\r\n' },
    { name: 'Redis', bytes: '*1\r\n$4\r\nPING\r\n' },
  ])('($name) is closed without a word, as by PostgreSQL', async ({ bytes }) => {
    const direct = await openDirectly(testPostgresUrl());
    const client = await WireClient.open(gate.port);
    const answer = await lastWords(client, Buffer.from(bytes));
    expect(answer).toHaveLength(0);
    expect(answer).toEqual(await lastWords(direct, Buffer.from(bytes)));
  });

  it('is observed as one that broke the protocol', async () => {
    const client = await WireClient.open(gate.port);
    await lastWords(client, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    const rejection = await gate.observed((one) => one.kind === 'connection-rejected');
    expect(rejection).toMatchObject({ reason: 'protocol-violation', address: '127.0.0.1' });
  });

  it('that connects and leaves is forgotten', async () => {
    const client = await WireClient.open(gate.port);
    client.destroy();
    const next = await WireClient.login(gate.port);
    expect(typesOf(await next.query('select 1'))).toBe('TDCZ');
    next.destroy();
  });
});
