// What a request asks of a table, in the table's own columns.
import type { Request } from 'express';
import type { Condition } from '../src/backends/postgres/crud-conditions.ts';
import type { OrderColumn } from '../src/backends/postgres/crud-keyset.ts';
import type { CrudTable, TableColumn, TableName } from '../src/backends/postgres/crud-table.ts';
import { encodeTextValue, isBoolean, isText } from '../src/backends/postgres/crud-values.ts';
import { parseInValues } from './list-parameters.ts';
import type { Filter, OrderItem } from './list-parameters.ts';
import { RequestError } from './request-error.ts';
import type { FieldProblem } from './request-error.ts';

export function readTableName({ params }: Request): TableName {
  return { schema: readSegment(params['schema']), table: readSegment(params['table']) };
}

/** One path segment for each column of the key, percent-decoded. */
export function readKeySegments({ params }: Request): readonly string[] {
  const segments = params['key'];
  return typeof segments === 'string' ? [segments] : (segments ?? []);
}

function readSegment(segment: string | readonly string[] | undefined): string {
  return typeof segment === 'string' ? segment : '';
}

export function readSearch({ originalUrl }: Request): URLSearchParams {
  const mark = originalUrl.indexOf('?');
  return new URLSearchParams(mark === -1 ? '' : originalUrl.slice(mark + 1));
}

/**
 * Refuses query parameters that would be ignored: who sends a filter counts on it.
 *
 * @throws RequestError 400
 */
export function refuseParameters(
  search: URLSearchParams,
  isTaken: (name: string) => boolean,
): void {
  const fields = [...new Set(search.keys())]
    .filter((name) => !isTaken(name))
    .map((field) => ({ field, message: 'It is not taken here' }));
  throwProblems(fields);
}

/** @throws RequestError 400 with a field for each column that is not there or does not fit */
export function resolveConditions(table: CrudTable, filters: readonly Filter[]): Condition[] {
  const problems: FieldProblem[] = [];
  const conditions: Condition[] = [];
  for (const filter of filters) {
    const column = table.columns.get(filter.field);
    const condition = column === undefined ? UNKNOWN_COLUMN : toCondition(column, filter);
    if (typeof condition === 'string') {
      problems.push({ field: filter.field, message: condition });
    } else {
      conditions.push(condition);
    }
  }
  throwProblems(problems);
  return conditions;
}

/** All columns where nothing is selected. */
export function resolveSelect(
  table: CrudTable,
  select: readonly string[] | undefined,
): readonly TableColumn[] {
  if (select === undefined) {
    return [...table.columns.values()];
  }
  return resolveNames(table, 'select', select).map(({ column }) => column);
}

export function resolveOrder(
  table: CrudTable,
  order: readonly OrderItem[],
): readonly OrderColumn[] {
  const columns = resolveNames(
    table,
    'order',
    order.map(({ field }) => field),
  );
  return columns.map(({ column, index }) => ({
    column,
    direction: order[index]?.direction ?? 'asc',
  }));
}

/**
 * The texts of a key as the database reads them.
 *
 * @throws RequestError 404 where the path has not one segment for each column, 400 for a value
 *   that its column cannot have
 */
export function resolveKey(table: CrudTable, segments: readonly string[]): readonly string[] {
  if (table.key.length === 0) {
    throw new RequestError(404, 'The rows of this table have no address: it has no primary key', {
      hint: 'Ask for the list with filters',
    });
  }
  if (segments.length !== table.key.length) {
    throw new RequestError(404, 'The key of this table has another number of columns', {
      hint: `The path has one segment for each of ${table.key.map(({ name }) => name).join(', ')}`,
    });
  }
  const problems: FieldProblem[] = [];
  const key = table.key.map((column, index) => {
    const encoded = encodeTextValue(segments[index] ?? '', column);
    if ('problem' in encoded) {
      problems.push({ field: column.name, message: encoded.problem });
      return '';
    }
    return encoded.text ?? '';
  });
  throwProblems(problems);
  return key;
}

/** What to say of a column that the table has not. */
export const UNKNOWN_COLUMN = 'The table has no such column';

function resolveNames(
  table: CrudTable,
  parameter: string,
  names: readonly string[],
): readonly { readonly column: TableColumn; readonly index: number }[] {
  const problems: FieldProblem[] = [];
  const columns: { readonly column: TableColumn; readonly index: number }[] = [];
  for (const [index, name] of names.entries()) {
    const column = table.columns.get(name);
    if (column === undefined) {
      problems.push({ field: `${parameter}.${name}`, message: UNKNOWN_COLUMN });
    } else {
      columns.push({ column, index });
    }
  }
  throwProblems(problems);
  return columns;
}

/** @returns what is wrong, where it is no condition */
function toCondition(column: TableColumn, filter: Filter): Condition | string {
  const { op, value } = filter;
  if (op === 'is') {
    return toTest(column, value);
  }
  if (op === 'like' || op === 'ilike') {
    return isText(column) ? { column, op, value } : `${op} is for text; this is ${column.typeName}`;
  }
  if (op === 'in') {
    const values = parseInValues(filter).map(({ text }) => encodeTextValue(text, column));
    const problem = values.find((encoded) => 'problem' in encoded);
    const texts = values.flatMap((encoded) => ('text' in encoded ? [encoded.text ?? ''] : []));
    return problem?.problem ?? { column, op, values: texts };
  }
  const encoded = encodeTextValue(value, column);
  return 'problem' in encoded ? encoded.problem : { column, op, value: encoded.text ?? '' };
}

function toTest(column: TableColumn, value: string): Condition | string {
  if (value === 'null' || value === 'not_null') {
    return { column, op: 'is', test: value };
  }
  if (!isBoolean(column)) {
    return `is.${value} is for boolean; this is ${column.typeName}`;
  }
  return { column, op: 'is', test: value === 'true' ? 'true' : 'false' };
}

function throwProblems(fields: readonly FieldProblem[]): void {
  if (fields.length > 0) {
    throw new RequestError(400, 'The request asks for what the table has not', { fields });
  }
}
