import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../src/errors.ts';
import { toLogEntry } from '../../src/log-entry.ts';
import { createSession, createStatement } from '../support/observations.ts';
import type { LogLevel } from '../../src/log-entry.ts';
import type { Observation } from '../../src/observation.ts';

const SESSION = createSession();

const CLOSED: Extract<Observation, { kind: 'session-closed' }> = {
  kind: 'session-closed',
  session: SESSION,
  durationMs: 10,
  statements: 2,
  rows: 3,
  sentBytes: 400,
  error: undefined,
};

const REQUEST: Extract<Observation, { kind: 'request-finished' }> = {
  kind: 'request-finished',
  requestId: 'id-1',
  caller: 'dashboards',
  address: '10.0.0.9',
  method: 'GET',
  path: '/api/postgres/public/items',
  status: 200,
  durationMs: 2,
  isComplete: true,
};

const STATUS: Extract<Observation, { kind: 'connector-status' }> = {
  kind: 'connector-status',
  type: 'sink',
  key: 'mongodb',
  name: 'Orders',
  status: 'running',
  message: undefined,
};

const CASES: readonly (readonly [LogLevel, Observation, object])[] = [
  [
    'info',
    { kind: 'service-started', version: '1.2.3', durationMs: 5 },
    { version: '1.2.3', duration_ms: 5 },
  ],
  ['info', { kind: 'service-stopping', reason: 'SIGTERM' }, { reason: 'SIGTERM' }],
  ['info', { kind: 'service-stopped', durationMs: 7 }, { duration_ms: 7 }],
  [
    'info',
    { kind: 'component-reported', component: 'http', message: 'HTTP on port 3000' },
    { component: 'http' },
  ],
  ['warn', { kind: 'risk-noticed', component: 'wire', message: 'No TLS' }, { component: 'wire' }],
  [
    'info',
    {
      kind: 'listener-bound',
      listener: 'main',
      backend: 'postgres',
      address: '::1',
      port: 5433,
      connectionsMax: 100,
    },
    { listener: 'main', backend: 'postgres', address: '::1', port: 5433, connections_max: 100 },
  ],
  [
    'debug',
    REQUEST,
    {
      session: 'id-1',
      user: 'dashboards',
      client_addr: '10.0.0.9',
      method: 'GET',
      path: '/api/postgres/public/items',
      status: 200,
      complete: true,
      duration_ms: 2,
    },
  ],
  ['warn', { ...REQUEST, status: 503 }, { status: 503 }],
  [
    'warn',
    {
      kind: 'connection-rejected',
      listener: 'main',
      address: '10.0.0.9',
      reason: 'startup-timeout',
      detail: 'Nothing came',
    },
    {
      listener: 'main',
      client_addr: '10.0.0.9',
      reason: 'startup-timeout',
      detail: 'Nothing came',
    },
  ],
  [
    'info',
    { kind: 'session-opened', session: SESSION },
    { user: 'alice', client_addr: '127.0.0.1' },
  ],
  ['info', CLOSED, { statements: 2, rows: 3, sent_bytes: 400, duration_ms: 10 }],
  [
    'debug',
    createStatement({ outcome: 'limited', sqlState: '54000', limit: 'rows' }),
    { outcome: 'limited', sqlstate: '54000', limit: 'rows', rows: 1, bytes: 12, duration_ms: 2 },
  ],
  [
    'debug',
    { kind: 'cancel-requested', listener: 'main', address: '10.0.0.9', result: 'late' },
    { listener: 'main', client_addr: '10.0.0.9', result: 'late' },
  ],
  [
    'info',
    { kind: 'backend-probed', backend: 'postgres', isUp: true, durationMs: 1, failure: undefined },
    { backend: 'postgres' },
  ],
  [
    'warn',
    { kind: 'backend-probed', backend: 'postgres', isUp: false, durationMs: 1, failure: '57P03' },
    { backend: 'postgres', failure: '57P03' },
  ],
  ['info', STATUS, { connector: 'mongodb', type: 'sink', name: 'Orders', status: 'running' }],
  [
    'warn',
    { ...STATUS, status: 'starting', message: 'Another instance has the lease' },
    { status: 'starting', reason: 'Another instance has the lease' },
  ],
  [
    'error',
    { ...STATUS, status: 'error', message: 'mongodb://app:hunter2@db refused' },
    { status: 'error', reason: 'mongodb://app:***@db refused' },
  ],
  [
    'debug',
    {
      kind: 'connector-batch',
      type: 'sink',
      key: 'mongodb',
      ...{ consumed: 9, produced: 0, delivered: 4, replayed: 3, deadLettered: 1, skipped: 1 },
      errors: 2,
      stages: [{ stage: 'insert', durationMs: 1.5 }],
    },
    {
      ...{ connector: 'mongodb', type: 'sink', consumed: 9, produced: 0, delivered: 4 },
      ...{ replayed: 3, dead_lettered: 1, skipped: 1, errors: 2, insert_ms: 1.5 },
    },
  ],
  ['error', { kind: 'audit-lost', lines: 12, reason: 'ENOSPC' }, { lines: 12, reason: 'ENOSPC' }],
  ['error', { kind: 'fault', component: 'relay', error: new Error('x') }, { component: 'relay' }],
];

