// One caller and the next: what one leaves behind, sends at once or does not read is nobody else's.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import * as z from 'zod';
import { ADMIN, startApi } from '../support/api-stage.ts';
import type { ApiStage } from '../support/api-stage.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { runningStatements, untilTrue } from '../support/facts.ts';

const pageSchema = z.object({
  items: z.array(z.object({ id: z.number() })),
  next: z.string().nullable(),
});

/** Connections of the stage's pool. */
const POOL_MAX = 10;

let database: TestDatabase;
let api: ApiStage;

beforeAll(async () => {
  database = await createTestDatabase();
  await runDirectly(
    database.url,
    `create table noted (id serial primary key, v text);
     create table landed (n int);
     create function note() returns trigger language plpgsql as $$
       begin perform set_config('app.secret', new.v, false); return new; end $$;
     create trigger note before insert on noted for each row execute function note();
     create table parent (id int primary key); create table child () inherits (parent);
     insert into parent values (1); insert into child values (1);
     create table steps (id text primary key);
     create table numbers (id int primary key, n numeric);
     create table times (id timestamptz primary key, v text);
     create table kept (id int primary key, v text); insert into kept values (1, 'a');
     create function keep() returns trigger language plpgsql as $$ begin return null; end $$;
     create trigger keep before update on kept for each row execute function keep();
     create table floats (id float8 primary key);
     insert into floats select 0.1 + i * 1e-16 from generate_series(1, 20) as i`,
  );
  await runDirectly(database.url, `alter database ${database.name} set extra_float_digits = 0`);
  api = await startApi({ dsn: database.url });
});

afterAll(async () => {
  await api.stop();
  await database.drop();
});

function query(sql: string, body: object = {}): supertest.Test {
  return supertest(api.url)
    .post('/query')
    .set('Authorization', `Bearer ${ADMIN}`)
    .send({ backend: 'postgres', sql, ...body });
}

function send(method: 'get' | 'post' | 'put' | 'delete', path: string): supertest.Test {
  return supertest(api.url)[method](path).set('Authorization', `Bearer ${ADMIN}`);
}

