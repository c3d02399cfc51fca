// /api/postgres/{schema}/{table}/{key…}: one row by its primary key.
import { keyConditions } from '../src/backends/postgres/crud-conditions.ts';
import type { RestatedValue } from '../src/backends/postgres/crud-conditions.ts';
import type { CrudTable } from '../src/backends/postgres/crud-table.ts';
import { selectRow } from '../src/backends/postgres/crud-select.ts';
import { deleteRow, updateRow } from '../src/backends/postgres/crud-write.ts';
import type { Assignment, RowTarget } from '../src/backends/postgres/crud-write.ts';
import { readJsonBody } from './json-body.ts';
import { parseListParameters } from './list-parameters.ts';
import { readChanges, readReplacement, readRestatedKey } from './postgres-crud-body.ts';
import { dependOnTable } from './postgres-crud-cache.ts';
import type { Call, CrudDatabase } from './postgres-crud-database.ts';
import {
  readKeySegments,
  readSearch,
  readTableName,
  refuseParameters,
  resolveKey,
  resolveSelect,
} from './postgres-crud-request.ts';
import { bodyValues, writeRows } from './postgres-crud-refusals.ts';
import { sendRow } from './postgres-crud-rows.ts';
import {
  assertWanted,
  createMismatch,
  readUnwantedVersions,
  readVersions,
  setVersion,
  versionOf,
} from './postgres-crud-versions.ts';
import { RequestError } from './request-error.ts';

/** Reads one row; 404 where there is none. */
export async function readRow(call: Call, database: CrudDatabase): Promise<void> {
  const search = readSearch(call.request);
  refuseParameters(search, (name) => name === 'select');
  const { select } = parseListParameters(search, { limitDefault: 1, limitMax: 1 });
  const name = readTableName(call.request);
  await database.withTable(call, { name, isWrite: false }, async (table) => {
    dependOnTable(call, table);
    const key = resolveKey(table, readKeySegments(call.request));
    const columns = resolveSelect(table, select);
    const answer = await database.read(call, selectRow(table, columns, key));
    const [row] = answer.rows;
    if (row === undefined) {
      throw answer.guard.exceeded === undefined ? missingRow() : answer.guard.cutError();
    }
    if (readVersions(call.request, table)?.includes(versionOf(table, row) ?? '') === false) {
      throw createMismatch();
    }
    setVersion(call.response, table, row);
    sendRow(call.response, answer, { row, shown: columns });
  });
}

/** Puts a whole row in the place of one; what is not given gets its default. */
export async function replaceRow(call: Call, database: CrudDatabase): Promise<void> {
  await changeRow(call, database, {
    readAssignments: readReplacement,
    readRestated: readRestatedKey,
  });
}

/** Changes the columns that are given. */
export async function patchRow(call: Call, database: CrudDatabase): Promise<void> {
  await changeRow(call, database, { readAssignments: readChanges, readRestated: () => [] });
}

type ReadOfBody<T> = (body: unknown, table: CrudTable, key: readonly string[]) => readonly T[];

interface Change {
  readonly readAssignments: ReadOfBody<Assignment>;
  readonly readRestated: ReadOfBody<RestatedValue>;
}

async function changeRow(
  call: Call,
  database: CrudDatabase,
  { readAssignments, readRestated }: Change,
): Promise<void> {
  await withRow(call, database, async (table, row) => {
    const body = readJsonBody(call.request);
    const assignments = readAssignments(body, table, row.key);
    const restated = readRestated(body, table, row.key);
    const target = { ...row, restated };
    const answer = await writeRows(call, database, {
      table,
      statement: updateRow(table, target, assignments),
      rowsMax: 1,
      conditions: keyConditions(table, row.key),
      values: bodyValues([...assignments, ...restated]),
    });
    const [changed] = answer.rows;
    if (changed === undefined) {
      throw await explainNoRow(call, database, { table, target });
    }
    setVersion(call.response, table, changed);
    sendRow(call.response, answer, { row: changed, shown: [...table.columns.values()] });
  });
}

/** Deletes one row. */
export async function removeRow(call: Call, database: CrudDatabase): Promise<void> {
  await withRow(call, database, async (table, target) => {
    const { commandTag } = await writeRows(call, database, {
      table,
      statement: deleteRow(table, target),
      rowsMax: 1,
      conditions: keyConditions(table, target.key),
      values: [],
    });
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
    const target = { key, versions: readVersions(call.request, table) };
    await refuseUnwanted(call, database, { table, target });
    await action(table, target);
  });
}

/**
 * Looks before the write: a version that is not there by now never comes again.
 *
 * @throws RequestError 404, 412
 */
async function refuseUnwanted(
  call: Call,
  database: CrudDatabase,
  { table, target }: Place,
): Promise<void> {
  const unwanted = readUnwantedVersions(call.request);
  if (unwanted === undefined) {
    return;
  }
  const { rows } = await database.look(call, selectRow(table, table.key, target.key));
  const [row] = rows;
  if (row === undefined) {
    throw missingRow();
  }
  assertWanted(unwanted, versionOf(table, row));
}

/** A row, or where it would be. */
interface Place {
  readonly table: CrudTable;
  readonly target: RowTarget;
}

/**
 * Nothing was written: there is no such row, it is another version of it, the body means another
 * one, or the database has taken the change and made none.
 */
async function explainNoRow(
  call: Call,
  database: CrudDatabase,
  { table, target }: Place,
): Promise<RequestError> {
  const { rows } = await database.look(call, selectRow(table, table.key, target.key));
  const [row] = rows;
  if (row === undefined) {
    return missingRow();
  }
  if (target.versions?.includes(versionOf(table, row) ?? '') === false) {
    return createMismatch();
  }
  const restated = target.restated ?? [];
  if (restated.length > 0) {
    const message = 'The key in the body is another one than that in the path';
    return new RequestError(422, 'The body does not fit the table', {
      fields: restated.map(({ column }) => ({ field: column.name, message })),
    });
  }
  return new RequestError(409, 'The database took the change and made none', {
    hint: 'A trigger or a rule of the table decides so',
  });
}

function missingRow(): RequestError {
  return new RequestError(404, 'There is no row with this key');
}
