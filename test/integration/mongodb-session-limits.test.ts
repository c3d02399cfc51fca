// What bounds a session on PostgreSQL bounds one on MongoDB to the letter, and it goes on.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { cancel, loginWithKey } from '../support/cancels.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import {
  gatepostConnections,
  heldOperations,
  untilConnections,
  untilNothingHeld,
  untilRunning,
} from '../support/mongodb-facts.ts';
import type { Gate } from '../support/start-gate.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import type { MongodbGateOptions } from '../support/start-mongodb-gate.ts';
import {
  firstReport,
  queryFrame,
  reportFields,
  startupPacket,
  statusOf,
  typesOf,
  valueOf,
  WireClient,
} from '../support/wire-client.ts';
import type { ReceivedFrame } from '../support/wire-client.ts';

const IDLE_TIMEOUT_MS = 300;

const CONNECTIONS_MAX = 3;

const QUERY_TIMEOUT_MS = 500;

/** Soon after it; the server's own limit is a second longer. */
const SOON_MS = 1000;

/** Documents of a first batch, when nobody says how many. */
const FIRST_BATCH = 101;

/** Several batches: a first one, and further ones of a thousand. */
const MANY = 2500;

/** A frame's 11 bytes of its own, and a text of more bytes than letters. */
const LETTERS_ROW_BYTES = 11 + Buffer.byteLength('{"_id":"aäöüß."}');

const IDLE = {
  S: 'FATAL',
  C: '57P05',
  M: 'terminating connection due to idle-session timeout',
  D: expect.stringContaining('Session '),
  H: expect.stringMatching(/300 ms.*WIRE_IDLE_TIMEOUT/),
};

let database: TestMongodbDatabase;
let gate: Gate;
let clients: WireClient[] = [];

async function start(options: Partial<MongodbGateOptions> = {}): Promise<void> {
  gate = await startMongodbGate({
    uri: database.uri,
    rules: { isJavaScriptAllowed: true },
    ...options,
  });
}

async function login(applicationName = 'test'): Promise<WireClient> {
  const client = await WireClient.login(gate.port, { application_name: applicationName });
  clients.push(client);
  return client;
}

async function loginWith(options: Partial<MongodbGateOptions>): Promise<WireClient> {
  await start(options);
  return await login();
}

async function insert(name: string, documents: { _id: number | string }[]): Promise<void> {
  const collection = database.client.db(database.name).collection<{ _id: number | string }>(name);
  await collection.insertMany(documents);
}

function tagsOf(frames: readonly ReceivedFrame[]): string[] {
  return frames
    .filter(({ type }) => type === 'C')
    .map(({ bytes }) => bytes.toString('utf8', 5, bytes.length - 1));
}

