// The API's description of accounts against what is answered, with accounts in a real PostgreSQL.
import supertest from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import { createSample } from '../../routes/docs-sample.ts';
import { createOpenApiDocument } from '../../routes/openapi.ts';
import type { DescribedOperation } from '../../routes/openapi-walk.ts';
import { createAccountHome } from '../support/account-stage.ts';
import type { AccountHome, Replica } from '../support/account-stage.ts';
import { ADMIN, READER } from '../support/api-stage.ts';
import { bodiesOf, casesOf, expectDescribed, operationOf } from '../support/described-answers.ts';
import { describeMongodb } from '../support/mongodb.ts';

const DOCUMENT = createOpenApiDocument({
  version: '1.2.3',
  hasPostgres: true,
  hasMongodb: false,
  hasAccounts: true,
});

const isOfAccounts = ({ operation }: DescribedOperation): boolean =>
  operation.tags.some((tag) => ['Accounts', 'Logging in'].includes(tag));

const CASES = casesOf(DOCUMENT).filter(([, described]) => isOfAccounts(described));
const BODIES = bodiesOf(DOCUMENT).filter(([, described]) => isOfAccounts(described));

/** As in the examples. */
const ADA = { name: 'ada', password: 'correct horse' };

describeMongodb('Accounts', () => {
  let home: AccountHome;
  let replica: Replica;
  let cookie: string;
  let tokenId: string;

  beforeAll(async () => {
    home = await createAccountHome();
    replica = await home.start({ stage: { dsn: home.postgres.url } });
    await home.create({ name: 'root', scope: 'admin' });
  });

  beforeEach(async () => {
    const administration = replica.accountStore.administration('a test');
    const names = (await administration.list()).map(({ name }) => name);
    for (const name of ['ada', 'grace'].filter((one) => names.includes(one))) {
      await administration.remove(name);
    }
    const secret = { password: ADA.password };
    await administration.create({ name: ADA.name, secret, scope: 'write' });
    const token = { name: 'old', scope: 'read', expiresAt: undefined } as const;
    tokenId = (await administration.createToken(ADA.name, token)).shown.id;
    const login = await supertest(replica.url).post('/auth/login').send(ADA);
    cookie = (login.get('Set-Cookie')?.[0] ?? '').split(';', 1).join('');
  });

  afterAll(async () => {
    expect(replica.faults()).toEqual([]);
    await home.remove();
  });

  interface Asked {
    readonly url?: string;
    readonly body?: unknown;
    readonly token?: string;
    readonly headers?: Readonly<Record<string, string>>;
  }

  /** The sample of an operation: of one's own by cookie, of administrators by token. */
  async function ask(
    described: DescribedOperation,
    { url, token, headers = {}, ...instead }: Asked = {},
  ): Promise<supertest.Response> {
    const sample = createSample(DOCUMENT, described);
    const body = instead.body === undefined ? sample.body : JSON.stringify(instead.body);
    const isOwn = described.path.startsWith('/auth') && token === undefined;
    const agent = supertest(replica.url);
    const request = agent[described.method](url ?? (await realUrl(sample.url)))
      .set(isOwn ? { Cookie: cookie } : { Authorization: `Bearer ${token ?? ADMIN}` })
      .set(body === undefined ? {} : { 'Content-Type': 'application/json' })
      .set(headers);
    return await (body === undefined ? request : request.send(body));
  }

  /** With ids of what there is instead of those of the examples. */
  async function realUrl(url: string): Promise<string> {
    const [, kind = ''] = /\/(tokens|sessions)\/[^/]+$/.exec(url) ?? [];
    if (kind === 'tokens') {
      return url.replace(/[^/]+$/, tokenId);
    }
    if (kind === 'sessions') {
      const { text } = await supertest(replica.url).get('/auth/sessions').set('Cookie', cookie);
      return url.replace(/[^/]+$/, /"id":"([^"]+)"/.exec(text)?.[1] ?? '');
    }
    return url;
  }

  it('are described at /openapi.json', async () => {
    const { text } = await supertest(replica.url).get('/openapi.json');
    expect(JSON.parse(text)).toEqual(DOCUMENT);
    const { components, paths } = DOCUMENT;
    expect(components.securitySchemes).toMatchObject({
      cookie: { type: 'apiKey', in: 'cookie', name: 'gatepost.sid' },
    });
    expect(paths['/auth/me']?.get?.security).toEqual([{ bearer: ['read'] }, { cookie: ['read'] }]);
    expect(paths['/auth/login']?.post?.security).toEqual([]);
  });

  test.each(CASES)('answer the sample of %s as described', async (_id, described) => {
    const answer = await ask(described);
    expect([answer.text, String(answer.status)]).toEqual([
      answer.text,
      Object.keys(described.operation.responses)[0],
    ]);
    expectDescribed(DOCUMENT, described, answer);
  });

  test.each(BODIES)('take the example of %s', async (_name, described, body) => {
    const answer = await ask(described, { body });
    expect(answer.status).toBeLessThan(300);
    expectDescribed(DOCUMENT, described, answer);
  });

  const FORM = { headers: { 'Content-Type': 'text/plain' }, body: { a: 1 } };

  describe('describe', () => {
    test.each<[number, string, string, Asked]>([
      [400, 'a parameter', 'listAccounts', { url: '/api/accounts?limit=1' }],
      [401, 'a wrong password', 'logIn', { body: { ...ADA, password: 'wrong horse' } }],
      [401, 'no session', 'readCaller', { token: 'gp_none' }],
      [403, 'another origin', 'logIn', { headers: { Origin: 'https://evil.example' } }],
      [403, 'a token of the configuration', 'listSessions', { token: READER }],
      [403, 'a token of the configuration', 'logOut', { token: READER }],
      [403, 'too little scope', 'createAccount', { token: READER }],
      [404, 'no account', 'readAccount', { url: '/api/accounts/nobody' }],
      [404, 'no session', 'endSession', { url: '/auth/sessions/x' }],
      [404, 'no token', 'revokeOwnToken', { url: '/auth/tokens/x' }],
      [409, 'a name that is taken', 'createAccount', { body: { ...ADA, scope: 'read' } }],
      [415, 'a form', 'logIn', FORM],
      [415, 'a form', 'logOut', FORM],
      [415, 'a form', 'deleteAccount', FORM],
      [422, 'no name', 'logIn', { body: { password: 'x' } }],
      [422, 'a wrong password', 'changePassword', { body: { current: 'x', new: 'y' } }],
      [422, 'too much scope', 'createOwnToken', { body: { name: 'x', scope: 'admin' } }],
      [422, 'too much scope', 'createToken', { body: { name: 'x', scope: 'admin' } }],
      [422, 'a short password', 'setAccountPassword', { body: { password: 'x' } }],
    ])('%d for %s in %s', async (status, _what, operationId, asked) => {
      const described = operationOf(DOCUMENT, operationId);
      const answer = await ask(described, asked);
      expect([answer.status, answer.type]).toEqual([status, 'application/problem+json']);
      expectDescribed(DOCUMENT, described, answer);
    });
  });
});
