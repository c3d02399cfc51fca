// Databases that go away under load and come back: what clients are told meanwhile, what is
// written, and that nobody has to restart Gatepost.
import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { runDirectly } from '../support/databases.ts';
import { runningStatements, untilFact, untilTrue } from '../support/facts.ts';
import { problemOf } from '../support/http-client.ts';
import type { Answer } from '../support/http-client.ts';
import { describeMongodb } from '../support/mongodb.ts';
import { parseJsonLines } from '../support/observations.ts';
import { hasSucceeded, startLoad } from '../support/rest-load.ts';
import type { Attempt, Load, LoadKind } from '../support/rest-load.ts';
import { startRestService } from '../support/rest-service.ts';
import type { RestService } from '../support/rest-service.ts';
import {
  createRestartableMongodb,
  createRestartablePostgres,
} from '../support/restartable-servers.ts';
import type { RestartableServer } from '../support/restartable-servers.ts';

type BackendName = 'postgres' | 'mongodb';

/** How soon after its database a request works again; a busy machine gets 5 s more. */
const RECOVERY_MS = 5000 + 5000;

/** Writers write an id each; readers read one thing that never changes. */
const KINDS: readonly LoadKind[] = [
  {
    name: 'SQL that inserts',
    backend: 'postgres',
    request: (id) => ({
      path: '/query',
      body: { backend: 'postgres', sql: 'insert into counted values ($1)', params: [id] },
    }),
    isRight: ({ text }) => text.includes('"commandTag":"INSERT 0 1"'),
  },
  {
    name: 'a row that is created',
    backend: 'postgres',
    request: (id) => ({ path: '/api/postgres/public/counted', body: { id } }),
    isRight: ({ text }, id) => text === `{"id":"${id}"}`,
  },
  {
    name: 'a row that is read',
    backend: 'postgres',
    request: () => ({ path: '/api/postgres/public/fixed/1' }),
    isRight: ({ text }) => text === '{"id":1,"word":"constant"}',
  },
  {
    name: 'a command that inserts',
    backend: 'mongodb',
    request: (id) => ({
      path: '/query',
      body: { backend: 'mongodb', command: `db.counted.insertOne({ id: "${id}" })` },
    }),
    isRight: ({ text }) => text.includes('"acknowledged":true'),
  },
  {
    name: 'a document that is created',
    backend: 'mongodb',
    request: (id) => ({ path: '/api/mongodb/shop/counted', body: { id } }),
    isRight: ({ text }, id) => text.includes(`"id":"${id}"`),
  },
  {
    name: 'a document that is read',
    backend: 'mongodb',
    request: () => ({ path: '/api/mongodb/shop/fixed/1' }),
    isRight: ({ text }) => text === '{"_id":1,"word":"constant"}',
  },
];

const isOf =
  (backend: BackendName) =>
  ({ kind }: Attempt): boolean =>
    kind.backend === backend;

