// One document by its id: read, replace, set fields, delete.
import type { Request, RequestHandler, Response } from 'express';
import {
  createDelete,
  createFind,
  createPatch,
  createReplace,
} from '../src/backends/mongodb/crud-commands.ts';
import type { DocumentKey } from '../src/backends/mongodb/crud-commands.ts';
import { parseJson } from '../src/backends/mongodb/crud-json.ts';
import { sliceMember } from '../src/backends/mongodb/crud-slices.ts';
import { bytesOf, formatBson } from '../src/backends/mongodb/crud-text.ts';
import { readBsonDocument } from '../src/backends/mongodb/crud-values.ts';
import type { BsonDocument, ValueProblem } from '../src/backends/mongodb/crud-values.ts';
import { numberOf } from '../src/backends/mongodb/plan.ts';
import { sendBody } from './cached-record.ts';
import { answerCached, dependOnCollection } from './mongodb-crud-cache.ts';
import {
  assertWanted,
  createEtag,
  createMismatch,
  readIfMatch,
  readIfNoneMatch,
} from './mongodb-crud-etag.ts';
import { writeOne } from './mongodb-crud-methods.ts';
import {
  assertValid,
  readBody,
  readCollection,
  readId,
  readPatch,
} from './mongodb-crud-request.ts';
import type { CollectionPath } from './mongodb-crud-request.ts';
import { createCrudStatements } from './mongodb-crud-statements.ts';
import type { CrudStatements, MongodbCrudDependencies } from './mongodb-crud-statements.ts';
import { RequestError } from './request-error.ts';

/** A document that is compared is in the command beside what is written; 16 MiB hold both. */
const COMPARED_BYTES_MAX = 15 * 1024 * 1024;

export function createDocumentHandlers(
  dependencies: MongodbCrudDependencies,
): Readonly<Record<'read' | 'replace' | 'patch' | 'remove', RequestHandler>> {
  return {
    read: async (request, response) => {
      const found = readKey(request, dependencies, 'read-only');
      const path = pathOf(found);
      await answerCached({ request, response, path }, dependencies, async () => {
        const statements = createCrudStatements(request, dependencies);
        await dependOnCollection(response, path, statements);
        const text = await fetchDocument(statements, found);
        if (readIfMatch(request)?.has(createEtag(text)) === false) {
          throw createMismatch();
        }
        sendDocument(response, text);
      });
    },
    replace: async (request, response) => {
      const found = readKey(request, dependencies, 'read-write');
      const written = withoutId(readDocument(readBody(request)), found.key.id);
      const write = (key: DocumentKey): Command => createReplace(key, written);
      const asked = { request, dependencies, written };
      sendDocument(response, await modify(asked, found, write));
    },
    patch: async (request, response) => {
      const found = readKey(request, dependencies, 'read-write');
      const written = readPatch(request);
      const write = (key: DocumentKey): Command => createPatch(key, written);
      const asked = { request, dependencies, written };
      sendDocument(response, await modify(asked, found, write));
    },
    remove: async (request, response) => {
      await remove({ request, dependencies }, readKey(request, dependencies, 'read-write'));
      response.status(204).end();
    },
  };
}

type Command = Readonly<Record<string, unknown>>;

interface FoundKey {
  readonly database: string;
  readonly key: DocumentKey;
}

interface Asked {
  readonly request: Request;
  readonly dependencies: MongodbCrudDependencies;
  /** What goes with the command. */
  readonly written?: BsonDocument;
}

function readKey(
  request: Request,
  { rules }: MongodbCrudDependencies,
  access: 'read-only' | 'read-write',
): FoundKey {
  const { database, collection } = readCollection(request, rules, access);
  return { database, key: { collection, id: readId(request) } };
}

/** Its text is the entity that its ETag is of. */
function sendDocument(response: Response, text: Buffer): void {
  sendBody(response.set('ETag', createEtag(text)).type('application/json'), text);
}

