// Statements of REST that write; each is one, so that it happens whole or not at all.
import { whereAll, whereRow, writeCondition } from './crud-conditions.ts';
import { SqlParameters } from './crud-parameters.ts';
import { writeColumns, writeVersion } from './crud-select.ts';
import { quoteIdentifier, quoteRows, quoteTable } from './crud-table.ts';
import type { Condition, Versions } from './crud-conditions.ts';
import type { CrudStatement } from './crud-parameters.ts';
import type { CrudTable, TableColumn } from './crud-table.ts';

/** What a column is to become; undefined for its default. */
export interface Assignment {
  readonly column: TableColumn;
  readonly value: string | null | undefined;
}

/** The row that is meant, and which versions of it. */
export interface RowTarget {
  readonly key: readonly string[];
  readonly versions: Versions;
  /** What the body says of the key: the same, though it may be written in another way. */
  readonly restated?: readonly Condition[];
}

/** Whole rows come back, in the order in which they were given. */
export function insertRows(
  table: CrudTable,
  rows: readonly (readonly Assignment[])[],
): CrudStatement {
  const parameters = new SqlParameters();
  const columns = [...new Set(rows.flatMap((row) => row.map(({ column }) => column)))];
  if (columns.length === 0) {
    return parameters.toStatement(
      `INSERT INTO ${quoteTable(table)} ${writeDefaults(rows.length)}${writeReturning(table)}`,
    );
  }
  const values = rows.map((row) => {
    const byColumn = new Map(row.map(({ column, value }) => [column, value]));
    const texts = columns.map((column) =>
      writeValue({ column, value: byColumn.get(column) }, parameters),
    );
    return `(${texts.join(', ')})`;
  });
  return parameters.toStatement(
    `INSERT INTO ${quoteTable(table)} (${writeColumns(columns)}) VALUES ${values.join(', ')}` +
      writeReturning(table),
  );
}

export function updateRow(
  table: CrudTable,
  target: RowTarget,
  assignments: readonly Assignment[],
): CrudStatement {
  const parameters = new SqlParameters();
  const set = writeAssignments(assignments, parameters);
  return parameters.toStatement(
    `UPDATE ${quoteRows(table)} SET ${set}${whereRow(table, target, parameters)}` +
      writeReturning(table),
  );
}

/** Tells by its command tag how many rows it was. */
export function updateRows(
  table: CrudTable,
  conditions: readonly Condition[],
  assignments: readonly Assignment[],
): CrudStatement {
  const parameters = new SqlParameters();
  const set = writeAssignments(assignments, parameters);
  const terms = conditions.map((condition) => writeCondition(condition, parameters));
  return parameters.toStatement(`UPDATE ${quoteRows(table)} SET ${set}${whereAll(terms)}`);
}

export function deleteRow(table: CrudTable, target: RowTarget): CrudStatement {
  const parameters = new SqlParameters();
  return parameters.toStatement(
    `DELETE FROM ${quoteRows(table)}${whereRow(table, target, parameters)}`,
  );
}

export function deleteRows(table: CrudTable, conditions: readonly Condition[]): CrudStatement {
  const parameters = new SqlParameters();
  const terms = conditions.map((condition) => writeCondition(condition, parameters));
  return parameters.toStatement(`DELETE FROM ${quoteRows(table)}${whereAll(terms)}`);
}

function writeAssignments(assignments: readonly Assignment[], parameters: SqlParameters): string {
  return assignments
    .map((assignment) => {
      const name = quoteIdentifier(assignment.column.name);
      return `${name} = ${writeValue(assignment, parameters)}`;
    })
    .join(', ');
}

function writeValue({ column, value }: Assignment, parameters: SqlParameters): string {
  return value === undefined ? 'DEFAULT' : parameters.bind(value, column);
}

/** Rows that name no column, of which the table may have none. */
function writeDefaults(rowCount: number): string {
  return rowCount === 1
    ? 'DEFAULT VALUES'
    : `SELECT FROM pg_catalog.generate_series(1, ${rowCount})`;
}

function writeReturning(table: CrudTable): string {
  const columns = `${writeColumns([...table.columns.values()])}${writeVersion(table)}`;
  // Of a row without columns there is nothing to tell but that it was stored.
  return ` RETURNING ${columns === '' ? 'NULL' : columns.replace(/^, /, '')}`;
}
