// What REST asks the catalog about one table, remembered for a moment.
import { putLast } from '../../bounded-map.ts';
import type { Row } from '../backend.ts';
import type { CollectedResult, SqlStatement } from '../pool.ts';
import { tableKindOf } from './crud-table.ts';
import type { CrudTable, ElementType, TableColumn, TableName } from './crud-table.ts';

/** How long a table may be another one than we think; statements of the past fail, or adapt. */
const TTL_MS = 10_000;

/** Tables that are remembered at a time; the ones that were asked for first go first. */
const TABLES_MAX = 1000;

/** Runs a statement for whoever wants to know a table. */
export type AskCatalog = (statement: SqlStatement) => Promise<CollectedResult>;

export interface TableCatalog {
  /** @returns undefined where there is no such table */
  find(name: TableName, ask: AskCatalog): Promise<CrudTable | undefined>;
  /**
   * To be called when a statement found the table changed.
   *
   * @returns whether the table was remembered, so that asking again may help
   */
  forget(name: TableName): boolean;
}

/** @param now milliseconds of a clock that never goes back */
export function createTableCatalog(now: () => number = () => performance.now()): TableCatalog {
  const remembered = new Map<string, { readonly table: CrudTable; readonly untilMs: number }>();
  return {
    find: async (name, ask) => {
      const key = toKey(name);
      const known = remembered.get(key);
      if (known !== undefined && known.untilMs > now()) {
        return known.table;
      }
      remembered.delete(key);
      const { rows } = await ask(describeTable(name));
      const table = readTable(name, rows);
      if (table !== undefined) {
        putLast(remembered, key, { table, untilMs: now() + TTL_MS }, TABLES_MAX);
      }
      return table;
    },
    forget: (name) => remembered.delete(toKey(name)),
  };
}

/** Neither name can be taken for a part of the other. */
function toKey({ schema, table }: TableName): string {
  return JSON.stringify([schema, table]);
}

// One row for each column; one row without a column for a table that has none. The type that
// counts is the one below all domains, any of which may forbid NULL or bring a default; so it is
// with the elements of an array. A collation is told where it is not the type's.
const DESCRIBE = `SELECT c.relkind, coalesce(am.amname = 'heap', false), a.attname,
  pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.typname),
  pg_catalog.format_type(a.atttypid, a.atttypmod), bt.oid, bt.typcategory,
  eb.oid, eb.typcategory, et.typdelim, a.attnotnull OR base.isnotnull,
  a.atthasdef OR base.hasdefault OR a.attidentity <> '', a.attgenerated <> '', a.attidentity,
  pg_catalog.array_position(pk.conkey, a.attnum), c.relrowsecurity, op.nspname,
  pg_catalog.quote_ident(bn.nspname) || '.' || pg_catalog.quote_ident(bt.typname),
  pg_catalog.quote_ident(con.nspname) || '.' || pg_catalog.quote_ident(co.collname),
  op.greater, op.less
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
LEFT JOIN pg_catalog.pg_constraint pk ON pk.conrelid = c.oid AND pk.contype = 'p'
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN LATERAL (
  WITH RECURSIVE layers AS (
    SELECT t.oid, t.typtype, t.typbasetype, t.typnotnull, t.typdefault
    UNION ALL
    SELECT b.oid, b.typtype, b.typbasetype, b.typnotnull, b.typdefault
    FROM layers JOIN pg_catalog.pg_type b ON b.oid = layers.typbasetype
    WHERE layers.typtype = 'd')
  SELECT pg_catalog.max(oid) FILTER (WHERE typtype <> 'd') AS oid,
    pg_catalog.bool_or(typtype = 'd' AND typnotnull) AS isnotnull,
    pg_catalog.bool_or(typtype = 'd' AND typdefault IS NOT NULL) AS hasdefault
  FROM layers) base ON true
LEFT JOIN pg_catalog.pg_type bt ON bt.oid = base.oid
LEFT JOIN pg_catalog.pg_namespace bn ON bn.oid = bt.typnamespace
LEFT JOIN pg_catalog.pg_collation co
  ON co.oid = a.attcollation AND a.attcollation <> bt.typcollation
LEFT JOIN pg_catalog.pg_namespace con ON con.oid = co.collnamespace
LEFT JOIN pg_catalog.pg_type et
  ON et.oid = bt.typelem AND bt.typoutput = 'pg_catalog.array_out'::pg_catalog.regproc
LEFT JOIN LATERAL (
  WITH RECURSIVE layers AS (
    SELECT et.oid, et.typtype, et.typbasetype
    UNION ALL
    SELECT b.oid, b.typtype, b.typbasetype
    FROM layers JOIN pg_catalog.pg_type b ON b.oid = layers.typbasetype
    WHERE layers.typtype = 'd')
  SELECT pg_catalog.max(oid) FILTER (WHERE typtype <> 'd') AS oid FROM layers) elementbase ON true
LEFT JOIN pg_catalog.pg_type eb ON eb.oid = elementbase.oid
LEFT JOIN LATERAL (
  SELECT pg_catalog.max(opn.nspname::pg_catalog.text) AS nspname,
    pg_catalog.max(o.oprname::pg_catalog.text) FILTER (WHERE ao.amopstrategy = 5) AS greater,
    pg_catalog.max(o.oprname::pg_catalog.text) FILTER (WHERE ao.amopstrategy = 1) AS less
  FROM pg_catalog.pg_opclass oc
  JOIN pg_catalog.pg_amop ao ON ao.amopfamily = oc.opcfamily
    AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
  JOIN pg_catalog.pg_operator o ON o.oid = ao.amopopr
  JOIN pg_catalog.pg_namespace opn ON opn.oid = o.oprnamespace
  WHERE oc.opcintype = base.oid AND oc.opcdefault
    AND oc.opcmethod = (SELECT m.oid FROM pg_catalog.pg_am m WHERE m.amname = 'btree')
  ) op ON true
WHERE n.nspname = $1::pg_catalog.text AND c.relname = $2::pg_catalog.text
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY a.attnum`;

