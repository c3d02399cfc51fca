// From documents to messages, with what happens to those that cannot be carried.
import type { ConnectorLog, ProducedMessage } from './connector.ts';
import { BSON } from 'mongodb';
import { isUtf8 } from 'node:buffer';
import { ConnectorError } from './connector-error.ts';
import { namedHeader } from './iggy-headers.ts';
import { BSON_TYPE, BsonError } from '../backends/mongodb/bson-reader.ts';
import type { BsonValue } from '../backends/mongodb/bson-reader.ts';
import { findValue, toPath } from './source-bson.ts';
import type { Path } from './source-bson.ts';
import { formatPosition } from './source-cursor.ts';
import { documentTimeUs, Uncarriable } from './source-document.ts';
import type { PayloadEncoder } from './source-document.ts';
import { MessageIds, partitionHashOf, sha256Of } from './source-message-id.ts';
import { bytesOf, isSamePlace, isSameValue } from './source-places.ts';
import type { ReadBatch } from './source-reader.ts';
import { PENDING_BYTES_MAX, pendingBytesOf } from './source-state.ts';
import type { Pending } from './source-state.ts';
import { shownId, SkippedDocuments } from './source-skipped.ts';
import { CanonicalWriter, parseExtendedJson, readExactly } from './source-values.ts';

/** A message's document, for what is done with it when the message is stored. */
export interface SentDocument extends Pending {
  /** As it was read; undefined where that was before a restart. */
  readonly bson: Uint8Array | undefined;
}

export interface MadeBatch {
  readonly messages: readonly ProducedMessage[];
  /** Empty where documents stay as they are. */
  readonly sent: readonly SentDocument[];
  /** Where the last document is that was carried or given up; undefined where none was. */
  readonly position: string | undefined;
  readonly skippedCount: number;
  /** Whether documents behind it may have been left out, for which the state has no room. */
  readonly isCut: boolean;
  /** What is wrong with the next document: nothing behind it was carried. */
  readonly failure: ConnectorError | undefined;
}

export interface BatchOptions {
  readonly database: string;
  readonly collection: string;
  readonly trackingField: string;
  readonly isSkipping: boolean;
  /** What was sent is deleted or marked. */
  readonly isSettled: boolean;
  /** Whether documents come as they are stored. */
  readonly isWhole: boolean;
  /** What messages hold of a document. */
  readonly strip: (bson: Uint8Array) => Uint8Array;
  readonly payloads: PayloadEncoder;
  readonly log: ConnectorLog;
}

/** A document that has no place in the order, so that nothing can go on behind it. */
class Unordered extends Error {}

interface Located {
  readonly bson: Uint8Array;
  readonly id: BsonValue;
  readonly tracking: BsonValue | undefined;
  /** Canonical Extended JSON. */
  readonly idText: Buffer;
}

const ID_PATH = toPath('_id');

/** JavaScript's dates reach so far from 1970 either way. Source: ECMA-262, "Time Values". */
const DATE_MS_MAX = 8_640_000_000_000_000n;

const NULL_TEXT = Buffer.from('null');

/** The driver has no class for them, or a sort takes their elements. */
const UNORDERED_TYPES: ReadonlyMap<number, string> = new Map([
  [BSON_TYPE.array, 'an array'],
  [BSON_TYPE.undefined, 'the deprecated type undefined'],
  [BSON_TYPE.dbPointer, 'the deprecated type DBPointer'],
  [BSON_TYPE.codeWithScope, 'the deprecated type code with scope'],
]);

/** A position has exactly the value of these, which their type and a number tell. */
const PLAIN_TYPES: ReadonlySet<number> = new Set([
  BSON_TYPE.double,
  BSON_TYPE.int32,
  BSON_TYPE.int64,
  BSON_TYPE.decimal128,
  BSON_TYPE.boolean,
  BSON_TYPE.date,
  BSON_TYPE.null,
  BSON_TYPE.objectId,
  BSON_TYPE.string,
  BSON_TYPE.timestamp,
  BSON_TYPE.minKey,
  BSON_TYPE.maxKey,
]);

const READ_BACK_PATH = toPath('v');

export class BatchMaker {
  readonly #options: BatchOptions;
  readonly #trackingPath: Path;
  readonly #ids: MessageIds;
  readonly #canonical = new CanonicalWriter();
  readonly #skipped: SkippedDocuments;

