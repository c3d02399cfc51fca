// Rows of a catalog query's answer, filled by the names of the query's own columns.
import { rowsAnswer, TYPE_OID } from './sql-answer.ts';
import type { SqlAnswer } from './sql-answer.ts';
import type { CatalogQuery } from './psql-query.ts';

/** A row's values by the name of a column; what is not in it is NULL, or the query's constant. */
export type CatalogRow = Readonly<Record<string, string | null>>;

/** The answer to a query of psql, with the columns that this query asks for. */
export function catalogAnswer(query: CatalogQuery, rows: readonly CatalogRow[]): SqlAnswer {
  return rowsAnswer(
    query.items.map(({ name }) => ({
      name: name === '' ? '?column?' : name,
      typeOid: TYPE_OID.text,
    })),
    rows.map((row) =>
      query.items.map(({ name, constant }) =>
        Object.hasOwn(row, name) ? (row[name] ?? null) : (constant ?? null),
      ),
    ),
  );
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** Bytes as PostgreSQL's pg_size_pretty writes them: up to 10 239 of a unit. */
export function prettySize(bytes: number): string {
  let value = bytes;
  for (const unit of UNITS) {
    if (Math.round(value) < 10_240) {
      return `${Math.round(value)} ${unit}`;
    }
    value /= 1024;
  }
  return `${Math.round(value)} PB`;
}
