// /api/postgres/{schema}/{table}: rows are created, and many are changed or deleted by a filter.
import type { Condition } from '../src/backends/postgres/crud-conditions.ts';
import type { CrudTable } from '../src/backends/postgres/crud-table.ts';
import { deleteRows, insertRows, updateRows } from '../src/backends/postgres/crud-write.ts';
import { readJsonBody } from './json-body.ts';
import { parseListParameters, RESERVED } from './list-parameters.ts';
import type { Filter } from './list-parameters.ts';
import { readChanges, readNewRows } from './postgres-crud-body.ts';
import type { Answer, Call, CrudDatabase } from './postgres-crud-database.ts';
import {
  readSearch,
  readTableName,
  refuseParameters,
  resolveConditions,
} from './postgres-crud-request.ts';
import { bodyValues, writeRows } from './postgres-crud-refusals.ts';
import { rowUrl, sendItems, sendRow } from './postgres-crud-rows.ts';
import { refuseVersions, setVersion } from './postgres-crud-versions.ts';
import { RequestError } from './request-error.ts';

/** Creates a row, or all rows of an array or none of them. */
export async function createRows(call: Call, database: CrudDatabase): Promise<void> {
  refuseVersions(call.request);
  refuseParameters(readSearch(call.request), () => false);
  const body = readJsonBody(call.request);
  const name = readTableName(call.request);
  await database.withTable(call, { name, isWrite: true }, async (table) => {
    const { rows, isMany } = readNewRows(body, table);
    const answer = await writeRows(call, database, {
      table,
      statement: insertRows(table, rows),
      rowsMax: rows.length,
      conditions: [],
      values: rows.flatMap((row, index) => bodyValues(row, isMany ? `[${index}].` : '')),
    });
    call.response.status(201);
    if (isMany) {
      sendItems(call.response, answer, { shown: [...table.columns.values()] });
    } else {
      sendCreated(call, table, answer);
    }
  });
}

function sendCreated({ response }: Call, table: CrudTable, answer: Answer): void {
  const [row] = answer.rows;
  if (row === undefined) {
    // A rule or a trigger of the table has kept it from being stored.
    throw new RequestError(409, 'The database took the row and stored none');
  }
  const url = rowUrl(table, row);
  if (url !== undefined) {
    response.set('Location', url);
  }
  setVersion(response, table, row);
  sendRow(response, answer, { row, shown: [...table.columns.values()] });
}

/** Changes the columns that are given in all rows that the filters let through. */
export async function patchRows(call: Call, database: CrudDatabase): Promise<void> {
  const body = readJsonBody(call.request);
  await withFilters(call, database, async (table, conditions) => {
    const changes = readChanges(body, table);
    const answer = await writeRows(call, database, {
      table,
      statement: updateRows(table, conditions, changes),
      rowsMax: 0,
      conditions,
      values: bodyValues(changes),
    });
    const count = countOf(answer);
    // PostgreSQL writes every row that it finds, the same as before or not.
    call.response.json({ matched: count, modified: count });
  });
}

/** Deletes all rows that the filters let through. */
export async function removeRows(call: Call, database: CrudDatabase): Promise<void> {
  await withFilters(call, database, async (table, conditions) => {
    const answer = await writeRows(call, database, {
      table,
      statement: deleteRows(table, conditions),
      rowsMax: 0,
      conditions,
      values: [],
    });
    call.response.json({ deleted: countOf(answer) });
  });
}

async function withFilters(
  call: Call,
  database: CrudDatabase,
  action: (table: CrudTable, conditions: readonly Condition[]) => Promise<void>,
): Promise<void> {
  refuseVersions(call.request);
  const filters = readFilters(call);
  const name = readTableName(call.request);
  await database.withTable(call, { name, isWrite: true }, async (table) => {
    await action(table, resolveConditions(table, filters));
  });
}

/** @throws RequestError 400 without a filter: nobody empties a table by a slip */
function readFilters({ request }: Call): readonly Filter[] {
  const search = readSearch(request);
  refuseParameters(search, (name) => !RESERVED.some((reserved) => reserved === name));
  const { filters } = parseListParameters(search, { limitDefault: 1, limitMax: 1 });
  if (filters.length === 0) {
    throw new RequestError(400, 'Which rows are meant has to be said by a filter', {
      hint: 'Such as ?id=eq.5; a filter that all rows pass is one too',
    });
  }
  return filters;
}

/** Command tags end with the number of rows: `UPDATE 3`. */
function countOf({ commandTag }: Answer): number {
  return Number(commandTag.slice(commandTag.lastIndexOf(' ') + 1));
}
