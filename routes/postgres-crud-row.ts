// /api/postgres/{schema}/{table}/{key…}: one row by its primary key.
import type { CrudTable } from '../src/backends/postgres/crud-table.ts';
import { selectRow } from '../src/backends/postgres/crud-select.ts';
import { deleteRow, updateRow } from '../src/backends/postgres/crud-write.ts';
import type { Assignment, RowTarget } from '../src/backends/postgres/crud-write.ts';
import { readJsonBody } from './json-body.ts';
import { parseListParameters } from './list-parameters.ts';
import { readChanges, readReplacement } from './postgres-crud-body.ts';
import type { Call, CrudDatabase } from './postgres-crud-database.ts';
import {
  readKeySegments,
  readSearch,
  readTableName,
  refuseParameters,
  resolveKey,
  resolveSelect,
} from './postgres-crud-request.ts';
import { sendRow } from './postgres-crud-rows.ts';
import { readVersions, setVersion } from './postgres-crud-versions.ts';
import { RequestError } from './request-error.ts';

/** Reads one row; 404 where there is none. */
export async function readRow(call: Call, database: CrudDatabase): Promise<void> {
  const search = readSearch(call.request);
  refuseParameters(search, (name) => name === 'select');
  const { select } = parseListParameters(search, { limitDefault: 1, limitMax: 1 });
  const name = readTableName(call.request);
  await database.withTable(call, { name, isWrite: false }, async (table) => {
    const key = resolveKey(table, readKeySegments(call.request));
    const columns = resolveSelect(table, select);
    const answer = await database.read(call, selectRow(table, columns, key));
    const [row] = answer.rows;
    if (row === undefined) {
      throw answer.guard.exceeded === undefined ? missingRow() : answer.guard.cutError();
    }
    setVersion(call.response, table, row);
    sendRow(call.response, answer, { row, columnCount: columns.length });
  });
}

/** Puts a whole row in the place of one; what is not given gets its default. */
export async function replaceRow(call: Call, database: CrudDatabase): Promise<void> {
  await changeRow(call, database, readReplacement);
}

/** Changes the columns that are given. */
export async function patchRow(call: Call, database: CrudDatabase): Promise<void> {
  await changeRow(call, database, readChanges);
}

type ReadAssignments = (
  body: unknown,
  table: CrudTable,
  key: readonly string[],
) => readonly Assignment[];

async function changeRow(
  call: Call,
  database: CrudDatabase,
  readAssignments: ReadAssignments,
): Promise<void> {
  await withRow(call, database, async (table, target) => {
    const assignments = readAssignments(readJsonBody(call.request), table, target.key);
    const answer = await database.write(call, updateRow(table, target, assignments), 1);
    const [row] = answer.rows;
    if (row === undefined) {
      throw await explainNoRow(call, database, { table, target });
    }
    setVersion(call.response, table, row);
    sendRow(call.response, answer, { row, columnCount: table.columns.size });
  });
}

/** Deletes one row. */
export async function removeRow(call: Call, database: CrudDatabase): Promise<void> {
  await withRow(call, database, async (table, target) => {
    const { commandTag } = await database.write(call, deleteRow(table, target), 1);
    if (commandTag === 'DELETE 0') {
      throw await explainNoRow(call, database, { table, target });
    }
    call.response.status(204).end();
  });
}

async function withRow(
  call: Call,
  database: CrudDatabase,
  action: (table: CrudTable, target: RowTarget) => Promise<void>,
): Promise<void> {
  refuseParameters(readSearch(call.request), () => false);
  const name = readTableName(call.request);
  await database.withTable(call, { name, isWrite: true, isFresh: true }, async (table) => {
    const key = resolveKey(table, readKeySegments(call.request));
    await action(table, { key, versions: readVersions(call.request, table) });
  });
}

/** Nothing was written: there is no such row, or it is another version of it. */
async function explainNoRow(
  call: Call,
  database: CrudDatabase,
  { table, target }: { readonly table: CrudTable; readonly target: RowTarget },
): Promise<RequestError> {
  if (target.versions === undefined) {
    return missingRow();
  }
  const { rows } = await database.look(call, selectRow(table, table.key, target.key));
  return rows.length === 0
    ? missingRow()
    : new RequestError(412, 'The row has been changed since that version', {
        hint: 'Read it again, and decide with its new ETag',
      });
}

function missingRow(): RequestError {
  return new RequestError(404, 'There is no row with this key');
}
