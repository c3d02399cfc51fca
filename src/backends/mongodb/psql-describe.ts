// The answers to `\d name`: psql asks for the oid first, and then for one thing after another.
import type { CatalogSource, FieldEntry, IndexEntry } from './catalog-source.ts';
import type { CatalogQuery } from './psql-query.ts';
import { selectCollections } from './psql-relation-names.ts';
import type { Relation, RelationOids } from './psql-relations.ts';
import { catalogAnswer } from './psql-rows.ts';
import type { CatalogRow } from './psql-rows.ts';
import type { SqlAnswer } from './sql-answer.ts';

/** The index that every collection has. */
const PRIMARY_INDEX = '_id_';

/** Tables that psql asks about a relation, and that hold nothing for a collection. */
const EMPTY_TABLES = new Set([
  ...['pg_policy', 'pg_statistic_ext', 'pg_publication', 'pg_inherits', 'pg_constraint'],
  ...['pg_trigger', 'pg_rewrite'],
]);

/** What an answer is made from. */
export interface DescribeContext {
  readonly catalog: CatalogSource;
  readonly relations: RelationOids;
  readonly signal: AbortSignal;
}

/** The oids of the collections that a name means. */
export async function answerLookup(
  query: CatalogQuery,
  { catalog, relations, signal }: DescribeContext,
): Promise<SqlAnswer> {
  const database = catalog.currentDatabase;
  const collections = await catalog.collections(signal);
  const rows = selectCollections(collections, query, database).map(({ name, type }) => ({
    oid: relations.oid({ database, name, isView: type === 'view' }),
    nspname: database,
    relname: name,
  }));
  return catalogAnswer(query, rows);
}

/** A question about one collection; undefined when it is none that psql's `\d` asks. */
export async function answerAboutRelation(
  query: CatalogQuery,
  context: DescribeContext,
): Promise<SqlAnswer | undefined> {
  const relation = query.oids
    .map((oid) => context.relations.relation(oid))
    .find((known) => known?.database === context.catalog.currentDatabase);
  const question = relation === undefined ? undefined : questionOf(query);
  if (relation === undefined || question === undefined) {
    return undefined;
  }
  return catalogAnswer(query, await question(relation, context));
}

type Question = (relation: Relation, context: DescribeContext) => Promise<readonly CatalogRow[]>;

function questionOf({ items, tables }: CatalogQuery): Question | undefined {
  switch (`${tables[0] ?? ''}:${items[0]?.name ?? ''}`) {
    case 'pg_class:relchecks':
      return propertyRows;
    case 'pg_attribute:attname':
      return columnRows;
    case 'pg_class:relname':
      return tables.includes('pg_index') ? indexRows : undefined;
    case ':pg_get_viewdef':
      return viewRows;
    default:
      return tables.some((table) => EMPTY_TABLES.has(table)) ? noRows : undefined;
  }
}

const noRows: Question = () => Promise.resolve([]);

const propertyRows: Question = ({ isView }) =>
  Promise.resolve([
    {
      relchecks: '0',
      relkind: isView ? 'v' : 'r',
      relhasindex: isView ? 'f' : 't',
      relhasrules: 'f',
      relhastriggers: 'f',
      relrowsecurity: 'f',
      relforcerowsecurity: 'f',
      relispartition: 'f',
      reltablespace: '0',
      relpersistence: 'p',
      relreplident: 'd',
    },
  ]);

const columnRows: Question = async ({ name }, { catalog, signal }) =>
  (await catalog.fields(name, signal)).map((field) => columnRow(field));

function columnRow({ name, bsonTypes, presentIn, sampled }: FieldEntry): CatalogRow {
  const isNullable =
    presentIn < sampled || bsonTypes.some((type) => type === 'null' || type === 'undefined');
  return {
    attname: name,
    format_type: bsonTypes.join('|'),
    attnotnull: isNullable ? 'f' : 't',
    attidentity: '',
    attgenerated: '',
    // Without one of its letters psql prints `???`; this is the one for "as it is".
    attstorage: 'p',
    col_description: `in ${presentIn} of ${sampled} documents`,
  };
}

const indexRows: Question = async ({ name, isView }, { catalog, signal }) => {
  const indexes = isView ? [] : await catalog.indexes(name, signal);
  return indexes.toSorted(compareIndexes).map((index) => ({
    relname: index.name,
    indisprimary: index.name === PRIMARY_INDEX ? 't' : 'f',
    indisunique: index.isUnique ? 't' : 'f',
    indisclustered: 'f',
    indisvalid: 't',
    pg_get_indexdef: index.definition,
    condeferrable: 'f',
    condeferred: 'f',
    indisreplident: 'f',
    reltablespace: '0',
  }));
};

function compareIndexes(one: IndexEntry, other: IndexEntry): number {
  const byPrimary = Number(other.name === PRIMARY_INDEX) - Number(one.name === PRIMARY_INDEX);
  return byPrimary === 0 ? (one.name < other.name ? -1 : 1) : byPrimary;
}

const viewRows: Question = async ({ name }, { catalog, signal }) => {
  const definition = await catalog.viewDefinition(name, signal);
  return definition === undefined ? [] : [{ pg_get_viewdef: ` ${definition}` }];
};
