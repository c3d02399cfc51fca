import { describe, expect, it, test } from '@jest/globals';
import {
  backendTag,
  callerParts,
  fingerprintOf,
  hashKey,
  tableTag,
} from '../../../routes/cached-key.ts';
import type { RequestContext } from '../../../routes/request-context.ts';
import type { Account } from '../../../src/account.ts';

const ACCOUNT: Account = {
  id: '2b0d4a0e-3f9b-4a8e-9d51-3f2f6d6f5a11',
  name: 'ada',
  scope: 'write',
  isDisabled: false,
  limits: {
    rowsMax: undefined,
    bytesMax: undefined,
    queryTimeoutMs: undefined,
    connectionsMax: undefined,
  },
  backends: undefined,
  databases: undefined,
  revision: 3,
  secretRevision: 1,
};

function createContext(changes: Partial<RequestContext> = {}): RequestContext {
  return {
    requestId: 'a request',
    address: '127.0.0.1',
    signal: new AbortController().signal,
    caller: 'ada',
    scope: 'write',
    owner: `account:${ACCOUNT.id}`,
    account: ACCOUNT,
    ...changes,
  };
}

describe('the key of an answer', () => {
  it('has 64 hexadecimal digits, whatever it is of', () => {
    expect(hashKey([])).toMatch(/^[0-9a-f]{64}$/);
    expect(hashKey(['x'.repeat(1_000_000)])).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each([
    [['a', 'b'], ['ab']],
    [
      ['a', 'b'],
      ['b', 'a'],
    ],
    [['a', ''], ['a']],
    [['a","b'], ['a', 'b']],
    [['é'], ['e\u0301']],
    [['null'], ['']],
  ])('%j is another one than %j', (one, other) => {
    expect(hashKey(one)).not.toBe(hashKey(other));
    expect(hashKey(one)).toBe(hashKey([...one]));
  });

  test.each([
    ['another account', { owner: 'account:other', account: { ...ACCOUNT, id: 'other' } }],
    ['the account once it was changed', { account: { ...ACCOUNT, revision: 4 } }],
    ['a token with a smaller scope', { scope: 'read' } as const],
    ['a token of the configuration', { owner: 'token:ada', account: undefined }],
    ['nobody', { owner: undefined, account: undefined }],
  ])('is not for %s', (_title, changes) => {
    const others = callerParts(createContext(changes));
    expect(hashKey(others)).not.toBe(hashKey(callerParts(createContext())));
  });

  it('is the same for the same caller in another request', () => {
    const again = createContext({ requestId: 'another', address: '::1', caller: 'Ada' });
    expect(callerParts(again)).toEqual(callerParts(createContext()));
  });
});

describe('what an answer is read from', () => {
  test.each([
    [tableTag('postgres', 'a.b', 'c'), tableTag('postgres', 'a', 'b.c')],
    [tableTag('postgres', 'a', 'b'), tableTag('mongodb', 'a', 'b')],
    [tableTag('postgres', 'a', 'B'), tableTag('postgres', 'a', 'b')],
    [tableTag('postgres', '', ''), backendTag('postgres')],
    [backendTag('mongodb'), backendTag('postgres')],
  ])('%s is not %s', (one, other) => {
    expect(one).not.toBe(other);
  });
});

describe('what else an answer depends on', () => {
  const dsn = 'postgresql://app:secret@db:5432/shop?sslmode=require';
  const fingerprint = fingerprintOf('1.2.3', dsn, { deny: [] });

  test.each([
    ['another release', '1.2.4', dsn, { deny: [] }],
    ['another server', '1.2.3', dsn.replace('@db', '@other'), { deny: [] }],
    ['another database', '1.2.3', dsn.replace('shop', 'bank'), { deny: [] }],
    ['another user', '1.2.3', dsn.replace('app:', 'root:'), { deny: [] }],
    ['another policy', '1.2.3', dsn, { deny: ['COPY'] }],
  ])('tells %s', (_title, version, place, rules) => {
    expect(fingerprintOf(version, place, rules)).not.toBe(fingerprint);
  });

  test.each([
    ['before the host', dsn.replace('secret', 'new')],
    ['before several hosts', 'mongodb+srv://app:secret@a,b/x', 'mongodb+srv://app:new@a,b/x'],
    ['in a parameter', 'postgresql://db/x?password=secret&a=1', 'postgresql://db/x?password=&a=1'],
  ])('has no password in it: %s', (_title, one, other = dsn) => {
    expect(fingerprintOf('1', one, 0)).toBe(fingerprintOf('1', other, 0));
  });

  it('is the same for replicas that are configured the same', () => {
    expect(fingerprintOf('1.2.3', dsn, { deny: [] })).toBe(fingerprint);
  });
});
