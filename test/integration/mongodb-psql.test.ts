// The real psql on the MongoDB port: its own commands, its scripts, and what README says to type.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Decimal128, Long } from 'mongodb';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { runPsql } from '../support/psql.ts';
import type { PsqlResult } from '../support/psql.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';

/** Several batches of a cursor, of which the first has 101. */
const MANY = 1500;

const USER = 'psql_reader';

const ORDERS = [
  {
    _id: 1,
    status: 'stuck',
    at: new Date('2024-05-01'),
    total: 1.5,
    note: null,
    lines: [{ n: 1 }],
  },
  { _id: 2, status: 'done', at: new Date('2023-05-01'), total: 2, note: 'fragile', lines: [] },
  { _id: 3, status: 'stuck', at: new Date('2024-05-03'), total: 3.5, note: null, lines: [] },
];

let database: TestMongodbDatabase;
let gate: Gate;
let directory: TemporaryDirectory;

/** Runs psql as people do in a pipe: bare rows, one a line. */
async function psql(...args: readonly string[]): Promise<PsqlResult> {
  return await runPsql({ url: gate.url, args: ['-At', ...args] });
}

/** Types this text on psql's standard input. */
async function typed(input: string, ...args: readonly string[]): Promise<PsqlResult> {
  return await runPsql({ url: gate.url, args: ['-At', ...args], input });
}

/** The cells of each line of a table as psql draws it for people. */
async function cellsOf(command: string): Promise<readonly (readonly string[])[]> {
  const { stdout, stderr } = await runPsql({ url: gate.url, args: ['-c', command] });
  expect(stderr).toBe('');
  return stdout.split('\n').map((line) => line.split(' | ').map((cell) => cell.trim()));
}

async function seed(): Promise<void> {
  const db = database.client.db(database.name);
  const orders = db.collection<{ _id: number }>('orders');
  await orders.insertMany(ORDERS.map((order) => ({ ...order })));
  await orders.createIndexes([
    { key: { status: 1, at: -1 } },
    { key: { total: 1 }, unique: true, name: 'by_total' },
  ]);
  const pipeline = [{ $match: { status: 'stuck' } }, { $project: { status: 1 } }];
  await db.createCollection('stuck', { viewOn: 'orders', pipeline });
  const many = Array.from({ length: MANY }, (_, index) => ({ _id: index }));
  await db.collection<{ _id: number }>('many').insertMany(many);
  const roles = [{ role: 'read', db: database.name }];
  await db.command({ createUser: USER, pwd: 'unused', roles });
}

