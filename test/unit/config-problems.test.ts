import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, test } from '@jest/globals';
import { ConfigError, echo, explainReadFailure } from '../../src/config-problems.ts';

describe('ConfigError', () => {
  it('has a line for each problem', () => {
    const error = new ConfigError(['first', 'second']);
    expect(error.message).toBe('first\nsecond');
    expect(error.problems).toEqual(['first', 'second']);
    expect(error.name).toBe('ConfigError');
    expect(error).toBeInstanceOf(Error);
  });
});

describe('echo', () => {
  test.each([
    ['10k', '"10k"'],
    ['', '""'],
    ['two\nlines', '"two\\nlines"'],
    ['say "x"', '"say \\"x\\""'],
    ['x'.repeat(80), `"${'x'.repeat(80)}"`],
    ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
    ['postgres://user:password@host/db', '"postgres://***"'],
    ['see postgres://user:pass word@host\n/db', '"see postgres://***"'],
  ])('shows %j as %s', (text, shown) => {
    expect(echo(text)).toBe(shown);
  });
});

describe('explainReadFailure', () => {
  function failureOf(read: () => unknown): unknown {
    try {
      return read();
    } catch (error) {
      return error;
    }
  }

  it('tells a missing file from a directory', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'gatepost-'));
    try {
      const missing = failureOf(() => readFileSync(path.join(directory, 'missing')));
      expect(explainReadFailure(missing)).toBe('there is no such file');
      expect(explainReadFailure(failureOf(() => readFileSync(directory)))).toBe(
        'it is a directory',
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.each([
    [Object.assign(new Error('x'), { code: 'EACCES' }), 'permission denied'],
    [Object.assign(new Error('x'), { code: 'EIO' }), 'EIO'],
    [new Error('it is larger than 5 bytes'), 'it is larger than 5 bytes'],
    [Object.assign(new Error('odd'), { code: 7 }), 'odd'],
    ['thrown text', 'unknown error'],
  ])('says of %p: %s', (error, reason) => {
    expect(explainReadFailure(error)).toBe(reason);
  });
});
