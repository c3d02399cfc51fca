import { describe, expect, test } from '@jest/globals';
import { SQLSTATE } from '../../src/errors.ts';
import { toSqlStateClass } from '../../src/sqlstate-class.ts';

describe('toSqlStateClass', () => {
  test.each(Object.entries(SQLSTATE))('knows the class of our own %s', (_name, sqlState) => {
    expect(toSqlStateClass(sqlState)).toBe(sqlState.slice(0, 2));
  });

  test.each(['23505', '40P01', '0LP01', 'F0001', 'HV00R', 'P0001', 'XX002'])(
    "knows the class of PostgreSQL's %s",
    (sqlState) => {
      expect(toSqlStateClass(sqlState)).toBe(sqlState.slice(0, 2));
    },
  );

  test.each(['ZZ000', '99999', '', '2', '23', '23505x', '23\n"}', 'xx000', '__proto__'])(
    'puts %j, which anyone may raise, with the others',
    (sqlState) => {
      expect(toSqlStateClass(sqlState)).toBe('other');
    },
  );
});
