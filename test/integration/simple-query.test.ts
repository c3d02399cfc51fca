// A simple query goes upstream byte for byte, and its answer comes back byte for byte.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { destroyDirectClients, loginDirectly } from '../support/direct-client.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { frontendFrame, typesOf, WireClient } from '../support/wire-client.ts';
import type { ReceivedFrame } from '../support/wire-client.ts';

let database: TestDatabase;
let gate: Gate;
let client: WireClient;
let direct: WireClient;

beforeAll(async () => {
  database = await createTestDatabase();
  gate = await startGate({ dsn: database.url });
  await runDirectly(
    database.url,
    `create table item (id int primary key, name text not null, price numeric check (price > 0));
     create table part (item_id int references item (id));
     create table bare ();
     insert into item values (1, 'one', 1.5), (2, 'two', null)`,
  );
});

afterAll(async () => {
  destroyDirectClients();
  await gate.stop();
  await database.drop();
});

beforeEach(async () => {
  client = await WireClient.login(gate.port);
  ({ client: direct } = await loginDirectly(database.url));
});

afterEach(() => {
  client.destroy();
  direct.destroy();
});

/** A NotificationResponse names the process that notified, which is another one each time. */
function withoutPids(frames: readonly ReceivedFrame[]): ReceivedFrame[] {
  return frames.map(({ type, bytes }) => {
    const copy = Buffer.from(bytes);
    return { type, bytes: type === 'A' ? copy.fill(0, 5, 9) : copy };
  });
}

/** The answers to statements sent one after the other. */
async function answersOf(
  to: WireClient,
  texts: readonly (string | Buffer)[],
): Promise<ReceivedFrame[]> {
  const frames: ReceivedFrame[] = [];
  for (const text of texts) {
    to.send(frontendFrame('Q', Buffer.concat([Buffer.from(text), Buffer.alloc(1)])));
    frames.push(...(await to.untilReady()));
  }
  return withoutPids(frames);
}

/** All bytes as text, one character each: megabytes of it are compared at once. */
function textOf(frames: readonly ReceivedFrame[]): string {
  return frames.map(({ bytes }) => bytes.toString('latin1')).join('');
}

