import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createOtelMetrics, STATUS_CODES_MAX } from '../../src/otel-metrics.ts';
import { createSession, createStatement } from '../support/observations.ts';
import type { MetricData } from '@opentelemetry/sdk-metrics';
import type { Observation } from '../../src/observation.ts';

let exporter: InMemoryMetricExporter;
let provider: MeterProvider;

beforeEach(() => {
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  provider = new MeterProvider({
    // The interval is never reached: each test collects when it has observed.
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });
  metrics.setGlobalMeterProvider(provider);
});

afterEach(async () => {
  await provider.shutdown();
  metrics.disable();
});

/** What the SDK has of one instrument after the observations. */
async function measure(
  name: string,
  observations: readonly Observation[],
): Promise<MetricData | undefined> {
  const observer = createOtelMetrics({ version: '1.2.3' });
  for (const observation of observations) {
    observer.observe(observation);
  }
  await provider.forceFlush();
  return exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .filter(({ scope }) => scope.name === 'gatepost' && scope.version === '1.2.3')
    .flatMap((scopeMetrics) => scopeMetrics.metrics)
    .find(({ descriptor }) => descriptor.name === name);
}

/** The attributes of every series that the observations made. */
async function measureAttributes(...observations: readonly Observation[]): Promise<object[]> {
  const data = await measure('db.client.operation.duration', observations);
  return data?.dataPoints.map(({ attributes }) => attributes) ?? [];
}

describe('createOtelMetrics', () => {
  test('measures durations in seconds, in the advised buckets', async () => {
    const data = await measure('db.client.operation.duration', [
      createStatement({ durationMs: 250 }),
      createStatement({ durationMs: 500 }),
    ]);
    expect(data).toMatchObject({
      descriptor: { unit: 's' },
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: [
        {
          attributes: { 'db.system.name': 'postgresql' },
          value: {
            count: 2,
            sum: 0.75,
            buckets: { boundaries: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] },
          },
        },
      ],
    });
  });

  test('measures returned rows', async () => {
    const data = await measure('db.client.response.returned_rows', [
      createStatement({ rows: 3 }),
      createStatement({ rows: 4 }),
    ]);
    expect(data?.dataPoints).toMatchObject([{ value: { count: 2, sum: 7 } }]);
  });

  test('counts open sessions per listener', async () => {
    const session = createSession();
    const opened: Observation = { kind: 'session-opened', session };
    const data = await measure('gatepost.client.connections', [
      opened,
      opened,
      {
        kind: 'session-closed',
        session,
        durationMs: 1,
        statements: 0,
        rows: 0,
        sentBytes: 0,
        error: undefined,
      },
    ]);
    expect(data?.dataPoints).toMatchObject([
      { value: 1, attributes: { 'db.system.name': 'postgresql', 'gatepost.listener': 'main' } },
    ]);
  });

  test.each([
    ['ok', undefined, { 'db.system.name': 'postgresql' }],
    [
      'error',
      '23505',
      {
        'db.system.name': 'postgresql',
        'db.response.status_code': '23505',
        'error.type': 'error',
      },
    ],
    ['aborted', undefined, { 'db.system.name': 'postgresql', 'error.type': 'aborted' }],
  ] as const)('describes an outcome %s with SQLSTATE %s', async (outcome, sqlState, attributes) => {
    expect(await measureAttributes(createStatement({ outcome, sqlState }))).toEqual([attributes]);
  });

  test.each([
    ['postgres', 'postgresql'],
    ['mongodb', 'mongodb'],
    ['another', 'another'],
  ])('calls the backend %s by its conventional name %s', async (backend, name) => {
    const session = createSession({ backend });
    expect(await measureAttributes(createStatement({ session }))).toEqual([
      { 'db.system.name': name },
    ]);
  });

  test('takes nothing that a client chose as an attribute', async () => {
    const session = createSession({
      sessionId: 'hostile',
      user: 'hostile',
      database: 'hostile',
      applicationName: 'hostile',
      address: 'hostile',
    });
    const attributes = await measureAttributes(
      createStatement({ session, text: 'hostile', outcome: 'error', sqlState: 'HOSTI' }),
    );
    expect(JSON.stringify(attributes)).not.toMatch(/hosti/i);
    expect(attributes).toMatchObject([{ 'db.response.status_code': '_OTHER' }]);
  });

  test('bounds the codes that clients can raise within a known class', async () => {
    const statements = Array.from({ length: 2 * STATUS_CODES_MAX }, (_, index) =>
      createStatement({ outcome: 'error', sqlState: `22${String(index).padStart(3, '0')}` }),
    );
    const attributes = await measureAttributes(...statements);
    expect(attributes).toHaveLength(STATUS_CODES_MAX + 1);
    expect(attributes).toContainEqual({
      'db.system.name': 'postgresql',
      'db.response.status_code': '_OTHER',
      'error.type': 'error',
    });
  });

  test('ignores what is for readers of the log', async () => {
    const stopping: Observation = { kind: 'service-stopping', reason: 'SIGTERM' };
    expect(await measureAttributes(stopping)).toEqual([]);
  });

  test('does nothing, and does not fail, without an SDK', () => {
    metrics.disable();
    const observer = createOtelMetrics({ version: '1.2.3' });
    expect(() => observer.observe(createStatement())).not.toThrow();
  });
});
