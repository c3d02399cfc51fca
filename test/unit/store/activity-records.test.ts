import { describe, expect, it, test } from '@jest/globals';
import type { LoginOutcome, Observation, RequestFinished } from '../../../src/observation.ts';
import {
  ACTIVITY_OUTCOMES,
  toActivityEntry,
  toActivityRecord,
} from '../../../src/store/activity-records.ts';
import { TextKeeper, WAITING_TEXT_LENGTH_MAX } from '../../../src/store/kept-text.ts';
import type { ActivityEntry } from '../../../src/store/activity-records.ts';
import type { StoredRecord } from '../../../src/store/record-insert.ts';
import { WAITING_BYTES_MAX } from '../../../src/store/record-writer.ts';
import { createSession, createStatement } from '../../support/observations.ts';

const REQUEST: RequestFinished = {
  kind: 'request-finished',
  requestId: 'r-1',
  caller: 'ada',
  owner: 'account:7',
  webSessionId: 'w-1',
  address: '10.0.0.7',
  method: 'GET',
  path: '/api/postgres/public/people/1',
  status: 200,
  durationMs: 1.23456,
  isComplete: true,
};

/** Without what is undefined, as it is written. */
function recordOf(observation: Observation): Record<string, unknown> | undefined {
  const texts = new TextKeeper();
  const entry = toActivityEntry(observation, texts);
  const record: StoredRecord | undefined = entry && toActivityRecord(entry, texts);
  return (
    record && Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
  );
}

describe('a statement', () => {
  it('is kept with whose it is, where it ran and how it ended', () => {
    const session = createSession({ owner: 'account:7', user: 'ada' });
    const statement = createStatement({ session, durationMs: 2.00049, sqlState: '22012' });
    expect(recordOf({ ...statement, outcome: 'error' })).toEqual({
      _id: expect.anything(),
      at: expect.any(Date),
      meta: { owner: 'account:7', backend: 'postgres', door: 'main', outcome: 'error' },
      kind: 'statement',
      account: 'ada',
      session: session.sessionId,
      database: 'shop',
      text: 'select 1',
      textSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      textBytes: 8,
      rows: 1,
      bytes: 12,
      durationMs: 2,
      sqlState: '22012',
      address: '127.0.0.1',
    });
  });

  it('over HTTP has the request and its route, and the session of the cookie', () => {
    const session = createSession({
      listener: 'http',
      sessionId: 'r-1',
      webSessionId: 'w-1',
      applicationName: 'POST /query',
    });
    const record = recordOf(createStatement({ session }));
    expect(record).toMatchObject({ request: 'r-1', session: 'w-1', route: 'POST /query' });
  });

  it('is of nobody where the user is only what the client says', () => {
    const record = recordOf(createStatement({ session: createSession({ user: 'root' }) }));
    expect(record).toMatchObject({ account: 'anonymous', meta: { owner: null } });
  });

  it('has no secrets in its text', () => {
    const record = recordOf(createStatement({ text: "alter role a password 'x'" }));
    expect(record?.['text']).toBe('alter role a password ***');
  });

  it('waits with the beginning of a huge text only', () => {
    const text = 'x '.repeat(4 * 1024 * 1024);
    const entry = toActivityEntry(createStatement({ text }), new TextKeeper());
    expect(entry?.heldBytes).toBeLessThan(2 * WAITING_TEXT_LENGTH_MAX + 1000);
    expect(JSON.stringify(entry).length).toBeLessThan(WAITING_TEXT_LENGTH_MAX + 1000);
    const record = entry && toActivityRecord(entry, new TextKeeper());
    expect(record).toMatchObject({ textBytes: text.length, isHashOfBeginning: true });
  });

  it('that comes again waits without its text', () => {
    const texts = new TextKeeper();
    const statement = createStatement({ text: `select '${'x'.repeat(900)}'` });
    const first = toActivityEntry(statement, texts);
    const record = first && toActivityRecord(first, texts);
    const second = toActivityEntry(statement, texts);
    expect(first?.heldBytes).toBeGreaterThan(1800);
    expect(second?.heldBytes).toBeLessThan(1000);
    expect(second && toActivityRecord(second, texts)['text']).toBe(record?.['text']);
  });

  it('takes no more room for the names that a client chooses', () => {
    const session = createSession({ user: 'u'.repeat(9999), database: 'd'.repeat(9999) });
    expect(recordOf(createStatement({ session }))?.['database']).toHaveLength(256);
  });
});

