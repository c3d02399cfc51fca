import { createServer } from 'node:http';
import supertest from 'supertest';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createAccess } from '../../../routes/access.ts';
import { createApiToken, hashToken } from '../../../src/api-tokens.ts';
import { createApiApp } from '../../support/api-app.ts';
import type { RequestHandler } from 'express';
import type { Server } from 'node:http';
import type { Access } from '../../../routes/access.ts';
import type { Scope } from '../../../routes/request-context.ts';

const SCOPES: readonly Scope[] = ['read', 'write', 'admin'];
const bearers = SCOPES.map((scope) => ({ name: `the ${scope}er`, scope, ...createApiToken() }));
const tokenOf = (scope: Scope): string => bearers.find((each) => each.scope === scope)?.token ?? '';
const READER = tokenOf('read');
const tokens = bearers.map(({ name, scope, sha256 }) => ({ name, scope, sha256 }));

const OPEN = { tokens: [], corsOrigins: [], isMetricsOpen: true, isLoopbackOnly: true };

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
  }
});

/** An application that asks for what the middleware asks for. */
function serve(
  guard: (access: Access) => RequestHandler,
  config: Partial<Parameters<typeof createAccess>[0]> = { tokens },
): ReturnType<typeof supertest> {
  const access = createAccess({ ...OPEN, ...config });
  const server = createServer(createApiApp([access.identify, guard(access)]));
  servers.push(server.listen(0, '127.0.0.1'));
  return supertest(server);
}

const needsRead = (access: Access): RequestHandler => access.requireScope('read');
const bearer = (token: string): { Authorization: string } => ({ Authorization: `Bearer ${token}` });

describe('a token', () => {
  test.each(bearers)('names its caller and scope: $scope', async ({ name, scope, token }) => {
    const response = await serve(needsRead).get('/').set(bearer(token));
    expect(response.body).toEqual({ caller: name, scope });
  });

  test.each(['bearer', 'BEARER', 'Bearer '])('comes with the scheme %j', async (scheme) => {
    const headers = { Authorization: `${scheme} ${READER}` };
    expect((await serve(needsRead).get('/').set(headers)).status).toBe(200);
  });

  const none = {
    detail: 'This needs a token that is accepted here',
    hint:
      'Send it as "Authorization: Bearer ..."; gatepost token NAME makes one, and the setting ' +
      'API_TOKENS accepts it',
  };

  test.each<[string, Record<string, string>]>([
    ['no token', {}],
    ['another token', bearer(createApiToken().token)],
    ['the beginning of a token', bearer(READER.slice(0, -1))],
    ['a token and more', bearer(`${READER} x`)],
    ['the hash of a token', bearer(hashToken(READER))],
    ['the name of a token', bearer('reader')],
    ['an empty token', bearer('')],
    ['another scheme', { Authorization: `Basic ${READER}` }],
    ['no scheme', { Authorization: READER }],
    ['another header', { 'X-Api-Key': READER }],
    ['a cookie', { Cookie: `token=${READER}` }],
  ])('that is %s is refused in the same words', async (_, headers) => {
    const response = await serve(needsRead).get('/').set(headers);
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer realm="gatepost"');
    expect(response.body).toEqual(none);
  });

  test.each([
    `?access_token=${READER}`,
    '?access_token=of-another-make',
    `?token=${READER}`,
    `?limit=1&q=${encodeURIComponent(READER)}`,
    `?access_token=${READER.replace('gp_', '%67p_')}`,
    '?access_token=',
  ])('in the URL is refused, even beside one in the header: %#', async (query) => {
    const response = await serve(needsRead).get(`/${query}`).set(bearer(READER));
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({
      detail: expect.stringMatching(/^A token in the URL is not taken/),
    });
    expect(response.text).not.toContain(READER);
  });

  test.each(['?access_token=eq.x', '?token=eq.gp_x', '?select=access_token', ''])(
    'is not what a filter looks for: %s',
    async (query) => {
      const response = await serve(needsRead).get(`/${query}`).set(bearer(READER));
      expect(response.status).toBe(200);
    },
  );

  test('makes the host and the origin of a request matter no more', async () => {
    const headers = { ...bearer(READER), Host: 'db.example.com', Origin: 'https://a.test' };
    expect((await serve(needsRead).get('/').set(headers)).status).toBe(200);
  });
});

describe('a scope', () => {
  test.each(
    bearers.flatMap(({ scope, token }, has) =>
      SCOPES.map((needed, needs) => ({ scope, token, needed, status: has >= needs ? 200 : 403 })),
    ),
  )('$scope where $needed is needed gives $status', async ({ scope, token, needed, status }) => {
    const response = await serve((access) => access.requireScope(needed))
      .get('/')
      .set(bearer(token));
    expect(response.status).toBe(status);
    if (status === 403) {
      expect(response.body).toEqual({
        detail: `This needs a token of scope ${needed}, and this one has ${scope}`,
        hint: `gatepost token NAME --scope ${needed} makes one`,
      });
      expect(response.headers['www-authenticate']).toBe(
        `Bearer error="insufficient_scope", scope="${needed}"`,
      );
    }
  });

  test.each([
    ['get', 200],
    ['head', 200],
    ['options', 200],
    ['post', 403],
    ['put', 403],
    ['patch', 403],
    ['delete', 403],
  ] as const)('of read is enough by method: %s gives %d', async (method, status) => {
    const app = serve((access) => access.guard);
    const path = `/api/mongodb/app/people${method === 'post' ? '' : '/1'}`;
    expect((await app[method](path).set(bearer(READER))).status).toBe(status);
    expect((await app[method](path).set(bearer(tokenOf('write')))).status).toBe(200);
    expect((await app[method](path)).status).toBe(401);
  });

  test('is not asked of a caller that nobody has identified', async () => {
    const server = createServer(createApiApp([createAccess(OPEN).requireScope('read')]));
    servers.push(server.listen(0, '127.0.0.1'));
    expect((await supertest(server).get('/')).status).toBe(500);
  });
});

