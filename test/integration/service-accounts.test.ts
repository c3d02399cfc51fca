// Two processes on the same stores: what one is told holds in the other.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import {
  askWith,
  connectAs,
  createAccountStores,
  logIn,
  PASSWORD,
} from '../support/account-services.ts';
import type { AccountStores } from '../support/account-services.ts';
import { runDirectly } from '../support/databases.ts';
import { untilFact } from '../support/facts.ts';
import { ask } from '../support/http-client.ts';
import { describeMongodb } from '../support/mongodb.ts';
import { runPsql } from '../support/psql.ts';
import type { RestService } from '../support/rest-service.ts';

/** What the issue promises of a disabled account. A busy machine gets 3 s more. */
const REVOKED_WITHIN_MS = 5000 + 3000;

const TOKEN = /gp_[\w-]{43}/;

/** The longest that a statement of the session took until the work was done. */
async function worstRoundTripMs(session: pg.Client, work: Promise<unknown>): Promise<number> {
  const over = new AbortController();
  void work.finally(() => {
    over.abort();
  });
  let worstMs = 0;
  while (!over.signal.aborted) {
    const startedAtMs = performance.now();
    await session.query('select 1');
    worstMs = Math.max(worstMs, performance.now() - startedAtMs);
  }
  return worstMs;
}

const sql = (text: string): object => ({ backend: 'postgres', sql: text });

describeMongodb('Two processes', () => {
  let stores: AccountStores;
  let one: RestService;
  let other: RestService;

  beforeAll(async () => {
    stores = await createAccountStores();
    // At once: both find an empty database, and one of them makes the schema.
    [one, other] = await Promise.all([stores.startService(), stores.startService()]);
    await stores.run(['account', 'create', 'root', '--scope', 'admin']);
  });

  afterAll(async () => {
    await Promise.all([one.remove(), other.remove()]);
    await stores.remove();
  });

  test('have made one schema between them', async () => {
    const rows = await runDirectly(
      stores.accounts.url,
      "select count(*)::int as n from pg_tables where schemaname || tablename = 'gatepostaccounts'",
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  test('serve nobody without an account, once there is one', async () => {
    const statuses = await Promise.all(
      [one, other].map(
        async ({ url }) => (await ask(`${url}/query`, { body: sql('select 1') })).status,
      ),
    );
    expect(statuses).toEqual([401, 401]);
  });

  test('take psql with the password on either, and nobody without it', async () => {
    for (const service of [one, other]) {
      const url = `postgresql://root@127.0.0.1:${service.portFor('postgres')}/?sslmode=disable`;
      const right = await runPsql({
        url,
        args: ['-Atc', "select split_part(current_setting('application_name'), '/', 2)"],
        environment: { PGPASSWORD: PASSWORD },
      });
      expect(right).toMatchObject({ exitCode: 0, stdout: 'root' });
      const wrong = await runPsql({ url, environment: { PGPASSWORD: 'wrong' } });
      expect(wrong.stderr).toContain('password authentication failed for user "root"');
      expect(wrong.exitCode).toBe(2);
    }
  });

  test('know a session that the other made, also when that one is killed', async () => {
    const third = await stores.startService();
    const cookie = await logIn(third.url, 'root');
    expect((await askWith(cookie, `${one.url}/auth/me`)).status).toBe(200);
    third.process.kill('SIGKILL');
    expect(await third.exited()).toBe('SIGKILL');
    const { status, text } = await askWith(cookie, `${other.url}/auth/me`);
    expect(status).toBe(200);
    expect(text).toContain('"root"');
    await third.remove();
  });

  test('end sessions, tokens and statements of a disabled account within 5 s', async () => {
    await stores.run(['account', 'create', 'mallory', '--scope', 'write']);
    const [, token = ''] =
      new RegExp(`(${TOKEN.source})`).exec(await stores.run(['account', 'token', 'mallory'])) ?? [];
    const cookie = await logIn(one.url, 'mallory');
    const sessions = await Promise.all(
      [one, other].flatMap((service) =>
        (['postgres', 'mongodb'] as const).map(
          async (backend) => await connectAs('mallory', service.portFor(backend)),
        ),
      ),
    );
    const ended = sessions.map(
      async (session) => await new Promise((resolve) => session.once('end', resolve)),
    );
    const running = sessions[0]?.query('select pg_sleep(60)').catch((error: unknown) => error);
    expect((await ask(`${other.url}/api/postgres`, { token })).status).toBe(200);

    await stores.run(['account', 'disable', 'mallory']);
    const disabledAtMs = performance.now();
    await Promise.all(ended);
    expect(await running).toMatchObject({ code: '57P01' });
    await untilFact(async () => {
      const answers = await Promise.all(
        [one, other].flatMap(({ url }) => [
          ask(`${url}/api/postgres`, { token }),
          askWith(cookie, `${url}/api/postgres`),
        ]),
      );
      return answers.every(({ status }) => status === 401);
    }, 'the refusal of what mallory had');
    expect(performance.now() - disabledAtMs).toBeLessThan(REVOKED_WITHIN_MS);

    await expect(connectAs('mallory', one.portFor('postgres'))).rejects.toMatchObject({
      code: '28000',
    });
  });

  test('let readers write nowhere', async () => {
    await stores.run(['account', 'create', 'reader', '--scope', 'read']);
    await runDirectly(stores.postgres.url, 'create table canary (id int)');
    const session = await connectAs('reader', one.portFor('postgres'));
    const shell = await connectAs('reader', one.portFor('mongodb'));
    const refused = { code: '25006' };
    await expect(session.query('insert into canary values (1)')).rejects.toMatchObject(refused);
    await expect(shell.query('db.canary.insertOne({})')).rejects.toMatchObject(refused);
    await Promise.all([session.end(), shell.end()]);
    const cookie = await logIn(one.url, 'reader');
    const answer = await ask(`${other.url}/query`, {
      headers: { Cookie: cookie },
      body: sql('insert into canary values (1)'),
    });
    expect(answer.status).toBe(403);
    expect(await runDirectly(stores.postgres.url, 'select * from canary')).toEqual([]);
  });

  test('stay as they are under a storm of wrong passwords', async () => {
    const session = await connectAs('root', one.portFor('postgres'));
    const storm = Promise.all(
      Array.from({ length: 300 }, async (_, index) => {
        const body = { name: index % 2 === 0 ? 'storm' : `storm-${index}`, password: 'wrong' };
        return (await ask(`${one.url}/auth/login`, { body })).status;
      }),
    );
    const worstMs = await worstRoundTripMs(session, storm);
    const statuses = new Set(await storm);
    expect([...statuses].sort()).toEqual([401, 429]);
    expect(worstMs).toBeLessThan(5000);
    await session.end();
  });

  test('log 200 clients in at once while a session goes on', async () => {
    const session = await connectAs('root', other.portFor('postgres'));
    const logins = Promise.allSettled(
      Array.from({ length: 200 }, async () => {
        const client = await connectAs('root', other.portFor('postgres'));
        await client.end();
      }),
    );
    const worstMs = await worstRoundTripMs(session, logins);
    const failed = (await logins).filter(({ status }) => status === 'rejected');
    // At most WIRE_MAX_CONNECTIONS of them at a time; the others are told so.
    for (const one of failed) {
      expect(one).toMatchObject({ reason: { code: '53300' } });
    }
    expect(failed.length).toBeLessThan(200);
    expect(worstMs).toBeLessThan(5000);
    await session.end();
  });
});
