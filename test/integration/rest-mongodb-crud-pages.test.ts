// Lists page by page: by the links alone every document is seen once, in MongoDB's own order.
import { expect, it } from '@jest/globals';
import {
  Binary,
  BSONRegExp,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import supertest from 'supertest';
import { describeMongodb } from '../support/mongodb.ts';
import { parsePage, startMongodbCrud } from '../support/mongodb-crud-stage.ts';
import type { Page } from '../support/mongodb-crud-stage.ts';
import { serveManyDocuments } from '../support/served-mongodb.ts';

const HEX = '507f1f77bcf86cd799439011';

/** A list that has more is one without an end. */
const PAGES_MAX = 200;

describeMongodb('pages of documents over HTTP', () => {
  const { api, database, stage, collection, urlOf, fetchPage, idsOf } = serveManyDocuments();

  /** The ids of every page, following the links. */
  async function followPages(path: string): Promise<unknown[][]> {
    const pages: unknown[][] = [];
    for (let next: string | null = path; next !== null && pages.length < PAGES_MAX;) {
      const page: Page = await fetchPage(next);
      pages.push(page.items.map(({ _id }) => _id));
      ({ next } = page);
    }
    return pages;
  }

  it('has a hundred documents on a page, and a link to the next one', async () => {
    const first = await api.get(urlOf('many'));
    const page = parsePage(first.body);
    expect(page.items).toHaveLength(100);
    expect(first.get('Link')).toBe(`<${page.next ?? ''}>; rel="next"`);
    const pages = await followPages(urlOf('many'));
    expect(pages.map((ids) => ids.length)).toEqual([100, 100, 50]);
    expect(pages.flat()).toEqual(Array.from({ length: 250 }, (_, id) => id));
    expect((await followPages(urlOf('many', '?limit=125'))).map((ids) => ids.length)).toEqual([
      ...[125, 125],
    ]);
    expect(await followPages(urlOf('many', '?limit=250'))).toHaveLength(1);
  });
  it('goes on where it was when documents come and go', async () => {
    const moving = collection('moving');
    await moving.insertMany([10, 20, 30, 40].map((id) => ({ _id: id })));
    const { next } = await fetchPage(urlOf('moving', '?limit=2'));
    await moving.deleteOne({ _id: 20 });
    await moving.insertMany([{ _id: 5 }, { _id: 35 }]);
    expect(await idsOf(next ?? '')).toEqual([30, 35]);
  });
  it('pages by fields that are not selected', async () => {
    await collection('unselected').insertMany(
      [3, 1, 2].map((age) => ({ _id: age, age, name: `n${age}` })),
    );
    const first = await fetchPage(urlOf('unselected', '?select=name&order=age.desc&limit=2'));
    expect(first.items).toEqual([{ name: 'n3' }, { name: 'n2' }]);
    expect((await fetchPage(first.next ?? '')).items).toEqual([{ name: 'n1' }]);
  });
  const MIXED: readonly unknown[] = [
    ...[new MinKey(), null, new Int32(-1), new Int32(1), new Double(1), Long.fromNumber(1)],
    ...[Decimal128.fromString('1'), new Double(NaN), new Double(-Infinity), new Double(1.5)],
    ...[Long.fromString('9007199254740993'), '', 'a', 'A', 'é', '$a', '$$ROOT', 'true'],
    ...[{}, { a: 1 }, { a: 2 }, { $a: 1 }, new Binary(Buffer.from([1]), 0), new ObjectId(HEX)],
    ...[false, true, new Date(0), new Date(-1), new Timestamp({ t: 1, i: 1 })],
    ...[new BSONRegExp('a', 'i'), new MaxKey(), 'a', null],
  ];
  it.each([
    ['order=v', 1],
    ['order=v.desc', 2],
    ['order=v,w.desc', 3],
    ['order=w,v.desc', 1],
    ['order=n.v.desc,w', 4],
    ['order=missing', 5],
    ['order=_id.desc', 7],
    ['order=_id', 1],
    ['order=w,_id.desc,v', 3],
  ])('loses no document of any type and repeats none: %s', async (query, limit) => {
    const mixed = collection('mixed');
    await mixed.deleteMany({});
    const values = [...MIXED, undefined, undefined];
    await mixed.insertMany(
      values.map((v, id) => ({
        _id: id % 2 === 0 ? id : `${id}`,
        ...(v === undefined ? {} : { v, n: { v } }),
        w: id % 3,
      })),
      { ignoreUndefined: true },
    );
    const pages = await followPages(urlOf('mixed', `?${query}&limit=${limit}`));
    const whole = await idsOf(urlOf('mixed', `?${query}`));
    expect(pages.flat()).toEqual(whole);
    expect(new Set(whole).size).toBe(values.length);
    expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true);
  });
  it('sorts as MongoDB does', async () => {
    const sorted = await collection('mixed')
      .find({})
      .sort({ v: -1, _id: -1 })
      .map(({ _id }) => _id)
      .toArray();
    expect(await idsOf(urlOf('mixed', '?order=v.desc'))).toEqual(sorted);
  });
  it('finds a page by an index, and does not read the ones before it', async () => {
    const indexed = collection('indexed');
    await indexed.insertMany(
      Array.from({ length: 2000 }, (_, id) => ({ _id: id, name: `n${id}`.padStart(6, '0') })),
    );
    await indexed.createIndexes([{ key: { name: 1, _id: 1 } }]);
    for (const order of ['_id', 'name']) {
      const { next } = await fetchPage(urlOf('indexed', `?order=${order}&limit=1000`));
      await fetchPage((next ?? '').replace('limit=1000', 'limit=5'));
      const command: unknown = JSON.parse(stage().statements().at(-1)?.text ?? '');
      const explained: unknown = await database()
        .client.db(database().name)
        .command({ explain: command, verbosity: 'executionStats' });
      const examined = /"totalDocsExamined":(\d+)/.exec(JSON.stringify(explained))?.[1];
      expect(Number(examined)).toBeLessThan(20);
    }
  });
  it('refuses pages in an order that arrays have no place in, wherever they are', async () => {
    // Alone they would not be found behind a cursor: arrays are above numbers and below dates.
    const only = (value: unknown, isArray: boolean): unknown => (isArray ? [value] : value);
    await collection('arrays').insertMany(
      Array.from({ length: 20 }, (_, id) => ({
        _id: id,
        low: only(id, id === 3),
        high: only(id, id === 17),
        late: only(new Date(id), id === 17),
        early: only(new Date(id), id === 3),
        none: [],
      })),
    );
    // All of them on one page are no page by page.
    expect(await idsOf(urlOf('arrays', '?order=low'))).toHaveLength(20);
    for (const field of ['low', 'high', 'late', 'early', 'none']) {
      for (const direction of ['asc', 'desc']) {
        const path = urlOf('arrays', `?order=${field}.${direction}&limit=5`);
        expect([field, direction, await lastStatus(path)]).toEqual([field, direction, 422]);
      }
    }
    expect((await followPages(urlOf('arrays', '?limit=5'))).flat()).toHaveLength(20);
  });

  /** Follows the links; the status of the last answer. */
  async function lastStatus(path: string): Promise<number> {
    let status = 0;
    for (let next: string | null = path; next !== null;) {
      const response: supertest.Response = await api.get(next);
      ({ status } = response);
      next = status === 200 ? parsePage(response.body).next : null;
    }
    return status;
  }

  it('refuses pages of a view in which documents share their place', async () => {
    await collection('places').insertMany(Array.from({ length: 9 }, (_, id) => ({ _id: id })));
    await database()
      .client.db(database().name)
      .createCollection('same', {
        viewOn: 'places',
        pipeline: [{ $set: { _id: { $floor: { $divide: ['$_id', 3] } } } }],
      });
    expect((await api.get(urlOf('same', '?limit=2'))).status).toBe(422);
    expect(await idsOf(urlOf('same'))).toHaveLength(9);
    expect((await fetchPage(urlOf('same', '?limit=3'))).items).toHaveLength(3);
  });
  it('ends a page at the limits of a statement, and goes on behind it', async () => {
    await collection('large').insertMany(
      Array.from({ length: 30 }, (_, id) => ({ _id: id, text: 'x'.repeat(1000) })),
    );
    const narrow = startMongodbCrud({
      uri: database().uri,
      limits: { rowsMax: 7, bytesMax: 5500 },
    });
    try {
      const narrowApi = supertest(narrow.app);
      const seen: unknown[] = [];
      let next: string | null = urlOf('large');
      while (next !== null && seen.length < 100) {
        const response: supertest.Response = await narrowApi.get(next);
        const page = parsePage(response.body);
        expect(page.items.length).toBeGreaterThan(0);
        expect(page.items.length).toBeLessThanOrEqual(5);
        seen.push(...page.items.map(({ _id }) => _id));
        ({ next } = page);
      }
      expect(seen).toEqual(Array.from({ length: 30 }, (_, id) => id));
      await collection('large').insertOne({ _id: -1, ...{ text: 'x'.repeat(6000) } });
      expect((await narrowApi.get(urlOf('large'))).status).toBe(413);
      expect((await narrowApi.get(urlOf('large', '/-1'))).status).toBe(413);
    } finally {
      await narrow.close();
    }
  });
  it('refuses a cursor of another order, and one that somebody made up', async () => {
    const { next } = await fetchPage(urlOf('many', '?limit=1'));
    const after = new URLSearchParams(next?.split('?')[1]).get('after') ?? '';
    expect((await api.get(urlOf('many', `?after=${after}`))).status).toBe(200);
    expect((await api.get(urlOf('many', `?after=${after}&order=a`))).status).toBe(400);
    expect((await api.get(urlOf('many', `?after=${after}&order=_id.desc`))).status).toBe(400);
    const cursors = [
      ['"_id".asc'],
      ['"_id".asc', null],
      ['"_id".asc', '{"$undefined":true}'],
      ['"_id".asc', '{'],
      ['"_id".asc', '1', '2'],
      [1],
    ];
    for (const cursor of cursors) {
      const text = Buffer.from(JSON.stringify(cursor)).toString('base64url');
      expect((await api.get(urlOf('many', `?after=${text}`))).status).toBe(400);
    }
    const operator = ['"_id".asc', '{"$gt":""}'];
    const text = Buffer.from(JSON.stringify(operator)).toString('base64url');
    expect(await idsOf(urlOf('many', `?after=${text}`))).toEqual([]);
  });
  it('says so when the place of the next page is too long for a link', async () => {
    await collection('long').insertMany([1, 2].map((id) => ({ _id: id, a: 'x'.repeat(9000) })));
    expect((await api.get(urlOf('long', '?order=a&limit=1'))).status).toBe(422);
    expect((await api.get(urlOf('long', '?order=a'))).status).toBe(200);
  });
});
