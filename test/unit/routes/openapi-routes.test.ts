// The API's description against the routes that there are, in the app as the service has it.
import { createServer } from 'node:http';
import supertest from 'supertest';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { createApi } from '../../../routes/api.ts';
import { createApp } from '../../../routes/app.ts';
import { createSample } from '../../../routes/docs-sample.ts';
import { createOpenApiDocument } from '../../../routes/openapi.ts';
import { scopeOf } from '../../../routes/openapi-security.ts';
import { operationsOf, responsesOf } from '../../../routes/openapi-walk.ts';
import type { DescribedOperation } from '../../../routes/openapi-walk.ts';
import { hashToken } from '../../../src/api-tokens.ts';
import type { Limits } from '../../../src/config.ts';
import { createActivityReader } from '../../../src/store/activity-reader.ts';
import { StoreClient } from '../../../src/store/store-client.ts';
import { createReadiness } from '../../../src/readiness.ts';
import {
  createEmptyAdministration,
  createTokenAccounts,
} from '../../support/memory-administration.ts';
import { createRecorder } from '../../support/observations.ts';
import type { Server } from 'node:http';
import type { Express } from 'express';

const BACKENDS = {
  ...{ hasPostgres: true, hasMongodb: true, hasConnectors: true, hasAccounts: true },
  hasActivity: true,
};
const document = createOpenApiDocument({ version: '1.2.3', ...BACKENDS });
const operations = operationsOf(document.paths);
const named = operations.map((one): [string, DescribedOperation] => [
  one.operation.operationId,
  one,
]);

const READER = 'gp_reader';
const ADMIN = 'gp_admin';

const limits: Limits = {
  rowsMax: 10,
  bytesMax: 1000,
  queryTimeoutMs: 1000,
  onLimit: 'truncate',
};
const policy = { allow: [], deny: [], access: 'read-write' } as const;
const pool = { connectionsMax: 1, idleTimeoutMs: 1000, acquireTimeoutMs: 1000 };
const shared = { limits, idleTimeoutMs: 1000, pool, isRequired: false };

/** The app in front of databases that nobody asks here. */
async function createWholeApp(): Promise<Express> {
  const observer = createRecorder();
  const options = {
    version: '1.2.3',
    observer,
    upstreams: {
      postgres: () => 'postgres://127.0.0.1:1/',
      mongodb: () => 'mongodb://127.0.0.1:1',
    },
    connectors: { list: () => [], restart: () => Promise.resolve(false) },
    activity: createActivityReader({ client: new StoreClient(() => ''), retentionMs: 1000 }),
    accounts: await createTokenAccounts([{ name: 'ada' }]),
    administration: createEmptyAdministration,
    config: {
      tokens: [
        { name: 'reader', scope: 'read', sha256: hashToken(READER) },
        { name: 'admin', scope: 'admin', sha256: hashToken(ADMIN) },
      ],
      rateLimitPerMinute: 1000,
      trustProxy: 0,
      isLoopbackOnly: true,
      corsOrigins: [],
      isMetricsOpen: false,
      tables: { allow: [], deny: [], readOnly: [] },
      postgres: { ...shared, upstreamDsn: undefined, policy },
      mongodb: {
        ...shared,
        mongodbUri: undefined,
        policy: { ...policy, isJavaScriptAllowed: false },
      },
    },
  } as const;
  return createApp({
    version: '1.2.3',
    observer,
    readiness: createReadiness({ observer, probes: [] }),
    metrics: { render: () => Promise.resolve(''), contentType: 'text/plain' },
    api: await createApi(options),
  });
}

const LAYERS = z.array(
  z.object({ route: z.object({ path: z.string() }).optional(), handle: z.unknown() }),
);

/** The paths of all routes of an app or router, those of routers within it included. */
function pathsOf(router: unknown): string[] {
  // A router is a function, and a handler too, which has no layers.
  const stack = typeof router === 'function' && 'stack' in router ? router.stack : [];
  return LAYERS.parse(stack).flatMap(({ route, handle }) =>
    route === undefined ? pathsOf(handle) : [toTemplate(route.path)],
  );
}

