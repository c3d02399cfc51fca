// Attacks by operators, names and query strings. Whatever is sent, the canary
// stays as it is, and the answer is a refusal or harmless: never a fault.
import { beforeAll, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { describeMongodb } from '../support/mongodb.ts';
import { serveMongodbCanary } from '../support/mongodb-canary.ts';

const OPERATORS = [
  '{"$ne":1}',
  '{"$gt":""}',
  '{"$regex":".*"}',
  '{"$where":"1"}',
  '{"$exists":true}',
  '{"$in":[]}',
  '{"$not":{"$eq":1}}',
  '{"$expr":{"$function":{"body":"return true","args":[],"lang":"js"}}}',
  '{"$elemMatch":{"$gt":0}}',
  '{"a":{"$gt":""}}',
  '{"a":[{"b":{"$where":"1"}}]}',
  '{"\\u0024gt":""}',
  '{"$oid":{"$gt":""}}',
  '{"$date":{"$gt":""}}',
  '{"$numberLong":{"$gt":""}}',
  '{"$code":"1","$scope":{}}',
  '{"$undefined":true}',
  '{"$literal":1}',
  '{"$$ROOT":1}',
  '{"$":1}',
];

const NAMES = [
  ...['$where', '$or', '$expr', '$comment', 'a.$gt', '$$ROOT', 'name[$ne]', 'name.$', '.', 'a..b'],
  ...['__proto__', 'constructor', '__proto__.admin', 'constructor.prototype.admin', 'toString'],
  ...[
    'name[]',
    'name[0]',
    'hasOwnProperty',
    'a\0b',
    '\u0000',
    '_id.$oid',
    "name'",
    'name"',
    '{"$gt":""}',
    '%',
  ],
];

describeMongodb('attacks on collections over HTTP', () => {
  const { api, canary, urlOf, expectHarmless, expectRefused } = serveMongodbCanary();
  let url = '';

  beforeAll(() => {
    url = urlOf('canary');
  });

  it.each(OPERATORS)('takes no operator out of a value: %s', async (operator) => {
    const value = encodeURIComponent(operator);
    await expectRefused([
      await api.get(`${url}?name=eq.${value}`),
      await api.get(`${url}?name=neq.${value}`),
      await api.get(`${url}?name=in.[${value}]`),
      await api.get(`${url}?name=gt.${value}`),
      await api.delete(`${url}?name=eq.${value}`),
      await api.delete(`${url}?_id=eq.${value}`),
      await api.patch(`${url}?name=neq.${value}`).send({ secret: 'changed' }),
      await api.get(`${url}/${value}`),
      await api.delete(`${url}/${value}`),
      await api.put(`${url}/${value}`).send({ secret: 'changed' }),
    ]);
  });
  it.each(OPERATORS)('takes no operator out of a body: %s', async (operator) => {
    const send = async (method: 'post' | 'put' | 'patch', path: string, text: string) =>
      await api[method](path).type('json').send(text);
    await expectRefused([
      await send('post', url, `{"name":${operator}}`),
      await send('post', url, `[{"name":[${operator}]}]`),
      await send('post', url, `{"_id":${operator}}`),
      await send('put', `${url}/canary`, `{"name":${operator}}`),
      await send('patch', `${url}/canary`, `{"name":${operator}}`),
      await send('patch', `${url}?name=eq.ann`, `{"name":${operator}}`),
    ]);
  });
  it.each(['$set', '$unset', '$inc', '$rename', '$currentDate', '$push', '$setOnInsert', '$bit'])(
    'takes no update operator: %s',
    async (operator) => {
      const text = `{"${operator}":{"secret":"changed"}}`;
      const responses: Response[] = [];
      for (const body of [text, `[${text}]`, `{"a":1,${text.slice(1)}`]) {
        responses.push(
          await api.put(`${url}/canary`).type('json').send(body),
          await api.patch(`${url}/canary`).type('json').send(body),
          await api.patch(`${url}?name=eq.ann`).type('json').send(body),
        );
      }
      await expectRefused(responses);
    },
  );
  it.each(NAMES)('takes a name for nothing but a name: %j', async (name) => {
    const field = encodeURIComponent(name);
    await expectHarmless([
      await api.get(`${url}?${field}=eq.1`),
      await api.get(`${url}?${field}=1`),
      await api.get(`${url}?${field}=is.true`),
      await api.delete(`${url}?${field}=eq.1`),
      await api.patch(`${url}?${field}=eq.1`).send({ secret: 'changed' }),
      await api.get(`${url}?order=${field}`),
      await api.get(`${url}?order=${field}.desc&limit=1`),
      await api.get(`${url}?select=${field}`),
      await api
        .post(`${url}s`)
        .type('json')
        .send(`{${JSON.stringify(name)}:1}`),
      await api.patch(`${url}s?_id=is.not_null`).send({ [name]: { admin: true } }),
    ]);
  });
  it.each([
    'name[$ne]=1',
    'name[$regex]=.*',
    'name[]=1',
    'name[0]=$ne.1',
    '[$where]=1',
    'name=ne',
    'name=$ne.1',
    'name=where.1',
    'name',
    'name=',
    '=eq.1',
    'or=(name.eq.ann,name.eq.bob)',
    'filter={"name":{"$ne":1}}',
    'limit=1&limit=2',
    'select=name&select=secret',
    'order=name&order=age',
    'id_type=string&id_type=objectid&_id=eq.1',
    'id_type=$where&_id=eq.1',
    'limit=1e9',
    'limit=-1',
    'limit=NaN',
    'limit=1001',
    'limit=0x10',
    'limit[]=1',
    'limit=1.5',
    'limit=%201',
    'after=$where',
    'after=',
    'count=exact&count=exact',
    'hint=_id_',
    'allowDiskUse=true',
    'batchSize=0',
    'skip=-1',
  ])('refuses the query string %s', async (query) => {
    await expectRefused([
      await api.get(`${url}?${query}`),
      await api.delete(`${url}?${query}`),
      await api.patch(`${url}?${query}`).send({ secret: 'changed' }),
    ]);
  });
  it('takes each of several conditions on one field, and none of them for another', async () => {
    const both = await api.get(`${url}?name=eq.ann&name=eq.bob`);
    expect(both.text).toBe('{"items":[],"next":null}');
    expect((await api.delete(`${url}?name=eq.ann&name=eq.bob`)).body).toEqual({ deleted: 0 });
    await expectHarmless([both]);
  });
  it.each([
    '.*',
    '^a',
    'a|b',
    '(a+)+$',
    '[a-z]*',
    'ann$',
    '\\w+',
    '(?i)ANN',
    '.nn',
    '\\z',
    '^',
    '$',
  ])('takes metacharacters for characters: %s', async (pattern) => {
    const value = encodeURIComponent(pattern.replaceAll('*', '\\*'));
    const responses = [
      await api.get(`${url}?name=like.${value}`),
      await api.get(`${url}?name=ilike.${value}`),
      await api.delete(`${url}?name=like.${value}`),
    ];
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(responses[0]?.text).toBe('{"items":[],"next":null}');
    await expectHarmless(responses);
  });
  it('comes to an end for a pattern that is slow by design', async () => {
    await canary().insertOne({ _id: 'long', ...{ name: 'a'.repeat(5000) } });
    const pattern = `${'*a'.repeat(50)}*b`;
    const response = await api.get(`${url}?name=like.${pattern}`);
    expect([200, 400, 504]).toContain(response.status);
    await canary().deleteOne({ _id: 'long' });
    await expectHarmless([]);
  });
});
