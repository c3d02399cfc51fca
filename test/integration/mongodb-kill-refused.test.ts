// Nothing of a statement that ends early is left on the server. Where that lets nothing be killed,
// the operation's connection is given up: the session answers soon all the same, and goes on.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { cancel, loginWithKey } from '../support/cancels.ts';
import type { Cancellable } from '../support/cancels.ts';
import { untilFact } from '../support/facts.ts';
import { createTestMongodbDatabase } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { heldOperations, untilNothingHeld, untilRunning } from '../support/mongodb-facts.ts';
import { describeBehindProxy, startMongodbProxy } from '../support/mongodb-proxy.ts';
import type { KillAnswer, MongodbProxy } from '../support/mongodb-proxy.ts';
import type { Gate } from '../support/start-gate.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import type { MongodbGateOptions } from '../support/start-mongodb-gate.ts';
import { firstReport, queryFrame, typesOf, valueOf } from '../support/wire-client.ts';

/** More than the grace that an operation has, and far less than one of them takes. */
const SOON_MS = 4000;

/** Documents of a first batch, when nobody says how many. */
const FIRST_BATCH = 101;

/** A first batch, and further ones of a thousand. */
const DOCUMENTS = 2500;

/** Each takes half a minute; the mark tells whose it is. */
const MARK = 'marked by the test';
const SLEEP = `sleep(50) || "${MARK}"`;

const LATER_BATCH = {
  name: 'a later batch of a cursor',
  statement: `db.many.find({$where: 'this._id < ${FIRST_BATCH} || ${SLEEP}'})`,
  running: { getMore: { $exists: true } },
  rows: FIRST_BATCH,
};

const OPERATIONS = [
  {
    name: 'a command',
    statement: `db.runCommand({count: "many", query: {$where: '${SLEEP}'}})`,
    running: { count: 'many' },
    rows: 0,
  },
  {
    name: 'the first batch of a cursor',
    statement: `db.many.find({$where: '${SLEEP}'})`,
    running: { find: 'many' },
    rows: 0,
  },
  LATER_BATCH,
];

const REFUSALS: readonly KillAnswer[] = ['refuse', 'find nothing', 'stay silent'];

let database: TestMongodbDatabase;
let proxy: MongodbProxy;
let gate: Gate;
let session: Cancellable;

/** A session behind a server that answers so when it is asked to kill. */
async function login(answer: KillAnswer, options: Partial<MongodbGateOptions> = {}): Promise<void> {
  proxy = await startMongodbProxy(database.uri, answer);
  gate = await startMongodbGate({
    uri: proxy.uri,
    rules: { isJavaScriptAllowed: true },
    ...options,
  });
  session = await loginWithKey(gate.port);
}

/** Resolves when the connection is closed that the operation was on. */
async function untilDropped(): Promise<void> {
  await untilFact(() => !proxy.isOpen(MARK), 'the connection of the operation to be closed');
}

