// What a request asks of MongoDB: the collection and the document in its path, filters, bodies.
import type { Request } from 'express';
import { createFilter } from '../src/backends/mongodb/crud-filter.ts';
import { parseJson } from '../src/backends/mongodb/crud-json.ts';
import { findOverlap, findPathProblem } from '../src/backends/mongodb/crud-paths.ts';
import { ID_TYPE_NAMES, parseId } from '../src/backends/mongodb/crud-scalars.ts';
import { readBson } from '../src/backends/mongodb/crud-values.ts';
import type { BsonDocument, ValueProblem } from '../src/backends/mongodb/crud-values.ts';
import { isDatabaseName } from '../src/backends/mongodb/database-name.ts';
import { readJsonBody } from './json-body.ts';
import { parseInValues } from './list-parameters.ts';
import type { Filter } from './list-parameters.ts';
import { createNotFound } from './mongodb-crud-statements.ts';
import { RequestError } from './request-error.ts';
import type { TableVisibility } from './table-rules.ts';

export interface CollectionPath {
  readonly database: string;
  readonly collection: string;
}

/** Database and collection together, the dot included. Source: MongoDB manual, "Limits". */
const NAMESPACE_BYTES_MAX = 255;

/** @throws RequestError 404 for what is no database, whatever the rules */
export function readDatabase(request: Request): string {
  const database = parameterOf(request, 'database');
  if (!isDatabaseName(database) || database.startsWith('$')) {
    throw createNotFound();
  }
  return database;
}

/**
 * @throws RequestError 404 where nothing is shown, 403 where nothing may be written
 */
export function readCollection(
  request: Request,
  rules: TableVisibility,
  access: 'read-only' | 'read-write',
): CollectionPath {
  const database = readDatabase(request);
  const collection = parameterOf(request, 'collection');
  const visibility = rules.visibility('mongodb', database, collection);
  if (visibility === 'hidden' || !isCollectionName(collection, database)) {
    throw createNotFound();
  }
  if (visibility === 'read-only' && access === 'read-write') {
    throw new RequestError(403, 'This collection is read-only here', {
      hint: 'Set by API_READ_ONLY',
    });
  }
  return { database, collection };
}

/** The address of a collection, percent-encoded. */
export function collectionUrl({ database, collection }: CollectionPath): string {
  return `/api/mongodb/${encodeURIComponent(database)}/${encodeURIComponent(collection)}`;
}

function isCollectionName(name: string, database: string): boolean {
  const isPlain = !/[$\0]/.test(name) && !name.startsWith('.') && !name.endsWith('.');
  return name !== '' && isPlain && Buffer.byteLength(`${database}.${name}`) <= NAMESPACE_BYTES_MAX;
}

/** @throws RequestError 400 for what is no id of its type */
export function readId(request: Request): unknown {
  refuseParameters(request, ['id_type']);
  const parsed = parseId(parameterOf(request, 'id'), readIdType(searchParamsOf(request)));
  if ('problem' in parsed) {
    throw new RequestError(400, 'The id in the path cannot be read', {
      fields: [{ field: '_id', message: parsed.problem }],
    });
  }
  return parsed.value;
}

function parameterOf({ params }: Request, name: string): string {
  const value = params[name];
  return typeof value === 'string' ? value : '';
}

/**
 * What looks like a filter must not be taken for one where it does nothing.
 *
 * @throws RequestError 400 for parameters other than these
 */
export function refuseParameters(request: Request, taken: readonly string[]): void {
  const names = new Set(searchParamsOf(request).keys());
  const others = [...names].filter((name) => !taken.includes(name));
  if (others.length > 0) {
    throw new RequestError(400, 'The query string has parameters that are not taken here', {
      fields: others.map((field) => ({ field, message: 'It is not taken here' })),
    });
  }
}

export function searchParamsOf({ originalUrl }: Request): URLSearchParams {
  const mark = originalUrl.indexOf('?');
  return new URLSearchParams(mark === -1 ? '' : originalUrl.slice(mark + 1));
}

/** @throws RequestError 400 */
function readIdType(searchParams: URLSearchParams): string | undefined {
  const [type, second] = searchParams.getAll('id_type');
  if (second !== undefined || (type !== undefined && !ID_TYPE_NAMES.includes(type))) {
    throw new RequestError(400, 'The type of ids cannot be taken', {
      fields: [{ field: 'id_type', message: `It is one of ${ID_TYPE_NAMES.join(', ')}` }],
    });
  }
  return type;
}

/**
 * @throws RequestError 400 with every filter that is wrong
 */
export function readFilter(
  filters: readonly Filter[],
  searchParams: URLSearchParams,
): BsonDocument {
  const problems: ValueProblem[] = [];
  const conditions = filters.map((filter) => ({
    ...filter,
    // An array of Extended JSON is the other way to write it.
    items: filter.op === 'in' && !filter.value.startsWith('[') ? parseInValues(filter) : undefined,
  }));
  const filter = createFilter(conditions, { problems, idType: readIdType(searchParams) });
  if (problems.length > 0) {
    throw new RequestError(400, 'The query string has filters that cannot be taken', {
      fields: problems,
    });
  }
  return filter;
}

const utf8 = new TextDecoder('utf-8');

/**
 * The body as parseJson gives it. readJsonBody judges it; its objects would put names that look
 * like numbers before the others, and the order of names is part of a document.
 *
 * @throws RequestError 400
 */
export function readBody(request: Request): unknown {
  readJsonBody(request);
  const body: unknown = request.body;
  const json = Buffer.isBuffer(body) ? parseJson(utf8.decode(body)) : undefined;
  if (json === undefined) {
    throw new RequestError(400, 'The body names something twice in one document');
  }
  return json;
}

/** @throws RequestError 422 where there are problems */
export function assertValid(problems: readonly ValueProblem[]): void {
  if (problems.length > 0) {
    throw new RequestError(422, 'The body has values that cannot be stored', { fields: problems });
  }
}

/**
 * The fields to set, by their paths.
 *
 * @throws RequestError 400, 422
 */
export function readPatch(request: Request): BsonDocument {
  const body = readBody(request);
  const problems: ValueProblem[] = [];
  const fields = new Map<string, unknown>();
  if (!(body instanceof Map) || body.size === 0) {
    assertValid([{ field: '', message: 'Fields to set are expected: {"name": value}' }]);
    return fields;
  }
  for (const [path, json] of body) {
    const name = String(path);
    const problem = findPatchProblem(name);
    if (problem !== undefined) {
      problems.push({ field: name, message: problem });
    }
    fields.set(name, readBson(json, name, { problems, isStored: false }));
  }
  const overlap = findOverlap([...fields.keys()]);
  if (overlap !== undefined) {
    problems.push({ field: overlap, message: 'It is part of another field that is set too' });
  }
  assertValid(problems);
  return fields;
}

function findPatchProblem(path: string): string | undefined {
  return path === '_id' || path.startsWith('_id.')
    ? 'The _id of a document never changes'
    : findPathProblem(path);
}