describe('a request', () => {
  it('is kept with its route and status', () => {
    expect(recordOf(REQUEST)).toEqual({
      _id: expect.anything(),
      at: expect.any(Date),
      meta: { owner: 'account:7', backend: null, door: 'http', outcome: 'ok' },
      kind: 'request',
      account: 'ada',
      session: 'w-1',
      request: 'r-1',
      route: 'GET /api/postgres/public/people/1',
      status: 200,
      durationMs: 1.235,
      address: '10.0.0.7',
    });
  });

  test.each([
    [200, 'ok'],
    [304, 'ok'],
    [400, 'error'],
    [401, 'refused'],
    [403, 'refused'],
    [404, 'error'],
    [429, 'refused'],
    [503, 'error'],
    [504, 'timeout'],
  ])('of status %i ended as %s', (status, outcome) => {
    expect(recordOf({ ...REQUEST, status })).toMatchObject({ meta: { outcome } });
  });

  it('whose client has gone was aborted', () => {
    expect(recordOf({ ...REQUEST, isComplete: false })).toMatchObject({
      meta: { outcome: 'aborted' },
    });
  });

  it('has no secrets in its path, and no end that is too far', () => {
    const route = recordOf({ ...REQUEST, path: `/x/postgres://u:Zq9@h/${'y'.repeat(9999)}` });
    expect(route?.['route']).not.toContain('Zq9');
    expect(String(route?.['route']).length).toBeLessThan(1100);
  });

  test.each(['/livez', '/readyz', '/health', '/metrics', '/docs', '/openapi.json', '/Health/'])(
    'of %s is not kept',
    (path) => {
      expect(recordOf({ ...REQUEST, path })).toBeUndefined();
    },
  );
});

describe('a login', () => {
  const login = (outcome: LoginOutcome): Observation => ({
    ...{ kind: 'login-finished', door: 'main', name: 'ada', address: '10.0.0.7', outcome },
  });

  it('is kept with the name that was given, and is nobody’s own', () => {
    expect(recordOf(login('refused'))).toEqual({
      _id: expect.anything(),
      at: expect.any(Date),
      meta: { owner: null, backend: null, door: 'main', outcome: 'refused' },
      kind: 'login',
      account: 'ada',
      address: '10.0.0.7',
    });
  });

  test.each(['ok', 'refused', 'disabled', 'not-allowed', 'throttled', 'unavailable'] as const)(
    'that ends as %s can be looked for',
    (outcome) => {
      expect(recordOf(login(outcome))).toMatchObject({ meta: { outcome } });
      expect(ACTIVITY_OUTCOMES).toContain(outcome);
    },
  );
});

test('what a client chooses takes no more room than is counted', () => {
  const path = `/${'x'.repeat(15 * 1024)}`;
  const name = 'n'.repeat(15 * 1024);
  const address = '10.0.0.7';
  const long: readonly Observation[] = [
    { ...REQUEST, path, caller: name },
    { kind: 'login-finished', door: 'main', name, address, outcome: 'refused' },
  ];
  for (const observation of long) {
    const entry = toActivityEntry(observation, new TextKeeper());
    const { length } = JSON.stringify(entry);
    expect(length).toBeLessThan(2000);
    expect(entry?.heldBytes).toBeGreaterThan(length);
  }
});

test('a login that is proved is its account’s own', () => {
  const owner = 'account:7';
  const record = recordOf({
    ...{ kind: 'login-finished', door: 'main', name: 'ada', owner, address: '', outcome: 'ok' },
  });
  expect(record).toMatchObject({ account: 'ada', meta: { owner, outcome: 'ok' } });
});

test('25 000 requests with long paths wait within the bound of bytes', () => {
  const texts = new TextKeeper();
  const waiting: ActivityEntry[] = [];
  let heldBytes = 0;
  for (let index = 0; index < 25_000; index += 1) {
    const path = `/${index}${'x'.repeat(15 * 1024)}`;
    const entry = toActivityEntry({ ...REQUEST, path }, texts);
    // As the writer takes them.
    if (entry !== undefined && heldBytes + entry.heldBytes <= WAITING_BYTES_MAX) {
      heldBytes += entry.heldBytes;
      waiting.push(entry);
    }
  }
  const pathBytes = waiting.map((entry) => ('path' in entry ? 2 * entry.path.length : 0));
  expect(waiting.length).toBeGreaterThan(1000);
  expect(pathBytes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(WAITING_BYTES_MAX);
});

test('nothing else is kept', () => {
  expect(recordOf({ kind: 'service-stopping', reason: 'SIGTERM' })).toBeUndefined();
  expect(recordOf({ kind: 'session-opened', session: createSession() })).toBeUndefined();
});
