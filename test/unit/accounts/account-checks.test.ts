import { describe, expect, test } from '@jest/globals';
import {
  assertChanges,
  assertNewAccount,
  assertNewToken,
  assertPassword,
  normalizeVerifier,
} from '../../../src/accounts/account-checks.ts';
import type { Account } from '../../../src/account.ts';
import type { AccountChanges } from '../../../src/accounts.ts';
import type { TokenScope } from '../../../src/api-tokens.ts';
import { createScramVerifier } from '../../../src/scram-verifier.ts';

const ACCOUNT: Account = {
  ...{ id: 'x', name: 'alice', scope: 'write', isDisabled: false },
  limits: {
    rowsMax: undefined,
    bytesMax: undefined,
    queryTimeoutMs: undefined,
    connectionsMax: undefined,
  },
  ...{ backends: undefined, databases: undefined, revision: 1, secretRevision: 1 },
};

/** The message of what is thrown, which has to be 22023; undefined where nothing is. */
function refusalOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ name: 'ServiceError', sqlState: '22023' });
    return error instanceof Error ? error.message : '';
  }
}

describe('The name of an account', () => {
  test.each(['a', 'Alice', '0', 'alice.b@shop-1_2', 'x'.repeat(63)])('may be %s', (name) => {
    const secret = { password: 'irrelevant' };
    expect(refusalOf(() => assertNewAccount({ name, secret, scope: 'read' }))).toBeUndefined();
  });

  test.each([
    '',
    ' ',
    'two words',
    '-a',
    '.a',
    'ä',
    'x'.repeat(64),
    'anonymous',
    'ANONYMOUS',
    'a\n',
  ])('is not %j', (name) => {
    const secret = { password: 'irrelevant' };
    expect(refusalOf(() => assertNewAccount({ name, secret, scope: 'read' }))).toMatch(
      /^The name of an account takes 1 to 63 letters/,
    );
  });
});

describe('What is said of an account', () => {
  test.each<AccountChanges>([
    {},
    { scope: 'admin', isDisabled: true },
    { limits: { rowsMax: 1, bytesMax: Number.MAX_SAFE_INTEGER, queryTimeoutMs: undefined } },
    { backends: ['postgres', 'mongodb'], databases: ['shop', 'ä'.repeat(31)] },
    { backends: undefined, databases: undefined },
  ])('may be %j', (changes) => {
    expect(refusalOf(() => assertChanges(changes))).toBeUndefined();
  });

  test.each<readonly [AccountChanges, RegExp]>([
    [{ limits: { rowsMax: 0 } }, /^The limit of rows is a whole number above 0$/],
    [{ limits: { bytesMax: -1 } }, /^The limit of bytes/],
    [{ limits: { queryTimeoutMs: 1.5 } }, /^The time limit/],
    [{ limits: { connectionsMax: NaN } }, /^The limit of connections/],
    [{ limits: { connectionsMax: Infinity } }, /^The limit of connections/],
    [{ limits: { rowsMax: 2 ** 53 } }, /^The limit of rows/],
    [JSON.parse('{"limits":{"rows":1}}') as AccountChanges, /^A limit of an account/],
    [JSON.parse('{"limits":{"rowsMax":"1"}}') as AccountChanges, /^The limit of rows/],
    [JSON.parse('{"scope":"root"}') as AccountChanges, /^A scope is read, write, admin$/],
    [JSON.parse('{"backends":["mysql"]}') as AccountChanges, /^"mysql" is no backend$/],
    [{ backends: [] }, /^A list of backends names at least one; leave it out for all$/],
    [{ backends: ['postgres', 'postgres'] }, /^A list of backends has each of them once/],
    [{ databases: [] }, /^A list of databases names at least one/],
    [{ databases: [''] }, /^"" is no database$/],
    [{ databases: ['a\0b'] }, /is no database$/],
    [{ databases: ['ä'.repeat(32)] }, /is no database$/],
    [{ databases: Array.from({ length: 101 }, (_, index) => `d${index}`) }, /at most 100$/],
  ])('is not %j', (changes, message) => {
    expect(refusalOf(() => assertChanges(changes))).toMatch(message);
  });
});

describe('A new password', () => {
  test.each(['12345678', 'correct horse', '🔑'.repeat(8), ' '.repeat(8), 'x'.repeat(1024)])(
    'may be %j',
    (password) => {
      expect(refusalOf(() => assertPassword(password))).toBeUndefined();
    },
  );

  test.each([
    ['', /at least 8 characters/],
    ['1234567', /at least 8 characters/],
    ['🔑'.repeat(7), /at least 8 characters/],
    ['x'.repeat(1025), /at most 1024 bytes/],
    ['ä'.repeat(513), /at most 1024 bytes/],
    ['1234\x005678', /no character NUL/],
    ['12345678\ud800', /well-formed Unicode/],
  ])('is not %j, which is not said', (password, message) => {
    const refusal = refusalOf(() => assertPassword(password));
    expect(refusal).toMatch(message);
    expect(password !== '' && refusal?.includes(password)).toBe(false);
  });
});

describe('An imported verifier', () => {
  test('is kept as PostgreSQL writes it, blanks around it left out', async () => {
    const verifier = await createScramVerifier('secret', { salt: Buffer.alloc(32, 1) });
    expect(normalizeVerifier(` ${verifier}\n`)).toBe(verifier);
  });

  test('of fewer rounds than RFC 7677 asks for is refused', async () => {
    const verifier = await createScramVerifier('secret', { iterations: 4095 });
    expect(refusalOf(() => normalizeVerifier(verifier))).toBe(
      'The verifier has 4095 iterations, and 4096 are the least: set the password anew instead',
    );
  });

  test('of more rounds than may occupy a place of computation is refused', async () => {
    const verifier = await createScramVerifier('secret', { iterations: 4096 });
    const most = verifier.replace('$4096:', '$1000000:');
    expect(normalizeVerifier(most)).toBe(most);
    expect(refusalOf(() => normalizeVerifier(most.replace('$1000000:', '$1000001:')))).toMatch(
      /at most 1000000 iterations$/,
    );
  });

  test.each([
    'secret',
    'md53175bce1d3201d16594cebf9d7eb3f9d',
    'SCRAM-SHA-256$4096:c2FsdA==$c2hvcnQ=:c2hvcnQ=',
    `SCRAM-SHA-256$4096:${Buffer.alloc(1000).toString('base64')}$x:y`,
    '',
  ])('is not %j, which is not said', (text) => {
    const refusal = refusalOf(() => normalizeVerifier(text));
    expect(refusal).toMatch(/^A verifier has the form SCRAM-SHA-256\$<iterations>/);
    expect(text !== '' && refusal?.includes(text)).toBe(false);
  });
});

describe('A new token', () => {
  const TOKEN = { name: 'ci', scope: 'read', expiresAt: undefined } as const;

  test.each<readonly [of: TokenScope, scope: TokenScope, isAllowed: boolean]>([
    ['read', 'read', true],
    ['read', 'write', false],
    ['write', 'write', true],
    ['write', 'admin', false],
    ['admin', 'admin', true],
  ])('of an account of scope %s may have %s: %s', (of, scope, isAllowed) => {
    const refusal = refusalOf(() => assertNewToken({ ...TOKEN, scope }, { ...ACCOUNT, scope: of }));
    expect(refusal === undefined).toBe(isAllowed);
  });

  test.each(['', 'two words', 'anonymous'])('is not called %j', (name) => {
    expect(refusalOf(() => assertNewToken({ ...TOKEN, name }, ACCOUNT))).toMatch(
      /^The name of a token/,
    );
  });
});
