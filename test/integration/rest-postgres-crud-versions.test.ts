// Nobody writes over what he has not seen: rows have versions, and some cannot be written at all.
import { describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { readReply } from '../support/postgres-crud-stage.ts';
import { CRUD_RULES, CRUD_TABLES } from '../support/postgres-crud-tables.ts';
import { servePostgres } from '../support/served-postgres.ts';

const {
  api,
  start,
  runDirectly: stored,
} = servePostgres({
  sql: CRUD_TABLES,
  rules: CRUD_RULES,
  isFreshForEachTest: true,
});

describe('If-Match', () => {
  const url = '/api/postgres/shop/versions/1';

  async function readTag(): Promise<string> {
    return (await api.get(url)).get('ETag') ?? '';
  }

  it('lets the version through that was read, and tells the next', async () => {
    const response = await api
      .patch(url)
      .set('If-Match', await readTag())
      .send({ name: 'two' });
    expect(response.status).toBe(200);
    expect(response.get('ETag')).toBe(await readTag());
    const several = `"0", ${response.get('ETag') ?? ''}`;
    const put = await api.put(url).set('If-Match', several).send({ name: 'three' });
    expect(put.status).toBe(200);
    const removed = await api.delete(url).set('If-Match', put.get('ETag') ?? '');
    expect(removed.status).toBe(204);
  });

  it('keeps every other version out', async () => {
    const old = await readTag();
    await stored("update shop.versions set name = 'changed'");
    for (const tag of [old, `W/${await readTag()}`, '""', `"'/**/or/**/true--"`]) {
      expect((await api.patch(url).set('If-Match', tag).send({ name: 'x' })).status).toBe(412);
      expect((await api.put(url).set('If-Match', tag).send({ name: 'x' })).status).toBe(412);
      expect((await api.delete(url).set('If-Match', tag)).status).toBe(412);
    }
    expect(await stored('select name from shop.versions')).toEqual([{ name: 'changed' }]);
  });

  it('tells a row that is not there from one that was changed', async () => {
    const missing = api.delete('/api/postgres/shop/versions/2').set('If-Match', '"1"');
    expect((await missing).status).toBe(404);
    const any = api.patch(url).set('If-Match', '*').send({ name: 'x' });
    expect((await any).status).toBe(200);
    const broken = api.patch(url).set('If-Match', 'old').send({ name: 'x' });
    expect((await broken).status).toBe(400);
    const many = api.delete('/api/postgres/shop/versions?id=eq.1').set('If-Match', '"1"');
    expect((await many).status).toBe(400);
  });

  it('lets one of many writers through who have read the same version', async () => {
    const tag = await readTag();
    const writers = Array.from({ length: 8 }, async (_, index) => {
      const body = { name: `writer ${index}` };
      const { status } = await api.patch(url).set('If-Match', tag).send(body);
      return { status, ...body };
    });
    const results = await Promise.all(writers);
    const winners = results.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    expect(results.filter(({ status }) => status === 412)).toHaveLength(7);
    expect(await stored('select name from shop.versions')).toEqual([{ name: winners[0]?.name }]);
  });
});

describe('If-Match of a reader', () => {
  it('is of the version that he wants to see, or 412', async () => {
    const url = '/api/postgres/shop/versions/1';
    const tag = (await api.get(url)).get('ETag') ?? '';
    for (const [wanted, status] of [
      [tag, 200],
      [`"nope", ${tag}`, 200],
      ['*', 200],
      ['"nope"', 412],
      [`W/${tag}`, 412],
      ['nope', 400],
    ] as const) {
      expect([wanted, (await api.get(url).set('If-Match', wanted)).status]).toEqual([
        wanted,
        status,
      ]);
    }
    // It is asked before If-None-Match.
    const both = api.get(url).set('If-Match', '"nope"').set('If-None-Match', tag);
    expect((await both).status).toBe(412);
    expect((await api.get(url).set('If-None-Match', tag)).status).toBe(304);
    const missing = api.get('/api/postgres/shop/versions/2').set('If-Match', '"nope"');
    expect((await missing).status).toBe(404);
  });
});

describe('If-None-Match', () => {
  const url = '/api/postgres/shop/versions/1';

  it.each(['put', 'patch', 'delete'] as const)('keeps %s off what it excludes', async (method) => {
    const tag = (await api.get(url)).get('ETag') ?? '';
    for (const excluded of ['*', tag, `W/${tag}`, `"0", ${tag}`]) {
      const response = await api[method](url).set('If-None-Match', excluded).send({ name: 'x' });
      expect([excluded, response.status]).toEqual([excluded, 412]);
    }
    const missing = api[method]('/api/postgres/shop/versions/2').set('If-None-Match', '*');
    expect((await missing.send({ name: 'x' })).status).toBe(404);
    expect((await api[method](url).set('If-None-Match', 'x').send({ name: 'x' })).status).toBe(400);
    expect(await stored('select * from shop.versions')).toEqual([{ id: 1, name: 'one' }]);
  });

  it('of another version lets a write through, together with If-Match too', async () => {
    const tag = (await api.get(url)).get('ETag') ?? '';
    const written = await api.patch(url).set('If-None-Match', '"0"').send({ name: 'two' });
    expect([written.status, written.body]).toEqual([200, { id: 1, name: 'two' }]);
    const stale = api.patch(url).set('If-None-Match', '"0"').set('If-Match', tag);
    expect((await stale.send({ name: 'three' })).status).toBe(412);
    const fresh = api.delete(url).set('If-None-Match', tag);
    expect((await fresh.set('If-Match', written.get('ETag') ?? '')).status).toBe(204);
  });

  it('is of rows, and of those that have versions', async () => {
    const many = api.delete('/api/postgres/shop/versions?id=eq.1').set('If-None-Match', '*');
    expect((await many).status).toBe(400);
    const created = api.post('/api/postgres/shop/versions').set('If-None-Match', '*');
    expect((await created.send({ id: 5 })).status).toBe(400);
    await stored("insert into shop.parts values (1, 'one')");
    const part = '/api/postgres/shop/parts/1';
    expect((await api.patch(part).set('If-None-Match', '*').send({ name: 'x' })).status).toBe(412);
    expect((await api.patch(part).set('If-None-Match', '"1"').send({ name: 'x' })).status).toBe(
      200,
    );
    expect((await api.get(part).set('If-Match', '"1"')).status).toBe(412);
  });
});

describe('what cannot be written', () => {
  it('is a view, whatever PostgreSQL could do', async () => {
    const { body } = readReply(await api.get('/api/postgres/shop/adults'));
    expect(body.items).toHaveLength(2);
    const response = await api.post('/api/postgres/shop/adults').send({ name: 'x', age: 20 });
    expect(response.status).toBe(405);
    expect(response.get('Allow')).toBe('GET, HEAD, OPTIONS');
    expect((await api.delete('/api/postgres/shop/adults?id=eq.1')).status).toBe(405);
  });

  it('is what the operator says', async () => {
    const read = await api.get('/api/postgres/shop/fixed_prices/1');
    expect(read.body).toEqual({ id: 1, price: '1.50' });
    const patch = await api.patch('/api/postgres/shop/fixed_prices/1').send({ price: 2 });
    expect(patch.status).toBe(403);
    expect((await api.post('/api/postgres/secret/safe').send({ id: 1 })).status).toBe(404);
  });

  const READS = 'GET, HEAD, OPTIONS';
  const OF_ROWS = 'GET, HEAD, POST, PATCH, DELETE, OPTIONS';
  const OF_ROW = 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS';

  it.each<readonly [path: string, allow: string | undefined]>([
    ['shop/versions', OF_ROWS],
    ['shop/versions/1', OF_ROW],
    ['shop/versions/7', OF_ROW],
    ['shop/heap', OF_ROWS],
    ['shop/adults', READS],
    ['shop/fixed_prices', READS],
    ['shop/fixed_prices/1', READS],
    // Without a key of its own a row has no address.
    ['shop/heap/1', undefined],
    ['shop/adults/1', undefined],
    ['shop/versions/1/2', undefined],
    ['shop/nothing', undefined],
    ['shop/nothing/1', undefined],
    ['secret/safe', undefined],
    ['secret/safe/1', undefined],
  ])('is told by OPTIONS and by 405: %s', async (path, allow) => {
    const options = await api.options(`/api/postgres/${path}`);
    const status = allow === undefined ? 404 : 204;
    expect([options.status, options.get('Allow')]).toEqual([status, allow]);
    // A method that no table or row has.
    const other = path.split('/').length > 2 ? 'post' : 'put';
    const refused = await api[other](`/api/postgres/${path}`).send({});
    expect([refused.status, refused.get('Allow')]).toEqual([allow ? 405 : 404, allow]);
    expect(refused.type).toBe('application/problem+json');
  });

  it('is anything for a reader', async () => {
    const reader = start({ scope: 'read' });
    try {
      const response = await supertest(reader.app).delete('/api/postgres/public/users/1');
      expect(response.body).toMatchObject({ status: 403, sqlState: '25006' });
    } finally {
      await reader.close();
    }
  });
});
