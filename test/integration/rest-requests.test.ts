// Requests that are wrong in themselves, and attacks in HTTP: each is answered with a problem
// document, before any database is asked, by the whole service as a process.
import { afterAll, beforeAll, expect, it, test } from '@jest/globals';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { exchange, statusOf } from '../support/http-client.ts';
import type { Question } from '../support/http-client.ts';
import { startRestService } from '../support/rest-service.ts';
import type { RestService } from '../support/rest-service.ts';

const TABLE = '/api/postgres/public/canary';

const SELECT = { backend: 'postgres', sql: 'select 1 as n' };

let database: TestDatabase;
let service: RestService;
let port: string;
/** Headers that trickle, sent at the beginning and looked at in the end. */
let slow: Promise<string>;

beforeAll(async () => {
  database = await createTestDatabase();
  await runDirectly(
    database.url,
    'create table canary (id int primary key, n int); insert into canary values (1, 1)',
  );
  service = await startRestService({
    environment: { WIRE_UPSTREAM_DSN: database.url, WIRE_MONGODB_PORT: 'off' },
  });
  ({ port } = new URL(service.url));
  slow = trickle();
});

afterAll(async () => {
  const faults = service.log.filter(({ level }) => level === 'error');
  const canary = await runDirectly(database.url, 'select * from canary');
  await service.remove();
  await database.drop();
  expect([canary, faults]).toEqual([[{ id: 1, n: 1 }], []]);
});

async function trickle(): Promise<string> {
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('POST /query HTTP/1.1\r\nHost: 127.0.0.1\r\n');
  const timer = setInterval(() => socket.write('x: y\r\n'), 500);
  const text = (await socket.setEncoding('latin1').toArray()).join('');
  clearInterval(timer);
  return text;
}

const LONG = JSON.stringify({ ...SELECT, sql: `select '${'x'.repeat(1024 * 1024)}'` });
const DEEP = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
const gzip = { 'Content-Encoding': 'gzip' };

test.each<readonly [what: string, question: Question, status: number]>([
  ['of more than 1 MB', { body: LONG }, 413],
  ['of 1 MB with what is around it', { body: `${' '.repeat(1024 * 1024)}{}` }, 413],
  ['that becomes 100 MB', { body: gzipSync(Buffer.alloc(100_000_000, ' ')), headers: gzip }, 413],
  ['that is compressed', { body: gzipSync(JSON.stringify(SELECT)), headers: gzip }, 200],
  ['that says it is compressed', { body: SELECT, headers: gzip }, 400],
  ['in an unknown compression', { body: SELECT, headers: { 'Content-Encoding': 'x' } }, 415],
  ['in Latin-1', { body: SELECT, headers: contentType('; charset=latin1') }, 415],
  ['for which JSON in UTF-8 is accepted', accepting('application/json; charset=utf-8'), 200],
  ['for which a picture is accepted', accepting('image/png; q=1; charset=utf-8'), 406],
  ['in UTF-8', { body: SELECT, headers: contentType('; charset=UTF-8') }, 200],
  ['that is no UTF-8', { body: Buffer.from([0x22, 0xff, 0x22]) }, 400],
  ['that ends early', { body: '{"backend": "postgres"' }, 400],
  ['with a NaN', { body: '{"backend": NaN}' }, 400],
  ['with a key twice', { body: '{"backend": "postgres", "backend": "mongodb"}' }, 400],
  ['100 000 arrays deep', { body: DEEP }, 400],
  ['100 000 objects deep', { body: `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}` }, 400],
  ['100 000 brackets in a string', { body: { ...SELECT, sql: `select '${DEEP}'` } }, 200],
  ['that is no object', { body: '[]' }, 422],
  ['with keys of a prototype', { body: '{"__proto__": {"backend": "postgres"}}' }, 422],
  ['with a constructor', { body: '{"constructor": {"prototype": {"sql": 1}}}' }, 422],
  ['of another shape', { body: { backend: { $gt: '' }, sql: ['select 1'] } }, 422],
  ['that is missing', { method: 'POST' }, 400],
])('a body %s is answered right (%#)', async (_what, question, status) => {
  expect(statusOf(await service.ask('/query', question))).toBe(status);
});

