// What README says to type into psql on the MongoDB port, typed as it is written there.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { runPsql } from '../support/psql.ts';
import type { PsqlResult } from '../support/psql.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import type { Gate } from '../support/start-gate.ts';

const README = readFileSync(path.resolve(import.meta.dirname, '../../README.md'), 'utf8');
const [SECTION = ''] = /^### MongoDB$[^]*?(?=^### )/m.exec(README) ?? [];
const [, BLOCK = ''] = /^```sh$([^]*?)^```$/m.exec(SECTION) ?? [];
const COMMANDS = [...BLOCK.matchAll(/^psql .*$/gm)].map(([command]) => command);

/** A psql that hangs is a failed test, not a stuck run. */
const PSQL_TIMEOUT_MS = 25_000;

const ORDERS = [
  { _id: 1, status: 'stuck', at: new Date('2024-05-01'), total: 1.5 },
  { _id: 2, status: 'done', at: new Date('2023-05-01'), total: 2.5 },
  { _id: 3, status: 'stuck', at: new Date('2024-05-03'), total: 3.5 },
];

const QUIRKS = ['12', 'ab', 'say "hi"', "it's", 'a;b', 'ERROR'];

let database: TestMongodbDatabase;
let gate: Gate;

/** Bare rows, one a line. */
async function psql(...args: readonly string[]): Promise<PsqlResult> {
  return await runPsql({ url: gate.url, args: ['-At', ...args] });
}

/** Typed on psql's standard input. */
async function typed(input: string): Promise<PsqlResult> {
  return await runPsql({ url: gate.url, args: ['-At'], input });
}

/** A line of README in a shell, on this gate and in this file's database. */
async function runInShell(command: string): Promise<PsqlResult> {
  const { stdout, stderr, exitCode } = await execa(
    'sh',
    ['-c', command.replace(' -d shop ', ` -d ${database.name} `)],
    {
      reject: false,
      extendEnv: false,
      timeout: PSQL_TIMEOUT_MS,
      env: {
        PATH: process.env['PATH'],
        PGHOST: '127.0.0.1',
        PGPORT: `${gate.port}`,
        PGUSER: 'tester',
        PGSSLMODE: 'disable',
        PSQLRC: '/dev/null',
        PAGER: 'cat',
        LC_ALL: 'C.UTF-8',
      },
    },
  );
  return { stdout, stderr, exitCode };
}