function describeTable({ schema, table }: TableName): SqlStatement {
  return { text: DESCRIBE, parameters: [schema, table], isOwn: true, isPlainRead: true };
}

function readTable(name: TableName, rows: readonly Row[]): CrudTable | undefined {
  const [first] = rows;
  if (first === undefined) {
    return undefined;
  }
  const [relationKind, isHeap] = toTexts(first);
  const hasRowSecurity = toTexts(first)[15] !== 'f';
  const kind = tableKindOf(relationKind);
  const columns = new Map<string, TableColumn>();
  const key: { readonly position: number; readonly column: TableColumn }[] = [];
  for (const row of rows) {
    const texts = toTexts(row);
    const column = readColumn(texts);
    if (column !== undefined) {
      columns.set(column.name, column);
      const position = texts[14];
      if (typeof position === 'string') {
        key.push({ position: Number(position), column });
      }
    }
  }
  return {
    ...name,
    kind,
    columns,
    key: key.sort((a, b) => a.position - b.position).map(({ column }) => column),
    // Through a partitioned table, PostgreSQL cannot return the xmin of what was inserted.
    isVersioned: kind === 'table' && isHeap === 't',
    isPlain: kind === 'table' && !hasRowSecurity,
  };
}

function toTexts(row: Row): readonly (string | null)[] {
  return row.map((value) => value?.toString('utf8') ?? null);
}

/** As pg_attribute.attidentity has them. */
const IDENTITIES: ReadonlyMap<string | null | undefined, 'always' | 'by-default'> = new Map([
  ['a', 'always'],
  ['d', 'by-default'],
]);

function readColumn(texts: readonly (string | null)[]): TableColumn | undefined {
  const [, , name, sqlType, typeName, oid, category, ...rest] = texts;
  const [, , , isNotNull, hasDefault, isGenerated, identity] = rest;
  if (typeof name !== 'string') {
    return undefined;
  }
  return {
    name,
    sqlType: sqlType ?? '',
    comparedAs: readComparedType(texts),
    typeName: typeName ?? '',
    base: { oid: Number(oid), category: category ?? '' },
    element: readElement(rest),
    isNullable: isNotNull !== 't',
    hasDefault: hasDefault === 't',
    isGenerated: isGenerated === 't',
    operatorSchema: texts[16] ?? 'pg_catalog',
    behind: { asc: texts[19] ?? '>', desc: texts[20] ?? '<' },
    identity: IDENTITIES.get(identity),
  };
}

type Texts = readonly (string | null)[];

function readElement([oid, category, delimiter]: Texts): ElementType | undefined {
  return typeof oid === 'string'
    ? { oid: Number(oid), category: category ?? '', delimiter: delimiter ?? ',' }
    : undefined;
}

function readComparedType({ 17: baseType, 18: collation }: Texts): string {
  return [baseType, ...(typeof collation === 'string' ? ['COLLATE', collation] : [])].join(' ');
}