function accepting(accept: string): Question {
  return { body: SELECT, headers: { Accept: accept } };
}

function contentType(parameters: string): Record<string, string> {
  return { 'Content-Type': `application/json${parameters}` };
}

const READS = ['/livez', '/readyz', '/health', '/metrics', '/api/postgres', TABLE, `${TABLE}/1`];

test.each(READS)('%s answers HEAD as GET without its body', async (path) => {
  const [got, headed] = [await service.ask(path), await service.ask(path, { method: 'HEAD' })];
  expect([statusOf(headed), headed.text]).toEqual([statusOf(got), '']);
  expect(headed.headers['content-type']).toBe(got.headers['content-type']);
});

/** Every path, and what it takes. */
const METHODS: readonly (readonly [path: string, methods: string])[] = [
  ['/livez', 'GET, HEAD, OPTIONS'],
  ['/metrics', 'GET, HEAD, OPTIONS'],
  ['/query', 'POST, OPTIONS'],
  ['/api/postgres', 'GET, HEAD, OPTIONS'],
  ['/api/postgres/public', 'GET, HEAD, OPTIONS'],
  [TABLE, 'GET, HEAD, POST, PATCH, DELETE, OPTIONS'],
  [`${TABLE}/1`, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
];

test.each(METHODS)('%s names %s, and refuses the rest', async (path, methods) => {
  const options = await service.ask(path, { method: 'OPTIONS' });
  expect([statusOf(options), options.headers.allow, options.text]).toEqual([204, methods, '']);
  const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'].filter(
    (method) => !methods.includes(method),
  );
  for (const method of others) {
    const refused = await service.ask(path, { method });
    expect([method, statusOf(refused), refused.headers.allow]).toEqual([method, 405, methods]);
  }
});

test.each([
  ['/nowhere', 404],
  ['/api', 404],
  ['/api/oracle/a/b', 404],
  ['/API/postgres/public/nothing', 404],
  ['/api/postgres/public/nothing', 404],
  ['/api/postgres/pg_catalog/pg_authid', 404],
  ['/api/postgres/public/canary/1/2', 404],
  ['/%E0%A4%A', 400],
  ['/api/postgres/%E0%A4%A/canary', 400],
  ['/api/postgres/public/canary/%00', 400],
  [`${TABLE}?nothing=eq.1`, 400],
  [`${TABLE}?id[$ne]=1`, 400],
  [`${TABLE}?__proto__=eq.1`, 400],
  [`${TABLE}?id=eq.x`, 400],
  [`${TABLE}?n=eq.%80`, 400],
  [`${TABLE}?%C3=eq.1`, 400],
  [`${TABLE}?limit=-1`, 400],
  [`${TABLE}?after=%7B%7D`, 400],
  ['/query?database=a&database=b', 405],
  [`/${'x'.repeat(8000)}`, 404],
])('GET %s is a problem (%#)', async (path, status) => {
  expect(statusOf(await service.ask(path))).toBe(status);
});

it('what is no HTTP is refused and its connection closed', async () => {
  for (const text of [
    'GET / HTTP/9.9\r\n\r\n',
    '\0\0\0\u0008\u0004\u00d2\u0016/',
    `GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
    'POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n',
    'POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ]) {
    const said = await exchange(port, text);
    expect(said).toMatch(/^HTTP\/1\.1 4\d\d [^<]*\r\n\r\n\{[^<]*\}$/);
    expect(said).toMatch(/\r\nContent-Type: application\/problem\+json/);
    expect(said).not.toMatch(/HTTP\/1\.1 2\d\d/);
  }
  expect((await service.ask('/livez')).status).toBe(200);
});

it('headers that trickle are not waited for longer than 10 s', async () => {
  expect(await slow).toMatch(/^HTTP\/1\.1 408 [^]*"status":408/);
});
