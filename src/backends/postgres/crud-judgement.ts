// Which of some values a table's columns cannot hold: asked when the server has refused one and
// its error does not say which.
import type { Row } from '../backend.ts';
import { SqlParameters, TEXT } from './crud-parameters.ts';
import type { CrudStatement } from './crud-parameters.ts';
import type { CrudTable, TableColumn } from './crud-table.ts';
import { encodeTextArray } from './crud-values.ts';

/** The text of a value that is to be stored in a column. */
export interface JudgedValue {
  readonly column: TableColumn;
  readonly value: string;
}

/** Whoever sent a thousand wrong values learns from the first ones. */
const JUDGEMENTS_MAX = 100;

const TEXTS = { sqlType: 'pg_catalog.text[]' };

/**
 * A row for each value that is refused, for readJudgement. Types are read with their lengths and
 * the rules of their domains. PostgreSQL has the function since version 16.
 */
export function judgeValues(
  { schema, table }: CrudTable,
  values: readonly JudgedValue[],
): CrudStatement {
  const parameters = new SqlParameters();
  const names = parameters.bind(encodeTextArray(values.map(({ column }) => column.name)), TEXTS);
  const texts = parameters.bind(encodeTextArray(values.map(({ value }) => value)), TEXTS);
  return parameters.toStatement(
    `SELECT given.place, judged.message
FROM ROWS FROM (pg_catalog.unnest(${names}), pg_catalog.unnest(${texts})) WITH ORDINALITY
  AS given (name, value, place)
JOIN pg_catalog.pg_namespace n ON n.nspname = ${parameters.bind(schema, TEXT)}
JOIN pg_catalog.pg_class c
  ON c.relnamespace = n.oid AND c.relname = ${parameters.bind(table, TEXT)}
JOIN pg_catalog.pg_attribute a
  ON a.attrelid = c.oid AND a.attname = given.name AND NOT a.attisdropped
CROSS JOIN LATERAL pg_catalog.pg_input_error_info(
  given.value, pg_catalog.format_type(a.atttypid, a.atttypmod)) judged
WHERE judged.sql_error_code IS NOT NULL ORDER BY given.place LIMIT ${JUDGEMENTS_MAX}`,
  );
}

/** @returns which of the values it is, and what the server says of it */
export function readJudgement([place, message]: Row): {
  readonly index: number;
  readonly message: string;
} {
  return {
    index: Number(place?.toString('latin1')) - 1,
    message: message?.toString('utf8') ?? '',
  };
}
