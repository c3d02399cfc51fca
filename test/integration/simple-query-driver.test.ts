// node `pg` without parameters speaks simple queries, and sees through Gatepost what it sees
// directly.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { untilFact } from '../support/facts.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';

let database: TestDatabase;
let gate: Gate;
let through: Driver;
let direct: Driver;

beforeAll(async () => {
  database = await createTestDatabase();
  await runDirectly(
    database.url,
    `create table item (id int primary key, name text not null, price numeric check (price > 0))`,
  );
  gate = await startGate({ dsn: database.url });
  through = await connect(`postgresql://tester@127.0.0.1:${gate.port}/${database.name}`);
  direct = await connect(database.url);
});

afterAll(async () => {
  await Promise.all([through.client.end(), direct.client.end()]);
  await gate.stop();
  await database.drop();
});

/** A client and what came without being asked for. */
interface Driver {
  readonly client: pg.Client;
  readonly notices: unknown[];
  readonly notifications: unknown[];
  readonly parameters: Map<string, string>;
}

async function connect(url: string): Promise<Driver> {
  const client = new pg.Client({ connectionString: url });
  const driver: Driver = { client, notices: [], notifications: [], parameters: new Map() };
  client.on('notice', (notice) => driver.notices.push(fieldsOf(notice)));
  client.on('notification', ({ channel, payload }) => {
    driver.notifications.push({ channel, payload });
  });
  client.connection.on(
    'parameterStatus',
    (message: { parameterName: string; parameterValue: string }) => {
      driver.parameters.set(message.parameterName, message.parameterValue);
    },
  );
  await client.connect();
  return driver;
}

/** All that the message said; its stack is the driver's. */
function fieldsOf(report: { readonly message?: string | undefined }): Record<string, unknown> {
  return { ...Object.fromEntries(Object.entries(report)), message: report.message };
}

/** Rows, fields and tags of every statement in the text. */
async function resultsOf({ client }: Driver, text: string): Promise<unknown> {
  const results = [await client.query(text)].flat();
  return results.map(({ command, rowCount, rows, fields }) => ({
    command,
    rowCount,
    rows,
    fields,
  }));
}

async function errorOf({ client }: Driver, text: string): Promise<Record<string, unknown>> {
  const error: unknown = await client.query(text).catch((thrown: unknown) => thrown);
  if (!(error instanceof pg.DatabaseError)) {
    throw new Error(`No error of the database for ${text}`);
  }
  return fieldsOf(error);
}

describe('node pg in its simple mode', () => {
  it.each([
    `select 1::int2, 2::int8, 1.5::float8, 'nan'::float4, 1.50::numeric, true, null, 'żółw' as t`,
    `select '\\x00ff'::bytea, date '2026-01-02', timestamptz '2026-01-02 03:04:05.678+05:30'`,
    `select interval '1 mon 2 days', array[[1, null], [3, 4]], '{"a": [1]}'::jsonb, point '(1,2)'`,
    'select from generate_series(1, 3)',
    'select n from generate_series(1, 5000) n',
    'select 1; select 2, 3; set work_mem = 2048',
    'table item',
    '',
    `begin; insert into item values (1, 'one') returning *; update item set price = 2; rollback`,
  ])('gets the same rows, types and tags: %s', async (text) => {
    expect(await resultsOf(through, text)).toEqual(await resultsOf(direct, text));
  });

  it.each([
    { text: 'select nosuch', fields: { code: '42703', position: '8' } },
    { text: 'select 1; select 1/0; select 3', fields: { code: '22012' } },
    {
      text: `insert into item values (1, null)`,
      fields: { code: '23502', table: 'item', column: 'name', schema: 'public' },
    },
    {
      text: `insert into item values (1, 'one', -1)`,
      fields: { code: '23514', constraint: 'item_price_check' },
    },
    {
      text: `do $$ begin execute 'select nosuch'; end $$`,
      fields: { internalQuery: 'select nosuch', internalPosition: '8', where: /PL\/pgSQL/ },
    },
    {
      text: `do $$ begin raise 'M' using detail = 'D', hint = 'H', datatype = 'T'; end $$`,
      fields: { code: 'P0001', detail: 'D', hint: 'H', dataType: 'T', routine: 'exec_stmt_raise' },
    },
  ])('gets the same error with every field: $text', async ({ text, fields }) => {
    const error = await errorOf(through, text);
    expect(error).toEqual(await errorOf(direct, text));
    for (const [name, value] of Object.entries(fields)) {
      expect(error[name]).toEqual(typeof value === 'string' ? value : expect.stringMatching(value));
    }
  });

  it('keeps its connection after an error, and its transaction as it was', async () => {
    for (const { client } of [through, direct]) {
      await client.query('begin');
      await expect(client.query('select 1/0')).rejects.toMatchObject({ code: '22012' });
      await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' });
      await client.query('rollback');
      expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    }
  });

  it('gets the same notices', async () => {
    const text = `do $$ begin
      raise notice 'one' using detail = 'd', hint = 'h', column = 'c', errcode = '01P01';
      raise warning 'two'; end $$; drop table if exists nosuch`;
    await Promise.all([through.client.query(text), direct.client.query(text)]);
    expect(through.notices).toHaveLength(3);
    expect(through.notices).toEqual(direct.notices);
  });

  it('gets notifications, while it is idle and while it asks', async () => {
    await Promise.all([through.client.query('listen news'), direct.client.query('listen news')]);
    await runDirectly(database.url, `notify news, 'from elsewhere'`);
    await through.client.query(`notify news, 'its own'`);
    for (const { notifications } of [through, direct]) {
      await untilFact(() => notifications.length === 2, 'both notifications');
      expect(notifications).toEqual([
        { channel: 'news', payload: 'from elsewhere' },
        { channel: 'news', payload: 'its own' },
      ]);
    }
  });

  it('learns of settings that change', async () => {
    for (const { client, parameters } of [through, direct]) {
      await client.query(`set timezone = 'Asia/Tokyo'; set datestyle = 'SQL, DMY'`);
      expect(parameters.get('TimeZone')).toBe('Asia/Tokyo');
      expect(parameters.get('DateStyle')).toBe('SQL, DMY');
      await client.query('reset all');
      expect(parameters.get('DateStyle')).toBe('ISO, MDY');
    }
  });
});