  constructor(options: BatchOptions) {
    this.#options = options;
    this.#trackingPath = toPath(options.trackingField);
    this.#ids = new MessageIds(options.database, options.collection);
    this.#skipped = new SkippedDocuments(this.#place(), options.log);
  }

  /** Of a document that was sent and cannot be settled: this version of it is sent no more. */
  giveUp(sent: Pending, reason: string): void {
    this.#skipped.giveUp(sent, reason);
  }

  /**
   * Makes messages, up to the first document that stops the source.
   *
   * @param doubles where several documents may have one place in the order
   */
  make(
    documents: readonly Uint8Array[],
    pollTime: Date,
    doubles?: ReadBatch['doubles'],
  ): MadeBatch {
    const messages: ProducedMessage[] = [];
    const sent: SentDocument[] = [];
    let last: Located | undefined;
    let skippedCount = 0;
    let failure: ConnectorError | undefined;
    let owedBytes = 0;
    for (const [index, bson] of documents.entries()) {
      const next = doubles === undefined ? undefined : (documents[index + 1] ?? doubles.beyond);
      const outcome = this.#carry(bson, next, pollTime);
      if ('failure' in outcome) {
        failure = outcome.failure;
        break;
      }
      last = outcome.located;
      if ('message' in outcome) {
        messages.push(outcome.message);
        const owed = this.#owed(outcome.located);
        sent.push(...owed);
        owedBytes += pendingBytesOf(owed);
      } else {
        skippedCount += this.#skip(outcome) ? 1 : 0;
      }
      if (owedBytes >= PENDING_BYTES_MAX) {
        break;
      }
    }
    const position = last === undefined ? undefined : this.#positionOf(last);
    const isCut = owedBytes >= PENDING_BYTES_MAX;
    return { messages, sent, position, skippedCount, isCut, failure };
  }

