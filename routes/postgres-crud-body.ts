// Bodies as rows of a table, judged by its columns before the database is asked.
import { isLosslessNumber } from 'lossless-json';
import type { RestatedValue } from '../src/backends/postgres/crud-conditions.ts';
import type { CrudTable, TableColumn } from '../src/backends/postgres/crud-table.ts';
import type { Assignment } from '../src/backends/postgres/crud-write.ts';
import { encodeJsonValue } from '../src/backends/postgres/crud-values.ts';
import type { EncodedValue } from '../src/backends/postgres/crud-values.ts';
import { UNKNOWN_COLUMN } from './postgres-crud-request.ts';
import { RequestError } from './request-error.ts';
import type { FieldProblem } from './request-error.ts';

/** Rows of one request: a text with many more placeholders takes long to be parsed. */
export const ROWS_MAX = 1000;
/** Values of one request: Bind counts them in two bytes. */
const VALUES_MAX = 65_535;
/** Problems that are told: whoever sent a thousand wrong rows learns from the first ones. */
const PROBLEMS_MAX = 100;

export interface NewRows {
  readonly rows: readonly (readonly Assignment[])[];
  /** Whether they came as an array. */
  readonly isMany: boolean;
}

/**
 * Rows to create: an object, or an array of them.
 *
 * @throws RequestError 422 with a field for each value that cannot be taken, 413 for too many
 */
export function readNewRows(body: unknown, table: CrudTable): NewRows {
  const isMany = Array.isArray(body);
  const bodies: readonly unknown[] = isMany ? body : [body];
  if (bodies.length === 0) {
    throw new RequestError(422, 'The array holds no row');
  }
  if (bodies.length > ROWS_MAX) {
    throw refuseSize(`At most ${ROWS_MAX} rows can be created at once`);
  }
  const problems = new Problems();
  const rows = bodies.map((one, index) => {
    const reader = new RowReader(one, { problems, path: isMany ? `[${index}].` : '' });
    const assignments = reader.readAll(table);
    for (const column of table.columns.values()) {
      reader.requireValue(column);
    }
    return assignments;
  });
  problems.throwAny();
  if (rows.reduce((count, row) => count + row.length, 0) > VALUES_MAX) {
    throw refuseSize(`At most ${VALUES_MAX} values can be created at once`);
  }
  return { rows, isMany };
}

/**
 * Columns to change, at least one.
 *
 * @throws RequestError 422
 */
export function readChanges(body: unknown, table: CrudTable): readonly Assignment[] {
  const problems = new Problems();
  const assignments = new RowReader(body, { problems, path: '' }).readAll(table);
  problems.throwAny();
  if (assignments.length === 0) {
    throw new RequestError(422, 'The object names no column to change');
  }
  return assignments;
}

/**
 * A whole row in place of the one with this key: what the body does not name gets its default.
 *
 * @param key as texts of the database
 * @throws RequestError 422
 */
export function readReplacement(
  body: unknown,
  table: CrudTable,
  key: readonly string[],
): readonly Assignment[] {
  const problems = new Problems();
  const reader = new RowReader(body, { problems, path: '' });
  // What has been read can be sent back with its key, even where nobody may choose that.
  const values = reader.readAll(table, (value, column) =>
    table.key.includes(column) ? encodeJsonValue(value, column) : encodeWritable(value, column),
  );
  const given = new Map(values.map(({ column, value }) => [column, value]));
  const assignments: Assignment[] = [];
  for (const column of table.columns.values()) {
    if (table.key.includes(column)) {
      if (given.get(column) === null) {
        problems.add(column.name, 'A key is never null');
      }
    } else if (given.has(column) || isReplaced(column)) {
      reader.requireValue(column);
      assignments.push({ column, value: given.get(column) });
    }
  }
  problems.throwAny();
  // Nothing but a key: to write it again is what tells whether the row is there.
  return assignments.length > 0
    ? assignments
    : table.key.map((column, index) => ({ column, value: key[index] }));
}

/**
 * What a body says of the key in other words than the path: whether it is the same, only the
 * database knows.
 */
export function readRestatedKey(
  body: unknown,
  table: CrudTable,
  key: readonly string[],
): readonly RestatedValue[] {
  const problems = new Problems();
  const values = new RowReader(body, { problems, path: '' }).readAll(table, encodeJsonValue);
  return values.flatMap(({ column, value }) => {
    const index = table.key.indexOf(column);
    return index === -1 || typeof value !== 'string' || value === key[index]
      ? []
      : [{ column, op: 'eq', value } as const];
  });
}

/** An identity is the row's own for good, a generated value follows from the others. */
function isReplaced({ isGenerated, identity }: TableColumn): boolean {
  return !isGenerated && identity === undefined;
}

/** One object of a body. */
class RowReader {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #problems: Problems;
  readonly #path: string;
  readonly #isObject: boolean;

  constructor(
    body: unknown,
    { problems, path }: { readonly problems: Problems; readonly path: string },
  ) {
    const isObject = isPlainObject(body);
    this.#isObject = isObject;
    this.#fields = new Map(isObject ? Object.entries(body) : []);
    this.#problems = problems;
    this.#path = path;
    if (!isObject) {
      problems.add('', `A row is an object of its columns${path === '' ? '' : `: ${path}`}`);
    }
  }

  /** The values of all columns that the body names. */
  readAll(table: CrudTable, encode = encodeWritable): readonly Assignment[] {
    const assignments: Assignment[] = [];
    for (const [name, value] of this.#fields) {
      const column = table.columns.get(name);
      const encoded = column === undefined ? { problem: UNKNOWN_COLUMN } : encode(value, column);
      if ('problem' in encoded) {
        this.#problems.add(`${this.#path}${name}`, encoded.problem);
      } else if (column !== undefined) {
        assignments.push({ column, value: encoded.text });
      }
    }
    return assignments;
  }

  /** Notes a problem where the column has no value and nobody gives it one. */
  requireValue({ name, isNullable, hasDefault, typeName }: TableColumn): void {
    if (this.#isObject && !isNullable && !hasDefault && !this.#fields.has(name)) {
      this.#problems.add(`${this.#path}${name}`, `A value is needed, of type ${typeName}`);
    }
  }
}

function encodeWritable(value: unknown, column: TableColumn): EncodedValue {
  if (column.isGenerated) {
    return { problem: 'Its value is computed from other columns and cannot be given' };
  }
  if (column.identity === 'always') {
    return { problem: 'Its value is always the next number and cannot be given' };
  }
  return encodeJsonValue(value, column);
}

class Problems {
  readonly #fields: FieldProblem[] = [];

  add(field: string, message: string): void {
    if (this.#fields.length < PROBLEMS_MAX) {
      this.#fields.push({ field, message });
    }
  }

  throwAny(): void {
    if (this.#fields.length > 0) {
      throw new RequestError(422, 'The body does not fit the table', { fields: this.#fields });
    }
  }
}

function isPlainObject(value: unknown): value is object {
  const isObject = typeof value === 'object' && value !== null;
  return isObject && !Array.isArray(value) && !isLosslessNumber(value);
}

function refuseSize(detail: string): RequestError {
  return new RequestError(413, detail, { hint: 'Send them in several requests' });
}
