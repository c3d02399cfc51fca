import { describe, expect, it } from '@jest/globals';
import { isDatabaseName } from '../../../../src/backends/mongodb/database-name.ts';

describe('The name of a database', () => {
  it.each(['orders', 'a-b_c', 'x'.repeat(63), 'наказ', '$external'])('may be %j', (name) => {
    expect(isDatabaseName(name)).toBe(true);
  });

  it.each(['', 'a b', 'a.b', 'a/b', 'a\\b', 'a"b', '$a', 'a\0', 'x'.repeat(64), 'ж'.repeat(32)])(
    'cannot be %j',
    (name) => {
      expect(isDatabaseName(name)).toBe(false);
    },
  );
});
