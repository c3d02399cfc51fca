// 3.0 is spoken; newer 3.x is brought down to it, everything else is refused as PostgreSQL does.
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

let gate: Gate;

beforeAll(async () => {
  gate = await startGate({ dsn: testPostgresUrl() });
});

afterAll(async () => {
  destroyDirectClients();
  await gate.stop();
});

function version(major: number, minor: number): number {
  return (major << 16) + minor;
}

/** The frames' bytes up to the first Authentication message, which is where the ways part. */
async function beforeAuthentication(client: WireClient, packet: Buffer): Promise<Buffer> {
  client.send(packet);
  const frames = await client.until('R');
  return Buffer.concat(frames.slice(0, -1).map(({ bytes }) => bytes));
}

describe('A startup packet', () => {
  it('of protocol 3.0 needs no negotiation', async () => {
    const client = await WireClient.open(gate.port);
    client.send(startupPacket({ user: 'tester' }));
    expect(typesOf(await client.untilReady())).toMatch(/^RS+KZ$/);
    client.destroy();
  });

  it.each([
    { name: 'protocol 3.2', minor: 2, options: {} },
    { name: 'protocol 3.9999', minor: 9999, options: {} },
    {
      name: 'protocol 3.9999 with an option, as libpq 19 tests it',
      minor: 9999,
      options: { '_pq_.test_protocol_negotiation': '' },
    },
    { name: 'an unknown protocol option', minor: 0, options: { '_pq_.x': '1' } },
    { name: 'two unknown protocol options', minor: 0, options: { '_pq_.b': '1', '_pq_.a': '' } },
  ])('with $name is negotiated as by PostgreSQL, and then logs in', async ({ minor, options }) => {
    const packet = startupPacket({ user: 'postgres', ...options }, version(3, minor));
    const direct = await openDirectly(testPostgresUrl());
    const client = await WireClient.open(gate.port);
    const negotiation = await beforeAuthentication(client, packet);
    expect(negotiation.toString('latin1', 0, 1)).toBe('v');
    expect(negotiation).toEqual(await beforeAuthentication(direct, packet));
    await client.untilReady();
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    client.destroy();
    direct.destroy();
  });

  it.each([
    { name: 'laid out as protocol 3 is', packet: startupPacket({ user: 'x' }, version(2, 0)) },
    {
      name: 'laid out as protocol 2 was',
      packet: Buffer.concat([int32(296), int32(version(2, 0)), Buffer.alloc(288, 'x')]),
    },
  ])('of protocol 2.0 is refused byte for byte as by PostgreSQL, $name', async ({ packet }) => {
    const refusal = await lastWords(await WireClient.open(gate.port), packet);
    const direct = await lastWords(await openDirectly(testPostgresUrl()), packet);
    expect(refusal.toString()).toMatch(/^EFATAL: {2}unsupported frontend protocol 2\.0: /);
    expect(refusal).toEqual(direct);
  });

  it.each([
    { major: 1, minor: 0 },
    { major: 2, minor: 1 },
  ])('of protocol $major.$minor is refused as by PostgreSQL', async ({ major, minor }) => {
    const packet = startupPacket({ user: 'x' }, version(major, minor));
    const refusal = await lastWords(await WireClient.open(gate.port), packet);
    expect(refusal).toEqual(await lastWords(await openDirectly(testPostgresUrl()), packet));
  });

  it.each([
    { major: 4, minor: 0 },
    { major: 4, minor: 1 },
    { major: 1234, minor: 5 },
    { major: 0x7fff, minor: 0xffff },
  ])('of protocol $major.$minor is refused as by PostgreSQL', async ({ major, minor }) => {
    const packet = startupPacket({ user: 'x' }, version(major, minor));
    const refusal = await lastWords(await WireClient.open(gate.port), packet);
    const direct = await lastWords(await openDirectly(testPostgresUrl()), packet);
    const fields = reportFields({ type: 'E', bytes: refusal });
    expect(fields).toMatchObject({ S: 'FATAL', C: '0A000' });
    expect(essentialFields(fields)).toEqual(
      essentialFields(reportFields({ type: 'E', bytes: direct })),
    );
  });
});
