// Who asks, where there are accounts: they are in memory, and sessions are told by a header.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import express from 'express';
import supertest from 'supertest';
import { afterEach, beforeEach, describe, expect, it, test } from '@jest/globals';
import { createAccess } from '../../../routes/access.ts';
import type { AccessConfig } from '../../../routes/access.ts';
import { identifyRequest } from '../../../routes/request-id.ts';
import { contextOf } from '../../../routes/request-context.ts';
import { createErrorHandler } from '../../../routes/error-handler.ts';
import type { WebSessionReader } from '../../../routes/web-sessions.ts';
import { createApiToken } from '../../../src/api-tokens.ts';
import { ServiceError } from '../../../src/errors.ts';
import { untilFact } from '../../support/facts.ts';
import { createTokenAccounts } from '../../support/memory-administration.ts';
import type { TokenAccounts } from '../../support/memory-administration.ts';
import { createRecorder } from '../../support/observations.ts';

const CONFIGURED = createApiToken();

const CONFIG: AccessConfig = {
  tokens: [],
  corsOrigins: [],
  isMetricsOpen: true,
  isLoopbackOnly: true,
};

const WITH_TOKEN: Partial<AccessConfig> = {
  tokens: [{ name: 'ada', scope: 'read', sha256: CONFIGURED.sha256 }],
};

let accounts: TokenAccounts;
let server: Server | undefined;
/** Answers to a request that waits for them. */
let waiting: (() => void)[] = [];

beforeEach(async () => {
  waiting = [];
  accounts = await createTokenAccounts([
    { name: 'ada', scope: 'write' },
    { name: 'grace', scope: 'admin', limits: { connectionsMax: 1 } },
  ]);
});

afterEach(() => {
  waiting.forEach((answer) => answer());
  server?.close();
});

interface Served {
  readonly config?: Partial<AccessConfig>;
  readonly accounts?: TokenAccounts;
  readonly webSessions?: WebSessionReader;
}

/** Any path of the table answers with who asks; those with `?wait` when they are told to. */
function serve({ config, ...sources }: Served = {}): ReturnType<typeof supertest> {
  const known = sources.accounts ?? accounts;
  const access = createAccess({ ...CONFIG, ...config }, known, sources.webSessions);
  const app = express();
  app.use(identifyRequest, access.identify, access.guard);
  app.use((request, response) => {
    const { caller, scope, owner, webSessionId, account, signal } = contextOf(request);
    const answer = (): void => {
      const reason: unknown = signal.reason;
      const stopped = reason instanceof ServiceError ? reason.sqlState : undefined;
      response.json({ caller, scope, owner, webSessionId, account: account?.name, stopped });
    };
    if ('wait' in request.query) {
      waiting.push(answer);
    } else {
      answer();
    }
  });
  app.use(createErrorHandler(createRecorder()));
  server = createServer(app).listen(0, '127.0.0.1');
  return supertest(server);
}

const bearer = (token: string): { Authorization: string } => ({ Authorization: `Bearer ${token}` });

/** A session of ada for whoever has a cookie that says so. */
function sessionsOf(name: string): WebSessionReader {
  return {
    find: async (request) => {
      if (request.headers.cookie !== 'sid=ada') {
        return undefined;
      }
      const account = await accounts.logIn(name, '', { door: 'http', address: '' });
      return { id: 'a session', account };
    },
  };
}

