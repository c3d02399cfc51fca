// Statements of REST that read.
import { whereAll, whereRow, writeCondition } from './crud-conditions.ts';
import { completeOrder, writeBehind, writeOrder } from './crud-keyset.ts';
import { SqlParameters } from './crud-parameters.ts';
import { quoteIdentifier, quoteRows } from './crud-table.ts';
import type { Condition } from './crud-conditions.ts';
import type { KeysetPosition, OrderColumn } from './crud-keyset.ts';
import type { CrudStatement } from './crud-parameters.ts';
import type { CrudTable, TableColumn } from './crud-table.ts';

export interface ListQuery {
  readonly select: readonly TableColumn[];
  readonly conditions: readonly Condition[];
  readonly order: readonly OrderColumn[];
  readonly behind: KeysetPosition | undefined;
  readonly rowsMax: number;
}

export interface ListStatement {
  readonly statement: CrudStatement;
  /** Where in each row the values are that say how to go on; empty where pages cannot be told. */
  readonly position: readonly number[];
}

/** The rows have the selected columns first; what else a cursor needs is behind them. */
export function selectPage(table: CrudTable, query: ListQuery): ListStatement {
  const parameters = new SqlParameters();
  const order = table.key.length === 0 ? query.order : completeOrder(table, query.order);
  const columns = [...query.select];
  for (const { column } of table.key.length === 0 ? [] : order) {
    if (!columns.includes(column)) {
      columns.push(column);
    }
  }
  const terms = query.conditions.map((condition) => writeCondition(condition, parameters));
  if (query.behind !== undefined) {
    terms.push(writeBehind(order, query.behind, parameters));
  }
  const text =
    `SELECT ${writeColumns(columns)} FROM ${quoteRows(table)}${whereAll(terms)}` +
    `${writeOrder(order)} LIMIT ${query.rowsMax}`;
  return {
    statement: parameters.toStatement(text, table),
    position: table.key.length === 0 ? [] : order.map(({ column }) => columns.indexOf(column)),
  };
}

/** How many rows there are, exactly: reads all of them. */
export function countRows(table: CrudTable, conditions: readonly Condition[]): CrudStatement {
  const parameters = new SqlParameters();
  const terms = conditions.map((condition) => writeCondition(condition, parameters));
  return parameters.toStatement(
    `SELECT pg_catalog.count(*) FROM ${quoteRows(table)}${whereAll(terms)}`,
    table,
  );
}

/** How many rows the planner expects: from statistics and the size of the table, nothing read. */
export function estimateRows(table: CrudTable, conditions: readonly Condition[]): CrudStatement {
  const parameters = new SqlParameters();
  const terms = conditions.map((condition) => writeCondition(condition, parameters));
  return parameters.toStatement(
    `EXPLAIN (FORMAT JSON) SELECT 1 FROM ${quoteRows(table)}${whereAll(terms)}`,
    table,
  );
}

/** One row, and its version behind it where the table has versions. */
export function selectRow(
  table: CrudTable,
  select: readonly TableColumn[],
  key: readonly string[],
): CrudStatement {
  const parameters = new SqlParameters();
  return parameters.toStatement(
    `SELECT ${writeColumns(select)}${writeVersion(table)} FROM ${quoteRows(table)}` +
      whereRow(table, { key, versions: undefined }, parameters),
    table,
  );
}

export function writeColumns(columns: readonly TableColumn[]): string {
  return columns.map(({ name }) => quoteIdentifier(name)).join(', ');
}

/** The transaction that wrote the row: another one for each version of it that can be seen. */
export function writeVersion({ isVersioned }: CrudTable): string {
  return isVersioned ? ', xmin::text' : '';
}
