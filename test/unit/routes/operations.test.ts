import express from 'express';
import supertest from 'supertest';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../../src/errors.ts';
import { createMetrics } from '../../../src/metrics.ts';
import { createReadiness } from '../../../src/readiness.ts';
import { createOperations } from '../../../routes/operations.ts';
import { parsePrometheusText, readSample } from '../../support/prometheus-text.ts';

const PATHS = ['/livez', '/readyz', '/health', '/metrics'];

/** What the backends of the probes are doing. */
let isPostgresUp: boolean;
let isMongodbUp: boolean;
let probeCount: number;
let readiness: ReturnType<typeof createReadiness>;
let request: ReturnType<typeof supertest>;

beforeEach(() => {
  isPostgresUp = true;
  isMongodbUp = true;
  probeCount = 0;
  const metrics = createMetrics({ version: '1.2.3' });
  readiness = createReadiness({
    observer: metrics,
    listeners: ['main'],
    probes: [
      { backend: 'postgres', isRequired: true, probe: () => answer(isPostgresUp) },
      { backend: 'mongodb', isRequired: false, probe: () => answer(isMongodbUp) },
    ],
  });
  readiness.setListening('main', true);
  request = supertest(express().use(createOperations({ version: '1.2.3', readiness, metrics })));
});

function answer(isUp: boolean): Promise<void> {
  probeCount += 1;
  const error = new ServiceError('08001', 'Cannot reach postgres://ann:geheim@db1.example:5432');
  return isUp ? Promise.resolve() : Promise.reject(error);
}

describe('/livez', () => {
  test('is well while the process answers, whatever the backends do', async () => {
    isPostgresUp = false;
    readiness.startDraining();
    const response = await request.get('/livez');
    expect(response.status).toBe(200);
    expect(response.body).toEqual({ status: 'ok' });
    expect(probeCount).toBe(0);
  });
});

describe('/readyz', () => {
  test('is ready when listeners are bound and backends answer', async () => {
    const response = await request.get('/readyz');
    expect(response.status).toBe(200);
    expect(response.type).toBe('application/json');
    expect(response.body).toEqual({ status: 'ready' });
  });

  test('is ready without an optional backend', async () => {
    isMongodbUp = false;
    expect((await request.get('/readyz')).status).toBe(200);
  });

  test('is not ready without a required one, and says which and why by its code', async () => {
    isPostgresUp = false;
    isMongodbUp = false;
    const response = await request.get('/readyz');
    expect(response.status).toBe(503);
    expect(response.body).toEqual({
      status: 'unready',
      reasons: ['Backend postgres does not answer (08001)'],
    });
  });

  test('is not ready while it drains or lacks a listener, and names each reason', async () => {
    readiness.startDraining();
    readiness.setListening('main', false);
    const response = await request.get('/readyz');
    expect(response.status).toBe(503);
    expect(response.body).toEqual({
      status: 'unready',
      reasons: ['Gatepost is shutting down', 'Listener main is not bound'],
    });
  });
});

describe('/health', () => {
  test('tells the parts apart', async () => {
    isMongodbUp = false;
    const response = await request.get('/health');
    expect(response.status).toBe(200);
    expect(response.body).toEqual({
      status: 'ready',
      version: '1.2.3',
      uptimeSeconds: expect.any(Number),
      isDraining: false,
      listeners: [{ listener: 'main', isBound: true }],
      backends: [
        {
          backend: 'postgres',
          isRequired: true,
          isUp: true,
          latencyMs: expect.any(Number),
          failure: null,
        },
        {
          backend: 'mongodb',
          isRequired: false,
          isUp: false,
          latencyMs: expect.any(Number),
          failure: '08001',
        },
      ],
    });
  });

  test('is 503 exactly when /readyz is', async () => {
    isPostgresUp = false;
    const response = await request.get('/health');
    expect(response.status).toBe(503);
    expect(response.body).toMatchObject({ status: 'unready' });
  });
});

describe('/metrics', () => {
  test('is Prometheus text', async () => {
    const response = await request.get('/metrics');
    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(parsePrometheusText(response.text).size).toBeGreaterThan(30);
  });

  test('probes first, so that the state of the backends is that of now', async () => {
    isMongodbUp = false;
    const { text } = await request.get('/metrics');
    expect(readSample(text, 'gatepost_backend_up', { backend: 'postgres' })).toBe(1);
    expect(readSample(text, 'gatepost_backend_up', { backend: 'mongodb' })).toBe(0);
  });

  test('works while a required backend is down', async () => {
    isPostgresUp = false;
    expect((await request.get('/metrics')).status).toBe(200);
  });
});

describe('every path', () => {
  test('shares the cached probes with the others', async () => {
    await request.get('/readyz');
    await request.get('/health');
    await request.get('/metrics');
    expect(probeCount).toBe(2);
  });

  test.each(PATHS)('%s tells nobody hosts, users or error texts', async (path) => {
    isPostgresUp = false;
    isMongodbUp = false;
    const { text } = await request.get(path);
    expect(text).not.toMatch(/postgres:\/\/|ann|geheim|db1|5432|Cannot reach/);
  });

  test.each(PATHS)('%s answers HEAD as GET without a body', async (path) => {
    const [get, head] = [await request.get(path), await request.head(path)];
    expect(head.status).toBe(get.status);
    expect(head.headers['content-type']).toBe(get.headers['content-type']);
    expect(head.text).toBeFalsy();
  });

  test.each(PATHS)('%s answers OPTIONS with what it allows', async (path) => {
    const response = await request.options(path);
    expect([response.status, response.headers['allow']]).toEqual([204, 'GET, HEAD, OPTIONS']);
  });

  const REFUSED = PATHS.flatMap((path) =>
    (['post', 'put', 'patch', 'delete'] as const).map((method) => [method, path] as const),
  );
  test.each(REFUSED)('%s %s is refused with what is allowed', async (method, path) => {
    const response = await request[method](path);
    expect(response.status).toBe(405);
    expect(response.headers['allow']).toBe('GET, HEAD, OPTIONS');
    expect(response.type).toBe('application/problem+json');
    expect(response.body).toEqual({
      type: 'about:blank',
      title: 'Method Not Allowed',
      status: 405,
      detail: 'This path answers GET, HEAD, OPTIONS only',
    });
  });
});
