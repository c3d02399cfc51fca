// Records of activity while MongoDB fails: each is there once or counted as lost, and nobody waits.
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  test,
} from '@jest/globals';
import { MongoClient } from 'mongodb';
import type { Db } from 'mongodb';
import { once } from 'node:events';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { createActivityStage } from '../support/activity-stage.ts';
import type { ActivityStage } from '../support/activity-stage.ts';
import { untilFact } from '../support/facts.ts';
import { startMongodbFaultProxy } from '../support/mongodb-fault-proxy.ts';
import type { Fault, MongodbFaultProxy } from '../support/mongodb-fault-proxy.ts';
import { startMongodbRelay } from '../support/mongodb-relay.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { createRestartableMongodb } from '../support/restartable-servers.ts';
import type { RestartableServer } from '../support/restartable-servers.ts';

/** How often each text is in the collection, where that is not once. */
async function countOthers(db: Db, texts: readonly string[]): Promise<Record<string, number>> {
  const found = await db.collection('activity').find().toArray();
  const counts = new Map<string, number>(texts.map((text) => [text, 0]));
  for (const { text } of found) {
    counts.set(String(text), (counts.get(String(text)) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].filter(([, count]) => count !== 1));
}

const textsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `select ${index}`);

describeMongodb('behind a connection that breaks', () => {
  let database: TestMongodbDatabase;
  let proxy: MongodbFaultProxy;
  let stage: ActivityStage;

  beforeEach(async () => {
    database = await createTestMongodbDatabase();
    proxy = await startMongodbFaultProxy(database.uri);
    stage = createActivityStage({ uri: proxy.uri, database: database.name });
    // The collections are there, and the client is open.
    stage.note('first');
    await untilFact(() => stage.counts().activity.written === 1, 'the first record');
  });

  afterEach(async () => {
    await stage.close();
    await proxy.stop();
    await database.drop();
  });

  const TIMED_OUT = {
    ...{ ok: 1, n: 10 },
    writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' },
  };

  test.each<readonly [string, readonly Fault[]]>([
    ['before an insert', ['break before']],
    ['after an insert', ['break after']],
    ['before two inserts', ['break before', 'break before']],
    ['before an insert, and after the next one', ['break before', 'break after']],
    ['with no primary', [{ ok: 0, code: 10107, codeName: 'NotWritablePrimary', errmsg: '' }]],
    ['with a majority that is late', [TIMED_OUT]],
  ])('writes each record once: %s', async (_name, faults) => {
    const left = [...faults];
    proxy.faults = (command) => (command === 'insert' ? (left.shift() ?? 'pass') : 'pass');
    const texts = textsOf(500);
    texts.forEach((text) => stage.note(text));
    await untilFact(() => stage.counts().activity.written === 501, 'all records');
    expect(left).toEqual([]);
    expect(stage.losses()).toEqual([]);
    const db = database.client.db(database.name);
    expect(await countOthers(db, ['first', ...texts])).toEqual({});
  });

  it('looks which records are there where it was cut off within the look too', async () => {
    const left: Fault[] = ['break after', 'break after', 'break before'];
    proxy.faults = (command, count) =>
      command === 'find' || command === 'delete' || (command === 'insert' && count === 2)
        ? (left.shift() ?? 'pass')
        : 'pass';
    stage.note('second');
    await untilFact(() => stage.counts().activity.written === 2, 'the record');
    expect(await countOthers(database.client.db(database.name), ['first', 'second'])).toEqual({});
  });
});

describeMongodb('behind a network that keeps an insert back', () => {
  it('writes the record once: the late insert is refused by the server', async () => {
    const database = await createTestMongodbDatabase();
    let late: Buffer | undefined;
    const relay = await startMongodbRelay(database.uri, (message, { socket }) => {
      if (late !== undefined || !message.includes('insert') || !message.includes('txnNumber')) {
        return 'pass';
      }
      late = Buffer.from(message);
      socket.destroy();
      return 'swallow';
    });
    const stage = createActivityStage({ uri: relay.uri, database: database.name });
    stage.note('select 1');
    await untilFact(() => stage.counts().activity.written === 1, 'the record');
    const reply = await sendPast(database.client, late ?? Buffer.alloc(0));
    expect(reply.includes('TransactionTooOld')).toBe(true);
    expect(await countOthers(database.client.db(database.name), ['select 1'])).toEqual({});
    await stage.close();
    await relay.stop();
    await database.drop();
  });
});

describeMongodb('on a client that others write with', () => {
  it('loses nothing: their numbers on the sessions of the server are lower', async () => {
    const database = await createTestMongodbDatabase();
    const stage = createActivityStage({ uri: database.uri, database: database.name });
    const db = await stage.client.open(AbortSignal.timeout(10_000));
    const writes = Array.from({ length: 8 }, async (_, writer) => {
      for (let round = 0; round < 20; round += 1) {
        const update = { $set: { round } };
        await db.collection('others').updateOne({ writer }, update, { upsert: true });
      }
    });
    await Promise.all(writes);
    const texts = textsOf(16);
    texts.forEach((text) => stage.note(text));
    await untilFact(() => stage.counts().activity.waiting === 0, 'what becomes of the records');
    expect(stage.losses()).toEqual([]);
    expect(await countOthers(database.client.db(database.name), texts)).toEqual({});
    await stage.close();
    await database.drop();
  });
});

/** What the server answers to this message. */
async function sendPast({ options: { hosts } }: MongoClient, message: Buffer): Promise<Buffer> {
  const socket = connect({ host: hosts[0]?.host ?? '', port: hosts[0]?.port ?? 0 });
  socket.write(message);
  const [reply] = z.tuple([z.instanceof(Buffer)]).parse(await once(socket, 'data'));
  socket.destroy();
  return reply;
}

describe('with a MongoDB that is killed and started again', () => {
  let server: RestartableServer;
  let stage: ActivityStage;

  beforeAll(async () => {
    server = await createRestartableMongodb();
    await server.start();
  }, 60_000);

  afterAll(async () => {
    await server.remove();
  });

  it('writes or counts each record, and keeps nobody waiting', async () => {
    stage = createActivityStage({ uri: server.url, database: 'gatepost' });
    const texts = textsOf(60_000);
    let longestMs = 0;
    const load = async (part: readonly string[]): Promise<void> => {
      for (const text of part) {
        const startedAtMs = performance.now();
        stage.note(text);
        longestMs = Math.max(longestMs, performance.now() - startedAtMs);
        if (Number(text.slice(7)) % 50 === 0) {
          await nextTurn();
        }
      }
    };
    await load(texts.slice(0, 5000));
    await server.kill();
    // More than may wait: the rest is lost, and counted.
    await load(texts.slice(5000, 40_000));
    await server.start();
    await load(texts.slice(40_000, 50_000));
    await untilFact(() => stage.counts().activity.waiting === 0, 'what waited to be written');
    await load(texts.slice(50_000));
    await stage.close();
    const { written, lost, waiting } = stage.counts().activity;
    expect(written + lost).toBe(texts.length);
    expect(waiting).toBe(0);
    expect(lost).toBeGreaterThan(0);
    expect(stage.losses().reduce((sum, { records }) => sum + records, 0)).toBe(lost);
    expect(longestMs).toBeLessThan(2000);

    const client = await new MongoClient(server.url).connect();
    const others = await countOthers(client.db('gatepost'), texts);
    await client.close();
    const missing = Object.values(others).filter((count) => count === 0);
    expect(Object.values(others).filter((count) => count > 1)).toEqual([]);
    expect(missing).toHaveLength(lost);
  }, 120_000);
});
