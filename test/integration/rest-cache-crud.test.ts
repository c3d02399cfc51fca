// Rows and documents out of the cache, and every write that has to drop them.
import { afterAll, beforeAll, beforeEach, expect, it, test } from '@jest/globals';
import { ADMIN, OTHER_ADMIN, READER, startApi } from '../support/api-stage.ts';
import type { ApiStage } from '../support/api-stage.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runningStatements, untilFact, untilTrue } from '../support/facts.ts';
import { ask } from '../support/http-client.ts';
import type { Answer, Question } from '../support/http-client.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { collectionOf } from '../support/mongodb-crud-stage.ts';
import { createTestCache } from '../support/response-caches.ts';

const TABLES = `
  drop table if exists items, others cascade;
  create table items (id int primary key, name text);
  create table others (id int primary key, name text);
  create view shown as select id, name from items;
  create view slow as select id, name, pg_sleep(0.4)::text as nothing from items;
  insert into items values (1, 'ann'), (2, 'bob'), (3, 'cid');
  insert into others values (1, 'ann')`;

const BACKENDS = ['postgres', 'mongodb'] as const;

/** Writes to `items`, each of which changes what is read; the path is below the table. */
const WRITES: readonly (readonly [string, string, Question])[] = [
  ['POST', '', { method: 'POST', body: { id: 4, _id: 4, name: 'dan' } }],
  ['POST of many', '', { method: 'POST', body: [{ id: 4, _id: 4, name: 'dan' }] }],
  ['PUT', '/1', { method: 'PUT', body: { name: 'eve' } }],
  ['PATCH', '/1', { method: 'PATCH', body: { name: 'eve' } }],
  ['PATCH of many', '?name=eq.ann', { method: 'PATCH', body: { name: 'eve' } }],
  ['DELETE', '/1', { method: 'DELETE' }],
  ['DELETE of many', '?name=eq.ann', { method: 'DELETE' }],
];

