import express from 'express';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import supertest from 'supertest';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAccess } from '../../../routes/access.ts';
import { createConnectorsRoutes } from '../../../routes/connectors.ts';
import { createErrorHandler } from '../../../routes/error-handler.ts';
import { createOpenApiDocument } from '../../../routes/openapi.ts';
import { refSchema } from '../../../routes/openapi-schemas.ts';
import { identifyRequest } from '../../../routes/request-id.ts';
import { hashToken } from '../../../src/api-tokens.ts';
import type { ConnectorsControl, ShownConnector } from '../../../src/connectors-control.ts';
import { createRecorder } from '../../support/observations.ts';
import { checkerOf } from '../../support/openapi.ts';

const SINK: ShownConnector = {
  key: 'mongodb',
  type: 'sink',
  name: 'Orders',
  isEnabled: true,
  status: 'error',
  lastError: { message: 'The database refused', at: new Date('2026-01-02T03:04:05.006Z') },
  streams: [{ stream: 'shop', topics: ['orders'], batch_length: 1000 }],
  pluginConfig: { connection_uri: 'mongodb://app***', batch_size: 100 },
  counters: { received: 9, delivered: 4, replayed: 3, deadLettered: 1, skipped: 1, errors: 2 },
};
const SOURCE: ShownConnector = { ...SINK, type: 'source', status: 'running', lastError: undefined };
const OTHER: ShownConnector = { ...SOURCE, key: 'a b/c', isEnabled: false, status: 'stopped' };

/** As it is sent; what is undefined is null. */
const describedOf = (connector: ShownConnector): object => ({
  ...connector,
  lastError: connector.lastError
    ? { message: 'The database refused', at: '2026-01-02T03:04:05.006Z' }
    : null,
});

const document = createOpenApiDocument({
  version: '1',
  hasPostgres: false,
  hasMongodb: false,
  hasConnectors: true,
});

let connectors: ShownConnector[];
let restarted: [string, string][];
let server: Server;

const control: ConnectorsControl = {
  list: () => connectors,
  restart: async (type, key) => {
    restarted.push([type, key]);
    // Another one may have been taken away between the look and the restart.
    return await Promise.resolve(key !== 'gone' && !(key === 'late' && type === 'sink'));
  },
};

beforeEach(() => {
  connectors = [SINK, SOURCE, OTHER];
  restarted = [];
  const tokens = (['read', 'write', 'admin'] as const).map((scope) => ({
    name: scope,
    scope,
    sha256: hashToken(scope),
  }));
  const access = createAccess({
    tokens,
    corsOrigins: [],
    isMetricsOpen: true,
    isLoopbackOnly: true,
  });
  const app = express();
  app.set('query parser', 'simple');
  app.use(
    identifyRequest,
    access.identify,
    access.guard,
    createConnectorsRoutes({ connectors: control }),
    createErrorHandler(createRecorder()),
  );
  server = createServer(app).listen(0, '127.0.0.1');
});

afterEach(() => {
  server.close();
});

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function ask(method: 'get' | 'post', path: string, token = 'admin'): Promise<Answer> {
  return await supertest(server)[method](path).set('Authorization', `Bearer ${token}`);
}

describe('GET /connectors', () => {
  test('shows each of them, as it is described', async () => {
    const { status, body } = await ask('get', '/connectors', 'read');
    expect([status, body]).toEqual([200, { items: connectors.map(describedOf) }]);
    expect(checkerOf(document, refSchema('ConnectorList')).safeParse(body).error).toBeUndefined();
  });

  test('shows that there are none', async () => {
    connectors = [];
    expect((await ask('get', '/connectors')).body).toEqual({ items: [] });
  });

  test('takes no parameter', async () => {
    const { status, body } = await ask('get', '/connectors?type=sink');
    expect([status, body]).toMatchObject([400, { fields: [{ field: 'type' }] }]);
  });
});

