// Allow and deny lists decide on every statement of a Query, before any of it runs.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { SqlPolicyRules } from '../../src/guardrails/sql-policy.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  firstReport,
  frontendFrame,
  statusOf,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

let database: TestDatabase;
let gate: Gate;
let client: WireClient;

beforeAll(async () => {
  database = await createTestDatabase();
  await runDirectly(
    database.url,
    `create table item (id int); insert into item values (1), (2);
     create procedure emptied() language sql as 'delete from item'`,
  );
});

afterEach(async () => {
  client.destroy();
  await gate.stop();
});

afterAll(async () => {
  await database.drop();
});

/** A session at a gate with these rules. */
async function login(rules: Partial<SqlPolicyRules>): Promise<WireClient> {
  gate = await startGate({ dsn: database.url, rules });
  client = await WireClient.login(gate.port);
  return client;
}

/** What a refused statement would have changed. */
async function itemCount(): Promise<unknown> {
  return (await runDirectly(database.url, 'select count(*)::int as count from item'))[0]?.['count'];
}

describe('A deny list', () => {
  it.each([
    { deny: ['DROP'], query: 'drop table item' },
    { deny: ['DROP'], query: 'insert into item values (3); drop table item' },
    { deny: ['DROP'], query: '/* select */ -- drop\n drop table item' },
    { deny: ['DROP'], query: ';;drop table item;' },
    { deny: ['DROP TABLE'], query: 'DROP TABLE IF EXISTS nothing, item CASCADE' },
    { deny: ['DELETE'], query: 'with gone as (delete from item returning *) select * from gone' },
    { deny: ['DELETE'], query: 'explain delete from item' },
    { deny: ['DELETE'], query: 'explain analyze delete from item' },
    { deny: ['DELETE'], query: 'prepare gone as delete from item' },
    { deny: ['DELETE'], query: 'copy (delete from item returning *) to stdout' },
    { deny: ['DELETE'], query: 'begin; select 1; delete from item; commit' },
    { deny: ['CREATE TABLE'], query: 'select * into copied from item' },
    { deny: ['CREATE TABLE'], query: 'create table copied as select * from item' },
    { deny: ['TRUNCATE'], query: 'insert into item values (3); truncate item' },
    { deny: ['DO'], query: `do $$ begin delete from item; end $$` },
    { deny: ['CALL'], query: 'call emptied()' },
    { deny: ['COPY'], query: `copy item to program 'true'` },
    { deny: ['SET'], query: 'set statement_timeout = 0' },
  ])('$deny refuses all of: $query', async ({ deny, query }) => {
    await login({ deny });
    const frames = await client.query(query);
    expect(typesOf(frames)).toBe('EZ');
    expect(firstReport(frames)).toMatchObject({
      S: 'ERROR',
      C: '42501',
      M: expect.stringContaining('is on the deny list'),
      D: expect.stringMatching(/^Nothing of the query was run\. Session /),
      H: expect.stringContaining('WIRE_DENY'),
    });
    expect(statusOf(frames)).toBe('I');
    expect(await itemCount()).toBe(2);
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    expect(gate.statements()).toMatchObject([
      { text: query, outcome: 'refused', sqlState: '42501' },
      { outcome: 'ok' },
    ]);
  });

  it.each([
    `select 'drop table item'`,
    'select 1 as drop',
    'select "drop" from (select 1 as "drop") as named',
    '-- drop table item\nselect 1',
    '/* drop table item; /* nested */ */ select 1',
    `select $$; drop table item; $$`,
    `select E'\\'; drop table item; --'`,
  ])('lets through what only looks like it: %s', async (query) => {
    await login({ deny: ['DROP'] });
    expect(typesOf(await client.query(query))).toBe('TDCZ');
  });

  it('leaves a transaction as it is', async () => {
    await login({ deny: ['DROP'] });
    await client.query('begin; insert into item values (3)');
    expect(statusOf(await client.query('drop table item'))).toBe('T');
    expect(typesOf(await client.query('select count(*) from item'))).toBe('TDCZ');
    await client.query('rollback');
    expect(await itemCount()).toBe(2);
  });

  it('is shown by psql', async () => {
    await login({ deny: ['DROP'] });
    const { stdout, stderr } = await runPsql({
      url: gate.url,
      args: ['-At'],
      input: 'drop table item;\nselect 7;\n',
    });
    expect(stderr).toContain('ERROR:  DROP TABLE in statement 1 is on the deny list');
    expect(stdout).toBe('7');
  });
});

