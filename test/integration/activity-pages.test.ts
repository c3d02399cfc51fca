// Activity as it is read back: pages that lose nothing, filters, sums that the database makes.
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import type { Db } from 'mongodb';
import { HTTP_DOOR } from '../../src/observation.ts';
import { createRecordId } from '../../src/store/record-ids.ts';
import type { StoredRecord } from '../../src/store/record-insert.ts';
import type { ShownRecord } from '../../src/store/record-page.ts';
import { createActivityStage, statementOf } from '../support/activity-stage.ts';
import type { ActivityStage } from '../support/activity-stage.ts';
import { untilFact } from '../support/facts.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { createSession } from '../support/observations.ts';

const SOON = (): AbortSignal => AbortSignal.timeout(20_000);

let database: TestMongodbDatabase;
let db: Db;
let stage: ActivityStage;

async function open(): Promise<void> {
  database = await createTestMongodbDatabase();
  db = database.client.db(database.name);
  stage = createActivityStage({ uri: database.uri, database: database.name });
}

async function close(): Promise<void> {
  await stage.close();
  await database.drop();
}

async function written(count: number): Promise<void> {
  await untilFact(() => stage.counts().activity.written === count, `${count} records`);
}

interface Walk {
  readonly limit: number;
  readonly owner?: string;
  readonly matches?: Readonly<Record<string, string>>;
  readonly from?: Date;
  readonly to?: Date;
  /** Before each page but the first. */
  readonly between?: () => Promise<void>;
}

/** All records, page by page. */
async function walk({
  limit,
  owner,
  matches = {},
  from,
  to,
  between,
}: Walk): Promise<ShownRecord[]> {
  const all: ShownRecord[] = [];
  let after;
  do {
    const query = { owner, matches, from, to, limit, after };
    const { items, position } = await stage.reader.listActivity(query, SOON());
    all.push(...items);
    after = position;
    await between?.();
  } while (after !== undefined);
  return all;
}

const textsOf = (records: readonly ShownRecord[]): string[] =>
  records.map(({ text }) => String(text));

describeMongodb('pages of activity', () => {
  beforeAll(open);
  afterAll(close);

  /** Many at each instant, in no order; the instants are as they would be over minutes. */
  const START_MS = Date.parse('2030-01-31T12:00:00Z');
  const COUNT = 2000;

  beforeAll(async () => {
    // The first one makes the collection; it is of today, and these are not.
    stage.note('first');
    await written(1);
    const records = Array.from({ length: COUNT }, (_, index) => ({
      _id: createRecordId(),
      at: new Date(START_MS + ((index * 7919) % 200) * 1000),
      meta: { owner: `account:${index % 3}`, backend: 'postgres', door: 'main', outcome: 'ok' },
      ...{ kind: 'statement', account: `a${index % 3}`, text: `select ${index}`, durationMs: 1 },
    }));
    for (let start = 0; start < COUNT; start += 500) {
      await db.collection<StoredRecord>('activity').insertMany(records.slice(start, start + 500));
    }
  });

  test.each([1000, 333, 100, 7])('of %i have each record once, newest first', async (limit) => {
    const from = new Date(START_MS);
    const all = await walk({ limit, from, to: new Date(START_MS + 3_600_000) });
    expect(all).toHaveLength(COUNT);
    expect(new Set(textsOf(all)).size).toBe(COUNT);
    const times = all.map(({ at }) => String(at));
    expect(times).toEqual(times.toSorted().toReversed());
  });

  it('are not shifted by records that come meanwhile', async () => {
    const before = new Set(textsOf(await walk({ limit: 500 })));
    let more = 0;
    const all = await walk({
      limit: 100,
      between: async () => {
        more += 1;
        await db.collection<StoredRecord>('activity').insertOne({
          _id: createRecordId(),
          ...{ at: new Date(START_MS + 400_000 + more), kind: 'statement', text: `more ${more}` },
          meta: { owner: null, backend: 'postgres', door: 'main', outcome: 'ok' },
        });
      },
    });
    const seen = textsOf(all).filter((text) => before.has(text));
    expect(seen).toHaveLength(before.size);
    expect(new Set(seen).size).toBe(before.size);
  });

  it('are of one owner only', async () => {
    const all = await walk({ limit: 100, owner: 'account:1' });
    expect(new Set(all.map(({ account }) => account))).toEqual(new Set(['a1']));
    expect(all).toHaveLength(Math.ceil((COUNT - 1) / 3));
  });

  it('begin with from and end before to', async () => {
    const from = new Date(START_MS + 10_000);
    const all = await walk({ limit: 1000, from, to: new Date(START_MS + 11_000) });
    expect(all).toHaveLength(COUNT / 200);
    expect(new Set(all.map(({ at }) => at))).toEqual(new Set([from.toISOString()]));
  });

  it('are empty where there is nothing', async () => {
    expect(await walk({ limit: 10, matches: { account: 'nobody' } })).toEqual([]);
  });

  it('take a text for what it is', async () => {
    expect(await walk({ limit: 10, matches: { account: '$ne' } })).toEqual([]);
  });
});

