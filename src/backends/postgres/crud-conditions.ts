// WHERE clauses of REST: columns of the catalog, operators of a closed list, values as parameters.
import { TEXT } from './crud-parameters.ts';
import type { SqlParameters } from './crud-parameters.ts';
import { quoteIdentifier, writeOperator } from './crud-table.ts';
import type { CrudTable, TableColumn } from './crud-table.ts';

const COMPARISONS = {
  eq: '=',
  neq: '<>',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
} as const;

const PATTERNS = { like: 'LIKE', ilike: 'ILIKE' } as const;

const TESTS = {
  null: 'IS NULL',
  not_null: 'IS NOT NULL',
  true: 'IS TRUE',
  false: 'IS FALSE',
} as const;

export type Comparison = keyof typeof COMPARISONS;
export type Pattern = keyof typeof PATTERNS;
export type Test = keyof typeof TESTS;

/** What one column has to be; values are texts that its type can be read from. */
export type Condition =
  | { readonly column: TableColumn; readonly op: Comparison | Pattern; readonly value: string }
  | { readonly column: TableColumn; readonly op: 'in'; readonly values: readonly string[] }
  | { readonly column: TableColumn; readonly op: 'is'; readonly test: Test };

/** What a body says of a column of the key: a condition, not a change. */
export interface RestatedValue {
  readonly column: TableColumn;
  readonly op: 'eq';
  readonly value: string;
}

/** Which versions of a row will do; undefined for all of them. */
export type Versions = readonly string[] | undefined;

/** All of these hold; without any, every row will do. */
export function whereAll(terms: readonly string[]): string {
  return terms.length === 0 ? '' : ` WHERE ${terms.join(' AND ')}`;
}

export function writeCondition(condition: Condition, parameters: SqlParameters): string {
  const { column } = condition;
  const name = quoteIdentifier(column.name);
  if (condition.op === 'is') {
    return `${name} ${TESTS[condition.test]}`;
  }
  if (condition.op === 'in') {
    const values = condition.values.map((value) => parameters.bindCompared(value, column));
    const equals = writeOperator(column, '=');
    return equals === '='
      ? `${name} IN (${values.join(', ')})`
      : `${name} ${equals} ANY (ARRAY[${values.join(', ')}])`;
  }
  if (condition.op === 'like' || condition.op === 'ilike') {
    return `${name} ${PATTERNS[condition.op]} ${parameters.bind(condition.value, TEXT)}`;
  }
  const operator = writeOperator(column, COMPARISONS[condition.op]);
  return `${name} ${operator} ${parameters.bindCompared(condition.value, column)}`;
}

/** A row is the one with this key where all of these hold. */
export function keyConditions(table: CrudTable, key: readonly string[]): readonly Condition[] {
  return table.key.map((column, index) => ({ column, op: 'eq', value: key[index] ?? '' }));
}

/**
 * The row with this key, in one of these versions: read and judged by one statement, so that no
 * other writer comes in between.
 */
export function whereRow(
  table: CrudTable,
  {
    key,
    versions,
    restated = [],
  }: {
    readonly key: readonly string[];
    readonly versions: Versions;
    readonly restated?: readonly Condition[];
  },
  parameters: SqlParameters,
): string {
  const terms = keyConditions(table, key).map((condition) => writeCondition(condition, parameters));
  terms.push(...restated.map((condition) => writeCondition(condition, parameters)));
  if (versions !== undefined) {
    const accepted = versions.map((version) => parameters.bind(version, TEXT));
    terms.push(accepted.length === 0 ? 'false' : `xmin::text IN (${accepted.join(', ')})`);
  }
  return whereAll(terms);
}
