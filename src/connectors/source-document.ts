// From a document to the payload of its message.
import { isUtf8 } from 'node:buffer';
import { BSON_TYPE, documentBytes, readPath } from '../backends/mongodb/bson-reader.ts';
import type { BsonValue } from '../backends/mongodb/bson-reader.ts';
import { ExtendedJsonWriter } from '../backends/mongodb/extended-json.ts';
import { REQUEST_BYTES_MAX } from './iggy-batches.ts';
import type { PayloadFormat } from './mongodb-source-config.ts';
import { createSnakeCase } from './snake-case.ts';
import {
  encodeElement,
  encodeTextElement,
  NameCollision,
  withElements,
  withNames,
  withNamesInArray,
} from './source-bson.ts';

/** What a request says beside one payload: a generous estimate of id, headers and braces. */
const ENVELOPE_BYTES = 1024;

/** As much as a request has room for in base64, which writes three bytes as four. */
export const SEND_PAYLOAD_BYTES_MAX = Math.floor((REQUEST_BYTES_MAX - ENVELOPE_BYTES) / 4) * 3;

const MICROSECONDS_PER_SECOND = 1_000_000n;
const MICROSECONDS_PER_MS = 1000n;
const UINT64_MAX = 2n ** 64n - 1n;

/** A document that no message can carry; the message of the error is why. */
export class Uncarriable extends Error {
  override readonly name = 'Uncarriable';
}

export interface PayloadOptions {
  readonly format: PayloadFormat;
  /** Dotted. */
  readonly field: string | undefined;
  readonly isSnakeCase: boolean;
  /** Goes into payloads that are documents, where it is set. */
  readonly metadata: { readonly collection: string } | undefined;
}

/** When and where a document was read. */
export interface Reading {
  readonly pollTime: Date;
  readonly tracking: BsonValue | undefined;
}

/** Makes payloads. */
export class PayloadEncoder {
  readonly #options: PayloadOptions;
  readonly #path: readonly string[];
  readonly #rename: (name: string) => string;
  /** Relaxed, with all digits of every number. */
  readonly #json = new ExtendedJsonWriter('relaxed');

  constructor(options: PayloadOptions) {
    this.#options = options;
    this.#path = options.field?.split('.') ?? [];
    this.#rename = createSnakeCase();
  }

  /**
   * The payload of a document.
   *
   * @param bson as the operator's projection has it
   * @throws Uncarriable
   */
  encode(bson: Uint8Array, reading: Reading): Buffer {
    const payload = this.#encodeValue(this.#changed(this.#extracted(bson), reading));
    if (payload.length === 0) {
      throw new Uncarriable(`its field "${this.#path.join('.')}" is empty`);
    }
    if (payload.length > SEND_PAYLOAD_BYTES_MAX) {
      throw new Uncarriable(
        `its payload of ${payload.length} bytes is over the ${SEND_PAYLOAD_BYTES_MAX} that ` +
          'one request to Iggy has room for',
      );
    }
    return payload;
  }

  #extracted(bson: Uint8Array): BsonValue {
    if (this.#path.length === 0) {
      return { type: BSON_TYPE.document, bytes: bson, offset: 0, end: bson.length };
    }
    const value = readPath(bson, this.#path);
    if (value === undefined || MISSING.has(value.type)) {
      throw new Uncarriable(`it has no value in payload_field "${this.#path.join('.')}"`);
    }
    return value;
  }

