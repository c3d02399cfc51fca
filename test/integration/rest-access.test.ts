// Who reaches the REST API, how often and with what: what is refused before any database is asked,
// by the whole service as a process.
import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { exchange, problemOf, statusOf } from '../support/http-client.ts';
import type { Question } from '../support/http-client.ts';
import { createBearer, startRestService } from '../support/rest-service.ts';
import type { RestService } from '../support/rest-service.ts';

const TABLE = '/api/postgres/public/canary';

const reader = createBearer('reader', 'read');
const writer = createBearer('writer', 'write');

let database: TestDatabase;
const services: RestService[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await runDirectly(
    database.url,
    'create table canary (id int primary key, n int); insert into canary values (1, 1)',
  );
});

afterAll(async () => {
  expect(await runDirectly(database.url, 'select * from canary')).toEqual([{ id: 1, n: 1 }]);
  await Promise.all(services.map(async (service) => await service.remove()));
  await database.drop();
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<RestService> {
  const service = await startRestService({
    environment: { WIRE_UPSTREAM_DSN: database.url, WIRE_MONGODB_PORT: 'off', ...environment },
  });
  services.push(service);
  return service;
}

const SELECT = { backend: 'postgres', sql: 'select 1 as n' };
const WRITE = { backend: 'postgres', sql: 'update canary set n = 2' };

describe('Without tokens', () => {
  let service: RestService;
  let port: string;

  beforeAll(async () => {
    service = await start();
    ({ port } = new URL(service.url));
  });

  /** A page in a browser of this machine asks what its own name points to. */
  test.each([
    ['127.0.0.1:PORT', 200],
    ['127.0.0.1', 200],
    ['localhost:PORT', 200],
    ['LOCALHOST', 200],
    ['[::1]:PORT', 200],
    ['evil.example', 403],
    ['evil.example:PORT', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost.evil.example:PORT', 403],
    ['127.0.0.1@evil.example', 403],
    ['127.0.0.1:PORT.evil.example', 403],
    ['0.0.0.0:PORT', 403],
    ['192.168.0.7:PORT', 403],
  ])('the host %j is answered with %d', async (host, status) => {
    const headers = { Host: host.replace('PORT', port) };
    for (const question of [{ headers, body: SELECT }, { headers }]) {
      const path = 'body' in question ? '/query' : TABLE;
      expect(statusOf(await service.ask(path, question))).toBe(status);
    }
    expect(statusOf(await service.ask('/livez', { headers }))).toBe(200);
  });

  test.each(['/1.1\r\nHost:', '/1.1\r\nHost: \r\nX-Forwarded-Host: localhost', '/1.0\r\nX: y'])(
    'no host at all is answered with 403 (%j)',
    async (rest) => {
      const said = await exchange(port, `GET ${TABLE} HTTP${rest}\r\nConnection: close\r\n\r\n`);
      expect(said).toMatch(/^HTTP\/1\.1 403 /);
    },
  );

  test.each([
    ['http://127.0.0.1:PORT', 200],
    ['https://evil.example', 403],
    ['http://localhost:1', 403],
    ['http://127.0.0.1:PORT.evil.example', 403],
    ['null', 403],
    ['', 403],
  ])('a page of the origin %j is answered with %d', async (origin, status) => {
    const headers = { Host: `127.0.0.1:${port}`, Origin: origin.replace('PORT', port) };
    const answer = await service.ask('/query', { headers, body: SELECT });
    expect(statusOf(answer)).toBe(status);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('a page sends no simple request that writes: forms and text are no JSON', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      '',
    ]) {
      const headers = { 'Content-Type': type };
      expect(statusOf(await service.ask('/query', { headers, body: WRITE }))).toBe(415);
      expect(statusOf(await service.ask(TABLE, { headers, body: { id: 2 } }))).toBe(415);
    }
  });

  it('preflights are not answered with leave', async () => {
    const preflight = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' };
    const { headers } = await service.ask('/query', { method: 'OPTIONS', headers: preflight });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('nothing of this was a fault', () => {
    expect(service.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('With origins', () => {
  let service: RestService;

  const APP = 'https://app.example.com';

  beforeAll(async () => {
    service = await start({ API_CORS_ORIGINS: APP, API_TOKENS: writer.entry });
  });

  const preflight = (origin: string): Question => ({
    method: 'OPTIONS',
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': 'PATCH',
      'Access-Control-Request-Headers': 'authorization,content-type',
    },
  });

  it('a preflight needs no token, and a page of the origin gets its answer', async () => {
    for (const path of ['/query', TABLE, `${TABLE}/1`]) {
      const { status, headers } = await service.ask(path, preflight(APP));
      expect([status, headers['access-control-allow-origin']]).toEqual([204, APP]);
      expect(headers['access-control-allow-methods']).toContain('PATCH');
      expect(headers['access-control-allow-headers']).toContain('Authorization');
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
    }
    const headers = { Origin: APP };
    const answer = await service.ask('/query', { headers, token: writer.token, body: SELECT });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe(APP);
    expect(answer.headers['access-control-expose-headers']).toContain('X-Request-Id');
    expect(answer.headers.vary).toContain('Origin');
  });

  it('even a refusal can be read by its page', async () => {
    const refused = await service.ask('/query', { headers: { Origin: APP }, body: SELECT });
    expect(statusOf(refused)).toBe(401);
    expect(refused.headers['access-control-allow-origin']).toBe(APP);
  });

  test.each(['https://evil.example', `${APP}.evil.example`, 'http://app.example.com', 'null'])(
    'a page of %s gets no leave',
    async (origin) => {
      const { headers } = await service.ask('/query', preflight(origin));
      expect(headers['access-control-allow-origin']).not.toBe(origin);
      expect(headers['access-control-allow-origin']).not.toBe('*');
    },
  );
});

describe('With a rate limit', () => {
  const LIMIT = 10;
  const limited = { API_RATE_LIMIT: `${LIMIT}`, API_TOKENS: `${reader.entry} ${writer.entry}` };

  /** Asks until it is refused; how often it was answered. */
  async function exhaust(service: RestService, question: Question): Promise<number> {
    for (let count = 0; count <= LIMIT + 1; count += 1) {
      if ((await service.ask('/api/postgres', question)).status === 429) {
        return count;
      }
    }
    return Infinity;
  }

  it('each token has its own, told in headers and in a problem', async () => {
    const service = await start(limited);
    const first = await service.ask('/api/postgres', { token: reader.token });
    expect(first.headers['ratelimit-policy']).toMatch(/^"10-in-1min"; q=10; w=60; pk=:[\w=]+:$/);
    expect(first.headers['ratelimit']).toMatch(/^"10-in-1min"; r=9; t=\d+$/);
    expect(await exhaust(service, { token: reader.token })).toBe(LIMIT - 1);

    const refused = await service.ask('/query', { token: reader.token, body: SELECT });
    expect(statusOf(refused)).toBe(429);
    expect(refused.headers['retry-after']).toMatch(/^([1-9]|[1-5]\d|60)$/);
    expect(refused.headers['ratelimit']).toMatch(/r=0/);
    expect(problemOf(refused)).toMatchObject({
      detail: 'More than 10 requests within a minute',
      hint: expect.stringContaining('API_RATE_LIMIT'),
    });

    const other = await service.ask('/query', { token: writer.token, body: SELECT });
    expect(other.status).toBe(200);
    // An orchestrator that is refused takes the process for dead.
    for (const path of ['/livez', '/readyz']) {
      expect((await service.ask(path, { token: reader.token })).status).toBe(200);
    }
  });

  it('whoever guesses tokens is counted by address, whatever he says it is', async () => {
    const service = await start(limited);
    let statuses: number[] = [];
    for (let guess = 0; guess <= LIMIT; guess += 1) {
      const headers = {
        'X-Forwarded-For': `10.0.0.${guess}`,
        Forwarded: `for=10.0.0.${guess}`,
        'X-Real-IP': `10.0.0.${guess}`,
      };
      const { token } = createBearer('guess', 'admin');
      const { status } = await service.ask('/query', { headers, token, body: SELECT });
      statuses = [...statuses, status];
    }
    expect(statuses).toEqual([...Array.from({ length: LIMIT }, () => 401), 429]);
    const known = await service.ask('/query', { token: reader.token, body: SELECT });
    expect(known.status).toBe(200);
  });
});

describe('The address of a client', () => {
  /** The address in the audit of a request that says these. */
  async function addressOf(service: RestService, forwardedFor: string): Promise<unknown> {
    const text = `select 'from ${forwardedFor}'`;
    await service.ask('/query', {
      token: reader.token,
      headers: { 'X-Forwarded-For': forwardedFor },
      body: { backend: 'postgres', sql: text },
    });
    return (await service.audited(text))['client_addr'];
  }

  test.each([
    ['is its own, whatever it says', '0', '203.0.113.7', '127.0.0.1'],
    ['is what the one proxy says', '1', '203.0.113.7', '203.0.113.7'],
    ['is what the nearest proxy says', '1', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['is behind two proxies', '2', '198.51.100.1, 203.0.113.7', '198.51.100.1'],
    ['is taken from a trusted address', 'loopback', '203.0.113.7', '203.0.113.7'],
    ['is not taken from another address', '10.0.0.0/8', '203.0.113.7', '127.0.0.1'],
  ])('%s (API_TRUST_PROXY=%s)', async (_is, trusted, forwardedFor, address) => {
    const service = await start({ API_TRUST_PROXY: trusted, API_TOKENS: reader.entry });
    expect(await addressOf(service, forwardedFor)).toBe(address);
  });
});
