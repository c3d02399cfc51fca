import { describe, expect, test } from '@jest/globals';
import { putLast } from '../../src/bounded-map.ts';

describe('A bounded map', () => {
  test('forgets what was put into it longest ago', () => {
    const map = new Map<string, number>();
    for (const [value, key] of ['a', 'b', 'c'].entries()) {
      putLast(map, key, value, 2);
    }
    expect([...map]).toEqual([
      ['b', 1],
      ['c', 2],
    ]);
  });

  test('keeps what is put into it again, with its new value, and forgets another one', () => {
    const map = new Map([
      ['a', 0],
      ['b', 1],
    ]);
    putLast(map, 'a', 2, 2);
    putLast(map, 'c', 3, 2);
    expect([...map]).toEqual([
      ['a', 2],
      ['c', 3],
    ]);
  });

  test('forgets nothing below its bound, an empty key neither', () => {
    const map = new Map([['', 0]]);
    putLast(map, 'a', 1, 2);
    expect([...map.keys()]).toEqual(['', 'a']);
    putLast(map, 'b', 2, 2);
    expect([...map.keys()]).toEqual(['a', 'b']);
  });
});
