// Values that only the server can judge: 422 with their fields in a body, 400 in an address.
import { describe, expect, it } from '@jest/globals';
import { readReply } from '../support/postgres-crud-stage.ts';
import { servePostgres } from '../support/served-postgres.ts';

const TABLES = `
  drop schema if exists r cascade; create schema r;
  create domain r.positive as int check (value > 0);
  create domain r.short as varchar(3);
  create type r.colour as enum ('red', 'blue');
  create table r."kinds of" (
    id uuid primary key default '6f9619ff-8b86-4d01-b42d-00cf4fc964ff', name varchar(3),
    names varchar(3)[], short r.short, price numeric(4, 2), born date, seen timestamptz,
    positive r.positive, positives r.positive[], colour r.colour, bits bit(3), doc jsonb,
    age int check (age < 20), twice smallint generated always as (age * 1000) stored);
  insert into r."kinds of" default values;
  create function r.refuse() returns trigger language plpgsql as $$
    begin raise exception 'not today' using errcode = '22023'; end $$;
  create table r.refused (id int primary key, name text);
  insert into r.refused values (1, 'a');
  create trigger refuse before insert or update or delete on r.refused
    for each row execute function r.refuse();`;

const { api, stage } = servePostgres({ sql: TABLES });

const KINDS = '/api/postgres/r/kinds%20of';
const ROW = `${KINDS}/6f9619ff-8b86-4d01-b42d-00cf4fc964ff`;

const WRONG: readonly (readonly [string, unknown, string])[] = [
  ['name', 'four', '22001'],
  ['names', ['ok', 'four'], '22001'],
  ['short', 'four', '22001'],
  ['price', 100, '22003'],
  ['born', 'yesterdayish', '22007'],
  ['born', '2024-13-01', '22008'],
  ['seen', '2024-01-01 Nowhere/Town', '22023'],
  ['positive', -1, '23514'],
  ['positives', [1, -1], '23514'],
  ['colour', 'green', '22P02'],
  ['id', 'none', '22P02'],
  ['bits', '11', '22026'],
  ['doc', { a: '\0' }, '22P05'],
  ['name', '\ud800', '22021'],
];

describe('a value of a body that the server refuses', () => {
  it.each(WRONG)('is 422 with its field: %s %j (%s)', async (field, value, sqlState) => {
    const response = await api.post(KINDS).send({ age: 5, [field]: value });
    // Half a character is refused before the server is asked, and nothing can be asked of it.
    const isAsked = sqlState !== '22021';
    expect(response.body).toMatchObject({
      status: 422,
      sqlState,
      ...(isAsked ? { fields: [{ field, message: expect.any(String) }] } : {}),
    });
  });

  it('says what is wrong in the words of the server', async () => {
    const response = await api.post(KINDS).send({ name: 'four' });
    expect(response.body).toMatchObject({
      detail: 'value too long for type character varying(3)',
      fields: [{ field: 'name', message: 'value too long for type character varying(3)' }],
    });
  });

  it('is named with every other one, by its place in an array', async () => {
    const { status, fields } = readReply(
      await api.post(KINDS).send([
        { name: 'ok', born: '2024-13-01' },
        { colour: 'green', age: 7 },
        { name: 'four', positive: 0 },
      ]),
    );
    expect(status).toBe(422);
    expect(fields).toEqual(['[0].born', '[1].colour', '[2].name', '[2].positive']);
  });

  it.each([
    ['put', ROW],
    ['patch', ROW],
    ['patch', `${KINDS}?age=is.null`],
  ] as const)('is the same in %s %s', async (method, url) => {
    const response = readReply(await api[method](url).send({ colour: 'green', price: 1 }));
    expect([response.status, response.fields]).toEqual([422, ['colour']]);
  });

  it('may be a key that the body says otherwise', async () => {
    const response = readReply(await api.put(ROW).send({ id: 'none', age: 1 }));
    expect([response.status, response.fields]).toEqual([422, ['id']]);
  });

  it.each([
    { what: 'a rule of the table', url: KINDS, body: { age: 25 }, sqlState: '23514' },
    { what: 'a generated column', url: KINDS, body: { age: 150 }, sqlState: '22003' },
    { what: 'a trigger', url: '/api/postgres/r/refused', body: { id: 2 }, sqlState: '22023' },
  ])('is of no field where it is $what that refuses it', async ({ url, body, sqlState }) => {
    const response = await api.post(url).send(body);
    expect(response.body).toMatchObject({ status: 422, sqlState });
    expect(response.body).not.toHaveProperty('fields');
  });
});

describe('a value of an address that the server refuses', () => {
  it.each([
    ['get', `${KINDS}/none`, '22P02'],
    ['delete', `${KINDS}/none`, '22P02'],
    ['put', `${KINDS}/none`, '22P02'],
    ['patch', `${KINDS}/none`, '22P02'],
    ['get', `${KINDS}?born=eq.2024-13-01`, '22008'],
    ['get', `${KINDS}?colour=eq.green&count=exact`, '22P02'],
    ['patch', `${KINDS}?born=eq.yesterdayish`, '22007'],
    ['delete', `${KINDS}?born=eq.yesterdayish`, '22007'],
  ] as const)('is 400: %s %s', async (method, url, sqlState) => {
    const request = api[method](url);
    const isWrite = method === 'put' || method === 'patch';
    // The body is wrong as well: the address comes first.
    const response = await (isWrite ? request.send({ colour: 'green' }) : request);
    expect(response.body).toMatchObject({ status: 400, sqlState });
  });

  it('is not taken for one of a trigger', async () => {
    const response = await api.delete('/api/postgres/r/refused/1');
    expect(response.body).toMatchObject({ status: 400, sqlState: '22023' });
  });
});

describe('a refusal', () => {
  it('costs two more questions at most, and none where nothing is refused', async () => {
    const before = stage().statements().length;
    await api.post(KINDS).send({ id: '00000000-0000-0000-0000-000000000001' });
    const fine = stage().statements().length - before;
    await api.patch(`${KINDS}?age=is.null`).send({ colour: 'green' });
    expect(fine).toBeLessThanOrEqual(2);
    expect(stage().statements().length - before - fine).toBe(3);
  });
});
