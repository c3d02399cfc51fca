// GET /api/postgres/{schema}/{table}: the rows of a table, a page at a time.
import type { Row } from '../src/backends/backend.ts';
import { countRows, estimateRows, selectPage } from '../src/backends/postgres/crud-select.ts';
import type { Condition } from '../src/backends/postgres/crud-conditions.ts';
import { completeOrder } from '../src/backends/postgres/crud-keyset.ts';
import type { KeysetPosition, OrderColumn } from '../src/backends/postgres/crud-keyset.ts';
import type { CrudTable } from '../src/backends/postgres/crud-table.ts';
import { recordOf } from './cached-record.ts';
import { LIST_BOUNDS, LIST_BYTES_MAX, parseListParameters } from './list-parameters.ts';
import type { ListParameters } from './list-parameters.ts';
import {
  assertLinkable,
  encodeCursor,
  nextPageUrl,
  parseCursor,
  refuseCursor,
} from './page-cursor.ts';
import { dependOnTable } from './postgres-crud-cache.ts';
import type { Answer, Call, CrudDatabase } from './postgres-crud-database.ts';
import {
  readSearch,
  readTableName,
  refuseParameters,
  resolveConditions,
  resolveOrder,
  resolveSelect,
} from './postgres-crud-request.ts';
import { sendItems, tableUrl } from './postgres-crud-rows.ts';

/** Lists rows; `next` is null on the last page, and where there is no key to go on by. */
export async function listRows(call: Call, database: CrudDatabase): Promise<void> {
  const search = readSearch(call.request);
  refuseParameters(search, (name) => name !== 'id_type');
  const limitMax = Math.min(LIST_BOUNDS.limitMax, database.limitsOf(call).rowsMax);
  const parameters = parseListParameters(search, {
    limitDefault: Math.min(LIST_BOUNDS.limitDefault, limitMax),
    limitMax,
  });
  const name = readTableName(call.request);
  await database.withTable(call, { name, isWrite: false }, async (table) => {
    dependOnTable(call, table);
    await sendPage(call, database, { table, parameters, search });
  });
}

interface Page {
  readonly table: CrudTable;
  readonly parameters: ListParameters;
  readonly search: URLSearchParams;
}

async function sendPage(
  call: Call,
  database: CrudDatabase,
  { table, parameters, search }: Page,
): Promise<void> {
  const { limit } = parameters;
  const conditions = resolveConditions(table, parameters.filters);
  const select = resolveSelect(table, parameters.select);
  const order = resolveOrder(table, parameters.order);
  const behind = readPosition(table, order, parameters.after);
  // One row more than is shown tells whether there is a page behind this one.
  const rowsMax = limit + 1;
  const page = selectPage(table, { select, conditions, order, behind, rowsMax });
  const limits = database.limitsOf(call);
  const bytesMax = Math.min(limits.bytesMax, LIST_BYTES_MAX);
  const answer = await database.read(call, page.statement, { ...limits, rowsMax, bytesMax });
  if (answer.guard.exceeded !== undefined) {
    recordOf(call.response)?.refuse();
  }
  if (answer.rows.length === 0 && answer.guard.exceeded !== undefined) {
    throw answer.guard.cutError('One row alone is larger');
  }
  const count = await readCount(call, database, { table, conditions, count: parameters.count });
  const rows = answer.rows.slice(0, limit);
  const hasMore = answer.rows.length > limit || answer.guard.exceeded !== undefined;
  const next = hasMore ? nextUrl({ table, order, search }, rows.at(-1), page.position) : null;
  if (next !== null) {
    call.response.set('Link', `<${next}>; rel="next"`);
  }
  const end = { next, count, isTruncated: hasMore && next === null };
  sendItems(call.response, { ...answer, rows }, { shown: select, ...end });
}

interface Place {
  readonly table: CrudTable;
  readonly order: readonly OrderColumn[];
  readonly search: URLSearchParams;
}

function nextUrl(
  { table, order, search }: Place,
  last: Row | undefined,
  position: readonly number[],
): string | null {
  if (position.length === 0) {
    return null;
  }
  const values = position.map((index) => last?.[index]?.toString('utf8') ?? null);
  const cursor = encodeCursor([describeOrder(table, order), ...values]);
  assertLinkable(cursor);
  return nextPageUrl(tableUrl(table), search, cursor);
}

/** A cursor is of one order: in another one its values would mean another place. */
function describeOrder(table: CrudTable, order: readonly OrderColumn[]): string {
  return completeOrder(table, order)
    .map(({ column, direction }) => `${JSON.stringify(column.name)}.${direction}`)
    .join(',');
}

function readPosition(
  table: CrudTable,
  order: readonly OrderColumn[],
  after: string | undefined,
): KeysetPosition | undefined {
  if (after === undefined) {
    return undefined;
  }
  if (table.key.length === 0) {
    throw refuseCursor('This table has no primary key, so that pages of it cannot be told apart');
  }
  const [description, ...position] = parseCursor(after);
  if (
    description !== describeOrder(table, order) ||
    position.length !== completeOrder(table, order).length
  ) {
    throw refuseCursor('It is of a list in another order');
  }
  return position;
}

async function readCount(
  call: Call,
  database: CrudDatabase,
  wanted: {
    readonly table: CrudTable;
    readonly conditions: readonly Condition[];
    readonly count: ListParameters['count'];
  },
): Promise<number | undefined> {
  const { table, conditions, count } = wanted;
  if (count === undefined) {
    return undefined;
  }
  const statement =
    count === 'exact' ? countRows(table, conditions) : estimateRows(table, conditions);
  const text = readFirst(await database.look(call, statement));
  // The outermost node of a plan comes first.
  return Number(count === 'exact' ? text : /"Plan Rows": (\d+)/.exec(text)?.[1]);
}

function readFirst({ rows }: Answer): string {
  return rows[0]?.[0]?.toString('utf8') ?? '';
}