describeMongodb('rows and documents with Cache-Control', () => {
  let database: TestDatabase;
  let mongodb: TestMongodbDatabase;
  let one: ApiStage;
  let other: ApiStage;

  beforeAll(async () => {
    database = await createTestDatabase();
    mongodb = await createTestMongodbDatabase();
    [one, other] = await Promise.all([startReplica(), startReplica()]);
  });

  afterAll(async () => {
    await Promise.all([one.stop(), other.stop()]);
    await mongodb.drop();
    await database.drop();
  });

  beforeEach(async () => {
    await runDirectly(database.url, TABLES);
    await mongodb.client.db(mongodb.name).dropDatabase();
    for (const name of ['items', 'others']) {
      await collectionOf(mongodb, name).insertMany([
        { _id: 1, name: 'ann' },
        { _id: 2, name: 'bob' },
        { _id: 3, name: 'cid' },
      ]);
    }
    await mongodb.client
      .db(mongodb.name)
      .createCollection('shown', { viewOn: 'items', pipeline: [] });
  });

  async function startReplica(hidden: readonly string[] = []): Promise<ApiStage> {
    const backends = { dsn: database.url, mongodbUri: mongodb.uri };
    return await startApi({ ...backends, hidden }, createTestCache(mongodb));
  }

  function urlOf(backend: (typeof BACKENDS)[number], path: string): string {
    return `/api/${backend}/${backend === 'postgres' ? 'public' : mongodb.name}/${path}`;
  }

  async function read(
    url: string,
    control = 'max-age=60',
    { stage = one, token = ADMIN, headers = {}, method = 'GET' }: ReadOptions = {},
  ): Promise<Answer> {
    const answer = await ask(`${stage.url}${url}`, {
      token,
      method,
      headers: { 'cache-control': control, ...headers },
    });
    const cache = mongodb.client.db(mongodb.name).collection('cache');
    await untilFact(
      async () => (await cache.countDocuments({ kind: 'lease' })) === 0,
      'an answer that is stored',
    );
    return answer;
  }

  interface ReadOptions {
    readonly stage?: ApiStage;
    readonly token?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly method?: string;
  }

  const xCacheOf = ({ headers }: Answer): unknown => headers['x-cache'];

  function headersOf({ headers }: Answer): readonly unknown[] {
    return [headers['content-type'], headers.etag, headers['link']];
  }

  for (const backend of BACKENDS) {
    test.each(['items/1', 'items', 'items?limit=1&order=name.desc', 'shown'])(
      `${backend}: %s is read once, and is the same on every replica`,
      async (path) => {
        const url = urlOf(backend, path);
        const first = await read(url);
        expect([first.status, xCacheOf(first)]).toEqual([200, 'miss']);
        const ran = one.statements().length + other.statements().length;
        for (const stage of [one, other]) {
          const again = await read(url, 'max-age=60', { stage });
          expect([again.status, xCacheOf(again), again.headers.age]).toEqual([200, 'hit', '0']);
          expect(again.text).toBe(first.text);
          expect(headersOf(again)).toEqual(headersOf(first));
        }
        expect(one.statements().length + other.statements().length).toBe(ran);
      },
    );

    test(`${backend}: nothing is cached unless that is asked for`, async () => {
      const url = urlOf(backend, 'items');
      for (let round = 0; round < 2; round += 1) {
        const answer = await read(url, 'private');
        expect([answer.status, xCacheOf(answer)]).toEqual([200, undefined]);
      }
      await read(url);
      for (const control of ['no-cache', 'max-age=0', 'no-store']) {
        expect(xCacheOf(await read(url, control))).toBe('bypass');
      }
    });

    test(`${backend}: a version that the client has is 304, out of the cache too`, async () => {
      const url = urlOf(backend, 'items/1');
      const { etag = '' } = (await read(url)).headers;
      const headers = { 'if-none-match': etag };
      const kept = await read(url, 'max-age=60', { headers });
      expect([kept.status, xCacheOf(kept), kept.text]).toEqual([304, 'hit', '']);
      await ask(`${one.url}${url}`, { token: ADMIN, method: 'PATCH', body: { name: 'eve' } });
      const changed = await read(url, 'max-age=60', { headers });
      expect([changed.status, xCacheOf(changed)]).toEqual([200, 'miss']);
      const again = { 'if-none-match': changed.headers.etag ?? '' };
      await ask(`${one.url}${url}`, { token: ADMIN, method: 'PATCH', body: { name: 'fay' } });
      const { etag: last = '' } = (await read(url, 'private')).headers;
      // What was made for a 304 is whole, and for everybody who asks the same.
      const made = await read(url, 'max-age=60', { headers: { 'if-none-match': last } });
      expect([made.status, xCacheOf(made)]).toEqual([304, 'miss']);
      const whole = await read(url, 'max-age=60', { headers: again });
      expect([whole.status, xCacheOf(whole), whole.headers.etag]).toEqual([200, 'hit', last]);
      expect(whole.text).toContain('fay');
    });

    test(`${backend}: If-Match is about the version of now`, async () => {
      const url = urlOf(backend, 'items/1');
      const { etag = '' } = (await read(url)).headers;
      const fits = await read(url, 'max-age=60', { headers: { 'if-match': etag } });
      expect([fits.status, xCacheOf(fits)]).toEqual([200, 'bypass']);
      const other = await read(url, 'max-age=60', { headers: { 'if-match': '"other"' } });
      expect([other.status, xCacheOf(other)]).toEqual([412, 'bypass']);
    });

    test(`${backend}: HEAD is GET without its body`, async () => {
      const url = urlOf(backend, 'items/1');
      const head = await read(url, 'max-age=60', { method: 'HEAD' });
      expect([head.status, xCacheOf(head), head.text]).toEqual([200, 'miss', '']);
      const whole = await read(url);
      expect([xCacheOf(whole), whole.text.includes('ann')]).toEqual(['hit', true]);
      const again = await read(url, 'max-age=60', { method: 'HEAD' });
      expect([again.headers['content-length'], again.text]).toEqual([`${whole.text.length}`, '']);
    });

    test(`${backend}: what is asked otherwise is answered otherwise`, async () => {
      const paths = ['items', 'items?limit=1', 'items?limit=2', 'items?name=eq.bob', 'others'];
      const texts = new Set<string>();
      for (const path of [...paths, 'items/1', 'items/2']) {
        const answer = await read(urlOf(backend, path));
        expect(xCacheOf(answer)).toBe('miss');
        texts.add(answer.text);
      }
      // The two whole tables may hold the same.
      expect(texts.size).toBeGreaterThanOrEqual(paths.length + 1);
      expect(xCacheOf(await read(urlOf(backend, 'items?name=eq%2Ebob')))).toBe('hit');
    });

    test(`${backend}: nobody is given the answer of somebody else`, async () => {
      const url = urlOf(backend, 'items');
      await read(url);
      for (const token of [READER, OTHER_ADMIN]) {
        expect(xCacheOf(await read(url, 'max-age=60', { token, stage: other }))).toBe('miss');
        expect(xCacheOf(await read(url, 'max-age=60', { token }))).toBe('hit');
      }
      const nobody = await ask(`${one.url}${url}`, { headers: { 'cache-control': 'max-age=60' } });
      expect([nobody.status, xCacheOf(nobody)]).toEqual([401, undefined]);
    });

    test(`${backend}: what is hidden by now is not there, though it is in the cache`, async () => {
      const url = urlOf(backend, 'items');
      await read(url);
      const container = backend === 'postgres' ? 'public' : mongodb.name;
      const strict = await startReplica([`${backend}/${container}.items`]);
      for (const path of ['items', 'items/1']) {
        const answer = await read(urlOf(backend, path), 'max-age=60', { stage: strict });
        expect([answer.status, xCacheOf(answer)]).toEqual([404, undefined]);
      }
      await strict.stop();
    });

    test(`${backend}: what is not there is not kept`, async () => {
      for (const path of ['items/9', 'items?nothing=like']) {
        for (let round = 0; round < 2; round += 1) {
          const answer = await read(urlOf(backend, path));
          expect(answer.status).toBeGreaterThanOrEqual(400);
          expect(xCacheOf(answer)).not.toBe('hit');
        }
      }
    });

    test.each(WRITES)(
      `${backend}: %s drops what it touched, for every replica`,
      async (_title, path, write) => {
        const urls = ['items/1', 'items', 'shown'].map((one) => urlOf(backend, one));
        const untouched = urlOf(backend, 'others');
        for (const url of [...urls, untouched]) {
          expect(xCacheOf(await read(url))).toBe('miss');
          expect(xCacheOf(await read(url, 'max-age=60', { stage: other }))).toBe('hit');
        }
        const { body, ...question } = write;
        const written = await ask(`${other.url}${urlOf(backend, 'items')}${path}`, {
          ...question,
          token: OTHER_ADMIN,
          ...(body !== undefined && { body: bodyFor(backend, body) }),
        });
        expect(written.status).toBeLessThan(300);
        for (const url of urls) {
          const now = await read(url, 'no-cache');
          const answer = await read(url);
          expect([xCacheOf(answer), answer.status, answer.text.replace(ID, '')]).toEqual([
            'miss',
            now.status,
            now.text.replace(ID, ''),
          ]);
        }
        expect(xCacheOf(await read(untouched))).toBe('hit');
      },
    );

    test(`${backend}: what was read while a write was done is not given behind it`, async () => {
      await collectionOf(mongodb, 'slow').drop();
      const url = backend === 'postgres' ? urlOf(backend, 'slow') : await createSlowView();
      const filling = read(url);
      await (backend === 'postgres'
        ? untilTrue(database.url, runningStatements('%slow%', 1))
        : untilFact(async () => await isRunningInMongodb(), 'a slow read'));
      const written = await ask(`${other.url}${urlOf(backend, 'items')}/1`, {
        token: ADMIN,
        method: 'PATCH',
        body: { name: 'eve' },
      });
      expect(written.status).toBe(200);
      expect((await filling).status).toBe(200);
      for (const stage of [one, other]) {
        const after = await read(url, 'max-age=60', { stage });
        expect(after.text).toContain('eve');
      }
    });
  }

  /** A view whose reading takes a moment. */
  async function createSlowView(): Promise<string> {
    const wait = {
      $function: {
        body: 'function () { const until = Date.now() + 200; while (Date.now() < until) {} }',
        args: [],
        lang: 'js',
      },
    };
    await mongodb.client.db(mongodb.name).createCollection('slow', {
      viewOn: 'items',
      pipeline: [{ $addFields: { nothing: wait } }],
    });
    return urlOf('mongodb', 'slow');
  }

  async function isRunningInMongodb(): Promise<boolean> {
    const running = await mongodb.client
      .db('admin')
      .aggregate([{ $currentOp: {} }])
      .toArray();
    return running.some(({ command }) => JSON.stringify(command ?? '').includes('"slow"'));
  }

  it('does not cache the lists of tables and databases', async () => {
    for (const url of ['/api/postgres', '/api/postgres/public', '/api/mongodb']) {
      const answer = await read(url);
      expect([answer.status, xCacheOf(answer)]).toEqual([200, undefined]);
    }
  });

  it('shows no faults', () => {
    expect([...one.faults(), ...other.faults()]).toEqual([]);
  });
});

/** Times and places of problems. */
const ID = /"requestId":"[^"]*"/;

/** A row has an id, a document an _id. */
function bodyFor(backend: (typeof BACKENDS)[number], body: unknown): object {
  if (Array.isArray(body)) {
    return body.map((one) => bodyFor(backend, one));
  }
  const left = backend === 'postgres' ? '_id' : 'id';
  const members = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  return Object.fromEntries(members.filter(([name]) => name !== left));
}
