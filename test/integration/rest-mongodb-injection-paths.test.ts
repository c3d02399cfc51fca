// Attacks by names of databases and collections, ids and bodies. Whatever is sent, the canary
// stays as it is, and the answer is a refusal or harmless: never a fault.
import { beforeAll, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { describeMongodb } from '../support/mongodb.ts';
import { serveMongodbCanary } from '../support/mongodb-canary.ts';
import { parsePage } from '../support/mongodb-crud-stage.ts';

describeMongodb('attacks by paths and bodies over HTTP', () => {
  const { api, database, urlOf, expectHarmless, expectRefused } = serveMongodbCanary();
  let url = '';

  beforeAll(() => {
    url = urlOf('canary');
  });

  it.each([
    'admin/system.users',
    'admin/system.version',
    'Admin/system.users',
    'ADMIN/anything',
    'local/startup_log',
    'config/system.sessions',
    '$external/a',
    'a.b/c',
    'a%2Fb/c',
    'a%5Cb/c',
    'a%22b/c',
    'a%20b/c',
    'a%00b/c',
    '$cmd/c',
    `${'x'.repeat(64)}/c`,
  ])('shows and writes nothing of %s', async (path) => {
    await expectRefused(
      [
        await api.get(`/api/mongodb/${path}`),
        await api.get(`/api/mongodb/${path}/1`),
        await api.post(`/api/mongodb/${path}`).send({ a: 1 }),
        await api.delete(`/api/mongodb/${path}?_id=is.not_null`),
      ],
      [404],
    );
  });
  it.each([
    'system.users',
    'system.views',
    'system.js',
    'system.profile',
    'system.buckets.a',
    '$cmd',
    '$cmd.sys.inprog',
    'canary.$cmd',
    'a%00b',
    'canary%00',
    '.canary',
    'canary.',
    'x'.repeat(250),
  ])('takes no collection named %s', async (name) => {
    const path = urlOf(name);
    await expectRefused(
      [
        await api.get(path),
        await api.get(`${path}/1`),
        await api.post(path).send({ _id: 'a', viewOn: 'canary', pipeline: [] }),
        await api.patch(`${path}?_id=is.not_null`).send({ a: 1 }),
        await api.delete(`${path}?_id=is.not_null`),
        await api.put(`${path}/1`).send({ a: 1 }),
      ],
      [404],
    );
  });
  it('takes a database in other capitals for none', async () => {
    const other = database().name.toUpperCase();
    await expectRefused([await api.post(`/api/mongodb/${other}/canary`).send({ a: 1 })], [404]);
  });
  it.each([
    '__proto__',
    'constructor',
    'canary%00',
    '%24where',
    '..%2Fcanary',
    '%2e%2e',
    '{"$gt":""}',
    '[]',
    '[1]',
    '%FF',
    '%E0%A4%A',
    'a'.repeat(5000),
  ])('takes the id %s for an id', async (id) => {
    await expectHarmless([
      await api.get(`${url}/${id}`),
      await api.delete(`${url}/${id}`),
      await api.patch(`${url}/${id}`).send({ secret: 'changed' }),
      await api.get(`${url}/${id}?id_type=objectid`),
    ]);
  });
  it('keeps names that mean something to JavaScript as names', async () => {
    const text =
      '{"_id":"p","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},' +
      '"toJSON":1,"toBSON":"x","_bsontype":"ObjectId","then":"y"}';
    const pets = urlOf('pets');
    expect((await api.post(pets).type('json').send(text)).text).toBe(text);
    expect((await api.get(`${pets}/p`)).text).toBe(text);
    const patched = await api.patch(`${pets}/p`).type('json').send('{"__proto__":{"admin":1}}');
    expect(patched.text).toContain('"__proto__":{"admin":1}');
    await expectHarmless([patched]);
  });
  it('does not take a stored text for an expression or a path', async () => {
    const things = urlOf('things');
    await api.post(things).send([
      { _id: '$_id', name: '$secret', n: 1 },
      { _id: '$$ROOT', name: '$$NOW', n: 2 },
    ]);
    const first = await api.get(`${things}?order=name.desc&limit=1`);
    const { next } = parsePage(first.body);
    const second = await api.get(next ?? '');
    expect(second.text).toContain('"_id":"$$ROOT"');
    expect((await api.get(`${things}?name=eq.$secret`)).text).toContain('"_id":"$_id"');
    const patched = await api.patch(`${things}/$_id`).send({ copy: '$name', sum: '$$NOW' });
    expect(patched.body).toMatchObject({ copy: '$name', sum: '$$NOW' });
    const etag = patched.get('ETag') ?? '';
    expect((await api.delete(`${things}/$_id`).set('If-Match', etag)).status).toBe(204);
    await expectHarmless([first, second, patched]);
  });
  it('sends no code as a value to compare with, and stores it as data only', async () => {
    const code = encodeURIComponent('{"$code":"return true"}');
    await expectRefused(
      [
        await api.get(`${url}?name=eq.${code}`),
        await api.delete(`${url}?name=eq.${code}`),
        await api.get(`${url}/${code}`),
      ],
      [403],
    );
  });
  it('refuses bodies as deep as a mebibyte is long', async () => {
    const deep = [
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
      `{"a":${'['.repeat(150)}${']'.repeat(150)}}`,
    ];
    const responses: Response[] = [];
    for (const text of deep) {
      responses.push(
        await api.post(url).type('json').send(text),
        await api.patch(`${url}/canary`).type('json').send(text),
      );
    }
    await expectRefused(responses);
  });
  it('refuses what is no body of JSON', async () => {
    await expectRefused(
      [
        await api.post(url).type('form').send('name[$ne]=1'),
        await api.post(url).type('text').send('{"a":1}'),
        await api.post(url).type('json').send('{"a":NaN}'),
        await api.post(url).type('json').send("{'a':1}"),
        await api.put(`${url}/canary`),
        await api.patch(`${url}/canary`),
        await api.post(url),
      ],
      [400, 415],
    );
  });
  it('bears an index of an array that no document should get', async () => {
    const wide = urlOf('wide');
    await api.post(wide).send({ _id: 1, a: [] });
    await expectHarmless([await api.patch(`${wide}/1`).send({ 'a.999999999': 1 })]);
  });
});
