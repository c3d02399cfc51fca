// A collection: its documents page by page, new ones, and writes to all that a filter finds.
import { BSONRegExp, ObjectId } from 'mongodb';
import type { Request, RequestHandler, Response } from 'express';
import {
  createDeleteMany,
  createInsert,
  createUpdateMany,
} from '../src/backends/mongodb/crud-commands.ts';
import { formatId } from '../src/backends/mongodb/crud-scalars.ts';
import { formatBson, formatDocument } from '../src/backends/mongodb/crud-text.ts';
import { fillTimestamps, TimestampClock } from '../src/backends/mongodb/crud-timestamps.ts';
import { readBsonDocument, refuse } from '../src/backends/mongodb/crud-values.ts';
import type { BsonDocument, ValueProblem } from '../src/backends/mongodb/crud-values.ts';
import { numberOf } from '../src/backends/mongodb/plan.ts';
import { ServiceError } from '../src/errors.ts';
import { LIST_BOUNDS, parseListParameters } from './list-parameters.ts';
import { createEtag, refuseConditions } from './mongodb-crud-etag.ts';
import {
  assertValid,
  collectionUrl,
  readBody,
  readCollection,
  readFilter,
  readPatch,
  refuseParameters,
  searchParamsOf,
} from './mongodb-crud-request.ts';
import type { CollectionPath } from './mongodb-crud-request.ts';
import { createCrudStatements } from './mongodb-crud-statements.ts';
import type { MongodbCrudDependencies } from './mongodb-crud-statements.ts';
import { RequestError } from './request-error.ts';
import { StatementProblem } from './statement-problem.ts';

export function createCollectionHandlers(
  dependencies: MongodbCrudDependencies,
): Readonly<Record<'create' | 'patchMany' | 'removeMany', RequestHandler>> {
  const clock = new TimestampClock();
  return {
    create: async (request, response) => {
      const path = readCollection(request, dependencies.rules, 'read-write');
      refuseConditions(request);
      refuseParameters(request, []);
      const body = readBody(request);
      const documents = readDocuments(body, clock);
      const command = createInsert(path.collection, documents);
      const statements = createCrudStatements(request, dependencies);
      const isMany = Array.isArray(body);
      try {
        await statements.reply({ database: path.database, command, access: 'read-write' });
      } catch (thrown) {
        throw isMany ? tellInserted(thrown) : thrown;
      }
      sendCreated(response, { path, documents, isMany });
    },
    patchMany: async (request, response) => {
      const path = readCollection(request, dependencies.rules, 'read-write');
      const filter = readRequiredFilter(request);
      const command = createUpdateMany(path.collection, filter, readPatch(request));
      const statements = createCrudStatements(request, dependencies);
      const { database } = path;
      const reply = await statements.reply({ database, command, access: 'read-write' });
      response.json({ matched: numberOf(reply['n']), modified: numberOf(reply['nModified']) });
    },
    removeMany: async (request, response) => {
      const path = readCollection(request, dependencies.rules, 'read-write');
      const command = createDeleteMany(path.collection, readRequiredFilter(request));
      const statements = createCrudStatements(request, dependencies);
      const { database } = path;
      const reply = await statements.reply({ database, command, access: 'read-write' });
      response.json({ deleted: numberOf(reply['n']) });
    },
  };
}

/** Documents of one insert. Source: MongoDB manual, "Limits", maxWriteBatchSize. */
const DOCUMENTS_MAX = 100_000;

/**
 * Documents to insert, each with its id in the first place, where the server would put it.
 *
 * @throws RequestError 413, 422
 */
function readDocuments(body: unknown, clock: TimestampClock): readonly BsonDocument[] {
  const isMany = Array.isArray(body);
  const bodies: readonly unknown[] = isMany ? body : [body];
  const problems: ValueProblem[] = [];
  if (bodies.length === 0) {
    assertValid([{ field: '', message: 'The array holds no document' }]);
  }
  if (bodies.length > DOCUMENTS_MAX) {
    throw new RequestError(413, `At most ${DOCUMENTS_MAX} documents can be created at once`, {
      hint: 'Send them in several requests',
    });
  }
  const documents = bodies.map((one, index) => {
    const path = isMany ? `[${index}]` : '';
    const document = readBsonDocument(one, path, { problems, isStored: false });
    const id: unknown = document.has('_id') ? document.get('_id') : new ObjectId();
    if (Array.isArray(id) || id instanceof BSONRegExp) {
      const field = isMany ? `${path}._id` : '_id';
      refuse(field, 'An id is neither an array nor a regular expression', {
        problems,
        isStored: false,
      });
    }
    const fields = [...document].filter(([name]) => name !== '_id');
    return fillTimestamps(new Map([['_id', id], ...fields]), clock);
  });
  assertValid(problems);
  return documents;
}

/** An insert goes on up to the first document that cannot be stored: those before it are. */
function tellInserted(thrown: unknown): unknown {
  return thrown instanceof ServiceError && thrown.writeIndex !== undefined
    ? new StatementProblem(thrown, { inserted: thrown.writeIndex })
    : thrown;
}

interface Created {
  readonly path: CollectionPath;
  readonly documents: readonly BsonDocument[];
  readonly isMany: boolean;
}

function sendCreated(response: Response, { path, documents, isMany }: Created): void {
  response.status(201).type('application/json');
  if (isMany) {
    response.send(`{"items":${formatBson(documents)}}`);
    return;
  }
  const [document = new Map<string, unknown>()] = documents;
  const text = formatDocument(document);
  const id = formatId(document.get('_id'));
  response
    .set('Location', `${collectionUrl(path)}/${id}`)
    .set('ETag', createEtag(text))
    .send(text);
}

/** What a list has and a write to many has not. */
const LIST_ONLY = ['select', 'order', 'limit', 'after', 'count'] as const;

/** @throws RequestError 400 without one: all of a collection is no accident that should happen */
function readRequiredFilter(request: Request): BsonDocument {
  refuseConditions(request);
  const searchParams = searchParamsOf(request);
  const misplaced = LIST_ONLY.filter((name) => searchParams.has(name));
  if (misplaced.length > 0) {
    throw new RequestError(400, 'The query string has parameters that are for lists', {
      fields: misplaced.map((field) => ({ field, message: 'Every document is meant' })),
    });
  }
  const { filters } = parseListParameters(searchParams, LIST_BOUNDS);
  if (filters.length === 0) {
    throw new RequestError(400, 'A filter is needed to write to many documents', {
      hint: 'Add one, such as ?status=eq.old; ?_id=is.not_null finds every document',
    });
  }
  return readFilter(filters, searchParams);
}