describeMongodb('what is written', () => {
  beforeEach(open);

  it('can be looked for by each of its names', async () => {
    const http = createSession({
      ...{ listener: HTTP_DOOR, backend: 'mongodb', sessionId: 'r-1', webSessionId: 'w-1' },
      ...{ user: 'grace', owner: 'account:g', applicationName: 'POST /query' },
    });
    stage.note('one', statementOf('ada'));
    stage.note('two', { ...statementOf('ada'), outcome: 'refused', sqlState: '42501' });
    stage.note('three', { session: http });
    stage.observer.observe({
      ...{ kind: 'login-finished', door: 'main', name: 'ada', address: '', outcome: 'refused' },
    });
    await written(4);
    const found = async (matches: Readonly<Record<string, string>>): Promise<string[]> =>
      (await walk({ limit: 10, matches })).map(({ kind, text }) => String(text ?? kind)).toSorted();
    expect(await found({ account: 'ada' })).toEqual(['login', 'one', 'two']);
    expect(await found({ outcome: 'refused' })).toEqual(['login', 'two']);
    expect(await found({ backend: 'mongodb' })).toEqual(['three']);
    expect(await found({ session: 'w-1' })).toEqual(['three']);
    expect(await found({ kind: 'login', account: 'ada' })).toEqual(['login']);
    expect(await found({ account: 'ada', outcome: 'ok', kind: 'statement' })).toEqual(['one']);
    await close();
  });

  it('has no secrets, wherever one looks', async () => {
    const secret = 'Zq9kTv7w';
    stage.note(`create role a password '${secret}'`);
    stage.note(`db.createUser({ user: 'a', pwd: "${secret}", roles: [] })`);
    stage.note(`select dblink('postgres://u:${secret}@h/d', 'select 1')`);
    stage.note(`${' '.repeat(65_530)}password '${secret}'`.repeat(3));
    await written(4);
    const all = await db.collection('activity').find().toArray();
    expect(all).toHaveLength(4);
    expect(JSON.stringify(all)).not.toContain('Zq9');
    await close();
  });

  it('of the log is read by level, event and owner', async () => {
    const line = { at: new Date(), message: 'x', owner: undefined } as const;
    const append = stage.logSink.append.bind(stage.logSink);
    append({ ...line, level: 'info', event: 'session-opened', fields: { user: 'ada', n: 1 } });
    append({ ...line, level: 'warn', event: 'fault', fields: {} });
    const fields = { session: 's-1', error: 'gone', cause: 'connect 10.0.0.1:5432' };
    append({ ...line, level: 'info', event: 'session-closed', fields, owner: 'account:7' });
    append({ ...line, level: 'error', event: 'activity-lost', fields: {} });
    await untilFact(() => stage.counts().logs.written === 3, 'the lines');
    const found = async (
      matches: Readonly<Record<string, string>>,
      owner?: string,
    ): Promise<readonly ShownRecord[]> =>
      (
        await stage.reader.listLogs(
          { owner, matches, from: undefined, to: undefined, limit: 10, after: undefined },
          SOON(),
        )
      ).items;
    expect(await found({ level: 'warn' })).toMatchObject([{ level: 'warn', event: 'fault' }]);
    expect(await found({ account: 'ada' })).toMatchObject([{ event: 'session-opened' }]);
    expect(await found({ session: 's-1' })).toMatchObject([{ fields }]);
    // What the database said of itself is not for everybody.
    const [own] = await found({}, 'account:7');
    expect(own?.['fields']).toEqual({ session: 's-1', error: 'gone' });
    await close();
  });
});

