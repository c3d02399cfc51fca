// Deletes or marks documents whose messages are stored: each only while it is, byte for byte of
// meaning, the document that was sent. One that was changed meanwhile stays, and is sent again.
import type { AnyBulkWriteOperation, Collection, Document, MongoClient } from 'mongodb';
import { ConnectorError, UnsettledError } from './connector-error.ts';
import type { ConnectorLog } from './connector.ts';
import { withinTime } from './within-time.ts';
import type { Attempts } from './source-attempts.ts';
import type { SentDocument } from './source-batch.ts';
import { findValue, toPath } from './source-bson.ts';
import { sha256Of } from './source-message-id.ts';
import { writtenDespite } from './source-refusals.ts';
import type { Written } from './source-refusals.ts';
import { shownId } from './source-skipped.ts';
import type { SourceReader } from './source-reader.ts';
import { CanonicalWriter, parseExtendedJson, readExactly } from './source-values.ts';
import { untilAborted } from '../until-aborted.ts';

/** How the documents are settled. */
export type Settlement =
  { readonly kind: 'delete' } | { readonly kind: 'mark'; readonly field: string };

export interface AcknowledgerOptions {
  readonly database: string;
  readonly collection: string;
  readonly settlement: Settlement;
  /** Whether documents are sent as they are stored. */
  readonly isWhole: boolean;
  readonly reader: SourceReader;
  readonly attempts: Attempts;
  readonly log: ConnectorLog;
}

/** Of the documents that are compared in one write, beside those of one batch. */
const WRITE_BYTES_MAX = 4 * 1024 * 1024;
const WRITE_DOCUMENTS_MAX = 1000;

/** How long one write may take, until a majority of servers has it. */
const WRITE_MS_MAX = 60_000;

/**
 * A server takes no longer document, and no longer comparison with one. Source: MongoDB manual,
 * "Limits", less what the comparison itself takes.
 */
const COMPARED_BYTES_MAX = 16 * 1024 * 1024 - 16 * 1024;

const ID_PATH = toPath('_id');

/** One that cannot be settled as it is. */
export interface Unsettled {
  readonly sent: SentDocument;
  readonly reason: string;
}

/** A document as it is now, and what was sent of it. */
interface Guarded {
  readonly sent: SentDocument;
  readonly bson: Uint8Array;
}

export class Acknowledger {
  readonly #options: AcknowledgerOptions;
  readonly #collection: Collection;
  readonly #canonical = new CanonicalWriter();
  #settledCount = 0;
  /** Of the call that is under way. */
  #unsettled: Unsettled[] = [];

