// What a cookie is not good for: writes from pages of others, and bodies that forms can send.
import { afterAll, beforeAll, expect, it, test } from '@jest/globals';
import { createAccountHome, withCookie } from '../support/account-stage.ts';
import type { AccountHome, Replica } from '../support/account-stage.ts';
import { statusOf } from '../support/http-client.ts';
import { describeMongodb } from '../support/mongodb.ts';

const SQL = { backend: 'postgres', sql: 'select 1' };

describeMongodb('A write by cookie', () => {
  let home: AccountHome;
  let one: Replica;
  let cookie: string;

  beforeAll(async () => {
    home = await createAccountHome();
    one = await home.start();
    const { name } = await home.create({ name: 'ada', scope: 'admin' });
    cookie = await one.logIn(name);
  });

  afterAll(async () => {
    expect(one.faults()).toEqual([]);
    await home.remove();
  });

  const WRITES: readonly (readonly [string, string])[] = [
    ['POST', '/query'],
    ['POST', '/auth/logout'],
    ['DELETE', '/api/postgres/public/nothing/1'],
    ['DELETE', '/auth/sessions/x'],
    ['POST', '/connectors/x/restart'],
  ];

  test.each<[Record<string, string>]>([
    [{ Origin: 'https://evil.example' }],
    [{ Origin: 'null' }],
    [{ Origin: 'http://127.0.0.1:1' }],
    [{ 'Sec-Fetch-Site': 'cross-site' }],
    [{ 'Sec-Fetch-Site': 'same-site' }],
    [{ 'Sec-Fetch-Site': 'none' }],
  ])('is refused with %j', async (headers) => {
    for (const [method, path] of WRITES) {
      const answer = await one.ask(path, withCookie(cookie, { method, headers }));
      expect([path, statusOf(answer)]).toEqual([path, 403]);
    }
    const read = await one.ask('/auth/me', withCookie(cookie, { headers }));
    expect(statusOf(read)).toBe(200);
    expect(read.headers).not.toHaveProperty('access-control-allow-credentials');
  });

  it('is taken from a page of its own, and from what is no browser', async () => {
    for (const headers of [{}, { Origin: one.url, 'Sec-Fetch-Site': 'same-origin' }]) {
      const answer = await one.ask('/query', withCookie(cookie, { body: SQL, headers }));
      expect(statusOf(answer)).toBe(200);
    }
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', ''])(
    'is JSON and not %j',
    async (type) => {
      const headers = { 'Content-Type': type };
      for (const [method, path] of WRITES) {
        const question = { method, headers, body: '{"backend":"postgres","sql":"select 1"}' };
        const answer = await one.ask(path, withCookie(cookie, question));
        expect([path, statusOf(answer)]).toEqual([path, 415]);
      }
    },
  );
});
