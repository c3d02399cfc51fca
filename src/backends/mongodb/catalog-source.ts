// What PostgreSQL's catalog queries are answered from: a MongoDB server's own metadata.

/** Names that are listed at most, of databases, collections, indexes and users alike. */
export const LISTED_MAX = 10_000;

export interface DatabaseEntry {
  readonly name: string;
  /** In bytes. */
  readonly sizeOnDisk: number;
}

export interface CollectionEntry {
  readonly name: string;
  readonly type: 'collection' | 'view' | 'timeseries';
}

export interface IndexEntry {
  readonly name: string;
  readonly isUnique: boolean;
  /** What createIndex takes, as EJSON: the key, and the options where there are any. */
  readonly definition: string;
}

/** A top-level field, as a sample of documents has it. */
export interface FieldEntry {
  readonly name: string;
  /** By the names that MongoDB's `$type` gives them, in alphabetical order. */
  readonly bsonTypes: readonly string[];
  /** Documents of the sample that have it. */
  readonly presentIn: number;
  /** Documents of the sample. */
  readonly sampled: number;
}

export interface UserEntry {
  /** `database.user`, as MongoDB's own `_id` of a user. */
  readonly user: string;
  /** `database.role` each. */
  readonly roles: readonly string[];
}

/**
 * Metadata as it is now. Every method asks the server and rejects with its error, or with the
 * signal's reason; no list is longer than LISTED_MAX.
 */
export interface CatalogSource {
  readonly currentDatabase: string;
  /** The client's own name. */
  readonly user: string;
  databases(signal: AbortSignal): Promise<readonly DatabaseEntry[]>;
  /** Those of the current database, as are all that follow. */
  collections(signal: AbortSignal): Promise<readonly CollectionEntry[]>;
  indexes(collection: string, signal: AbortSignal): Promise<readonly IndexEntry[]>;
  /** In the order in which documents have them. */
  fields(collection: string, signal: AbortSignal): Promise<readonly FieldEntry[]>;
  /** In bytes; undefined where the server does not tell. */
  storageSize(collection: string, signal: AbortSignal): Promise<number | undefined>;
  /** The statement that a view stands for; undefined where there is no such view. */
  viewDefinition(view: string, signal: AbortSignal): Promise<string | undefined>;
  /** Users of every database. */
  users(signal: AbortSignal): Promise<readonly UserEntry[]>;
  /** Whether the server takes writes. */
  isWritablePrimary(signal: AbortSignal): Promise<boolean>;
}
