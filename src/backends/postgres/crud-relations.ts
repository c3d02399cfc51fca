// Which tables there are for whom the connection was opened as.
import type { Row } from '../backend.ts';
import { SqlParameters, TEXT } from './crud-parameters.ts';
import type { CrudStatement } from './crud-parameters.ts';
import { tableKindOf } from './crud-table.ts';
import type { TableKind, TableName } from './crud-table.ts';

/** A table, view or the like in a list of them. */
export interface Relation extends TableName {
  readonly kind: TableKind;
}

/** All that can be read at least in part, of one schema or of all; rows for readRelation. */
export function listRelations(schema?: string): CrudStatement {
  const parameters = new SqlParameters();
  const ofSchema = schema === undefined ? '' : ` AND n.nspname = ${parameters.bind(schema, TEXT)}`;
  return parameters.toStatement(
    `SELECT n.nspname, c.relname, c.relkind
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND (pg_catalog.has_table_privilege(c.oid, 'SELECT')
    OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT'))${ofSchema}
ORDER BY n.nspname, c.relname`,
    { isPlain: true },
  );
}

export function readRelation([schema, table, relationKind]: Row): Relation {
  return {
    schema: schema?.toString('utf8') ?? '',
    table: table?.toString('utf8') ?? '',
    kind: tableKindOf(relationKind?.toString('latin1')),
  };
}
