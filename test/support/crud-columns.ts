// Columns and tables as the catalog of a server would tell them.
import type { CrudTable, TableColumn } from '../../src/backends/postgres/crud-table.ts';

const TYPES = {
  bool: { oid: 16, category: 'B' },
  int2: { oid: 21, category: 'N' },
  int4: { oid: 23, category: 'N' },
  int8: { oid: 20, category: 'N' },
  float8: { oid: 701, category: 'N' },
  numeric: { oid: 1700, category: 'N' },
  money: { oid: 790, category: 'N' },
  text: { oid: 25, category: 'S' },
  json: { oid: 114, category: 'U' },
  jsonb: { oid: 3802, category: 'U' },
  bytea: { oid: 17, category: 'U' },
  timestamptz: { oid: 1184, category: 'D' },
  box: { oid: 603, category: 'G' },
} as const;

export type TypeName = keyof typeof TYPES;

/** A column that may be NULL and has no default, unless said. */
export function createColumn(
  name: string,
  type: TypeName | `${TypeName}[]`,
  properties: Partial<TableColumn> = {},
): TableColumn {
  const [element] = Object.entries(TYPES).filter(([known]) => type === `${known}[]`);
  const [scalar] = Object.entries(TYPES).filter(([known]) => type === known);
  return {
    name,
    sqlType: `pg_catalog.${type}`,
    comparedAs: `pg_catalog.${type}`,
    typeName: type,
    base: scalar?.[1] ?? { oid: 0, category: 'A' },
    element: element && { ...element[1], delimiter: element[0] === 'box' ? ';' : ',' },
    operatorSchema: 'pg_catalog',
    behind: { asc: '>', desc: '<' },
    isNullable: true,
    hasDefault: false,
    isGenerated: false,
    identity: undefined,
    ...properties,
  };
}

/** `public.t` with these columns; the key is of the ones that are named. */
export function createTable(
  columns: readonly TableColumn[],
  key: readonly string[],
  properties: Partial<CrudTable> = {},
): CrudTable {
  return {
    schema: 'public',
    table: 't',
    kind: 'table',
    columns: new Map(columns.map((column) => [column.name, column])),
    key: key.flatMap((name) => columns.filter((column) => column.name === name)),
    isVersioned: true,
    isPlain: true,
    ...properties,
  };
}
