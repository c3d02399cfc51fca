// Logging in over HTTP: what a session is told by, and what is said of a login that fails.
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import {
  cookieIn,
  createAccountHome,
  createTokenOf,
  PASSWORD,
  withCookie,
} from '../support/account-stage.ts';
import type { AccountHome, MadeAccount, Replica } from '../support/account-stage.ts';
import { ADMIN, startApi } from '../support/api-stage.ts';
import type { ApiStage } from '../support/api-stage.ts';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { ask, problemOf, statusOf } from '../support/http-client.ts';
import type { Question } from '../support/http-client.ts';
import { describeMongodb } from '../support/mongodb.ts';

const COOKIE = /^gatepost\.sid=[^;]+; Path=\/; HttpOnly; SameSite=Strict$/;

/** Where nothing listens. */
const NOWHERE = 'mongodb://127.0.0.1:1/?directConnection=true';

describeMongodb('POST /auth/login', () => {
  let home: AccountHome;
  let replica: Replica;
  let ada: MadeAccount;

  beforeAll(async () => {
    home = await createAccountHome();
    replica = await home.start();
  });

  beforeEach(async () => {
    ada = await home.create({ name: 'ada', scope: 'write' });
  });

  afterAll(async () => {
    expect(replica.faults()).toEqual([]);
    await home.remove();
  });

  const login = (name: string, password = PASSWORD): Question => ({ body: { name, password } });

  it('answers with who is logged in, and a cookie that no script gets', async () => {
    const answer = await replica.ask('/auth/login', login(ada.name));
    expect(statusOf(answer)).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({
      name: ada.name,
      scope: 'write',
      account: { id: ada.id, scope: 'write', limits: { rowsMax: null }, backends: null },
      sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(answer.headers['set-cookie']).toEqual([expect.stringMatching(COOKIE)]);
    expect(answer.headers['cache-control']).toBe('no-store');
    const me = await replica.ask('/auth/me', withCookie(cookieIn(answer)));
    expect(JSON.parse(me.text)).toEqual(JSON.parse(answer.text));
    expect(me.headers).not.toHaveProperty('set-cookie');
  });

  it('finds the name whatever its capitals', async () => {
    const { status, text } = await replica.ask('/auth/login', login(ada.name.toUpperCase()));
    expect(status).toBe(200);
    expect(text).toContain(`"${ada.name}"`);
  });

  it('says the same of a wrong password and of a name that is not known', async () => {
    const wrong = await replica.ask('/auth/login', login(ada.name, 'wrong horse'));
    const unknown = await replica.ask('/auth/login', login('nobody-at-all', 'wrong horse'));
    expect([statusOf(wrong), statusOf(unknown)]).toEqual([401, 401]);
    const { requestId } = problemOf(unknown);
    expect({ ...problemOf(wrong), requestId }).toEqual(problemOf(unknown));
    for (const answer of [wrong, unknown]) {
      expect(answer.headers).not.toHaveProperty('set-cookie');
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="gatepost"');
    }
  });

  it('says that an account is disabled only to whoever knows its password', async () => {
    const gone = await home.create({ name: 'gone' });
    const changed = await replica.ask(`/api/accounts/${gone.name}`, {
      ...{ method: 'PATCH', token: ADMIN, body: { isDisabled: true } },
    });
    expect(changed.status).toBe(200);
    const right = await replica.ask('/auth/login', login(gone.name));
    const wrong = await replica.ask('/auth/login', login(gone.name, 'wrong horse'));
    expect([statusOf(right), statusOf(wrong)]).toEqual([403, 401]);
    expect(problemOf(right)).toMatchObject({ detail: 'The account is disabled' });
  });

  it('is answered with 429 after too many failures, the right password too', async () => {
    const own = await home.create({ name: 'guessed' });
    let statuses: number[] = [];
    for (let guess = 0; guess < 15; guess += 1) {
      const { status } = await replica.ask('/auth/login', login(own.name, `guess ${guess}`));
      statuses = [...statuses, status];
    }
    expect(statuses.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
    expect(statuses.at(-1)).toBe(429);
    const right = await replica.ask('/auth/login', login(own.name));
    expect(statusOf(right)).toBe(429);
    expect(right.headers['retry-after']).toMatch(/^[1-9]\d?$/);
    // Another replica counts by itself, and lets the tests after this one in.
    await replica.stop();
    replica = await home.start();
    expect((await replica.ask('/auth/login', login(own.name))).status).toBe(200);
  });

  test.each<[string, Record<string, string>, number]>([
    ['another origin', { Origin: 'https://evil.example' }, 403],
    ['no origin at all', { Origin: 'null' }, 403],
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['a sister site', { 'Sec-Fetch-Site': 'same-site' }, 403],
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 415],
    ['plain text', { 'Content-Type': 'text/plain' }, 415],
    ['its own page', { 'Sec-Fetch-Site': 'same-origin' }, 200],
  ])('from %s gives %#: %j', async (_from, headers, status) => {
    const answer = await replica.ask('/auth/login', { ...login(ada.name), headers });
    expect(statusOf(answer)).toBe(status);
    expect('set-cookie' in answer.headers).toBe(status === 200);
  });

  test.each<[string, object, string]>([
    ['no name', { password: PASSWORD }, 'name'],
    ['no password', { name: 'ada' }, 'password'],
    ['an empty password', { name: 'ada', password: '' }, 'password'],
    ['a password that is none', { name: 'ada', password: 5 }, 'password'],
    ['a long password', { name: 'ada', password: 'x'.repeat(2000) }, 'password'],
    ['a long name', { name: 'x'.repeat(300), password: PASSWORD }, 'name'],
    ['something else', { name: 'ada', password: PASSWORD, remember: true }, 'remember'],
  ])('with %s is 422, which names the field', async (_what, body, field) => {
    const answer = await replica.ask('/auth/login', { body });
    expect(statusOf(answer)).toBe(422);
    expect(problemOf(answer)).toMatchObject({ fields: [expect.objectContaining({ field })] });
    expect(answer.text).not.toContain(PASSWORD);
  });

  it('is noticed, with the account as the caller of the request', async () => {
    const answer = await replica.ask('/auth/login', login(ada.name));
    expect(answer.status).toBe(200);
    const { observations } = replica.recorder;
    expect(observations.filter((one) => one.kind === 'login-finished').at(-1)).toMatchObject({
      ...{ door: 'http', name: ada.name, address: '127.0.0.1', outcome: 'ok' },
    });
    const finished = observations.filter((one) => one.kind === 'request-finished').at(-1);
    expect(finished).toMatchObject({
      caller: ada.name,
      owner: `account:${ada.id}`,
      webSessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(answer.text).toContain(`"sessionId":"${finished?.webSessionId ?? ''}"`);
  });

  describe('in production', () => {
    it('needs TLS, and says how it is told of it', async () => {
      const strict = await home.start({ sessions: { isTlsRequired: true } });
      const answer = await strict.ask('/auth/login', login(ada.name));
      expect(statusOf(answer)).toBe(403);
      expect(problemOf(answer)).toMatchObject({ hint: expect.stringContaining('API_TRUST_PROXY') });
      expect(answer.headers).not.toHaveProperty('set-cookie');
    });

    it.each([true, false])('sets a cookie for TLS behind a proxy: %s', async (isTlsRequired) => {
      const behind = await home.start({
        sessions: { isTlsRequired },
        config: { trustProxy: 1, isLoopbackOnly: false },
      });
      const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '203.0.113.7' };
      const answer = await behind.ask('/auth/login', { ...login(ada.name), headers });
      expect(answer.headers['set-cookie']).toEqual([
        expect.stringMatching(
          /^__Host-gatepost\.sid=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
        ),
      ]);
      const cookie = cookieIn(answer);
      const me = await behind.ask('/auth/me', withCookie(cookie, { headers }));
      expect(statusOf(me)).toBe(200);
      // Over plain HTTP another cookie is looked for, but in production.
      const plain = await behind.ask('/auth/me', withCookie(cookie));
      expect(statusOf(plain)).toBe(isTlsRequired ? 200 : 401);
    });
  });

  describe('where sessions cannot be kept', () => {
    test('is 503 within seconds, and tokens go on', async () => {
      const lonely = await home.start({ storeUri: NOWHERE });
      const { token } = await createTokenOf(lonely, ada.name, { name: 'cli', scope: 'read' });
      const answer = await lonely.ask('/auth/login', login(ada.name));
      expect(statusOf(answer)).toBe(503);
      expect(answer.headers['retry-after']).toMatch(/^\d+$/);
      expect(problemOf(answer)).toMatchObject({ hint: expect.stringContaining('token') });
      expect(answer.durationMs).toBeLessThan(5000);
      expect((await lonely.ask('/auth/me', { token })).status).toBe(200);
      const cookie = await replica.logIn(ada.name);
      const refused = await lonely.ask('/auth/me', withCookie(cookie));
      expect(statusOf(refused)).toBe(503);
      expect(refused.headers['retry-after']).toMatch(/^\d+$/);
      expect(lonely.faults()).toEqual([]);
    });

    test('is 503 where there is no MongoDB at all, and says which settings name one', async () => {
      const without = await home.start({ parts: { store: undefined } });
      const answer = await without.ask('/auth/login', login(ada.name));
      expect(statusOf(answer)).toBe(503);
      expect(problemOf(answer)).toMatchObject({ hint: expect.stringContaining('MONGODB_URI') });
      const cookie = await replica.logIn(ada.name);
      expect(statusOf(await without.ask('/auth/me', withCookie(cookie)))).toBe(401);
    });
  });
});

describe('Without accounts', () => {
  let database: TestDatabase;
  let stage: ApiStage;

  beforeAll(async () => {
    database = await createTestDatabase();
    stage = await startApi({ dsn: database.url });
  });

  afterAll(async () => {
    await stage.stop();
    await database.drop();
  });

  test.each(['/auth/login', '/auth/me', '/auth/anything', '/api/accounts', '/api/accounts/ada'])(
    '%s is 404, and says which setting there is',
    async (path) => {
      const answer = await ask(`${stage.url}${path}`, { token: ADMIN });
      expect(statusOf(answer)).toBe(404);
      expect(problemOf(answer)).toMatchObject({ hint: expect.stringContaining('ACCOUNTS=on') });
    },
  );
});