/** The bytes of a request for rows, for sockets of which a test decides when they are read. */
function rawQuery(sql: string, timeoutMs = 20_000): string {
  const body = JSON.stringify({ backend: 'postgres', sql, timeoutMs });
  return [
    'POST /query HTTP/1.1',
    'Host: 127.0.0.1',
    `Authorization: Bearer ${ADMIN}`,
    'Accept: application/x-ndjson',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

async function openSocket(): Promise<Socket> {
  const socket = connect(api.port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

describe('The next caller', () => {
  it('sees nothing of what a trigger left in the session', async () => {
    const created = await send('post', '/api/postgres/public/noted').send({ v: 'of the first' });
    expect(created.status).toBe(201);
    for (let round = 0; round < POOL_MAX; round += 1) {
      const { text } = await query("select current_setting('app.secret', true) as seen");
      expect(text).toMatch(/"rows":\[\{"seen":(null|"")\}\]/);
    }
    const last = await query('select lastval()');
    expect(last.body).toMatchObject({ sqlState: '55000' });
  });

  it('finds connections although nobody reads what was asked through all of them', async () => {
    const endless = "select repeat('x', 10000) from generate_series(1, 9000)";
    const sockets = await Promise.all(Array.from({ length: POOL_MAX }, openSocket));
    for (const socket of sockets) {
      socket.pause();
      socket.write(rawQuery(endless, 3000));
    }
    await untilTrue(database.url, runningStatements("select repeat(''x'', 10000)%", POOL_MAX));
    await untilTrue(database.url, runningStatements("select repeat(''x'', 10000)%", 0));
    expect((await query('select 1')).status).toBe(200);
    sockets.forEach((socket) => socket.destroy());
  });
});

describe('A client that sends several requests at once', () => {
  it('takes all of their statements with it', async () => {
    const socket = await openSocket();
    socket.write(rawQuery('select pg_sleep(15.1)'));
    socket.write(rawQuery('insert into landed select 1 from pg_sleep(15.2)'));
    await untilTrue(database.url, runningStatements('%pg_sleep(15.%', 2));
    socket.destroy();
    await untilTrue(database.url, runningStatements('%pg_sleep(15.%', 0));
    expect(await runDirectly(database.url, 'select count(*)::int as n from landed')).toEqual([
      { n: 0 },
    ]);
  });
});

describe('What a statement says', () => {
  it.each(['notice', 'exception'])('is cut where it is huge: a %s', async (level) => {
    const text = "repeat('x', 30000000)";
    const response = await query(`do $$ begin raise ${level} '%', ${text}; end $$`);
    expect(response.status).toBe(level === 'notice' ? 200 : 400);
    const [said = ''] = /x+/.exec(response.text.replace(/context/g, '')) ?? [];
    expect(said).toHaveLength(8192);
  });

  it('is never read in another encoding', async () => {
    const refused = await query("set client_encoding to 'LATIN1'; select 'é' as t");
    expect(refused.body).toMatchObject({ status: 400, sqlState: '0A000' });
    expect((await query("select 'é' as t")).body).toMatchObject({ rows: [{ t: 'é' }] });
  });

  it('is refused where a parameter holds half a character', async () => {
    const refused = await query('select $1::text', { params: ['a\ud800b'] });
    expect(refused.body).toMatchObject({ status: 400, sqlState: '22021' });
  });
});

describe('Rows', () => {
  it('are a table’s own, and not those that inherit from it', async () => {
    expect((await send('delete', '/api/postgres/public/parent/1')).status).toBe(204);
    expect(await runDirectly(database.url, 'select count(*)::int as n from child')).toEqual([
      { n: 1 },
    ]);
  });

  it.each(['.', '..', ''])('with the key %j have no address that leads elsewhere', async (id) => {
    const created = await send('post', '/api/postgres/public/steps').send({ id });
    expect([created.status, created.get('Location')]).toEqual([201, undefined]);
  });

  it('can be put where they were read, however their key is written', async () => {
    const row = { id: '2024-01-01T00:00:00+00:00', v: 'a' };
    const created = await send('post', '/api/postgres/public/times').send(row);
    const address = created.get('Location') ?? '';
    const again = await send('put', address).send({ ...row, v: 'b' });
    expect([again.status, again.body]).toEqual([200, { ...row, v: 'b' }]);
    const other = await send('put', address).send({ ...row, id: '2025-01-01T00:00:00Z' });
    expect(other.body).toMatchObject({ status: 422, fields: [{ field: 'id' }] });
  });

  it('that a trigger keeps as they are, are neither missing nor changed', async () => {
    const kept = await send('put', '/api/postgres/public/kept/1').send({ v: 'b' });
    expect(kept.body).toMatchObject({ status: 409 });
  });

  it('are judged in the time of their length', async () => {
    const body = { id: 1, n: `${'1'.repeat(500_000)}x` };
    expect((await send('post', '/api/postgres/public/numbers').send(body)).status).toBe(422);
  });

  it('come page by page whatever digits the database shows of floats', async () => {
    const seen: unknown[] = [];
    let next: string | null = '/api/postgres/public/floats?limit=3';
    while (next !== null && seen.length <= 30) {
      const page: z.infer<typeof pageSchema> = pageSchema.parse((await send('get', next)).body);
      seen.push(...page.items.map(({ id }) => id));
      ({ next } = page);
    }
    const distinct = await runDirectly(database.url, 'select count(*)::int as n from floats');
    expect(new Set(seen).size).toBe(seen.length);
    expect([{ n: seen.length }]).toEqual(distinct);
  });

  it('that no next page has are said to be missing', async () => {
    await runDirectly(database.url, 'create view many as select generate_series(1, 5) as n');
    const page = await send('get', '/api/postgres/public/many?limit=2');
    expect(page.body).toEqual({ items: [{ n: 1 }, { n: 2 }], next: null, truncated: true });
  });
});
