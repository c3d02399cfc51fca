import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  createApiToken,
  findToken,
  hashToken,
  isApiToken,
  isTokenName,
} from '../../src/api-tokens.ts';

/** A token that is accepted under this name. */
function accept(name: string, token: string): Parameters<typeof findToken>[0][number] {
  return { name, scope: 'read', sha256: hashToken(token) };
}

describe('createApiToken', () => {
  test('gives 32 random bytes behind a prefix, and their hash', () => {
    const { token, sha256 } = createApiToken();
    expect(token).toMatch(/^gp_[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(token.slice(3), 'base64url')).toHaveLength(32);
    expect(sha256).toBe(createHash('sha256').update(token).digest('hex'));
    expect(isApiToken(token)).toBe(true);
  });

  test('gives another one each time', () => {
    const tokens = Array.from({ length: 100 }, () => createApiToken().token);
    expect(new Set(tokens).size).toBe(100);
  });
});

describe('hashToken', () => {
  test('is SHA-256 in hexadecimal digits, as sha256sum prints it', () => {
    expect(hashToken('abc')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});

describe('findToken', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => accept(name, `gp_${name}`));
  const tokens = [a, b, c].filter((token) => token !== undefined);

  test.each(['a', 'b', 'c'])('finds the token of %s by what its bearer presents', (name) => {
    expect(findToken(tokens, `gp_${name}`)?.name).toBe(name);
  });

  test.each([
    ['nothing', ''],
    ['another token', 'gp_d'],
    ['a token with a letter more', 'gp_aa'],
    ['a token with a letter less', 'gp_'],
    ['a token in other capitals', 'GP_A'],
    ['a token with a blank', 'gp_a '],
    ['the hash of a token, which the configuration has', hashToken('gp_a')],
    ['the name of a token', 'a'],
    ['a megabyte', 'x'.repeat(1024 * 1024)],
    ['half a character', '\ud800'],
  ])('finds none by %s', (_, presented) => {
    expect(findToken(tokens, presented)).toBeUndefined();
  });

  test('finds none where there is none', () => {
    expect(findToken([], '')).toBeUndefined();
    expect(findToken([], hashToken(''))).toBeUndefined();
  });
});

describe('the name of a token', () => {
  test.each(['ci', 'CI', 'ci-2', 'alice@example.com', 'a.b_c', '9', 'x'.repeat(63)])(
    'may be %s',
    (name) => {
      expect(isTokenName(name)).toBe(true);
    },
  );

  test.each(['', '-x', '.x', 'a b', 'a:b', 'a,b', 'ä', 'a\n', 'x'.repeat(64), 'anonymous'])(
    'may not be %j',
    (name) => {
      expect(isTokenName(name)).toBe(false);
    },
  );

  test('is not that of nobody, whatever its capitals', () => {
    expect(isTokenName('Anonymous')).toBe(false);
  });
});

describe('isApiToken', () => {
  test.each(['gp_', 'gp_short', `gq_${'a'.repeat(43)}`, `gp_${'a'.repeat(44)}`, 'eq.gp_x'])(
    'is not true of %s',
    (text) => {
      expect(isApiToken(text)).toBe(false);
    },
  );
});