describeMongodb('README on psql with MongoDB', () => {
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    const db = database.client.db(database.name);
    const orders = db.collection<{ _id: number }>('orders');
    await orders.insertMany(ORDERS.map((order) => ({ ...order })));
    await orders.createIndexes([{ key: { total: 1 }, unique: true, name: 'by_total' }]);
    const quirks = QUIRKS.map((text) => ({ _id: text }));
    await db.collection<{ _id: string }>('quirks').insertMany(quirks);
    gate = await startMongodbGate({ uri: database.uri });
  });

  afterAll(async () => {
    await gate.stop();
    await database.drop();
  });

  describe('the ten commands to type first', () => {
    /** What each command, in README's order, has to print. */
    const PRINTS: readonly (readonly [is: string, prints: RegExp])[] = [
      ['show dbs', /^ admin$/m],
      ['show collections', /^ orders *$/m],
      ['find(', /^ \{"_id":3,[^]*^ \{"_id":1,[^]*^\(2 rows\)$/m],
      ['countDocuments(', /^ 2\n\(1 row\)$/m],
      ['aggregate(', /^ \{"_id":"stuck","n":2\} *$/m],
      ['explain(', /"executionStats":\{.*"nReturned":2\b/],
      ['getIndexes(', /^ \{.*"name":"by_total","unique":true\} *$[^]*^\(2 rows\)$/m],
      ['currentOp(', /^ \{"inprog":\[/m],
      ['.connections', /^ \{"current":\d+,"available":\d+/m],
      ['.stateStr', /^ "PRIMARY"\n\(1 row\)$/m],
    ];

    it('are ten, in this order', () => {
      expect(COMMANDS).toEqual(PRINTS.map(([is]) => expect.stringContaining(is)));
    });

    it.each(COMMANDS.map((command, index) => [command, PRINTS[index]?.[1] ?? /^$/] as const))(
      '%s',
      async (command, prints) => {
        const { stdout, stderr, exitCode } = await runInShell(command);
        expect([stderr, exitCode]).toEqual(['', 0]);
        expect(stdout).toMatch(prints);
      },
    );
  });

  describe('what else it names', () => {
    it.each([
      [String.raw`\l`, /^gatepost_test_/m],
      [String.raw`\dt`, /^gatepost_test_\w+\|orders\|table\|$/m],
      [String.raw`\d orders`, /^status\|string\|/m],
    ])('%s works', async (command, prints) => {
      const { stdout, exitCode } = await psql('-c', command);
      expect(stdout).toMatch(prints);
      expect(exitCode).toBe(0);
    });

    it.each([
      ['help', /MongoDB[^]*show collections/],
      ['db.help()', /\bdb\.runCommand\(\)/],
      ['db.orders.help()', /\.find\(\)[^]*\.sort\(\)/],
    ])('%s lists what there is, from a script and by -c', async (text, list) => {
      const script = await typed(text);
      expect(script.stdout).toMatch(list);
      expect(await psql('-c', text)).toEqual(script);
    });

    it.each([
      ['lossless', '{"$numberLong":"5"}', '3.5', '{"$date":"2024-05-03T00:00:00Z"}'],
      ['relaxed', '5', '3.5', '{"$date":"2024-05-03T00:00:00Z"}'],
      [
        'canonical',
        '{"$numberLong":"5"}',
        '{"$numberDouble":"3.5"}',
        '{"$date":{"$numberLong":"1714694400000"}}',
      ],
    ])('SET gatepost.ejson = %s changes how rows are written', async (form, n, total, at) => {
      const find =
        'db.orders.find({ _id: 3 }, { _id: 0, n: { $literal: NumberLong(5) }, total: 1, at: 1 })';
      const { stdout } = await psql('-q', '-c', `SET gatepost.ejson = '${form}'`, '-c', find);
      expect(stdout).toBe(`{"at":${at},"total":${total},"n":${n}}`);
    });
  });

  describe('changes some texts before it sends them', () => {
    const COUNT = 'db.quirks.countDocuments();';

    it('a backslash in a regular expression of a script, unlike an operator', async () => {
      const broken = await typed(String.raw`db.quirks.find({ _id: /^\d+$/ });`);
      // The command is run, and what is before it is all that comes of the statement.
      expect(broken.stderr).toContain('Name pattern is not understood');
      expect(broken.stderr).toMatch(/^LINE 1: db\.quirks\.find\(\{ _id: \/\^$/m);
      const whole = await typed(
        String.raw`db.quirks.find({ _id: { $regex: "^\\d+$" } }); ${COUNT}`,
      );
      expect(whole).toEqual({ stdout: `{"_id":"12"}\n${QUIRKS.length}`, stderr: '', exitCode: 0 });
    });

    it('nothing of what follows -c', async () => {
      const { stdout } = await psql('-c', String.raw`db.quirks.find({ _id: /^\d+$|\"/ }); // a; b`);
      expect(stdout.split('\n')).toEqual(['{"_id":"12"}', String.raw`{"_id":"say \"hi\""}`]);
    });

    it('an escaped quote in a string, unlike the other quote', async () => {
      const broken = await typed(String.raw`db.quirks.find({ _id: "say \"hi\"" });`);
      expect(broken.stderr).toContain('invalid command');
      const whole = await typed(
        String.raw`db.quirks.find({ _id: 'say "hi"' });
db.quirks.find({ _id: "it's" });
db.quirks.find({ _id: 'it\'s' });`,
      );
      expect(whole.stderr).toBe('');
      const quoted = [String.raw`{"_id":"say \"hi\""}`, `{"_id":"it's"}`, `{"_id":"it's"}`];
      expect(whole.stdout.split('\n')).toEqual(quoted);
    });

    it('a // comment with a semicolon, unlike other comments', async () => {
      const broken = await typed(`// count; them\n${COUNT}`);
      expect(broken.stderr).toContain('ERROR');
      expect(broken.stdout).toBe('');
      const whole = await typed(`/* count; them */ ${COUNT}\n-- count; them\n// them\n${COUNT}`);
      const { length } = QUIRKS;
      expect(whole).toEqual({ stdout: `${length}\n${length}`, stderr: '', exitCode: 0 });
    });

    it('a command document whose brace is open at the semicolon, unlike a closed one', async () => {
      const broken = await typed(`{"count": "quirks";\n${COUNT}`);
      expect(broken.stderr).toContain('{"count": "quirks"');
      const whole = await typed(`{"count": "quirks"};\n${COUNT}`);
      expect(whole.stderr).toBe('');
      expect(whole.stdout).toMatch(new RegExp(`^\\{"n":${QUIRKS.length},.*\n${QUIRKS.length}$`));
    });

    it('a quoted name of its own variables behind a colon, unlike behind a space', async () => {
      // psql sets ERROR after the first statement.
      const broken = await typed(`${COUNT}\ndb.quirks.find({_id:'ERROR'});`);
      expect(broken.stderr).toContain(`{_id'false'}`);
      const whole = await typed(`${COUNT}\ndb.quirks.find({_id: 'ERROR'});`);
      expect(whole).toMatchObject({ stdout: `${QUIRKS.length}\n{"_id":"ERROR"}`, stderr: '' });
    });

    it('no semicolon within quotes and parentheses', async () => {
      const { stdout, stderr } = await typed(
        'db.quirks.find({ _id: /a;b/ });\ndb.quirks.find({ _id: `a;b` });',
      );
      expect([stderr, stdout]).toEqual(['', '{"_id":"a;b"}\n{"_id":"a;b"}']);
    });
  });
});
