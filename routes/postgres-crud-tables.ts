// GET /api/postgres and /api/postgres/{schema}: which tables there are.
import { listRelations, readRelation } from '../src/backends/postgres/crud-relations.ts';
import type { TableKind } from '../src/backends/postgres/crud-table.ts';
import type { Call, CrudDatabase } from './postgres-crud-database.ts';
import { readSearch, readTableName, refuseParameters } from './postgres-crud-request.ts';
import { tableUrl } from './postgres-crud-rows.ts';
import { LISTED_MAX } from './list-parameters.ts';
import { RequestError } from './request-error.ts';

/** What a list of tables says of one. */
interface ListedTable {
  readonly schema: string;
  readonly table: string;
  readonly kind: TableKind;
  readonly isReadOnly: boolean;
  readonly url: string;
}

/** Lists the tables of all schemas. */
export async function listAllTables(call: Call, database: CrudDatabase): Promise<void> {
  call.response.json({ items: await findTables(call, database) });
}

/** Lists the tables of one schema; 404 where none of it is shown. */
export async function listSchemaTables(call: Call, database: CrudDatabase): Promise<void> {
  const { schema } = readTableName(call.request);
  const items = schema.includes('\0') ? [] : await findTables(call, database, schema);
  if (items.length === 0) {
    throw new RequestError(404, 'There is no such schema, or no table of it is shown');
  }
  call.response.json({ items });
}

/** @throws RequestError 413 where there are more than fit into one answer */
async function findTables(
  call: Call,
  database: CrudDatabase,
  schema?: string,
): Promise<readonly ListedTable[]> {
  refuseParameters(readSearch(call.request), () => false);
  // The limits of results are for what is in tables.
  const { rows, guard } = await database.look(call, listRelations(schema), LISTED_MAX);
  if (guard.exceeded !== undefined) {
    throw new RequestError(413, `More than ${LISTED_MAX} tables do not fit into one answer`, {
      hint: 'Ask for one schema of them: GET /api/postgres/{schema}',
    });
  }
  return rows.map(readRelation).flatMap((relation) => {
    const isReadOnly = database.isReadOnly(relation);
    const isHidden = database.visibility(relation) === 'hidden';
    return isHidden ? [] : [{ ...relation, isReadOnly, url: tableUrl(relation) }];
  });
}
