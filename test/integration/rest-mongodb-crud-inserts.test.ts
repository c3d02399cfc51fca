// Documents that are created over HTTP: what is answered is what is stored, and of what fails
// midway it is told how far it came.
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { describeMongodb } from '../support/mongodb.ts';
import { serveMongodb } from '../support/served-mongodb.ts';

const ITEMS = z.object({ items: z.array(z.looseObject({})) });

describeMongodb('documents that are created', () => {
  const { api, collection, urlOf } = serveMongodb();

  it('are answered as they are stored, empty timestamps too', async () => {
    const empty = '{"$timestamp":{"t":0,"i":0}}';
    const body = `{"_id":1,"at":${empty},"in":{"at":${empty}},"list":[${empty}],"then":${empty}}`;
    const created = await api.post(urlOf('times')).type('json').send(body);
    expect(created.status).toBe(201);
    expect(created.text).not.toContain('"at":{"$timestamp":{"t":0,"i":0}},"in"');
    expect(created.text).toContain(`"in":{"at":${empty}},"list":[${empty}]`);
    const read = await api.get(urlOf('times/1'));
    expect([read.text, read.get('ETag')]).toEqual([created.text, created.get('ETag')]);
  });

  it('are answered so in arrays, and where an id is an empty timestamp', async () => {
    const empty = { $timestamp: { t: 0, i: 0 } };
    const created = await api.post(urlOf('lists')).send([{ _id: empty }, { _id: 2, at: empty }]);
    const { items } = ITEMS.parse(created.body);
    expect(items[0]).toEqual({ _id: empty });
    expect((await api.get(urlOf('lists', '?order=_id.desc'))).body).toMatchObject({ items });
  });

  it('are those before the first one that cannot be stored', async () => {
    await collection('people').insertOne({ _id: 3 });
    const body = [1, 2, 3, 4].map((_id) => ({ _id }));
    const response = await api.post(urlOf('people')).send(body);
    expect(response.body).toMatchObject({ status: 409, mongodb: { code: 11000 }, inserted: 2 });
    expect(await collection('people').countDocuments()).toBe(3);
    const none = await api.post(urlOf('people')).send([{ _id: 1 }, { _id: 9 }]);
    expect(none.body).toMatchObject({ status: 409, inserted: 0 });
  });

  it('are not counted where there was one', async () => {
    await collection('single').insertOne({ _id: 1 });
    const response = await api.post(urlOf('single')).send({ _id: 1 });
    expect(response.status).toBe(409);
    expect(response.body).not.toHaveProperty('inserted');
  });

  it('are a hundred thousand at most', async () => {
    const many = (count: number): string => `[${'{},'.repeat(count - 1)}{}]`;
    const tooMany = await api.post(urlOf('many')).type('json').send(many(100_001));
    expect(tooMany.body).toMatchObject({
      status: 413,
      detail: 'At most 100000 documents can be created at once',
    });
    expect(await collection('many').countDocuments()).toBe(0);
    const most = await api.post(urlOf('many')).type('json').send(many(100_000));
    expect(most.status).toBe(201);
    expect(await collection('many').countDocuments()).toBe(100_000);
  });
});
