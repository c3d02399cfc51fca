// Tells psql's catalog queries apart, of every psql from 12 on. They are known by what they read
// and by the labels that they give, not by their text, which changes with each version.
import { ServiceError, SQLSTATE } from '../../errors.ts';
import { answerAboutRelation, answerLookup } from './psql-describe.ts';
import type { DescribeContext } from './psql-describe.ts';
import { listDatabases, listRelations, listRoles, listSchemas } from './psql-lists.ts';
import type { CatalogList } from './psql-lists.ts';
import { parseCatalogQuery } from './psql-query.ts';
import type { CatalogQuery } from './psql-query.ts';
import type { SqlAnswer } from './sql-answer.ts';
import type { SqlToken } from './sql-lexer.ts';

/**
 * The answer to a query of PostgreSQL's catalog, from MongoDB's metadata.
 *
 * @param tokens of a SELECT, without its first word
 * @throws ServiceError 0A000 for a query that is none of those
 */
export async function answerCatalogQuery(
  tokens: readonly SqlToken[],
  context: DescribeContext,
): Promise<SqlAnswer> {
  const query = parseCatalogQuery(tokens);
  if (isLookup(query)) {
    return await answerLookup(query, context);
  }
  const list = listOf(query);
  const answer =
    list === undefined
      ? await answerAboutRelation(query, context)
      : await list(query, context.catalog, context.signal);
  if (answer === undefined) {
    throw catalogRefusal();
  }
  return answer;
}

function isLookup({ items, tables }: CatalogQuery): boolean {
  return (
    tables.join() === 'pg_class,pg_namespace' &&
    items.map(({ name }) => name).join() === 'oid,nspname,relname'
  );
}

function listOf(query: CatalogQuery): CatalogList | undefined {
  const { items, tables } = query;
  switch (tables[0]) {
    case 'pg_database':
      return hasItems(query, 'Name', 'Owner', 'Encoding') ? listDatabases : undefined;
    case 'pg_namespace':
      return hasItems(query, 'Name', 'Owner') ? listSchemas : undefined;
    case 'pg_roles':
      return items[0]?.name === 'rolname' && items[1]?.name === 'rolsuper' ? listRoles : undefined;
    case 'pg_class':
      return hasItems(query, 'Schema', 'Name', 'Type', 'Owner') ? listRelations : undefined;
    default:
      return undefined;
  }
}

function hasItems({ items }: CatalogQuery, ...labels: readonly string[]): boolean {
  return labels.every((label) => items.some(({ name }) => name === label));
}

function catalogRefusal(): ServiceError {
  return new ServiceError(
    SQLSTATE.featureNotSupported,
    'MongoDB has no answer to this query of the PostgreSQL catalog',
    {
      hint:
        String.raw`Of psql's commands \l, \d, \dt, \dv, \di, \dn and \du work on this port, ` +
        'each with + and with a name; help lists what the shell has',
    },
  );
}
