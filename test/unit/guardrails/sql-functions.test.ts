import { describe, expect, it } from '@jest/globals';
import {
  isRefusedFunction,
  READ_ONLY_REFUSED_FUNCTIONS,
  READ_ONLY_REFUSED_SETTINGS,
} from '../../../src/guardrails/sql-functions.ts';

function literal(text: string): object {
  return { A_Const: { sval: { sval: text } } };
}

describe('isRefusedFunction', () => {
  it.each([
    ...['nextval', 'setval', 'txid_current', 'pg_current_xact_id', 'pg_notify', 'pg_promote'],
    ...['pg_terminate_backend', 'pg_cancel_backend', 'pg_reload_conf', 'pg_rotate_logfile'],
    ...['pg_rotate_logfile_old', 'pg_switch_wal', 'pg_create_restore_point'],
    ...['pg_create_logical_replication_slot', 'pg_copy_physical_replication_slot'],
    ...['pg_drop_replication_slot', 'pg_replication_slot_advance', 'pg_stat_reset'],
    ...['pg_stat_reset_shared', 'pg_stat_statements_reset', 'pg_read_file'],
    ...['pg_read_binary_file', 'pg_ls_dir', 'pg_ls_waldir', 'pg_stat_file', 'pg_file_write'],
    ...['pg_logical_emit_message', 'pg_logical_slot_peek_changes', 'pg_export_snapshot'],
    ...['pg_advisory_lock', 'pg_advisory_unlock_all', 'pg_try_advisory_lock'],
    ...['pg_wal_replay_pause', 'pg_backup_start', 'pg_start_backup', 'pg_log_standby_snapshot'],
    ...['lo_create', 'lo_creat', 'lo_import', 'lo_export', 'lo_unlink', 'lo_put', 'lowrite'],
    ...['lo_truncate', 'lo_truncate64', 'lo_from_bytea', 'lo_open'],
    ...['query_to_xml', 'query_to_xml_and_xmlschema', 'cursor_to_xml', 'ts_stat', 'ts_rewrite'],
    ...['crosstab', 'crosstab4', 'connectby', 'xpath_table'],
    ...['dblink', 'dblink_exec', 'dblink_connect_u', 'dblink_send_query'],
    ...['pg_clear_relation_stats', 'pg_restore_attribute_stats', 'pg_import_system_collations'],
    ...['brin_summarize_new_values', 'heap_force_kill', 'binary_upgrade_set_record_init_privs'],
    ...['PG_NOTIFY', 'pg_not\u0130fy', 'set_config'],
  ])('refuses %s', (name) => {
    expect(isRefusedFunction(name, undefined)).toBe(true);
  });

  it.each([
    ...['now', 'count', 'current_setting', 'currval', 'lastval', 'pg_sleep', 'lo_get', 'loread'],
    ...['txid_current_if_assigned', 'txid_current_snapshot', 'pg_current_snapshot'],
    ...['table_to_xml', 'schema_to_xml', 'xmlelement', 'to_tsvector', 'ts_headline'],
    ...['pg_get_viewdef', 'pg_get_replication_slots', 'pg_is_wal_replay_paused'],
    ...['pg_stat_get_activity', 'pg_stat_statements', 'pg_stat_clear_snapshot'],
    ...['pg_relation_size', 'pg_tablespace_location', 'pg_current_wal_lsn', 'pg_blocking_pids'],
    ...['pg_last_wal_replay_lsn', 'pg_database_size', 'my_nextval', 'nextval2', 'a_dblink'],
    ...['lo_orderkey', 'lo_revenue', 'log_read', 'has_table_privilege', ''],
  ])('lets %j be', (name) => {
    expect(isRefusedFunction(name, undefined)).toBe(false);
  });

  it.each([
    ['search_path', false],
    ['bytea_output', false],
    ['', false],
    ['role', true],
    ['Session_Authorization', true],
    ['transaction_read_only', true],
    ['DEFAULT_TRANSACTION_READ_ONLY', true],
  ])('judges set_config by the literal name of the setting: %j', (setting, isRefused) => {
    expect(isRefusedFunction('set_config', { args: [literal(setting)] })).toBe(isRefused);
    expect(isRefusedFunction('SET_CONFIG', { args: [literal(setting), {}] })).toBe(isRefused);
  });

  it.each([
    ['no argument', {}],
    ['an expression', { args: [{ A_Expr: {} }] }],
    ['a column', { args: [{ ColumnRef: {} }] }],
    ['a cast', { args: [{ TypeCast: { arg: literal('search_path') } }] }],
    ['a named argument', { args: [{ NamedArgExpr: { arg: literal('search_path') } }] }],
    ['a list of arguments', { args: [{ A_ArrayExpr: { elements: [literal('search_path')] } }] }],
  ])('refuses set_config with %s', (_, call) => {
    expect(isRefusedFunction('set_config', call)).toBe(true);
  });
});

describe('what the documentation lists', () => {
  it('is in the words of PostgreSQL, without doubles', () => {
    const names = [...READ_ONLY_REFUSED_FUNCTIONS, ...READ_ONLY_REFUSED_SETTINGS];

    expect(names.filter((name) => !/^[a-z0-9_]+(\*[a-z_]*)?$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});