  constructor(client: MongoClient, options: AcknowledgerOptions) {
    this.#options = options;
    this.#collection = client.db(options.database).collection(options.collection, {
      writeConcern: { w: 'majority' },
    });
  }

  /** Documents deleted or marked. */
  get settledCount(): number {
    return this.#settledCount;
  }

  /**
   * Resolves when every document is deleted or marked, or is no longer what was sent; with those
   * that are what was sent, and cannot be deleted or marked.
   *
   * @throws ConnectorError `storage` | `connection` | `invalid-state`; the signal's reason
   */
  async settle(sent: readonly SentDocument[], signal: AbortSignal): Promise<readonly Unsettled[]> {
    const before = this.#settledCount;
    this.#unsettled = [];
    for (let from = 0; from < sent.length; from += WRITE_DOCUMENTS_MAX) {
      await this.#settleSome(sent.slice(from, from + WRITE_DOCUMENTS_MAX), signal);
    }
    const changedCount = sent.length - (this.#settledCount - before) - this.#unsettled.length;
    if (changedCount > 0) {
      this.#options.log.note(
        `${changedCount} of ${sent.length} documents were changed or gone when they were to be ` +
          `${this.#verb()}: what is there is sent again`,
      );
    }
    return this.#unsettled;
  }

  /** @param state that owes these documents only */
  unsettledError(unsettled: readonly Unsettled[], state: string): UnsettledError {
    const { database, collection } = this.#options;
    const [first] = unsettled;
    const others = unsettled.length > 1 ? `, like ${unsettled.length - 1} more` : '';
    return new UnsettledError(
      `The document with _id ${shownId(first?.sent.id ?? '')} of ${database}.${collection} ` +
        `was sent and cannot be ${this.#verb()}${others}: ${first?.reason ?? ''}. Change it, or ` +
        'set on_failure = "skip", with which the source leaves it there and goes on',
      state,
    );
  }

  async #settleSome(sent: readonly SentDocument[], signal: AbortSignal): Promise<void> {
    const known: Guarded[] = [];
    const unknown: SentDocument[] = [];
    for (const document of sent) {
      if (document.bson === undefined || !this.#options.isWhole) {
        unknown.push(document);
      } else {
        known.push({ sent: document, bson: document.bson });
      }
    }
    await this.#write(known, signal);
    await this.#findAndWrite(unknown, signal);
  }

  /** Reads documents again, as many at a time as there is room for. */
  async #findAndWrite(sent: readonly SentDocument[], signal: AbortSignal): Promise<void> {
    const left = new Map(sent.map((document) => [document.id, document] as const));
    while (left.size > 0) {
      const { documents } = await this.#read([...left.keys()], true, signal);
      if (documents.length === 0) {
        return;
      }
      const found = new Map(documents.map((bson) => [this.#idOf(bson), bson] as const));
      const same = await this.#findSame(found, left, signal);
      await this.#write(same, signal);
      for (const id of found.keys()) {
        left.delete(id);
      }
    }
  }

  /**
   * Those that are still what was sent. Where that was a part of them the part is read after the
   * whole, with which it is then deleted or marked: whatever is changed in between is noticed.
   */
  async #findSame(
    found: ReadonlyMap<string, Uint8Array>,
    sent: ReadonlyMap<string, SentDocument>,
    signal: AbortSignal,
  ): Promise<readonly Guarded[]> {
    const { isWhole } = this.#options;
    const compared = isWhole
      ? [...found.values()]
      : (await this.#read([...found.keys()], false, signal)).documents;
    const same: Guarded[] = [];
    for (const bson of compared) {
      const id = this.#idOf(bson);
      const document = sent.get(id);
      const whole = found.get(id);
      if (whole !== undefined && document?.sha256 === sha256Of(bson)) {
        same.push({ sent: document, bson: whole });
      }
    }
    return same;
  }

  async #write(documents: readonly Guarded[], signal: AbortSignal): Promise<void> {
    let some: Guarded[] = [];
    let bytes = 0;
    for (const document of documents) {
      if (bytes + document.bson.length > WRITE_BYTES_MAX && some.length > 0) {
        await this.#writeOnce(some, signal);
        some = [];
        bytes = 0;
      }
      some.push(document);
      bytes += document.bson.length;
    }
    if (some.length > 0) {
      await this.#writeOnce(some, signal);
    }
  }

  async #writeOnce(documents: readonly Guarded[], signal: AbortSignal): Promise<void> {
    const writable: { readonly document: Guarded; readonly operation: AnyBulkWriteOperation }[] =
      [];
    for (const document of documents) {
      const operation = this.#operation(document);
      if (operation === undefined) {
        const reason = 'it is too large to be compared, or has values of deprecated types';
        this.#unsettled.push({ sent: document.sent, reason });
      } else {
        writable.push({ document, operation });
      }
    }
    const parts = [writable];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const rest = await this.#writePart(part, signal);
      parts.push(...rest.map((places) => part.filter((_, place) => places.includes(place))));
    }
  }

  /** Gives the places of what is to be written again. */
  async #writePart(
    part: readonly { readonly document: Guarded; readonly operation: AnyBulkWriteOperation }[],
    signal: AbortSignal,
  ): Promise<Written['again']> {
    if (part.length === 0) {
      return [];
    }
    const operations = part.map(({ operation }) => operation);
    const { count, refused, again } = await this.#options.attempts.run(
      'Acknowledgement',
      signal,
      async () => await this.#attempt(operations, signal),
    );
    this.#settledCount += count;
    const open = new Set(again.flat());
    const done = part.filter((_, place) => !open.has(place) && !refused.has(place));
    for (const [place, reason] of refused) {
      const sent = part[place]?.document.sent;
      this.#unsettled.push(...(sent === undefined ? [] : [{ sent, reason }]));
    }
    if (count < done.length) {
      await this.#checkLeft(
        done.map(({ document }) => document),
        signal,
      );
    }
    return again;
  }

  async #attempt(
    operations: readonly AnyBulkWriteOperation[],
    signal: AbortSignal,
  ): Promise<Written> {
    try {
      const result = await withinTime(WRITE_MS_MAX, signal, async (inTime) => {
        const writing = this.#collection.bulkWrite(operations, { ordered: false });
        return await untilAborted(writing, inTime);
      });
      return { count: result.deletedCount + result.modifiedCount, refused: new Map(), again: [] };
    } catch (error) {
      signal.throwIfAborted();
      const written = writtenDespite(error, operations.length);
      if (written === undefined) {
        throw error;
      }
      return written;
    }
  }

  /**
   * One operation, which does nothing unless the document is as it was read; undefined where that
   * cannot be told.
   */
  #operation({ sent, bson }: Guarded): AnyBulkWriteOperation | undefined {
    const bytes = bson.length + Buffer.byteLength(sent.id);
    const document = bytes > COMPARED_BYTES_MAX ? undefined : readExactly(bson);
    if (document === undefined) {
      return undefined;
    }
    const { settlement } = this.#options;
    const filter: Document = {
      _id: { $eq: this.#parseId(sent.id) },
      // Numbers of several types are equal: of most of them the sizes differ.
      $expr: {
        $and: [
          { $eq: [{ $bsonSize: '$$ROOT' }, bson.length] },
          { $eq: ['$$ROOT', { $literal: document }] },
        ],
      },
    };
    // A collection's own collation may take other texts for the same.
    const collation = { locale: 'simple' };
    return settlement.kind === 'delete'
      ? { deleteOne: { filter, collation } }
      : { updateOne: { filter, collation, update: { $set: { [settlement.field]: true } } } };
  }

  /** One that nothing has changed and that stays all the same would be sent for ever. */
  async #checkLeft(documents: readonly Guarded[], signal: AbortSignal): Promise<void> {
    const left = new Map(documents.map((document) => [document.sent.id, document] as const));
    while (left.size > 0) {
      const { documents: found } = await this.#read([...left.keys()], true, signal);
      if (found.length === 0) {
        return;
      }
      for (const bson of found) {
        const id = this.#idOf(bson);
        const before = left.get(id);
        left.delete(id);
        if (before !== undefined && Buffer.compare(before.bson, bson) === 0) {
          const reason =
            `it is as it was sent, and MongoDB has not ${this.#verb()} it, so that it would be ` +
            'sent for ever';
          this.#unsettled.push({ sent: before.sent, reason });
        }
      }
    }
  }

  async #read(
    ids: readonly string[],
    isWhole: boolean,
    signal: AbortSignal,
  ): Promise<{ readonly documents: readonly Uint8Array[] }> {
    const { attempts, reader } = this.#options;
    const values = ids.map((id) => this.#parseId(id));
    return await attempts.run(
      'Acknowledgement',
      signal,
      async () => await reader.readByIds(values, isWhole, signal),
    );
  }

  #idOf(bson: Uint8Array): string {
    const id = findValue(bson, ID_PATH);
    return id === undefined || id === 'array' ? '' : this.#canonical.encode(id).toString('utf8');
  }

  #parseId(id: string): unknown {
    const parsed = parseExtendedJson(id);
    if ('problem' in parsed) {
      throw new ConnectorError(
        'invalid-state',
        `The saved state has an _id that cannot be read, ${id}: restore the state from a copy, ` +
          'or move it away to begin again behind initial_offset',
      );
    }
    return parsed.value;
  }

  #verb(): string {
    return this.#options.settlement.kind === 'delete' ? 'deleted' : 'marked';
  }
}