describeMongodb('Databases that go and come back', () => {
  let servers: Readonly<Record<BackendName, RestartableServer>>;
  let service: RestService;
  /** Everything that clients were told, for secrets. */
  let told = '';

  beforeAll(async () => {
    const [postgres, mongodb] = await Promise.all([
      createRestartablePostgres(),
      createRestartableMongodb(),
    ]);
    servers = { postgres, mongodb };
    service = await startRestService({
      environment: {
        WIRE_UPSTREAM_DSN: postgres.url,
        MONGODB_URI: mongodb.url,
        MONGODB_READINESS: 'required',
        API_RATE_LIMIT: '0',
        WIRE_MONGODB_JAVASCRIPT: 'true',
      },
    });
  });

  afterAll(async () => {
    const said = service.stderr() + service.stdout() + told;
    await service.remove();
    await Promise.all(Object.values(servers).map(async (server) => await server.remove()));
    for (const { password } of Object.values(servers)) {
      expect(said).not.toContain(password);
    }
  });

  async function query(backend: BackendName, text: string, accept = '*/*'): Promise<Answer> {
    const statement = backend === 'postgres' ? { sql: text } : { command: text };
    const headers = { Accept: accept };
    return await service.ask('/query', { headers, body: { backend, ...statement } });
  }

  async function untilReadiness(status: number): Promise<unknown> {
    let body: unknown;
    await untilFact(async () => {
      const [now, said] = await service.askJson('/readyz');
      body = said;
      return now === status;
    }, `readiness of ${status}`);
    return body;
  }

  /** Each has to be a problem that says when to come again, and not where the database is. */
  function expectRefusals(answers: readonly (Answer | Error)[]): void {
    for (const answer of answers) {
      expect(answer).not.toBeInstanceOf(Error);
      if (!(answer instanceof Error)) {
        told += answer.text;
        expect([answer.status, answer.text]).toEqual([503, expect.any(String)]);
        expect(problemOf(answer)).toMatchObject({ sqlState: expect.any(String) });
        expect(answer.headers['retry-after']).toMatch(/^[1-9]\d?$/);
        for (const { port } of Object.values(servers)) {
          expect(answer.text).not.toMatch(new RegExp(`127\\.0\\.0\\.1|\\b${port}\\b`));
        }
      }
    }
  }

  it('the process is up while both are down from its start', async () => {
    expect((await service.ask('/livez')).status).toBe(200);
    const reasons = [/^Backend postgres does not answer/, /^Backend mongodb does not answer/];
    expect(await untilReadiness(503)).toEqual({
      status: 'unready',
      reasons: reasons.map((reason) => expect.stringMatching(reason)),
    });
    const answers = await Promise.all(
      KINDS.map(async ({ request }) => {
        const { path, ...question } = request('nothing');
        return await service.ask(path, question);
      }),
    );
    expectRefusals(answers);
  });

  it('both are used once they are there', async () => {
    await Promise.all(Object.values(servers).map(async (server) => await server.start()));
    const startedAtMs = performance.now();
    await untilReadiness(200);
    await runDirectly(
      servers.postgres.url,
      `create table counted (id text);
       create table fixed (id int primary key, word text);
       insert into fixed values (1, 'constant')`,
    );
    await withMongodb(async (client) => {
      const fixed = client.db().collection<{ _id: number; word: string }>('fixed');
      await fixed.insertOne({ _id: 1, word: 'constant' });
    });
    const load = startLoad(service.url, KINDS, 1);
    await load.untilAllSucceed();
    await load.stop();
    expect(performance.now() - startedAtMs).toBeLessThan(RECOVERY_MS);
  });

  async function withMongodb<T>(look: (client: MongoClient) => Promise<T>): Promise<T> {
    const client = new MongoClient(servers.mongodb.url);
    try {
      return await look(client);
    } finally {
      await client.close();
    }
  }

  /** How often each id is in the database. */
  async function storedCounts(backend: BackendName): Promise<ReadonlyMap<string, number>> {
    if (backend === 'postgres') {
      const rows = await runDirectly(
        servers.postgres.url,
        'select id, count(*)::int as n from counted group by id',
      );
      return new Map(rows.map(({ id, n }) => [String(id), Number(n)]));
    }
    return await withMongodb(async (client) => {
      const groups = client
        .db()
        .collection('counted')
        .aggregate<{ _id: string; n: number }>([{ $group: { _id: '$id', n: { $sum: 1 } } }]);
      return new Map((await groups.toArray()).map(({ _id, n }) => [_id, n]));
    });
  }

  async function expectCounted(backend: BackendName, attempts: readonly Attempt[]): Promise<void> {
    const counts = await storedCounts(backend);
    const writes = attempts.filter(({ kind }) => !kind.name.endsWith('read')).filter(isOf(backend));
    const lost = writes.filter((one) => hasSucceeded(one) && counts.get(one.id) !== 1);
    const repeated = writes.filter(({ id }) => (counts.get(id) ?? 0) > 1);
    expect({ lost, repeated }).toEqual({ lost: [], repeated: [] });
  }

  const OUTAGES: readonly (readonly [BackendName, 'stop' | 'kill'])[] = [
    ['postgres', 'stop'],
    ['postgres', 'kill'],
    ['mongodb', 'stop'],
    ['mongodb', 'kill'],
  ];

  test.each(OUTAGES)('%s: %s under load, and start again', async (backend, how) => {
    const load: Load = startLoad(service.url, KINDS, 3);
    await load.untilAllSucceed();

    await servers[backend][how]();
    const reasons = [expect.stringContaining(`Backend ${backend} `)];
    expect(await untilReadiness(503)).toEqual({ status: 'unready', reasons });
    expect((await service.ask('/livez')).status).toBe(200);

    await servers[backend].start();
    const recoveryMs = await load.untilAllSucceed();
    await untilReadiness(200);
    await load.stop();
    expect(recoveryMs).toBeLessThan(RECOVERY_MS);

    const failed = load.attempts.filter((attempt) => !hasSucceeded(attempt));
    expect(failed.length).toBeGreaterThan(0);
    // The other database knows nothing of it.
    expect([...new Set(failed.map(({ kind }) => kind.backend))]).toEqual([backend]);
    expectRefusals(failed.map(({ answer }) => answer));
    const wrong = load.attempts.filter(
      (one) =>
        hasSucceeded(one) && (one.answer instanceof Error || !one.kind.isRight(one.answer, one.id)),
    );
    expect(wrong).toEqual([]);
    await expectCounted('postgres', load.attempts);
    await expectCounted('mongodb', load.attempts);
  });

  describe('what is under way when the server dies', () => {
    test.each([
      ['application/x-ndjson', true],
      ['application/json', false],
      ['text/csv', false],
    ])('an answer in %s cannot be taken for a whole one', async (accept, isWhole) => {
      const sql = `select repeat('x', 9000), pg_sleep(case when n < 20 then 0 else 0.05 end)
        from generate_series(1, 1000) n`;
      const running = query('postgres', sql, accept);
      // By then the rows that come at once are with the client.
      await untilTrue(
        servers.postgres.url,
        `exists (select from pg_stat_activity where state = 'active'
          and query like 'select repeat%' and clock_timestamp() - query_start > interval '2 s')`,
      );
      await servers.postgres.kill();
      const answer = await running;
      expect(answer).toMatchObject({ status: 200, isWhole });
      if (isWhole) {
        const { $meta: meta } = parseJsonLines(answer.text).at(-1) ?? {};
        expect(meta).toMatchObject({
          truncated: true,
          sqlState: expect.stringMatching(/^(08|57)/),
        });
      }
      await servers.postgres.start();
    });

    it('a transaction in one request is written as a whole or not at all', async () => {
      const running = query(
        'postgres',
        `begin; insert into counted values ('half'); select pg_sleep(20); commit`,
      );
      await untilTrue(servers.postgres.url, runningStatements('begin; insert%', 1));
      await servers.postgres.kill();
      expectRefusals([await running]);
      await servers.postgres.start();
      const rows = await runDirectly(servers.postgres.url, `select from counted where id = 'half'`);
      expect(rows).toEqual([]);
    });

    it('a command of MongoDB fails as a request that can be sent again', async () => {
      const running = query('mongodb', 'db.fixed.find({ $where: "sleep(20000) || true" })');
      await withMongodb(async (client) => {
        await untilFact(async () => {
          const operations = client
            .db('admin')
            .aggregate([{ $currentOp: {} }, { $match: { ns: 'shop.fixed', active: true } }]);
          return (await operations.toArray()).length === 1;
        }, 'the command to run');
      });
      await servers.mongodb.kill();
      expectRefusals([await running]);
      await servers.mongodb.start();
    });

    it('none of it was a fault of Gatepost', () => {
      expect(service.log.filter(({ event }) => event === 'fault')).toEqual([]);
    });
  });
});