describeMongodb('On MongoDB', () => {
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    await insert(
      'many',
      Array.from({ length: MANY }, (_, index) => ({ _id: index })),
    );
    await insert('one', [{ _id: 1 }]);
    await insert(
      'letters',
      ['a', 'b', 'c'].map((letter) => ({ _id: `${letter}äöüß.` })),
    );
  });

  afterEach(async () => {
    for (const client of clients) {
      client.destroy();
    }
    clients = [];
    await gate.stop();
    await untilNothingHeld(database);
  });

  afterAll(async () => {
    await database.drop();
  });

  describe('the idle timeout', () => {
    it('ends a session that never asks anything, and its connections to the server', async () => {
      await start({ idleTimeoutMs: IDLE_TIMEOUT_MS });
      const client = await login('idle');
      expect(await gatepostConnections(database, 'idle')).toBeGreaterThan(0);
      expect(reportFields(await client.frame())).toMatchObject(IDLE);
      expect(await client.closed()).toHaveLength(0);
      await untilConnections(database, 'idle', 0);
      expect(await gate.observed((one) => one.kind === 'session-closed')).toMatchObject({
        statements: 0,
        error: { sqlState: '57P05' },
      });
    });

    it('begins anew with each statement, and leaves a long one alone', async () => {
      const client = await loginWith({
        idleTimeoutMs: IDLE_TIMEOUT_MS,
      });
      const longer = `db.one.find({$where: "sleep(${IDLE_TIMEOUT_MS * 2}) || true"})`;
      expect(typesOf(await client.query(longer))).toBe('TDCZ');
      const startedAtMs = performance.now();
      expect(typesOf(await client.query('db.one.findOne()'))).toBe('TDCZ');
      expect(reportFields(await client.frame())).toMatchObject(IDLE);
      expect(performance.now() - startedAtMs).toBeGreaterThan(IDLE_TIMEOUT_MS / 2);
      expect(await client.closed()).toHaveLength(0);
    });
  });

  describe('the connection past the limit', () => {
    it('is refused with FATAL 53300, and costs the server nothing', async () => {
      await start({ connectionsMax: CONNECTIONS_MAX });
      const served = await Promise.all(
        Array.from({ length: CONNECTIONS_MAX }, async () => await login()),
      );
      const client = await WireClient.open(gate.port);
      client.send(startupPacket({ user: 'tester', application_name: 'refused' }));
      expect(reportFields(await client.frame())).toMatchObject({
        S: 'FATAL',
        C: '53300',
        M: 'sorry, too many clients already',
        H: expect.stringMatching(/3.*WIRE_MAX_CONNECTIONS/),
      });
      expect(await client.closed()).toHaveLength(0);
      expect(await gatepostConnections(database, 'refused')).toBe(0);
      const rejection = await gate.observed((one) => one.kind === 'connection-rejected');
      expect(rejection).toMatchObject({ reason: 'too-many-connections' });
      for (const other of served) {
        expect(typesOf(await other.query('db.one.findOne()'))).toBe('TDCZ');
      }
    });

    it('is served when another has left, whose connections are gone', async () => {
      await start({ connectionsMax: 1 });
      const first = await login('first');
      first.reset();
      await gate.observed((one) => one.kind === 'session-closed');
      await untilConnections(database, 'first', 0);
      expect(typesOf(await (await login()).query('db.one.findOne()'))).toBe('TDCZ');
    });

    it('does not keep a cancel out', async () => {
      await start({ connectionsMax: 1 });
      const { client, key } = await loginWithKey(gate.port);
      clients.push(client);
      client.send(queryFrame('db.many.find({$where: "sleep(50) || true"})'));
      await untilRunning(database, { find: 'many' });
      await cancel(gate.port, key);
      expect(firstReport(await client.untilReady())).toMatchObject({ C: '57014' });
    });
  });

  describe('a row limit that was passed', () => {
    it('leaves the session as it was: its database, its settings, its transaction', async () => {
      const client = await loginWith({ limits: { rowsMax: 5 } });
      await client.query(`use ${database.name}_other`);
      await client.query(`set gatepost.ejson = 'canonical'`);
      await client.query('begin');
      const many = `db.getSiblingDB("${database.name}").many`;
      const cut = await client.query(`${many}.find()`);
      expect(typesOf(cut)).toBe('TDDDDDEZ');
      expect(firstReport(cut)).toMatchObject({
        S: 'ERROR',
        C: '54000',
        M: 'Result cut at the limit of 5 rows per query',
        H: expect.stringMatching(/WIRE_MAX_ROWS.*max_rows.*gatepost\.max_rows/),
      });
      expect(statusOf(cut)).toBe('T');
      expect(valueOf(await client.query('db'))).toBe(`${database.name}_other`);
      const next = await client.query(`${many}.find({_id: 7})`);
      expect(valueOf(next)).toBe('{"_id":{"$numberInt":"7"}}');
      expect(statusOf(await client.query('commit'))).toBe('I');
    });

    it('counts all statements of a Query together, and each Query anew', async () => {
      const client = await loginWith({ limits: { rowsMax: 5 } });
      const three = 'db.many.find().limit(3)';
      expect(typesOf(await client.query(`${three}; ${three}; ${three}`))).toBe('TDDDCTDDEZ');
      expect(typesOf(await client.query(three))).toBe('TDDDCZ');
      expect(typesOf(await client.query(`${three}; show dbs`))).toMatch(/^TDDDCTDDEZ$/);
    });
  });

  describe('the byte limit', () => {
    it.each([
      ['lets a result of exactly the limit through', 3 * LETTERS_ROW_BYTES, 3, 'CZ'],
      ['stops one byte short of it', 3 * LETTERS_ROW_BYTES - 1, 2, 'EZ'],
      ['lets one row of exactly the limit through', LETTERS_ROW_BYTES, 1, 'EZ'],
      ['sends no row that is too large', LETTERS_ROW_BYTES - 1, 0, 'EZ'],
    ])('counts bytes and not characters, and %s', async (_name, bytesMax, rows, end) => {
      const client = await loginWith({ limits: { bytesMax } });
      const frames = await client.query('db.letters.find().sort({_id: 1})');
      expect(typesOf(frames)).toBe(`T${'D'.repeat(rows)}${end}`);
      expect(statusOf(frames)).toBe('I');
      const isCut = end === 'EZ';
      expect(gate.statements().at(-1)).toMatchObject({
        bytes: rows * LETTERS_ROW_BYTES,
        limit: isCut ? 'bytes' : undefined,
        outcome: isCut ? 'limited' : 'ok',
      });
    });

    it('is met to the byte in the middle of a later batch', async () => {
      const unlimited = await loginWith({});
      const frames = await unlimited.query('db.many.find().sort({_id: 1})');
      const sizes = frames.filter(({ type }) => type === 'D').map(({ bytes }) => bytes.length);
      const bytesMax = sizes.slice(0, 1700).reduce((total, size) => total + size);
      await gate.stop();
      for (const { limit, rows } of [
        { limit: bytesMax, rows: 1700 },
        { limit: bytesMax - 1, rows: 1699 },
      ]) {
        const client = await loginWith({ limits: { bytesMax: limit } });
        const cut = await client.query('db.many.find().sort({_id: 1})');
        expect(typesOf(cut)).toBe(`T${'D'.repeat(rows)}EZ`);
        expect(typesOf(await client.query('db.one.findOne()'))).toBe('TDCZ');
        await gate.stop();
      }
    });
  });

  describe('a truncated result', () => {
    it('has the rows up to the limit, a warning, and a tag that counts them', async () => {
      const client = await loginWith({ limits: { rowsMax: 5, onLimit: 'truncate' } });
      const frames = await client.query('db.many.find()');
      expect(typesOf(frames)).toBe('TDDDDDNCZ');
      expect(firstReport(frames, 'N')).toMatchObject({
        S: 'WARNING',
        C: '01000',
        M: 'Result cut at the limit of 5 rows per query',
        H: expect.stringContaining('WIRE_MAX_ROWS'),
      });
      expect(tagsOf(frames)).toEqual(['SELECT 5']);
      expect(statusOf(frames)).toBe('I');
      expect(gate.statements().at(-1)).toMatchObject({ outcome: 'truncated', limit: 'rows' });
    });

    it('is no different from any result when it ends at the limit', async () => {
      const client = await loginWith({ limits: { rowsMax: 5, onLimit: 'truncate' } });
      expect(typesOf(await client.query('db.many.find().limit(5)'))).toBe('TDDDDDCZ');
    });

    it('lets the statements behind it run, with their effects and without rows', async () => {
      const client = await loginWith({ limits: { rowsMax: 2, onLimit: 'truncate' } });
      const frames = await client.query(
        'db.many.find(); db.written.insertOne({_id: 1}); db.written.countDocuments()',
      );
      expect(typesOf(frames)).toBe('TDDNCTNCTNCZ');
      expect(tagsOf(frames)).toEqual(['SELECT 2', 'INSERT 0 1', 'SELECT 0']);
      expect(valueOf(await client.query('db.written.countDocuments()'))).toBe('1');
    });

    it('is also cut at the byte limit', async () => {
      const client = await loginWith({
        limits: { bytesMax: 2 * LETTERS_ROW_BYTES, onLimit: 'truncate' },
      });
      const frames = await client.query('db.letters.find()');
      expect(typesOf(frames)).toBe('TDDNCZ');
      expect(firstReport(frames, 'N')).toMatchObject({
        M: 'Result cut at the limit of 62 bytes per query',
        H: expect.stringContaining('WIRE_MAX_BYTES'),
      });
    });
  });

  describe('the query timeout', () => {
    it.each([
      {
        name: 'one later batch that is slow',
        statement: `db.many.find({$where: "this._id < ${FIRST_BATCH} || sleep(50) || true"})`,
        rows: /^D{101}$/,
      },
      {
        name: 'many later batches that are quick one by one',
        statement: 'db.many.find({$where: "sleep(20) || true"}).batchSize(1)',
        rows: /^D{3,30}$/,
      },
    ])('counts what is fetched behind a first batch: $name', async ({ statement, rows }) => {
      const client = await loginWith({
        limits: { queryTimeoutMs: QUERY_TIMEOUT_MS },
      });
      const frames = await client.query(statement);
      expect(typesOf(frames).slice(1, -2)).toMatch(rows);
      expect(firstReport(frames)).toMatchObject({
        S: 'ERROR',
        C: '57014',
        M: 'canceling statement due to query timeout',
        H: expect.stringMatching(/500 ms.*WIRE_QUERY_TIMEOUT.*gatepost\.query_timeout/),
      });
      const { durationMs, outcome } = gate.statements().at(-1) ?? {};
      expect(outcome).toBe('timeout');
      expect(durationMs).toBeGreaterThanOrEqual(QUERY_TIMEOUT_MS);
      expect(durationMs).toBeLessThan(SOON_MS);
      expect(await heldOperations(database)).toBe(0);
      expect(typesOf(await client.query('db.one.findOne()'))).toBe('TDCZ');
    });
  });
});
