import { createServer } from 'node:http';
import supertest from 'supertest';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createAccess } from '../../../routes/access.ts';
import type { AccessConfig } from '../../../routes/access.ts';
import { createRateLimit } from '../../../routes/rate-limit.ts';
import type { Accounts } from '../../../src/accounts.ts';
import { hashToken } from '../../../src/api-tokens.ts';
import { createApiApp } from '../../support/api-app.ts';
import { createTokenAccounts } from '../../support/memory-administration.ts';
import type { Server } from 'node:http';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
  }
});

interface Asked {
  readonly token?: string;
  /** What a proxy says the client's address is. */
  readonly from?: string;
  readonly path?: string;
}

/** Asks an application with this limit, and two tokens, as often as one likes. */
function createAsker(
  limit: number,
  { trustProxy = 0, accounts }: { readonly trustProxy?: number; readonly accounts?: Accounts } = {},
): (asked?: Asked) => Promise<supertest.Response> {
  const config: AccessConfig = {
    tokens: ['a', 'b'].map((name) => ({ name, scope: 'read', sha256: hashToken(name) })),
    corsOrigins: [],
    isMetricsOpen: true,
    isLoopbackOnly: true,
  };
  const access = createAccess(config, accounts);
  const app = createApiApp([access.identify, createRateLimit(limit), access.requireScope('read')], {
    trustProxy,
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  servers.push(server);
  return async ({ token, from, path = '/api' } = {}) => {
    const request = supertest(server).get(path);
    if (token !== undefined) {
      void request.set('Authorization', `Bearer ${token}`);
    }
    if (from !== undefined) {
      void request.set('X-Forwarded-For', from);
    }
    return await request;
  };
}

/** The statuses of requests, one after the other. */
async function statusesOf(
  ask: ReturnType<typeof createAsker>,
  requests: readonly Asked[],
): Promise<number[]> {
  const statuses: number[] = [];
  for (const request of requests) {
    statuses.push((await ask(request)).status);
  }
  return statuses;
}

describe('the rate limit', () => {
  test('refuses with 429 who asks too often, and says until when', async () => {
    const ask = createAsker(2);
    expect(await statusesOf(ask, [{ token: 'a' }, { token: 'a' }])).toEqual([200, 200]);
    const response = await ask({ token: 'a' });
    expect(response.status).toBe(429);
    const seconds = Number(response.headers['retry-after']);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(response.body).toEqual({
      detail: 'More than 2 requests within a minute',
      hint: `Retry after ${seconds} seconds; the limit is the setting API_RATE_LIMIT`,
    });
  });

  test('tells each answer how much is left, as draft 8 of its headers writes it', async () => {
    const { headers } = await createAsker(5)({ token: 'a' });
    expect(headers['ratelimit-policy']).toMatch(/^"5-in-1min"; q=5; w=60; pk=:.*:$/);
    expect(headers['ratelimit']).toMatch(/^"5-in-1min"; r=4; t=60$/);
    expect(Object.keys(headers).join()).not.toContain('x-ratelimit');
  });

  test('counts each token for itself, wherever it comes from', async () => {
    const ask = createAsker(1, { trustProxy: 1 });
    const requests = [
      { token: 'a', from: '10.0.0.1' },
      { token: 'a', from: '10.0.0.2' },
      { token: 'b', from: '10.0.0.1' },
    ];
    expect(await statusesOf(ask, requests)).toEqual([200, 429, 200]);
  });

  test('counts all tokens of an account together, apart from others of its name', async () => {
    const accounts = await createTokenAccounts([{ name: 'a' }, { name: 'c' }]);
    const ask = createAsker(2, { accounts });
    const tokens = [accounts.issue('a'), accounts.issue('a'), accounts.issue('a'), 'a'];
    const requests = [...tokens, accounts.issue('c')].map((token) => ({ token }));
    expect(await statusesOf(ask, requests)).toEqual([200, 200, 429, 200, 200]);
  });

  test('counts a refused login for its address, with and without a token', async () => {
    const ask = createAsker(2);
    const requests = [{ token: 'x' }, {}, { token: 'y' }, { token: 'a' }];
    expect(await statusesOf(ask, requests)).toEqual([401, 401, 429, 200]);
  });

  test('believes no X-Forwarded-For that no proxy is trusted for', async () => {
    const ask = createAsker(1);
    const requests = [{ from: '10.0.0.1' }, { from: '10.0.0.2' }, { from: '10.0.0.3' }];
    expect(await statusesOf(ask, requests)).toEqual([401, 429, 429]);
  });

  test('counts by the address that a trusted proxy tells, not by what it was told', async () => {
    const ask = createAsker(1, { trustProxy: 1 });
    const requests = [{ from: '10.0.0.1' }, { from: '10.0.0.2' }, { from: '10.0.0.9, 10.0.0.1' }];
    expect(await statusesOf(ask, requests)).toEqual([401, 401, 429]);
  });

  test('counts the network of an IPv6 address, which has plenty of addresses', async () => {
    const ask = createAsker(1, { trustProxy: 1 });
    const requests = [
      { from: '2001:db8:0:1::1' },
      { from: '2001:db8:0:2::2' },
      { from: '2001:db8:1::1' },
      { from: '::ffff:10.0.0.1' },
      { from: '10.0.0.1' },
    ];
    expect(await statusesOf(ask, requests)).toEqual([401, 429, 401, 401, 429]);
  });

  test('does not count probes', async () => {
    const ask = createAsker(1);
    const probes = ['/livez', '/readyz', '/livez'].map((path) => ({ path, token: 'a' }));
    expect(await statusesOf(ask, [...probes, { token: 'a' }, { token: 'a' }])).toEqual([
      ...[200, 200, 200],
      ...[200, 429],
    ]);
    expect((await ask({ path: '/livez', token: 'a' })).headers).not.toHaveProperty('ratelimit');
  });

  test('is none at 0', async () => {
    const ask = createAsker(0);
    const { status, headers } = await ask({ token: 'a' });
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('ratelimit-policy');
    expect(
      await statusesOf(
        ask,
        Array.from({ length: 20 }, () => ({ token: 'a' })),
      ),
    ).toEqual(Array.from({ length: 20 }, () => 200));
  });
});
