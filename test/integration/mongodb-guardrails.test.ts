// What bounds a statement on PostgreSQL bounds one on MongoDB, and the session goes on.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import type { MongodbGateOptions } from '../support/start-mongodb-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport, statusOf, typesOf, WireClient } from '../support/wire-client.ts';
import type { ReceivedFrame } from '../support/wire-client.ts';

let database: TestMongodbDatabase;
const gates: Gate[] = [];
const clients: WireClient[] = [];

async function login(options: Partial<MongodbGateOptions> = {}): Promise<WireClient> {
  const gate = await startMongodbGate({ uri: database.uri, ...options });
  gates.push(gate);
  const client = await WireClient.login(gate.port);
  clients.push(client);
  return client;
}

function texts(frames: readonly ReceivedFrame[]): string[] {
  return frames
    .filter(({ type }) => type === 'D')
    .map(({ bytes }) => bytes.subarray(11).toString('utf8'));
}

function outcome(): unknown {
  return gates.at(-1)?.statements().at(-1)?.outcome;
}

describeMongodb('On MongoDB', () => {
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    const documents = Array.from({ length: 2500 }, (_, index) => ({ _id: index }));
    await database.client
      .db(database.name)
      .collection<{ _id: number }>('many')
      .insertMany(documents);
  });

  afterEach(async () => {
    clients.splice(0).forEach((client) => {
      client.destroy();
    });
    await Promise.all(gates.splice(0).map(async (gate) => await gate.stop()));
  });

  afterAll(async () => {
    await database.drop();
  });

  it('a result of several batches comes whole, in order, and the tag counts it', async () => {
    const client = await login();
    const frames = await client.query('db.many.find().sort({_id: 1})');
    const wanted = Array.from({ length: 2500 }, (_, index) => `{"_id":${index}}`);
    expect(texts(frames)).toEqual(wanted);
    expect(frames.at(-2)?.bytes.toString('latin1')).toContain('SELECT 2500');
    expect(outcome()).toBe('ok');
  });

  it.each([
    ['find', 'db.many.find()'],
    ['a command with a cursor', 'db.runCommand({find: "many"})'],
    ['a distinct', 'db.many.distinct("_id")'],
  ])('the row past the limit is not sent: %s', async (_name, statement) => {
    const client = await login({ limits: { rowsMax: 1200 } });
    const frames = await client.query(statement);
    expect(texts(frames)).toHaveLength(1200);
    expect(firstReport(frames)).toMatchObject({ C: '54000', M: expect.stringContaining('1200') });
    expect(outcome()).toBe('limited');
    expect(typesOf(await client.query('db.many.countDocuments()'))).toBe('TDCZ');
  });

  it('a result of exactly as many rows as may be is whole', async () => {
    const client = await login({ limits: { rowsMax: 2500 } });
    expect(firstReport(await client.query('db.many.find()'))).toEqual({});
  });

  it('a truncated result ends with a warning and a tag of what was sent', async () => {
    const client = await login({ limits: { rowsMax: 3, onLimit: 'truncate' } });
    const frames = await client.query('db.many.find()');
    expect(typesOf(frames)).toBe('TDDDNCZ');
    expect(frames.at(-2)?.bytes.toString('latin1')).toContain('SELECT 3');
    expect(outcome()).toBe('truncated');
  });

  it('bytes are bounded by the frames that hold them', async () => {
    // A row of {"_id":0} is 11 bytes of frame and 9 of text.
    const client = await login({ limits: { bytesMax: 40 } });
    const frames = await client.query('db.many.find().sort({_id: 1})');
    expect(texts(frames)).toEqual(['{"_id":0}', '{"_id":1}']);
    expect(firstReport(frames)).toMatchObject({ C: '54000' });
  });

  it('the timeout stops the operation on the server, and the session answers on', async () => {
    const client = await login({
      limits: { queryTimeoutMs: 500 },
      rules: { isJavaScriptAllowed: true },
    });
    const frames = await client.query('db.many.find({$where: "sleep(50) || true"})');
    expect(firstReport(frames)).toMatchObject({ C: '57014', H: expect.stringContaining('500 ms') });
    expect(outcome()).toBe('timeout');
    expect(typesOf(await client.query('db.many.findOne()'))).toBe('TDCZ');
    const running = await database.client
      .db('admin')
      .aggregate([
        { $currentOp: {} },
        { $match: { ns: `${database.name}.many`, 'command.filter.$where': { $exists: true } } },
      ])
      .toArray();
    expect(running).toEqual([]);
  });

  describe('the policy', () => {
    it('refuses server-side JavaScript unless it is enabled', async () => {
      const client = await login();
      const frames = await client.query('db.many.find({$and: [{$where: "true"}]})');
      expect(firstReport(frames)).toMatchObject({
        C: '42501',
        H: expect.stringContaining('WIRE_MONGODB_JAVASCRIPT'),
      });
      expect(outcome()).toBe('refused');
    });

    it('refuses every write when access is read-only, and nothing of the text runs', async () => {
      const client = await login({ rules: { access: 'read-only' } });
      for (const statement of [
        'db.many.insertOne({a: 1})',
        'db.many.find(); db.many.deleteMany({})',
        'db.many.aggregate([{$facet: {a: [{$match: {}}]}}, {$out: "copy"}])',
        '{"drop": "many"}',
        'db.dropDatabase()',
      ]) {
        const frames = await client.query(statement);
        expect(typesOf(frames)).toBe('EZ');
        expect(firstReport(frames)).toMatchObject({ C: '25006' });
      }
      const [count] = texts(await client.query('db.many.countDocuments({})'));
      expect(count).toBe('2500');
    });

    it('knows commands and stages by their names', async () => {
      const client = await login({ rules: { deny: ['drop', 'aggregate:$lookup'] } });
      const lookup = '{$lookup: {from: "many", localField: "a", foreignField: "b", as: "c"}}';
      for (const statement of ['db.many.drop()', `db.many.aggregate([${lookup}])`]) {
        expect(firstReport(await client.query(statement))).toMatchObject({ C: '42501' });
      }
      expect(typesOf(await client.query('db.many.aggregate([{$count: "n"}])'))).toBe('TDCZ');
    });
  });

  it('BEGIN and ROLLBACK show a status, and ROLLBACK says that it undoes nothing', async () => {
    const client = await login();
    expect(statusOf(await client.query('begin'))).toBe('T');
    const frames = await client.query('rollback');
    expect(typesOf(frames)).toBe('NCZ');
    expect(statusOf(frames)).toBe('I');
  });

  it('comments alone are an empty query; several statements stop at an error', async () => {
    const client = await login();
    expect(typesOf(await client.query('-- nothing\n/* at all */ ;'))).toBe('IZ');
    const frames = await client.query(
      'db.many.findOne(); db.many.find({$no: 1}); db.many.findOne()',
    );
    expect(typesOf(frames)).toBe('TDCTEZ');
  });

  it('an error is the whole message of mongosh, with everything else in DETAIL', async () => {
    const client = await login();
    const report = firstReport(await client.query('db.many.insertOne({_id: 1})'));
    expect(report).toMatchObject({ S: 'ERROR', C: 'XX000' });
    expect(report['M']).toMatch(/^MongoServerError: E11000 duplicate key error collection/);
    expect(JSON.parse(report['D'] ?? '')).toMatchObject({ code: 11000 });
  });

  it('a syntax error names its place', async () => {
    const client = await login();
    expect(firstReport(await client.query('db.many.find({a b})'))).toMatchObject({
      C: '42601',
      P: '17',
    });
    expect(firstReport(await client.query('db; select * from x'))).toMatchObject({
      C: '42601',
      P: '12',
    });
  });
});

describeMongodb('Where MongoDB cannot be reached', () => {
  it('a session ends with FATAL 08006 that shows no credentials', async () => {
    const uri = 'mongodb://someone:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=200';
    const gate = await startMongodbGate({ uri });
    const client = await WireClient.open(gate.port);
    const { startupPacket } = await import('../support/wire-client.ts');
    client.send(startupPacket({ user: 'tester' }));
    const frames = await client.until('E');
    expect(firstReport(frames)).toMatchObject({ S: 'FATAL', C: '08006' });
    expect(frames.map(({ bytes }) => bytes.toString('latin1')).join()).not.toMatch(/hunter2|127/);
    client.destroy();
    await gate.stop();
  });
});
