import { runInNewContext } from 'node:vm';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { toErrorCode } from '../../src/error-code.ts';

describe('toErrorCode', () => {
  test('reads the code of a system error', async () => {
    const error: unknown = await readFile('/missing/file').catch((thrown: unknown) => thrown);
    expect(toErrorCode(error)).toBe('ENOENT');
  });

  test('reads the code of an error from another realm', () => {
    const error: unknown = runInNewContext("Object.assign(new Error('x'), { code: 'EPIPE' })");
    expect(toErrorCode(error)).toBe('EPIPE');
  });

  test.each([
    ['an error without a code', new Error('x')],
    ['an error whose code is a number', Object.assign(new Error('x'), { code: 26 })],
    ['what only looks like an error', { code: 'EPIPE' }],
    ['a string', 'EPIPE'],
    ['nothing', undefined],
  ])('finds no code in %s', (_name, thrown) => {
    expect(toErrorCode(thrown)).toBeUndefined();
  });
});