describe('An allow list', () => {
  it.each([
    { allow: ['SELECT'], query: 'select count(*) from item', types: 'TDCZ' },
    { allow: ['SELECT'], query: 'table item limit 1', types: 'TDCZ' },
    { allow: ['SELECT'], query: 'insert into item values (3)', types: 'EZ' },
    { allow: ['SELECT'], query: 'select 1; insert into item values (3)', types: 'EZ' },
    { allow: ['SELECT'], query: 'begin', types: 'EZ' },
    { allow: ['SELECT'], query: 'explain select 1', types: 'EZ' },
    { allow: ['SELECT', 'EXPLAIN'], query: 'explain select 1', types: 'TDCZ' },
    { allow: ['SELECT', 'EXPLAIN'], query: 'explain analyze delete from item', types: 'EZ' },
    { allow: ['SELECT'], query: '', types: 'IZ' },
    { allow: ['SELECT'], query: '-- nothing', types: 'IZ' },
  ])('$allow answers $query with $types', async ({ allow, query, types }) => {
    await login({ allow });
    expect(typesOf(await client.query(query))).toBe(types);
    expect(await itemCount()).toBe(2);
  });

  it('yields to the deny list', async () => {
    await login({ allow: ['SELECT', 'DELETE'], deny: ['DELETE'] });
    expect(firstReport(await client.query('delete from item'))).toMatchObject({ C: '42501' });
  });

  it('cannot be changed by the client', async () => {
    gate = await startGate({ dsn: database.url, rules: { allow: ['SELECT'] } });
    client = await WireClient.login(gate.port, {
      options: '-c gatepost.allow=DELETE -c wire.allow=DELETE',
    });
    expect(firstReport(await client.query('delete from item'))).toMatchObject({ C: '42501' });
  });
});

describe('A Query that cannot be judged', () => {
  it.each([
    { name: 'no SQL', text: 'selekt 1', code: '42601' },
    { name: 'longer than 1 MiB', text: `select '${'x'.repeat(1024 * 1024)}'`, code: '54000' },
    { name: 'too deep', text: `select ${'('.repeat(20_000)}1${')'.repeat(20_000)}`, code: '54001' },
  ])('is refused: $name', async ({ text, code }) => {
    await login({ deny: ['DROP'] });
    const frames = await client.query(text);
    expect(typesOf(frames)).toBe('EZ');
    expect(firstReport(frames)).toMatchObject({
      C: code,
      D: expect.stringContaining('Nothing of the query was run'),
    });
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });

  it('is refused when its bytes are not UTF8', async () => {
    await login({ deny: ['DROP'] });
    client.send(frontendFrame('Q', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.alloc(1)])));
    expect(firstReport(await client.untilReady())).toMatchObject({ C: '22021' });
  });
});

describe('Without a list', () => {
  it('nothing is parsed: what no grammar knows is the business of the server', async () => {
    await login({});
    expect(firstReport(await client.query('selekt 1'))).toMatchObject({
      C: '42601',
      M: 'syntax error at or near "selekt"',
      F: 'scan.l',
    });
    const long = `select '${'x'.repeat(2 * 1024 * 1024)}'`;
    expect(typesOf(await client.query(long))).toBe('TDCZ');
  });
});

describe('With a list', () => {
  it('the text reaches the server byte for byte', async () => {
    await login({ deny: ['DROP'] });
    const text = '  SELECT\t1 ;;  -- kept \u00e9\n /* too */ select current_query()  ';
    const frames = await client.query(text);
    const shown = frames
      .filter(({ type }) => type === 'D')
      .at(-1)
      ?.bytes.toString('utf8', 11);
    expect(shown).toBe(text);
  });
});
