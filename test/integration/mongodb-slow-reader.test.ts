// A client that does not read a result of MongoDB costs little, and not for long; one that reads
// gets all of it in constant memory.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { CountingReader } from '../bench/counting-reader.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { heldOperations, untilNothingHeld, untilStuck } from '../support/mongodb-facts.ts';
import { startOwnProcess } from '../support/own-process.ts';
import type { OwnProcess } from '../support/own-process.ts';
import type { Gate } from '../support/start-gate.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import type { MongodbGateOptions } from '../support/start-mongodb-gate.ts';
import { firstReport, queryFrame, typesOf, WireClient } from '../support/wire-client.ts';
import type { ReceivedFrame } from '../support/wire-client.ts';

const MEBIBYTE = 1024 * 1024;

const SLOW_READER_TIMEOUT_MS = 1000;

/** More than it takes to fill what is between a server and its client. */
const QUERY_TIMEOUT_MS = 1500;

/**
 * What a client may cost that does not read, besides one batch of its result, as it came and put
 * together: a thousand documents, or fewer that make 16 MiB. Most is what nobody has collected yet.
 */
const STUCK_BYTES_MAX = 16 * MEBIBYTE;

/** What a process may grow by while it delivers a result more than three times as large. */
const GROWTH_BYTES_MAX = 40 * MEBIBYTE;

/** Twenty small statements, while another client's result waits. */
const QUICK_MS = 2000;

const UNLIMITED = { rowsMax: 1e9, bytesMax: 1e11 };

const TEXT = 'x'.repeat(200);
const LARGE_TEXT = 'x'.repeat(1_000_000);

let database: TestMongodbDatabase;
let gate: Gate | undefined;
let ownProcess: OwnProcess | undefined;

/** So many times so many documents from the one that a collection has, streamed by the server. */
function product(collection: string, outer: number, inner: number): string {
  return `db.${collection}.aggregate([
    {$set: {n: {$range: [0, ${outer}]}}}, {$unwind: "$n"},
    {$set: {m: {$range: [0, ${inner}]}}}, {$unwind: "$m"}])`;
}

/** 200 MB in many batches: more than what is between a server and its client. */
const HUGE = product('large', 200, 1);

/** Nine million documents. */
const ENDLESS = product('small', 3000, 3000);

async function start(options: Partial<MongodbGateOptions> = {}): Promise<Gate> {
  gate = await startMongodbGate({
    uri: database.uri,
    ...options,
    limits: { ...UNLIMITED, ...options.limits },
  });
  return gate;
}

/** A gate whose memory is its own. */
async function startProcess(): Promise<OwnProcess> {
  ownProcess = await startOwnProcess({
    kind: 'mongodb-gate',
    options: { uri: database.uri, limits: UNLIMITED },
  });
  return ownProcess;
}

/** A client that has asked for a result, and takes none of it. */
async function stuckClient(port: number, query = HUGE): Promise<WireClient> {
  const client = await WireClient.login(port);
  client.pause();
  client.send(queryFrame(query));
  return client;
}

/** The most memory of a process until the work is done, or for half a second. */
async function peakBytes(
  process: OwnProcess,
  work: Promise<unknown> = pause(500),
): Promise<number> {
  let peak = 0;
  const done = work.then(() => 'done');
  do {
    peak = Math.max(peak, await process.residentBytes());
  } while ((await Promise.race([done, pause(20)])) !== 'done');
  return peak;
}

/** Bytes of the DataRow frames of a product of the collection `middle`. */
function productBytes(outer: number, inner: number): number {
  const empty = Buffer.byteLength(JSON.stringify({ _id: 0, text: TEXT, n: '', m: '' })) - 4;
  const digits = (count: number): number =>
    Array.from({ length: count }, (_, n) => n).join('').length;
  // Each row is a frame of 11 bytes more than its text.
  return outer * inner * (11 + empty) + inner * digits(outer) + outer * digits(inner);
}

