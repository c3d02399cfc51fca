// What whoever has found a token of an account cannot do with it: reach its owner's sessions.
import { afterAll, beforeAll, expect, it, test } from '@jest/globals';
import { z } from 'zod';
import { createAccountHome, createTokenOf, withCookie } from '../support/account-stage.ts';
import type { AccountHome, MadeAccount, Replica } from '../support/account-stage.ts';
import { problemOf } from '../support/http-client.ts';
import { describeMongodb } from '../support/mongodb.ts';

const SESSIONS = z.object({ items: z.array(z.object({ id: z.string() })) });

describeMongodb('A token of an account', () => {
  let home: AccountHome;
  let replica: Replica;
  let ada: MadeAccount;
  let cookie: string;
  let id: string;

  beforeAll(async () => {
    home = await createAccountHome();
    replica = await home.start();
    ada = await home.create({ name: 'ada', scope: 'admin' });
    cookie = await replica.logIn(ada.name);
    const { text } = await replica.ask('/auth/sessions', withCookie(cookie));
    id = SESSIONS.parse(JSON.parse(text)).items[0]?.id ?? '';
  });

  afterAll(async () => {
    expect(replica.faults()).toEqual([]);
    await home.remove();
  });

  test.each<[string, string, () => string]>([
    ['sees none of its sessions', 'GET', () => ''],
    ['ends none of its sessions', 'DELETE', () => `/${id}`],
  ])('%s, whatever its scope, and is told to log in', async (_what, method, path) => {
    const { token } = await createTokenOf(replica, ada.name, { name: 'cli', scope: 'admin' });
    const answer = await replica.ask(`/auth/sessions${path()}`, { token, method });
    expect(problemOf(answer)).toMatchObject({
      status: 403,
      hint: expect.stringContaining('/auth/login'),
    });
    expect((await replica.ask('/auth/me', withCookie(cookie))).status).toBe(200);
  });

  it('leaves the session to end itself', async () => {
    const end = withCookie(cookie, { method: 'DELETE' });
    expect((await replica.ask(`/auth/sessions/${id}`, end)).status).toBe(204);
  });
});
