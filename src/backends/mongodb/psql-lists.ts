// The answers to psql's lists: \l, \dn, \du, \d, \dt, \dv and \di.
import { SQLSTATE } from '../../errors.ts';
import { LISTED_MAX } from './catalog-source.ts';
import type { CatalogSource, CollectionEntry, UserEntry } from './catalog-source.ts';
import type { CatalogQuery } from './psql-query.ts';
import { selectByName, selectCollections } from './psql-relation-names.ts';
import { catalogAnswer, prettySize } from './psql-rows.ts';
import type { CatalogRow } from './psql-rows.ts';
import { warning } from './sql-answer.ts';
import type { SqlAnswer } from './sql-answer.ts';

/** Collections that are asked for their indexes, or sizes, one after another in one list. */
const ASKED_MAX = 1000;

/** A list, from metadata as it is now. */
export type CatalogList = (
  query: CatalogQuery,
  catalog: CatalogSource,
  signal: AbortSignal,
) => Promise<SqlAnswer>;

/** `\l` */
export const listDatabases: CatalogList = async (query, catalog, signal) => {
  const databases = await catalog.databases(signal);
  const rows = selectByName(databases, query, 'datname').map(({ name, sizeOnDisk }) => ({
    Name: name,
    Encoding: 'UTF8',
    // psql puts libc here for old servers; MongoDB compares bytes.
    'Locale Provider': null,
    Size: prettySize(sizeOnDisk),
  }));
  return catalogAnswer(query, sortRows(rows, 'Name'));
};

/** `\dn`: a database has no schemas, so that it is shown as its only one. */
export const listSchemas: CatalogList = (query, catalog) => {
  const schemas = selectByName([{ name: catalog.currentDatabase }], query, 'nspname');
  const rows = schemas.map(({ name }) => ({ Name: name, Description: 'MongoDB database' }));
  return Promise.resolve(catalogAnswer(query, rows));
};

/** `\du` */
export const listRoles: CatalogList = async (query, catalog, signal) => {
  const users = await catalog.users(signal);
  const named = users.map((entry) => ({ name: entry.user, entry }));
  const rows = selectByName(named, query, 'rolname').map(({ entry }) => roleRow(entry));
  return catalogAnswer(query, sortRows(rows, 'rolname'));
};

/** Roles that may do everything, and those that may make users. */
const SUPER_ROLES = new Set(['admin.root', 'admin.__system']);
const USER_ROLES = new Set(['admin.userAdminAnyDatabase', 'admin.userAdmin', ...SUPER_ROLES]);

function roleRow({ user, roles }: UserEntry): CatalogRow {
  return {
    rolname: user,
    rolsuper: sqlBoolean(roles.some((role) => SUPER_ROLES.has(role))),
    rolinherit: 't',
    rolcreaterole: sqlBoolean(roles.some((role) => USER_ROLES.has(role))),
    rolcreatedb: 'f',
    rolcanlogin: 't',
    rolconnlimit: '-1',
    memberof: `{${roles.join(',')}}`,
    rolreplication: 'f',
    rolbypassrls: 'f',
    description: roles.join(', '),
  };
}

/** `\d`, `\dt`, `\dv` and `\di`, by the kinds of relations that the query lists. */
export const listRelations: CatalogList = async (query, catalog, signal) => {
  const kinds = new Set(query.relationKinds);
  const collections = await catalog.collections(signal);
  const shown = kinds.has('i')
    ? await indexRows(query, catalog, collections, signal)
    : await collectionRows(query, catalog, collections, signal);
  const notices = [
    ...(shown.isCut ? [ASKED_NOTICE] : []),
    ...(collections.length < LISTED_MAX ? [] : [LISTED_NOTICE]),
  ];
  return { ...catalogAnswer(query, sortRows(shown.rows, 'Name')), notices };
};

const ASKED_NOTICE = warning(
  SQLSTATE.warning,
  `Indexes and sizes are shown of ${ASKED_MAX} collections only`,
);

const LISTED_NOTICE = warning(SQLSTATE.warning, `Only ${LISTED_MAX} collections are looked at`);

interface Rows {
  readonly rows: readonly CatalogRow[];
  /** Whether some collections were not asked. */
  readonly isCut: boolean;
}

async function collectionRows(
  query: CatalogQuery,
  catalog: CatalogSource,
  collections: readonly CollectionEntry[],
  signal: AbortSignal,
): Promise<Rows> {
  const kinds = new Set(query.relationKinds);
  const listed = selectCollections(collections, query, catalog.currentDatabase).filter(({ type }) =>
    kinds.has(type === 'view' ? 'v' : 'r'),
  );
  const isSized = query.items.some(({ name }) => name === 'Size');
  const rows: CatalogRow[] = [];
  for (const [index, entry] of listed.entries()) {
    const isAsked = isSized && index < ASKED_MAX && entry.type !== 'view';
    const bytes = isAsked ? await catalog.storageSize(entry.name, signal) : undefined;
    rows.push({
      Schema: catalog.currentDatabase,
      Name: entry.name,
      Type: entry.type === 'view' ? 'view' : 'table',
      Size: bytes === undefined ? null : prettySize(bytes),
      Persistence: null,
      Description: entry.type === 'timeseries' ? 'time series' : null,
    });
  }
  return { rows, isCut: isSized && listed.length > ASKED_MAX };
}

/** A name in the query is an index's, not its collection's. */
async function indexRows(
  query: CatalogQuery,
  catalog: CatalogSource,
  collections: readonly CollectionEntry[],
  signal: AbortSignal,
): Promise<Rows> {
  const schema = { ...query, names: query.names.filter(({ column }) => column === 'nspname') };
  const owners = selectCollections(collections, schema, catalog.currentDatabase).filter(
    ({ type }) => type !== 'view',
  );
  const indexes: { readonly name: string; readonly row: CatalogRow }[] = [];
  for (const { name: table } of owners.slice(0, ASKED_MAX)) {
    for (const { name, definition } of await catalog.indexes(table, signal)) {
      const row = { Schema: catalog.currentDatabase, Name: name, Type: 'index', Table: table };
      indexes.push({ name, row: { ...row, Description: definition } });
    }
  }
  return {
    rows: selectByName(indexes, query, 'relname').map(({ row }) => row),
    isCut: owners.length > ASKED_MAX,
  };
}

/** As psql's ORDER BY asks; where names are the same, as they came. */
function sortRows(rows: readonly CatalogRow[], column: string): readonly CatalogRow[] {
  const keys = rows.map((row, index) => ({ key: row[column] ?? '', row, index }));
  keys.sort((one, other) => {
    const order = one.key < other.key ? -1 : Number(one.key > other.key);
    return order === 0 ? one.index - other.index : order;
  });
  return keys.map(({ row }) => row);
}

function sqlBoolean(value: boolean): string {
  return value ? 't' : 'f';
}
