// Empty timestamps of new documents. The server would put its time in their place and not say
// which: filled in here, what is answered is what is stored.
import { Timestamp } from 'mongodb';
import type { BsonDocument } from './crud-values.ts';

const SECOND_MS = 1000;

/** Times that are never the same twice, as the server's. */
export class TimestampClock {
  readonly #nowMs: () => number;
  #seconds = 0;
  #increment = 0;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  next(): Timestamp {
    const seconds = Math.floor(this.#nowMs() / SECOND_MS);
    // A clock that was set back stands still here.
    this.#increment = seconds > this.#seconds ? 1 : this.#increment + 1;
    this.#seconds = Math.max(seconds, this.#seconds);
    return new Timestamp({ t: this.#seconds, i: this.#increment });
  }
}

/** Only these does the server fill in: fields of the document itself, and not its id. */
export function fillTimestamps(document: BsonDocument, clock: TimestampClock): BsonDocument {
  return new Map(
    [...document].map(([name, value]) => [
      name,
      name !== '_id' && isEmpty(value) ? clock.next() : value,
    ]),
  );
}

function isEmpty(value: unknown): boolean {
  return value instanceof Timestamp && value.t === 0 && value.i === 0;
}