describe('without tokens', () => {
  const local = (headers: Record<string, string>, corsOrigins: string[] = []): supertest.Test =>
    serve((access) => access.requireScope('admin'), { corsOrigins })
      .post('/')
      .set(headers);

  test.each(['127.0.0.1', '127.0.0.1:3000', 'localhost', 'LocalHost:3000', '[::1]', '[::1]:80'])(
    'a caller that asks for %s may do everything',
    async (host) => {
      const response = await local({ Host: host });
      expect(response.body).toEqual({ caller: 'anonymous', scope: 'admin' });
    },
  );

  test.each([
    ...[
      'gatepost.example.com',
      'localhost.example.com',
      '127.0.0.1.example.com',
      'localhost:3000x',
    ],
    ...['10.0.0.7', '0.0.0.0', '[::]', '::1', 'a@localhost', 'localhost@evil.com', '[::1', ''],
  ])('a name that a page may have pointed here is refused: %j', async (host) => {
    const response = await local({ Host: host, 'X-Forwarded-Host': 'localhost' });
    expect(response.status).toBe(403);
    expect(response.body).toEqual({
      detail: 'Without tokens only requests to a loopback address are answered',
      hint: 'Ask for http://127.0.0.1 or http://localhost, or set API_TOKENS',
    });
  });

  test.each([
    ['http://localhost:3000', 200],
    ['https://localhost:3000', 200],
    ['https://app.example.com', 200],
    ['http://localhost:5173', 403],
    ['https://evil.example.com', 403],
    ['http://localhost:3000.example.com', 403],
    ['null', 403],
    ['', 403],
  ])('a page of the origin %j gets %d', async (origin, status) => {
    const headers = { Host: 'localhost:3000', Origin: origin };
    const response = await local(headers, ['https://app.example.com']);
    expect(response.status).toBe(status);
  });

  test('a token is not looked at, but in the URL it is refused', async () => {
    const app = serve(needsRead, {});
    expect((await app.get('/').set(bearer('x'))).body).toMatchObject({ caller: 'anonymous' });
    expect((await app.get('/?access_token=x')).status).toBe(400);
  });
});

describe('what is open', () => {
  test('is answered to anybody, as nobody', async () => {
    const open: RequestHandler = (_request, _response, next) => {
      next();
    };
    const response = await serve(() => open).get('/livez');
    expect(response.body).toEqual({ caller: 'anonymous', scope: 'read' });
  });

  test.each([
    ['open', 'no', undefined, 200],
    ['open', 'a wrong', 'nobody', 200],
    ['not open', 'no', undefined, 401],
    ['not open', 'a wrong', 'nobody', 401],
    ['not open', 'a', READER, 200],
  ])('are metrics when they are: %s and %s token', async (door, _, token, status) => {
    const isMetricsOpen = door === 'open';
    const app = serve((access) => access.guard, { tokens, isMetricsOpen });
    const headers = token === undefined ? {} : bearer(token);
    expect((await app.get('/metrics').set(headers)).status).toBe(status);
  });
});

describe('a key', () => {
  const apiKey = 'hunter2 für alle';
  const sent = Buffer.from(apiKey).toString('latin1');

  test('that is presented may do everything', async () => {
    for (const scope of SCOPES) {
      const guard = (access: Access): RequestHandler => access.requireScope(scope);
      const response = await serve(guard, { apiKey }).get('/').set('api-key', sent);
      expect(response.body).toEqual({ caller: 'api-key', scope: 'admin' });
    }
  });

  test.each<[string, Record<string, string>]>([
    ['no key', {}],
    ['another key', { 'api-key': 'hunter3 für alle' }],
    ['an empty key', { 'api-key': '' }],
    ['the beginning of the key', { 'api-key': sent.slice(0, -1) }],
    ['the key and more', { 'api-key': `${sent}x` }],
    ['the hash of the key', { 'api-key': hashToken(apiKey) }],
    ['the key in another header', { 'x-api-key': sent }],
    ['another key and a token', { 'api-key': 'x', ...bearer(READER) }],
  ])('that is %s is refused in the same words', async (_, headers) => {
    const response = await serve(needsRead, { apiKey, tokens }).get('/').set(headers);
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('ApiKey realm="gatepost"');
    expect(response.body).toEqual({
      detail: 'This needs the key that is accepted here',
      hint: 'Send it in the header api-key; it is api_key in [http] of the config.toml',
    });
  });

  test('leaves tokens what they are', async () => {
    const agent = serve(needsRead, { apiKey, tokens });
    expect((await agent.get('/').set(bearer(READER))).body).toEqual({
      caller: 'the reader',
      scope: 'read',
    });
    expect((await agent.get('/').set(bearer(apiKey))).status).toBe(401);
  });

  test('is asked for on loopback too, and tokens that are not accepted are no way in', async () => {
    const agent = serve(needsRead, { apiKey });
    expect((await agent.get('/')).status).toBe(401);
    expect((await agent.get('/').set(bearer(READER))).status).toBe(401);
  });

  test('is not taken where none is configured', async () => {
    expect((await serve(needsRead).get('/').set('api-key', '')).status).toBe(401);
    expect((await serve(needsRead).get('/').set('api-key', 'undefined')).status).toBe(401);
  });
});
