// Without tokens of the configuration: whom the API is open to, and that an account ends it.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAccountHome, PASSWORD, withCookie } from '../support/account-stage.ts';
import type { AccountHome, Replica } from '../support/account-stage.ts';
import { READER } from '../support/api-stage.ts';
import { ask, statusOf } from '../support/http-client.ts';
import type { Question } from '../support/http-client.ts';
import { describeMongodb } from '../support/mongodb.ts';

describeMongodb('Without tokens of the configuration', () => {
  const OPEN = { config: { tokens: [] } };

  it('everybody on loopback may do everything, until there is an account', async () => {
    const home = await createAccountHome();
    try {
      const replica = await home.start(OPEN);
      const anonymous = await replica.ask('/auth/me');
      expect(JSON.parse(anonymous.text)).toMatchObject({ name: 'anonymous', scope: 'admin' });
      const body = { name: 'root', password: PASSWORD, scope: 'admin' };
      expect((await replica.ask('/api/accounts', { body })).status).toBe(201);
      for (const path of ['/auth/me', '/api/postgres', '/api/accounts']) {
        expect([path, statusOf(await replica.ask(path))]).toEqual([path, 401]);
      }
      expect((await replica.ask('/health')).status).toBe(200);
      const cookie = await replica.logIn('root');
      expect((await replica.ask('/api/accounts', withCookie(cookie))).status).toBe(200);
    } finally {
      await home.remove();
    }
  });

  it('nobody beyond loopback is served, account or none', async () => {
    const home = await createAccountHome();
    try {
      const replica = await home.start({ config: { tokens: [], isLoopbackOnly: false } });
      expect(statusOf(await replica.ask('/api/postgres'))).toBe(401);
      expect((await replica.ask('/livez')).status).toBe(200);
    } finally {
      await home.remove();
    }
  });

  describe('while accounts cannot be read', () => {
    let home: AccountHome;

    beforeAll(async () => {
      home = await createAccountHome();
    });

    afterAll(async () => {
      await home.remove();
    });

    it('nobody is taken for somebody local, and tokens of the configuration go on', async () => {
      const [open, closed] = [await home.start(OPEN), await home.start()];
      for (const replica of [open, closed]) {
        await replica.accountStore.stop(AbortSignal.timeout(1000));
      }
      const token = `gp_${'x'.repeat(43)}`;
      const cases: readonly (readonly [Replica, Question])[] = [
        [open, {}],
        [open, { token }],
        [closed, { token }],
      ];
      for (const [replica, question] of cases) {
        const answer = await replica.ask('/api/postgres', question);
        expect(statusOf(answer)).toBe(503);
        expect(answer.headers['retry-after']).toMatch(/^\d+$/);
      }
      expect((await closed.ask('/api/postgres', { token: READER })).status).toBe(200);
      expect(statusOf(await closed.ask('/api/postgres'))).toBe(401);
      for (const path of ['/livez', '/readyz', '/health', '/openapi.json']) {
        expect((await ask(`${open.url}${path}`, { token })).status).toBe(200);
      }
    });
  });
});
