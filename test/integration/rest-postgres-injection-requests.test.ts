// Requests as other tools make them, hostile bodies and odd paths: refused, with nothing changed.
import { describe, expect, it } from '@jest/globals';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { expectRefused, servePostgresCanary } from '../support/postgres-canary.ts';
import { readReply } from '../support/postgres-crud-stage.ts';

const { api, stage, runDirectly } = servePostgresCanary();

describe('query strings of other tools', () => {
  it.each([
    'id[$ne]=1',
    'id[$ne]=eq.1',
    'id[]=eq.1',
    'id[gt]=1',
    'filter[id]=eq.1',
    '$where=eq.1',
    'where=1=1',
    'or=(id.eq.1,id.eq.2)',
    'id=not.eq.1',
    'id=eq.1&id[$ne]=eq.2',
    '__proto__[x]=eq.1',
    'constructor.prototype.x=eq.1',
    'select=users(*)',
    'select=id::text',
    'select=count()',
    'order=id.desc.nullsfirst',
    'order=(select 1)',
    'offset=1',
    'limit=1e9',
    'limit=-1',
    'limit=NaN',
    'limit=Infinity',
    'limit=0x10',
    'limit=1.5',
    'limit= 5',
    'limit[]=5',
    'limit=5&limit=6',
    'limit=99999999999999999999',
    'select=id&select=name',
    'order=id&order=name',
    'after=WyJ4Il0&after=WyJ4Il0',
    'after=bnVsbA',
    'after=W10',
    'after=W3sieCI6MX1d',
    `after=${Buffer.from('["\\"id\\".asc",{"a":1}]').toString('base64url')}`,
    `after=${Buffer.from('["\\"id\\".asc"]').toString('base64url')}`,
    `after=${Buffer.from('["\\"id\\".asc","1","2"]').toString('base64url')}`,
    `after=${Buffer.from('["\\"id\\".asc","1\\u0000"]').toString('base64url')}`,
    `after=${'A'.repeat(9000)}`,
    'count=exact&count=exact',
    `id=in.(${'1,'.repeat(1001)}1)`,
    'id=eq.1&'.repeat(101),
  ])('%s are refused', async (query) => {
    expectRefused(await api.get(`/api/postgres/public/users?${query}`));
    expectRefused(await api.delete(`/api/postgres/public/users?${query}`));
  });

  it('have filters that all hold, however often a column is named', async () => {
    const { body } = readReply(
      await api.get('/api/postgres/public/users?id=gte.1&id=lte.1&id=neq.5'),
    );
    expect(body.items.map(({ id }) => id)).toEqual([1]);
  });
});

describe('bodies', () => {
  it.each([
    '{"__proto__":{"name":"x"}}',
    '{"id":3,"__proto__":{"name":"x"}}',
    '{"id":3,"constructor":{"prototype":{"x":1}}}',
    '{"id":{"$gt":0}}',
    '{"id":3,"name":{"$ne":null}}',
    '{"id":3,"name":["x"]}',
    '{"id":"3; drop table canary"}',
    '{"id":3,"age":"1 or 1=1"}',
    '{"id":3,"at":"now(); drop table canary"}',
    '{"id":3,"tags":{"0":"x"}}',
    '{"id":3,"name":1e400}',
    '{"id":1e400}',
    `{"id":${'9'.repeat(5000)}}`,
    '{"id":3,"id\\u0000":1}',
    '{"id":3,"name":"\\u0000"}',
    '{"id":3,"doc":"\\u0000"}',
    '{"id":3,"tags":["\\u0000"]}',
    `{"id":3,"tags":${'['.repeat(100)}${']'.repeat(100)}}`,
    `{"id":3,"doc":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    '{"id":3,"name":"\\ud800"}x',
    '"id"',
    '5',
    'null',
    'true',
    '[null]',
    '[[{"id":3}]]',
    '{"isLosslessNumber":true,"value":"5"}',
    '{"id":{"isLosslessNumber":true,"value":"5"}}',
    '[{"id":3},{"id":3,"x\\"":1}]',
  ])('%s create nothing', async (body) => {
    for (const request of [
      api.post('/api/postgres/public/users'),
      api.put('/api/postgres/public/users/77'),
      api.patch('/api/postgres/public/users?id=eq.77'),
    ]) {
      expectRefused(await request.type('json').send(body));
    }
  });

  it('keep keys like __proto__ inside of documents as they are', async () => {
    const body = '{"doc":{"__proto__":{"x":1},"constructor":null,"toJSON":5}}';
    const response = await api.patch('/api/postgres/public/users/1').type('json').send(body);
    expect(response.status).toBe(200);
    expect(await runDirectly('select doc::text from users where id = 1')).toEqual([
      { doc: '{"toJSON": 5, "__proto__": {"x": 1}, "constructor": null}' },
    ]);
  });
});

describe('paths', () => {
  it.each([
    '/api/postgres/public/users/%E0%A4%A',
    '/api/postgres/public/users/%ff',
    '/api/postgres/public/users/1/',
    '/api/postgres/public/users//1',
    '/api/postgres/public/users/1/..%2fcanary',
    '/api/postgres/public/canary',
    '/api/postgres/public/canary/1',
    '/api/postgres/PUBLIC/users',
    '/api/postgres/public/users%00',
    '/api/postgres/public/pg_user',
    '/api/postgres/pg_catalog/pg_authid',
    '/api/postgres/information_schema/tables',
    '/api/postgres/pg_toast/pg_toast_1262',
  ])('%s lead to nothing', async (path) => {
    // supertest would tidy the path up.
    const status = await askRaw(`GET ${path} HTTP/1.1`);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });
});

/** The status that a request line gets, sent as it is. */
async function askRaw(requestLine: string): Promise<number> {
  const server = stage().app.listen(0, '127.0.0.1');
  try {
    await new Promise((resolve) => server.once('listening', resolve));
    // A server that listens on TCP has an address with a port.
    const { port } = server.address() as AddressInfo;
    return await new Promise<number>((resolve, reject) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.write(`${requestLine}\r\nHost: gate\r\nConnection: close\r\n\r\n`);
      });
      socket.once('error', reject);
      socket.once('data', (chunk) => {
        socket.destroy();
        resolve(Number(chunk.toString('latin1').split(' ')[1]));
      });
    });
  } finally {
    server.close();
  }
}