describeBehindProxy('On MongoDB', () => {
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    await database.client
      .db(database.name)
      .collection<{ _id: number }>('many')
      .insertMany(Array.from({ length: DOCUMENTS }, (_, index) => ({ _id: index })));
  });

  afterEach(async () => {
    session.client.destroy();
    await gate.stop();
    await proxy.stop();
    await untilNothingHeld(database);
  });

  afterAll(async () => {
    await database.drop();
  });

  describe.each(REFUSALS)('(it is made to %s)', (answer) => {
    it.each(OPERATIONS)(
      'a cancel of $name is answered soon, and drops its connection',
      async ({ statement, running, rows }) => {
        await login(answer);
        const { client, key } = session;
        client.send(queryFrame(statement));
        await untilRunning(database, running);
        expect(proxy.isOpen(MARK)).toBe(true);
        const startedAtMs = performance.now();
        await cancel(gate.port, key);
        const frames = await client.untilReady();
        expect(performance.now() - startedAtMs).toBeLessThan(SOON_MS);
        expect(typesOf(frames)).toMatch(new RegExp(`^T?D{${rows}}EZ$`));
        expect(firstReport(frames)).toMatchObject({
          S: 'ERROR',
          C: '57014',
          M: 'canceling statement due to user request',
        });
        expect(proxy.killAttempts).toBeGreaterThan(0);
        await untilDropped();
        expect(gate.statements().at(-1)).toMatchObject({ outcome: 'cancelled' });
        await untilNothingHeld(database);
        const next = await client.query('db.many.find({_id: 7})');
        expect(typesOf(next)).toBe('TDCZ');
        expect(valueOf(next)).toBe('{"_id":7}');
      },
    );
  });

  it.each(OPERATIONS)('the query timeout ends $name, and the session goes on', async (one) => {
    await login('refuse', { limits: { queryTimeoutMs: 500 } });
    const { client } = session;
    const frames = await client.query(one.statement);
    expect(firstReport(frames)).toMatchObject({ C: '57014', H: expect.stringMatching(/500 ms/) });
    // The server's own time limit is a second longer: it was not what ended it.
    expect(gate.statements().at(-1)?.durationMs).toBeLessThan(1000);
    await untilDropped();
    await untilNothingHeld(database);
    expect(typesOf(await client.query('db.many.findOne()'))).toBe('TDCZ');
  });

  it('a client that goes away leaves no operation behind', async () => {
    await login('find nothing');
    session.client.send(queryFrame(OPERATIONS[0]?.statement ?? ''));
    await untilRunning(database, { count: 'many' });
    session.client.destroy();
    await untilNothingHeld(database);
    expect(await gate.observed((one) => one.kind === 'session-closed')).toMatchObject({
      statements: 1,
    });
  });

  it.each(OPERATIONS)(
    'a cancel of $name costs no connection where the kill succeeds',
    async ({ statement, running }) => {
      await login('kill');
      const { client, key } = session;
      client.send(queryFrame(statement));
      await untilRunning(database, running);
      await cancel(gate.port, key);
      expect(firstReport(await client.untilReady())).toMatchObject({ C: '57014' });
      // On another connection, if that one had been given up.
      expect(typesOf(await client.query('db.many.findOne()'))).toBe('TDCZ');
      expect(proxy.isOpen(MARK)).toBe(true);
    },
  );

  describe('no cursor is left open', () => {
    it.each([
      { name: 'a row limit', limits: { rowsMax: 1200 }, statement: 'db.many.find()' },
      { name: 'a limit in the first batch', limits: { rowsMax: 5 }, statement: 'db.many.find()' },
      { name: 'a byte limit', limits: { bytesMax: 5000 }, statement: 'db.many.aggregate()' },
      {
        name: 'a limit on what a command opened',
        limits: { rowsMax: 5 },
        statement: 'db.runCommand({find: "many", batchSize: 10})',
      },
      {
        name: 'a truncated result',
        limits: { rowsMax: 1200, onLimit: 'truncate' },
        statement: '{"find": "many"}',
      },
      {
        name: 'one document read out of a result',
        limits: {},
        statement: 'db.many.find().toArray()[1100]',
      },
    ] as const)('by $name', async ({ limits, statement }) => {
      await login('kill', { limits });
      const { client } = session;
      expect(typesOf(await client.query(statement))).toMatch(/^TD+(E|N?C)Z$/);
      expect(await heldOperations(database)).toBe(0);
      expect(typesOf(await client.query('db.many.findOne()'))).toBe('TDCZ');
    });

    it('by a cancel while a later batch is fetched', async () => {
      await login('kill');
      const { client, key } = session;
      client.send(queryFrame(LATER_BATCH.statement));
      await untilRunning(database, LATER_BATCH.running);
      await cancel(gate.port, key);
      expect(typesOf(await client.untilReady())).toMatch(/^TD{101}EZ$/);
      expect(await heldOperations(database)).toBe(0);
    });
  });
});