describeMongodb('the summary', () => {
  beforeAll(open);
  afterAll(close);

  const durations = Array.from({ length: 1000 }, (_, index) => ((index * 7919) % 1000) / 8);

  beforeAll(async () => {
    for (const [index, durationMs] of durations.entries()) {
      const outcome = index % 10 === 0 ? 'error' : 'ok';
      stage.note(`select ${index}`, {
        ...statementOf('ada'),
        durationMs,
        outcome,
        rows: 2,
        bytes: 9,
      });
    }
    stage.note('a lone one', { ...statementOf('grace'), durationMs: 3.5, rows: 1, bytes: 1 });
    stage.observer.observe({
      ...{ kind: 'request-finished', requestId: 'r', caller: 'ada', owner: 'account:ada' },
      ...{ address: '', method: 'GET', path: '/x', status: 200, durationMs: 7, isComplete: true },
    });
    stage.observer.observe({
      ...{ kind: 'login-finished', door: 'main', name: 'ada', address: '', outcome: 'ok' },
    });
    await written(1003);
  });

  /** By nearest rank. */
  function percentileOf(values: readonly number[], percent: number): number | undefined {
    const sorted = values.toSorted((one, other) => one - other);
    return sorted[Math.ceil((percent / 100) * sorted.length) - 1];
  }

  const hour = (): { from: Date; to: Date } => ({
    from: new Date(Date.now() - 3_600_000),
    to: new Date(Date.now() + 60_000),
  });

  it('counts by account, backend and outcome, with exact percentiles', async () => {
    const { groups, isCut } = await stage.reader.summarize({ ...hour(), owner: undefined }, SOON());
    const expected = (outcome: string): object => {
      const own = durations.filter((_, index) => (index % 10 === 0 ? 'error' : 'ok') === outcome);
      return {
        ...{ account: 'ada', backend: 'postgres', outcome, count: own.length },
        ...{ rows: 2 * own.length, bytes: 9 * own.length },
        durationMs: {
          p50: percentileOf(own, 50),
          p95: percentileOf(own, 95),
          p99: percentileOf(own, 99),
        },
      };
    };
    expect(isCut).toBe(false);
    expect(groups).toEqual([
      expected('ok'),
      expected('error'),
      {
        ...{ account: 'ada', backend: null, outcome: 'ok', count: 1, rows: 0, bytes: 0 },
        durationMs: { p50: 7, p95: 7, p99: 7 },
      },
      {
        ...{ account: 'grace', backend: 'postgres', outcome: 'ok', count: 1, rows: 1, bytes: 1 },
        durationMs: { p50: 3.5, p95: 3.5, p99: 3.5 },
      },
    ]);
  });

  it('is of one owner only', async () => {
    const { groups } = await stage.reader.summarize({ ...hour(), owner: 'account:grace' }, SOON());
    expect(groups).toMatchObject([{ account: 'grace', count: 1 }]);
  });

  it('is of its window only', async () => {
    const window = { from: new Date(0), to: new Date(Date.now() - 60_000) };
    const { groups } = await stage.reader.summarize({ ...window, owner: undefined }, SOON());
    expect(groups).toEqual([]);
  });
});

describe('while MongoDB is away', () => {
  it('reading fails, and soon', async () => {
    const away = createActivityStage({ uri: 'mongodb://127.0.0.1:1', database: 'x' });
    const query = {
      ...{ owner: undefined, matches: {}, from: undefined, to: undefined },
      limit: 1,
    };
    const read = away.reader.listActivity({ ...query, after: undefined }, SOON());
    await expect(read).rejects.toMatchObject({ sqlState: '08006' });
    await away.close();
  });
});
