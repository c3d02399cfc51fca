// Documents over HTTP: created, read, replaced, patched and deleted, exactly as they are.
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Double, Int32, Long } from 'mongodb';
import supertest from 'supertest';
import type { CrudStage } from '../support/crud-app.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { collectionOf, startMongodbCrud } from '../support/mongodb-crud-stage.ts';

const HEX = '507f1f77bcf86cd799439011';

describeMongodb('documents over HTTP', () => {
  let database: TestMongodbDatabase;
  let crud: CrudStage;
  let api: ReturnType<typeof supertest>;
  let url = '';

  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    crud = startMongodbCrud({ uri: database.uri });
    api = supertest(crud.app);
    url = `/api/mongodb/${database.name}/people`;
  });

  afterAll(async () => {
    await crud.close();
    await database.drop();
  });

  beforeEach(async () => {
    await people().deleteMany({});
  });

  function people() {
    return collectionOf(database, 'people');
  }

  function send(path: string, text: string) {
    return api.post(path).type('json').send(text);
  }

  async function etagOf(path: string): Promise<string> {
    const response = await api.get(path);
    return response.get('ETag') ?? '';
  }

  it('creates a document with an id of its own, and says where it is', async () => {
    const created = await send(url, '{"name":"ann","_id":"a/b"}');
    expect(created.status).toBe(201);
    expect(created.text).toBe('{"_id":"a/b","name":"ann"}');
    expect(created.get('Location')).toBe(`${url}/a%2Fb`);
    const read = await api.get(created.get('Location') ?? '');
    expect(read.status).toBe(200);
    expect(read.type).toBe('application/json');
    expect(read.text).toBe(created.text);
    expect(read.get('ETag')).toBe(created.get('ETag'));
    expect(read.get('ETag')).toMatch(/^"[0-9a-f]{32}"$/);
  });
  it('creates a document with an ObjectId', async () => {
    const created = await send(url, '{"name":"ann"}');
    expect(created.text).toMatch(/^\{"_id":\{"\$oid":"[0-9a-f]{24}"\},"name":"ann"\}$/);
    expect(created.get('Location')).toMatch(new RegExp(`^${url}/[0-9a-f]{24}$`));
    expect((await api.get(created.get('Location') ?? '')).text).toBe(created.text);
  });
  it('stores types, names and their order as they are written', async () => {
    const text =
      '{"_id":1,"b":1,"10":2,"2":1.0,"long":5000000000,"small":{"$numberLong":"5"},"d":0.1,' +
      '"m":{"$numberDecimal":"1.10"},"at":{"$date":"2030-01-31T12:00:00Z"},' +
      '"by":{"$binary":{"base64":"AQID","subType":"00"}},"u":{"$timestamp":{"t":1,"i":2}},' +
      '"r":{"$regularExpression":{"pattern":"a.*","options":"i"}},"min":{"$minKey":1},' +
      '"s":"\\"\\\\\\n\\u0001é😀","n":null,"t":[true,[],{}],' +
      '"ref":{"$ref":"other","$id":{"$oid":"507f1f77bcf86cd799439011"}},' +
      '"__proto__":{"admin":true},"constructor":{"prototype":1},"_bsontype":"ObjectId"}';
    const expected = text.replace('"2":1.0', '"2":{"$numberDouble":"1.0"}');
    expect((await send(url, text)).text).toBe(expected);
    expect((await api.get(`${url}/1`)).text).toBe(expected);
    const [stored] = await people()
      .find({}, { promoteValues: false, projection: { 10: 1, 2: 1, long: 1, small: 1 } })
      .toArray();
    expect(stored).toMatchObject({
      10: new Int32(2),
      2: new Double(1),
      long: Long.fromNumber(5_000_000_000),
      small: Long.fromNumber(5),
    });
  });
  it('creates many documents in their order', async () => {
    const created = await send(url, '[{"_id":2,"a":1},{"a":2,"_id":1}]');
    expect(created.status).toBe(201);
    expect(created.text).toBe('{"items":[{"_id":2,"a":1},{"_id":1,"a":2}]}');
    expect(created.get('Location')).toBeUndefined();
    expect(await people().countDocuments()).toBe(2);
  });
  it('tells of a duplicate, and keeps what came before it', async () => {
    await send(url, '{"_id":2}');
    expect((await send(url, '{"_id":2}')).status).toBe(409);
    const response = await send(url, '[{"_id":1},{"_id":2},{"_id":3}]');
    expect(response.status).toBe(409);
    expect(response.body).toMatchObject({ mongodb: { code: 11000 } });
    expect(await people().countDocuments()).toBe(2);
  });
  it.each([
    ['[]', 422, 'The array holds no document'],
    ['5', 422, 'A document is expected'],
    ['[{"a":1},5]', 422, '[1]'],
    ['[{"a":1},{"$a":1}]', 422, '[1].$a'],
    ['{"_id":[1]}', 422, 'neither an array nor a regular expression'],
    ['{"_id":{"$regularExpression":{"pattern":"a","options":""}}}', 422, 'neither an array'],
    ['{"_id":{"$oid":"x"}}', 422, '24 hexadecimal digits'],
    ['{"a":1e400}', 422, '$numberDecimal'],
    ['{"a":1,"a":2}', 400, ''],
    ['{"a":1,"a":1}', 400, 'twice'],
    ['{"a":', 400, ''],
    ['', 400, 'no body'],
  ])('stores nothing of %s', async (text, status, said) => {
    const response = await send(url, text);
    expect(response.status).toBe(status);
    expect(response.type).toBe('application/problem+json');
    expect(response.text).toContain(said);
    expect(await people().countDocuments()).toBe(0);
  });
  it.each([
    ['an ObjectId', HEX, '', `{"$oid":"${HEX}"}`],
    ['hexadecimal text', HEX, '?id_type=string', `"${HEX}"`],
    ['hexadecimal text in quotes', `%22${HEX}%22`, '', `"${HEX}"`],
    ['a number', '5', '', '5'],
    ['a number as text', '5', '?id_type=string', '"5"'],
    ['a Long', '%7B%22%24numberLong%22%3A%225%22%7D', '', '{"$numberLong":"5"}'],
    ['a date', '2030-01-31T12:00:00Z', '?id_type=date', '{"$date":"2030-01-31T12:00:00Z"}'],
    ['a document', '%7B%22a%22%3A1%7D', '', '{"a":1}'],
    ['true', 'true', '', 'true'],
    ['text with a slash', 'a%2Fb', '', '"a/b"'],
  ])('finds a document by %s', async (_case, part, query, id) => {
    await send(url, `[{"_id":${id}},{"_id":"another"}]`);
    expect((await api.get(`${url}/${part}${query}`)).text).toBe(`{"_id":${id}}`);
    expect((await api.head(`${url}/${part}${query}`)).status).toBe(200);
    expect((await api.delete(`${url}/${part}${query}`)).status).toBe(204);
    expect(await people().countDocuments()).toBe(1);
  });

  it('takes null for an id, which the driver would not', async () => {
    const created = await send(url, '{"_id":null}');
    expect(created.get('Location')).toBe(`${url}/null`);
    expect((await api.get(`${url}/null`)).text).toBe('{"_id":null}');
    expect((await api.get(`${url}/%22null%22`)).status).toBe(404);
  });
  it('does not take a number for text, nor text for a number', async () => {
    await people().insertMany([{ _id: '5' }, { _id: 6 }]);
    expect((await api.get(`${url}/5`)).status).toBe(404);
    expect((await api.get(`${url}/6?id_type=string`)).status).toBe(404);
  });
  it.each(['get', 'delete', 'put', 'patch'] as const)(
    'answers 404 to %s of none',
    async (method) => {
      const response = await api[method](`${url}/5`).send(method === 'get' ? undefined : { a: 1 });
      expect(response.status).toBe(404);
      expect(await people().countDocuments()).toBe(0);
    },
  );
  it('replaces a document whole', async () => {
    await people().insertOne({ _id: 1, ...{ a: 1, b: 2 } });
    const response = await api.put(`${url}/1`).type('json').send('{"c":1.0,"10":1,"2":2}');
    expect(response.status).toBe(200);
    expect(response.text).toBe('{"_id":1,"c":{"$numberDouble":"1.0"},"10":1,"2":2}');
    expect(response.get('ETag')).toBe(await etagOf(`${url}/1`));
    expect((await api.put(`${url}/1`).type('json').send('{"_id":1}')).text).toBe('{"_id":1}');
  });
  it.each(['{"_id":2}', '{"_id":"1"}', '{"_id":{"$numberLong":"1"}}'])(
    'does not replace a document by one with another id: %s',
    async (text) => {
      await people().insertOne({ _id: 1 });
      const response = await api.put(`${url}/1`).type('json').send(text);
      expect(response.status).toBe(422);
      expect(response.body).toMatchObject({ fields: [{ field: '_id' }] });
    },
  );
  it('sets fields by their names and paths, null among the values', async () => {
    await people().insertOne({ _id: 1, ...{ a: 1, b: { c: 1, d: 2 }, e: 'kept' } });
    const text = '{"a":null,"b.c":{"$numberLong":"7"},"f.g":[1,{"h":"$a"}]}';
    const response = await api.patch(`${url}/1`).type('json').send(text);
    expect(response.status).toBe(200);
    expect(response.text).toBe(
      '{"_id":1,"a":null,"b":{"c":{"$numberLong":"7"},"d":2},"e":"kept",' +
        '"f":{"g":[1,{"h":"$a"}]}}',
    );
  });
  it.each([
    ['{}', 'Fields to set are expected'],
    ['[]', 'Fields to set are expected'],
    ['[{"$set":{"a":2}}]', 'Fields to set are expected'],
    ['{"_id":2}', '_id'],
    ['{"_id.a":2}', '_id'],
    ['{"$set":{"a":2}}', '$set'],
    ['{"$unset":{"a":""}}', '$unset'],
    ['{"a":{"$inc":1}}', 'a.$inc'],
    ['{"a.$":1}', 'a.$'],
    ['{"a..b":1}', 'a..b'],
    ['{"":1}', 'empty'],
    ['{"a":1,"a.b":2}', 'a.b'],
  ])('does not patch with %s', async (text, said) => {
    await people().insertOne({ _id: 1, ...{ a: 1 } });
    const response = await api.patch(`${url}/1`).type('json').send(text);
    expect(response.status).toBe(422);
    expect(response.text).toContain(said);
    expect(await people().findOne({ _id: 1 })).toEqual({ _id: 1, a: 1 });
  });
  it('lets the audit see each command as it was sent, and no fault', async () => {
    const before = crud.statements().length;
    await send(url, '{"_id":1,"a":{"$numberLong":"5"}}');
    await api.patch(`${url}/1`).send({ a: 1 });
    const statements = crud.statements().slice(before);
    expect(statements.map(({ text, session }) => [session.applicationName, text])).toEqual([
      [
        'POST /api/mongodb/{database}/{collection}',
        '{"insert":"people","documents":[{"_id":1,"a":{"$numberLong":"5"}}],"ordered":true}',
      ],
      [
        'PATCH /api/mongodb/{database}/{collection}/{id}',
        '{"findAndModify":"people","query":{"_id":{"$eq":1}},"update":{"$set":{"a":1}},' +
          '"new":true,"upsert":false}',
      ],
    ]);
    expect(crud.faults()).toEqual([]);
  });
});
