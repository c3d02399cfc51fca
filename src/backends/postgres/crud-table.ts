// What REST knows of a table: enough to write statements for it and to judge values beforehand.

/** A type with its domains taken off, or the elements of an array of it. */
export interface ValueType {
  readonly oid: number;
  /** One letter of pg_type.typcategory: S strings, N numbers, A arrays. */
  readonly category: string;
}

/** What an array holds, and what its literal puts between them. */
export interface ElementType extends ValueType {
  readonly delimiter: string;
}

export interface TableColumn {
  readonly name: string;
  /** As SQL: schema-qualified, quoted, without a length, which a cast would cut to. */
  readonly sqlType: string;
  /**
   * As SQL, what a value is taken for that is compared with it: the type below all domains, whose
   * rules are about what is stored, and the column's own collation where it has one.
   */
  readonly comparedAs: string;
  /** As people write it: `character varying(20)`. */
  readonly typeName: string;
  readonly base: ValueType;
  /** Of arrays only. */
  readonly element: ElementType | undefined;
  /** Where the operators are that its order is made of: citext brings its own. */
  readonly operatorSchema: string;
  /** Its operators for what comes behind a value, by the direction: hstore has `#>#` for `>`. */
  readonly behind: Readonly<Record<'asc' | 'desc', string>>;
  readonly isNullable: boolean;
  /** Whether the server fills it in when it is not given: default, identity or generated. */
  readonly hasDefault: boolean;
  readonly isGenerated: boolean;
  readonly identity: 'always' | 'by-default' | undefined;
}

export type TableKind =
  'table' | 'partitioned-table' | 'view' | 'materialized-view' | 'foreign-table';

const KINDS: ReadonlyMap<string, TableKind> = new Map([
  ['r', 'table'],
  ['p', 'partitioned-table'],
  ['v', 'view'],
  ['m', 'materialized-view'],
  ['f', 'foreign-table'],
]);

/** @param relationKind as pg_class.relkind has it */
export function tableKindOf(relationKind: string | null | undefined): TableKind {
  return KINDS.get(relationKind ?? '') ?? 'view';
}

export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** A table as it was in the catalog a moment ago. */
export interface CrudTable extends TableName {
  readonly kind: TableKind;
  /** By name, in the table's own order. */
  readonly columns: ReadonlyMap<string, TableColumn>;
  /** The primary key in its own order; empty where there is none. */
  readonly key: readonly TableColumn[];
  /** Whether each row has an xmin that tells one version from another. */
  readonly isVersioned: boolean;
  /** Whether to read it runs nothing of a user's: no view, no row policy. */
  readonly isPlain: boolean;
}

/** Identifiers come from the catalog; quoted, they are nothing else whatever they hold. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A table's own rows: those of tables that inherit from it have keys and rules of their own. */
export function quoteRows(table: CrudTable): string {
  return table.kind === 'table' ? `ONLY ${quoteTable(table)}` : quoteTable(table);
}

/** The operator of the column's own order, wherever the search path leads. */
export function writeOperator(
  { operatorSchema }: Pick<TableColumn, 'operatorSchema'>,
  operator: string,
): string {
  return operatorSchema === 'pg_catalog'
    ? operator
    : `OPERATOR(${quoteIdentifier(operatorSchema)}.${operator})`;
}

export function quoteTable({ schema, table }: TableName): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}
