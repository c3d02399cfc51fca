import { describe, expect, test } from '@jest/globals';
import { createMockVerifier } from '../../../src/accounts/mock-verifier.ts';
import { isPasswordOf } from '../../../src/scram-verifier.ts';

describe('The verifier of nobody', () => {
  test('has the same salt for the same name and key, and another for any other', () => {
    const salts = [
      createMockVerifier('key', 'alice', 4096),
      createMockVerifier('key', 'alice', 4096),
      createMockVerifier('key', 'bob', 4096),
      createMockVerifier('other', 'alice', 4096),
    ].map(({ salt }) => salt.toString('hex'));
    expect(new Set(salts).size).toBe(3);
    expect(salts[0]).toBe(salts[1]);
  });

  test('looks like those that are made', () => {
    const verifier = createMockVerifier('key', 'alice', 65_536);
    expect(verifier.iterations).toBe(65_536);
    expect(verifier.salt).toHaveLength(16);
    expect(verifier.storedKey).toHaveLength(32);
    expect(verifier.serverKey).toHaveLength(32);
  });

  test.each(['', 'alice', 'key'])('is proved by no password, such as %j', async (password) => {
    expect(await isPasswordOf(createMockVerifier('key', 'alice', 4096), password)).toBe(false);
  });
});