describe('toLogEntry', () => {
  test.each(CASES)('gives level %s and the fields of %j', (level, observation, fields) => {
    const entry = toLogEntry(observation);
    expect(entry.level).toBe(level);
    expect(entry.fields).toMatchObject(fields);
    expect(entry.message).not.toBe('');
  });

  test.each([
    ['ok', 'ada'],
    ['disabled', 'ada'],
    ['not-allowed', 'ada'],
    ['refused', undefined],
    ['throttled', undefined],
    ['unavailable', undefined],
  ] as const)('names who logs in where that is proved: %s', (outcome, user) => {
    const login = {
      kind: 'login-finished',
      door: 'main',
      name: 'ada',
      address: '',
      outcome,
    } as const;
    expect(toLogEntry(login).fields['user']).toBe(user);
  });

  test('takes the sentence of a component and of a risk as the message', () => {
    expect(toLogEntry({ kind: 'risk-noticed', component: 'wire', message: 'No TLS' }).message).toBe(
      'No TLS',
    );
  });

  test('has no statement text and no command tag in any field', () => {
    const entry = toLogEntry(
      createStatement({ text: "select 'geheim'", commandTags: ['GEHEIM 1'], outcome: 'error' }),
    );
    expect(JSON.stringify(entry)).not.toMatch(/geheim/i);
  });

  test('tells what ended a session: SQLSTATE, sentence and the reason underneath', () => {
    const error = new ServiceError('08001', 'Cannot reach the database', {
      cause: new Error('connect ECONNREFUSED'),
    });
    expect(toLogEntry({ ...CLOSED, error }).fields).toMatchObject({
      sqlstate: '08001',
      error: 'Cannot reach the database',
      cause: 'connect ECONNREFUSED',
    });
  });

  test('says nothing of an error when a client left in good order', () => {
    expect(Object.keys(toLogEntry(CLOSED).fields)).not.toContain('error');
  });

  test('cuts what a client can make long', () => {
    const entry = toLogEntry({
      kind: 'connection-rejected',
      listener: 'main',
      address: '10.0.0.9',
      reason: 'protocol-violation',
      detail: 'x'.repeat(10_000),
    });
    expect(entry.fields['detail']).toHaveLength(256);
  });
});

describe('toLogEntry of a fault', () => {
  function describeFault(error: unknown): unknown {
    return toLogEntry({ kind: 'fault', component: 'relay', error }).fields['error'];
  }

  test('has the stack and that of the cause', () => {
    const text = describeFault(new TypeError('outer', { cause: new RangeError('inner') }));
    expect(text).toMatch(/^TypeError: outer\n {4}at /);
    expect(text).toMatch(/\nCaused by RangeError: inner\n {4}at /);
  });

  test.each([
    ['a string', 'no space', 'no space'],
    ['an object', { password: 'geheim' }, 'Thrown value of type object'],
    ['nothing', undefined, 'Thrown value of type undefined'],
  ])('is told by its type when %s was thrown', (_name, thrown, text) => {
    expect(describeFault(thrown)).toBe(text);
  });

  test('shows only the stack, none of the properties that drivers add', () => {
    const error = Object.assign(new Error('failed'), { query: "select 'geheim'" });
    expect(describeFault(error)).not.toContain('geheim');
  });

  test('masks the password of every connection string', () => {
    const text = describeFault(
      new Error('bad postgres://ann:geheim@db/shop and mongodb://bob:gehe%40im@db'),
    );
    expect(text).toContain('postgres://ann:***@db/shop and mongodb://bob:***@db');
    expect(text).not.toContain('gehe');
  });

  test('is bounded, however deep the stack', () => {
    const error = new Error('deep');
    error.stack = 'x'.repeat(100_000);
    expect(describeFault(error)).toHaveLength(8192);
  });
});
