// Which collections a name of psql's means.
import type { CollectionEntry } from './catalog-source.ts';
import { NamePattern } from './psql-pattern.ts';
import type { CatalogQuery } from './psql-query.ts';

/**
 * The entries whose names a condition of the query takes. psql folds a name without double quotes
 * to lower case, and MongoDB's names often have capitals: where no name is found as written, it is
 * found in any case.
 */
export function selectByName<T extends { readonly name: string }>(
  entries: readonly T[],
  query: CatalogQuery,
  column: string,
): readonly T[] {
  const pattern = patternOf(query, column);
  if (pattern === undefined) {
    return entries;
  }
  const exact = entries.filter(({ name }) => pattern.matches(name));
  return exact.length > 0 || !pattern.isFolded
    ? exact
    : entries.filter(({ name }) => pattern.matches(name.toLowerCase()));
}

/**
 * The collections that a query is about. The schema is the database, so that `test.people` means
 * what it means to MongoDB; of `fs.files` psql makes a schema and a name, and means a collection.
 */
export function selectCollections(
  collections: readonly CollectionEntry[],
  query: CatalogQuery,
  database: string,
): readonly CollectionEntry[] {
  const visible = collections
    .filter(({ name }) => !(query.isWithoutSystem && name.startsWith('system.')))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const schema = patternOf(query, 'nspname');
  if (schema === undefined || schema.matches(database)) {
    return selectByName(visible, query, 'relname');
  }
  const inner = visible
    .filter(({ name }) => name.includes('.') && schema.matches(headOf(name)))
    .map((entry) => ({ name: entry.name.slice(headOf(entry.name).length + 1), entry }));
  return selectByName(inner, query, 'relname').map(({ entry }) => entry);
}

function headOf(name: string): string {
  return name.slice(0, name.indexOf('.'));
}

function patternOf(query: CatalogQuery, column: string): NamePattern | undefined {
  const condition = query.names.find((candidate) => candidate.column === column);
  return condition === undefined ? undefined : new NamePattern(condition.pattern);
}
