// Reads documents of a collection as bytes: what a majority of servers has, from the primary.
import type { Collection, Document, FindOptions, MongoClient } from 'mongodb';
import type { BsonValue } from '../backends/mongodb/bson-reader.ts';
import { withinTime } from './source-attempts.ts';
import { findValue, toPath } from './source-bson.ts';
import type { Path } from './source-bson.ts';
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
}

export interface ReadBatch {
  readonly documents: readonly Uint8Array[];
  /** More may be there. */
  readonly isFull: boolean;
}

/** Every method throws what the driver does, or the signal's reason. */
export class SourceReader {
  readonly #options: ReaderOptions;
  readonly #collection: Collection;
  readonly #trackingPath: Path;

  constructor(client: MongoClient, options: ReaderOptions) {
    this.#options = options;
    this.#trackingPath = toPath(options.trackingField);
    this.#collection = client.db(options.database).collection(options.collection, {
      readPreference: 'primary',
      readConcern: { level: 'majority' },
    });
  }

  /** The next documents behind a position, in their order; the first ones without one. */
  async read(position: Position | undefined, signal: AbortSignal): Promise<ReadBatch> {
    const { trackingField, batchSize, projection } = this.#options;
    const behind = position === undefined ? [] : [conditionBehind(trackingField, position)];
    const options = { ...projected(projection), sort: sortOf(trackingField), limit: batchSize };
    return await this.#find([...this.#conditions(), ...behind], options, signal);
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

  /** The tracking value of any document that has one. */
  async anyTracking(signal: AbortSignal): Promise<BsonValue | undefined> {
    const exists = { [this.#options.trackingField]: { $exists: true } };
    const found = await this.#find([...this.#conditions(), exists], { limit: 1 }, signal);
    const [document] = found.documents;
    const value = document === undefined ? undefined : findValue(document, this.#trackingPath);
    return value === 'array' ? undefined : value;
  }

  /** Whether there is nothing to read. */
  async isEmpty(signal: AbortSignal): Promise<boolean> {
    const found = await this.#find(this.#conditions(), { limit: 1 }, signal);
    return found.documents.length === 0;
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
        await cursor.close({ timeoutMS: CLOSE_MS_MAX }).catch(() => undefined);
      }
    });
  }
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
