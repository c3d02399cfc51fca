// POST /query: statements for MongoDB over HTTP, shell text and command documents.
import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { Long } from 'mongodb';
import { READER, startApi } from '../support/api-stage.ts';
import type { ApiStage } from '../support/api-stage.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { parseJsonLines } from '../support/observations.ts';
import { postQuery } from '../support/query-client.ts';
import type { QueryAnswer, QueryOptions } from '../support/query-client.ts';

const NDJSON = 'application/x-ndjson';

describeMongodb('POST /query to MongoDB', () => {
  let database: TestMongodbDatabase;
  let stage: ApiStage;

  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    await database.client
      .db(database.name)
      .collection<{ _id: number; n: Long }>('numbers')
      .insertMany([1, 2, 3].map((_id) => ({ _id, n: Long.MAX_VALUE })));
    stage = await startApi({ mongodbUri: database.uri, deny: { mongodb: ['dropDatabase'] } });
  });

  afterAll(async () => {
    await stage.stop();
    await database.drop();
  });

  async function query(
    command: unknown,
    more: object = {},
    options?: QueryOptions,
  ): Promise<QueryAnswer> {
    return await postQuery(stage.url, { backend: 'mongodb', command, ...more }, options);
  }

  describe('an answer', () => {
    const FIND = { find: 'numbers', filter: { _id: { $gt: 1 } }, sort: { _id: 1 } };

    test.each([
      ['shell text', 'db.numbers.find({ _id: { $gt: 1 } }).sort({ _id: 1 })'],
      ['a command document', FIND],
    ])('to %s has the documents as rows, each value exactly', async (_name, command) => {
      const { status, text, body } = await query(command);
      expect(status).toBe(200);
      expect(text).toContain('"rows":[{"_id":2,"n":{"$numberLong":"9223372036854775807"}},');
      expect(body).toMatchObject({
        columns: [{ name: 'result', type: 'json', oid: 114 }],
        rowCount: 2,
        truncated: false,
      });
    });

    it('to a command that has no cursor is its reply', async () => {
      const { body } = await query({ ping: 1 });
      expect(body).toMatchObject({ rows: [{ ok: expect.anything() }], rowCount: 1 });
    });

    it('in lines has a document a line', async () => {
      const { text } = await query('db.numbers.find({ _id: 1 }, { n: 0 })', {}, { accept: NDJSON });
      expect(parseJsonLines(text)).toMatchObject([{ _id: 1 }, { $meta: { rows: 1 } }]);
    });

    it('in CSV has a document as JSON', async () => {
      const { text } = await query(
        'db.numbers.find({ _id: 1 }, { n: 0 })',
        {},
        { accept: 'text/csv' },
      );
      expect(text).toBe('result\r\n"{""_id"":1}"\r\n');
    });

    it('to several statements is a list of results', async () => {
      const { body } = await query('db.numbers.countDocuments(); db.numbers.distinct("_id")');
      expect(body).toMatchObject({ results: [{ rows: [3] }, { rows: [1, 2, 3] }] });
    });

    it('is cut at a limit, and says so', async () => {
      const { body } = await query('db.numbers.find()', { maxRows: 2 });
      expect(body).toMatchObject({ rowCount: 2, truncated: true });
    });

    it('comes from the database that is asked for', async () => {
      const command = 'db.numbers.countDocuments()';
      const other = `${database.name}_other`;
      const inBody = await query(command, { database: other });
      const inUrl = await query(command, {}, { path: `/query?database=${other}` });
      const usual = await query(command, {}, { path: `/query?database=${database.name}` });
      expect([inBody, inUrl, usual].map(({ body }) => body)).toMatchObject([
        { rows: [0] },
        { rows: [0] },
        { rows: [3] },
      ]);
    });
  });

  describe('a command document', () => {
    it('keeps the type of each number, and __proto__ as a name', async () => {
      const inserted = await postQuery(
        stage.url,
        `{"backend":"mongodb","command":{"insert":"typed","documents":[{"_id":1,"i":7,
          "l":9007199254740993,"d":5.0,"o":{"$oid":"64b1f0c2a3d4e5f601234567"},
          "x":{"$numberDecimal":"1.10"},"__proto__":{"a":1}}]}}`,
      );
      expect(inserted.status).toBe(200);
      const { text } = await query('db.typed.find()');
      expect(text).toContain(
        '{"_id":1,"i":7,"l":{"$numberLong":"9007199254740993"},"d":{"$numberDouble":"5.0"},' +
          '"o":{"$oid":"64b1f0c2a3d4e5f601234567"},"x":{"$numberDecimal":"1.10"},' +
          '"__proto__":{"a":1}}',
      );
      expect({}).not.toHaveProperty('a');
    });

    it('keeps the order of names that are numbers', async () => {
      await postQuery(
        stage.url,
        `{"backend":"mongodb","command":{"insert":"sorted","documents":[
          {"_id":1,"b":1,"1":2},{"_id":2,"b":1,"1":1},{"_id":3,"b":0,"1":3}]}}`,
      );
      const command = '{"find":"sorted","projection":{"_id":1},"sort":{"b":1,"1":1}}';
      const { text } = await postQuery(stage.url, `{"backend":"mongodb","command":${command}}`);
      expect(text).toContain('"rows":[{"_id":3},{"_id":2},{"_id":1}]');
      expect(stage.statements().at(-1)?.text).toBe(command);
      expect((await query('db.sorted.find({ _id: 1 })')).text).toContain('{"_id":1,"b":1,"1":2}');
    });

    it('is in the audit as it was sent', async () => {
      await query({ find: 'numbers', limit: 1 });
      expect(stage.statements().at(-1)).toMatchObject({
        text: '{"find":"numbers","limit":1}',
        session: { backend: 'mongodb', user: 'admin' },
      });
    });
  });

  describe('what is wrong with a statement', () => {
    test.each([
      ['db.numbers.find({', {}, 400],
      ['select 1', {}, 400],
      [{ find: 'numbers', filter: { $nope: 1 } }, {}, 400],
      [{ nope: 1 }, {}, 403],
      [{ find: 'numbers', filter: { _id: { $oid: 'x' } } }, {}, 422],
      ['db.numbers.insertOne({ _id: 1 })', {}, 409],
      [{ dropDatabase: 1 }, {}, 403],
      ['db.numbers.find()', { maxRows: 1, onLimit: 'error' }, 413],
      ['db.numbers.find({ $where: "while (true) {}" })', { timeoutMs: 100 }, 504],
      ['db.numbers.find()', { database: 'a.b' }, 404],
      [{}, {}, 422],
    ])('%j is a problem', async (command, more, status) => {
      const response = await query(command, more);
      expect([response.status, response.type, response.text]).toEqual([
        status,
        'application/problem+json',
        expect.stringContaining('"requestId"'),
      ]);
      expect(stage.faults()).toEqual([]);
    });

    it("has MongoDB's own code", async () => {
      const { body } = await query({ find: 'numbers', filter: { $nope: 1 } });
      expect(body).toMatchObject({ mongodb: { code: 2 } });
    });
  });

  test.each([
    'db.numbers.insertOne({})',
    { delete: 'numbers', deletes: [{ q: {}, limit: 0 }] },
    { aggregate: 'numbers', pipeline: [{ $out: 'numbers' }], cursor: {} },
    { aggregate: 'numbers', pipeline: [{ $merge: { into: 'numbers' } }], cursor: {} },
  ])('who may only read cannot write: %j', async (command) => {
    const { status } = await query(command, {}, { token: READER });
    expect(status).toBe(403);
    const count = await database.client.db(database.name).collection('numbers').countDocuments();
    expect(count).toBe(3);
  });

  test.each([
    ['two databases', { database: 'x' }, '/query?database=y', 400],
    ['one database twice', {}, '/query?database=x&database=x', 400],
    ['SQL for PostgreSQL, which is not here', { backend: 'postgres' }, '/query', 404],
  ])('%s is refused', async (_name, more, path, status) => {
    const body = { backend: 'mongodb', command: 'db.numbers.find()', ...more };
    const sent = body.backend === 'postgres' ? { backend: 'postgres', sql: 'select 1' } : body;
    expect((await postQuery(stage.url, sent, { path })).status).toBe(status);
  });
});
