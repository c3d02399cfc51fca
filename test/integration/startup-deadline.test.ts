// From accept to ready there is one deadline, and silent sockets cost no client its place.
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { testPostgresUrl } from '../support/databases.ts';
import { untilFact } from '../support/facts.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import type { FakeUpstream } from '../support/fake-upstream.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate, GateOptions } from '../support/start-gate.ts';
import { TEST_CERTIFICATES } from '../support/certificates.ts';
import {
  reportFields,
  SSL_REQUEST,
  startupPacket,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

/** Long enough for a login on a busy machine, short enough to wait for. */
const STARTUP_TIMEOUT_MS = 1000;

/** More than the listener keeps of those that have sent no startup packet. */
const SILENT_SOCKETS = 1100;

let gate: Gate;
let upstream: FakeUpstream | undefined;

afterEach(async () => {
  await gate.stop();
  await upstream?.stop();
  upstream = undefined;
});

async function startHastyGate(options: Partial<GateOptions> = {}): Promise<void> {
  const startupTimeoutMs = STARTUP_TIMEOUT_MS;
  gate = await startGate({ dsn: testPostgresUrl(), startupTimeoutMs, ...options });
}

/** Milliseconds from now until the server closes. */
async function msUntilClosed(client: WireClient): Promise<number> {
  const startedAtMs = performance.now();
  await client.closed();
  return performance.now() - startedAtMs;
}

describe('The deadline of the startup', () => {
  it('closes a socket that says nothing, and observes it', async () => {
    await startHastyGate();
    const client = await WireClient.open(gate.port);
    expect(await client.closed()).toHaveLength(0);
    const rejection = await gate.observed((one) => one.kind === 'connection-rejected');
    expect(rejection).toMatchObject({ reason: 'startup-timeout' });
  });

  it('is not put off by bytes that trickle in', async () => {
    await startHastyGate();
    const client = await WireClient.open(gate.port);
    // At this pace the packet would take half a minute.
    const packet = startupPacket({ user: 'x'.repeat(3000) });
    let sent = 0;
    for (; !client.isClosed && sent < packet.length; sent += 1) {
      client.send(packet.subarray(sent, sent + 1));
      await pause(10);
    }
    expect(sent).toBeLessThan(packet.length);
    expect(await client.closed()).toHaveLength(0);
  });

  it('counts from the accept, not from an answered request', async () => {
    await startHastyGate({ tls: TEST_CERTIFICATES });
    const client = await WireClient.open(gate.port);
    client.send(SSL_REQUEST);
    expect((await client.bytes(1)).toString()).toBe('S');
    // No handshake follows.
    expect(await msUntilClosed(client)).toBeLessThan(STARTUP_TIMEOUT_MS * 2);
  });

  it('tells a client that has sent its packet that the upstream did not answer', async () => {
    upstream = await startFakeUpstream({ isSilent: true });
    await startHastyGate({ dsn: upstream.dsn });
    const client = await WireClient.open(gate.port);
    client.send(startupPacket({ user: 'tester' }));
    const fields = reportFields({ type: 'E', bytes: await client.closed() });
    expect(fields).toMatchObject({
      S: 'FATAL',
      C: '08001',
      D: expect.stringContaining('The server did not answer in time'),
    });
    await untilFact(() => upstream?.connections === 0, 'the upstream connection to be gone');
  });

  it('does not end a session that was ready in time', async () => {
    await startHastyGate();
    const client = await WireClient.login(gate.port);
    const slow = await client.query(`select pg_sleep(${(STARTUP_TIMEOUT_MS * 1.5) / 1000})`);
    expect(typesOf(slow)).toBe('TDCZ');
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    client.destroy();
  });
});

describe('Sockets that say nothing', () => {
  it('do not keep a real login out, however many they are', async () => {
    gate = await startGate({ dsn: testPostgresUrl(), connectionsMax: 5 });
    const silent: WireClient[] = [];
    for (let count = 0; count < SILENT_SOCKETS; count += 1) {
      silent.push(await WireClient.open(gate.port));
    }
    const client = await WireClient.login(gate.port);
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    await untilFact(() => silent[0]?.isClosed === true, 'the oldest of them to be closed');
    expect(silent.at(-1)?.isClosed).toBe(false);
    const rejection = await gate.observed((one) => one.kind === 'connection-rejected');
    expect(rejection).toMatchObject({ reason: 'too-many-unauthenticated' });
    for (const one of [client, ...silent]) {
      one.destroy();
    }
  });
});
