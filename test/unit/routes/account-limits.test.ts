import { describe, expect, it, test } from '@jest/globals';
import { limitsOf, refuseStatement } from '../../../routes/account-limits.ts';
import type { Account } from '../../../src/account.ts';
import type { Limits } from '../../../src/config.ts';

const NO_LIMITS: Account['limits'] = {
  rowsMax: undefined,
  bytesMax: undefined,
  queryTimeoutMs: undefined,
  connectionsMax: undefined,
};

function createAccount(changes: Partial<Account> = {}): Account {
  return {
    ...{ id: 'an id', name: 'ada', scope: 'write', isDisabled: false, limits: NO_LIMITS },
    ...{ backends: undefined, databases: undefined, revision: 1, secretRevision: 1 },
    ...changes,
  };
}

const CONFIGURED: Limits = {
  rowsMax: 100,
  bytesMax: 1000,
  queryTimeoutMs: 5000,
  onLimit: 'error',
};

describe('limits', () => {
  it('are the configured ones for a caller that is no account', () => {
    expect(limitsOf({}, CONFIGURED)).toBe(CONFIGURED);
    expect(limitsOf({ account: createAccount() }, CONFIGURED)).toEqual(CONFIGURED);
  });

  test.each<[Partial<Account['limits']>, Partial<Limits>]>([
    [{ rowsMax: 5 }, { rowsMax: 5 }],
    [{ rowsMax: 500 }, {}],
    [
      { bytesMax: 1, queryTimeoutMs: 10 },
      { bytesMax: 1, queryTimeoutMs: 10 },
    ],
    [{ queryTimeoutMs: 99_999, connectionsMax: 1 }, {}],
  ])('of %j narrow, and never widen', (limits, changed) => {
    const account = createAccount({ limits: { ...NO_LIMITS, ...limits } });
    expect(limitsOf({ account }, CONFIGURED)).toEqual({ ...CONFIGURED, ...changed });
  });
});

describe('a statement', () => {
  test.each<[Partial<Account>, string, string | undefined]>([
    [{}, 'postgres', 'app'],
    [{ backends: ['postgres'] }, 'postgres', 'app'],
    [{ databases: ['app'] }, 'postgres', 'app'],
    [{ databases: ['app'] }, 'mongodb', undefined],
  ])('of %j may ask %s, %s', (changes, backend, database) => {
    expect(refuseStatement(createAccount(changes), backend, database)).toBeUndefined();
  });

  test.each<[Partial<Account>, string, string | undefined, string]>([
    [{ backends: ['postgres'] }, 'mongodb', undefined, 'mongodb'],
    [{ backends: [] }, 'postgres', 'app', 'postgres'],
    [{ databases: ['other'] }, 'postgres', 'app', 'database "app"'],
    [{ databases: ['APP'] }, 'postgres', 'app', 'database "app"'],
    [{ databases: ['app'] }, 'postgres', '', 'database ""'],
  ])('of %j may not ask %s, %s', (changes, backend, database, what) => {
    const refusal = refuseStatement(createAccount(changes), backend, database);
    // 28000 is what the wire says, and means the gate's own login over HTTP.
    expect(refusal).toMatchObject({
      sqlState: '42501',
      severity: 'ERROR',
      message: `account "ada" is not allowed to use ${what}`,
      hint: expect.stringMatching(/^Its (backends|databases) are /),
    });
  });
});
