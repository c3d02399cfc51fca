// A cancel needs exactly the session's key, and a key cannot be guessed.
import { afterEach, beforeEach, describe, expect, it, test } from '@jest/globals';
import { commandComplete, readyForQuery } from '../support/backend-frames.ts';
import { cancel, loginWithKey } from '../support/cancels.ts';
import type { Cancellable } from '../support/cancels.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import type { FakeUpstream } from '../support/fake-upstream.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { int32, queryFrame, typesOf, WireClient } from '../support/wire-client.ts';

/** More than an address may try at once. */
const GUESSES = 60;

const ANSWER = Buffer.concat([commandComplete('SELECT 0'), readyForQuery()]);

let upstream: FakeUpstream;
let gate: Gate;
let session: Cancellable;

beforeEach(async () => {
  upstream = await startFakeUpstream({});
  gate = await startGate({ dsn: upstream.dsn });
  session = await loginWithKey(gate.port);
});

afterEach(async () => {
  session.client.destroy();
  await gate.stop();
  await upstream.stop();
});

describe('A cancel with another key', () => {
  test.each([
    { name: 'a wrong secret', change: { secretKey: 4712 } },
    { name: 'a secret of zero', change: { secretKey: 0 } },
    { name: 'a wrong process id', change: { processId: 1 } },
  ])('does nothing to a session of this process: $name', async ({ change }) => {
    const { client, key } = session;
    client.send(queryFrame('select 1'));
    const { socket } = await upstream.asked('select 1');
    expect(await cancel(gate.port, { ...key, ...change })).toHaveLength(0);
    expect(resultsOf(gate)).toEqual(['unknown']);
    socket.write(ANSWER);
    expect(typesOf(await client.untilReady())).toBe('CZ');
    expect(gate.statements()).toMatchObject([{ outcome: 'ok' }]);
  });

  test.each([
    { name: 'one byte short', body: Buffer.concat([int32(80877102), Buffer.alloc(7)]) },
    { name: 'of a later protocol', body: Buffer.concat([int32(80877102), Buffer.alloc(36)]) },
  ])('is closed in silence when its key is $name', async ({ body }) => {
    const client = await WireClient.open(gate.port);
    client.send(int32(body.length + 4), body);
    expect(await client.closed()).toHaveLength(0);
    expect(resultsOf(gate)).toEqual(['unknown']);
    expect(upstream.cancels).toBe(0);
  });

  it('is tried at the upstream a few times, and no more by the same address', async () => {
    const guesses = Array.from(
      { length: GUESSES },
      async (_, guess) => await cancel(gate.port, { processId: 1, secretKey: guess }),
    );
    expect((await Promise.all(guesses)).every((answer) => answer.length === 0)).toBe(true);
    const results = resultsOf(gate);
    expect(results).toHaveLength(GUESSES);
    expect(new Set(results)).toEqual(new Set(['unknown', 'rate-limited']));
    expect(upstream.cancels).toBe(results.filter((result) => result === 'unknown').length);
    expect(upstream.cancels).toBeLessThan(GUESSES / 2);
  });

  it('does not use up what a known key may do', async () => {
    for (let guess = 0; guess < GUESSES; guess += 1) {
      await cancel(gate.port, { processId: 1, secretKey: guess });
    }
    const before = upstream.cancels;
    session.client.send(queryFrame('select 1'));
    const { socket } = await upstream.asked('select 1');
    await cancel(gate.port, session.key);
    socket.write(ANSWER);
    expect(resultsOf(gate).at(-1)).toBe('matched');
    expect(upstream.cancels).toBe(before + 1);
  });
});

describe('The key of a session', () => {
  it('does nothing when nothing runs', async () => {
    await cancel(gate.port, session.key);
    expect(resultsOf(gate)).toEqual(['late']);
    expect(upstream.cancels).toBe(0);
  });

  it('is forgotten with its session', async () => {
    session.client.destroy();
    await gate.observed((one) => one.kind === 'session-closed');
    await cancel(gate.port, session.key);
    expect(resultsOf(gate)).toEqual(['unknown']);
  });
});

/** What became of the cancels so far. */
function resultsOf({ observations }: Gate): string[] {
  return observations.flatMap((one) => (one.kind === 'cancel-requested' ? [one.result] : []));
}
