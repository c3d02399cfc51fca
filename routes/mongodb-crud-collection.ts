// A collection: its documents page by page, new ones, and writes to all that a filter finds.
import { BSONRegExp, ObjectId } from 'mongodb';
import type { Request, RequestHandler, Response } from 'express';
import {
  createDeleteMany,
  createInsert,
  createUpdateMany,
} from '../src/backends/mongodb/crud-commands.ts';
import { formatId } from '../src/backends/mongodb/crud-scalars.ts';
import { formatDocument } from '../src/backends/mongodb/crud-text.ts';
import { readBsonDocument, refuse } from '../src/backends/mongodb/crud-values.ts';
import type { BsonDocument, ValueProblem } from '../src/backends/mongodb/crud-values.ts';
import { numberOf } from '../src/backends/mongodb/plan.ts';
import { LIST_BOUNDS, parseListParameters } from './list-parameters.ts';
import { createEtag, refuseIfMatch } from './mongodb-crud-etag.ts';
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

export function createCollectionHandlers(
  dependencies: MongodbCrudDependencies,
): Readonly<Record<'create' | 'patchMany' | 'removeMany', RequestHandler>> {
  return {
    create: async (request, response) => {
      const path = readCollection(request, dependencies.rules, 'read-write');
      refuseIfMatch(request);
      refuseParameters(request, []);
      const body = readBody(request);
      const documents = readDocuments(body);
      const command = createInsert(path.collection, documents);
      const statements = createCrudStatements(request, dependencies);
      await statements.reply({ database: path.database, command, access: 'read-write' });
      sendCreated(response, { path, documents, isMany: Array.isArray(body) });
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

/** Documents to insert, each with its id in the first place, where the server would put it. */
function readDocuments(body: unknown): readonly BsonDocument[] {
  const isMany = Array.isArray(body);
  const bodies: readonly unknown[] = isMany ? body : [body];
  const problems: ValueProblem[] = [];
  if (bodies.length === 0) {
    assertValid([{ field: '', message: 'The array holds no document' }]);
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
    return new Map([['_id', id], ...[...document].filter(([name]) => name !== '_id')]);
  });
  assertValid(problems);
  return documents;
}

interface Created {
  readonly path: CollectionPath;
  readonly documents: readonly BsonDocument[];
  readonly isMany: boolean;
}

function sendCreated(response: Response, { path, documents, isMany }: Created): void {
  const texts = documents.map(formatDocument);
  response.status(201).type('application/json');
  if (isMany) {
    response.send(`{"items":[${texts.map((text) => text.toString('utf8')).join(',')}]}`);
    return;
  }
  const [text = Buffer.alloc(0)] = texts;
  const id = formatId(documents[0]?.get('_id'));
  response
    .set('Location', `${collectionUrl(path)}/${id}`)
    .set('ETag', createEtag(text))
    .send(text);
}

/** What a list has and a write to many has not. */
const LIST_ONLY = ['select', 'order', 'limit', 'after', 'count'] as const;

/** @throws RequestError 400 without one: all of a collection is no accident that should happen */
function readRequiredFilter(request: Request): BsonDocument {
  refuseIfMatch(request);
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
