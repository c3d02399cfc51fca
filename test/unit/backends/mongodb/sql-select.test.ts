import { describe, expect, test } from '@jest/globals';
import { createSqlStage, namedRows } from '../../../support/sql-stage.ts';

const [BOOLEAN, NAME, BIGINT, INTEGER, TEXT] = [16, 19, 20, 23, 25];

describe('SELECT without FROM', () => {
  test.each([
    ['SELECT 1', '?column?', INTEGER, '1'],
    ['select 1;', '?column?', INTEGER, '1'],
    ['SELECT -5', '?column?', INTEGER, '-5'],
    ['SELECT -0', '?column?', INTEGER, '0'],
    ['SELECT 007', '?column?', INTEGER, '7'],
    ['SELECT 2147483647', '?column?', INTEGER, '2147483647'],
    ['SELECT 2147483648', '?column?', BIGINT, '2147483648'],
    ['SELECT 9223372036854775807', '?column?', BIGINT, '9223372036854775807'],
    ["SELECT 'it''s'", '?column?', TEXT, "it's"],
    ["SELECT E'a\\\\b'", '?column?', TEXT, 'a\\b'],
    ['SELECT $$x$$', '?column?', TEXT, 'x'],
    ['SELECT NULL', '?column?', TEXT, null],
    ['SELECT true', 'bool', BOOLEAN, 't'],
    ['SELECT FALSE', 'bool', BOOLEAN, 'f'],
    ['SELECT 1 AS one', 'one', INTEGER, '1'],
    ['SELECT 1 one', 'one', INTEGER, '1'],
    ['SELECT 1 AS "One"', 'One', INTEGER, '1'],
    ['SELECT version() AS v', 'v', TEXT, expect.any(String)],
    ['SELECT current_database()', 'current_database', NAME, 'test'],
    ['SELECT pg_catalog.current_database()', 'current_database', NAME, 'test'],
    ['SELECT current_catalog', 'current_catalog', NAME, 'test'],
    ['SELECT current_schema()', 'current_schema', NAME, 'test'],
    ['SELECT current_schema', 'current_schema', NAME, 'test'],
    ['SELECT current_user', 'current_user', NAME, 'ann'],
    ['SELECT session_user', 'session_user', NAME, 'ann'],
    ['SELECT current_role', 'current_role', NAME, 'ann'],
    ['SELECT user', 'user', NAME, 'ann'],
    ['SELECT pg_is_in_recovery()', 'pg_is_in_recovery', BOOLEAN, 'f'],
    ['SELECT pg_catalog.pg_is_in_recovery()', 'pg_is_in_recovery', BOOLEAN, 'f'],
    ['SELECT pg_backend_pid()', 'pg_backend_pid', INTEGER, '4711'],
    ["SELECT current_setting('timezone')", 'current_setting', TEXT, 'UTC'],
    ["SELECT pg_catalog.current_setting('timezone')", 'current_setting', TEXT, 'UTC'],
    ["SELECT current_setting('no_such', true)", 'current_setting', TEXT, null],
  ])('%s', async (text, name, typeOid, value) => {
    expect(await createSqlStage().answer(text)).toEqual({
      columns: [{ name, typeOid }],
      rows: [[value]],
      commandTag: 'SELECT 1',
    });
  });

  test('says what is behind it, so that drivers and people find their number', async () => {
    const [row] = namedRows(await createSqlStage().answer('SELECT version()'));
    expect(row?.['version']).toContain('MongoDB 6.0.5');
    expect(row?.['version']).toMatch(/PostgreSQL 12\.0$/);
  });

  test('answers several at once', async () => {
    const answer = await createSqlStage().answer('SELECT current_schema(), session_user, 1 x');
    expect(namedRows(answer)).toEqual([{ current_schema: 'test', session_user: 'ann', x: '1' }]);
  });

  test('follows use to another database', async () => {
    const stage = createSqlStage();
    stage.use('orders');
    expect(namedRows(await stage.answer('SELECT current_database()'))).toEqual([
      { current_database: 'orders' },
    ]);
  });

  test('asks the server whether it takes writes', async () => {
    const stage = createSqlStage({ isWritablePrimary: false });
    expect(namedRows(await stage.answer('SELECT pg_is_in_recovery()'))).toEqual([
      { pg_is_in_recovery: 't' },
    ]);
    expect(stage.sent).toEqual([{ database: 'admin', command: { hello: 1 } }]);
  });

  test.each([
    'SELECT',
    'SELECT ,',
    'SELECT 1,',
    'SELECT 1 +1',
    'SELECT 1 AS',
    'SELECT -',
    "SELECT -'x'",
    'SELECT 1.5',
    'SELECT 9223372036854775808',
    'SELECT 99999999999999999999999',
    'SELECT now()',
    'SELECT *',
    'SELECT * FROM people',
    'SELECT 1 FROM people',
    'SELECT 1 WHERE true',
    'SELECT version',
    'SELECT version(1)',
    'SELECT current_user()',
    'SELECT current_database',
    'SELECT "version"()',
    'SELECT set_config(1)',
    'SELECT current_setting()',
    "SELECT current_setting('x'",
    'SELECT current_setting(x)',
    'SELECT constructor()',
    'SELECT __proto__',
    'SELECT (1)',
    "SELECT 'a' 'b'",
    'SELECT 1; SELECT 2',
    'SELECT 1 UNION SELECT 2',
  ])('refuses %s', async (text) => {
    await expect(createSqlStage().answer(text)).rejects.toMatchObject({
      name: 'ServiceError',
      sqlState: '42601',
      hint: expect.stringContaining('db.people.find({})'),
    });
  });

  test('refuses an unknown setting by name', async () => {
    await expect(createSqlStage().answer("SELECT current_setting('x')")).rejects.toMatchObject({
      sqlState: '42704',
      message: 'unrecognized configuration parameter "x"',
    });
  });

  test('refuses more columns than a client asks for by itself', async () => {
    const text = `SELECT ${Array.from({ length: 101 }, () => '1').join()}`;
    await expect(createSqlStage().answer(text)).rejects.toMatchObject({ sqlState: '42601' });
  });
});
