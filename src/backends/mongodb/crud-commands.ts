// The commands of single documents and of all that a filter finds. A client's document is either
// behind $set, behind $literal, or stored.
import type { Command } from './plan.ts';
import type { BsonDocument } from './crud-values.ts';

/** Which document is meant. */
export interface DocumentKey {
  readonly collection: string;
  readonly id: unknown;
  /** The document is left alone unless it is this one still. */
  readonly expected?: BsonDocument | undefined;
}

export function createFind({ collection, id }: DocumentKey): Command {
  return { find: collection, filter: { _id: { $eq: id } }, limit: 1, singleBatch: true };
}

export function createInsert(collection: string, documents: readonly BsonDocument[]): Command {
  return { insert: collection, documents, ordered: true };
}

/** @param document what becomes of it but for its _id, which it keeps */
export function createReplace(key: DocumentKey, document: BsonDocument): Command {
  return createModify(key, document);
}

/** @param fields by their paths, at least one */
export function createPatch(key: DocumentKey, fields: BsonDocument): Command {
  return createModify(key, { $set: fields });
}

/** The reply's `value` is the document as it is then, or null where there is none. */
function createModify(key: DocumentKey, update: unknown): Command {
  return {
    findAndModify: key.collection,
    query: queryOf(key),
    update,
    new: true,
    upsert: false,
    ...collationOf(key),
  };
}

export function createDelete(key: DocumentKey): Command {
  return {
    delete: key.collection,
    deletes: [{ q: queryOf(key), limit: 1, ...collationOf(key) }],
  };
}

export function createUpdateMany(
  collection: string,
  filter: BsonDocument,
  fields: BsonDocument,
): Command {
  return {
    update: collection,
    updates: [{ q: filter, u: { $set: fields }, multi: true, upsert: false }],
  };
}

export function createDeleteMany(collection: string, filter: BsonDocument): Command {
  return { delete: collection, deletes: [{ q: filter, limit: 0 }] };
}

/** Counts one by one what the filter finds; no row where it finds nothing. */
export function createExactCount(collection: string, filter: BsonDocument): Command {
  return {
    aggregate: collection,
    pipeline: [{ $match: filter }, { $count: 'n' }],
    cursor: {},
  };
}

/** What the server has in its books. */
export function createEstimatedCount(collection: string): Command {
  return { count: collection };
}

/** Names and types of what the connection's user may see. */
export function createCollectionList(): Command {
  return { listCollections: 1, nameOnly: true, authorizedCollections: true };
}

/** The same of one collection; no row where it is not there. */
export function createCollectionLookup(name: string): Command {
  return { ...createCollectionList(), filter: { name: { $eq: name } } };
}

export function createDatabaseList(): Command {
  return { listDatabases: 1, nameOnly: true, authorizedDatabases: true };
}

/**
 * The whole document is compared where it is written, so nobody comes in between. Numbers that
 * are equal are the same to MongoDB: a change of nothing but a number's type is not seen here.
 */
function queryOf({ id, expected }: DocumentKey): Readonly<Record<string, unknown>> {
  return {
    _id: { $eq: id },
    ...(expected === undefined ? {} : { $expr: { $eq: ['$$ROOT', { $literal: expected }] } }),
  };
}

/** A collection may hold texts for equal that are not; a comparison must not. */
function collationOf({ expected }: DocumentKey): Readonly<Record<string, unknown>> {
  return expected === undefined ? {} : { collation: { locale: 'simple' } };
}
