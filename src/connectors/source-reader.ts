// Reads documents of a collection as bytes: what a majority of servers has, from the primary.
import { MongoServerError } from 'mongodb';
import type { Collection, Document, FindOptions, MongoClient } from 'mongodb';
import { BSON_TYPE } from '../backends/mongodb/bson-reader.ts';
import type { ConnectorLog } from './connector.ts';
import { untilAborted } from '../until-aborted.ts';
import { withinTime } from './within-time.ts';
import { findValue, toPath } from './source-bson.ts';
import type { Path } from './source-bson.ts';
import type { CollectionTraits } from './source-checks.ts';
import { conditionBehind, sortOf } from './source-cursor.ts';
import type { Position } from './source-cursor.ts';
import type { Fields } from './source-values.ts';

/** Of the documents of one batch; the last one may go beyond it. */
const BATCH_BYTES_MAX = 16 * 1024 * 1024;

/** How long the server may look for one batch. */
const FIND_MS_MAX = 120_000;

/** How long all of its replies may take: later than that, it is not heard any more. */
const REPLIES_MS_MAX = 2 * FIND_MS_MAX;

/** How long the server may take to forget a cursor that is not read to its end. */
const CLOSE_MS_MAX = 5000;

export interface ReaderOptions {
  readonly database: string;
  readonly collection: string;
  readonly trackingField: string;
  readonly queryFilter: Fields | undefined;
  /** Documents where this is true are not read. */
  readonly processedField: string | undefined;
  /** As the server is to apply it. */
  readonly projection: Fields | undefined;
  readonly batchSize: number;
  readonly log: ConnectorLog;
}

export interface ReadBatch {
  readonly documents: readonly Uint8Array[];
  /** More may be there. */
  readonly isFull: boolean;
  /** Where several documents may have one place in the order: what follows the last one. */
  readonly doubles?: { readonly beyond: Uint8Array | undefined };
}

/** Until it is known better: reads more than it must, and nothing that a server may refuse. */
const UNKNOWN_TRAITS: CollectionTraits = { isSnapshot: false, isAmbiguous: true };

/** What servers say that never read a snapshot, or none of such a collection. */
const SNAPSHOT_REFUSED_CODES: ReadonlySet<unknown> = new Set([
  72, // InvalidOptions
  115, // CommandNotSupported
  123, // NotAReplicaSet
  148, // ReadConcernMajorityNotEnabled
  166, // CommandNotSupportedOnView
  263, // OperationNotSupportedInTransaction
]);

/** Most of the time a snapshot that is not there yet, or no more: then the read is tried again. */
const SNAPSHOT_UNAVAILABLE = 246;

/** Every method throws what the driver does, or the signal's reason. */
export class SourceReader {
  readonly #options: ReaderOptions;
  readonly #collection: Collection;
  readonly #trackingPath: Path;
  #traits = UNKNOWN_TRAITS;

