import { constantOf, foldName, listOf } from './sql-syntax.ts';
import type { SyntaxNode } from './sql-syntax.ts';

/**
 * Functions that a read-only transaction of PostgreSQL lets run although they change something
 * outside of the transaction, or run SQL that is not in the text. Names without schema; `*`
 * stands for any letters.
 */
export const READ_ONLY_REFUSED_FUNCTIONS: readonly string[] = [
  // Other sessions and the server.
  ...['pg_terminate_backend', 'pg_cancel_backend', 'pg_notify', 'pg_advisory_*'],
  ...['pg_try_advisory_*', 'pg_export_snapshot', 'pg_log_*', 'pg_reload_conf'],
  ...['pg_rotate_logfile*', 'pg_promote', 'pg_stat_reset*', 'pg_stat_statements_reset'],
  ...['autoprewarm_*', 'pg_buffercache_evict*', 'pg_buffercache_mark_dirty*'],
  // The log of changes, replication and backups. An assigned transaction id is one of the
  // cluster's; the *_if_assigned forms are free.
  ...['txid_current', 'pg_current_xact_id', 'pg_logical_emit_message', 'pg_logical_slot_*'],
  ...['pg_create_*', 'pg_drop_replication_slot', 'pg_copy_*', 'pg_replication_slot_advance'],
  ...['pg_sync_replication_slots', 'pg_replication_origin_*', 'pg_switch_wal'],
  ...['pg_switch_xlog', 'pg_wal_replay_*', 'pg_xlog_replay_*', 'pg_backup_*'],
  ...['pg_start_backup', 'pg_stop_backup'],
  // Data behind the back of the transaction; the server refuses sequences too.
  ...['nextval', 'setval', 'lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_export'],
  ...['lo_open', 'lo_put', 'lo_truncate*', 'lo_unlink', 'lo_manage', 'lowrite'],
  ...['brin_summarize_*', 'brin_desummarize_range', 'gin_clean_pending_list'],
  ...['heap_force_*', 'pg_truncate_visibility_map', 'pg_import_system_collations'],
  ...['pg_restore_*_stats', 'pg_clear_*_stats', 'pg_nextoid', 'pg_stop_making_pinned_objects'],
  ...['binary_upgrade_*'],
  // Files of the server.
  ...['pg_read_*', 'pg_ls_*', 'pg_stat_file', 'pg_file_*', 'pg_logdir_ls'],
  // SQL from a string, here or on another server.
  ...['query_to_xml*', 'cursor_to_xml*', 'ts_stat', 'ts_rewrite', 'crosstab*', 'connectby'],
  ...['xpath_table', 'dblink*'],
];

/** Settings that would end read-only access or change who is asking, in SET or set_config. */
export const READ_ONLY_REFUSED_SETTINGS: ReadonlySet<string> = new Set([
  'transaction_read_only',
  'default_transaction_read_only',
  'role',
  'session_authorization',
]);

const REFUSED = new RegExp(
  `^(?:${READ_ONLY_REFUSED_FUNCTIONS.map((name) => name.replaceAll('*', '.*')).join('|')})$`,
  's',
);

/**
 * Whether read-only access refuses a function.
 *
 * @param name without its schema
 * @param call its FuncCall; undefined where it is written as an attribute
 */
export function isRefusedFunction(name: string, call: SyntaxNode | undefined): boolean {
  const folded = foldName(name);
  return folded === 'set_config' ? !isHarmlessSetting(call) : REFUSED.test(folded);
}

// pg_dump and pgAdmin begin with set_config of search_path and bytea_output: what SET may do,
// set_config with a literal name may do.
function isHarmlessSetting(call: SyntaxNode | undefined): boolean {
  const [argument] = listOf(call?.['args']);
  const setting = constantOf(argument);
  return setting !== undefined && !READ_ONLY_REFUSED_SETTINGS.has(foldName(setting));
}
