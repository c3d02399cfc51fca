// MongoDB's commands for its own metadata, and how their replies are read.
import { types } from 'node:util';
import { BSON, Long } from 'mongodb';
import { LISTED_MAX } from './catalog-source.ts';
import type {
  CatalogSource,
  CollectionEntry,
  DatabaseEntry,
  IndexEntry,
  UserEntry,
} from './catalog-source.ts';
import { createFieldPipeline, readFields } from './catalog-fields.ts';
import { numberOf } from './plan.ts';

/** A document as the driver decodes it when it is not told otherwise. */
export type CatalogDocument = Readonly<Record<string, unknown>>;

/**
 * Runs one command and gives its reply; rejects with the server's error, or the signal's reason.
 * All commands of one cursor have to run in one server session.
 */
export type RunCommand = (
  database: string,
  command: CatalogDocument,
  signal: AbortSignal,
) => Promise<CatalogDocument>;

export interface CatalogOptions {
  readonly run: RunCommand;
  /** Asked each time, since `use` changes it. */
  readonly currentDatabase: () => string;
  readonly user: string;
}

/** Unauthorized, NamespaceNotFound, CommandNotSupportedOnView: nothing to be told, no failure. */
const UNTOLD_CODES = new Set([13, 26, 166]);

/** The metadata of a server, by commands. */
export function createCatalogSource(options: CatalogOptions): CatalogSource {
  return new CommandCatalog(options);
}

class CommandCatalog implements CatalogSource {
  readonly user: string;
  readonly #run: RunCommand;
  readonly #currentDatabase: () => string;

  constructor({ run, currentDatabase, user }: CatalogOptions) {
    this.user = user;
    this.#run = run;
    this.#currentDatabase = currentDatabase;
  }

  get currentDatabase(): string {
    return this.#currentDatabase();
  }

  async databases(signal: AbortSignal): Promise<readonly DatabaseEntry[]> {
    const reply = await this.#run('admin', { listDatabases: 1, nameOnly: false }, signal);
    return documentsOf(reply['databases'])
      .slice(0, LISTED_MAX)
      .map(({ name, sizeOnDisk }) => ({
        name: textOf(name),
        sizeOnDisk: numberOf(sizeOnDisk),
      }));
  }

  async collections(signal: AbortSignal): Promise<readonly CollectionEntry[]> {
    const command = { listCollections: 1, nameOnly: true, authorizedCollections: true };
    return (await this.#readCursor(command, signal)).map(({ name, type }) => ({
      name: textOf(name),
      type: type === 'view' || type === 'timeseries' ? type : 'collection',
    }));
  }

  async indexes(collection: string, signal: AbortSignal): Promise<readonly IndexEntry[]> {
    const documents = await this.#readCursor({ listIndexes: collection }, signal);
    return documents.map(toIndexEntry);
  }

  async fields(collection: string, signal: AbortSignal): ReturnType<CatalogSource['fields']> {
    const command = { aggregate: collection, pipeline: createFieldPipeline() };
    return readFields(await this.#readCursor(command, signal));
  }

  async storageSize(collection: string, signal: AbortSignal): Promise<number | undefined> {
    // Of a sharded collection there is a document for each shard.
    const pipeline = [
      { $collStats: { storageStats: {} } },
      { $group: { _id: null, bytes: { $sum: '$storageStats.storageSize' } } },
    ];
    try {
      const [sum] = await this.#readCursor({ aggregate: collection, pipeline }, signal);
      return sum === undefined ? undefined : numberOf(sum['bytes']);
    } catch (thrown) {
      if (UNTOLD_CODES.has(serverCode(thrown))) {
        return undefined;
      }
      throw thrown;
    }
  }

  async viewDefinition(view: string, signal: AbortSignal): Promise<string | undefined> {
    const command = { listCollections: 1, filter: { name: view, type: 'view' } };
    const [found] = await this.#readCursor(command, signal);
    if (found === undefined) {
      return undefined;
    }
    const { viewOn, pipeline } = documentOf(found['options']);
    const collection = `db.getCollection(${JSON.stringify(viewOn)})`;
    return `${collection}.aggregate(${BSON.EJSON.stringify(pipeline)})`;
  }

  async users(signal: AbortSignal): Promise<readonly UserEntry[]> {
    const reply = await this.#run('admin', { usersInfo: { forAllDBs: true } }, signal);
    return documentsOf(reply['users'])
      .slice(0, LISTED_MAX)
      .map(({ _id: id, roles }) => ({
        user: textOf(id),
        roles: documentsOf(roles).map(({ db, role }) => `${textOf(db)}.${textOf(role)}`),
      }));
  }

  async isWritablePrimary(signal: AbortSignal): Promise<boolean> {
    const reply = await this.#run('admin', { hello: 1 }, signal);
    return reply['isWritablePrimary'] === true;
  }

  /** The documents of a cursor up to LISTED_MAX; the rest is given up. */
  async #readCursor(
    command: CatalogDocument,
    signal: AbortSignal,
  ): Promise<readonly CatalogDocument[]> {
    const database = this.currentDatabase;
    const reply = await this.#run(database, { ...command, cursor: {} }, signal);
    let cursor = documentOf(reply['cursor']);
    // Small ids are numbers, and a number would be sent as another type.
    const id = Long.isLong(cursor['id']) ? cursor['id'] : Long.fromNumber(numberOf(cursor['id']));
    const collection = textOf(cursor['ns']).slice(database.length + 1);
    const documents = [...documentsOf(cursor['firstBatch'])];
    while (!isExhausted(cursor) && documents.length < LISTED_MAX) {
      const next = await this.#run(database, { getMore: id, collection }, signal);
      cursor = documentOf(next['cursor']);
      documents.push(...documentsOf(cursor['nextBatch']));
    }
    if (!isExhausted(cursor)) {
      await this.#run(database, { killCursors: collection, cursors: [id] }, signal);
    }
    return documents.slice(0, LISTED_MAX);
  }
}

function isExhausted(cursor: CatalogDocument): boolean {
  return numberOf(cursor['id']) === 0;
}

/** Parts of an index's description that its key, name and uniqueness say already. */
const INDEX_BASICS = new Set(['v', 'key', 'name', 'unique', 'ns']);

function toIndexEntry(index: CatalogDocument): IndexEntry {
  const options = Object.entries(index).filter(([name]) => !INDEX_BASICS.has(name));
  const parts = [index['key'], ...(options.length === 0 ? [] : [Object.fromEntries(options)])];
  return {
    name: textOf(index['name']),
    // Of the index that every collection has, MongoDB does not say so.
    isUnique: index['unique'] === true || index['name'] === '_id_',
    definition: parts.map((part) => BSON.EJSON.stringify(part)).join(', '),
  };
}

function documentsOf(value: unknown): readonly CatalogDocument[] {
  return Array.isArray(value) ? value.map(documentOf) : [];
}

function documentOf(value: unknown): CatalogDocument {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function serverCode(thrown: unknown): number {
  return types.isNativeError(thrown) && 'code' in thrown ? Number(thrown.code) : 0;
}
