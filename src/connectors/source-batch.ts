// From documents to messages, with what happens to those that cannot be carried.
import type { ConnectorLog, ProducedMessage } from './connector.ts';
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
import type { Pending } from './source-state.ts';
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

/** Of an `_id` in a log or an error. */
const SHOWN_ID_CHARACTERS_MAX = 200;

/** Documents that stay are found again and again: so many are remembered as known. */
const KNOWN_SKIPPED_MAX = 10_000;

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

export class BatchMaker {
  readonly #options: BatchOptions;
  readonly #trackingPath: Path;
  readonly #ids: MessageIds;
  readonly #canonical = new CanonicalWriter();
  readonly #knownSkipped = new Set<string>();

  constructor(options: BatchOptions) {
    this.#options = options;
    this.#trackingPath = toPath(options.trackingField);
    this.#ids = new MessageIds(options.database, options.collection);
  }

  /** Makes messages, up to the first document that stops the source. */
  make(documents: readonly Uint8Array[], pollTime: Date): MadeBatch {
    const messages: ProducedMessage[] = [];
    const sent: SentDocument[] = [];
    let last: Located | undefined;
    let skippedCount = 0;
    let failure: ConnectorError | undefined;
    for (const bson of documents) {
      const outcome = this.#carry(bson, pollTime);
      if ('failure' in outcome) {
        failure = outcome.failure;
        break;
      }
      last = outcome.located;
      if ('message' in outcome) {
        messages.push(outcome.message);
        sent.push(...this.#owed(outcome.located));
      } else {
        skippedCount += this.#skip(outcome) ? 1 : 0;
      }
    }
    const position = last === undefined ? undefined : this.#positionOf(last);
    return { messages, sent, position, skippedCount, failure };
  }

  #carry(
    bson: Uint8Array,
    pollTime: Date,
  ):
    | { readonly failure: ConnectorError }
    | { readonly located: Located; readonly message: ProducedMessage }
    | { readonly located: Located; readonly reason: string } {
    let located: Located | undefined;
    try {
      located = this.#locate(bson);
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
    // Only a document can hold what its own type does not tell.
    if (value.type === BSON_TYPE.document) {
      const parsed = parseExtendedJson(this.#canonical.encode(value).toString('utf8'));
      if ('problem' in parsed) {
        throw this.#unordered('a value of a deprecated type in', idText, field);
      }
    }
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
    const version = sha256Of(located.bson);
    if (this.#knownSkipped.has(version)) {
      return false;
    }
    if (this.#knownSkipped.size < KNOWN_SKIPPED_MAX) {
      this.#knownSkipped.add(version);
    }
    this.#options.log.warn(
      `Skipped the document with _id ${shown(located.idText)} of ${this.#place()}: ${reason}`,
    );
    return true;
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

function isDate({ bytes, offset }: BsonValue): boolean {
  const ms = Buffer.from(bytes.buffer, bytes.byteOffset + offset, 8).readBigInt64LE();
  return ms >= -DATE_MS_MAX && ms <= DATE_MS_MAX;
}

function shown(idText: Buffer): string {
  const text = idText.toString('utf8');
  return text.length > SHOWN_ID_CHARACTERS_MAX
    ? `${text.slice(0, SHOWN_ID_CHARACTERS_MAX)}…`
    : text;
}
