import { beforeAll, describe, expect, it } from '@jest/globals';
import { SqlParser } from '../../../src/guardrails/sql-parser.ts';
import { findReadOnlyRefusal } from '../../../src/guardrails/sql-read-only.ts';
import { findStatements } from '../../../src/guardrails/sql-statements.ts';
import { policyOf, UTF8, verdict } from '../../support/sql-policies.ts';

let parser: SqlParser;

beforeAll(async () => {
  parser = await SqlParser.create();
});

/** What is refused and in which statement; undefined for nothing. */
function refusal(text: string): string | undefined {
  const found = findReadOnlyRefusal(findStatements(parser.parse(Buffer.from(text))));
  return found === undefined ? undefined : `${found.what}, ${found.number}`;
}

describe('read-only access refuses', () => {
  it.each([
    ['INSERT INTO t VALUES (1)', 'INSERT, 1'],
    ['UPDATE t SET a = 1', 'UPDATE, 1'],
    ['DELETE FROM t', 'DELETE, 1'],
    ['MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE', 'MERGE, 1'],
    ['TRUNCATE t', 'TRUNCATE, 1'],
    ['WITH x AS (INSERT INTO t SELECT 1 RETURNING *) SELECT * FROM x', 'INSERT, 1'],
    ['SELECT * FROM t, LATERAL (SELECT 2 INTO u) v', 'SELECT INTO, 1'],
    ['SELECT 1 INTO t', 'SELECT INTO, 1'],
    ['SELECT 1 INTO TEMP t', 'SELECT INTO, 1'],
    ['SELECT 1 UNION SELECT 2 INTO t', 'SELECT INTO, 1'],
    ['SELECT * FROM t FOR UPDATE', 'SELECT FOR UPDATE, 1'],
    ['SELECT * FROM (SELECT * FROM t FOR KEY SHARE) s', 'SELECT FOR UPDATE, 1'],
    ['DECLARE c CURSOR FOR SELECT * FROM t FOR SHARE', 'SELECT FOR UPDATE, 1'],
    ['CREATE TABLE t (a int)', 'CREATE TABLE, 1'],
    ['CREATE TEMP TABLE t AS SELECT 1', 'CREATE TABLE AS, 1'],
    ['CREATE VIEW v AS SELECT 1', 'CREATE VIEW, 1'],
    ['ALTER TABLE t ADD COLUMN b int', 'ALTER TABLE, 1'],
    ['ALTER SYSTEM SET work_mem = 1', 'ALTER SYSTEM, 1'],
    ['ALTER ROLE r SET default_transaction_read_only = off', 'ALTER ROLE, 1'],
    ['ALTER DATABASE d SET default_transaction_read_only = off', 'ALTER DATABASE, 1'],
    ['DROP TABLE t', 'DROP TABLE, 1'],
    ['GRANT SELECT ON t TO r', 'GRANT, 1'],
    ["COMMENT ON TABLE t IS 'x'", 'COMMENT, 1'],
    ['REFRESH MATERIALIZED VIEW v', 'REFRESH MATERIALIZED VIEW, 1'],
    ['EXPLAIN ANALYZE DELETE FROM t', 'DELETE, 1'],
    ['EXPLAIN (ANALYZE) INSERT INTO t VALUES (1)', 'INSERT, 1'],
    ['EXPLAIN (analyse on, verbose) UPDATE t SET a = 1', 'UPDATE, 1'],
    ['EXPLAIN (ANALYZE false, ANALYZE) DELETE FROM t', 'DELETE, 1'],
    ['EXPLAIN (ANALYZE 1) DELETE FROM t', 'DELETE, 1'],
    ['EXPLAIN ANALYZE CREATE TABLE u AS SELECT 1', 'CREATE TABLE AS, 1'],
    ['EXPLAIN ANALYZE SELECT 1 INTO t', 'SELECT INTO, 1'],
    ['COPY (DELETE FROM t RETURNING *) TO STDOUT', 'DELETE, 1'],
    ['COPY t FROM STDIN', 'COPY FROM, 1'],
    ["COPY t FROM '/tmp/t'", 'COPY FROM, 1'],
    ["COPY t TO '/tmp/t'", 'COPY FILE, 1'],
    ["COPY(SELECT 1) TO PROGRAM 'id'", 'COPY PROGRAM, 1'],
    ["COPY\n(SELECT 1) TO PROGRAM 'id'", 'COPY PROGRAM, 1'],
    ['PREPARE p AS INSERT INTO t VALUES (1)', 'INSERT, 1'],
    ['DO $$BEGIN DELETE FROM t; END$$', 'DO, 1'],
    ['CALL p()', 'CALL, 1'],
    ["SELECT E'\\''; DO $$BEGIN END$$; SELECT E'\\''", 'DO, 2'],
    ["LOAD 'x'", 'LOAD, 1'],
    ['CHECKPOINT', 'CHECKPOINT, 1'],
    ['VACUUM\n', 'VACUUM, 1'],
    ['ANALYZE t', 'ANALYZE, 1'],
    ['REINDEX TABLE t', 'REINDEX, 1'],
    ['CLUSTER', 'CLUSTER, 1'],
    ['LOCK\tTABLE t', 'LOCK, 1'],
    ['LISTEN n', 'LISTEN, 1'],
    ['NOTIFY n', 'NOTIFY, 1'],
    ["SECURITY LABEL ON TABLE t IS 'x'", 'SECURITY LABEL, 1'],
    ['COMMIT; CREATE TABLE t (a int)', 'CREATE TABLE, 2'],
    ['ROLLBACK; INSERT INTO t VALUES (1)', 'INSERT, 2'],
    ['END; DROP TABLE t', 'DROP TABLE, 2'],
    ["PREPARE TRANSACTION 'x'", 'PREPARE TRANSACTION, 1'],
    ["COMMIT PREPARED 'x'", 'COMMIT PREPARED, 1'],
    ["ROLLBACK PREPARED 'x'", 'ROLLBACK PREPARED, 1'],
  ])('what writes: %s', (text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  it.each([
    ['BEGIN READ WRITE', 'BEGIN READ WRITE, 1'],
    ['BEGIN READ WRITE; INSERT INTO t VALUES (1)', 'BEGIN READ WRITE, 1'],
    ['START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE', 'BEGIN READ WRITE, 1'],
    ['BEGIN READ ONLY, READ WRITE', 'BEGIN READ WRITE, 1'],
    ['SET TRANSACTION READ WRITE', 'SET TRANSACTION READ WRITE, 1'],
    ['BEGIN; SET LOCAL TRANSACTION READ WRITE', 'SET TRANSACTION READ WRITE, 2'],
    [
      'SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE',
      'SET SESSION CHARACTERISTICS READ WRITE, 1',
    ],
    ['SET transaction_read_only = off', 'SET transaction_read_only, 1'],
    ['BEGIN; SET LOCAL transaction_read_only TO false', 'SET transaction_read_only, 2'],
    ['SET transaction_read_only TO DEFAULT', 'RESET transaction_read_only, 1'],
    ['RESET transaction_read_only', 'RESET transaction_read_only, 1'],
    ['SET default_transaction_read_only = 0', 'SET default_transaction_read_only, 1'],
    ['SET SESSION default_transaction_read_only = off', 'SET default_transaction_read_only, 1'],
    ['SET default_transaction_read_only = o', 'SET default_transaction_read_only, 1'],
    ['SET "DEFAULT_Transaction_Read_Only" = off', 'SET default_transaction_read_only, 1'],
    ['SET default_transaction_read_only = on, off', 'SET default_transaction_read_only, 1'],
    [
      'SET U&"default\\005ftransaction\\005fread\\005fonly" = off',
      'SET default_transaction_read_only, 1',
    ],
    ['SET "default_transact\u0130on_read_only" = off', 'SET default_transaction_read_only, 1'],
    ['SET ROLE admin', 'SET ROLE, 1'],
    ['SET ROLE NONE', 'SET ROLE, 1'],
    ["SET role TO 'admin'", 'SET ROLE, 1'],
    ['SET LOCAL ROLE admin', 'SET ROLE, 1'],
    ['SET SESSION AUTHORIZATION admin', 'SET SESSION AUTHORIZATION, 1'],
    ["SET session_authorization = 'admin'", 'SET SESSION AUTHORIZATION, 1'],
  ])('what would open it: %s', (text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  it.each([
    ["SELECT set_config('default_transaction_read_only', 'off', false)", 'set_config'],
    ["SELECT pg_catalog.set_config('ROLE', 'admin', false)", 'set_config'],
    ["SELECT set_config('ro' || 'le', 'admin', false)", 'set_config'],
    ["SELECT set_config('role'::text, 'admin', false)", 'set_config'],
    ["SELECT set_config(setting_name => 'x', new_value => 'y', is_local => true)", 'set_config'],
    ["PREPARE p(text) AS SELECT set_config($1, 'off', false)", 'set_config'],
    ["EXECUTE p(set_config('session_authorization', 'a', false))", 'set_config'],
    ["VALUES (set_config('role', 'a', true))", 'set_config'],
    ["SELECT U&\"set\\005fconfig\"('role', 'a', true)", 'set_config'],
    ['SELECT * FROM pg_terminate_backend(1)', 'pg_terminate_backend'],
    ['SELECT 1 WHERE pg_catalog.pg_cancel_backend(1)', 'pg_cancel_backend'],
    ["SELECT pg_notify('n', 'x')", 'pg_notify'],
    ['SELECT pg_advisory_lock(1)', 'pg_advisory_lock'],
    ['SELECT pg_try_advisory_xact_lock_shared(1)', 'pg_try_advisory_xact_lock_shared'],
    ["SELECT pg_logical_emit_message(true, 'a', 'b')", 'pg_logical_emit_message'],
    ["SELECT nextval('s')", 'nextval'],
    ["SELECT setval('s', 1)", 'setval'],
    ['SELECT txid_current()', 'txid_current'],
    ['SELECT pg_current_xact_id()', 'pg_current_xact_id'],
    ['SELECT lo_create(0)', 'lo_create'],
    ['SELECT lowrite(0, $$x$$)', 'lowrite'],
    ["SELECT lo_export(1, '/tmp/x')", 'lo_export'],
    ["SELECT pg_read_file('/etc/passwd')", 'pg_read_file'],
    ["SELECT * FROM ROWS FROM (pg_ls_dir('.')) d", 'pg_ls_dir'],
    ["SELECT query_to_xml('DELETE FROM t', true, true, '')", 'query_to_xml'],
    ["SELECT dblink_exec('dbname=x', 'DROP TABLE t')", 'dblink_exec'],
    ["SELECT public.\"DBLINK\"('dbname=x', 'SELECT 1')", 'DBLINK'],
    ["SELECT * FROM ts_stat('SELECT 1')", 'ts_stat'],
    ['SELECT pg_stat_reset()', 'pg_stat_reset'],
    ['SELECT pg_reload_conf()', 'pg_reload_conf'],
    ["SELECT pg_create_physical_replication_slot('s')", 'pg_create_physical_replication_slot'],
    ["SELECT * FROM pg_logical_slot_get_changes('s', NULL, 1)", 'pg_logical_slot_get_changes'],
    ['SELECT pg_export_snapshot()', 'pg_export_snapshot'],
    ['SELECT pg_switch_wal() OVER ()', 'pg_switch_wal'],
    ['EXPLAIN SELECT pg_reload_conf()', 'pg_reload_conf'],
    ["SELECT ('/etc/passwd'::text).pg_read_file", 'pg_read_file'],
    ["SELECT (ARRAY['/etc/passwd'])[1].pg_read_file", 'pg_read_file'],
    ['SELECT (x).pg_cancel_backend FROM (SELECT 1 AS x) s', 'pg_cancel_backend'],
    ["SELECT f.pg_read_file FROM unnest(ARRAY['/etc/passwd']) f", 'pg_read_file'],
  ])('a function whose effect a read-only transaction lets out: %s', (text, name) => {
    expect(refusal(text)).toBe(`Function ${name}, 1`);
  });
});

describe('read-only access admits', () => {
  it.each([
    'SELECT 1',
    'SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > 1 ORDER BY 2 DESC LIMIT 10',
    'TABLE t',
    'VALUES (1), (2)',
    'WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r LIMIT 5',
    "SELECT 'DROP TABLE x'",
    "SELECT 'set_config', 'default_transaction_read_only'",
    'SELECT 1 AS delete, 2 AS "INSERT"',
    "SELECT has_table_privilege(r.rolname, c.oid, 'DELETE') AS delete FROM pg_roles r, pg_class c",
    'SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) FROM t',
    "SELECT date_trunc('day', ts) AS time, avg(v) FROM m WHERE ts BETWEEN now() - '1d'::interval " +
      'AND now() GROUP BY 1 ORDER BY 1',
    'SELECT sum(lo_revenue), l.lo_orderkey FROM lineorder l GROUP BY 2',
    'SELECT n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner) FROM pg_class c ' +
      'LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ' +
      "WHERE c.relkind IN ('r', 'p') AND n.nspname OPERATOR(pg_catalog.~) '^(public)$' " +
      'COLLATE pg_catalog.default ORDER BY 1, 2',
    'SELECT pg_get_expr(d.adbin, d.adrelid), a.attnum::regclass FROM pg_attrdef d, pg_attribute a',
    'SELECT * FROM pg_stat_activity',
    'SELECT * FROM pg_stat_statements LIMIT 5',
    'SELECT * FROM pg_get_replication_slots()',
    'SELECT table_to_xml($$t$$, true, true, $$$$)',
    'SELECT txid_current_if_assigned(), pg_current_xact_id_if_assigned()',
    "SELECT current_setting('transaction_read_only'), currval('s'), pg_sleep(0)",
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "SELECT set_config('bytea_output', 'hex', false) FROM pg_settings WHERE name = 'bytea_output'",
    'SELECT lo_get(1)',
    'EXPLAIN SELECT 1',
    'EXPLAIN ANALYZE SELECT 1',
    'EXPLAIN DELETE FROM t',
    'EXPLAIN (ANALYZE off, VERBOSE) INSERT INTO t VALUES (1)',
    'EXPLAIN (ANALYZE 0) UPDATE t SET a = 1',
    'EXPLAIN CREATE TABLE t AS SELECT 1',
    'SHOW ALL',
    'SHOW transaction_read_only',
    'BEGIN',
    'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY, DEFERRABLE',
    'START TRANSACTION READ ONLY; SELECT 1; COMMIT AND CHAIN; ROLLBACK',
    'SAVEPOINT s; ROLLBACK TO s; RELEASE s; END',
    'SET TRANSACTION READ ONLY',
    'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
    "SET TRANSACTION SNAPSHOT '00000003-0000001B-1'",
    'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
    'SET default_transaction_read_only = on',
    "SET LOCAL transaction_read_only TO 'true'",
    'SET search_path = public, pg_catalog',
    "SET TIME ZONE 'UTC'",
    "SET NAMES 'UTF8'",
    "SET application_name = 'PostgreSQL JDBC Driver'",
    'SET extra_float_digits = 3; SET statement_timeout = 0',
    'SET CONSTRAINTS ALL DEFERRED',
    'RESET ALL',
    'RESET default_transaction_read_only',
    'SET default_transaction_read_only TO DEFAULT',
    'RESET ROLE',
    'RESET SESSION AUTHORIZATION',
    'DISCARD ALL',
    'DISCARD TEMP',
    'UNLISTEN *',
    'DECLARE c CURSOR WITH HOLD FOR SELECT 1',
    'FETCH FORWARD 100 FROM c; MOVE 1 c; CLOSE c; CLOSE ALL',
    'PREPARE p(int) AS SELECT $1; EXECUTE p(1); DEALLOCATE p; DEALLOCATE ALL',
    'COPY (SELECT 1) TO STDOUT',
    'COPY t TO STDOUT WITH (FORMAT csv)',
    '/* DROP TABLE t */ SELECT 1 -- ; DROP TABLE t',
    'SELECT $$a)b$$, $q$;$q$',
    ';',
  ])('%s', (text) => {
    expect(refusal(text)).toBeUndefined();
  });
});

describe('a policy of read-only access', () => {
  it('refuses with the SQLSTATE of a read-only transaction and says where it is set', async () => {
    const policy = await policyOf({ access: 'read-only' });

    expect(policy.admit(Buffer.from('SELECT 1; DELETE FROM t'), UTF8)).toMatchObject({
      sqlState: '25006',
      message: 'DELETE in statement 2 is refused, as access is read-only',
      detail: 'Nothing of the query was run',
      hint: 'Set by WIRE_ACCESS or access of the listener, or by the scope of the account',
    });
    expect(verdict(policy, 'SELECT pg_reload_conf()')).toBe(
      '25006 Function pg_reload_conf in statement 1 is refused, as access is read-only',
    );
    expect(verdict(policy, '')).toBe('admitted');
  });

  it('keeps to the lists too', async () => {
    const policy = await policyOf({ access: 'read-only', deny: ['EXPLAIN'] });

    expect(verdict(policy, 'SELECT 1')).toBe('admitted');
    expect(verdict(policy, 'EXPLAIN SELECT 1')).toContain('42501 EXPLAIN in statement 1');
  });
});
