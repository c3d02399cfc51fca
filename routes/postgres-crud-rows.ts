// Rows of tables as the body of an answer.
import type { Response } from 'express';
import type { Column, Row } from '../src/backends/backend.ts';
import { JsonText } from '../src/backends/json-text.ts';
import { columnEncoderOf, createJsonRowEncoder } from '../src/backends/postgres/json-rows.ts';
import type { JsonRowEncoder } from '../src/backends/postgres/json-rows.ts';
import type { CrudTable, TableColumn } from '../src/backends/postgres/crud-table.ts';
import { decodeTextValue } from '../src/backends/postgres/crud-values.ts';
import { sendBody } from './cached-record.ts';
import type { Answer } from './postgres-crud-database.ts';

/** Filled and taken in one turn of the loop, so that no two answers share it. */
const text = new JsonText();

interface Shown {
  readonly shown: readonly TableColumn[];
}

/** What a list says besides its rows. */
interface ItemsEnd {
  readonly next?: string | null | undefined;
  /** Whether rows are missing that no next page has. */
  readonly isTruncated?: boolean;
  readonly count?: number | undefined;
}

/**
 * Sends `{"items":[…]}`.
 *
 * @param shown the first columns of each row; what is behind them is ours
 */
export function sendItems(
  response: Response,
  { columns, rows }: Pick<Answer, 'columns' | 'rows'>,
  { shown, next, count, isTruncated = false }: ItemsEnd & Shown,
): void {
  const appendRow = createRowEncoder(columns, shown);
  text.truncate(0);
  text.appendAscii('{"items":[');
  for (const [index, row] of rows.entries()) {
    text.appendAscii(index === 0 ? '' : ',');
    appendRow(text, row);
  }
  // Addresses are percent-encoded, so that this is ASCII.
  const truncated = writeMember('truncated', isTruncated ? true : undefined);
  text.appendAscii(`]${writeMember('next', next)}${truncated}${writeMember('count', count)}}`);
  sendBody(response.type('json'), text.take());
}

function createRowEncoder(
  columns: readonly Column[],
  shown: readonly TableColumn[],
): JsonRowEncoder {
  const described = columns.slice(0, shown.length);
  const encoders = shown.map((column, index) =>
    columnEncoderOf(described[index]?.typeOid ?? column.base.oid, column),
  );
  return createJsonRowEncoder(described, 'object', encoders);
}

function writeMember(name: string, value: string | number | boolean | null | undefined): string {
  return value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`;
}

/** Sends one row as an object. */
export function sendRow(
  response: Response,
  { columns }: Pick<Answer, 'columns'>,
  { row, shown }: Shown & { readonly row: Row },
): void {
  text.truncate(0);
  createRowEncoder(columns, shown)(text, row);
  sendBody(response.type('json'), text.take());
}

/** Path of a table. */
export function tableUrl({ schema, table }: { schema: string; table: string }): string {
  return `/api/postgres/${encodeURIComponent(schema)}/${encodeURIComponent(table)}`;
}

/**
 * Path of a row.
 *
 * @param row holds all columns of the table in its order
 * @returns undefined where the table has no key, or one that no path can carry: `.` and `..` are
 *   steps of a path to whoever asks for it, and a single empty part is the list
 */
export function rowUrl(table: CrudTable, row: Row): string | undefined {
  if (table.key.length === 0) {
    return undefined;
  }
  const columns = [...table.columns.values()];
  const segments = table.key.map((column) => segmentOf(column, row[columns.indexOf(column)]));
  const isStep = segments.some((segment) => segment === '.' || segment === '..');
  if (isStep || segments.join('') === '') {
    return undefined;
  }
  return [tableUrl(table), ...segments].join('/');
}

function segmentOf(column: TableColumn, value: Buffer | null | undefined): string {
  return encodeURIComponent(decodeTextValue(value?.toString('utf8') ?? '', column));
}
