// The next batch, read while the last one is sent: the database and Iggy work at the same time.
// At most one batch is held so.
import type { ReadBatch } from './source-reader.ts';

interface Ahead {
  readonly offset: string;
  readonly read: Promise<ReadBatch>;
}

export class ReadAhead {
  #ahead: Ahead | undefined;

  /** Begins to read behind this offset. What it fails with, whoever takes it is told. */
  start(offset: string, read: () => Promise<ReadBatch>): void {
    const begun = read();
    // Perhaps nobody takes it.
    begun.catch(() => undefined);
    this.#ahead = { offset, read: begun };
  }

  /** What is read behind this offset, once; undefined when nothing is. */
  take(offset: string | undefined): Promise<ReadBatch> | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead !== undefined && ahead.offset === offset ? ahead.read : undefined;
  }
}
