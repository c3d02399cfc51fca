// Pages of a collection.
import type { Request, RequestHandler } from 'express';
import { createEstimatedCount, createExactCount } from '../src/backends/mongodb/crud-commands.ts';
import { parseJson } from '../src/backends/mongodb/crud-json.ts';
import { completeOrder, createPageCommand } from '../src/backends/mongodb/crud-page.ts';
import type { PageField } from '../src/backends/mongodb/crud-page.ts';
import { findOverlap, findPathProblem } from '../src/backends/mongodb/crud-paths.ts';
import { sliceElements, sliceMember } from '../src/backends/mongodb/crud-slices.ts';
import { readBson } from '../src/backends/mongodb/crud-values.ts';
import type { BsonDocument, ValueProblem } from '../src/backends/mongodb/crud-values.ts';
import { numberOf } from '../src/backends/mongodb/plan.ts';
import { recordOf, sendBody } from './cached-record.ts';
import { encodeCursor, LIST_BOUNDS, parseCursor, parseListParameters } from './list-parameters.ts';
import type { ListParameters } from './list-parameters.ts';
import { answerCached, dependOnCollection } from './mongodb-crud-cache.ts';
import type { CachedRead } from './mongodb-crud-cache.ts';
import {
  collectionUrl,
  readCollection,
  readFilter,
  searchParamsOf,
} from './mongodb-crud-request.ts';
import type { CollectionPath } from './mongodb-crud-request.ts';
import { createCrudStatements } from './mongodb-crud-statements.ts';
import type {
  CrudRows,
  CrudStatements,
  MongodbCrudDependencies,
} from './mongodb-crud-statements.ts';
import { assertLinkable, nextPageUrl, refuseCursor } from './page-cursor.ts';
import { RequestError } from './request-error.ts';

/** The server sorts by 32 fields, of which _id is one. */
const ORDER_FIELDS_MAX = 31;

export function createListHandler(dependencies: MongodbCrudDependencies): RequestHandler {
  return async (request, response) => {
    const path = readCollection(request, dependencies.rules, 'read-only');
    const asked = readPage(request);
    const read = { request, response, path };
    await answerCached(read, dependencies, async () => await sendPage(read, dependencies, asked));
  };
}

async function sendPage(
  { request, response, path }: CachedRead,
  dependencies: MongodbCrudDependencies,
  asked: AskedPage,
): Promise<void> {
  const statements = createCrudStatements(request, dependencies);
  await dependOnCollection(response, path, statements);
  const count = await countDocuments(statements, path, asked);
  const command = createPageCommand({ collection: path.collection, ...asked });
  const { database } = path;
  const found = await statements.rows({ database, command, access: 'read-only' });
  if (found.guard.exceeded !== undefined) {
    recordOf(response)?.refuse();
  }
  const { items, position } = readRows(found, asked);
  const next = position && nextUrl(request, path, [describeOrder(asked.order), ...position]);
  if (next !== undefined) {
    response.set('Link', `<${next}>; rel="next"`);
  }
  sendBody(response.type('application/json'), formatPage(items, next, count));
}

/** @throws RequestError 422 */
function nextUrl(request: Request, path: CollectionPath, values: readonly string[]): string {
  const cursor = encodeCursor(values);
  assertLinkable(cursor);
  return nextPageUrl(collectionUrl(path), searchParamsOf(request), cursor);
}

/** A cursor is of one order: in another one its values would mean another place. */
function describeOrder(order: readonly PageField[]): string {
  return order.map(({ field, direction }) => `${JSON.stringify(field)}.${direction}`).join();
}

interface AskedPage {
  readonly filter: BsonDocument;
  readonly isFiltered: boolean;
  readonly order: readonly PageField[];
  readonly select: readonly string[] | undefined;
  readonly limit: number;
  readonly after: readonly unknown[] | undefined;
  readonly count: ListParameters['count'];
}

/** @throws RequestError 400 */
function readPage(request: Request): AskedPage {
  const searchParams = searchParamsOf(request);
  const parameters = parseListParameters(searchParams, LIST_BOUNDS);
  const filter = readFilter(parameters.filters, searchParams);
  const problems = findProblems(parameters);
  if (problems.length > 0) {
    throw new RequestError(400, 'The query string has parameters that cannot be taken', {
      fields: problems,
    });
  }
  const order = completeOrder(parameters.order);
  const { select, limit, count, after } = parameters;
  return {
    filter,
    isFiltered: parameters.filters.length > 0,
    order,
    select,
    limit,
    after: after === undefined ? undefined : readCursor(after, order),
    count,
  };
}

