// Who may do what over HTTP: the whole service as a process, its tokens, and how it is started.
import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createTestDatabase, runDirectly, testPostgresUrl } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { problemOf } from '../support/http-client.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { createBearer, startRestService } from '../support/rest-service.ts';
import type { RestService } from '../support/rest-service.ts';
import { startService } from '../support/start-service.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const bearers = {
  read: createBearer('reader', 'read'),
  write: createBearer('writer', 'write'),
  admin: createBearer('admin@example.com', 'admin'),
};
const UNKNOWN = createBearer('nobody', 'admin').token;

const sql = (text: string): object => ({ backend: 'postgres', sql: text });
const shell = (text: string): object => ({ backend: 'mongodb', command: text });

describeMongodb('Tokens', () => {
  const orders = '/api/postgres/public/orders';
  let postgres: TestDatabase;
  let mongodb: TestMongodbDatabase;
  let service: RestService;

  beforeAll(async () => {
    postgres = await createTestDatabase();
    mongodb = await createTestMongodbDatabase();
    await runDirectly(postgres.url, 'create table orders (id int primary key, status text)');
    service = await startRestService({
      environment: {
        WIRE_UPSTREAM_DSN: postgres.url,
        MONGODB_URI: mongodb.uri,
        API_TOKENS: Object.values(bearers)
          .map(({ entry }) => entry)
          .join(' '),
      },
    });
  });

  afterAll(async () => {
    await service.remove();
    await postgres.drop();
    await mongodb.drop();
  });

  /** What a caller without a token, with a wrong one, and of each scope is answered. */
  const SCOPES: readonly (readonly [string, string, object | undefined, readonly number[]])[] = [
    ['GET', '/livez', undefined, [200, 200, 200, 200, 200]],
    ['GET', '/metrics', undefined, [200, 200, 200, 200, 200]],
    ['POST', '/query', sql('select 1'), [401, 401, 200, 200, 200]],
    ['POST', '/query', sql('create table never (id int)'), [401, 401, 403, 200, 409]],
    ['POST', '/query', shell('db.orders.find()'), [401, 401, 200, 200, 200]],
    ['POST', '/query', shell('db.never.insertOne({ _id: 1 })'), [401, 401, 403, 200, 409]],
    ['GET', orders, undefined, [401, 401, 200, 200, 200]],
    ['HEAD', orders, undefined, [401, 401, 200, 200, 200]],
    ['POST', orders, { id: 7, status: 'x' }, [401, 401, 403, 201, 409]],
    ['PATCH', `${orders}/7`, { status: 'y' }, [401, 401, 403, 200, 200]],
    ['DELETE', `${orders}/7`, undefined, [401, 401, 403, 204, 404]],
  ];

  test.each(SCOPES)('%s %s %j needs a token of its scope', async (method, where, body, wanted) => {
    const statuses: number[] = [];
    for (const token of [
      undefined,
      UNKNOWN,
      bearers.read.token,
      bearers.write.token,
      bearers.admin.token,
    ]) {
      const { status } = await service.ask(where, { method, token, ...(body && { body }) });
      statuses.push(status);
    }
    expect(statuses).toEqual(wanted);
  });

  it('whoever has no token learns how to get one, and whoever has less which', async () => {
    const none = await service.ask('/query', { body: sql('select 1') });
    expect(none.headers['www-authenticate']).toBe('Bearer realm="gatepost"');
    expect(problemOf(none)).toMatchObject({ hint: expect.stringContaining('gatepost token') });
    const less = await service.ask(`${orders}/7`, {
      method: 'DELETE',
      token: bearers.read.token,
    });
    expect(less.headers['www-authenticate']).toBe(
      'Bearer error="insufficient_scope", scope="write"',
    );
  });
});
describe('the process', () => {
  const { token, entry } = bearers.write;
  // What the listeners give away there is not the matter here.
  const BEYOND_LOOPBACK = { HOST: '0.0.0.0', WIRE_ALLOW_INSECURE: 'true' };

  const external = (): Record<string, string> => ({ WIRE_UPSTREAM_DSN: testPostgresUrl() });

  /** Runs to its end: a command, or a start that fails. */
  async function runToEnd(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly exitCode: number | string; readonly out: string; readonly err: string }> {
    const directory = await createTemporaryDirectory();
    const running = startService({ directory: directory.path, args, environment });
    const exitCode = await running.exited();
    await directory.remove();
    return { exitCode, out: running.stdout(), err: running.stderr() };
  }

  async function withService(
    environment: Readonly<Record<string, string>>,
    look: (service: RestService) => Promise<void>,
  ): Promise<void> {
    const service = await startRestService({
      environment: { WIRE_MONGODB_PORT: 'off', ...external(), ...environment },
    });
    try {
      await look(service);
    } finally {
      await service.remove();
    }
  }

  it('has its probes and metrics, and nothing else, where the API is off', async () => {
    await withService({ API: 'off', ...BEYOND_LOOPBACK }, async (service) => {
      const url = service.url.replace('0.0.0.0', '127.0.0.1');
      const statuses = await Promise.all(
        ['/livez', '/readyz', '/health', '/metrics', '/query', '/api/postgres'].map(
          async (where) => (await fetch(`${url}${where}`)).status,
        ),
      );
      expect(statuses).toEqual([200, 200, 200, 200, 404, 404]);
    });
  });

  test.each([
    [
      BEYOND_LOOPBACK,
      /HOST is "0\.0\.0\.0".*neither tokens nor.*API_TOKENS.*ACCOUNTS=on.*HOST=127\.0\.0\.1/,
    ],
    [{ API_TRUST_PROXY: '1' }, /API_TRUST_PROXY.*neither tokens nor accounts.*API_TOKENS/],
    [{ API_METRICS: 'token' }, /API_METRICS.*API_TOKENS/],
    [{ API_TOKENS: token }, /API_TOKENS.*entry 1 is not name:scope:sha256/],
    [{ API_TOKENS: `me:owner:${'0'.repeat(64)}` }, /entry 1 has a scope that is not read, write/],
    [{ API_TOKENS: `me:read:${token}` }, /SHA-256, not the token/],
  ])('refuses to start with %j, in a sentence', async (environment, sentence) => {
    const { exitCode, err } = await runToEnd([], { PORT: '0', ...external(), ...environment });
    expect(exitCode).toBe(2);
    expect(err).toMatch(sentence);
    expect(err).not.toMatch(/^\s+at /m);
    expect(err).not.toContain(token);
  });

  it('listens beyond loopback with tokens, and says what that means', async () => {
    await withService({ ...BEYOND_LOOPBACK, API_TOKENS: entry }, async (service) => {
      expect(await service.logged('risk-noticed')).toMatchObject({ level: 'warn' });
      expect(service.stderr()).toMatch(/HTTP listens on 0\.0\.0\.0 without TLS/);
      const url = service.url.replace('0.0.0.0', '127.0.0.1');
      expect((await fetch(`${url}/api/postgres`)).status).toBe(401);
    });
  });

  it('shows tokens to nobody, as check', async () => {
    const { exitCode, out, err } = await runToEnd(['check'], { ...external(), API_TOKENS: entry });
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toMatch(/^ *API_TOKENS +\*\*\* +environment$/m);
    expect(out).not.toContain(entry.slice('writer:write:'.length));
  });

  it('makes a token that works, in the setting and in a file', async () => {
    const made = await runToEnd(['token', 'me', '--scope', 'write']);
    expect([made.exitCode, made.err]).toEqual([0, '']);
    const [, bearer = '', , line = ''] = made.out.split('\n');
    expect(line).toMatch(/^me:write:[0-9a-f]{64}$/);
    const directory = await createTemporaryDirectory();
    const file = path.join(directory.path, 'tokens');
    await writeFile(file, `# of people\n${line} # mine\n`, { mode: 0o600 });
    for (const environment of [{ API_TOKENS: line }, { API_TOKENS_FILE: file }]) {
      await withService(environment, async (service) => {
        const text = `select 'by a token from ${Object.keys(environment)[0] ?? ''}'`;
        const question = { token: bearer, body: sql(text) };
        expect((await service.ask('/query', question)).status).toBe(200);
        expect(await service.audited(text)).toMatchObject({ user: 'me' });
        expect(service.stderr()).not.toContain(bearer);
      });
    }
    await directory.remove();
  });

  it('asks for a token at /metrics where it is told to', async () => {
    await withService({ API_METRICS: 'token', API_TOKENS: entry }, async (service) => {
      expect((await service.ask('/metrics')).status).toBe(401);
      expect((await service.ask('/metrics', { token })).status).toBe(200);
      expect((await service.ask('/readyz')).status).toBe(200);
    });
  });

  it('serves the embedded PostgreSQL where there is no other', async () => {
    const service = await startRestService({ environment: { WIRE_MONGODB_PORT: 'off' } });
    try {
      const question = { body: sql('select version()') };
      expect((await service.ask('/query', question)).text).toContain('PostgreSQL 16.');
      const missing = await service.ask('/query', { body: shell('db.version()') });
      expect(problemOf(missing)).toMatchObject({ status: 404, detail: 'There is no mongodb here' });
    } finally {
      await service.remove();
    }
  });
});
