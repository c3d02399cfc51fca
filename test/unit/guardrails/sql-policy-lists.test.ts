import { describe, expect, it } from '@jest/globals';
import { policyOf, UTF8, verdict } from '../../support/sql-policies.ts';

describe('a deny list', () => {
  it.each([
    [['DROP'], 'DROP TABLE t', 'DROP TABLE in statement 1'],
    [['DROP'], 'drop\ttable\nif exists a, b cascade', 'DROP TABLE in statement 1'],
    [['DROP'], '/* a /* b */ SELECT 1 */ DROP VIEW v', 'DROP VIEW in statement 1'],
    [['DROP'], '-- SELECT\nDROP SCHEMA s', 'DROP SCHEMA in statement 1'],
    [['DROP'], ';;; DROP INDEX i', 'DROP INDEX in statement 1'],
    [['DROP'], 'DROP DATABASE d', 'DROP DATABASE in statement 1'],
    [['DROP'], 'DROP ROLE r', 'DROP ROLE in statement 1'],
    [['DROP'], 'DROP OWNED BY r', 'DROP OWNED in statement 1'],
    [['DROP'], 'DROP TABLESPACE s', 'DROP TABLESPACE in statement 1'],
    [['DROP'], 'DROP SUBSCRIPTION s', 'DROP SUBSCRIPTION in statement 1'],
    [['DROP'], 'DROP USER MAPPING FOR u SERVER s', 'DROP USER MAPPING in statement 1'],
    [['DROP'], 'SELECT 1; DROP TABLE t', 'DROP TABLE in statement 2'],
    [['DROP'], 'SELECT 1; SELECT 2; COMMIT; DROP TABLE t; SELECT 3', 'DROP TABLE in statement 4'],
    [['DROP'], "SELECT E'O\\'Brien'; DROP TABLE t --'", 'DROP TABLE in statement 2'],
    [['DROP'], "SELECT E'\\''; DROP TABLE t; SELECT E'\\''", 'DROP TABLE in statement 2'],
    [['DROP'], "SELECT 'a''b'; DROP TABLE t", 'DROP TABLE in statement 2'],
    [['DROP'], "SELECT '\\'; DROP TABLE t --'", 'DROP TABLE in statement 2'],
    [['DROP'], 'SELECT $$a)b$$; DROP TABLE t', 'DROP TABLE in statement 2'],
    [['DROP'], 'SELECT $a$ $$ $a$; DROP TABLE t; SELECT $$x$$', 'DROP TABLE in statement 2'],
    [['DROP'], 'SELECT 1 AS ";"; DROP TABLE t', 'DROP TABLE in statement 2'],
    [['DROP'], 'SELECT 1 AS U&"d\\0061t"; DROP TABLE t', 'DROP TABLE in statement 2'],
    [['DROP TABLE'], 'DROP TABLE t', 'DROP TABLE in statement 1'],
    [['drop  table'], 'DROP TABLE t', 'DROP TABLE in statement 1'],
    [['TRUNCATE'], '/* x */TRUNCATE t', 'TRUNCATE in statement 1'],
    [['COPY'], 'COPY t FROM STDIN', 'COPY FROM in statement 1'],
    [['COPY'], "COPY\n(SELECT 1) TO PROGRAM 'id'", 'COPY TO in statement 1'],
    [['COPY PROGRAM'], "COPY(SELECT 1) TO PROGRAM 'id'", 'COPY PROGRAM in statement 1'],
    [['COPY PROGRAM'], "COPY t FROM PROGRAM 'id'", 'COPY PROGRAM in statement 1'],
    [['COPY FILE'], "COPY t TO '/tmp/t'", 'COPY FILE in statement 1'],
    [['DO'], 'DO/**/$$BEGIN END$$', 'DO in statement 1'],
    [['DO'], 'do language plpgsql $x$BEGIN END$x$', 'DO in statement 1'],
    [['VACUUM'], 'VACUUM\n', 'VACUUM in statement 1'],
    [['LOCK'], 'LOCK\tTABLE t', 'LOCK in statement 1'],
    [['DELETE'], 'WITH d AS (DELETE FROM t RETURNING a) SELECT * FROM d', 'DELETE in statement 1'],
    [['DELETE'], 'EXPLAIN DELETE FROM t', 'DELETE in statement 1'],
    [['DELETE'], 'EXPLAIN (ANALYZE, COSTS off) DELETE FROM t', 'DELETE in statement 1'],
    [['DELETE'], 'PREPARE p AS DELETE FROM t', 'DELETE in statement 1'],
    [['DELETE'], 'COPY (DELETE FROM t RETURNING *) TO STDOUT', 'DELETE in statement 1'],
    [['DELETE'], 'CREATE RULE r AS ON INSERT TO t DO DELETE FROM u', 'DELETE in statement 1'],
    [
      ['DELETE'],
      'CREATE FUNCTION f() RETURNS void BEGIN ATOMIC SELECT 1; DELETE FROM t; END',
      'DELETE in statement 1',
    ],
    [['DELETE'], 'MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE', 'DELETE in statement 1'],
    [['INSERT'], 'WITH a AS (WITH b AS (INSERT INTO t SELECT 1) SELECT 1) SELECT 1', 'INSERT in'],
    [['UPDATE'], 'INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2', 'UPDATE in'],
    [['SELECT'], 'DECLARE c CURSOR FOR SELECT 1', 'SELECT in statement 1'],
    [['SELECT'], 'CREATE VIEW v AS SELECT 1', 'SELECT in statement 1'],
    [['SELECT'], 'VALUES (1)', 'SELECT in statement 1'],
    [['TABLE'], 'TABLE t', 'SELECT in statement 1'],
    [['CREATE'], 'SELECT 1 INTO t', 'SELECT INTO in statement 1'],
    [['CREATE TABLE'], 'SELECT 1 UNION SELECT 2 INTO t', 'SELECT INTO in statement 1'],
    [['SELECT INTO'], 'SELECT * INTO TEMP t FROM u', 'SELECT INTO in statement 1'],
    [['CREATE TABLE'], 'CREATE TABLE t AS SELECT 1', 'CREATE TABLE AS in statement 1'],
    [['CREATE TABLE'], 'CREATE SCHEMA s CREATE TABLE t (a int)', 'CREATE TABLE in statement 1'],
    [['GRANT'], 'CREATE SCHEMA s GRANT SELECT ON t TO r', 'GRANT in statement 1'],
    [['GRANT'], 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r', 'GRANT in statement 1'],
    [['REVOKE'], 'REVOKE r FROM u', 'REVOKE in statement 1'],
    [['ALTER SYSTEM'], 'ALTER SYSTEM SET work_mem = 1', 'ALTER SYSTEM in statement 1'],
    [['ALTER'], 'ALTER TABLE t RENAME COLUMN a TO b', 'ALTER TABLE in statement 1'],
    [['DROP USER'], 'DROP USER u', 'DROP ROLE in statement 1'],
    [['START TRANSACTION'], 'BEGIN', 'BEGIN in statement 1'],
    [['SET'], 'SET ROLE r', 'SET ROLE in statement 1'],
    [['SET ROLE'], 'SET "ROLE" = r', 'SET ROLE in statement 1'],
    [['NOTIFY'], 'CREATE RULE r AS ON INSERT TO t DO ALSO NOTIFY n', 'NOTIFY in statement 1'],
  ])('%j refuses %s', async (deny, text, what) => {
    expect(verdict(await policyOf({ deny }), text)).toContain(`42501 ${what}`);
  });

  it.each([
    [['DROP'], "SELECT 'DROP TABLE x'"],
    [['DROP'], 'SELECT 1 AS "DROP TABLE"'],
    [['DROP'], 'SELECT $$;DROP TABLE t;$$ -- ; DROP TABLE t'],
    [['DROP'], '/* DROP TABLE t */ SELECT 1'],
    [['DROP'], "COMMENT ON TABLE t IS 'DROP'"],
    [['DROP'], 'ALTER TABLE t DROP COLUMN a'],
    [['DROP TABLE'], 'DROP VIEW v'],
    [['DELETE'], 'WITH delete AS (SELECT 1) SELECT * FROM delete'],
    [['DELETE'], "SELECT has_table_privilege(current_user, 't', 'DELETE') AS delete"],
    [['UPDATE'], 'INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING'],
    [['INSERT'], 'MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE'],
    [['SELECT INTO'], 'SELECT 1'],
    [['SET CONSTRAINTS'], 'SET search_path = public'],
    [['CREATE ROLE'], 'CREATE USER MAPPING FOR u SERVER s'],
    [['PREPARE'], "PREPARE TRANSACTION 'x'"],
    [['COMMIT'], "COMMIT PREPARED 'x'"],
    [['COPY PROGRAM'], 'COPY t TO STDOUT'],
    [['DROP'], ''],
    [['DROP'], ' \t\n\r\f'],
    [['DROP'], ';'],
    [['DROP'], '-- DROP TABLE t'],
    [['DROP'], '/* ; DROP TABLE t; */;'],
  ])('%j admits %s', async (deny, text) => {
    expect(verdict(await policyOf({ deny }), text)).toBe('admitted');
  });

  it('wins over an allow list and says where it is set', async () => {
    const policy = await policyOf({ allow: ['DROP'], deny: ['DROP TABLE'] });

    expect(verdict(policy, 'DROP VIEW v')).toBe('admitted');
    expect(policy.admit(Buffer.from('SELECT 1; DROP TABLE t'), UTF8)).toMatchObject({
      sqlState: '42501',
      severity: 'ERROR',
      message: 'SELECT in statement 1 is not on the allow list',
      hint: 'WIRE_ALLOW or allow of the listener would have to name SELECT',
      detail: 'Nothing of the query was run',
    });
    expect(policy.admit(Buffer.from('DROP TABLE t'), UTF8)).toMatchObject({
      sqlState: '42501',
      message: 'DROP TABLE in statement 1 is on the deny list',
      hint: 'WIRE_DENY or deny of the listener names DROP TABLE',
      detail: 'Nothing of the query was run',
    });
  });
});

describe('an allow list', () => {
  it.each([
    [['SELECT'], 'SELECT a FROM t UNION TABLE u'],
    [['SELECT'], 'SELECT * FROM t FOR UPDATE'],
    [['SELECT'], 'WITH RECURSIVE r AS (SELECT 1) SELECT * FROM r'],
    [['INSERT'], 'INSERT INTO t SELECT * FROM u'],
    [['INSERT', 'UPDATE'], 'INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2'],
    [['MERGE'], 'MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE'],
    [['SELECT', 'DELETE'], 'WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d'],
    [['EXPLAIN'], 'EXPLAIN ANALYZE SELECT 1'],
    [['EXPLAIN', 'DELETE'], 'EXPLAIN DELETE FROM t'],
    [['PREPARE', 'EXECUTE'], 'PREPARE p AS SELECT 1; EXECUTE p'],
    [['CREATE TABLE'], 'CREATE TABLE t AS SELECT 1'],
    [['SELECT', 'CREATE TABLE AS'], 'SELECT 1 INTO t'],
    [['SELECT', 'SELECT INTO'], 'SELECT 1 INTO t'],
    [['CREATE'], 'CREATE SCHEMA s CREATE VIEW v AS SELECT 1'],
    [['CREATE FUNCTION'], 'CREATE FUNCTION f() RETURNS int RETURN 1'],
    [['COPY TO'], 'COPY (SELECT 1) TO STDOUT'],
    [['COPY'], "COPY t FROM PROGRAM 'id'"],
    [['BEGIN', 'COMMIT', 'ROLLBACK'], 'START TRANSACTION; END; ABORT; ROLLBACK TO s'],
    [['ANALYSE'], 'ANALYZE t'],
    [['SELECT'], ''],
  ])('%j admits %s', async (allow, text) => {
    expect(verdict(await policyOf({ allow }), text)).toBe('admitted');
  });

  it.each([
    [['SELECT'], 'INSERT INTO t VALUES (1)', 'INSERT in statement 1'],
    [['SELECT'], 'SELECT 1; TRUNCATE t', 'TRUNCATE in statement 2'],
    [['SELECT'], 'SELECT 1 INTO t', 'SELECT INTO in statement 1'],
    [['SELECT'], '(SELECT 1 INTO t) UNION SELECT 2', 'SELECT INTO in statement 1'],
    [['SELECT'], 'WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d', 'DELETE in statement 1'],
    [['SELECT'], 'EXPLAIN SELECT 1', 'EXPLAIN in statement 1'],
    [['SELECT'], 'COMMIT', 'COMMIT in statement 1'],
    [['INSERT'], 'INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2', 'UPDATE in'],
    [
      ['INSERT'],
      'WITH d AS (DELETE FROM t RETURNING a) INSERT INTO u SELECT a FROM d',
      'DELETE in',
    ],
    [['INSERT'], 'INSERT INTO t SELECT a FROM u FOR UPDATE', 'SELECT FOR UPDATE in statement 1'],
    [['EXPLAIN'], 'EXPLAIN ANALYZE DELETE FROM t', 'DELETE in statement 1'],
    [['CREATE VIEW'], 'CREATE TABLE t (a int)', 'CREATE TABLE in statement 1'],
    [['CREATE SCHEMA'], 'CREATE SCHEMA s CREATE TABLE t (a int)', 'CREATE TABLE in statement 1'],
    [['CREATE TABLE AS'], 'CREATE TABLE t (a int)', 'CREATE TABLE in statement 1'],
    [
      ['CREATE OPERATOR'],
      'CREATE OPERATOR CLASS c FOR TYPE t USING btree AS STORAGE t',
      'CREATE OPE',
    ],
    [['COPY TO'], "COPY t TO PROGRAM 'id'", 'COPY PROGRAM in statement 1'],
    [['COPY TO'], "COPY t TO '/tmp/t'", 'COPY FILE in statement 1'],
    [['COPY TO'], 'COPY t FROM STDIN', 'COPY FROM in statement 1'],
    [['PREPARE'], "PREPARE TRANSACTION 'x'", 'PREPARE TRANSACTION in statement 1'],
    [['COMMIT', 'ROLLBACK'], "ROLLBACK PREPARED 'x'", 'ROLLBACK PREPARED in statement 1'],
    [['ALTER'], 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r', 'GRANT in statement 1'],
    [['ANALYZE'], 'VACUUM ANALYZE t', 'VACUUM in statement 1'],
    [['FETCH'], 'MOVE c', 'MOVE in statement 1'],
  ])('%j refuses %s', async (allow, text, what) => {
    expect(verdict(await policyOf({ allow }), text)).toContain(`42501 ${what}`);
  });
});
