// Every route of the table of scopes, asked by everybody that there can be, with the accounts in a
// real PostgreSQL and the sessions in a real MongoDB.
import { afterAll, beforeAll, expect, it, test } from '@jest/globals';
import { METHODS } from '../../routes/openapi-types.ts';
import { ROUTE_SCOPES, scopeOfRequest } from '../../routes/route-scopes.ts';
import type { PathScopes, RouteScope } from '../../routes/route-scopes.ts';
import { createApiToken, TOKEN_SCOPES } from '../../src/api-tokens.ts';
import type { TokenScope } from '../../src/api-tokens.ts';
import { createAccountHome, createTokenOf } from '../support/account-stage.ts';
import type { AccountHome, Replica } from '../support/account-stage.ts';
import { ADMIN } from '../support/api-stage.ts';
import { untilFact } from '../support/facts.ts';
import { exchange, statusOf } from '../support/http-client.ts';
import { describeMongodb } from '../support/mongodb.ts';

const ROUTES = Object.entries<PathScopes>(ROUTE_SCOPES);

const WRITER = createApiToken();

/** Whoever asks: what he sends, and the scope that he has; undefined for nobody. */
interface Caller {
  readonly name: string;
  readonly scope: TokenScope | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** 401, 403, or anything else that is neither, from the table alone. */
function expectedOf(needed: RouteScope, scope: TokenScope | undefined): string {
  if (needed === 'open' || needed === 'metrics') {
    return 'answered';
  }
  if (scope === undefined) {
    return '401';
  }
  const least = needed === 'any' ? 'read' : needed;
  return TOKEN_SCOPES.indexOf(scope) >= TOKEN_SCOPES.indexOf(least) ? 'answered' : '403';
}

/** A request that is refused before it does anything, if whoever sends it is not refused. */
function urlOf(path: string): string {
  return `${path.replace(/[:*]\w+/g, 'x')}?unknown=1&limit=0`;
}

describeMongodb('The table of scopes', () => {
  let home: AccountHome;
  let replica: Replica;
  let callers: readonly Caller[];

  beforeAll(async () => {
    home = await createAccountHome();
    replica = await home.start({
      parts: { connectors: { list: () => [], restart: () => Promise.resolve(false) } },
    });
    callers = [...configured(), ...(await ofAccounts()), ...(await ofNobody())];
  });

  afterAll(async () => {
    expect(replica.faults()).toEqual([]);
    await home.remove();
  });

  const bearer = (token: string): Caller['headers'] => ({ Authorization: `Bearer ${token}` });

  function configured(): Caller[] {
    return [
      { name: 'a configured token of read', scope: 'read', headers: bearer('gp_reader') },
      { name: 'a configured token of admin', scope: 'admin', headers: bearer(ADMIN) },
    ];
  }

  /** By token, by session, and by a token of less than its account has. */
  async function ofAccounts(): Promise<Caller[]> {
    const found: Caller[] = [];
    for (const scope of TOKEN_SCOPES) {
      const { name } = await home.create({ name: `the-${scope}er`, scope });
      const { token } = await createTokenOf(replica, name, { name: 'cli', scope });
      const { token: lesser } = await createTokenOf(replica, name, { name: 'less', scope: 'read' });
      found.push(
        { name: `a token of ${scope}`, scope, headers: bearer(token) },
        { name: `a read token of ${scope}`, scope: 'read', headers: bearer(lesser) },
        { name: `a session of ${scope}`, scope, headers: { Cookie: await replica.logIn(name) } },
      );
    }
    return found;
  }

  /** Who has been somebody, or says so. */
  async function ofNobody(): Promise<Caller[]> {
    const gone = await home.create({ name: 'gone', scope: 'admin' });
    const { token: disabled } = await createTokenOf(replica, gone.name, { name: 'cli' });
    const cookie = await replica.logIn(gone.name);
    const late = await home.create({ name: 'late', scope: 'admin' });
    const expiresAt = new Date(Date.now() + 1500).toISOString();
    const { token: expired } = await createTokenOf(replica, late.name, { name: 'cli', expiresAt });
    const { token: revoked, id } = await createTokenOf(replica, late.name, { name: 'old' });
    const ended = await replica.logIn(late.name);
    const administrate = async (method: string, path: string, body?: object): Promise<void> => {
      const question = { method, token: ADMIN, ...(body === undefined ? {} : { body }) };
      expect((await replica.ask(`/api/accounts/${path}`, question)).status).toBeLessThan(300);
    };
    await administrate('PATCH', gone.name, { isDisabled: true });
    await administrate('DELETE', `${late.name}/tokens/${id}`);
    const logout = { method: 'POST', headers: { Cookie: ended } };
    expect((await replica.ask('/auth/logout', logout)).status).toBe(204);
    await untilFact(
      async () => (await replica.ask('/auth/me', { token: expired })).status === 401,
      'the token to expire',
    );
    const nobody = (name: string, headers: Caller['headers']): Caller => ({
      ...{ name, headers, scope: undefined },
    });
    return [
      nobody('nobody', {}),
      nobody('a token that is not known', bearer(WRITER.token)),
      nobody('no token at all', { Authorization: 'Basic YTpi' }),
      nobody('a cookie that is none', { Cookie: 'gatepost.sid=s%3Ax.y' }),
      nobody('a token of a disabled account', bearer(disabled)),
      nobody('a session of a disabled account', { Cookie: cookie }),
      nobody('a token that has expired', bearer(expired)),
      nobody('a token that was revoked', bearer(revoked)),
      nobody('a session that has ended', { Cookie: ended }),
    ];
  }

  test.each(ROUTES)('%s answers everybody as it says', async (path, scopes) => {
    const methods = [...METHODS.map((method) => method.toUpperCase()), 'HEAD', 'OPTIONS', 'TRACE'];
    const expected: string[] = [];
    const found: string[] = [];
    for (const { name, scope, headers } of callers) {
      for (const method of methods) {
        const answer = await replica.ask(urlOf(path), { method, headers });
        // The page of the description is HTML, and HEAD has no body.
        const isProblem = answer.status >= 400 && method !== 'HEAD';
        const status = isProblem ? statusOf(answer) : answer.status;
        const is = status === 401 || status === 403 ? `${status}` : 'answered';
        const what = `${method} by ${name}`;
        found.push(`${what}: ${is}`);
        expected.push(`${what}: ${expectedOf(scopeOfRequest(scopes, method), scope)}`);
      }
    }
    expect(found).toEqual(expected);
  });

  test.each(['/api/nothing', '/auth/nothing', '/query/nothing', '/connectors/a/b/c', '/API/x'])(
    '%s, which is not there, is told to nobody who is not known',
    async (path) => {
      for (const { scope, headers } of callers) {
        const status = statusOf(await replica.ask(path, { headers }));
        expect(status).toBe(scope === undefined ? 401 : 404);
      }
    },
  );

  test.each(['/API/POSTGRES', '/api/postgres/', '/Query', '/AUTH/me/', '/api/%61ccounts'])(
    '%s is the path that it means',
    async (path) => {
      expect(statusOf(await replica.ask(path))).toBe(401);
    },
  );

  it('is looked at before a body is', async () => {
    const posts = ROUTES.filter(([, { post }]) => post !== undefined && post !== 'open');
    expect(posts.length).toBeGreaterThan(5);
    for (const [path] of [...posts, ['/api/nothing']] as const) {
      const lines = [
        `POST ${urlOf(path)} HTTP/1.1`,
        'Host: 127.0.0.1',
        'Content-Type: application/json',
        'Content-Length: 1000000',
        'Expect: 100-continue',
        'Connection: close',
      ];
      const said = await exchange(replica.port, `${lines.join('\r\n')}\r\n\r\n`);
      expect([path, said.split('\r\n', 1)]).toEqual([path, ['HTTP/1.1 401 Unauthorized']]);
    }
  });
});
