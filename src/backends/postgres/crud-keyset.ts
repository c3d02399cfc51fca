// Pages of a list without gaps or doubles: each begins behind the last row of the one before, by
// the values of the columns that the list is in the order of.
import { quoteIdentifier, writeOperator } from './crud-table.ts';
import type { SqlParameters } from './crud-parameters.ts';
import type { CrudTable, TableColumn } from './crud-table.ts';

export interface OrderColumn {
  readonly column: TableColumn;
  readonly direction: 'asc' | 'desc';
}

/** Where a page ended: one value for each column of the order. */
export type KeysetPosition = readonly (string | null)[];

/**
 * The order that was asked for and, behind it, the rest of the key, which makes it an order of
 * single rows. The key goes the way of the last column: one comparison of rows is enough then.
 */
export function completeOrder(
  { key }: CrudTable,
  order: readonly OrderColumn[],
): readonly OrderColumn[] {
  const direction = order.at(-1)?.direction ?? 'asc';
  const rest = key.filter((keyColumn) => !order.some(({ column }) => column === keyColumn));
  return [...order, ...rest.map((column) => ({ column, direction }))];
}

/** NULLs are where PostgreSQL has them by itself, so that its indexes serve. */
export function writeOrder(order: readonly OrderColumn[]): string {
  const terms = order.map(
    ({ column, direction }) =>
      quoteIdentifier(column.name) +
      (direction === 'desc' ? ' DESC NULLS FIRST' : ' ASC NULLS LAST'),
  );
  return terms.length === 0 ? '' : ` ORDER BY ${terms.join(', ')}`;
}

/** Holds for what comes behind a position. */
export function writeBehind(
  order: readonly OrderColumn[],
  position: KeysetPosition,
  parameters: SqlParameters,
): string {
  const steps = order.map((item, index) => ({ ...item, value: position[index] ?? null }));
  const [first, ...others] = steps;
  const isUniform = steps.every(
    ({ column, direction, value }) =>
      direction === first?.direction &&
      !column.isNullable &&
      value !== null &&
      column.operatorSchema === 'pg_catalog',
  );
  if (first !== undefined && isUniform) {
    return writeRowComparison([first, ...others], parameters);
  }
  const alternatives = steps
    .map((_, index) => writeAlternative(steps.slice(0, index + 1), parameters))
    .filter((alternative) => alternative !== undefined);
  return alternatives.length === 0 ? 'false' : `(${alternatives.join(' OR ')})`;
}

interface Step extends OrderColumn {
  readonly value: string | null;
}

function writeRowComparison(
  steps: readonly [Step, ...(readonly Step[])],
  parameters: SqlParameters,
): string {
  const names = steps.map(({ column }) => quoteIdentifier(column.name));
  const values = steps.map(({ column, value }) => parameters.bindCompared(value, column));
  const operator = steps[0].direction === 'desc' ? '<' : '>';
  return `(${names.join(', ')}) ${operator} (${values.join(', ')})`;
}

/** The same in all columns but the last, and behind in that. */
function writeAlternative(steps: readonly Step[], parameters: SqlParameters): string | undefined {
  const last = steps.at(-1);
  const behind = last === undefined ? undefined : writeStep(last, parameters);
  if (behind === undefined) {
    return undefined;
  }
  const same = steps.slice(0, -1).map(({ column, value }) => {
    const name = quoteIdentifier(column.name);
    return value === null
      ? `${name} IS NULL`
      : `${name} ${writeOperator(column, '=')} ${parameters.bindCompared(value, column)}`;
  });
  return `(${[...same, behind].join(' AND ')})`;
}

/** @returns undefined where nothing is behind: NULL is the last of ascending ones */
function writeStep(
  { column, direction, value }: Step,
  parameters: SqlParameters,
): string | undefined {
  const name = quoteIdentifier(column.name);
  if (value === null) {
    return direction === 'desc' ? `${name} IS NOT NULL` : undefined;
  }
  const operator = writeOperator(column, column.behind[direction]);
  const behind = `${name} ${operator} ${parameters.bindCompared(value, column)}`;
  // NULL is the first of descending ones, and the last of others.
  return direction === 'asc' && column.isNullable ? `(${behind} OR ${name} IS NULL)` : behind;
}
