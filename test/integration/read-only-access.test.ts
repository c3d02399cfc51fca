// With access = read-only nothing is written, not even for a superuser, whatever the text.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runPsql } from '../support/psql.ts';
import { BYPASS_CORPUS, HARMLESS_CORPUS } from '../support/read-only-corpus.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  firstReport,
  frontendFrame,
  queryFrame,
  startupPacket,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

/** Everything that a statement of the corpus could have changed. */
const STATE = `
  select (select array_agg(id order by id)::text from canary) as canary,
    (select last_value from canary_seq) as sequence,
    (select count(*) from pg_class where relnamespace not in (11, 99)) as relations,
    (select count(*) from pg_proc) as functions,
    (select count(*) from pg_largeobject_metadata) as objects,
    (select count(*) from pg_description where objoid = 'canary'::regclass) as comments,
    (select relacl::text from pg_class where oid = 'canary'::regclass) as grants,
    (select count(*) from pg_extension) as extensions,
    (select count(*) from pg_prepared_xacts where gid = 'canary') as prepared,
    (select count(*) from pg_replication_slots where slot_name = 'canary') as slots,
    (select count(*) from pg_locks l join pg_database d on d.oid = l.database
      where l.locktype = 'advisory' and d.datname = current_database()) as locks`;

let database: TestDatabase;
let observer: pg.Client;
let gate: Gate;

/** What the database looks like, past Gatepost. */
async function state(): Promise<unknown> {
  return (await observer.query(STATE)).rows;
}

beforeAll(async () => {
  database = await createTestDatabase();
  observer = new pg.Client(database.url);
  await observer.connect();
  await observer.query(
    `create table canary (id int primary key); insert into canary values (1), (2);
     create sequence canary_seq;
     create materialized view canary_view as select * from canary;
     create procedure emptied() language sql as 'delete from canary';
     create function writes() returns int language sql
       as 'insert into canary values (10) returning id'`,
  );
  gate = await startGate({ dsn: database.url, rules: { access: 'read-only' } });
});

afterAll(async () => {
  await observer.end();
  await gate.stop();
  await database.drop();
});

describe('Read-only access', () => {
  it.each(BYPASS_CORPUS.map((queries) => [queries]))('is not bypassed by %j', async (queries) => {
    const before = await state();
    const client = await WireClient.login(gate.port);
    const answers = [];
    for (const query of queries) {
      answers.push(typesOf(await client.query(query)));
    }
    expect(answers.join()).toContain('E');
    expect(await state()).toEqual(before);
    client.destroy();
  });
});

describe('Read-only access is the same for every client', () => {
  it.each<Record<string, string>>([
    { options: '-c default_transaction_read_only=off' },
    { options: '-cdefault_transaction_read_only=off' },
    { options: '--default-transaction-read-only=off' },
    { options: '-c DEFAULT_Transaction_Read_Only=off' },
    { options: String.raw`-c default_transaction_read_only=\ off` },
    { options: '-c transaction_read_only=off' },
    { default_transaction_read_only: 'off' },
    { DEFAULT_TRANSACTION_READ_ONLY: 'off' },
    { transaction_read_only: 'off' },
    { options: '-c gatepost.access=read-write' },
    { options: '-c search_path=canary_schema,public' },
    { session_authorization: 'postgres' },
    { role: 'postgres' },
  ])('that comes with %j', async (parameters) => {
    const before = await state();
    const client = await WireClient.open(gate.port);
    client.send(
      startupPacket({ user: 'tester', ...parameters }),
      queryFrame('select writes()'),
      frontendFrame('X', ''),
    );
    const words = (await client.closed()).toString('latin1');
    expect(words).toMatch(/C25006\0|SFATAL\0/);
    expect(await state()).toEqual(before);
  });
});

describe('Settings that change how a text is read do not hide a write', () => {
  const insert = Buffer.from('; insert into canary values (9); --');

  it.each([
    { name: 'SET', setting: 'set standard_conforming_strings = off', startup: {} },
    {
      name: 'the startup packet',
      setting: 'select 1',
      startup: { options: '-c standard_conforming_strings=off' },
    },
  ])('in a string with a backslash: by $name', async ({ setting, startup }) => {
    const client = await WireClient.login(gate.port, startup);
    expect(typesOf(await client.query(setting))).toMatch(/CZ$|CSZ$/);
    const before = await state();
    const frames = await client.query(String.raw`select '\'${insert.toString()}'`);
    expect(firstReport(frames)).toMatchObject({ S: 'ERROR', C: '0A000' });
    expect(await state()).toEqual(before);
    client.destroy();
  });

  it.each([
    { encoding: 'SJIS', letter: [0x81, 0x5c] },
    { encoding: 'GBK', letter: [0x81, 0x5c] },
    { encoding: 'BIG5', letter: [0xa1, 0x5c] },
    { encoding: 'UHC', letter: [0x81, 0x5c] },
    { encoding: 'GB18030', letter: [0x81, 0x5c] },
    { encoding: 'LATIN1', letter: [0xe9, 0x27] },
  ])('in a letter of $encoding', async ({ encoding, letter }) => {
    const startup = { client_encoding: encoding };
    const [set, asked] = [
      await WireClient.login(gate.port),
      await WireClient.login(gate.port, startup),
    ];
    await set.query(`set client_encoding = '${encoding}'`);
    const before = await state();
    const hidden = Buffer.concat([
      Buffer.from(`select E'`),
      Buffer.from(letter),
      Buffer.from(`'`),
      insert,
      Buffer.from(`'\0`),
    ]);
    for (const client of [set, asked]) {
      client.send(frontendFrame('Q', hidden));
      expect(firstReport(await client.untilReady())).toMatchObject({ S: 'ERROR', C: '0A000' });
      expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
      client.destroy();
    }
    expect(await state()).toEqual(before);
  });
});

describe('Read-only access lets through', () => {
  it.each(HARMLESS_CORPUS)('%s', async (query) => {
    const client = await WireClient.login(gate.port);
    const frames = await client.query(query);
    expect(firstReport(frames)).toEqual({});
    client.destroy();
  });

  it.each([
    String.raw`\d`,
    String.raw`\d+ canary`,
    String.raw`\dt`,
    String.raw`\df`,
    String.raw`\l`,
  ])('psql %s, with the same answer as on a direct connection', async (command) => {
    const args = ['-c', command];
    const through = await runPsql({ url: `${gate.url}&dbname=${database.name}`, args });
    expect(through).toEqual(await runPsql({ url: database.url, args }));
  });
});