  #changed(value: BsonValue, reading: Reading): BsonValue {
    const { isSnakeCase, metadata } = this.#options;
    const renamed = isSnakeCase ? this.#renamed(value) : value;
    if (metadata === undefined || renamed.type !== BSON_TYPE.document) {
      return renamed;
    }
    const added = encodeMetadata(metadata.collection, reading);
    return wholeOf(renamed.type, withElements(documentBytes(renamed), added));
  }

  #renamed(value: BsonValue): BsonValue {
    try {
      switch (value.type) {
        case BSON_TYPE.document:
          return wholeOf(value.type, withNames(documentBytes(value), this.#rename));
        case BSON_TYPE.array:
          return wholeOf(value.type, withNamesInArray(documentBytes(value), this.#rename));
        default:
          return value;
      }
    } catch (error) {
      throw error instanceof NameCollision ? new Uncarriable(error.message) : error;
    }
  }

  #encodeValue(value: BsonValue): Buffer {
    switch (this.#options.format) {
      case 'bson':
        return encodeBytes(value);
      case 'string':
        // A text is itself; JSON would put it in quotes.
        return value.type === BSON_TYPE.string ? textBytes(value) : this.#encodeJson(value);
      case 'json':
        return this.#encodeJson(value);
    }
  }

  #encodeJson(value: BsonValue): Buffer {
    this.#json.appendValue(value);
    return this.#json.take();
  }
}

const MISSING: ReadonlySet<number> = new Set([BSON_TYPE.null, BSON_TYPE.undefined]);

function wholeOf(type: number, bytes: Uint8Array): BsonValue {
  return { type, bytes, offset: 0, end: bytes.length };
}

function encodeMetadata(
  collection: string,
  { pollTime, tracking }: Reading,
): ReadonlyMap<string, Uint8Array> {
  const offset =
    tracking === undefined
      ? encodeElement(BSON_TYPE.null, '_iggy_document_offset', Buffer.alloc(0))
      : encodeElement(tracking.type, '_iggy_document_offset', bytesOf(tracking));
  return new Map([
    ['_iggy_source_collection', encodeTextElement('_iggy_source_collection', collection)],
    ['_iggy_poll_timestamp', encodeTextElement('_iggy_poll_timestamp', pollTime.toISOString())],
    ['_iggy_document_offset', offset],
  ]);
}

/** What has bytes of its own: documents and arrays as BSON, binary values and texts. */
function encodeBytes(value: BsonValue): Buffer {
  switch (value.type) {
    case BSON_TYPE.document:
    case BSON_TYPE.array:
      return bytesOf(value);
    case BSON_TYPE.binary:
      return bytesOf({ ...value, offset: value.offset + BINARY_HEAD_BYTES });
    case BSON_TYPE.string:
      return textBytes(value);
    default:
      throw new Uncarriable(
        'its payload_field is no document, array, binary value or text, which payload_format ' +
          'bson takes',
      );
  }
}

/** A length and a subtype. */
const BINARY_HEAD_BYTES = 5;

const STRING_HEAD_BYTES = 4;

/** Always UTF-8, as JSON is: MongoDB stores what is not. */
function textBytes(value: BsonValue): Buffer {
  const text = bytesOf({ ...value, offset: value.offset + STRING_HEAD_BYTES, end: value.end - 1 });
  return isUtf8(text) ? text : Buffer.from(text.toString('utf8'), 'utf8');
}

function bytesOf({ bytes, offset, end }: BsonValue): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, end - offset);
}

/**
 * The time that a document's offset tells, in microseconds: of an ObjectId that is the `_id` its
 * making, of a date or timestamp itself. Undefined where there is none that 64 bits without a sign
 * can say.
 */
export function documentTimeUs(
  tracking: BsonValue | undefined,
  trackingField: string,
): bigint | undefined {
  switch (tracking?.type) {
    case BSON_TYPE.objectId:
      return trackingField === '_id'
        ? BigInt(bytesOf(tracking).readUInt32BE()) * MICROSECONDS_PER_SECOND
        : undefined;
    case BSON_TYPE.date: {
      const timeUs = bytesOf(tracking).readBigInt64LE() * MICROSECONDS_PER_MS;
      return timeUs >= 0n && timeUs <= UINT64_MAX ? timeUs : undefined;
    }
    case BSON_TYPE.timestamp:
      return BigInt(bytesOf(tracking).readUInt32LE(4)) * MICROSECONDS_PER_SECOND;
    default:
      return undefined;
  }
}
