// Rows are created over HTTP: one or many, every type exact, and what cannot be is told by its
// fields.
import { describe, expect, it } from '@jest/globals';
import { readReply } from '../support/postgres-crud-stage.ts';
import { CRUD_RULES, CRUD_TABLES } from '../support/postgres-crud-tables.ts';
import { servePostgres } from '../support/served-postgres.ts';

const { api, runDirectly: stored } = servePostgres({
  sql: CRUD_TABLES,
  rules: CRUD_RULES,
  isFreshForEachTest: true,
});

describe('POST', () => {
  it('creates a row and says where it is', async () => {
    const response = await api.post('/api/postgres/public/users').send({ name: 'dan', age: 5 });
    expect(response.status).toBe(201);
    expect(response.body).toEqual({ id: 4, name: 'dan', age: 5, is_admin: false });
    expect(response.get('Location')).toBe('/api/postgres/public/users/4');
    const read = await api.get(response.get('Location') ?? '');
    expect(read.body).toEqual(response.body);
    expect(read.get('ETag')).toBe(response.get('ETag'));
  });

  it('creates many rows in their order, each with its own columns', async () => {
    const response = await api
      .post('/api/postgres/public/users')
      .send([{ name: 'dan' }, { name: 'eve', age: 9 }, { name: 'flo', is_admin: true }]);
    expect(response.status).toBe(201);
    expect(response.body).toEqual({
      items: [
        { id: 4, name: 'dan', age: null, is_admin: false },
        { id: 5, name: 'eve', age: 9, is_admin: false },
        { id: 6, name: 'flo', age: null, is_admin: true },
      ],
    });
  });

  it('creates all rows or none', async () => {
    const response = await api
      .post('/api/postgres/public/users')
      .send([{ name: 'dan' }, { name: 'ann' }]);
    expect(response.status).toBe(409);
    expect(response.body).toMatchObject({ sqlState: '23505' });
    expect(await stored('select count(*)::int from users')).toEqual([{ count: 3 }]);
  });

  it('writes the location of a composite key and of bytes so that they lead back', async () => {
    const place = { country: 'x/y?', zip: 'ä;1', name: 'there' };
    const created = await api.post('/api/postgres/shop/places').send(place);
    expect((await api.get(created.get('Location') ?? '')).body).toEqual(place);
    const file = { id: '+/8=', name: 'f' };
    const second = readReply(await api.post('/api/postgres/shop/files').send(file));
    expect(second.header('Location')).toBe('/api/postgres/shop/files/%2B%2F8%3D');
    expect((await api.get(second.header('Location') ?? '')).body).toEqual(file);
  });

  it('creates a row of defaults from an empty object, and one without address', async () => {
    const response = await api.post('/api/postgres/shop/kinds').send({});
    expect(response.status).toBe(201);
    expect(response.body).toMatchObject({ id: '1' });
    const heap = await api.post('/api/postgres/shop/heap').send({ name: 'x' });
    expect(heap.status).toBe(201);
    expect(heap.get('Location')).toBeUndefined();
    expect(heap.get('ETag')).toMatch(/^"\d+"$/);
  });

  it('creates rows in a partitioned table, which have no version', async () => {
    const response = await api.post('/api/postgres/shop/parts').send({ id: 1, name: 'a' });
    expect(response.status).toBe(201);
    expect(response.get('ETag')).toBeUndefined();
    const patch = api.patch('/api/postgres/shop/parts/1').set('If-Match', '"1"');
    expect((await patch.send({ name: 'b' })).status).toBe(412);
  });

  it('keeps every kind of value exact', async () => {
    const values =
      '{"big":9007199254740993,"exact":123456789012345678901234567890.10,"real":0.1,' +
      '"is_set":true,"text":"\'; drop table users; --","fixed":"ab","doc":{"a":[1,{"b":null}]},' +
      '"raw":12345678901234567890,"bytes":"AAH/","uuid":"6f9619ff-8b86-4d01-b42d-00cf4fc964ff",' +
      '"at":"2024-01-02T03:04:05.678901Z","numbers":[[1,2],[3,null]],' +
      '"texts":["a,b","\\"q\\"\\\\","NULL",null,"{}",""],"docs":[{"a":1},[1],"s"],' +
      '"positive":5,"colour":"red","colours":["red","blue"]}';
    const response = await api
      .post('/api/postgres/shop/kinds')
      .type('application/json')
      .send(values);
    expect(response.status).toBe(201);
    expect(response.body).toMatchObject({
      big: '9007199254740993',
      exact: '123456789012345678901234567890.10',
      twice: '246913578024691357802469135780.20',
      real: 0.1,
      is_set: true,
      text: "'; drop table users; --",
      fixed: 'ab  ',
      doc: { a: [1, { b: null }] },
      bytes: 'AAH/',
      numbers: [
        [1, 2],
        [3, null],
      ],
      texts: ['a,b', '"q"\\', 'NULL', null, '{}', ''],
      docs: [{ a: 1 }, [1], 's'],
      positive: 5,
      colour: 'red',
    });
    expect(response.text).toContain('"raw":12345678901234567890');
    // What was read can be sent back, but for what is computed.
    const { id, twice, ...body } = readReply(response).row;
    expect(twice).toBeDefined();
    const again = await api.put(`/api/postgres/shop/kinds/${String(id)}`).send({ id, ...body });
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...readReply(response).row, raw: expect.any(Number) });
  });

  it.each([
    ['an unknown column', { name: 'x', nmae: 'y' }, ['nmae']],
    ['a missing value', { age: 5 }, ['name']],
    ['null where none can be', { name: null }, ['name']],
    ['values of other types', { name: 5, age: 'old', is_admin: 1 }, ['name', 'age', 'is_admin']],
    ['a number that is not whole', { name: 'x', age: 1.5 }, ['age']],
    ['a number out of range', { name: 'x', age: 3_000_000_000 }, ['age']],
    ['an object for text', { name: { $gt: '' } }, ['name']],
    ['no object', [[]], ['']],
    ['rows of an array', [{ name: 'x' }, { age: 1 }], ['[1].name']],
  ])('says which fields are wrong: %s', async (_what, body, fields) => {
    const response = readReply(await api.post('/api/postgres/public/users').send(body));
    expect(response.status).toBe(422);
    expect(response.fields).toEqual(fields);
    expect(await stored('select count(*)::int from users')).toEqual([{ count: 3 }]);
  });

  it.each([
    ['generated and identity columns', { id: 1, twice: 2 }, ['id', 'twice']],
    ['bytes that are no base64', { bytes: '\\x00' }, ['bytes']],
    ['an array that is none', { numbers: 5 }, ['numbers']],
    ['an element of another type', { numbers: [1, 'two'] }, ['numbers']],
    ['a character that no text holds', { text: 'a\0b' }, ['text']],
  ])('knows by the catalog what cannot be stored: %s', async (_what, body, fields) => {
    const response = readReply(await api.post('/api/postgres/shop/kinds').send(body));
    expect(response.status).toBe(422);
    expect(response.fields).toEqual(fields);
  });

  it.each([
    ['public/users', { name: 'longer' }, '22001'],
    ['shop/kinds', { positive: -1 }, '23514'],
    ['shop/kinds', { colour: 'green' }, '22P02'],
    ['shop/parts', { id: 500 }, '23514'],
  ])('passes on what the database says of %s %j', async (table, body, sqlState) => {
    const response = await api.post(`/api/postgres/${table}`).send(body);
    expect(response.body).toMatchObject({ status: 422, sqlState });
  });

  it('refuses bodies that are none, empty arrays, and too many rows', async () => {
    const users = '/api/postgres/public/users';
    expect((await api.post(users)).status).toBe(400);
    expect((await api.post(users).type('json').send('{"name":')).status).toBe(400);
    expect((await api.post(users).type('text').send('name')).status).toBe(415);
    expect((await api.post(users).send([])).status).toBe(422);
    const rows = Array.from({ length: 1001 }, (_, index) => ({ name: `n${index}` }));
    expect((await api.post(users).send(rows)).status).toBe(413);
    expect((await api.post(users).send(rows.slice(0, 1000))).status).toBe(201);
  });
});
