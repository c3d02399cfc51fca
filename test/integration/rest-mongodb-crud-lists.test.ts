// Lists of documents over HTTP: filters, counts, and what is shown of a document.
import { expect, it } from '@jest/globals';
import { BSONRegExp, Double, ObjectId } from 'mongodb';
import { describeMongodb } from '../support/mongodb.ts';
import { serveManyDocuments } from '../support/served-mongodb.ts';

const HEX = '507f1f77bcf86cd799439011';

describeMongodb('lists of documents over HTTP', () => {
  const { api, collection, urlOf, fetchPage, idsOf } = serveManyDocuments();

  it('gives nothing of a collection that is not there', async () => {
    const response = await api.get(urlOf('none', '?count=exact'));
    expect(response.text).toBe('{"items":[],"next":null,"count":0}');
  });
  it('counts where it is asked to', async () => {
    const { count } = await fetchPage(urlOf('many', '?count=exact&limit=1&_id=lt.7'));
    expect(count).toBe(7);
    expect((await fetchPage(urlOf('many', '?count=estimated&limit=1'))).count).toBe(250);
    expect((await fetchPage(urlOf('many', '?limit=1'))).count).toBeUndefined();
    expect((await api.get(urlOf('many', '?count=estimated&_id=lt.7'))).status).toBe(400);
  });
  it.each([
    ['name=eq.ann', [1]],
    ['name=neq.ann', [2, 3, 4, 5]],
    ['age=eq.30', [1, 4]],
    ['age=eq."30"', [5]],
    ['age=gt.20', [1, 4]],
    ['age=gte.20', [1, 2, 4]],
    ['age=lt.30', [2]],
    ['age=lte.30', [1, 2, 4]],
    ['age=gt.10&age=lt.25', [2]],
    ['name=like.*n*', [1, 4]],
    ['name=like.%25N%25', []],
    ['name=ilike.%25N%25', [1, 4]],
    ['name=like._ob', [2]],
    ['name=like.bob%25', [2, 3]],
    ['name=like.bob', [2]],
    ['name=like.b.b', []],
    ['name=in.(ann,bob)', [1, 2]],
    ['age=in.(20,"30")', [2, 5]],
    ['age=in.[20,{"$numberLong":"30"}]', [1, 2, 4]],
    ['age=is.null', [3]],
    ['age=is.not_null', [1, 2, 4, 5]],
    ['isActive=is.true', [1]],
    ['isActive=is.false', [2]],
    ['isActive=eq.false', [2]],
    ['address.city=eq.Bern', [1]],
    ['tags=eq.x', [1, 2]],
    ['tags=eq.["x"]', [2]],
    ['address=eq.{"city":"Bern"}', [1]],
    ['address=eq.{"city":"Bern","zip":1}', []],
    [`friend=eq.{"$oid":"${HEX}"}`, [1]],
    [`friend=eq.${HEX}`, [2]],
    ['pattern=eq.{"$regularExpression":{"pattern":".*","options":""}}', [3]],
    ['pattern=neq.{"$regularExpression":{"pattern":".*","options":""}}', [1, 2, 4, 5]],
    ['_id=in.(1,3)', [1, 3]],
    ['_id=eq.1&id_type=string', []],
  ])('finds by %s', async (query, ids) => {
    const filtered = collection('filtered');
    await filtered.deleteMany({});
    await filtered.insertMany([
      {
        _id: 1,
        ...{ name: 'ann', age: 30, isActive: true, tags: ['x', 'y'], address: { city: 'Bern' } },
        friend: new ObjectId(HEX),
      },
      { _id: 2, ...{ name: 'bob', age: 20, isActive: false, tags: ['x'], friend: HEX } },
      {
        _id: 3,
        ...{ name: 'bob\n', age: null, pattern: new BSONRegExp('.*') },
      },
      { _id: 4, ...{ name: 'Anna', age: new Double(30), pattern: 'any text' } },
      { _id: 5, ...{ age: '30' } },
    ]);
    expect(await idsOf(urlOf('filtered', `?${query}`))).toEqual(ids);
  });
  it('shows what is selected, and the id only then', async () => {
    await collection('selected').insertOne({
      _id: 1,
      ...{ a: 1, b: { c: 1, d: 2 }, e: [{ f: 1, g: 2 }], k: 1, x: true },
    });
    const textOf = async (query: string): Promise<string> => {
      const response = await api.get(urlOf('selected', query));
      return response.text;
    };
    expect(await textOf('?select=b.c,e.f')).toBe(
      '{"items":[{"b":{"c":1},"e":[{"f":1}]}],"next":null}',
    );
    expect(await textOf('?select=k,_id&order=a')).toBe('{"items":[{"_id":1,"k":1}],"next":null}');
    expect(await textOf('?select=x,missing')).toBe('{"items":[{"x":true}],"next":null}');
    expect(await textOf('?select=missing')).toBe('{"items":[{}],"next":null}');
  });
  it.each([
    'order=a.0',
    'order=$a',
    'order=a..b',
    `order=${Array.from({ length: 32 }, (_, index) => `f${index}`).join()}`,
    'select=$a',
    'select=a,a.b',
    'select=',
    'limit=0',
    'after=x',
    'id_type=oid',
    'id_type=int&id_type=int',
    'count=all',
    'a=5',
    'a=eq.{"$gt":""}',
  ])('refuses ?%s with what is wrong with it', async (query) => {
    const response = await api.get(urlOf('many', `?${query}`));
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ fields: expect.any(Array) });
  });
});
