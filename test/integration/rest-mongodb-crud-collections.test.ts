// What the API shows of databases and collections, and what it lets be written.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { z } from 'zod';
import type { CrudStage } from '../support/crud-app.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { collectionOf, startMongodbCrud } from '../support/mongodb-crud-stage.ts';

const PROBLEM = z.object({
  databaseDetail: z.string(),
  sqlState: z.string(),
  mongodb: z.object({ code: z.number() }),
});

const LISTING = z.object({ items: z.array(z.object({ name: z.string() })) });

describeMongodb('collections over HTTP', () => {
  let database: TestMongodbDatabase;
  const stages: CrudStage[] = [];

  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    const db = database.client.db(database.name);
    await db.createCollection('people');
    await db.createCollection('secrets');
    await db.createCollection('archive');
    await db.createCollection('adults', {
      viewOn: 'people',
      pipeline: [{ $match: { age: { $gte: 18 } } }],
    });
    await db.createCollection('checked', {
      validator: { $jsonSchema: { required: ['name'], properties: { name: { type: 'string' } } } },
    });
    await db.createCollection('with/slash and blanks');
    await db.createCollection('moments', { timeseries: { timeField: 't', metaField: 'at' } });
    await collectionOf(database, 'moments').insertOne({ _id: 1, ...{ t: new Date(), at: 'a' } });
    for (const name of ['people', 'secrets', 'archive']) {
      await collectionOf(database, name).insertMany([
        { _id: 1, ...{ age: 17 } },
        { _id: 2, ...{ age: 18 } },
      ]);
    }
  });

  afterAll(async () => {
    for (const stage of stages) {
      expect(stage.faults()).toEqual([]);
      await stage.close();
    }
    await database.drop();
  });

  function start(rules: Parameters<typeof startMongodbCrud>[0]['rules'] = {}) {
    const stage = startMongodbCrud({ uri: database.uri, rules });
    stages.push(stage);
    return supertest(stage.app);
  }

  function urlOf(path = ''): string {
    return `/api/mongodb/${database.name}${path}`;
  }

  async function namesOf(api: ReturnType<typeof supertest>, path: string): Promise<string[]> {
    const response = await api.get(path);
    expect(response.status).toBe(200);
    return LISTING.parse(response.body).items.map(({ name }) => name);
  }

  it('lists databases, but not those of the system', async () => {
    const names = await namesOf(start(), '/api/mongodb');
    expect(names).toContain(database.name);
    expect(names).not.toContain('admin');
    expect(names).not.toContain('local');
    expect(names).not.toContain('config');
  });

  it('lists collections with what they are, sorted by name', async () => {
    const response = await start().get(urlOf());
    expect(response.body).toEqual({
      items: [
        { name: 'adults', type: 'view', isReadOnly: true },
        { name: 'archive', type: 'collection', isReadOnly: false },
        { name: 'checked', type: 'collection', isReadOnly: false },
        { name: 'moments', type: 'timeseries', isReadOnly: false },
        { name: 'people', type: 'collection', isReadOnly: false },
        { name: 'secrets', type: 'collection', isReadOnly: false },
        { name: 'with/slash and blanks', type: 'collection', isReadOnly: false },
      ],
      next: null,
    });
  });

  it('lists all of them whatever the limits of results are', async () => {
    const limits = { rowsMax: 1, bytesMax: 1 };
    const stage = startMongodbCrud({ uri: database.uri, limits });
    stages.push(stage);
    const api = supertest(stage.app);
    expect(await namesOf(api, urlOf())).toEqual(await namesOf(start(), urlOf()));
    expect((await api.options(urlOf('/adults'))).get('Allow')).toBe('GET, HEAD, OPTIONS');
  });

  it.each(['none', 'admin', 'local', 'config', 'Admin', '$external', 'a.b', 'a%20b', 'a%2Fb'])(
    'knows of no database %s',
    async (name) => {
      expect((await start().get(`/api/mongodb/${name}`)).status).toBe(404);
    },
  );

  it('shows a database of which a rule allows one collection', async () => {
    const path = `mongodb/${database.name}`;
    expect(await namesOf(start({ allow: [`${path}.people`] }), '/api/mongodb')).toEqual([
      database.name,
    ]);
    expect(await namesOf(start({ allow: [`${path}.people`] }), urlOf())).toEqual(['people']);
    expect(await namesOf(start({ deny: [`${path}.*`] }), '/api/mongodb')).not.toContain(
      database.name,
    );
    expect((await start({ deny: [`${path}.*`] }).get(urlOf())).status).toBe(404);
  });

  it('answers for what is hidden as for what is not there', async () => {
    const api = start({ deny: ['mongodb/*.secrets'] });
    const answers = [
      await api.get(urlOf('/secrets')),
      await api.get(urlOf('/secrets/1')),
      await api.post(urlOf('/secrets')).send({ a: 1 }),
      await api.patch(urlOf('/secrets?_id=eq.1')).send({ a: 1 }),
      await api.delete(urlOf('/secrets?_id=eq.1')),
      await api.put(urlOf('/secrets/1')).send({ a: 1 }),
      await api.patch(urlOf('/secrets/1')).send({ a: 1 }),
      await api.delete(urlOf('/secrets/1')),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
    expect(await namesOf(api, urlOf())).not.toContain('secrets');
    expect(await countOf('secrets')).toBe(2);
  });

  it('reads what is read-only, and writes nothing to it', async () => {
    const api = start({ readOnly: ['mongodb/*.archive'] });
    expect((await api.get(urlOf('/archive'))).status).toBe(200);
    expect((await api.get(urlOf('/archive/1'))).status).toBe(200);
    const answers = [
      await api.post(urlOf('/archive')).send({ a: 1 }),
      await api.patch(urlOf('/archive?_id=eq.1')).send({ a: 1 }),
      await api.delete(urlOf('/archive?_id=eq.1')),
      await api.put(urlOf('/archive/1')).send({ a: 1 }),
      await api.patch(urlOf('/archive/1')).send({ a: 1 }),
      await api.delete(urlOf('/archive/1')),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 403));
    expect(await countOf('archive')).toBe(2);
  });

  it('reads views, and says that they can be read only', async () => {
    const api = start();
    expect((await api.get(urlOf('/adults'))).body).toEqual({
      items: [{ _id: 2, age: 18 }],
      next: null,
    });
    expect((await api.get(urlOf('/adults/2'))).status).toBe(200);
    const answers = [
      await api.post(urlOf('/adults')).send({ a: 1 }),
      await api.patch(urlOf('/adults?_id=eq.2')).send({ a: 1 }),
      await api.delete(urlOf('/adults?_id=eq.2')),
      await api.put(urlOf('/adults/2')).send({ a: 1 }),
      await api.patch(urlOf('/adults/2')).send({ a: 1 }),
      await api.delete(urlOf('/adults/2')),
    ];
    for (const { status, headers } of answers) {
      expect([status, headers['allow']]).toEqual([405, 'GET, HEAD, OPTIONS']);
    }
    expect(await countOf('people')).toBe(2);
  });

  const READS = 'GET, HEAD, OPTIONS';
  const OF_DOCUMENTS = 'GET, HEAD, POST, PATCH, DELETE, OPTIONS';
  const OF_DOCUMENT = 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS';

  it.each<readonly [path: string, allow: string | undefined]>([
    ['/people', OF_DOCUMENTS],
    ['/people/1', OF_DOCUMENT],
    ['/adults', READS],
    ['/adults/2', READS],
    ['/archive', READS],
    ['/archive/1', READS],
    ['/moments', OF_DOCUMENTS],
    ['/moments/1', READS],
    ['/not.yet', OF_DOCUMENTS],
    ['/secrets', undefined],
    ['/secrets/1', undefined],
    ['/system.views', undefined],
  ])('tells by OPTIONS and by 405 what %s has', async (path, allow) => {
    const api = start({ deny: ['mongodb/*.secrets'], readOnly: ['mongodb/*.archive'] });
    const options = await api.options(urlOf(path));
    const status = allow === undefined ? 404 : 204;
    expect([options.status, options.get('Allow')]).toEqual([status, allow]);
    // A method that no collection or document has.
    const other = path.split('/').length > 2 ? 'post' : 'put';
    const refused = await api[other](urlOf(path)).send({});
    expect([refused.status, refused.get('Allow')]).toEqual([allow ? 405 : 404, allow]);
  });

  it('writes to no single document of a time series, and says so', async () => {
    const api = start();
    const moment = urlOf('/moments/1');
    const etag = (await api.get(moment)).get('ETag') ?? '';
    const answers = [
      await api.put(moment).send({ t: { $date: '2024-01-01T00:00:00Z' }, value: 2 }),
      await api.patch(moment).send({ value: 2 }),
      await api.delete(moment),
      await api.put(moment).set('If-Match', etag).send({ value: 2 }),
      await api.patch(moment).set('If-Match', etag).send({ value: 2 }),
      await api.delete(moment).set('If-Match', etag),
    ];
    for (const { status, body, headers } of answers) {
      expect([status, headers['allow']]).toEqual([405, READS]);
      expect(body).toMatchObject({
        detail: 'Documents of a time series cannot be written one by one',
      });
    }
    expect(await countOf('moments')).toBe(1);
    expect((await api.patch(urlOf('/moments?at=eq.a')).send({ at: 'b' })).status).toBe(200);
    expect((await api.delete(urlOf('/moments?at=eq.b'))).body).toEqual({ deleted: 1 });
  });

  it('tells of what a validator of the collection refuses', async () => {
    const api = start();
    expect((await api.post(urlOf('/checked')).send({ _id: 1, name: 'ann' })).status).toBe(201);
    expect((await api.post(urlOf('/checked')).send({ a: 1 })).status).toBe(422);
    const answers = [
      await api.post(urlOf('/checked')).send({ a: 1 }),
      await api.put(urlOf('/checked/1')).send({ a: 1 }),
      await api.patch(urlOf('/checked/1')).send({ name: 5 }),
      await api.patch(urlOf('/checked?_id=eq.1')).send({ name: 5 }),
    ];
    for (const { status, body } of answers) {
      const { databaseDetail, ...problem } = PROBLEM.parse(body);
      expect([status, problem]).toEqual([422, { sqlState: '23514', mongodb: { code: 121 } }]);
      // What is wrong is read by people: no bytes, but the rule that does not hold.
      expect(JSON.parse(databaseDetail)).toMatchObject({
        errInfo: { details: { operatorName: '$jsonSchema', schemaRulesNotSatisfied: [{}] } },
      });
    }
    expect((await api.get(urlOf('/checked/1'))).text).toBe('{"_id":1,"name":"ann"}');
  });

  it('makes a collection by its first document', async () => {
    const api = start();
    expect((await api.post(urlOf('/new.and%20spaced')).send({ _id: 1 })).get('Location')).toBe(
      urlOf('/new.and%20spaced/1'),
    );
    expect(await countOf('new.and spaced')).toBe(1);
  });

  it.each([
    ['/api/mongodb', 'GET, HEAD, OPTIONS'],
    ['/api/mongodb/shop', 'GET, HEAD, OPTIONS'],
    ['/api/mongodb/shop/people', 'GET, HEAD, POST, PATCH, DELETE, OPTIONS'],
    ['/api/mongodb/shop/people/1', 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
  ])('says which methods %s has', async (path, allow) => {
    const api = start();
    for (const method of ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const) {
      const response = await api[method](path);
      const isThere = allow.split(', ').includes(method.toUpperCase());
      expect([method, response.status === 405]).toEqual([method, !isThere]);
      if (!isThere) {
        expect(response.type).toBe('application/problem+json');
      }
      if (!isThere || method === 'options') {
        expect(response.get('Allow')).toBe(allow);
      }
    }
  });

  it.each([
    ['get', ''],
    ['get', '/people/1'],
    ['post', '/people'],
    ['put', '/people/1'],
    ['patch', '/people/1'],
    ['delete', '/people/1'],
  ] as const)('does not take a filter where it means nothing: %s %s', async (method, path) => {
    const request = start()[method](urlOf(`${path}?age=eq.5`));
    const response = await (method === 'get' ? request : request.send({ a: 1 }));
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ fields: [{ field: 'age' }] });
    expect(await countOf('people')).toBe(2);
  });

  async function countOf(name: string): Promise<number> {
    return await database.client.db(database.name).collection(name).countDocuments();
  }
});
