// What read-only access is for: it must not be in the way of these.

/** Each is a Query of its own. */
export const HARMLESS_CORPUS: readonly string[] = [
  'select count(*) from canary',
  'table canary',
  'values (1), (2)',
  `select 'drop table canary'`,
  'select 1 as delete, 2 as insert',
  'with delete as (select 1 as update) select delete.update from delete',
  'explain delete from canary',
  'explain (costs off) insert into canary values (9)',
  'explain analyze select * from canary',
  'select percentile_cont(0.5) within group (order by id) from canary',
  `select has_table_privilege('canary', 'insert') as insert`,
  `select set_config('bytea_output', 'hex', false)`,
  `select pg_catalog.set_config('search_path', '', false)`,
  `set search_path = public; set statement_timeout = '10s'; show search_path`,
  `set DateStyle = ISO; set client_min_messages = notice; set client_encoding = 'utf-8'`,
  'set default_transaction_read_only = on',
  'begin; select 1; savepoint a; rollback to a; release a; commit',
  'begin read only; select 1; commit',
  'begin isolation level repeatable read, read only; select 1; rollback',
  'set session characteristics as transaction read only',
  'begin; declare c cursor for select * from canary; fetch 1 from c; close c; commit',
  'prepare p as select 1; execute p; deallocate p',
  'show all',
  'reset all',
  'discard all',
  'select pg_catalog.version(), current_schema(), pg_backend_pid()',
  'select txid_current_if_assigned(), pg_is_in_recovery()',
  `select n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner) as owner,
     obj_description(c.oid), pg_total_relation_size(c.oid)
   from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'v')`,
  `select t.oid, t.typname, pg_get_expr(d.adbin, d.adrelid) from pg_type t
   left join pg_attrdef d on d.oid = t.oid limit 3`,
  `select grantee, table_name, privilege_type, 'update' = lower(privilege_type) as update
   from information_schema.role_table_grants limit 3`,
  `select 'begin read write', 'set_config(''default_transaction_read_only'', ''off'')'`,
  `select * from canary where id::text like '%pg_notify(%' -- for update`,
  'show default_transaction_read_only; show transaction_read_only; show role',
  `select current_setting('transaction_read_only'), current_setting('role')`,
  `select name, setting from pg_settings where name = 'default_transaction_read_only'`,
  `select set_config('statement_timeout', '10s', true), set_config('TimeZone', 'UTC', false)`,
  'begin transaction isolation level serializable read only deferrable; rollback',
  'explain (analyze false) update canary set id = 9',
  'explain (analyze off, verbose) delete from canary',
  `begin; declare _psql_cursor no scroll cursor for select * from canary;
   fetch forward 100 from _psql_cursor; close _psql_cursor; commit`,
  'begin; declare held cursor with hold for select * from canary; commit; close held',
  'show transaction isolation level; show standard_conforming_strings',
  "set extra_float_digits = 3; set application_name = 'PostgreSQL JDBC Driver'",
  `with recursive t (n) as (values (1) union all select n + 1 from t where n < 5)
   select sum(n) filter (where n > 1), array_agg(n order by n desc) from t`,
  `select "update"."delete" from (select 1 as "delete") as "update"`,
  'select id, row_number() over (partition by id) as "set" from canary as "insert"',
  `select string_agg(id::text, '; drop table canary; ') from canary`,
  'select lock.mode from pg_locks as lock limit 1',
  `select json_build_object('truncate', id) -> 'truncate' from canary`,
  `select t.schemaname, t.relname, t.n_live_tup from pg_stat_user_tables t`,
  `with table_privileges as (
     select null as role, t.schemaname as schema, t.objectname as table,
       pg_catalog.has_any_column_privilege(current_user, t.objectname, 'update') as update,
       pg_catalog.has_any_column_privilege(current_user, t.objectname, 'select') as select,
       pg_catalog.has_any_column_privilege(current_user, t.objectname, 'insert') as insert,
       pg_catalog.has_table_privilege(current_user, t.objectname, 'delete') as delete
     from (select schemaname, tablename as objectname from pg_catalog.pg_tables
       where schemaname = 'public') as t
   ) select t.* from table_privileges t
     where t.select or t.update or t.insert or t.delete`,
  `select case when quote_ident(table_schema) in (
       select case when trim(s[i]) = '"$user"' then user else trim(s[i]) end
       from generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1),
         array_upper(string_to_array(current_setting('search_path'), ','), 1)) as i,
       string_to_array(current_setting('search_path'), ',') s)
     then quote_ident(table_name) else quote_ident(table_schema) || '.' || quote_ident(table_name)
     end as "table" from information_schema.tables
   where quote_ident(table_schema) not in ('information_schema', 'pg_catalog')`,
  `select pg_get_viewdef('canary_view'::regclass, true), pg_get_functiondef('writes'::regproc)`,
];

/** Commands of psql that read-only access leaves as they are. */
export const READ_ONLY_COMMANDS: readonly string[] = [
  ...[String.raw`\d`, String.raw`\d+ canary`, String.raw`\dt`, String.raw`\df`],
  ...[String.raw`\l`, String.raw`\dn+`, String.raw`\du`, String.raw`\dp`, String.raw`\sf writes`],
];