describe('The answer to a simple query is the same as on a direct connection', () => {
  it.each<{ title: string; texts: readonly (string | Buffer)[]; types: RegExp }>([
    { title: 'a row', texts: ['select 1 as a, null as b, $$$$ as c'], types: /^TDCZ$/ },
    {
      title: 'values of many types',
      texts: [
        `select 1::int2, 2::int8, 1.5::float8, 'nan'::float4, 1.50::numeric, true, 'x'::"char",
           '\\x00ff'::bytea, date '2026-01-02', timestamptz '2026-01-02 03:04:05.678+05:30',
           interval '1 mon 2 days', array[[1, null], [3, 4]], row(1, 'a b'), '{"a": [1]}'::jsonb,
           int4range(1, 5), inet '10.0.0.0/8', bit '101', 'int4'::regtype, point '(1,2)'`,
      ],
      types: /^TDCZ$/,
    },
    { title: 'a table, whose columns have ids', texts: ['table item'], types: /^TDDCZ$/ },
    {
      title: 'rows without columns',
      texts: ['select from generate_series(1, 3)'],
      types: /^TDDDCZ$/,
    },
    { title: 'no rows and no columns', texts: ['table bare'], types: /^TCZ$/ },
    {
      title: 'nothing at all',
      texts: ['', ';', ' \n', '-- a comment', '/**/;;'],
      types: /^(IZ){5}$/,
    },
    {
      title: 'thousands of rows',
      texts: ['select n, n::text from generate_series(1, 5000) n'],
      types: /^TD{5000}CZ$/,
    },
    { title: 'a row of a megabyte', texts: [`select repeat('ab', 500000), 1`], types: /^TDCZ$/ },
    {
      title: 'more columns than fit into one read',
      texts: [`select ${'1,'.repeat(1599)}1`],
      types: /^TDCZ$/,
    },
    {
      title: 'several statements',
      texts: ['select 1; table item; select 3'],
      types: /^TDCTDDCTDCZ$/,
    },
    {
      title: 'a second statement that fails',
      texts: ['select 1; select 1/0; select 3'],
      types: /^TDCEZ$/,
    },
    {
      title: 'a failure between rows',
      texts: ['select 1 / (3 - n) from generate_series(1, 5) n'],
      types: /^TD*EZ$/,
    },
    {
      title: 'a syntax error',
      texts: ['select 1 form item', 'selec', "select '"],
      types: /^(EZ){3}$/,
    },
    {
      title: 'errors with table, column and constraint',
      texts: [
        `insert into item values (1, 'again')`,
        'insert into item values (3, null)',
        `insert into item values (3, 'x', -1)`,
        'insert into part values (9)',
      ],
      types: /^(EZ){4}$/,
    },
    {
      title: 'an error with every field',
      texts: [
        `do $$ begin raise exception using message = 'M', errcode = 'P4711', detail = 'D',
           hint = 'H', schema = 's', table = 't', column = 'c', datatype = 'd', constraint = 'n';
         end $$`,
        `do $$ begin execute 'select nosuch'; end $$`,
      ],
      types: /^(EZ){2}$/,
    },
    {
      title: 'an error of megabytes',
      texts: [`do $$ begin raise '%', repeat('x', 3000000); end $$`],
      types: /^EZ$/,
    },
    {
      title: 'bytes that are no text',
      texts: [Buffer.from([0x27, 0xff, 0xfe, 0x27])],
      types: /^EZ$/,
    },
    {
      title: 'notices, before and between results',
      texts: [
        'drop table if exists nosuch; select 1; drop table if exists nosuch',
        `do $$ begin raise warning 'w' using detail = 'd', hint = 'h'; raise info 'i'; end $$`,
      ],
      types: /^NCTDCNCZNNCZ$/,
    },
    {
      title: 'settings that clients have to know',
      texts: [
        `set timezone = 'Asia/Tokyo'; select timestamptz '2026-01-02 03:04:05+00'`,
        `set datestyle = 'SQL, DMY'`,
        `set client_encoding = 'LATIN1'; select chr(233); reset client_encoding`,
        'begin; set local intervalstyle = iso_8601; rollback',
        'set standard_conforming_strings = off; set work_mem = 2048',
      ],
      types: /^CTDCSZCSZ/,
    },
    {
      title: 'a transaction',
      texts: [
        'begin',
        `insert into item values (3, 'three') returning id`,
        'savepoint s',
        'select 1/0',
        'select 1',
        'rollback to s',
        'update item set price = 3 where id = 3',
        'rollback',
        'commit',
      ],
      types: /^CZTDCZCZEZEZCZCZCZNCZ$/,
    },
    {
      title: 'statements of one text as one transaction',
      texts: [`insert into item values (4, 'four'); select 1/0`, 'select count(*) from item'],
      types: /^CEZTDCZ$/,
    },
    {
      title: 'notifications of its own',
      texts: ['listen a', `notify a, 'payload'`, `begin; notify a, 'later'`, 'commit; select 1'],
      types: /^CZCAZCCZCTDCAZ$/,
    },
    {
      title: 'a cursor',
      texts: ['begin; declare c cursor for table item', 'fetch 1 from c; move 5 in c', 'end'],
      types: /^CCZTDCCZCZ$/,
    },
    {
      title: 'a prepared statement by SQL',
      texts: ['prepare p as select $1::int', 'execute p(1)', 'deallocate all', 'execute p(1)'],
      types: /^CZTDCZCZEZ$/,
    },
    {
      title: 'a plan',
      texts: ['explain (costs off) table item', 'explain (format json) table item'],
      types: /^TD+CZTDCZ$/,
    },
    {
      title: 'DDL',
      texts: ['begin; create table x (); alter table x add n int; drop table x; end'],
      types: /^C{5}Z$/,
    },
  ])('for $title', async ({ texts, types }) => {
    const answers = await answersOf(client, texts);
    expect(textOf(answers)).toBe(textOf(await answersOf(direct, texts)));
    expect(typesOf(answers)).toMatch(types);
  });

  it('for all of them in one session, sent without waiting for an answer', async () => {
    const texts = [
      'select 1',
      'select 1/0',
      'begin',
      'selec',
      'select 2',
      'rollback',
      '',
      'table item',
    ];
    const packet = Buffer.concat(texts.map((text) => frontendFrame('Q', `${text}\0`)));
    for (const to of [client, direct]) {
      to.send(packet, frontendFrame('X', ''));
    }
    expect(await client.closed()).toEqual(await direct.closed());
  });
});

describe('Messages that belong to no query', () => {
  it('reach an idle client at once', async () => {
    for (const to of [client, direct]) {
      await to.query('listen news');
    }
    await runDirectly(database.url, `notify news, 'from elsewhere'; notify news, 'and again'`);
    const received = [await client.frame(), await client.frame()];
    expect(received).toEqual([await direct.frame(), await direct.frame()]);
    expect(received[0]?.bytes.toString('utf8', 9)).toBe('news\0from elsewhere\0');
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
  });
});