function findProblems({ order, select = [], count, filters }: ListParameters): ValueProblem[] {
  const problems: ValueProblem[] = [];
  const note = (field: string, message: string | undefined): void => {
    if (message !== undefined) {
      problems.push({ field, message });
    }
  };
  for (const { field } of order) {
    note('order', findPathProblem(field) ?? findOrderProblem(field));
  }
  for (const field of select) {
    note('select', findPathProblem(field));
  }
  if (findOverlap(select) !== undefined) {
    note('select', 'A field is part of another one that is selected too');
  }
  if (order.length > ORDER_FIELDS_MAX) {
    note('order', `At most ${ORDER_FIELDS_MAX} fields can be sorted by`);
  }
  if (count === 'estimated' && filters.length > 0) {
    note('count', 'An estimate is of the whole collection: ask for exact with a filter');
  }
  return problems;
}

/** In a sort it would be an index of an array too, in a comparison a name only. */
function findOrderProblem(field: string): string | undefined {
  return field.split('.').some((part) => /^\d+$/.test(part))
    ? 'Elements of arrays cannot be sorted by'
    : undefined;
}

/** @throws RequestError 400 */
function readCursor(text: string, order: readonly PageField[]): readonly unknown[] {
  const [description, ...values] = parseCursor(text);
  const problems: ValueProblem[] = [];
  const read = values.map((value) =>
    readBson(parseJson(value ?? ''), 'after', { problems, isStored: true }),
  );
  const isOfOrder = description === describeOrder(order) && values.length === order.length;
  if (!isOfOrder || problems.length > 0 || read.includes(undefined)) {
    throw refuseCursor('It is of a list with another order');
  }
  return read;
}

async function countDocuments(
  statements: CrudStatements,
  { database, collection }: CollectionPath,
  { count, filter, isFiltered }: AskedPage,
): Promise<number | undefined> {
  if (count === undefined) {
    return undefined;
  }
  if (count === 'estimated' && !isFiltered) {
    const command = createEstimatedCount(collection);
    const reply = await statements.reply({ database, command, access: 'read-only' });
    return numberOf(reply['n']);
  }
  const command = createExactCount(collection, filter);
  const { rows } = await statements.rows({ database, command, access: 'read-only' });
  return Number(rows[0] && sliceMember(rows[0], 'n')) || 0;
}

interface PageRow {
  /** The values of the order's fields, as a JSON array. */
  readonly key: Buffer;
  readonly isUnsorted: boolean;
  readonly document: Buffer;
}

interface Page {
  readonly items: readonly Buffer[];
  /** The values where the next page begins; undefined behind the last one. */
  readonly position: readonly string[] | undefined;
}

function readRows({ rows, guard }: CrudRows, { limit, after }: AskedPage): Page {
  const all = rows.map(readRow);
  const shown = all.slice(0, limit);
  const last = shown.at(-1);
  const isMore = all.length > limit || guard.exceeded !== undefined;
  if (last === undefined) {
    if (isMore) {
      throw guard.cutError();
    }
    return { items: [], position: undefined };
  }
  const isOrdered = !all.some(({ isUnsorted }) => isUnsorted) && !all[limit]?.key.equals(last.key);
  if (!isOrdered && (isMore || after !== undefined)) {
    throw createUnordered();
  }
  return {
    items: shown.map(({ document }) => document),
    position: isMore ? sliceElements(last.key).map((value) => value.toString('utf8')) : undefined,
  };
}

/** Better no page than one that documents are missing from. */
function createUnordered(): RequestError {
  return new RequestError(422, 'These documents cannot be listed page by page in this order', {
    hint:
      'One holds an array, code or a deprecated type in a field of the order, or shares its _id ' +
      'with another one of the view: order by another field, or filter',
  });
}

/** `{"k":[…],"x":false,"d":{…}}`, in this order: the document is the rest. */
function readRow(row: Buffer): PageRow {
  const key = sliceMember(row, 'k') ?? Buffer.from('[]');
  const unsorted = sliceMember(row, 'x') ?? Buffer.from('false');
  const start = '{"k":,"x":,"d":'.length + key.length + unsorted.length;
  return {
    key,
    isUnsorted: unsorted.toString('latin1') === 'true',
    document: row.subarray(start, -1),
  };
}

const COMMA = Buffer.from(',');

function formatPage(
  items: readonly Buffer[],
  next: string | undefined,
  count: number | undefined,
): Buffer {
  const tail = `],"next":${JSON.stringify(next ?? null)}`;
  return Buffer.concat([
    Buffer.from('{"items":['),
    ...items.flatMap((item, index) => (index === 0 ? [item] : [COMMA, item])),
    Buffer.from(count === undefined ? `${tail}}` : `${tail},"count":${count}}`),
  ]);
}