describeMongodb('psql on the MongoDB port', () => {
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    directory = await createTemporaryDirectory();
    await seed();
    gate = await startMongodbGate({ uri: database.uri });
  });

  afterAll(async () => {
    await gate.stop();
    await database.client.db(database.name).command({ dropUser: USER });
    await database.drop();
    await directory.remove();
  });

  describe('by its own commands', () => {
    it(String.raw`lists databases: \l`, async () => {
      const lines = await cellsOf(String.raw`\l`);
      expect(lines).toContainEqual(expect.arrayContaining([database.name, 'UTF8']));
      expect(lines).toContainEqual(expect.arrayContaining(['admin']));
    });

    it.each([
      [String.raw`\d`, { many: 'table', orders: 'table', stuck: 'view' }],
      [String.raw`\dt`, { many: 'table', orders: 'table' }],
      [String.raw`\dt or*`, { orders: 'table' }],
      [String.raw`\dv`, { stuck: 'view' }],
    ])('lists collections and views: %s', async (command, wanted) => {
      const lines = await cellsOf(command);
      const rows = lines.filter(([schema]) => schema === database.name);
      expect(Object.fromEntries(rows.map(([, name, type]) => [name, type]))).toEqual(wanted);
    });

    it(String.raw`lists indexes with their collections: \di`, async () => {
      const rows = (await cellsOf(String.raw`\di`)).filter(([, , type]) => type === 'index');
      expect(rows.map((row) => `${row[1] ?? ''} ${row.at(-1) ?? ''}`).toSorted()).toEqual([
        ...['_id_ many', '_id_ orders'],
        ...['by_total orders', 'status_1_at_-1 orders'],
      ]);
    });

    it(String.raw`lists the database as the only schema: \dn`, async () => {
      const { stdout } = await psql('-c', String.raw`\dn`);
      expect(stdout).toBe(`${database.name}|`);
    });

    it(String.raw`lists users, with + their roles: \du`, async () => {
      const name = `${database.name}.${USER}`;
      expect(await cellsOf(String.raw`\du`)).toContainEqual(expect.arrayContaining([name]));
      const rows = await cellsOf(String.raw`\du+`);
      expect(rows.find(([first]) => first === name)?.at(-1)).toBe(`${database.name}.read`);
    });

    it(String.raw`shows fields with their BSON types, and indexes: \d orders`, async () => {
      const { stdout } = await runPsql({ url: gate.url, args: ['-c', String.raw`\d orders`] });
      const fields = {
        _id: 'int',
        status: 'string',
        at: 'date',
        total: String.raw`(double\|int|int\|double)`,
        note: String.raw`(null\|string|string\|null)`,
        lines: 'array',
      };
      for (const [field, type] of Object.entries(fields)) {
        expect(stdout).toMatch(new RegExp(`^ ${field} +\\| ${type} +\\|`, 'm'));
      }
      expect(stdout).toContain(`"${database.name}.orders"`);
      expect(stdout).toMatch(/^ +"_id_" PRIMARY KEY, \{"_id":1\}$/m);
      expect(stdout).toMatch(/^ +"by_total" UNIQUE, \{"total":1\}$/m);
      expect(stdout).toMatch(/^ +"status_1_at_-1" \{"status":1,"at":-1\}$/m);
    });

    it(String.raw`shows where a view comes from: \d+ stuck`, async () => {
      const { stdout } = await runPsql({ url: gate.url, args: ['-c', String.raw`\d+ stuck`] });
      expect(stdout).toMatch(/^ status +\| string +\|/m);
      expect(stdout).not.toMatch(/^ total +\|/m);
      expect(stdout).toContain('View definition:');
      expect(stdout).toContain('db.getCollection("orders").aggregate([{"$match"');
    });

    it(String.raw`says what is not there: \d nope, \df`, async () => {
      const { stderr, exitCode } = await psql('-c', String.raw`\d nope`);
      expect(stderr).toBe('Did not find any relation named "nope".');
      expect(exitCode).toBe(1);
      const functions = await psql('-v', 'VERBOSITY=verbose', '-c', String.raw`\df`);
      expect(functions.stderr).toMatch(/^ERROR: {2}0A000: [^]*^HINT: {2}.*\\dt/m);
    });

    it('knows where it is, and goes elsewhere', async () => {
      const place = await psql('-c', String.raw`\conninfo`);
      for (const fact of ['tester', '127.0.0.1', `${gate.port}`]) {
        expect(place.stdout).toContain(fact);
      }
      const { stdout, stderr } = await typed(
        String.raw`\encoding
          \connect ${database.name}_other
          db;
          use ${database.name};
          db.orders.countDocuments();`,
        '-q',
      );
      expect(stderr).toBe('');
      expect(stdout.split('\n')).toEqual([
        'UTF8',
        `${database.name}_other`,
        `switched to db ${database.name}`,
        '3',
      ]);
    });
  });

  describe('as a script', () => {
    const SCRIPT = `// What is stuck
/* A comment of this form may hold one;
   or two; */
-- as may this;
db.orders.find({ status: "stuck" })
  .sort({ _id: 1 })
  .project({ status: 1 });
db.orders.countDocuments(); db.many.countDocuments();
db.orders.find({ $nope: 1 });
db.orders.distinct("status");`;

    async function runScript(...args: readonly string[]): Promise<PsqlResult> {
      const file = path.join(directory.path, 'script.js');
      await writeFile(file, SCRIPT);
      return await psql(...args, '-f', file);
    }

    const BEFORE_THE_ERROR = [
      ...['{"_id":1,"status":"stuck"}', '{"_id":3,"status":"stuck"}'],
      ...['3', `${MANY}`],
    ];

    it('stops at an error with ON_ERROR_STOP, and says in which line', async () => {
      const { stdout, stderr, exitCode } = await runScript('-v', 'ON_ERROR_STOP=1');
      expect(stdout.split('\n')).toEqual(BEFORE_THE_ERROR);
      expect(stderr).toMatch(/script\.js:9: ERROR: {2}MongoServerError\[BadValue\]: .*\$nope/);
      expect(exitCode).toBe(3);
    });

    it('goes on behind an error without it', async () => {
      const { stdout, stderr, exitCode } = await runScript();
      expect(stdout.split('\n')).toEqual([...BEFORE_THE_ERROR, '"done"', '"stuck"']);
      expect(stderr).toContain('$nope');
      expect(exitCode).toBe(0);
    });
  });

  describe('by -c', () => {
    it('prints a document as it is stored, and nothing else', async () => {
      const { stdout, stderr, exitCode } = await psql('-c', 'db.orders.findOne({ _id: 1 })');
      expect(stdout).toBe(
        '{"_id":1,"status":"stuck","at":{"$date":"2024-05-01T00:00:00Z"},"total":1.5,' +
          '"note":null,"lines":[{"n":1}]}',
      );
      expect([stderr, exitCode]).toEqual(['', 0]);
    });

    it(`prints all ${MANY} documents of a cursor`, async () => {
      const { stdout } = await psql('-c', 'db.many.find().sort({ _id: 1 })');
      expect(stdout.split('\n')).toEqual(
        Array.from({ length: MANY }, (_, index) => `{"_id":${index}}`),
      );
    });

    it('finds what it inserted, type for type', async () => {
      const written = await psql(
        '-c',
        'db.trips.insertOne({ _id: ObjectId("507f1f77bcf86cd799439011"), n: NumberLong("5"), ' +
          'price: NumberDecimal("1.10"), when: ISODate("2024-01-01") })',
      );
      expect(written.stdout.split('\n')).toEqual([
        '{"acknowledged":true,"insertedId":{"$oid":"507f1f77bcf86cd799439011"}}',
        'INSERT 0 1',
      ]);
      const found = await psql('-c', 'db.trips.find({ n: NumberLong(5) })');
      expect(found.stdout).toBe(
        '{"_id":{"$oid":"507f1f77bcf86cd799439011"},"n":{"$numberLong":"5"},' +
          '"price":{"$numberDecimal":"1.10"},"when":{"$date":"2024-01-01T00:00:00Z"}}',
      );
      const trips = database.client.db(database.name).collection('trips');
      const [stored] = await trips.find({}, { promoteValues: false }).toArray();
      expect(stored).toMatchObject({ n: Long.fromNumber(5), price: Decimal128.fromString('1.10') });
    });
  });

  describe('with SQL', () => {
    it.each([
      'select * from orders',
      'select 1 + 1',
      'insert into orders values (1)',
      'update orders set status = 1',
      'delete from orders',
      'create table orders (id int)',
      'explain select 1',
      String.raw`\copy orders to stdout`,
    ])('is told which language this port speaks: %s', async (text) => {
      const { stderr, exitCode } = await psql('-v', 'VERBOSITY=verbose', '-c', text);
      expect(stderr).toMatch(/^ERROR: {2}42601: .*MongoDB.*not SQL$/m);
      expect(stderr).toMatch(/^HINT: {2}.*db\.\w+\.find/m);
      expect(exitCode).toBe(1);
    });

    it.each([
      ['select 1', /^1$/],
      ['select version()', /^MongoDB \d.*Gatepost/],
      ['select current_database(), current_schema()', /^(gatepost_test_\w+)\|\1$/],
      ['show server_version', /Gatepost, MongoDB \d/],
      ['set application_name = jobs; show application_name', /^SET\njobs$/],
      ['begin; commit', /^BEGIN\nCOMMIT$/],
      ['', /^$/],
    ])('gets an answer where clients need one: %s', async (text, answer) => {
      const { stdout, stderr, exitCode } = await psql('-c', text);
      expect([stderr, exitCode]).toEqual(['', 0]);
      expect(stdout).toMatch(answer);
    });
  });
});
