// The replies of a MongoDB 6.0.5 to the commands for its metadata, recorded, for tests that have
// no server.
import { Long } from 'mongodb';
import { createCatalogSource } from '../../src/backends/mongodb/catalog-queries.ts';
import type { CatalogDocument } from '../../src/backends/mongodb/catalog-queries.ts';
import type { CatalogSource } from '../../src/backends/mongodb/catalog-source.ts';

type Document = Readonly<Record<string, unknown>>;

/** What a server holds; every part may be left out. */
export interface CatalogContents {
  readonly databases?: readonly Document[];
  readonly collections?: readonly Document[];
  readonly indexes?: Readonly<Record<string, readonly Document[]>>;
  readonly fieldCounts?: Readonly<Record<string, readonly Document[]>>;
  readonly sizes?: Readonly<Record<string, number>>;
  readonly users?: readonly Document[];
  readonly isWritablePrimary?: boolean;
  /** Documents of a batch; the rest is got with getMore. */
  readonly batchSize?: number;
  /** Asked before each command; throws what the server answers it with. */
  readonly refuse?: (command: CatalogDocument) => void;
}

export interface SentCommand {
  readonly database: string;
  readonly command: CatalogDocument;
}

/** A catalog over these contents, and the commands that it has sent. */
export interface CatalogStage {
  readonly catalog: CatalogSource;
  readonly sent: readonly SentCommand[];
  use(database: string): void;
}

const ID_INDEX = { v: 2, key: { _id: 1 }, name: '_id_' };

/** What the tests of psql's commands look at. */
export const PEOPLE: CatalogContents = {
  databases: [
    { name: 'test', sizeOnDisk: 86_016, empty: false },
    { name: 'admin', sizeOnDisk: 40_960, empty: false },
    { name: 'Orders', sizeOnDisk: 5_368_709_120, empty: false },
  ],
  collections: [
    { name: 'userEvents', type: 'collection' },
    { name: 'people', type: 'collection' },
    { name: 'adults', type: 'view', options: { viewOn: 'people', pipeline: [{ $limit: 5 }] } },
    { name: 'temps', type: 'timeseries' },
    { name: 'fs.files', type: 'collection' },
    { name: 'system.views', type: 'collection' },
  ],
  indexes: {
    people: [
      { v: 2, key: { name: 1 }, name: 'name_1', unique: true },
      ID_INDEX,
      { v: 2, key: { age: -1, name: 1 }, name: 'age_-1_name_1', sparse: true },
    ],
    userEvents: [ID_INDEX],
    'fs.files': [ID_INDEX],
    'system.views': [ID_INDEX],
  },
  fieldCounts: {
    people: [
      { _id: { name: null, type: 'missing' }, count: 3 },
      { _id: { name: '_id', type: 'int' }, count: 1 },
      { _id: { name: '_id', type: 'objectId' }, count: 2 },
      { _id: { name: 'name', type: 'string' }, count: 3 },
      { _id: { name: 'age', type: 'null' }, count: 1 },
      { _id: { name: 'age', type: 'int' }, count: 2 },
      { _id: { name: 'tags', type: 'array' }, count: 1 },
    ],
  },
  sizes: { people: 20_480, userEvents: 4096, temps: 4096, 'fs.files': 4096 },
  users: [
    { _id: 'admin.root', user: 'root', db: 'admin', roles: [{ role: 'root', db: 'admin' }] },
    {
      _id: 'test.ann',
      user: 'ann',
      db: 'test',
      roles: [
        { role: 'read', db: 'test' },
        { role: 'userAdminAnyDatabase', db: 'admin' },
      ],
    },
    { _id: 'test.bo', user: 'bo', db: 'test', roles: [] },
  ],
};

export function createCatalogStage(contents: CatalogContents = PEOPLE): CatalogStage {
  const server = new RecordedServer(contents);
  let current = 'test';
  return {
    catalog: createCatalogSource({
      run: server.run,
      currentDatabase: () => current,
      user: 'ann',
    }),
    sent: server.sent,
    use: (database) => {
      current = database;
    },
  };
}

class RecordedServer {
  readonly sent: SentCommand[] = [];
  readonly #contents: CatalogContents;
  #open: readonly Document[] = [];

  constructor(contents: CatalogContents) {
    this.#contents = contents;
  }

  readonly run = (
    database: string,
    command: CatalogDocument,
    signal: AbortSignal,
  ): Promise<CatalogDocument> => {
    this.sent.push({ database, command });
    return new Promise((resolve) => {
      signal.throwIfAborted();
      this.#contents.refuse?.(command);
      resolve(this.#reply(database, command));
    });
  };

  #reply(database: string, command: CatalogDocument): Document {
    const { databases, collections, indexes, users, isWritablePrimary } = this.#contents;
    const [name = ''] = Object.keys(command);
    const target = String(command[name]);
    switch (name) {
      case 'listDatabases':
        return { databases: databases ?? [], ok: 1 };
      case 'usersInfo':
        return { users: users ?? [], ok: 1 };
      case 'hello':
        return { isWritablePrimary: isWritablePrimary ?? true, ok: 1 };
      case 'listCollections':
        return this.#cursor(`${database}.$cmd.listCollections`, filtered(collections, command));
      case 'listIndexes':
        return this.#cursor(`${database}.${target}`, indexes?.[target] ?? []);
      case 'aggregate':
        return this.#cursor(`${database}.${target}`, this.#aggregate(target, command));
      case 'getMore':
        return this.#cursor(
          `${database}.${String(command['collection'])}`,
          this.#open,
          'nextBatch',
        );
      default:
        return { ok: 1 };
    }
  }

  #aggregate(collection: string, command: CatalogDocument): readonly Document[] {
    const { fieldCounts, sizes } = this.#contents;
    return JSON.stringify(command).includes('$collStats')
      ? [{ _id: null, bytes: sizes?.[collection] ?? 0 }]
      : (fieldCounts?.[collection] ?? []);
  }

  #cursor(ns: string, documents: readonly Document[], batch = 'firstBatch'): Document {
    const size = this.#contents.batchSize ?? documents.length;
    this.#open = documents.slice(size);
    const id = this.#open.length === 0 ? 0 : Long.fromString('4611686018427387905');
    return { cursor: { id, ns, [batch]: documents.slice(0, size) }, ok: 1 };
  }
}

function filtered(
  collections: readonly Document[] | undefined,
  command: CatalogDocument,
): readonly Document[] {
  const filter = JSON.stringify(command['filter'] ?? {});
  return (collections ?? []).filter(
    ({ name, type }) => filter === '{}' || filter === JSON.stringify({ name, type }),
  );
}