  constructor(client: MongoClient, options: ReaderOptions) {
    this.#options = options;
    this.#trackingPath = toPath(options.trackingField);
    this.#collection = client.db(options.database).collection(options.collection, {
      readPreference: 'primary',
      readConcern: { level: 'majority' },
    });
  }

  /** Reads from now on as it suits the collection. */
  adapt(traits: CollectionTraits): void {
    this.#traits = traits;
  }

  /** The next documents behind a position, in their order; the first ones without one. */
  async read(position: Position | undefined, signal: AbortSignal): Promise<ReadBatch> {
    const { trackingField, batchSize, projection } = this.#options;
    const { isAmbiguous } = this.#traits;
    const behind = position === undefined ? [] : [conditionBehind(trackingField, position)];
    const options = {
      ...projected(projection),
      sort: sortOf(trackingField),
      limit: isAmbiguous ? batchSize + 1 : batchSize,
    };
    const found = await this.#findInOrder([...this.#conditions(), ...behind], options, signal);
    return isAmbiguous ? withoutBeyond(found) : found;
  }

  /**
   * As of one moment: a scan that goes on while others write passes a document before an update
   * and reads a later update of another one, behind which the first is lost.
   */
  async #findInOrder(
    conditions: readonly Document[],
    options: FindOptions & { limit: number },
    signal: AbortSignal,
  ): Promise<ReadBatch> {
    if (this.#traits.isSnapshot) {
      try {
        const atOnce = { ...options, readConcern: { level: 'snapshot' } } as const;
        return await this.#find(conditions, atOnce, signal);
      } catch (error) {
        if (!isSnapshotRefused(error)) {
          throw error;
        }
        this.#forgoSnapshots(error);
      }
    }
    return await this.#find(conditions, options, signal);
  }

  #forgoSnapshots({ code }: MongoServerError): void {
    const { database, collection, trackingField, log } = this.#options;
    this.#traits = { ...this.#traits, isSnapshot: false };
    log.warn(
      `MongoDB gives no snapshot of ${database}.${collection} (code ${code}): updates that are ` +
        `made while a poll reads can be MISSED where no index {"${trackingField}": 1, "_id": 1} ` +
        'helps',
    );
  }

  /**
   * These documents as they are now, as far as they are there.
   *
   * @param isWhole without the projection
   */
  async readByIds(
    ids: readonly unknown[],
    isWhole: boolean,
    signal: AbortSignal,
  ): Promise<ReadBatch> {
    const options = {
      ...(isWhole ? {} : projected(this.#options.projection)),
      limit: ids.length,
    };
    return await this.#find([{ _id: { $in: ids } }], options, signal);
  }

  /** The type of the tracking value of any document that has one, which is not null. */
  async anyTrackingType(signal: AbortSignal): Promise<number | undefined> {
    const exists = { [this.#options.trackingField]: { $exists: true, $ne: null } };
    const found = await this.#find([...this.#conditions(), exists], { limit: 1 }, signal);
    const [document] = found.documents;
    const value = document === undefined ? undefined : findValue(document, this.#trackingPath);
    return value === 'array' ? BSON_TYPE.array : value?.type;
  }

  #conditions(): readonly Document[] {
    const { queryFilter, processedField } = this.#options;
    return [
      ...(queryFilter === undefined ? [] : [queryFilter]),
      ...(processedField === undefined ? [] : [{ [processedField]: { $ne: true } }]),
    ];
  }

  /** @param options with a limit, which one reply has room for unless its bytes are too many */
  async #find(
    conditions: readonly Document[],
    options: FindOptions & { limit: number },
    signal: AbortSignal,
  ): Promise<ReadBatch> {
    const filter = conditions.length === 0 ? {} : { $and: [...conditions] };
    return await withinTime(REPLIES_MS_MAX, signal, async (inTime) => {
      const cursor = this.#collection.find(filter, {
        ...options,
        batchSize: options.limit,
        maxTimeMS: FIND_MS_MAX,
        raw: true,
        signal: inTime,
      });
      try {
        const documents: Uint8Array[] = [];
        let bytes = 0;
        while (bytes < BATCH_BYTES_MAX && (await cursor.hasNext())) {
          for (const document of cursor.readBufferedDocuments().map(toBytes)) {
            documents.push(document);
            bytes += document.length;
          }
        }
        return { documents, isFull: documents.length >= options.limit || bytes >= BATCH_BYTES_MAX };
      } finally {
        // What was read is read, whatever comes of it.
        const closed = untilAborted(cursor.close(), AbortSignal.timeout(CLOSE_MS_MAX));
        await closed.catch(() => undefined);
      }
    });
  }
}

/**
 * The last document only says what follows the others; the next poll reads it again. One that
 * fills a batch alone is too large to be sent anyway.
 */
function withoutBeyond({ documents, isFull }: ReadBatch): ReadBatch {
  return isFull && documents.length > 1
    ? { documents: documents.slice(0, -1), isFull, doubles: { beyond: documents.at(-1) } }
    : { documents, isFull, doubles: { beyond: undefined } };
}

function isSnapshotRefused(error: unknown): error is MongoServerError {
  return (
    error instanceof MongoServerError &&
    (SNAPSHOT_REFUSED_CODES.has(error.code) ||
      (error.code === SNAPSHOT_UNAVAILABLE && /capped|not supported/i.test(error.message)))
  );
}

function projected(projection: Fields | undefined): Pick<FindOptions, 'projection'> {
  return projection === undefined ? {} : { projection };
}

/** With `raw` the driver gives bytes, whatever its types say. */
function toBytes(document: unknown): Uint8Array {
  if (document instanceof Uint8Array) {
    return document;
  }
  throw new TypeError('The MongoDB driver gave a document that is not BSON');
}
