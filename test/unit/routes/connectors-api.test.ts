import { createServer } from 'node:http';
import type { Server } from 'node:http';
import supertest from 'supertest';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createApp } from '../../../routes/app.ts';
import { createConnectorsApi } from '../../../routes/connectors-api.ts';
import type { ConnectorsApiOptions } from '../../../routes/connectors-api.ts';
import { createApiToken } from '../../../src/api-tokens.ts';
import { createReadiness } from '../../../src/readiness.ts';
import { createRecorder } from '../../support/observations.ts';

const KEY = 'hunter2';
const PROBES = ['/livez', '/readyz'];
const REST = ['/health', '/metrics', '/connectors', '/connectors/x', '/nothing'];
const { token, sha256 } = createApiToken();
const tokens = [{ name: 'ci', scope: 'read', sha256 }] as const;

const OPEN: ConnectorsApiOptions['access'] = {
  tokens: [],
  rateLimitPerMinute: 0,
  trustProxy: 0,
  corsOrigins: [],
  isMetricsOpen: true,
};

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
  }
});

interface Served {
  readonly access?: Partial<ConnectorsApiOptions['access']>;
  readonly apiKey?: string;
  readonly hasMetrics?: boolean;
}

/** The HTTP of connectors that run alone. */
function serve({ access = {}, apiKey, hasMetrics = true }: Served) {
  const observer = createRecorder();
  const api = createConnectorsApi({
    connectors: { list: () => [], restart: () => Promise.resolve(false) },
    access: { ...OPEN, ...access },
    apiKey,
  });
  const metrics = { render: () => Promise.resolve('up 1\n'), contentType: 'text/plain' };
  const app = createApp({
    version: '1.2.3',
    observer,
    readiness: createReadiness({ observer, probes: [] }),
    metrics: hasMetrics ? metrics : undefined,
    api,
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  servers.push(server);
  return { api, agent: supertest(server) };
}

async function statuses(
  served: Served,
  headers: Readonly<Record<string, string>> = {},
  paths = [...PROBES, ...REST],
): Promise<number[]> {
  const { agent } = serve(served);
  const all: number[] = [];
  for (const path of paths) {
    all.push((await agent.get(path).set(headers)).status);
  }
  return all;
}

describe('without a key and tokens', () => {
  test('everything is answered on loopback', async () => {
    expect(await statuses({})).toEqual([200, 200, 200, 200, 200, 404, 404]);
  });

  test('no web page of another origin is shown connectors', async () => {
    const headers = { Origin: 'https://evil.example.com' };
    expect(await statuses({}, headers, ['/connectors', '/livez'])).toEqual([403, 200]);
  });
});

describe('with a key', () => {
  test('only the probes of an orchestrator are answered without it', async () => {
    expect(await statuses({ apiKey: KEY })).toEqual([200, 200, 401, 401, 401, 401, 401]);
  });

  test('everything is answered with it', async () => {
    const headers = { 'api-key': KEY };
    expect(await statuses({ apiKey: KEY }, headers)).toEqual([200, 200, 200, 200, 200, 404, 404]);
  });

  test.each(['hunter', 'hunter22', 'HUNTER2', ' '])('another one, %j, is refused', async (key) => {
    const headers = { 'api-key': key };
    expect(await statuses({ apiKey: KEY }, headers, REST)).toEqual([401, 401, 401, 401, 401]);
  });

  test('its bearer may restart', async () => {
    const { agent } = serve({ apiKey: KEY });
    const answer = await agent.post('/connectors/x/restart').set('api-key', KEY);
    expect(answer.status).toBe(404);
    expect((await agent.post('/connectors/x/restart')).status).toBe(401);
  });

  test('it is not told, nor what was sent instead', async () => {
    const { agent } = serve({ apiKey: KEY });
    const answer = await agent.get('/connectors').set('api-key', 'hunter3');
    expect(JSON.stringify([answer.headers, answer.text])).not.toMatch(/hunter/);
  });

  test('a token of API_TOKENS is taken beside it', async () => {
    const headers = { Authorization: `Bearer ${token}` };
    const served = { apiKey: KEY, access: { tokens } };
    expect(await statuses(served, headers, REST)).toEqual([200, 200, 200, 404, 404]);
    const { agent } = serve(served);
    expect((await agent.post('/connectors/x/restart').set(headers)).status).toBe(403);
  });
});

describe('with tokens', () => {
  test('connectors need one, and the rest does not', async () => {
    expect(await statuses({ access: { tokens } })).toEqual([200, 200, 200, 200, 401, 401, 404]);
  });

  test('the metrics need one where they are not open', async () => {
    const access = { tokens, isMetricsOpen: false };
    const headers = { Authorization: `Bearer ${token}` };
    expect(await statuses({ access }, {}, ['/metrics'])).toEqual([401]);
    expect(await statuses({ access }, headers, ['/metrics', '/connectors'])).toEqual([200, 200]);
  });
});

describe('the rest of it', () => {
  test('serves no metrics where they are switched off', async () => {
    expect(await statuses({ hasMetrics: false }, {}, ['/metrics', '/health'])).toEqual([404, 200]);
  });

  test('has no REST API', async () => {
    const paths = ['/query', '/api/postgres', '/openapi.json', '/docs'];
    expect(await statuses({}, {}, paths)).toEqual([404, 404, 404, 404]);
  });

  test('bounds how often one may ask, but for the probes', async () => {
    const { agent } = serve({ access: { rateLimitPerMinute: 2 } });
    const asked = ['/connectors', '/connectors', '/connectors', '/livez'];
    const answers = [];
    for (const path of asked) {
      answers.push((await agent.get(path)).status);
    }
    expect(answers).toEqual([200, 200, 429, 200]);
  });

  test('takes no requests once it stops', async () => {
    const { api, agent } = serve({});
    await api.start(AbortSignal.timeout(1000));
    await api.stop(AbortSignal.timeout(1000));
    expect((await agent.get('/connectors')).status).toBe(503);
    expect((await agent.get('/livez')).status).toBe(200);
  });
});
