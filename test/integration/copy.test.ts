// COPY is refused in every direction, and the session goes on.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';
import {
  firstReport,
  frontendFrame,
  queryFrame,
  statusOf,
  typesOf,
  valueOf,
  WireClient,
} from '../support/wire-client.ts';

/** Far more than every buffer between the upstream and the client. */
const LARGE =
  'copy (select n, repeat(md5(n::text), 4) from generate_series(1, 1000000) n) to stdout';

let database: TestDatabase;
let gate: Gate;
let client: WireClient;

beforeAll(async () => {
  database = await createTestDatabase();
  await runDirectly(
    database.url,
    'create table item (id int primary key); insert into item values (1), (2)',
  );
  gate = await startGate({ dsn: database.url });
});

afterAll(async () => {
  await gate.stop();
  await database.drop();
});

beforeEach(async () => {
  client = await WireClient.login(gate.port);
});

afterEach(() => {
  client.destroy();
});

async function itemsAtUpstream(): Promise<unknown> {
  return (await runDirectly(database.url, 'select count(*)::int as count from item'))[0];
}

describe('COPY', () => {
  it.each([
    { name: 'FROM STDIN', text: 'copy item from stdin', types: 'EZ' },
    { name: 'FROM STDIN in binary', text: 'copy item from stdin (format binary)', types: 'EZ' },
    { name: 'TO STDOUT', text: 'copy item to stdout', types: 'EZ' },
    { name: 'TO STDOUT of a query', text: 'copy (select 1) to stdout csv header', types: 'EZ' },
    { name: 'TO STDOUT of a million rows', text: LARGE, types: 'EZ' },
    {
      name: 'FROM STDIN in the middle of a batch',
      text: 'select 1; copy item from stdin; insert into item values (3)',
      types: 'TDCEZ',
    },
    {
      name: 'TO STDOUT in the middle of a batch',
      text: `select 1; ${LARGE}; select 2`,
      types: 'TDCEZ',
    },
    {
      name: 'several times in a batch',
      text: 'copy item from stdin; copy item from stdin',
      types: 'EZ',
    },
  ])('$name is answered with one error, and the session goes on', async ({ text, types }) => {
    const frames = await client.query(text);
    expect(typesOf(frames)).toBe(types);
    expect(statusOf(frames)).toBe('I');
    expect(firstReport(frames)).toMatchObject({
      S: 'ERROR',
      C: '0A000',
      M: 'COPY is not supported through Gatepost',
      H: expect.stringMatching(/INSERT/),
    });
    expect(valueOf(await client.query('select 40 + 2'))).toBe('42');
    expect(await itemsAtUpstream()).toEqual({ count: 2 });
  });

  it.each([
    { name: 'FROM STDIN', text: 'copy item from stdin' },
    { name: 'TO STDOUT', text: LARGE },
  ])('$name fails the transaction that it is in', async ({ text }) => {
    await client.query('begin; insert into item values (4)');
    const frames = await client.query(text);
    expect(typesOf(frames)).toBe('EZ');
    expect(statusOf(frames)).toBe('E');
    expect(firstReport(await client.query('select 1'))).toMatchObject({ C: '25P02' });
    expect(statusOf(await client.query('commit'))).toBe('I');
    expect(await itemsAtUpstream()).toEqual({ count: 2 });
  });

  it('FROM STDIN can be undone to a savepoint', async () => {
    await client.query('begin; savepoint s');
    await client.query('copy item from stdin');
    expect(statusOf(await client.query('rollback to s; insert into item values (5)'))).toBe('T');
    expect(valueOf(await client.query('select max(id) from item'))).toBe('5');
    expect(statusOf(await client.query('rollback'))).toBe('I');
  });

  it('whose data comes along without waiting loses the data and nothing else', async () => {
    client.send(
      queryFrame('copy item from stdin'),
      frontendFrame('d', '6\n'),
      frontendFrame('d', '7\n'),
      frontendFrame('c', ''),
      queryFrame('select 1'),
    );
    expect(typesOf(await client.untilReady())).toBe('EZ');
    expect(typesOf(await client.untilReady())).toBe('TDCZ');
    expect(await itemsAtUpstream()).toEqual({ count: 2 });
  });

  it('that is wrong gets the error of PostgreSQL', async () => {
    const frames = await client.query('copy nosuch to stdout');
    expect(firstReport(frames)).toMatchObject({ C: '42P01' });
  });

  it('is observed as refused, with its SQLSTATE', async () => {
    await client.query('copy item from stdin');
    await client.query('select 1');
    expect(gate.statements().findLast(({ text }) => text.startsWith('copy'))).toMatchObject({
      outcome: 'refused',
      sqlState: '0A000',
      rows: 0,
    });
  });

  it('again and again leaves nothing behind', async () => {
    for (let round = 0; round < 20; round += 1) {
      expect(typesOf(await client.query('copy item to stdout'))).toBe('EZ');
      expect(valueOf(await client.query(`select ${round}`))).toBe(`${round}`);
    }
  });
});

describe('CopyData, CopyDone and CopyFail outside of a COPY', () => {
  it('are ignored, as by PostgreSQL', async () => {
    client.send(
      frontendFrame('d', 'data'),
      frontendFrame('c', ''),
      frontendFrame('f', 'reason\0'),
      frontendFrame('d', ''),
      queryFrame('select 1'),
    );
    expect(typesOf(await client.untilReady())).toBe('TDCZ');
  });
});

describe('psql', () => {
  it(String.raw`is told so at \copy, in both directions, and goes on`, async () => {
    const directory = await createTemporaryDirectory();
    const file = path.join(directory.path, 'items.csv');
    const url = `postgresql://tester@127.0.0.1:${gate.port}/${database.name}`;
    const input = [
      `\\copy item to '${file}' csv`,
      String.raw`\copy item from stdin`,
      'copy item to stdout;',
      'select 40 + 2;',
    ].join('\n');
    const { stdout, stderr } = await runPsql({ url, args: ['-At'], input });
    expect(stderr.match(/ERROR: {2}COPY is not supported through Gatepost/g)).toHaveLength(3);
    expect(stdout).toBe('42');
    expect(await readFile(file, 'utf8')).toBe('');
    await directory.remove();
  });
});