describe('a token of an account', () => {
  it('names the account, its owner and its scope', async () => {
    const answer = await serve()
      .get('/auth/me')
      .set(bearer(accounts.issue('ada')));
    expect(answer.body).toEqual({
      ...{ caller: 'ada', scope: 'write', account: 'ada' },
      owner: expect.stringMatching(/^account:[0-9a-f-]{36}$/),
    });
  });

  test.each([
    ['read', 'read'],
    ['write', 'write'],
    ['admin', 'write'],
  ] as const)('of scope %s has %s, which is never more than the account', async (scope, has) => {
    const token = accounts.issue('ada', { scope });
    const answer = await serve().get('/auth/me').set(bearer(token));
    expect(answer.body).toMatchObject({ scope: has });
  });

  it('comes after those of the configuration, for which no account is asked', async () => {
    const answer = await serve({ config: WITH_TOKEN })
      .get('/auth/me')
      .set(bearer(CONFIGURED.token));
    expect(answer.body).toEqual({ caller: 'ada', scope: 'read', owner: 'token:ada' });
    expect(accounts.questions()).toBe(0);
  });

  it('is refused in the same words, whatever is wrong with it', async () => {
    const over = accounts.issue('ada', { isOver: true });
    const disabled = accounts.issue('grace');
    accounts.disable('grace');
    const app = serve();
    const details = new Set<unknown>();
    for (const headers of [
      {},
      bearer(over),
      bearer(disabled),
      bearer(createApiToken().token),
      bearer('ada'),
      { Authorization: `Basic ${over}` },
    ]) {
      const answer = await app.get('/api/postgres').set(headers);
      expect(answer.status).toBe(401);
      expect(answer.get('WWW-Authenticate')).toBe('Bearer realm="gatepost"');
      details.add(answer.text.replace(/"requestId":"[^"]*"/, ''));
    }
    expect(details.size).toBe(1);
    expect([...details][0]).toContain('POST /auth/login');
  });
});

describe('a session', () => {
  const cookie = { Cookie: 'sid=ada' };

  it('is asked for where there is no Authorization', async () => {
    const app = serve({ webSessions: sessionsOf('ada') });
    expect((await app.get('/auth/me').set(cookie)).body).toMatchObject({
      ...{ caller: 'ada', scope: 'write', webSessionId: 'a session' },
    });
    for (const headers of [bearer(createApiToken().token), { Authorization: 'Basic YTpi' }]) {
      const answer = await app.get('/auth/me').set({ ...cookie, ...headers });
      expect(answer.status).toBe(401);
    }
    expect((await app.get('/auth/me').set({ Cookie: 'sid=bob' })).status).toBe(401);
  });

  it('writes from a page of its own only', async () => {
    const app = serve({ webSessions: sessionsOf('ada') });
    const foreign = { ...cookie, Origin: 'https://evil.example' };
    expect((await app.post('/query').set(cookie)).status).toBe(200);
    expect((await app.post('/query').set(foreign)).status).toBe(403);
    expect((await app.get('/api/postgres').set(foreign)).status).toBe(200);
  });

  it('that cannot be told is 503, and 500 only for a fault', async () => {
    const failing = (error: Error): WebSessionReader => ({
      find: async () => await Promise.reject(error),
    });
    const away = serve({ webSessions: failing(new ServiceError('08006', 'MongoDB is away')) });
    const answer = await away.get('/auth/me').set(cookie);
    expect([answer.status, answer.get('Retry-After')]).toEqual([503, '5']);
    server?.close();
    const broken = serve({ webSessions: failing(new Error('a bug')) });
    expect((await broken.get('/auth/me').set(cookie)).status).toBe(500);
  });
});

describe('what is open', () => {
  test.each(['/livez', '/readyz', '/health', '/metrics', '/openapi.json', '/docs'])(
    '%s asks no database of accounts',
    async (path) => {
      const app = serve({ webSessions: sessionsOf('ada') });
      const questions = accounts.questions();
      for (const headers of [{}, bearer(accounts.issue('ada')), { Cookie: 'sid=ada' }]) {
        const answer = await app.get(path).set(headers);
        expect(answer.body).toMatchObject({ caller: 'anonymous', scope: 'read' });
      }
      expect(accounts.questions()).toBe(questions);
      expect(accounts.presenceCount('ada')).toBe(0);
    },
  );

  it('is not /metrics where they need a token', async () => {
    const app = serve({ config: { isMetricsOpen: false } });
    expect((await app.get('/metrics')).status).toBe(401);
    expect((await app.get('/metrics').set(bearer(accounts.issue('ada')))).status).toBe(200);
  });
});

describe('without tokens of the configuration', () => {
  it('somebody local may do everything while there is no account', async () => {
    const none = await createTokenAccounts([]);
    const answer = await serve({ accounts: none }).get('/api/accounts');
    expect(answer.body).toEqual({ caller: 'anonymous', scope: 'admin' });
  });

  test.each<[string, Served]>([
    ['there is an account', {}],
    ['there is a token', { config: WITH_TOKEN }],
  ])('nobody may where %s', async (_where, served) => {
    expect((await serve(served).get('/api/postgres')).status).toBe(401);
  });

  it('nobody may from beyond loopback, account or none', async () => {
    const none = await createTokenAccounts([]);
    const app = serve({ accounts: none, config: { isLoopbackOnly: false } });
    expect((await app.get('/api/postgres')).status).toBe(401);
    expect((await app.get('/livez')).status).toBe(200);
  });

  it('nobody may while it cannot be told', async () => {
    const none = await createTokenAccounts([]);
    none.breakDown();
    const app = serve({ accounts: none });
    for (const headers of [{}, bearer(createApiToken().token)]) {
      expect((await app.get('/api/postgres').set(headers)).status).toBe(503);
    }
    expect((await app.get('/livez')).status).toBe(200);
  });

  it('that there is an account is remembered', async () => {
    const app = serve();
    expect((await app.get('/api/postgres')).status).toBe(401);
    accounts.breakDown();
    expect((await app.get('/api/postgres')).status).toBe(401);
    expect((await app.get('/api/postgres').set(bearer(accounts.issue('ada')))).status).toBe(503);
  });
});

describe('a request of an account', () => {
  it('is present until it is answered', async () => {
    const app = serve();
    const answer = app
      .get('/auth/me?wait')
      .set(bearer(accounts.issue('ada')))
      .then((one) => one);
    await untilFact(() => waiting.length === 1, 'the request');
    expect(accounts.presenceCount('ada')).toBe(1);
    waiting.pop()?.();
    await answer;
    await untilFact(() => accounts.presenceCount('ada') === 0, 'the end of the presence');
  });

  it('is 503 over the limit of its account, and counts no refused one', async () => {
    const app = serve();
    const headers = bearer(accounts.issue('grace', { scope: 'read' }));
    expect((await app.get('/api/accounts').set(headers)).status).toBe(403);
    expect(accounts.presenceCount('grace')).toBe(0);
    const first = app
      .get('/auth/me?wait')
      .set(headers)
      .then((one) => one);
    await untilFact(() => waiting.length === 1, 'the request');
    const second = await app.get('/auth/me').set(headers);
    expect([second.status, second.get('Retry-After')]).toEqual([503, '5']);
    expect((await app.get('/livez').set(headers)).status).toBe(200);
    waiting.pop()?.();
    expect((await first).status).toBe(200);
  });

  it('is stopped when its account is changed', async () => {
    const answer = serve()
      .get('/auth/me?wait')
      .set(bearer(accounts.issue('ada')))
      .then((one) => one);
    await untilFact(() => waiting.length === 1, 'the request');
    accounts.revoke('ada');
    waiting.pop()?.();
    expect((await answer).body).toMatchObject({ stopped: '57P01' });
  });
});
