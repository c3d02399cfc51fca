// Which message a document is of that has the `_id` of a new one. Ids are the producers' choice
// and several topics may share a collection, so the same `_id` does not say the same message.
import { BSON } from 'mongodb';
import type { Collection, Document } from 'mongodb';
import { readPath } from '../backends/mongodb/bson-reader.ts';
import type { MessagePlace, SinkDocument } from './mongodb-sink-document.ts';
import { toDate } from './mongodb-sink-document.ts';
import type { PolledMessage } from './iggy-messages.ts';

/** A message as it is inserted. */
export interface SinkEntry {
  readonly message: PolledMessage;
  readonly document: SinkDocument;
}

export type Existing =
  /** The same message: it is in the database, durably. */
  | { readonly kind: 'replay' }
  /** Another message, or a document of somebody else. */
  | { readonly kind: 'conflict'; readonly origin: string }
  /** None that a majority of servers has. */
  | { readonly kind: 'none' };

/** An `$in` of the longest composite ids is far below MongoDB's 16 MB. */
const IDS_MAX = 1000;

/** The driver sends what is durable only: a document that may still be rolled back is none. */
const READ_OPTIONS = { readConcern: 'majority', readPreference: 'primary' } as const;

const ORIGIN_FIELDS = [
  'iggy_stream',
  'iggy_topic',
  'iggy_partition_id',
  'iggy_offset',
  'iggy_offset_str',
  'iggy_timestamp',
  'iggy_timestamp_str',
];

/** What tells messages apart in documents without their origin; the first must be there. */
const CONTENT_FIELDS = [
  'payload',
  'iggy_checksum',
  'iggy_origin_timestamp',
  'iggy_origin_timestamp_str',
  'iggy_headers',
];

/**
 * What the database has under the ids of these documents, in their order. A message is recognised
 * by stream, topic, partition, offset and time; where they were not stored, by payload, checksum,
 * time of origin and headers, as far as both have them: two messages with the same id and content
 * are then one.
 *
 * @throws errors of the driver
 */
export async function readExisting(
  collection: Collection<SinkDocument>,
  candidates: readonly SinkEntry[],
  place: MessagePlace,
): Promise<readonly Existing[]> {
  const found = await readOrigins(collection, candidates);
  const withoutOrigin = candidates.filter(({ document }) => {
    const origin = found.get(document._id);
    return origin !== undefined && !hasOrigin(origin);
  });
  const contents = await readContents(collection, withoutOrigin);
  return candidates.map((candidate) => {
    const origin = found.get(candidate.document._id);
    if (origin === undefined) {
      return { kind: 'none' };
    }
    const isSame = hasOrigin(origin)
      ? isSameOrigin(origin, candidate.message, place)
      : contents.has(candidate);
    return isSame ? { kind: 'replay' } : { kind: 'conflict', origin: shownOrigin(origin) };
  });
}

async function readOrigins(
  collection: Collection<SinkDocument>,
  candidates: readonly SinkEntry[],
): Promise<ReadonlyMap<string, Document>> {
  const projection = Object.fromEntries(ORIGIN_FIELDS.map((field) => [field, 1]));
  const found = new Map<string, Document>();
  for (const filter of filtersOf(candidates)) {
    const cursor = collection.find(filter, {
      ...READ_OPTIONS,
      projection,
      useBigInt64: true,
    });
    for await (const document of cursor) {
      found.set(document._id, document);
    }
  }
  return found;
}

/** Those whose document is there with the same content; one is read at a time. */
async function readContents(
  collection: Collection<SinkDocument>,
  candidates: readonly SinkEntry[],
): Promise<ReadonlySet<SinkEntry>> {
  const same = new Set<SinkEntry>();
  for (const filter of filtersOf(candidates)) {
    const cursor = collection.find<Buffer>(filter, {
      ...READ_OPTIONS,
      raw: true,
    });
    for await (const bytes of cursor) {
      const { _id: id } = BSON.deserialize(bytes);
      candidates
        .filter(({ document }) => document._id === id)
        .filter(({ document }) => isSameContent(bytes, BSON.serialize(document)))
        .forEach((candidate) => same.add(candidate));
    }
  }
  return same;
}

function filtersOf(
  candidates: readonly SinkEntry[],
): readonly { readonly _id: { readonly $in: readonly string[] } }[] {
  const ids = [...new Set(candidates.map(({ document }) => document._id))];
  const count = Math.ceil(ids.length / IDS_MAX);
  return Array.from({ length: count }, (_, index) => ({
    _id: { $in: ids.slice(index * IDS_MAX, (index + 1) * IDS_MAX) },
  }));
}

function hasOrigin(document: Document): boolean {
  return (
    document['iggy_stream'] !== undefined &&
    document['iggy_topic'] !== undefined &&
    document['iggy_partition_id'] !== undefined &&
    offsetOf(document) !== undefined
  );
}

/** The time too: a topic that was removed and made again counts its offsets from 0. */
function isSameOrigin(document: Document, message: PolledMessage, place: MessagePlace): boolean {
  return (
    document['iggy_stream'] === place.stream &&
    document['iggy_topic'] === place.topic &&
    Number(document['iggy_partition_id']) === place.partitionId &&
    offsetOf(document) === String(message.offset) &&
    isSameTime(document, message.timestampUs)
  );
}

/** True too where there is none. */
function isSameTime(document: Document, timestampUs: bigint): boolean {
  const time: unknown = document['iggy_timestamp'];
  if (time instanceof Date) {
    return time.getTime() === toDate(timestampUs)?.getTime();
  }
  const text: unknown = document['iggy_timestamp_str'];
  return text === undefined || text === String(timestampUs);
}

function offsetOf(document: Document): string | undefined {
  const offset: unknown = document['iggy_offset'] ?? document['iggy_offset_str'];
  return typeof offset === 'bigint' || typeof offset === 'string' || typeof offset === 'number'
    ? String(offset)
    : undefined;
}

function isSameContent(existing: Uint8Array, own: Uint8Array): boolean {
  return CONTENT_FIELDS.every((field, index) => {
    const theirs = readPath(existing, [field]);
    const ours = readPath(own, [field]);
    if (theirs === undefined || ours === undefined) {
      return index > 0;
    }
    const bytes = existing.subarray(theirs.offset, theirs.end);
    return (
      theirs.type === ours.type && Buffer.compare(bytes, own.subarray(ours.offset, ours.end)) === 0
    );
  });
}

/** For an error: names and numbers of Iggy, which are no secrets. */
function shownOrigin(document: Document): string {
  return hasOrigin(document)
    ? `the message at offset ${offsetOf(document) ?? ''} of stream ` +
        `"${String(document['iggy_stream'])}", topic "${String(document['iggy_topic'])}", ` +
        `partition ${String(document['iggy_partition_id'])}`
    : 'a document with another content';
}