/** @throws RequestError 404 */
async function fetchDocument(
  statements: CrudStatements,
  { database, key }: FoundKey,
): Promise<Buffer> {
  const command = createFind(key);
  const { rows, guard } = await statements.rows({ database, command, access: 'read-only' });
  const [text] = rows;
  if (guard.exceeded !== undefined) {
    throw guard.cutError();
  }
  if (text === undefined) {
    throw createAbsent();
  }
  return text;
}

function createAbsent(): RequestError {
  return new RequestError(404, 'There is no document with this id');
}

/**
 * The document's own key, and what it has to be when it is written. A collection may find it by an
 * id in other letters; the comparison would not.
 *
 * @throws RequestError 404, 412
 */
async function expectMatch(
  { request, written = new Map() }: Asked,
  { database, key }: FoundKey,
  statements: CrudStatements,
): Promise<DocumentKey> {
  const wanted = readIfMatch(request);
  const unwanted = readIfNoneMatch(request);
  if (wanted === undefined && unwanted === undefined) {
    return key;
  }
  const text = await fetchDocument(statements, { database, key });
  if (wanted?.has(createEtag(text)) === false) {
    throw createMismatch();
  }
  assertWanted(unwanted, createEtag(text));
  const problems: ValueProblem[] = [];
  const json = parseJson(text.toString('utf8'));
  const expected = readBsonDocument(json, '', { problems, isStored: true });
  const isTooLarge = bytesOf(expected) + bytesOf(written) > COMPARED_BYTES_MAX;
  if (problems.length > 0 || isTooLarge) {
    throw new RequestError(422, 'This document cannot be compared where it is written', {
      hint: 'It is too large, or has values that cannot be sent: ask without a condition',
      fields: problems,
    });
  }
  return { ...key, id: expected.get('_id'), expected };
}

/** @returns the document as it is afterwards */
async function modify(
  asked: Asked,
  found: FoundKey,
  write: (key: DocumentKey) => Command,
): Promise<Buffer> {
  const { database } = found;
  const statements = createCrudStatements(asked.request, asked.dependencies);
  const key = await expectMatch(asked, found, statements);
  const command = write(key);
  const { rows, guard } = await writeOne(
    statements,
    pathOf(found),
    async () => await statements.rows({ database, command, access: 'read-write' }),
  );
  if (guard.exceeded !== undefined) {
    throw guard.cutError('The document has been written, and is too large to be shown');
  }
  const value = rows[0] && sliceMember(rows[0], 'value');
  if (value === undefined || value.toString('latin1') === 'null') {
    throw key.expected === undefined ? createAbsent() : createMismatch();
  }
  return value;
}

async function remove(asked: Asked, found: FoundKey): Promise<void> {
  const { database } = found;
  const statements = createCrudStatements(asked.request, asked.dependencies);
  const key = await expectMatch(asked, found, statements);
  const command = createDelete(key);
  const reply = await writeOne(
    statements,
    pathOf(found),
    async () => await statements.reply({ database, command, access: 'read-write' }),
  );
  if (numberOf(reply['n']) === 0) {
    throw key.expected === undefined ? createAbsent() : createMismatch();
  }
}

function pathOf({ database, key: { collection } }: FoundKey): CollectionPath {
  return { database, collection };
}

function readDocument(body: unknown): BsonDocument {
  const problems: ValueProblem[] = [];
  const document = readBsonDocument(body, '', { problems, isStored: false });
  assertValid(problems);
  return document;
}

/** What else is stored: the server keeps the id as it is, whose letters may be others. */
function withoutId(document: BsonDocument, id: unknown): BsonDocument {
  const own: unknown = document.get('_id');
  if (document.has('_id') && formatBson(own) !== formatBson(id)) {
    assertValid([
      { field: '_id', message: 'It is not the id of the path, and an id never changes' },
    ]);
  }
  return new Map([...document].filter(([name]) => name !== '_id'));
}
