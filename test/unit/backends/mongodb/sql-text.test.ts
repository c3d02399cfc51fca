import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findSqlEnd, isSql } from '../../../../src/backends/mongodb/sql-text.ts';

describe('isSql', () => {
  test.each([
    'SELECT 1',
    'select 1;',
    'SELECT(1)',
    '  -- first\n SELECT 1',
    '/* a /* nested */ comment */ SHOW ALL',
    'SHOW server_version',
    'SHOW "TimeZone"',
    'show transaction isolation level',
    'show dbss',
    'SET x = 1',
    'RESET ALL',
    'BEGIN',
    'START TRANSACTION',
    'COMMIT',
    'END',
    'ROLLBACK',
    'ABORT',
    "INSERT INTO people VALUES ('x')",
    'UPDATE people SET a = 1',
    'DELETE FROM people',
    'CREATE TABLE t ()',
    'DROP TABLE t',
    'WITH x AS (SELECT 1) SELECT * FROM x',
    'EXPLAIN SELECT 1',
    'EXPLAIN (ANALYZE) SELECT 1',
    'DISCARD ALL',
    'DEALLOCATE ALL',
    'LISTEN channel',
    'COPY t FROM STDIN',
    'TABLE people',
    'VALUES (1)',
    'SAVEPOINT x',
  ])('takes %j for SQL', (text) => {
    expect(isSql(text)).toBe(true);
  });

  test.each([
    '',
    '   ',
    '-- only a comment',
    '/* never ends',
    'db',
    'db.select.find()',
    'rs.status()',
    '{"find": "people"}',
    'use test',
    'it',
    'help',
    'show',
    'show dbs',
    'SHOW DATABASES',
    'show collections;',
    'show tables',
    'show users',
    'show roles',
    'show profile',
    'show log',
    'show logs',
    'show(1)',
    'set.add(1)',
    'end = 1',
    'table["x"]',
    'load("script.js")',
    'begin()',
    '"select" 1',
    'selection',
    'selectx 1',
    '(1)',
    '5',
  ])('does not take %j for SQL', (text) => {
    expect(isSql(text)).toBe(false);
  });

  test('answers for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(typeof isSql(text)).toBe('boolean');
      }),
      { seed: 4 },
    );
  });
});

describe('findSqlEnd', () => {
  test.each([
    ['SELECT 1', 8],
    ['SELECT 1; SELECT 2', 8],
    ["SELECT ';'; x", 10],
    ["SELECT 'it''s;'; x", 15],
    ["SELECT E'it\\';'; x", 15],
    ["SELECT e'\\\\'; x", 12],
    ['SELECT ";"; x', 10],
    ['SELECT "a"";"; x', 13],
    ['SELECT $$;$$; x', 12],
    ['SELECT $a$;$$;$a$; x', 17],
    ['SELECT 1 -- ;\n; x', 14],
    ['SELECT 1 /* ; /* ; */ ; */; x', 26],
    ["SELECT 'never ; ends", 20],
    ["SELECT E'never ; ends\\", 22],
    ['SELECT "never ; ends', 20],
    ['SELECT $x$ never ; ends', 23],
    ['SELECT /* never ; ends', 22],
    ['SELECT a$b;c$', 10],
    ['SELECT $1;', 9],
    [';', 0],
    ['', 0],
  ])('finds the end of %j at %i', (text, end) => {
    expect(findSqlEnd(text, 0)).toBe(end);
  });

  test('begins where it is told to', () => {
    expect(findSqlEnd('SELECT 1; SELECT 2; SELECT 3', 9)).toBe(18);
    expect(findSqlEnd('SELECT 1', 100)).toBe(8);
  });

  test('ends for any text, at a semicolon or the end', () => {
    const signs = fc.constantFrom(
      ...["'", '"', '$', 'a', ';', '/*', '*/', '--', '\n', '\\', 'E', ' '],
    );
    fc.assert(
      fc.property(fc.array(signs, { maxLength: 60 }), (parts) => {
        const text = parts.join('');
        const end = findSqlEnd(text, 0);
        expect(end === text.length || text[end] === ';').toBe(true);
      }),
      { numRuns: 500, seed: 5 },
    );
  });

  test.each([
    ["'"],
    ['"'],
    ["E'"],
    ['$$'],
    ['/*'],
    ["''"],
    ["E'\\'"],
    ['$a$b'],
    ['a b '],
    ['!~<>='],
  ])('reads 256 KiB of %j in no time worth telling', (part) => {
    const text = part.repeat(Math.ceil(262_144 / part.length));
    const startedAt = performance.now();
    expect(findSqlEnd(text, 0)).toBe(text.length);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});
