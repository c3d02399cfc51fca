import { describe, expect, test } from '@jest/globals';
import { SqlTokens } from '../../../../src/backends/mongodb/sql-tokens.ts';

describe('SqlTokens', () => {
  test('takes all of several words, or none', () => {
    const tokens = new SqlTokens('read committed x');
    expect(tokens.accept('read', 'only')).toBe(false);
    expect(tokens.next.value).toBe('read');
    expect(tokens.accept('read', 'committed')).toBe(true);
    expect(tokens.next.value).toBe('x');
  });

  test.each([['"read"'], ["'read'"], ['$$read$$']])('takes %s for no word', (text) => {
    expect(new SqlTokens(text).accept('read')).toBe(false);
  });

  test('takes the first word that fits', () => {
    const tokens = new SqlTokens('work x');
    expect(tokens.acceptAny('transaction', 'work')).toBe('work');
    expect(tokens.acceptAny('transaction', 'work')).toBeUndefined();
  });

  test.each([
    ['x', 'x'],
    ['Gatepost.EJSON', 'gatepost.ejson'],
    ['"DateStyle"', 'DateStyle'],
    ['a."B".c', 'a.B.c'],
  ])('takes the name %s', (text, name) => {
    const tokens = new SqlTokens(text);
    expect(tokens.takeName()).toBe(name);
    expect(tokens.isAtEnd).toBe(true);
  });

  test.each([
    ['', 1],
    ['1', 1],
    ["'x'", 1],
    ['a.', 3],
    ['a.(', 3],
  ])('takes no name from %j and points at character %i', (text, position) => {
    expect(() => new SqlTokens(text).takeName()).toThrow(
      expect.objectContaining({ sqlState: '42601', position }),
    );
  });

  test.each([
    ['a', 1],
    ['a;', 1],
    ['a ; -- end', 1],
    ['a;;', 2],
    [';', 0],
    ['', 0],
  ])('has of %j %i tokens: a semicolon at the end is none', (text, count) => {
    expect(new SqlTokens(text).rest).toHaveLength(count);
  });

  test('stays at its end', () => {
    const tokens = new SqlTokens('a');
    tokens.take();
    expect([tokens.take().kind, tokens.take().kind, tokens.next.kind]).toEqual([
      'end',
      'end',
      'end',
    ]);
    expect(tokens.rest).toEqual([]);
    expect(() => tokens.expectEnd()).not.toThrow();
  });
});
