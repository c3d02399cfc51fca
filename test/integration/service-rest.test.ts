// The whole service as a process: the REST API beside the listeners, in front of both databases.
import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runningStatements, untilTrue } from '../support/facts.ts';
import { problemOf } from '../support/http-client.ts';
import type { Answer } from '../support/http-client.ts';
import { untilNothingHeld, untilRunning } from '../support/mongodb-facts.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { readSample } from '../support/prometheus-text.ts';
import { runPsql } from '../support/psql.ts';
import type { PsqlResult } from '../support/psql.ts';
import { createBearer, findRuntimes, startRestService } from '../support/rest-service.ts';
import type { RestService } from '../support/rest-service.ts';

type BackendName = 'postgres' | 'mongodb';

const bearers = {
  read: createBearer('reader', 'read'),
  write: createBearer('writer', 'write'),
  admin: createBearer('admin@example.com', 'admin'),
};
const ENTRIES = Object.values(bearers).map(({ entry }) => entry);
const UNKNOWN = createBearer('nobody', 'admin').token;

/** A statement of each door's own language, for POST /query. */
function bodyOf(backend: BackendName, text: string): object {
  return backend === 'postgres' ? { backend, sql: text } : { backend, command: text };
}

describeMongodb('Both databases over HTTP', () => {
  let postgres: TestDatabase;
  let mongodb: TestMongodbDatabase;
  let service: RestService;

  beforeAll(async () => {
    postgres = await createTestDatabase();
    mongodb = await createTestMongodbDatabase();
  });

  afterAll(async () => {
    await postgres.drop();
    await mongodb.drop();
  });

  async function psql(
    backend: BackendName,
    text: string,
    interrupt?: AbortSignal,
  ): Promise<PsqlResult> {
    const { name } = backend === 'postgres' ? postgres : mongodb;
    const place = `127.0.0.1:${service.portFor(backend)}/${name}`;
    return await runPsql({
      url: `postgresql://alice@${place}?sslmode=disable`,
      args: ['-At', '-c', text],
      ...(interrupt && { interrupt }),
    });
  }

  async function query(
    backend: BackendName,
    text: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const question = { token: bearers.write.token, body: bodyOf(backend, text), headers };
    return await service.ask('/query', question);
  }

  /** The rows of an answer in JSON. */
  async function rowsOf(backend: BackendName, text: string): Promise<unknown> {
    const { status, text: body } = await query(backend, text);
    expect([status, body]).toEqual([200, expect.stringContaining('"rows"')]);
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null && 'rows' in parsed ? parsed.rows : [];
  }

  describe.each(findRuntimes())('under $name', (runtime) => {
    beforeAll(async () => {
      await runDirectly(
        postgres.url,
        `drop table if exists orders;
         create table orders (id int primary key, status text not null)`,
      );
      await mongodb.client.db(mongodb.name).dropDatabase();
      service = await startRestService({
        runtime,
        environment: {
          WIRE_UPSTREAM_DSN: postgres.url,
          MONGODB_URI: mongodb.uri,
          API_TOKENS: ENTRIES.join(' '),
          WIRE_DENY: 'DROP',
          WIRE_MONGODB_DENY: 'drop',
          WIRE_MONGODB_JAVASCRIPT: 'true',
          WIRE_MAX_ROWS: '1000',
          WIRE_QUERY_TIMEOUT: '20s',
        },
      });
    });

    afterAll(async () => {
      const said = service.stderr() + service.stdout();
      expect(await service.stop()).toBe(0);
      for (const secret of [
        ...Object.values(bearers).flatMap(({ token, entry }) => [token, entry.split(':')[2] ?? '']),
        UNKNOWN,
        new URL(postgres.url).password,
      ]) {
        expect(secret).not.toBe('');
        expect(said).not.toContain(secret);
      }
      await service.remove();
    });

    const orders = '/api/postgres/public/orders';
    const documents = (): string => `/api/mongodb/${mongodb.name}/orders`;

    it('what one door writes, the other reads', async () => {
      const { token } = bearers.write;
      for (const url of [orders, documents()]) {
        const key = url === orders ? 'id' : '_id';
        const body = { [key]: 1, status: 'new' };
        const { status, headers } = await service.ask(url, { token, body });
        expect([status, headers.location]).toEqual([201, `${url}/1`]);
      }
      expect((await psql('postgres', 'select * from orders')).stdout).toBe('1|new');
      expect((await psql('mongodb', 'db.orders.find()')).stdout).toBe('{"_id":1,"status":"new"}');

      await psql('postgres', "update orders set status = 'paid' where id = 1");
      await psql('mongodb', 'db.orders.updateOne({ _id: 1 }, { $set: { status: "paid" } })');
      expect(await service.askJson(`${orders}/1`, { token })).toEqual([
        200,
        { id: 1, status: 'paid' },
      ]);
      expect(await service.askJson(`${documents()}/1`, { token })).toEqual([
        200,
        { _id: 1, status: 'paid' },
      ]);
      const expected = [{ id: 1, status: 'paid' }];
      expect(await rowsOf('postgres', 'select * from orders')).toEqual(expected);

      for (const url of [orders, documents()]) {
        expect((await service.ask(`${url}/1`, { method: 'DELETE', token })).status).toBe(204);
      }
      expect((await psql('postgres', 'select count(*) from orders')).stdout).toBe('0');
      expect((await psql('mongodb', 'db.orders.countDocuments()')).stdout).toBe('0');
    });

    it('slow statements at both doors keep nobody waiting, and end alone', async () => {
      const [httpPostgres, httpMongodb, wire] = ['a', 'b', 'c'].map(() => new AbortController());
      const sleep = (door: string): string => `select pg_sleep(60), '${door} ${runtime.name}'`;
      const mark = `mark: { $ne: "${runtime.name}" }`;
      const wait = `db.three.find({ $where: "sleep(20000) || true", ${mark} })`;
      await psql('mongodb', 'db.three.insertOne({ _id: 1 })');
      const overWire = psql('postgres', sleep('wire'), wire?.signal);
      const overHttp = [
        abortable(bodyOf('postgres', sleep('http')), httpPostgres?.signal),
        abortable(bodyOf('mongodb', wait), httpMongodb?.signal),
      ];
      await untilTrue(postgres.url, runningStatements('select pg_sleep(60), %', 2));
      await untilRunning(mongodb, { 'filter.mark.$ne': runtime.name });

      const answers = await Promise.all([
        rowsOf('postgres', 'select generate_series(1, 3) as n'),
        rowsOf('mongodb', 'db.three.find({ _id: 1 })'),
        psql('postgres', 'select 1'),
        psql('mongodb', 'db.three.countDocuments()'),
        service.askJson(orders, { token: bearers.read.token }),
        service.askJson(`/api/mongodb/${mongodb.name}/three`, { token: bearers.read.token }),
      ]);
      expect(answers).toEqual([
        [{ n: 1 }, { n: 2 }, { n: 3 }],
        [{ _id: 1 }],
        expect.objectContaining({ stdout: '1' }),
        expect.objectContaining({ stdout: '1' }),
        [200, { items: [], next: null }],
        [200, { items: [{ _id: 1 }], next: null }],
      ]);

      httpPostgres?.abort();
      httpMongodb?.abort();
      expect(await Promise.all(overHttp)).toEqual(['AbortError', 'AbortError']);
      // What was asked over HTTP is cancelled on the servers, and what was typed into psql goes on.
      await untilNothingHeld(mongodb);
      await untilTrue(postgres.url, runningStatements(`select pg_sleep(60), ''http%`, 0));
      await untilTrue(postgres.url, runningStatements('select pg_sleep(60), %', 1));
      wire?.abort();
      expect((await overWire).stderr).toContain('canceling statement due to user request');
    });

    async function abortable(body: object, signal: AbortSignal | undefined): Promise<string> {
      try {
        const response = await fetch(`${service.url}/query`, {
          method: 'POST',
          headers: {
            Authorization: `Bearer ${bearers.write.token}`,
            'Content-Type': 'application/json',
          },
          body: JSON.stringify(body),
          ...(signal && { signal }),
        });
        return await response.text();
      } catch (error) {
        return String(error).split(':')[0] ?? '';
      }
    }

    test.each<readonly [BackendName, string, number]>([
      ['postgres', 'drop table orders', 403],
      ['postgres', 'selec 1', 400],
      ['postgres', 'select nothing from orders', 400],
      ['postgres', 'select * from nowhere', 404],
      ['postgres', 'select 1 / 0', 400],
      ['postgres', 'select generate_series(1, 1001)', 413],
      ['mongodb', 'db.orders.drop()', 403],
      ['mongodb', 'db.orders.nope()', 400],
      ['mongodb', 'db.orders.find({ $nope: 1 })', 400],
      ['mongodb', 'db.orders.find({', 400],
    ])('%s refuses %s in the same words at both doors', async (backend, text, status) => {
      const [overWire, overHttp] = await Promise.all([psql(backend, text), query(backend, text)]);
      const [, sentence] = /^ERROR: {2}(.*)$/m.exec(overWire.stderr) ?? [];
      expect(problemOf(overHttp)).toMatchObject({ status, detail: sentence });
    });

    it('metrics count statements of REST under the door http', async () => {
      const read = async (): Promise<(number | undefined)[]> => {
        const { text } = await service.ask('/metrics');
        return (['postgres', 'mongodb'] as const).flatMap((backend) => [
          readSample(text, 'gatepost_stats_queries_total', { listener: 'http', backend }) ?? 0,
          readSample(text, 'gatepost_stats_rows_total', { listener: 'http', backend }) ?? 0,
          readSample(text, 'gatepost_stats_queries_total', { listener: backend, backend }) ?? 0,
        ]);
      };
      const before = await read();
      await query('postgres', 'select generate_series(1, 5)');
      await query('postgres', 'drop table orders');
      await query('mongodb', 'db.three.find()');
      const added = (await read()).map((value, index) => (value ?? 0) - (before[index] ?? 0));
      expect(added).toEqual([...[2, 5, 0], ...[1, 1, 0]]);
    });

    it('the audit names the request, the token and the route', async () => {
      const select = `select 'audited', '${runtime.name}'`;
      const find = `db.orders.find({ audited: "${runtime.name}" })`;
      const ids = await Promise.all(
        [query('postgres', select), query('mongodb', find)].map(
          async (answer) => (await answer).headers['x-request-id'],
        ),
      );
      const shared = {
        ...{ listener: 'http', protocol: 'rest', user: 'writer', application_name: 'POST /query' },
        ...{ client_addr: '127.0.0.1', outcome: 'ok', sqlstate: null },
      };
      expect(await service.audited(select)).toMatchObject({
        ...{ ...shared, backend: 'postgres', session: ids[0], rows: 1, command_tags: ['SELECT 1'] },
      });
      expect(await service.audited(find)).toMatchObject({
        ...{ ...shared, backend: 'mongodb', session: ids[1], rows: 0 },
      });
    });

    test.each([
      ['my-id.7_A', true],
      ['x'.repeat(128), true],
      ['x'.repeat(129), false],
      ['two words', false],
      ["quote'; drop", false],
      ['', false],
    ])('a request that is called %j keeps its id: %s', async (wanted, isKept) => {
      const mark = `${wanted.length} ${isKept}`;
      const text = `select current_setting('application_name') as name, '${mark}'`;
      const answer = await query('postgres', text, { 'X-Request-Id': wanted });
      const id = answer.headers['x-request-id'];
      const made = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
      expect(id).toEqual(isKept ? wanted : expect.stringMatching(made));
      expect(await service.audited(text)).toMatchObject({ session: id });
      // The database's own log can be searched for it too, as far as its name has room.
      const [, name = ''] = /"rows":\[\{"name":"(.*?)"/.exec(answer.text) ?? [];
      expect(name).toMatch(/^gatepost\//);
      expect(name.endsWith(String(id).slice(-36))).toBe(true);
    });

    it('a problem has the id too', async () => {
      const answer = await query('postgres', 'selec 1', { 'X-Request-Id': 'wrong-1' });
      expect(problemOf(answer)).toMatchObject({ requestId: 'wrong-1', sqlState: '42601' });
    });
  });
});