  #carry(
    bson: Uint8Array,
    next: Uint8Array | undefined,
    pollTime: Date,
  ):
    | { readonly failure: ConnectorError }
    | { readonly located: Located; readonly message: ProducedMessage }
    | { readonly located: Located; readonly reason: string } {
    let located: Located | undefined;
    try {
      located = this.#locate(bson);
      this.#checkAlone(located, next);
      return { located, message: this.#message(located, pollTime) };
    } catch (error) {
      if (error instanceof Unordered) {
        return { failure: new ConnectorError('invalid-record', error.message) };
      }
      const reason = error instanceof Error ? reasonOf(error) : undefined;
      if (reason === undefined || located === undefined) {
        throw error;
      }
      return this.#options.isSkipping
        ? { located, reason }
        : { failure: this.#halted(located, reason) };
    }
  }

  #locate(bson: Uint8Array): Located {
    const id = findValue(bson, ID_PATH);
    if (id === undefined || id === 'array') {
      throw new Unordered(
        `A document of ${this.#place()} has no _id, without which nothing can be told apart: ` +
          'read a collection, or a view that has it',
      );
    }
    const idText = this.#canonical.encode(id);
    this.#checkOrder(id, '_id', idText);
    const tracking = this.#isById() ? id : findValue(bson, this.#trackingPath);
    if (tracking === 'array') {
      throw this.#unordered('an array on the way to', idText);
    }
    if (tracking !== undefined && !this.#isById()) {
      this.#checkOrder(tracking, this.#options.trackingField, idText);
    }
    return { bson, id, tracking, idText };
  }

  #checkOrder(value: BsonValue, field: string, idText: Buffer): void {
    const type = UNORDERED_TYPES.get(value.type);
    if (type !== undefined) {
      throw this.#unordered(`${type} in`, idText, field);
    }
    if (value.type === BSON_TYPE.date && !isDate(value)) {
      throw this.#unordered('a date beyond the year 275760 in', idText, field);
    }
    if (value.type === BSON_TYPE.string && !isUtf8(textBytesOf(value))) {
      throw this.#unordered('broken text in', idText, field);
    }
    if (!PLAIN_TYPES.has(value.type)) {
      this.#checkReadBack(value, field, idText);
    }
  }

  /** A position that means another value would find the same documents for ever, or skip some. */
  #checkReadBack(value: BsonValue, field: string, idText: Buffer): void {
    const parsed = parseExtendedJson(this.#canonical.encode(value).toString('utf8'));
    if ('problem' in parsed) {
      throw this.#unordered('a value of a deprecated type in', idText, field);
    }
    const readBack = findValue(BSON.serialize(new Map([['v', parsed.value]])), READ_BACK_PATH);
    if (readBack === undefined || readBack === 'array' || !isSameValue(readBack, value)) {
      throw this.#unordered('a value that Extended JSON takes for another one in', idText, field);
    }
  }

  /** Of documents with one place in the order, the later ones would be passed over. */
  #checkAlone({ id, tracking, idText }: Located, next: Uint8Array | undefined): void {
    const nextId = next === undefined ? undefined : findValue(next, ID_PATH);
    if (
      next === undefined ||
      nextId === undefined ||
      nextId === 'array' ||
      !isSamePlace(id, nextId)
    ) {
      return;
    }
    const nextTracking = this.#isById() ? nextId : findValue(next, this.#trackingPath);
    if (nextTracking === 'array' || !isSamePlace(tracking, nextTracking)) {
      return;
    }
    throw new Unordered(
      `Several documents of ${this.#place()} have the _id ${shown(idText)} and the same ` +
        `"${this.#options.trackingField}", so that some would be passed over: give each an _id ` +
        'of its own (in the pipeline of a view, for example), take a tracking_field that tells ' +
        'them apart, or leave them out by query_filter',
    );
  }

  #unordered(what: string, idText: Buffer, field = this.#options.trackingField): Unordered {
    return new Unordered(
      `The document with _id ${shown(idText)} of ${this.#place()} has ${what} "${field}", ` +
        'behind which nothing can go on: take another tracking_field, or leave the document out ' +
        'by query_filter',
    );
  }

  #message(located: Located, pollTime: Date): ProducedMessage {
    const { trackingField, payloads, strip, isSettled, isWhole } = this.#options;
    const { bson, tracking, idText } = located;
    if (isSettled && isWhole && readExactly(bson) === undefined) {
      throw new Uncarriable(
        'it has values of deprecated types, or broken text, and cannot be compared before it is ' +
          'deleted or marked',
      );
    }
    if (this.#skipped.hasGivenUp && this.#skipped.isGivenUp(sha256Of(bson))) {
      throw new Uncarriable('it was sent, and cannot be deleted or marked');
    }
    const timeUs = documentTimeUs(tracking, trackingField) ?? BigInt(pollTime.getTime()) * 1000n;
    return {
      id: this.#ids.of(idText, bson),
      payload: payloads.encode(strip(bson), { pollTime, tracking }),
      headers: [namedHeader('gatepost_timestamp', { kind: 'uint64', value: timeUs })],
      partitionHash: partitionHashOf(idText),
    };
  }

  #owed({ bson, idText }: Located): readonly SentDocument[] {
    return this.#options.isSettled
      ? [{ id: idText.toString('utf8'), sha256: sha256Of(bson), bson }]
      : [];
  }

  #halted({ idText }: Located, reason: string): ConnectorError {
    return new ConnectorError(
      'invalid-record',
      `The document with _id ${shown(idText)} of ${this.#place()} cannot be sent: ${reason}; ` +
        'change it, leave it out by query_filter, or set on_failure to skip',
    );
  }

  /** Whether it is told for the first time. */
  #skip({ located, reason }: { readonly located: Located; readonly reason: string }): boolean {
    const id = located.idText.toString('utf8');
    return this.#skipped.skip({ id, sha256: sha256Of(located.bson) }, reason);
  }

  #positionOf({ tracking, idText }: Located): string {
    const text = tracking === undefined ? NULL_TEXT : this.#canonical.encode(tracking);
    return formatPosition(text.toString('utf8'), idText.toString('utf8'));
  }

  #isById(): boolean {
    return this.#options.trackingField === '_id';
  }

  #place(): string {
    return `${this.#options.database}.${this.#options.collection}`;
  }
}

/** Why a document cannot be carried; undefined where the error says nothing of it. */
function reasonOf(error: Error): string | undefined {
  if (error instanceof BsonError) {
    return `its bytes cannot be read: ${error.message}`;
  }
  return error instanceof Uncarriable ? error.message : undefined;
}

/** Between its length and its end. */
function textBytesOf(value: BsonValue): Uint8Array {
  return bytesOf(value).subarray(4, -1);
}

function isDate({ bytes, offset }: BsonValue): boolean {
  const ms = Buffer.from(bytes.buffer, bytes.byteOffset + offset, 8).readBigInt64LE();
  return ms >= -DATE_MS_MAX && ms <= DATE_MS_MAX;
}

function shown(idText: Buffer): string {
  return shownId(idText.toString('utf8'));
}
