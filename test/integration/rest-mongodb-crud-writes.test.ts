// Writes over HTTP hit what they mean and nothing else: If-Match, and filters of many documents.
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { BSON, Double, Int32 } from 'mongodb';
import supertest from 'supertest';
import type { CrudStage } from '../support/crud-app.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { collectionOf, startMongodbCrud } from '../support/mongodb-crud-stage.ts';

describeMongodb('writes over HTTP', () => {
  let database: TestMongodbDatabase;
  let crud: CrudStage;
  let api: ReturnType<typeof supertest>;
  let url = '';
  /** What another client does before the next write, once. */
  let intrusion: (() => Promise<unknown>) | undefined;

  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    crud = startMongodbCrud({
      uri: database.uri,
      meanwhile: async (command) => {
        if (intrusion !== undefined && ('findAndModify' in command || 'delete' in command)) {
          await intrusion();
          intrusion = undefined;
        }
      },
    });
    api = supertest(crud.app);
    url = `/api/mongodb/${database.name}/people`;
  });

  afterAll(async () => {
    expect(crud.faults()).toEqual([]);
    await crud.close();
    await database.drop();
  });

  beforeEach(async () => {
    await people().deleteMany({});
  });

  function people() {
    return collectionOf(database, 'people');
  }

  /** What is stored, in canonical Extended JSON. */
  async function storedTexts(): Promise<string[]> {
    const documents = await people().find({}, { promoteValues: false }).sort({ _id: 1 }).toArray();
    return documents.map((document) => BSON.EJSON.stringify(document, { relaxed: false }));
  }

  async function etagOf(path: string): Promise<string> {
    const response = await api.get(path);
    return response.get('ETag') ?? '';
  }

  it('writes over nothing but the state that If-Match names', async () => {
    await people().insertOne({ _id: 1, ...{ a: 1 } });
    const first = await etagOf(`${url}/1`);
    const patched = await api.patch(`${url}/1`).set('If-Match', first).send({ a: 2 });
    expect(patched.status).toBe(200);
    for (const response of [
      await api.patch(`${url}/1`).set('If-Match', first).send({ a: 3 }),
      await api.put(`${url}/1`).set('If-Match', first).send({ a: 3 }),
      await api.delete(`${url}/1`).set('If-Match', first),
      await api.delete(`${url}/1`).set('If-Match', `W/${patched.get('ETag') ?? ''}`),
    ]) {
      expect(response.status).toBe(412);
    }
    expect(await people().findOne({ _id: 1 })).toEqual({ _id: 1, a: 2 });
    const tags = `"other", ${patched.get('ETag') ?? ''}`;
    expect((await api.put(`${url}/1`).set('If-Match', tags).send({ a: 4 })).status).toBe(200);
    expect((await api.delete(`${url}/1`).set('If-Match', '*')).status).toBe(204);
    expect((await api.delete(`${url}/1`).set('If-Match', first)).status).toBe(404);
    expect((await api.put(`${url}/1`).set('If-Match', 'bare').send({})).status).toBe(400);
  });
  it('shows the state that If-Match wants to be shown, or none', async () => {
    await people().insertOne({ _id: 1, ...{ a: 1 } });
    const etag = await etagOf(`${url}/1`);
    for (const [wanted, status] of [
      [etag, 200],
      ['*', 200],
      ['"nope"', 412],
      [`W/${etag}`, 412],
      ['nope', 400],
    ] as const) {
      const response = await api.get(`${url}/1`).set('If-Match', wanted);
      expect([wanted, response.status]).toEqual([wanted, status]);
    }
    expect((await api.get(`${url}/1`).set('If-None-Match', etag)).status).toBe(304);
    expect((await api.get(`${url}/2`).set('If-Match', '"nope"')).status).toBe(404);
  });

  it.each(['put', 'patch', 'delete'] as const)(
    'leaves to %s nothing that If-None-Match excludes',
    async (method) => {
      await people().insertOne({ _id: 1, ...{ a: 1 } });
      const etag = await etagOf(`${url}/1`);
      for (const [excluded, status] of [
        ['*', 412],
        [etag, 412],
        [`"other", W/${etag}`, 412],
        ['other', 400],
      ] as const) {
        const response = await api[method](`${url}/1`)
          .set('If-None-Match', excluded)
          .send({ a: 2 });
        expect([excluded, response.status]).toEqual([excluded, status]);
      }
      const missing = api[method](`${url}/2`).set('If-None-Match', '*').send({ a: 2 });
      expect((await missing).status).toBe(404);
      expect(await people().find().toArray()).toEqual([{ _id: 1, a: 1 }]);
      const other = api[method](`${url}/1`).set('If-None-Match', '"other"').send({ a: 2 });
      expect((await other).status).toBe(method === 'delete' ? 204 : 200);
    },
  );

  it('tells states apart that MongoDB holds for equal', async () => {
    await people().insertOne({ _id: 1, ...{ a: new Int32(1) } });
    const etag = await etagOf(`${url}/1`);
    await people().replaceOne({ _id: 1 }, { a: new Double(1) });
    expect((await api.delete(`${url}/1`).set('If-Match', etag)).status).toBe(412);
  });
  it.each(['patch', 'put', 'delete'] as const)(
    'loses no write that comes between its reading and its %s',
    async (method) => {
      await people().insertOne({ _id: 1, ...{ a: 1, name: 'ann' } });
      const etag = await etagOf(`${url}/1`);
      intrusion = async () => await people().updateOne({ _id: 1 }, { $set: { name: 'bob' } });
      const response = await api[method](`${url}/1`).set('If-Match', etag).send({ a: 2 });
      expect(response.status).toBe(412);
      expect(await people().findOne({ _id: 1 })).toEqual({ _id: 1, a: 1, name: 'bob' });
    },
  );
  it('sees a change of capitals where the collection does not', async () => {
    const collation = { locale: 'en', strength: 2 };
    await database.client.db(database.name).createCollection('folded', { collation });
    const folded = collectionOf(database, 'folded');
    await folded.insertOne({ _id: 1, ...{ name: 'ann' } });
    const path = `/api/mongodb/${database.name}/folded/1`;
    const etag = await etagOf(path);
    intrusion = async () => await folded.updateOne({ _id: 1 }, { $set: { name: 'ANN' } });
    expect((await api.delete(path).set('If-Match', etag)).status).toBe(412);
    const next = await etagOf(path);
    expect((await api.delete(path).set('If-Match', next)).status).toBe(204);
  });
  it('finds by an id in other letters what it compares, and keeps the id as it is', async () => {
    const collation = { locale: 'en', strength: 2 };
    await database.client.db(database.name).createCollection('letters', { collation });
    const letters = collectionOf(database, 'letters');
    await letters.insertOne({ _id: 'ann', ...{ age: 1 } });
    const path = `/api/mongodb/${database.name}/letters/ANN`;
    const first = await etagOf(path);
    const patched = await api.patch(path).set('If-Match', first).send({ age: 2 });
    expect([patched.status, patched.text]).toEqual([200, '{"_id":"ann","age":2}']);
    expect((await api.patch(path).set('If-Match', first).send({ age: 3 })).status).toBe(412);
    const etag = patched.get('ETag') ?? '';
    const replaced = await api.put(path).set('If-Match', etag).send({ _id: 'ANN', b: 1 });
    expect([replaced.status, replaced.text]).toEqual([200, '{"_id":"ann","b":1}']);
    expect((await api.put(path).send({ c: 1 })).text).toBe('{"_id":"ann","c":1}');
    const last = await etagOf(path);
    expect((await api.delete(path).set('If-Match', last)).status).toBe(204);
  });
  it('compares documents of every kind', async () => {
    await people().insertOne({
      _id: 1,
      ...{
        $price: 5,
        a: { $b: '$c' },
        d: NaN,
        e: -0,
        f: new Map([
          ['10', 1],
          ['2', 2],
        ]),
      },
    });
    const etag = await etagOf(`${url}/1`);
    expect((await api.patch(`${url}/1`).set('If-Match', etag).send({ x: 1 })).status).toBe(200);
  });
  it('says that a document cannot be compared which has values that cannot be sent', async () => {
    const scoped = new BSON.Code('return a', { a: 1 });
    await people().insertOne({ _id: 1, ...{ scoped } });
    const etag = await etagOf(`${url}/1`);
    expect((await api.delete(`${url}/1`).set('If-Match', etag)).status).toBe(422);
    expect((await api.delete(`${url}/1`)).status).toBe(204);
  });
  it('does not compare what fits into no command beside what is written', async () => {
    await people().insertOne({ _id: 1, ...{ text: 'x'.repeat(14 * 1024 * 1024) } });
    const numbers = Array.from({ length: 150_000 }, () => 1);
    const etag = await etagOf(`${url}/1`);
    const compared = await api.patch(`${url}/1`).set('If-Match', etag).send({ numbers });
    expect(compared.body).toMatchObject({
      status: 422,
      hint: expect.stringContaining('too large'),
    });
    const small = await api.patch(`${url}/1`).set('If-Match', etag).send({ a: 1 });
    expect(small.status).toBe(200);
  });
  it.each(['/1', '?_id=eq.1'])('says that a document would be too large: %s', async (path) => {
    await people().insertOne({ _id: 1, ...{ text: 'x'.repeat(16 * 1024 * 1024 - 1000) } });
    const response = await api.patch(`${url}${path}`).send({ more: 'x'.repeat(1000) });
    expect(response.body).toMatchObject({
      status: 413,
      detail: 'A document would be larger than 16 MiB, which none can be',
    });
  });
  it('writes to all that a filter finds, and says to how many', async () => {
    await people().insertMany([1, 2, 3].map((id) => ({ _id: id, a: id, b: id === 3 ? 9 : 0 })));
    const patched = await api.patch(`${url}?a=gte.2`).type('json').send('{"b":9,"c.d":1.0}');
    expect(patched.body).toEqual({ matched: 2, modified: 2 });
    expect((await api.patch(`${url}?a=eq.3`).send({ b: 9 })).body).toEqual({
      matched: 1,
      modified: 0,
    });
    expect(await storedTexts()).toHaveLength(3);
    const [, second = ''] = await storedTexts();
    expect(second).toContain('"c":{"d":{"$numberDouble":"1.0"}}');
    expect((await api.delete(`${url}?a=lt.3&b=eq.9`)).body).toEqual({ deleted: 1 });
    expect((await api.delete(`${url}?_id=is.not_null`)).body).toEqual({ deleted: 2 });
  });
  it.each(['', '?', '?id_type=string', '?limit=1', '?a=eq.1&limit=1', '?a=eq.1&after=x'])(
    'does not write to many documents without a filter alone: %s',
    async (query) => {
      await people().insertOne({ _id: 1, ...{ a: 1 } });
      expect((await api.delete(`${url}${query}`)).status).toBe(400);
      expect((await api.patch(`${url}${query}`).send({ a: 2 })).status).toBe(400);
      expect(await people().findOne()).toEqual({ _id: 1, a: 1 });
    },
  );
  it('does not take If-Match for many documents', async () => {
    for (const response of [
      await api.delete(`${url}?a=eq.1`).set('If-Match', '"a"'),
      await api.patch(`${url}?a=eq.1`).set('If-Match', '"a"').send({ a: 2 }),
      await api.post(url).set('If-Match', '"a"').send({ a: 2 }),
    ]) {
      expect(response.status).toBe(400);
    }
  });
});