describe('GET /connectors/{key}', () => {
  test.each([
    ['/connectors/mongodb?type=sink', SINK],
    ['/connectors/mongodb?type=source', SOURCE],
    ['/connectors/a%20b%2Fc', OTHER],
    ['/connectors/a%20b%2Fc?type=source', OTHER],
  ])('%s shows it, as it is described', async (path, connector) => {
    const { status, body } = await ask('get', path, 'read');
    expect([status, body]).toEqual([200, describedOf(connector)]);
    expect(checkerOf(document, refSchema('Connector')).safeParse(body).error).toBeUndefined();
  });

  test('asks which one is meant where there are two', async () => {
    const { status, body } = await ask('get', '/connectors/mongodb');
    expect([status, body]).toMatchObject([
      409,
      {
        detail: 'A sink and a source have the key "mongodb"',
        hint: 'Say which one is meant: ?type=sink or ?type=source',
      },
    ]);
  });

  test('does not ask where there is one', async () => {
    connectors = [SINK];
    expect((await ask('get', '/connectors/mongodb')).status).toBe(200);
  });

  test('does not ask where both are of one type, which their files wrongly say', async () => {
    connectors = [SINK, { ...SINK, name: 'Orders too' }];
    const { status, body } = await ask('get', '/connectors/mongodb');
    expect([status, body]).toEqual([200, describedOf(SINK)]);
    expect((await ask('post', '/connectors/mongodb/restart')).status).toBe(204);
  });

  test.each([
    ['/connectors/nobody', 'No connector has the key "nobody"'],
    ['/connectors/a%20b%2Fc?type=sink', 'No sink has the key "a b/c"'],
    ['/connectors/toString', 'No connector has the key "toString"'],
  ])('%s is not found: %s', async (path, detail) => {
    const { status, body } = await ask('get', path);
    expect([status, body]).toMatchObject([404, { detail }]);
  });

  test.each(['?type=Sink', '?type=', '?type=sink&type=source', '?typ=sink', '?type[]=sink'])(
    'does not take %s',
    async (search) => {
      const { status, body } = await ask('get', `/connectors/mongodb${search}`);
      expect([status, body]).toMatchObject([400, { fields: [{}] }]);
    },
  );
});

describe('POST /connectors/{key}/restart', () => {
  test.each([
    ['mongodb', '?type=sink', ['sink', 'mongodb']],
    ['mongodb', '?type=source', ['source', 'mongodb']],
    ['a%20b%2Fc', '', ['source', 'a b/c']],
  ])('restarts %s%s', async (key, search, expected) => {
    const response = await ask('post', `/connectors/${key}/restart${search}`);
    expect([response.status, response.text, restarted]).toEqual([204, '', [expected]]);
  });

  test('restarts none of two', async () => {
    expect((await ask('post', '/connectors/mongodb/restart')).status).toBe(409);
    expect(restarted).toEqual([]);
  });

  test.each([
    ['', ['sink', 'source']],
    ['?type=source', ['source']],
  ])('starts one whose file defines it only now%s', async (search, types) => {
    expect((await ask('post', `/connectors/late/restart${search}`)).status).toBe(204);
    expect(restarted).toEqual(types.map((type) => [type, 'late']));
  });

  test('says when it is gone meanwhile', async () => {
    connectors = [{ ...SINK, key: 'gone' }];
    expect((await ask('post', '/connectors/gone/restart')).status).toBe(404);
    expect(restarted).toEqual([['sink', 'gone']]);
  });

  test.each(['read', 'write', 'nobody'])('is not for %s', async (token) => {
    const { status } = await ask('post', '/connectors/mongodb/restart?type=sink', token);
    expect(status).toBe(token === 'nobody' ? 401 : 403);
    expect(restarted).toEqual([]);
  });

  test('is no GET', async () => {
    const { status, headers } = await ask('get', '/connectors/mongodb/restart');
    expect([status, headers['allow']]).toEqual([405, 'POST, OPTIONS']);
  });
});

describe('without a token', () => {
  test.each(['/connectors', '/connectors/mongodb', '/connectors/nobody', '/connectors/x/y'])(
    'nobody learns what is at %s',
    async (path) => {
      expect((await supertest(server).get(path)).status).toBe(401);
    },
  );
});
