// What an account is held to over HTTP: its limits, backends and databases, and its end.
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import { z } from 'zod';
import { createAccountHome, createTokenOf } from '../support/account-stage.ts';
import type { AccountHome, MadeAccount, Replica } from '../support/account-stage.ts';
import { ADMIN } from '../support/api-stage.ts';
import { runDirectly } from '../support/databases.ts';
import { runningStatements, untilFact, untilTrue } from '../support/facts.ts';
import { problemOf, statusOf } from '../support/http-client.ts';
import type { Answer, Question } from '../support/http-client.ts';
import { describeMongodb } from '../support/mongodb.ts';

const sql = (text: string, more: object = {}): object => ({
  backend: 'postgres',
  sql: text,
  ...more,
});
const shell = (command: string, more: object = {}): object => ({
  backend: 'mongodb',
  command,
  ...more,
});

const ROWS = z.object({ rows: z.array(z.unknown()), truncated: z.boolean() });
const ITEMS = z.object({ items: z.array(z.object({ name: z.string() })) });

describeMongodb('Accounts', () => {
  let home: AccountHome;
  let replica: Replica;
  let ada: MadeAccount;

  beforeAll(async () => {
    home = await createAccountHome();
    await runDirectly(
      home.postgres.url,
      'create table people (id int primary key); insert into people select generate_series(1, 20)',
    );
    const people = home.mongodb.client.db(home.mongodb.name).collection('people');
    await people.insertMany(Array.from({ length: 20 }, (_, id) => ({ id })));
    replica = await home.start();
  });

  beforeEach(async () => {
    ada = await home.create({ name: 'ada', scope: 'write' });
  });

  afterAll(async () => {
    expect(replica.faults()).toEqual([]);
    await home.remove();
  });

  async function manage(method: string, path: string, body?: object): Promise<Answer> {
    return await replica.ask(`/api/accounts${path}`, {
      ...{ method, token: ADMIN },
      ...(body === undefined ? {} : { body }),
    });
  }

  describe('are held to', () => {
    const as = async (limits: object, question: Question, path = '/query'): Promise<Answer> => {
      await manage('PATCH', `/${ada.name}`, limits);
      const { token } = await createTokenOf(replica, ada.name, { name: 'cli', scope: 'write' });
      return await replica.ask(path, { token, ...question });
    };

    test.each<[string, object]>([
      ['PostgreSQL', sql('select * from people')],
      ['MongoDB', shell('db.people.find()')],
    ])('their rows in queries of %s', async (_backend, body) => {
      const answer = await as({ limits: { rowsMax: 3 } }, { body });
      const { rows, truncated } = ROWS.parse(JSON.parse(answer.text));
      expect([rows.length, truncated]).toEqual([3, true]);
    });

    it('their rows, and cannot ask for more', async () => {
      const body = sql('select * from people', { maxRows: 10 });
      const answer = await as({ limits: { rowsMax: 3 } }, { body });
      expect(statusOf(answer)).toBe(422);
      expect(problemOf(answer)).toMatchObject({ fields: [{ field: 'maxRows' }] });
    });

    test.each(['/api/postgres/public/people', '/api/mongodb/DATABASE/people'])(
      'their rows in pages of %s',
      async (path) => {
        const url = path.replace('DATABASE', home.mongodb.name);
        const answer = await as({ limits: { rowsMax: 3 } }, {}, url);
        const page = z
          .object({ items: z.array(z.unknown()), next: z.string() })
          .parse(JSON.parse(answer.text));
        expect(page.items).toHaveLength(3);
      },
    );

    it('their time', async () => {
      const body = sql('select pg_sleep(20)');
      const answer = await as({ limits: { queryTimeoutMs: 100 } }, { body });
      expect(statusOf(answer)).toBe(504);
    });

    test.each<[string, string, object | undefined]>([
      ['a query', '/query', shell('db.people.find()')],
      ['a list', '/api/mongodb/DATABASE/people', undefined],
      ['the databases', '/api/mongodb', undefined],
    ])('their backends: %s', async (_what, path, body) => {
      const url = path.replace('DATABASE', home.mongodb.name);
      const question = body === undefined ? {} : { body };
      const answer = await as({ backends: ['postgres'] }, question, url);
      expect(statusOf(answer)).toBe(403);
      expect(problemOf(answer)).toMatchObject({
        detail: `account "${ada.name}" is not allowed to use mongodb`,
        sqlState: '42501',
        hint: 'Its backends are postgres',
      });
      expect(replica.statements().at(-1)).toMatchObject({ outcome: 'refused' });
      const allowed = await as({}, { body: sql('select 1') });
      expect(allowed.status).toBe(200);
    });

    test.each<[string, string, object | undefined]>([
      ['a query', '/query', sql('select 1')],
      ['a list', '/api/postgres/public/people', undefined],
      ['a command', '/query?database=DATABASE', shell('db.people.find()')],
      ['documents', '/api/mongodb/DATABASE/people', undefined],
      ['collections', '/api/mongodb/DATABASE', undefined],
    ])('their databases: %s', async (_what, path, body) => {
      const url = path.replace('DATABASE', home.mongodb.name);
      const question = body === undefined ? {} : { body };
      const names = { databases: ['elsewhere'] };
      expect(statusOf(await as(names, question, url))).toBe(403);
      const both = { databases: [home.postgres.name, home.mongodb.name] };
      expect(statusOf(await as(both, question, url))).toBe(200);
    });

    it('their databases in the list of them', async () => {
      const answer = await as({ databases: [home.mongodb.name] }, {}, '/api/mongodb');
      const { items } = ITEMS.parse(JSON.parse(answer.text));
      expect(items.map(({ name }) => name)).toEqual([home.mongodb.name]);
    });

    it('their requests at a time, and each place is free again', async () => {
      await manage('PATCH', `/${ada.name}`, { limits: { connectionsMax: 1 } });
      const { token } = await createTokenOf(replica, ada.name, { name: 'cli' });
      const running = replica.ask('/query', { token, body: sql('select pg_sleep(1.5)') });
      await untilTrue(home.postgres.url, runningStatements('select pg_sleep(1.5)', 1));
      const refused = await replica.ask('/query', { token, body: sql('select 1') });
      expect(statusOf(refused)).toBe(503);
      expect(refused.headers['retry-after']).toMatch(/^\d+$/);
      // What everybody may ask counts for nobody.
      expect((await replica.ask('/livez', { token })).status).toBe(200);
      expect((await running).status).toBe(200);
      await untilFact(
        async () => (await replica.ask('/query', { token, body: sql('select 1') })).status === 200,
        'a free place',
      );
    });
  });

  it('that are disabled lose what runs for them', async () => {
    const { token } = await createTokenOf(replica, ada.name, { name: 'cli' });
    const running = replica.ask('/query', { token, body: sql('select pg_sleep(25)') });
    await untilTrue(home.postgres.url, runningStatements('select pg_sleep(25)', 1));
    await manage('PATCH', `/${ada.name}`, { isDisabled: true });
    const answer = await running;
    expect(statusOf(answer)).toBe(503);
    expect(problemOf(answer)).toMatchObject({
      detail: expect.stringContaining('the account was disabled'),
      sqlState: '57P01',
    });
    expect(answer.durationMs).toBeLessThan(10_000);
  });
});