describeMongodb('On MongoDB', () => {
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    const db = database.client.db(database.name);
    await db.collection<{ _id: number }>('small').insertOne({ _id: 0 });
    await db.collection<{ _id: number; text: string }>('middle').insertOne({ _id: 0, text: TEXT });
    await db
      .collection<{ _id: number; text: string }>('large')
      .insertOne({ _id: 0, text: LARGE_TEXT });
  });

  afterEach(async () => {
    await Promise.all([gate?.stop(), ownProcess?.stop()]);
    gate = undefined;
    ownProcess = undefined;
    await untilNothingHeld(database);
  });

  afterAll(async () => {
    await database.drop();
  });

  describe('a client that never reads its result', () => {
    it.each([
      { name: 'small documents', query: ENDLESS, clients: 1, batchBytes: MEBIBYTE },
      { name: 'documents of a megabyte', query: HUGE, clients: 1, batchBytes: 16 * MEBIBYTE },
      { name: 'four of them at once', query: ENDLESS, clients: 4, batchBytes: MEBIBYTE },
    ])('costs little memory: $name', async ({ query, clients, batchBytes }) => {
      const process = await startProcess();
      // Code, buffers and heap that any result takes are there before memory is measured.
      const reader = await CountingReader.open(process.port, { user: 'tester', database: '' });
      await reader.query(product('middle', 200, 1000));
      await reader.query(product('large', 1, 4));
      const before = await process.residentBytes();
      const stuck = [];
      for (let index = 0; index < clients; index += 1) {
        stuck.push(await stuckClient(process.port, query));
      }
      await untilStuck(database, clients);
      const bytesMax = clients * (STUCK_BYTES_MAX + 2 * batchBytes);
      expect((await peakBytes(process)) - before).toBeLessThan(bytesMax);
      for (const client of stuck) {
        client.destroy();
      }
      reader.close();
    });

    it('leaves other sessions as quick as they were', async () => {
      const { port } = await start();
      const stuck = await stuckClient(port);
      await untilStuck(database, 1);
      const other = await WireClient.login(port);
      const startedAtMs = performance.now();
      for (let round = 0; round < 20; round += 1) {
        expect(typesOf(await other.query('db.small.findOne()'))).toBe('TDCZ');
      }
      expect(performance.now() - startedAtMs).toBeLessThan(QUICK_MS);
      stuck.destroy();
      other.destroy();
    });

    it('is told of the query timeout when it reads again, and its session goes on', async () => {
      const { port } = await start({ limits: { queryTimeoutMs: QUERY_TIMEOUT_MS } });
      const client = await stuckClient(port);
      await untilStuck(database, 1);
      // Its time is over when so long has passed again.
      await pause(QUERY_TIMEOUT_MS);
      client.resume();
      const frames = await client.untilReady();
      expect(typesOf(frames)).toMatch(/^TD+EZ$/);
      expect(firstReport(frames)).toMatchObject({
        C: '57014',
        H: expect.stringMatching(/1500 ms/),
      });
      expect(await heldOperations(database)).toBe(0);
      expect(typesOf(await client.query('db.small.findOne()'))).toBe('TDCZ');
      client.destroy();
    });

    it('has no cursor any more at the query timeout, though it still does not read', async () => {
      const { port } = await start({ limits: { queryTimeoutMs: QUERY_TIMEOUT_MS } });
      const client = await stuckClient(port);
      await untilStuck(database, 1);
      await untilNothingHeld(database);
      client.destroy();
    });

    it('is closed when it takes no byte for too long, and its statement stopped', async () => {
      const strict = await start({ slowReaderTimeoutMs: SLOW_READER_TIMEOUT_MS });
      const client = await stuckClient(strict.port);
      const closed = await strict.observed((one) => one.kind === 'session-closed');
      expect(closed.error?.message).toBe(`Client took no byte for ${SLOW_READER_TIMEOUT_MS} ms`);
      expect(strict.statements().at(-1)).toMatchObject({ text: HUGE, outcome: 'aborted' });
      await untilNothingHeld(database);
      client.destroy();
    });
  });

  it('a client that reads in small helpings gets every byte', async () => {
    const { port } = await start({ slowReaderTimeoutMs: SLOW_READER_TIMEOUT_MS });
    const client = await stuckClient(port, product('large', 60, 1));
    const startedAtMs = performance.now();
    const frames: ReceivedFrame[] = [];
    for (let helping = 0; helping < 60; helping += 1) {
      await pause(SLOW_READER_TIMEOUT_MS / 16);
      client.resume();
      frames.push(...(await client.until('D')));
      client.pause();
    }
    expect(performance.now() - startedAtMs).toBeGreaterThan(3 * SLOW_READER_TIMEOUT_MS);
    client.resume();
    frames.push(...(await client.untilReady()));
    expect(typesOf(frames)).toBe(`T${'D'.repeat(60)}CZ`);
    const rows = frames.filter(({ type }) => type === 'D');
    for (const [n, { bytes }] of rows.entries()) {
      const wanted = JSON.stringify({ _id: 0, text: LARGE_TEXT, n, m: 0 });
      expect(bytes.subarray(11).equals(Buffer.from(wanted))).toBe(true);
    }
    client.destroy();
  });

  it('600 000 documents pass through one statement in constant memory', async () => {
    const process = await startProcess();
    const reader = await CountingReader.open(process.port, { user: 'tester', database: '' });
    await reader.query(product('middle', 100, 1000));
    const emptyBytes = await reader.query(product('middle', 0, 0));
    const before = await process.residentBytes();
    const result = reader.query(product('middle', 600, 1000));
    const peak = await peakBytes(process, result);
    const rowsBytes = productBytes(600, 1000);
    // The tag counts six digits in place of one.
    expect(await result).toBe(emptyBytes + rowsBytes + 5);
    expect(rowsBytes).toBeGreaterThan(3 * GROWTH_BYTES_MAX);
    expect(peak - before).toBeLessThan(GROWTH_BYTES_MAX);
    reader.close();
  });
});
