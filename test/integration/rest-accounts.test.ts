// Accounts over HTTP: what administrators do with them, their tokens, and what each may then ask.
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import { z } from 'zod';
import { createScramVerifier } from '../../src/scram-verifier.ts';
import {
  createAccountHome,
  createTokenOf,
  PASSWORD,
  withCookie,
} from '../support/account-stage.ts';
import type { AccountHome, MadeAccount, Replica } from '../support/account-stage.ts';
import { ADMIN, READER } from '../support/api-stage.ts';
import { problemOf, statusOf } from '../support/http-client.ts';
import type { Answer, Question } from '../support/http-client.ts';
import { describeMongodb } from '../support/mongodb.ts';

const sql = (text: string, more: object = {}): object => ({
  backend: 'postgres',
  sql: text,
  ...more,
});

describeMongodb('Accounts', () => {
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

  async function manage(method: string, path: string, body?: object): Promise<Answer> {
    return await replica.ask(`/api/accounts${path}`, {
      ...{ method, token: ADMIN },
      ...(body === undefined ? {} : { body }),
    });
  }

  describe('for administrators', () => {
    it('are made, read, listed, changed and deleted', async () => {
      const name = `Grace.${ada.name}`;
      const created = await manage('POST', '', {
        ...{ name, password: PASSWORD, scope: 'read' },
        ...{ limits: { rowsMax: 5 }, backends: ['postgres'], databases: ['app'] },
      });
      expect(statusOf(created)).toBe(201);
      expect(created.headers.location).toBe(`/api/accounts/${name}`);
      const shown: unknown = JSON.parse(created.text);
      expect(shown).toEqual({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        ...{ name, scope: 'read', isDisabled: false },
        limits: { rowsMax: 5, bytesMax: null, queryTimeoutMs: null, connectionsMax: null },
        ...{ backends: ['postgres'], databases: ['app'] },
        ...{ createdAt: expect.stringMatching(/Z$/), lastSeenAt: null },
      });
      for (const path of [`/${name}`, `/${name.toUpperCase()}`]) {
        expect(JSON.parse((await manage('GET', path)).text)).toEqual(shown);
      }
      expect(JSON.parse((await manage('GET', '')).text)).toMatchObject({
        items: expect.arrayContaining([shown]),
      });
      const changes = { scope: 'write', limits: { rowsMax: null, bytesMax: 10 }, backends: null };
      const changed = await manage('PATCH', `/${name}`, changes);
      expect(statusOf(changed)).toBe(200);
      expect(JSON.parse(changed.text)).toMatchObject({
        ...{ scope: 'write', backends: null, databases: ['app'] },
        limits: { rowsMax: null, bytesMax: 10 },
      });
      expect((await manage('DELETE', `/${name}`)).status).toBe(204);
      for (const method of ['GET', 'DELETE']) {
        expect(statusOf(await manage(method, `/${name}`))).toBe(404);
      }
      expect(replica.recorder.observations).toContainEqual(
        expect.objectContaining({ kind: 'account-changed', actor: 'admin', name }),
      );
    });

    it('take the verifier that PostgreSQL has of a password', async () => {
      const verifier = await createScramVerifier(PASSWORD, { iterations: 4096 });
      const name = `imported-${ada.name}`;
      expect((await manage('POST', '', { name, verifier, scope: 'read' })).status).toBe(201);
      expect(await replica.logIn(name)).toContain('gatepost.sid=');
      expect((await manage('GET', `/${name}`)).text).not.toContain('SCRAM');
    });

    it('exist once, whatever their capitals', async () => {
      const body = { name: ada.name.toUpperCase(), password: PASSWORD, scope: 'read' };
      const answer = await manage('POST', '', body);
      expect(statusOf(answer)).toBe(409);
      expect(answer.text).not.toContain(PASSWORD);
    });

    test.each<[string, object, string]>([
      ['no secret', {}, 'password'],
      ['two secrets', { password: PASSWORD, verifier: 'SCRAM-SHA-256$' }, 'password'],
      ['no scope', { password: PASSWORD, scope: undefined }, 'scope'],
      ['another scope', { password: PASSWORD, scope: 'owner' }, 'scope'],
      ['a name that is none', { password: PASSWORD, name: 'a b' }, 'name'],
      ['the name of nobody', { password: PASSWORD, name: 'anonymous' }, 'name'],
      ['no limit at all', { password: PASSWORD, limits: { rowsMax: 0 } }, 'limits.rowsMax'],
      ['half a row', { password: PASSWORD, limits: { rowsMax: 1.5 } }, 'limits.rowsMax'],
      ['an unknown limit', { password: PASSWORD, limits: { rows: 1 } }, 'rows'],
      ['an unknown backend', { password: PASSWORD, backends: ['mysql'] }, 'backends.0'],
      ['no backend', { password: PASSWORD, backends: [] }, 'backends'],
      ['a flag of its own', { password: PASSWORD, isDisabled: true }, 'isDisabled'],
    ])('are not made with %s', async (_what, body, field) => {
      const answer = await manage('POST', '', { name: 'never', scope: 'read', ...body });
      expect(statusOf(answer)).toBe(422);
      expect(problemOf(answer)).toMatchObject({ fields: [expect.objectContaining({ field })] });
      expect(answer.text).not.toContain(PASSWORD);
    });

    test.each<[string, string, object]>([
      ['a short password', '/password', { password: 'short' }],
      ['a verifier that is none', '/password', { verifier: 'md5abc' }],
      ['nothing', '', {}],
      ['a token above the account', '/tokens', { name: 'x', scope: 'admin' }],
      ['a token that is over', '/tokens', { name: 'x', expiresAt: '2020-01-01T00:00:00Z' }],
      ['a token without a name', '/tokens', { scope: 'read' }],
    ])('are not changed with %s', async (_what, path, body) => {
      const method = path === '' ? 'PATCH' : 'POST';
      const answer = await manage(method, `/${ada.name}${path}`, body);
      expect(answer.status).toBe(422);
      expect(problemOf(answer)).toMatchObject({ status: 422 });
    });

    test.each([
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/password'],
      ['GET', '/tokens'],
      ['POST', '/tokens'],
      ['DELETE', '/tokens/7b0c9c2e-5d1f-4f53-9a55-6f0a3a8f2d64'],
    ])('that are not there are 404: %s %s', async (method, path) => {
      const body = path === '/password' ? { password: PASSWORD } : { name: 'x', scope: 'read' };
      const sent = method === 'PATCH' ? { scope: 'read' } : body;
      const answer = await manage(
        method,
        `/nobody${path}`,
        ['GET', 'DELETE'].includes(method) ? undefined : sent,
      );
      expect(statusOf(answer)).toBe(404);
    });

    it('keep a last administrator', async () => {
      const own = await createAccountHome();
      try {
        const alone = await own.start();
        const root = await own.create({ name: 'root', scope: 'admin' });
        const cookie = await alone.logIn(root.name);
        const path = `/api/accounts/${root.name}`;
        const tries: readonly Question[] = [
          { method: 'DELETE' },
          { method: 'PATCH', body: { isDisabled: true } },
          { method: 'PATCH', body: { scope: 'write' } },
        ];
        for (const question of tries) {
          const answer = await alone.ask(path, withCookie(cookie, question));
          expect(statusOf(answer)).toBe(409);
        }
        await own.create({ name: 'second', scope: 'admin' });
        expect((await alone.ask(path, withCookie(cookie, { method: 'DELETE' }))).status).toBe(204);
      } finally {
        await own.remove();
      }
    });
  });

  describe('have tokens', () => {
    it('that are shown once, listed without themselves, and revoked', async () => {
      const expiresAt = '2100-01-31T13:00:00+01:00';
      const made = await manage('POST', `/${ada.name}/tokens`, { name: 'cli', expiresAt });
      expect(statusOf(made)).toBe(201);
      expect(made.headers['cache-control']).toBe('no-store');
      const { token, ...shown } = z
        .object({ token: z.string(), id: z.string() })
        .loose()
        .parse(JSON.parse(made.text));
      expect(shown).toMatchObject({
        ...{ name: 'cli', prefix: token.slice(0, 8), scope: 'read', lastUsedAt: null },
        expiresAt: '2100-01-31T12:00:00.000Z',
      });
      const list = await manage('GET', `/${ada.name}/tokens`);
      expect(JSON.parse(list.text)).toEqual({ items: [shown] });
      expect((await replica.ask('/auth/me', { token })).status).toBe(200);
      expect((await manage('DELETE', `/${ada.name}/tokens/${shown.id}`)).status).toBe(204);
      expect(statusOf(await replica.ask('/auth/me', { token }))).toBe(401);
      expect(statusOf(await manage('DELETE', `/${ada.name}/tokens/${shown.id}`))).toBe(404);
    });

    it('of their own, with at most what they have themselves', async () => {
      const cookie = await replica.logIn(ada.name);
      const create = async (question: Question, scope: string): Promise<Answer> =>
        await replica.ask('/auth/tokens', { ...question, body: { name: 'own', scope } });
      expect((await create(withCookie(cookie), 'admin')).status).toBe(422);
      const made = await create(withCookie(cookie), 'read');
      expect(statusOf(made)).toBe(201);
      const { token, id } = z
        .object({ token: z.string(), id: z.string() })
        .parse(JSON.parse(made.text));
      expect((await create({ token }, 'write')).status).toBe(422);
      const bob = await home.create({ name: 'bob' });
      const foreign = withCookie(await replica.logIn(bob.name));
      const remove = { method: 'DELETE' };
      expect((await replica.ask(`/auth/tokens/${id}`, { ...foreign, ...remove })).status).toBe(404);
      const listed = await replica.ask('/auth/tokens', { token });
      expect(listed.text).toContain(id);
      expect(listed.text).not.toContain(token);
      expect((await replica.ask(`/auth/tokens/${id}`, { token, ...remove })).status).toBe(204);
      expect((await replica.ask('/auth/me', { token })).status).toBe(401);
    });

    it('that make none which outlives them', async () => {
      const expiresAt = '2100-01-31T12:00:00.000Z';
      const { token } = await createTokenOf(replica, ada.name, { name: 'cli', expiresAt });
      const expiryOf = async (body: object): Promise<unknown> => {
        const made = await replica.ask('/auth/tokens', { token, body: { name: 'own', ...body } });
        const { status, fields, expiresAt: ends } = z.looseObject({}).parse(JSON.parse(made.text));
        return ends ?? { status, fields };
      };
      const refused = {
        status: 422,
        fields: [{ field: 'expiresAt', message: `is ${expiresAt} at the latest` }],
      };
      expect(await expiryOf({})).toBe(expiresAt);
      expect(await expiryOf({ expiresAt })).toBe(expiresAt);
      expect(await expiryOf({ expiresAt: '2099-01-01T00:00:00Z' })).toBe(
        '2099-01-01T00:00:00.000Z',
      );
      expect(await expiryOf({ expiresAt: null })).toEqual(refused);
      expect(await expiryOf({ expiresAt: '2100-01-31T12:00:00.001Z' })).toEqual(refused);
      const cookie = withCookie(await replica.logIn(ada.name), { body: { name: 'ever' } });
      const lasting = await replica.ask('/auth/tokens', cookie);
      expect(JSON.parse(lasting.text)).toMatchObject({ expiresAt: null });
    });

    it('that see and revoke those which may do no more', async () => {
      const lesser = await createTokenOf(replica, ada.name, { name: 'lesser' });
      const asking = await createTokenOf(replica, ada.name, { name: 'asking' });
      const greater = await createTokenOf(replica, ada.name, { name: 'greater', scope: 'write' });
      const idsSeen = async (question: Question): Promise<readonly string[]> => {
        const { text } = await replica.ask('/auth/tokens', question);
        const seen = z.object({ items: z.array(z.object({ id: z.string() })) });
        return seen.parse(JSON.parse(text)).items.map(({ id }) => id);
      };
      const revoke = async (id: string, question: Question): Promise<Answer> =>
        await replica.ask(`/auth/tokens/${id}`, { ...question, method: 'DELETE' });
      const { token } = asking;
      const cookie = withCookie(await replica.logIn(ada.name));
      expect(await idsSeen({ token })).toEqual([lesser.id, asking.id]);
      expect(await idsSeen(cookie)).toEqual([lesser.id, asking.id, greater.id]);
      for (const id of [greater.id, greater.id.toUpperCase()]) {
        const refused = await revoke(id, { token });
        expect(statusOf(refused)).toBe(403);
        expect(problemOf(refused)).toMatchObject({ hint: expect.stringContaining('/auth/login') });
      }
      expect((await replica.ask('/auth/me', { token: greater.token })).status).toBe(200);
      expect((await revoke(lesser.id, { token })).status).toBe(204);
      expect((await revoke(greater.id, cookie)).status).toBe(204);
      expect((await revoke(asking.id, { token })).status).toBe(204);
    });

    it('that revoke themselves where their account has less than they were made with', async () => {
      const { id, token } = await createTokenOf(replica, ada.name, { name: 'x', scope: 'write' });
      await manage('PATCH', `/${ada.name}`, { scope: 'read' });
      expect((await replica.ask('/auth/tokens', { token })).text).toContain(id);
      const answer = await replica.ask(`/auth/tokens/${id}`, { token, method: 'DELETE' });
      expect(answer.status).toBe(204);
    });

    it('that end with their account, and come back with it when it is enabled', async () => {
      const { token } = await createTokenOf(replica, ada.name, { name: 'cli' });
      expect((await replica.ask('/api/postgres', { token })).status).toBe(200);
      await manage('PATCH', `/${ada.name}`, { isDisabled: true });
      const disabled = await replica.ask('/api/postgres', { token });
      expect(statusOf(disabled)).toBe(401);
      const unknown = await replica.ask('/api/postgres', { token: `gp_${'x'.repeat(43)}` });
      const { requestId } = problemOf(unknown);
      expect({ ...problemOf(disabled), requestId }).toEqual(problemOf(unknown));
      await manage('PATCH', `/${ada.name}`, { isDisabled: false });
      expect((await replica.ask('/api/postgres', { token })).status).toBe(200);
    });

    it('that are told apart from those of the configuration', async () => {
      const { token } = await createTokenOf(replica, ada.name, { name: 'cli', scope: 'write' });
      const mark = `select '${ada.name}'`;
      expect((await replica.ask('/query', { token, body: sql(mark) })).status).toBe(200);
      expect((await replica.ask('/query', { token: READER, body: sql(mark) })).status).toBe(200);
      const sessions = replica
        .statements()
        .filter(({ text }) => text === mark)
        .map(({ session }) => session);
      expect(sessions).toMatchObject([
        { user: ada.name, owner: `account:${ada.id}`, webSessionId: undefined },
        { user: 'reader', owner: 'token:reader' },
      ]);
    });
  });
});
