// A cancel that comes late never strikes the next statement.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Socket } from 'node:net';
import {
  commandComplete,
  dataRow,
  errorResponse,
  readyForQuery,
} from '../support/backend-frames.ts';
import { cancel, loginWithKey } from '../support/cancels.ts';
import type { Cancellable } from '../support/cancels.ts';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import type { FakeUpstream } from '../support/fake-upstream.ts';
import { untilFact } from '../support/facts.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport, queryFrame, reportFields, typesOf } from '../support/wire-client.ts';

const ROUNDS = 250;

const ANSWER = Buffer.concat([commandComplete('SELECT 0'), readyForQuery()]);

describe('A cancel that races with the end of its statement', () => {
  let database: TestDatabase;
  let gate: Gate;

  beforeAll(async () => {
    database = await createTestDatabase();
    gate = await startGate({ dsn: database.url });
  });

  afterAll(async () => {
    await gate.stop();
    await database.drop();
  });

  it(`never strikes the statement after it, in ${ROUNDS} rounds`, async () => {
    const { client, key } = await loginWithKey(gate.port);
    for (let round = 0; round < ROUNDS; round += 1) {
      client.send(queryFrame(`select pg_sleep(${(round % 10) / 2000})`));
      const [first] = await Promise.all([client.untilReady(), cancel(gate.port, key)]);
      expect(typesOf(first)).toMatch(/^(TDC|(TD?)?E)Z$/);
      expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    }
    client.destroy();
  });

  it('never strikes one of another session', async () => {
    const [struck, spared] = [await loginWithKey(gate.port), await loginWithKey(gate.port)];
    for (let round = 0; round < ROUNDS; round += 1) {
      struck.client.send(queryFrame('select pg_sleep(0.001)'));
      spared.client.send(queryFrame('select pg_sleep(0.001)'));
      const [, answer] = await Promise.all([
        struck.client.untilReady(),
        spared.client.untilReady(),
        cancel(gate.port, struck.key),
      ]);
      expect(typesOf(answer)).toBe('TDCZ');
    }
    struck.client.destroy();
    spared.client.destroy();
  });
});

describe('A cancel that is under way', () => {
  /** CancelRequests that the upstream has not taken yet. */
  let pending: Socket[];
  let upstream: FakeUpstream;
  let gate: Gate;
  let session: Cancellable;

  beforeEach(async () => {
    pending = [];
    upstream = await startFakeUpstream({
      onCancel: (socket) => {
        pending.push(socket);
      },
    });
    gate = await startGate({ dsn: upstream.dsn, limits: { rowsMax: 2 } });
    session = await loginWithKey(gate.port);
  });

  afterEach(async () => {
    session.client.destroy();
    await gate.stop();
    await upstream.stop();
  });

  async function untilPending(count: number): Promise<void> {
    await untilFact(() => pending.length === count, `${count} cancels to reach the upstream`);
  }

  it('holds back the next statement until the upstream has taken it', async () => {
    const { client, key } = session;
    client.send(queryFrame('first'));
    const { socket } = await upstream.asked('first');
    const cancelled = cancel(gate.port, key);
    await untilPending(1);
    socket.write(ANSWER);
    expect(typesOf(await client.untilReady())).toBe('CZ');
    client.send(queryFrame('second'));
    // A whole round of another session: what is going to be sent has been sent by then.
    const other = await loginWithKey(gate.port);
    other.client.send(queryFrame('of another session'));
    (await upstream.asked('of another session')).socket.write(ANSWER);
    await other.client.untilReady();
    expect(upstream.queries).toEqual(['first', 'of another session']);
    pending.pop()?.end();
    await cancelled;
    (await upstream.asked('second')).socket.write(ANSWER);
    expect(typesOf(await client.untilReady())).toBe('CZ');
    other.client.destroy();
  });

  it(`keeps its client's socket open until the upstream has taken it`, async () => {
    const { client, key } = session;
    client.send(queryFrame('first'));
    const { socket } = await upstream.asked('first');
    let isAnswered = false;
    const cancelled = cancel(gate.port, key).then(() => (isAnswered = true));
    await untilPending(1);
    socket.write(Buffer.concat([errorResponse('57014'), readyForQuery()]));
    await client.untilReady();
    expect(isAnswered).toBe(false);
    pending.pop()?.end();
    expect(await cancelled).toBe(true);
    expect(gate.observations.at(-1)).toMatchObject({ kind: 'cancel-requested', result: 'matched' });
  });

  it('joins the one that a limit has sent', async () => {
    const { client, key } = session;
    client.send(queryFrame('first'));
    const { socket } = await upstream.asked('first');
    socket.write(Buffer.concat([dataRow('1'), dataRow('2'), dataRow('3')]));
    await untilPending(1);
    const cancelled = cancel(gate.port, key);
    // Whoever has logged in since then came behind the cancel.
    (await loginWithKey(gate.port)).client.destroy();
    pending.pop()?.end();
    await cancelled;
    expect(upstream.cancels).toBe(1);
    socket.write(Buffer.concat([dataRow('4'), errorResponse('57014'), readyForQuery('E')]));
    const frames = await client.untilReady();
    expect(typesOf(frames)).toBe('DDEZ');
    expect(firstReport(frames)).toMatchObject({ C: '54000' });
    client.send(queryFrame('second'));
    (await upstream.asked('second')).socket.write(ANSWER);
    expect(typesOf(await client.untilReady())).toBe('CZ');
  });

  it('ends the session when the upstream never takes it, since it may still strike', async () => {
    const { client, key } = session;
    client.send(queryFrame('first'));
    const { socket } = await upstream.asked('first');
    const cancelled = cancel(gate.port, key);
    await untilPending(1);
    socket.write(ANSWER);
    expect(typesOf(await client.untilReady())).toBe('CZ');
    client.send(queryFrame('second'));
    expect(await cancelled).toHaveLength(0);
    expect(reportFields(await client.frame())).toMatchObject({ S: 'FATAL', C: '08006' });
    expect(await client.closed()).toHaveLength(0);
    expect(upstream.queries).toEqual(['first']);
  });
});
