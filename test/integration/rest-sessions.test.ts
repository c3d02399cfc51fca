// Sessions over HTTP: two replicas on the same stores, what ends a session, and what a cookie is
// not good for.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import {
  cookieIn,
  createAccountHome,
  createTokenOf,
  PASSWORD,
  withCookie,
} from '../support/account-stage.ts';
import type { AccountHome, MadeAccount, Replica } from '../support/account-stage.ts';
import { ServiceError } from '../../src/errors.ts';
import { ADMIN } from '../support/api-stage.ts';
import { untilFact } from '../support/facts.ts';
import { problemOf, statusOf } from '../support/http-client.ts';
import type { Answer } from '../support/http-client.ts';
import { describeMongodb } from '../support/mongodb.ts';

const LISTED = z.object({
  items: z.array(
    z.object({
      ...{ id: z.string(), address: z.string(), isCurrent: z.boolean() },
      ...{ startedAt: z.string(), expiresAt: z.string() },
    }),
  ),
});

type ListedSession = z.infer<typeof LISTED>['items'][number];

const SQL = { backend: 'postgres', sql: 'select 1' };

describeMongodb('Sessions', () => {
  let home: AccountHome;
  let one: Replica;
  let other: Replica;
  let ada: MadeAccount;

  beforeAll(async () => {
    home = await createAccountHome();
    [one, other] = await Promise.all([home.start(), home.start()]);
  });

  beforeEach(async () => {
    ada = await home.create({ name: 'ada', scope: 'write' });
  });

  afterAll(async () => {
    expect([...one.faults(), ...other.faults()]).toEqual([]);
    await home.remove();
  });

  async function me(replica: Replica, cookie: string): Promise<number> {
    return statusOf(await replica.ask('/auth/me', withCookie(cookie)));
  }

  /** The id inside a signed cookie. */
  function idIn(cookie: string): string {
    const [, id = ''] = /=s:([^.]+)\./.exec(decodeURIComponent(cookie)) ?? [];
    return id;
  }

  function stored(cookie: string) {
    const _id = createHash('sha256').update(idIn(cookie)).digest('hex');
    const sessions = home.mongodb.client.db('gatepost').collection<{ _id: string }>('sessions');
    return { find: async () => await sessions.findOne({ _id }), sessions, _id };
  }

  it('are known to every replica, one that is started later too', async () => {
    const cookie = await one.logIn(ada.name);
    expect(await me(other, cookie)).toBe(200);
    const later = await home.start();
    expect(await me(later, cookie)).toBe(200);
    const answer = await later.ask('/query', withCookie(cookie, { body: SQL }));
    expect(statusOf(answer)).toBe(200);
  });

  it('are stored under the hash of their id, with an index for their end', async () => {
    const cookie = await one.logIn(ada.name);
    const { find, sessions } = stored(cookie);
    const found = await find();
    expect(found).toMatchObject({
      expires: expect.any(Date),
      session: { login: { accountId: ada.id, secretRevision: 1, address: '127.0.0.1' } },
    });
    expect(JSON.stringify(found)).not.toContain(idIn(cookie));
    expect(await sessions.countDocuments({ _id: idIn(cookie) })).toBe(0);
    expect(await sessions.indexes()).toContainEqual(
      expect.objectContaining({ key: { expires: 1 }, expireAfterSeconds: 0 }),
    );
  });

  it('get a new id at each login, and the one that the browser had is gone', async () => {
    const first = await one.logIn(ada.name);
    const answer = await other.ask(
      '/auth/login',
      withCookie(first, { body: { name: ada.name, password: PASSWORD } }),
    );
    const second = cookieIn(answer);
    expect(idIn(second)).not.toBe(idIn(first));
    expect([await me(one, first), await me(one, second)]).toEqual([401, 200]);
    expect(await stored(first).find()).toBeNull();
  });

  it('are not begun by a cookie that somebody else has made up', async () => {
    const made = `gatepost.sid=${encodeURIComponent(`s:${'x'.repeat(32)}.${'y'.repeat(43)}`)}`;
    expect(await me(one, made)).toBe(401);
    const answer = await one.ask(
      '/auth/login',
      withCookie(made, { body: { name: ada.name, password: PASSWORD } }),
    );
    expect(idIn(cookieIn(answer))).toMatch(/^[\w-]{32}$/);
    expect(idIn(cookieIn(answer))).not.toBe('x'.repeat(32));
  });

  test.each([
    ['another id', (cookie: string) => cookie.replace('s%3A', 's%3Ax')],
    ['another signature', (cookie: string) => `${cookie.slice(0, -4)}AAAA`],
    ['no signature', (cookie: string) => cookie.replace(/\.[^.]*$/, '')],
    ['the id alone', (cookie: string) => `gatepost.sid=${idIn(cookie)}`],
    ['another name', (cookie: string) => cookie.replace('gatepost.sid', 'other.sid')],
    ["the name of TLS's", (cookie: string) => `__Host-${cookie}`],
  ])('do not hold with %s', async (_what, change) => {
    const cookie = await one.logIn(ada.name);
    expect(await me(one, change(cookie))).toBe(401);
    expect(await me(one, cookie)).toBe(200);
  });

  it('end with a logout, on every replica, and the cookie is forgotten', async () => {
    const cookie = await one.logIn(ada.name);
    const answer = await other.ask('/auth/logout', withCookie(cookie, { method: 'POST' }));
    expect(answer.status).toBe(204);
    expect(answer.headers['set-cookie']).toEqual([
      'gatepost.sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Strict',
    ]);
    expect([await me(one, cookie), await me(other, cookie)]).toEqual([401, 401]);
    expect(await stored(cookie).find()).toBeNull();
  });

  it('end with nothing else than their own cookie: a token has none to end', async () => {
    const { token } = await createTokenOf(one, ada.name, { name: 'cli' });
    const answer = await one.ask('/auth/logout', { method: 'POST', token });
    expect(statusOf(answer)).toBe(403);
    expect(problemOf(answer)).toMatchObject({ hint: expect.stringContaining('/auth/tokens') });
  });

  it('are left alone where there is a token beside the cookie', async () => {
    const cookie = await one.logIn(ada.name);
    const answer = await one.ask('/auth/me', withCookie(cookie, { token: ADMIN }));
    expect(answer.text).toContain('"name":"admin"');
    const wrong = await one.ask('/auth/me', withCookie(cookie, { token: `gp_${'x'.repeat(43)}` }));
    expect(statusOf(wrong)).toBe(401);
  });

  describe('over their time', () => {
    it('end when they were not used for a while, and go on when they were', async () => {
      const short = await home.start({ sessions: { idleTimeoutMs: 1500 } });
      const [used, unused] = [await short.logIn(ada.name), await short.logIn(ada.name)];
      const loggedInAtMs = performance.now();
      await untilFact(async () => {
        expect(await me(short, used)).toBe(200);
        return performance.now() - loggedInAtMs > 2500;
      }, 'more than the idle time to be over');
      expect(await me(short, unused)).toBe(401);
      expect(await me(short, used)).toBe(200);
    });

    it('end for good at their age, used or not', async () => {
      const short = await home.start({ sessions: { maxAgeMs: 1500 } });
      const cookie = await short.logIn(ada.name);
      expect(await me(short, cookie)).toBe(200);
      await untilFact(async () => (await me(short, cookie)) === 401, 'the end of the session');
      // Also where another process has a longer age: it is not there any more.
      await untilFact(async () => (await stored(cookie).find()) === null, 'its end in the store');
      expect(await me(one, cookie)).toBe(401);
    });

    it('are written down as used once in a while only', async () => {
      const cookie = await one.logIn(ada.name);
      const before = await stored(cookie).find();
      for (let count = 0; count < 5; count += 1) {
        expect(await me(one, cookie)).toBe(200);
      }
      expect(await stored(cookie).find()).toEqual(before);
      const { sessions, _id } = stored(cookie);
      const longAgo = new Date(Date.now() - 50_000);
      await sessions.updateOne({ _id }, { $set: { lastModified: longAgo } });
      expect(await me(other, cookie)).toBe(200);
      await untilFact(
        async () => (await sessions.countDocuments({ _id, lastModified: longAgo })) === 0,
        'the use to be noted',
      );
    });
  });

  describe('signed', () => {
    const start = async (...secrets: string[]): Promise<Replica> =>
      await home.start({ sessions: { secrets: () => Promise.resolve(secrets) } });

    it('by an older secret hold, and new ones are signed by the first', async () => {
      const [before, both, after] = [
        await start('old secret of cookies'),
        await start('new secret of cookies', 'old secret of cookies'),
        await start('new secret of cookies'),
      ];
      const old = await before.logIn(ada.name);
      expect([await me(both, old), await me(after, old)]).toEqual([200, 401]);
      const fresh = await both.logIn(ada.name);
      expect([await me(before, fresh), await me(after, fresh)]).toEqual([401, 200]);
    });

    it('by a secret that could not be read are asked for again', async () => {
      let isThere = false;
      const replica = await home.start({
        sessions: {
          secrets: async () =>
            isThere
              ? await one.accountStore.sessionSecrets()
              : await Promise.reject(new ServiceError('08006', 'Accounts cannot be read')),
        },
      });
      const cookie = await one.logIn(ada.name);
      expect(await me(replica, cookie)).toBe(503);
      isThere = true;
      expect(await me(replica, cookie)).toBe(200);
    });
  });

  describe('of an account', () => {
    async function list(replica: Replica, cookie: string): Promise<readonly ListedSession[]> {
      const answer = await replica.ask('/auth/sessions', withCookie(cookie));
      expect(statusOf(answer)).toBe(200);
      return LISTED.parse(JSON.parse(answer.text)).items;
    }

    it('are listed for it alone, and it can end each of them', async () => {
      const cookies = [await one.logIn(ada.name), await other.logIn(ada.name)];
      const [mine = '', another = ''] = cookies;
      const bob = await home.create({ name: 'bob' });
      const foreign = await one.logIn(bob.name);
      const sessions = await list(one, mine);
      expect(sessions).toHaveLength(2);
      expect(sessions.filter(({ isCurrent }) => isCurrent)).toHaveLength(1);
      for (const session of sessions) {
        expect(session).toMatchObject({ address: '127.0.0.1' });
        expect(Date.parse(session.expiresAt) - Date.parse(session.startedAt)).toBeCloseTo(
          60_000,
          -3,
        );
      }
      const id = sessions.find(({ isCurrent }) => !isCurrent)?.id ?? '';
      const end = { method: 'DELETE' };
      expect((await one.ask(`/auth/sessions/${id}`, withCookie(foreign, end))).status).toBe(404);
      expect((await one.ask(`/auth/sessions/${id}`, withCookie(mine, end))).status).toBe(204);
      expect((await one.ask(`/auth/sessions/${id}`, withCookie(mine, end))).status).toBe(404);
      expect([await me(other, another), await me(other, mine)]).toEqual([401, 200]);
    });

    it('end with its password, but the one that has set it, which gets another id', async () => {
      const [mine, another] = [await one.logIn(ada.name), await other.logIn(ada.name)];
      const { token } = await createTokenOf(one, ada.name, { name: 'cli' });
      const body = { current: PASSWORD, new: 'another horse altogether' };
      const answer = await one.ask('/auth/password', withCookie(mine, { body }));
      expect(statusOf(answer)).toBe(204);
      const fresh = cookieIn(answer);
      expect(idIn(fresh)).not.toBe(idIn(mine));
      for (const replica of [one, other]) {
        expect(await me(replica, fresh)).toBe(200);
        expect(await me(replica, another)).toBe(401);
        expect(await me(replica, mine)).toBe(401);
        expect((await replica.ask('/auth/me', { token })).status).toBe(200);
      }
      const old = { body: { name: ada.name, password: PASSWORD } };
      expect((await one.ask('/auth/login', old)).status).toBe(401);
    });

    test.each<[string, object, string]>([
      ['a wrong password', { current: 'wrong horse', new: 'another horse' }, 'current'],
      ['a short new one', { current: PASSWORD, new: 'short' }, ''],
    ])('do not end with %s', async (_what, body, field) => {
      const cookie = await one.logIn(ada.name);
      const answer = await one.ask('/auth/password', withCookie(cookie, { body }));
      expect(statusOf(answer)).toBe(422);
      expect(answer.text).toContain(field);
      expect(await me(one, cookie)).toBe(200);
      expect((await one.ask('/auth/me', withCookie(await other.logIn(ada.name)))).status).toBe(200);
    });

    test.each<[string, (name: string) => Promise<Answer>]>([
      [
        'that is disabled',
        async (name) =>
          await other.ask(`/api/accounts/${name}`, {
            ...{ method: 'PATCH', token: ADMIN, body: { isDisabled: true } },
          }),
      ],
      [
        'that is deleted',
        async (name) =>
          await other.ask(`/api/accounts/${name}`, { method: 'DELETE', token: ADMIN }),
      ],
      [
        'whose password an administrator has set',
        async (name) =>
          await other.ask(`/api/accounts/${name}/password`, {
            ...{ token: ADMIN, body: { password: 'a third horse' } },
          }),
      ],
    ])('%s end within seconds on every replica', async (_what, change) => {
      const cookie = await one.logIn(ada.name);
      expect(await me(one, cookie)).toBe(200);
      expect((await change(ada.name)).status).toBeLessThan(300);
      expect(await me(other, cookie)).toBe(401);
      await untilFact(async () => (await me(one, cookie)) === 401, 'the refusal elsewhere');
      await untilFact(async () => (await stored(cookie).find()) === null, 'its end in the store');
    });

    it('are for accounts: a token of the configuration has none', async () => {
      for (const path of ['/auth/sessions', '/auth/tokens']) {
        const answer = await one.ask(path, { token: ADMIN });
        expect(statusOf(answer)).toBe(403);
        expect(problemOf(answer)).toMatchObject({ hint: expect.stringContaining('/auth/login') });
      }
    });
  });
});
