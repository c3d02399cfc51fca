// The MongoDB that keeps sessions goes away, comes back, or is not as it should be: nothing hangs.
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { SESSION_STORE_TIMEOUT_MS } from '../../routes/web-session-store.ts';
import {
  createAccountHome,
  createTokenOf,
  PASSWORD,
  withCookie,
} from '../support/account-stage.ts';
import type { AccountHome, MadeAccount, Replica } from '../support/account-stage.ts';
import { untilFact } from '../support/facts.ts';
import { statusOf } from '../support/http-client.ts';
import { describeMongodb } from '../support/mongodb.ts';
import { createRestartableMongodb } from '../support/restartable-servers.ts';
import type { RestartableServer } from '../support/restartable-servers.ts';

describeMongodb('Sessions without their MongoDB', () => {
  let home: AccountHome;
  let server: RestartableServer;
  let ada: MadeAccount;

  beforeAll(async () => {
    [home, server] = await Promise.all([createAccountHome(), createRestartableMongodb()]);
    await server.start();
    ada = await home.create({ name: 'ada', scope: 'write' });
  });

  afterAll(async () => {
    await home.remove();
    await server.remove();
  });

  beforeEach(async () => {
    await withSessions(async (client) => await client.db('gatepost').dropDatabase());
  });

  async function withSessions<T>(work: (client: MongoClient) => Promise<T>): Promise<T> {
    const client = await MongoClient.connect(server.url);
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  async function startReplica(): Promise<Replica> {
    return await home.start({ storeUri: server.url, stage: { dsn: home.postgres.url } });
  }

  it('are 503 within a bounded time, and the same as before when it is back', async () => {
    const replica = await startReplica();
    const cookie = await replica.logIn(ada.name);
    const { token } = await createTokenOf(replica, ada.name, { name: 'cli', scope: 'write' });
    await server.kill();
    const asked = [
      ...['/auth/me', '/api/postgres', '/auth/sessions'].map(
        async (path) => await replica.ask(path, withCookie(cookie)),
      ),
      replica.ask('/auth/login', { body: { name: ada.name, password: PASSWORD } }),
    ];
    for (const answer of await Promise.all(asked)) {
      expect(statusOf(answer)).toBe(503);
      expect(answer.headers['retry-after']).toMatch(/^\d+$/);
      expect(answer.durationMs).toBeLessThan(SESSION_STORE_TIMEOUT_MS + 1500);
    }
    for (const path of ['/auth/me', '/api/postgres', '/auth/tokens']) {
      expect(statusOf(await replica.ask(path, { token }))).toBe(200);
    }
    const body = { current: PASSWORD, new: 'another horse altogether' };
    expect(statusOf(await replica.ask('/auth/password', { token, body }))).toBe(204);
    expect((await replica.ask('/health', withCookie(cookie))).status).toBe(200);

    await server.start();
    // With another password the session has ended, and a new one can be begun.
    await untilFact(
      async () => (await replica.ask('/auth/me', withCookie(cookie))).status === 401,
      'the sessions to be readable again',
    );
    const again = { body: { name: ada.name, password: body.new } };
    expect(statusOf(await replica.ask('/auth/login', again))).toBe(200);
    expect(replica.faults()).toEqual([]);
  });

  it('are 503 while the index that ends them cannot be made, and then work', async () => {
    const bob = await home.create({ name: 'bob' });
    await withSessions(async (client) => {
      const sessions = client.db('gatepost').collection('sessions');
      await sessions.createIndex({ expires: 1 }, { expireAfterSeconds: 99 }, undefined);
    });
    const replica = await startReplica();
    const login = { body: { name: bob.name, password: PASSWORD } };
    for (let count = 0; count < 2; count += 1) {
      expect(statusOf(await replica.ask('/auth/login', login))).toBe(503);
    }
    await withSessions(async (client) => {
      await client.db('gatepost').collection('sessions').dropIndexes();
    });
    expect(statusOf(await replica.ask('/auth/login', login))).toBe(200);
    expect(replica.faults()).toEqual([]);
  });
});
