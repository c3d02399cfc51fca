import { describe, expect, test } from '@jest/globals';
import type { ShownAccount, ShownToken } from '../../src/accounts.ts';
import { describeAccounts, describeTokens } from '../../src/cli-account-tables.ts';

const ALICE: ShownAccount = {
  ...{ id: '1', name: 'alice', scope: 'admin', isDisabled: false },
  limits: {
    rowsMax: undefined,
    bytesMax: undefined,
    queryTimeoutMs: undefined,
    connectionsMax: undefined,
  },
  ...{ backends: undefined, databases: undefined, revision: 1, secretRevision: 1 },
  createdAt: new Date('2026-01-02T03:04:05.678Z'),
  lastSeenAt: undefined,
};

const BOB: ShownAccount = {
  ...ALICE,
  ...{ name: 'a-longer-name', scope: 'read', isDisabled: true },
  limits: { rowsMax: 10, bytesMax: 2048, queryTimeoutMs: 500, connectionsMax: 2 },
  backends: ['postgres', 'mongodb'],
  databases: ['shop', 'evil\x1b[2J'],
  lastSeenAt: new Date('2026-02-03T04:05:06Z'),
};

const TOKEN: ShownToken = {
  ...{ id: '6f9619ff', name: 'ci', prefix: 'gp_abcde', scope: 'write' },
  createdAt: new Date('2026-01-02T03:04:05Z'),
  ...{ expiresAt: undefined, lastUsedAt: undefined },
};

describe('Accounts', () => {
  test('are a table with all that is known', () => {
    expect(describeAccounts([ALICE, BOB]).split('\n').map(squeeze)).toEqual([
      'NAME SCOPE STATE BACKENDS DATABASES LIMITS CREATED LAST SEEN',
      'alice admin enabled all all - 2026-01-02T03:04:05Z -',
      'a-longer-name read disabled postgres,mongodb shop,"evil\\u001b[2J" ' +
        'rows=10 bytes=2048 time=500ms connections=2 2026-01-02T03:04:05Z 2026-02-03T04:05:06Z',
    ]);
  });

  test('have columns below their titles', () => {
    const [titles = '', ...rows] = describeAccounts([ALICE, BOB]).split('\n');
    for (const title of ['SCOPE', 'STATE', 'BACKENDS', 'DATABASES', 'LIMITS', 'CREATED']) {
      for (const row of rows) {
        expect(row.slice(titles.indexOf(title) - 2, titles.indexOf(title) + 1)).toMatch(/^ {2}\S$/);
      }
    }
  });

  test('hold nothing that a terminal obeys', () => {
    expect(describeAccounts([BOB])).not.toContain('\x1b');
  });

  test('that are not there are said how to make', () => {
    expect(describeAccounts([])).toContain('gatepost account create NAME --scope admin');
  });
});

describe('Tokens', () => {
  test('are a table with what a token begins with', () => {
    expect(describeTokens([TOKEN]).split('\n').map(squeeze)).toEqual([
      'ID NAME TOKEN SCOPE CREATED EXPIRES LAST USED',
      '6f9619ff ci gp_abcde... write 2026-01-02T03:04:05Z - -',
    ]);
  });

  test('that are not there are said how to make', () => {
    expect(describeTokens([])).toContain('gatepost account token NAME');
  });
});

/** Blanks of a table count for nothing here. */
function squeeze(line: string): string {
  return line.replaceAll(/ +/g, ' ');
}
