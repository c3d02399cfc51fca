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
