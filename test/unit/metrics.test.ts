import { beforeEach, describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../src/errors.ts';
import { createMetrics } from '../../src/metrics.ts';
import { createSession, createStatement } from '../support/observations.ts';
import { parsePrometheusText, readSample } from '../support/prometheus-text.ts';
import type { Observation, StatementFinished } from '../../src/observation.ts';

const LISTENER = { listener: 'main' };
const PER_BACKEND = { listener: 'main', backend: 'postgres' };

const BOUND: Observation = {
  kind: 'listener-bound',
  listener: 'main',
  backend: 'postgres',
  address: '127.0.0.1',
  port: 5433,
  connectionsMax: 100,
};

let metrics: ReturnType<typeof createMetrics>;

beforeEach(() => {
  metrics = createMetrics({ version: '1.2.3' });
});

/** The value of one of our series after the observations. */
async function count(
  name: string,
  labels: Readonly<Record<string, string>>,
  ...observations: readonly Observation[]
): Promise<number | undefined> {
  for (const observation of observations) {
    metrics.observe(observation);
  }
  return readSample(await metrics.render(), `gatepost_${name}`, labels);
}

function closed(error?: ServiceError): Observation {
  return {
    kind: 'session-closed',
    session: createSession(),
    durationMs: 1,
    statements: 0,
    rows: 0,
    sentBytes: 0,
    error,
  };
}

describe('render', () => {
  test('has the process and the event loop by their standard names', async () => {
    const names = [...parsePrometheusText(await metrics.render()).keys()];
    expect(names).toEqual(
      expect.arrayContaining([
        'process_cpu_seconds_total',
        'process_resident_memory_bytes',
        'nodejs_eventloop_lag_seconds',
        'nodejs_eventloop_lag_p99_seconds',
        'nodejs_heap_size_used_bytes',
      ]),
    );
  });

  test('names the version', async () => {
    expect(await count('build_info', { version: '1.2.3' })).toBe(1);
  });

  test.each([
    'stats_queries_total',
    'stats_queries_duration_seconds_total',
    'stats_received_bytes_total',
    'stats_sent_bytes_total',
    'stats_rows_total',
  ])('adds nothing to %s when it is rendered again', async (name) => {
    const first = await count(name, PER_BACKEND, createStatement());
    expect(first).toBeGreaterThan(0);
    expect(await count(name, PER_BACKEND)).toBe(first);
  });

  test('keeps two services in one process apart', async () => {
    const other = createMetrics({ version: '9' });
    other.observe(createStatement());
    expect(await count('stats_queries_total', PER_BACKEND)).toBeUndefined();
  });
});

describe('a bound listener', () => {
  test.each([
    ['config_max_client_connections', LISTENER, 100],
    ['pools_client_active_connections', PER_BACKEND, 0],
    ['stats_queries_total', PER_BACKEND, 0],
    ['stats_queries_duration_seconds_total', PER_BACKEND, 0],
    ['stats_received_bytes_total', PER_BACKEND, 0],
    ['stats_sent_bytes_total', PER_BACKEND, 0],
    ['stats_rows_total', PER_BACKEND, 0],
    ['guard_refused_total', LISTENER, 0],
    ['query_timeouts_total', LISTENER, 0],
    ['results_truncated_total', { ...LISTENER, reason: 'rows' }, 0],
    ['results_truncated_total', { ...LISTENER, reason: 'bytes' }, 0],
    ['cancel_requests_total', { ...LISTENER, result: 'rate-limited' }, 0],
    ['connections_rejected_total', { ...LISTENER, reason: 'too-many-connections' }, 0],
    ['connections_rejected_total', { ...LISTENER, reason: 'protocol-violation' }, 0],
  ])('has %s of %j before the first client: %d', async (name, labels, value) => {
    expect(await count(name, labels, BOUND)).toBe(value);
  });

  test('that is bound again keeps what it has counted', async () => {
    metrics.observe(BOUND);
    metrics.observe({ kind: 'session-opened', session: createSession() });
    expect(await count('pools_client_active_connections', PER_BACKEND, BOUND)).toBe(1);
  });
});

describe('finished statements', () => {
  const two = [
    createStatement({ rows: 3, receivedBytes: 20, sentBytes: 500, durationMs: 250 }),
    createStatement({ rows: 4, receivedBytes: 30, sentBytes: 600, durationMs: 500 }),
  ];

  test.each([
    ['stats_queries_total', 2],
    ['stats_queries_duration_seconds_total', 0.75],
    ['stats_received_bytes_total', 50],
    ['stats_sent_bytes_total', 1100],
    ['stats_rows_total', 7],
  ])('add up in %s', async (name, sum) => {
    expect(await count(name, PER_BACKEND, ...two)).toBe(sum);
  });

  test('are told apart by listener and by backend', async () => {
    const session = createSession({ listener: 'second', backend: 'mongodb' });
    metrics.observe(createStatement());
    const labels = { listener: 'second', backend: 'mongodb' };
    expect(await count('stats_queries_total', labels, createStatement({ session }))).toBe(1);
    expect(await count('stats_queries_total', PER_BACKEND)).toBe(1);
  });

  test.each([
    ['0.1', 0],
    ['0.5', 2],
    ['30', 2],
    ['+Inf', 3],
  ])('fall into the duration buckets up to %s s', async (le, expected) => {
    const labels = { backend: 'postgres', outcome: 'ok', le };
    const long = createStatement({ durationMs: 31_000 });
    expect(await count('query_duration_seconds_bucket', labels, ...two, long)).toBe(expected);
  });

  const OUTCOMES: readonly (readonly [
    string,
    Partial<StatementFinished>,
    Readonly<Record<string, string>>,
  ])[] = [
    ['guard_refused_total', { outcome: 'refused', sqlState: '42501' }, LISTENER],
    ['query_timeouts_total', { outcome: 'timeout', sqlState: '57014' }, LISTENER],
    [
      'results_truncated_total',
      { outcome: 'limited', sqlState: '54000', limit: 'rows' },
      { ...LISTENER, reason: 'rows' },
    ],
    [
      'results_truncated_total',
      { outcome: 'truncated', limit: 'bytes' },
      { ...LISTENER, reason: 'bytes' },
    ],
    [
      'errors_total',
      { outcome: 'error', sqlState: '23505' },
      { ...LISTENER, sqlstate_class: '23' },
    ],
    [
      'errors_total',
      { outcome: 'limited', sqlState: '54000', limit: 'rows' },
      { ...LISTENER, sqlstate_class: '54' },
    ],
    [
      'query_duration_seconds_count',
      { outcome: 'aborted' },
      { backend: 'postgres', outcome: 'aborted' },
    ],
  ];

  test.each(OUTCOMES)('count in %s: %j', async (name, changes, labels) => {
    expect(await count(name, labels, createStatement(changes))).toBe(1);
  });

  test('that ended well count in no series of trouble', async () => {
    metrics.observe(BOUND);
    metrics.observe(createStatement());
    const families = parsePrometheusText(await metrics.render());
    for (const name of ['errors_total', 'guard_refused_total', 'results_truncated_total']) {
      const samples = families.get(`gatepost_${name}`)?.samples ?? [];
      expect(samples.filter(({ value }) => value !== 0)).toEqual([]);
    }
  });
});

describe('sessions', () => {
  test('are counted while they are open', async () => {
    const opened: Observation = { kind: 'session-opened', session: createSession() };
    const name = 'pools_client_active_connections';
    expect(await count(name, PER_BACKEND, opened, opened, closed())).toBe(1);
    expect(await count(name, PER_BACKEND, closed())).toBe(0);
  });

  test('that an error ended are counted by its class', async () => {
    const error = new ServiceError('08P01', 'Bad frame', { severity: 'FATAL' });
    const labels = { ...LISTENER, sqlstate_class: '08' };
    expect(await count('session_errors_total', labels, closed(error), closed())).toBe(1);
  });
});

describe('other observations', () => {
  test.each([
    [
      'cancel_requests_total',
      { kind: 'cancel-requested', listener: 'main', address: '10.0.0.9', result: 'unknown' },
      { ...LISTENER, result: 'unknown' },
      1,
    ],
    [
      'connections_rejected_total',
      {
        kind: 'connection-rejected',
        listener: 'main',
        address: '10.0.0.9',
        reason: 'draining',
        detail: '',
      },
      { ...LISTENER, reason: 'draining' },
      1,
    ],
    ['audit_dropped_total', { kind: 'audit-lost', lines: 17, reason: 'ENOSPC' }, {}, 17],
    [
      'backend_up',
      {
        kind: 'backend-probed',
        backend: 'postgres',
        isUp: true,
        durationMs: 1,
        failure: undefined,
      },
      { backend: 'postgres' },
      1,
    ],
    [
      'backend_up',
      { kind: 'backend-probed', backend: 'postgres', isUp: false, durationMs: 1, failure: '57P03' },
      { backend: 'postgres' },
      0,
    ],
  ] as const)('count in %s: %j', async (name, observation, labels, value) => {
    expect(await count(name, labels, observation)).toBe(value);
  });

  test('leave no series when they have nothing to count', async () => {
    const before = parsePrometheusText(await metrics.render()).size;
    metrics.observe({ kind: 'service-stopping', reason: 'SIGTERM' });
    metrics.observe({ kind: 'fault', component: 'relay', error: new Error('x') });
    expect(parsePrometheusText(await metrics.render()).size).toBe(before);
  });
});

describe('what a client chooses', () => {
  test('never becomes a label', async () => {
    const session = createSession({
      sessionId: 'hostile-id',
      user: 'hostile-user',
      database: 'hostile-database',
      applicationName: 'hostile-application',
      address: 'hostile-address',
    });
    const error = new ServiceError('HOSTI', 'hostile-message', { detail: 'hostile-detail' });
    const hostile: readonly Observation[] = [
      { kind: 'session-opened', session },
      createStatement({
        session,
        text: 'hostile-text',
        commandTags: ['hostile-tag'],
        outcome: 'error',
        sqlState: 'HOSTI',
      }),
      {
        kind: 'connection-rejected',
        listener: 'main',
        address: 'hostile-address',
        reason: 'startup-timeout',
        detail: 'hostile-detail',
      },
      {
        kind: 'cancel-requested',
        listener: 'main',
        address: 'hostile-address',
        result: 'unknown',
      },
      {
        kind: 'session-closed',
        session,
        durationMs: 1,
        statements: 1,
        rows: 0,
        sentBytes: 0,
        error,
      },
    ];
    const labels = { ...LISTENER, sqlstate_class: 'other' };
    expect(await count('errors_total', labels, ...hostile)).toBe(1);
    expect(await metrics.render()).not.toMatch(/hosti/i);
  });

  test('makes no new series, however many error codes it raises', async () => {
    for (let code = 0; code < 1000; code += 1) {
      const sqlState = code.toString(36).toUpperCase().padStart(5, 'Z');
      metrics.observe(createStatement({ outcome: 'error', sqlState }));
    }
    const family = parsePrometheusText(await metrics.render()).get('gatepost_errors_total');
    expect(family?.samples).toEqual([
      {
        name: 'gatepost_errors_total',
        labels: { listener: 'main', sqlstate_class: 'other' },
        value: 1000,
      },
    ]);
  });
});
