import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import type { Document } from 'mongodb';
import { randomUUID } from 'node:crypto';
import { acquireLease, LEASES_COLLECTION } from '../../src/connectors/lease.ts';
import type { Lease, LeasedTopic } from '../../src/connectors/lease.ts';
import { untilFact } from '../support/facts.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { startMongodbFaultProxy } from '../support/mongodb-fault-proxy.ts';
import type { MongodbFaultProxy } from '../support/mongodb-fault-proxy.ts';
import { createTestSink, NEVER, polledMessages, recordLog } from '../support/sink-messages.ts';
import type { RecordedLog } from '../support/sink-messages.ts';

/** Short enough to see its end, long enough for a busy machine to renew it. */
const LIFE_MS = 1500;

describeMongodb('The lease of a sink', () => {
  let database: TestMongodbDatabase;
  let proxy: MongodbFaultProxy;
  let proxied: MongoClient;
  const leases: Lease[] = [];

  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    proxy = await startMongodbFaultProxy(database.uri);
    proxied = new MongoClient(proxy.uri, { serverSelectionTimeoutMS: 300 });
  });

  afterEach(async () => {
    proxy.faults = () => 'pass';
    await Promise.all(leases.splice(0).map(async (lease) => await lease.release()));
  });

  afterAll(async () => {
    await proxied.close();
    await proxy.stop();
    await database.drop();
  });

  function topicsOf(...names: readonly string[]): readonly LeasedTopic[] {
    const run = randomUUID();
    return names.map((topic) => ({ consumerGroup: 'group', stream: run, topic }));
  }

  async function acquire(
    topics: readonly LeasedTopic[],
    own: { log?: RecordedLog; signal?: AbortSignal; client?: MongoClient; lifeMs?: number } = {},
  ): Promise<Lease> {
    const { log = recordLog(), signal = NEVER, client = database.client, lifeMs = LIFE_MS } = own;
    const lease = await acquireLease(
      { database: client.db(database.name), topics, log, lifeMs },
      signal,
    );
    leases.push(lease);
    return lease;
  }

  async function documents(topics: readonly LeasedTopic[]): Promise<readonly Document[]> {
    return await database.client
      .db(database.name)
      .collection(LEASES_COLLECTION)
      .find({ '_id.stream': topics[0]?.stream })
      .toArray();
  }

  it('is a document for each topic, gone when it is given back', async () => {
    const topics = topicsOf('a', 'b');
    const lease = await acquire(topics);
    expect(await documents(topics)).toMatchObject([
      { _id: { topic: 'a' } },
      { _id: { topic: 'b' } },
    ]);
    await lease.release();
    expect(await documents(topics)).toEqual([]);
    expect(lease.signal.aborted).toBe(false);
  });

  it('lets a second instance wait, which says so once, until the first gives it back', async () => {
    const topics = topicsOf('a');
    const first = await acquire(topics);
    const log = recordLog();
    let isIn = false;
    const second = acquire(topics, { log }).then((lease) => {
      isIn = true;
      return lease;
    });
    // Longer than its life: it is renewed.
    await untilFact(async () => await isRenewed(topics), 'the renewals');
    expect(isIn).toBe(false);
    expect(log.notes).toHaveLength(1);
    expect(log.notes[0]).toContain('topic "a"');
    await first.release();
    expect((await second).signal.aborted).toBe(false);
    expect(log.notes).toHaveLength(1);
  });

  async function isRenewed(topics: readonly LeasedTopic[]): Promise<boolean> {
    const [lease] = await documents(topics);
    const firstEnd = (firstEnds[topics[0]?.stream ?? ''] ??= Number(lease?.['expires_at']));
    return Number(lease?.['expires_at']) > firstEnd + LIFE_MS;
  }
  const firstEnds: Record<string, number> = {};

  it('ends by itself when its owner is gone', async () => {
    const topics = topicsOf('a');
    await database.client
      .db(database.name)
      .collection<Readonly<Record<string, unknown>> & { readonly _id: object }>(LEASES_COLLECTION)
      .insertOne({
        _id: { group: 'group', stream: topics[0]?.stream, topic: 'a' },
        owner: 'of a process that was killed',
        host: 'elsewhere',
        expires_at: new Date(Date.now() + 700),
      });
    const log = recordLog();
    const lease = await acquire(topics, { log });
    expect(log.notes[0]).toContain('on elsewhere');
    expect(lease.signal.aborted).toBe(false);
  });

  it('holds nothing while it waits for another topic', async () => {
    const [a, b] = topicsOf('a', 'b');
    const topics = [a, b].filter((topic) => topic !== undefined);
    const first = await acquire(topics.slice(1));
    const log = recordLog();
    const waiting = acquire(topics, { log });
    await untilFact(() => log.notes.length > 0, 'the wait');
    // The first topic is free in the pauses between two looks.
    const other = await acquire(topics.slice(0, 1));
    await Promise.all([first.release(), other.release()]);
    await waiting;
    expect(await documents(topics)).toHaveLength(2);
  });

  it('lets only one of many instances in', async () => {
    const topics = topicsOf('a');
    const controller = new AbortController();
    const attempts = Array.from(
      { length: 6 },
      async () => await acquire(topics, { signal: controller.signal }),
    );
    await Promise.any(attempts);
    const settled = Promise.allSettled(attempts);
    controller.abort(new Error('stop'));
    const outcomes = await settled;
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('stops waiting at once when it is stopped', async () => {
    const topics = topicsOf('a');
    await acquire(topics, { lifeMs: 60_000 });
    const controller = new AbortController();
    const log = recordLog();
    const waiting = acquire(topics, { signal: controller.signal, log, lifeMs: 60_000 });
    await untilFact(() => log.notes.length > 0, 'the wait');
    controller.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
  });

  it('is lost when another instance has it', async () => {
    const topics = topicsOf('a');
    const lease = await acquire(topics);
    await database.client
      .db(database.name)
      .collection(LEASES_COLLECTION)
      .updateOne({ '_id.stream': topics[0]?.stream }, { $set: { owner: 'another' } });
    await untilFact(() => lease.signal.aborted, 'the loss');
    expect(lease.signal.reason).toMatchObject({ kind: 'lease-lost' });
    await lease.release();
    expect(await documents(topics)).toMatchObject([{ owner: 'another' }]);
  });

  it.each(['stay silent', 'break before'] as const)(
    'is lost before its end when renewals %s',
    async (fault) => {
      const topics = topicsOf('a');
      const log = recordLog();
      const lease = await acquire(topics, { client: proxied, log });
      const [document] = await documents(topics);
      proxy.faults = (command) => (command === 'update' ? fault : 'pass');
      await untilFact(() => lease.signal.aborted, 'the loss');
      expect(Date.now()).toBeLessThan(Number(document?.['expires_at']) + 1);
      expect(lease.signal.reason).toMatchObject({ kind: 'lease-lost' });
      expect(log.warnings[0]).toContain('not renewed yet');
    },
  );

  it('outlives a renewal that failed', async () => {
    const topics = topicsOf('a');
    const log = recordLog();
    const lease = await acquire(topics, { client: proxied, log });
    const before = proxy.countOf('update');
    proxy.faults = (command, count) =>
      command === 'update' && count === before + 1 ? 'break before' : 'pass';
    await untilFact(() => proxy.countOf('update') >= before + 4, 'renewals');
    expect(lease.signal.aborted).toBe(false);
    expect(log.warnings).toHaveLength(1);
  });

  it('keeps two sinks apart, and lets the second in when the first is closed', async () => {
    const config = {
      connection_uri: database.uri,
      database: database.name,
      collection: 'orders',
    };
    const first = createTestSink(config);
    const second = createTestSink(config);
    await first.sink.open(NEVER);
    const opening = second.sink.open(NEVER);
    await untilFact(() => second.log.notes.length > 0, 'the wait');
    await first.consume(polledMessages(0, 2));
    await first.sink.close();
    const signal = await opening;
    expect(signal.aborted).toBe(false);
    await expect(second.consume(polledMessages(1, 3))).resolves.toMatchObject({
      storedCount: 1,
      replayedCount: 1,
    });
    // Opened again, it does not stand in its own way.
    await second.sink.open(NEVER);
    await second.sink.close();
  });
});
