// A cancel stops one operation on the server, and no other.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { untilFact } from '../support/facts.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  cancelRequest,
  firstReport,
  keyOf,
  queryFrame,
  startupPacket,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

const FACT_TIMEOUT_MS = 10_000;

let database: TestMongodbDatabase;
let gate: Gate;

/** Runs for about five seconds unless it is stopped; the mark tells one from another. */
const slow = (mark: string): string =>
  `db.many.find({$where: "sleep(50) || true", mark: {$ne: "${mark}"}})`;

async function running(mark: string): Promise<number> {
  const found = await database.client
    .db('admin')
    .aggregate([
      { $currentOp: { localOps: true } },
      { $match: { ns: `${database.name}.many`, 'command.filter.mark.$ne': mark } },
    ])
    .toArray();
  return found.length;
}

async function untilRunning(mark: string, count: number): Promise<void> {
  const deadline = Date.now() + FACT_TIMEOUT_MS;
  while ((await running(mark)) !== count) {
    if (Date.now() > deadline) {
      throw new Error(`${mark} did not come to run ${count} times`);
    }
  }
}

async function loginWithKey(): Promise<{
  client: WireClient;
  key: { processId: number; secretKey: number };
}> {
  const client = await WireClient.open(gate.port);
  client.send(startupPacket({ user: 'tester' }));
  const key = keyOf(await client.untilReady());
  return { client, key };
}

describeMongodb('A cancel on MongoDB', () => {
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    const documents = Array.from({ length: 30 }, (_, index) => ({ _id: index }));
    await database.client
      .db(database.name)
      .collection<{ _id: number }>('many')
      .insertMany(documents);
    gate = await startMongodbGate({ uri: database.uri, rules: { isJavaScriptAllowed: true } });
  });

  afterAll(async () => {
    await gate.stop();
    await database.drop();
  });

  it('ends the statement of its session, while that of another goes on to its end', async () => {
    const one = await loginWithKey();
    const other = await loginWithKey();
    one.client.send(queryFrame(slow('one')));
    other.client.send(queryFrame(slow('other')));
    await untilRunning('one', 1);
    await untilRunning('other', 1);
    const canceller = await WireClient.open(gate.port);
    canceller.send(cancelRequest(one.key.processId, one.key.secretKey));
    const frames = await one.client.untilReady();
    expect(firstReport(frames)).toMatchObject({
      C: '57014',
      M: 'canceling statement due to user request',
    });
    await untilRunning('one', 0);
    expect(gate.statements().at(-1)).toMatchObject({ outcome: 'cancelled', sqlState: '57014' });
    expect(typesOf(await one.client.query('db.many.findOne()'))).toBe('TDCZ');
    const whole = await other.client.untilReady();
    expect(typesOf(whole)).toBe(`T${'D'.repeat(30)}CZ`);
    for (const client of [one.client, other.client, canceller]) {
      client.destroy();
    }
  });

  it('of a write says that what was written stands', async () => {
    const { client, key } = await loginWithKey();
    client.send(
      queryFrame(
        'db.many.updateMany({$where: "sleep(50) || true", mark: {$ne: "half"}}, {$set: {n: 1}})',
      ),
    );
    await untilFact(async () => {
      const ops = await database.client
        .db('admin')
        .aggregate([
          { $currentOp: { localOps: true } },
          { $match: { 'command.q.mark.$ne': 'half' } },
        ])
        .toArray();
      return ops.length > 0;
    }, 'the update to run');
    const canceller = await WireClient.open(gate.port);
    canceller.send(cancelRequest(key.processId, key.secretKey));
    expect(firstReport(await client.untilReady())).toMatchObject({
      C: '57014',
      D: expect.stringMatching(/^MongoDB does not undo: what was written before the stop stands/),
    });
    client.destroy();
    canceller.destroy();
  });

  it('is what statement_timeout does, statement by statement', async () => {
    const { client } = await loginWithKey();
    await client.query('set statement_timeout = 300');
    const frames = await client.query(slow('timeout'));
    expect(firstReport(frames)).toMatchObject({
      C: '57014',
      M: 'canceling statement due to statement timeout',
    });
    await untilRunning('timeout', 0);
    await client.query('set statement_timeout = 0');
    expect(typesOf(await client.query(slow('whole')))).toBe(`T${'D'.repeat(30)}CZ`);
    client.destroy();
  });

  it('is what a client does that goes away', async () => {
    const { client } = await loginWithKey();
    client.send(queryFrame(slow('gone')));
    await untilRunning('gone', 1);
    client.destroy();
    await untilRunning('gone', 0);
    await gate.observed((seen) => seen.kind === 'session-closed');
  });
});
