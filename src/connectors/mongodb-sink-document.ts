// The document of a message, as section 3.4 of the specification has it. A field has one BSON type
// whatever its value, so that indexes and queries can rely on it.
import { isUtf8 } from 'node:buffer';
import { Decimal128, Double, Long } from 'mongodb';
import type { PayloadSchema } from './connector.ts';
import { ConnectorError } from './connector-error.ts';
import type { IggyHeader, IggyHeaderValue } from './iggy-headers.ts';
import type { PolledMessage } from './iggy-messages.ts';
import type { MongodbSinkConfig } from './mongodb-sink-config.ts';
import { checkPayloadJson, parsePayloadJson } from './mongodb-sink-json.ts';

export interface SinkDocument {
  readonly _id: string;
  readonly [field: string]: unknown;
}

/** While it is made: spreads would take as long as its insert. */
interface MutableDocument {
  readonly _id: string;
  [field: string]: unknown;
}

/** Where a message comes from; its offset says the rest. */
export interface MessagePlace {
  readonly stream: string;
  readonly topic: string;
  readonly partitionId: number;
}

export type DocumentConfig = Pick<
  MongodbSinkConfig,
  | 'id_strategy'
  | 'include_metadata'
  | 'include_checksum'
  | 'include_origin_timestamp'
  | 'include_headers'
  | 'payload_format'
>;

export interface DocumentOptions {
  readonly config: DocumentConfig;
  /** What payloads must be; checked also where they are stored as bytes. */
  readonly schema: PayloadSchema | undefined;
}

const INT32_MAX = 2 ** 31 - 1;
const INT64_MAX = 2n ** 63n - 1n;

/** Dates end here, in the year 275760. */
const DATE_MAX_MS = 8.64e15;

/**
 * A message as it is inserted.
 *
 * @throws ConnectorError `invalid-record` when its payload is not what it should be, or headers
 *   that are to be stored cannot be read
 */
export function createDocument(
  message: PolledMessage,
  place: MessagePlace,
  { config, schema }: DocumentOptions,
): SinkDocument {
  const document: MutableDocument = { _id: documentId(message, place, config.id_strategy) };
  if (config.include_metadata) {
    addMetadata(document, message, place);
  }
  if (config.include_checksum) {
    document['iggy_checksum'] = longOrText(message.checksum);
  }
  if (config.include_origin_timestamp) {
    addTime(document, 'iggy_origin_timestamp', message.originTimestampUs);
  }
  if (config.include_headers) {
    if (message.unreadHeaders !== undefined) {
      throw new ConnectorError('invalid-record', message.unreadHeaders.reason);
    }
    document['iggy_headers'] = encodeHeaders(message.headers);
  }
  document['payload'] = parsePayload(message.payload, config.payload_format, schema);
  return document;
}

/** The `_id` of a message's document; the composite one is that of Iggy's own connector. */
export function documentId(
  { id }: PolledMessage,
  { stream, topic, partitionId }: MessagePlace,
  strategy: DocumentConfig['id_strategy'],
): string {
  return strategy === 'message_id' ? String(id) : `${stream}:${topic}:${partitionId}:${id}`;
}

function addMetadata(document: MutableDocument, message: PolledMessage, place: MessagePlace): void {
  const { offset, timestampUs } = message;
  const { stream, topic, partitionId } = place;
  // An offset beyond Long is in a field of its own: in this one it would be another type.
  if (offset <= INT64_MAX) {
    document['iggy_offset'] = offset;
  } else {
    document['iggy_offset_str'] = String(offset);
  }
  addTime(document, 'iggy_timestamp', timestampUs);
  document['iggy_stream'] = stream;
  document['iggy_topic'] = topic;
  document['iggy_partition_id'] =
    partitionId <= INT32_MAX ? partitionId : Long.fromNumber(partitionId);
}

/** The driver stores a bigint as Long. */
function longOrText(integer: bigint): bigint | string {
  return integer <= INT64_MAX ? integer : String(integer);
}

/** As with an offset: what is no date is in a field of its own, in digits. */
function addTime(document: MutableDocument, field: string, timestampUs: bigint): void {
  const date = toDate(timestampUs);
  if (date === undefined) {
    document[`${field}_str`] = String(timestampUs);
  } else {
    document[field] = date;
  }
}

/** The time that a document has for this one of Iggy's; undefined for one after all dates. */
export function toDate(timestampUs: bigint): Date | undefined {
  const us = Number(timestampUs);
  // Exact for all that a number holds, and faster.
  const timestampMs = Number.isSafeInteger(us)
    ? Math.floor(us / 1000)
    : Number(timestampUs / 1000n);
  return timestampMs > DATE_MAX_MS ? undefined : new Date(timestampMs);
}

/** User headers as a list: their names may be of any kind, and come twice. */
export function encodeHeaders(headers: readonly IggyHeader[]): readonly unknown[] {
  return headers.map(({ key, value }) => ({ key: encodeHeader(key), value: encodeHeader(value) }));
}

/** Each kind has one BSON type that holds all its values. */
function encodeHeader(header: IggyHeaderValue): unknown {
  switch (header.kind) {
    case 'float32':
    case 'float64':
      return new Double(header.value);
    case 'uint32':
      return BigInt(header.value);
    case 'uint64':
      return Decimal128.fromString(String(header.value));
    // They have up to 39 digits, and Decimal128 34.
    case 'int128':
    case 'uint128':
      return String(header.value);
    default:
      return header.value;
  }
}

function parsePayload(
  payload: Buffer,
  format: DocumentConfig['payload_format'],
  schema: PayloadSchema | undefined,
): unknown {
  if (format === 'json') {
    return parsePayloadJson(toText(payload));
  }
  if (schema === 'json') {
    checkPayloadJson(toText(payload));
  }
  if (format === 'string' || format === 'text') {
    return toText(payload);
  }
  if (schema === 'text') {
    toText(payload);
  }
  return payload;
}

function toText(payload: Buffer): string {
  if (!isUtf8(payload)) {
    throw new ConnectorError('invalid-record', 'its payload is not UTF-8');
  }
  return payload.toString('utf8');
}