/** As the description writes a path of Express. */
function toTemplate(path: string): string {
  return path.replace(/[:*](\w+)/g, '{$1}');
}

let app: Express;
let server: Server;

beforeAll(async () => {
  app = await createWholeApp();
  server = createServer(app).listen(0, '127.0.0.1');
});

afterAll(() => {
  server.close();
});

describe('paths', () => {
  it('are described if they are mounted, and mounted if they are described', () => {
    const mounted = [...new Set(pathsOf(app.router))].sort();
    expect(mounted).toEqual(Object.keys(document.paths).sort());
  });

  test.each(Object.keys(document.paths))(
    '%s answers the methods that are described',
    async (path) => {
      const described = operations.filter((one) => one.path === path);
      const [first] = described;
      const { url } = createSample(document, first!);
      const response = await supertest(server).options(url).set('Authorization', `Bearer ${ADMIN}`);
      const allowed = response.get('Allow')?.split(', ') ?? [];
      const methods = described.map(({ method }) => method.toUpperCase());
      expect(response.status).toBe(204);
      expect(allowed.filter((method) => !['HEAD', 'OPTIONS'].includes(method)).sort()).toEqual(
        methods.sort(),
      );
      expect(allowed.includes('HEAD')).toBe(methods.includes('GET'));
    },
  );

  test.each(Object.keys(document.paths))('%s answers no other method', async (path) => {
    const [first] = operations.filter((one) => one.path === path);
    const { url } = createSample(document, first!);
    const response = await supertest(server).trace(url).set('Authorization', `Bearer ${ADMIN}`);
    expect(response.status).toBe(405);
    expect(response.type).toBe('application/problem+json');
    expect(response.get('Allow')).toBe(
      (await supertest(server).options(url).set('Authorization', `Bearer ${ADMIN}`)).get('Allow'),
    );
  });
});

/** Sends something that is refused before any database is asked, if the token is not. */
async function ask(described: DescribedOperation, token?: string): Promise<supertest.Response> {
  const { url, method } = createSample(document, described);
  const [path = ''] = url.split('?');
  const agent = supertest(server);
  const request = agent[described.method](`${path}?unknown=1&limit=0`);
  expect(request.method).toBe(method);
  return await (token === undefined ? request : request.set('Authorization', `Bearer ${token}`));
}

describe('scopes', () => {
  test.each(named)('of %s are asked for as they are described', async (_id, described) => {
    const scope = scopeOf(described.operation.security);
    const statuses = [
      await ask(described),
      await ask(described, READER),
      await ask(described, ADMIN),
    ];
    const isRefused = statuses.map(({ status }) => [401, 403].includes(status));
    const isAboveRead = scope === 'write' || scope === 'admin';
    expect(isRefused).toEqual([scope !== undefined, isAboveRead, false]);
    for (const { status } of statuses) {
      expect(Object.keys(described.operation.responses)).toContain(String(status));
    }
  });

  it("are read for what reads or is one's own, write for what writes, admin for the rest", () => {
    const scoped = operations.filter(({ operation }) => scopeOf(operation.security) !== undefined);
    const byMethod = new Set(
      scoped.map(({ method, operation }) => `${method} ${String(scopeOf(operation.security))}`),
    );
    expect([...byMethod].sort()).toEqual([
      'delete admin',
      'delete read',
      'delete write',
      'get admin',
      'get read',
      'patch admin',
      'patch write',
      'post admin',
      'post read',
      'post write',
      'put write',
    ]);
  });
});

describe('headers', () => {
  test.each(named)('of %s are those that are described', async (_id, described) => {
    const responses = responsesOf(document, described.operation);
    for (const response of [await ask(described), await ask(described, ADMIN)]) {
      const found = responses.find(({ status }) => status === String(response.status));
      const headers = Object.keys(found?.response.headers ?? {});
      for (const header of ['X-Request-Id', 'Cache-Control', 'RateLimit', 'RateLimit-Policy']) {
        expect([header, headers.includes(header)]).toEqual([
          header,
          response.get(header) !== undefined,
        ]);
      }
    }
  });
});
