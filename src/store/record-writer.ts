// Records on their way into MongoDB: in batches, off the path of what they tell of, and bounded.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { performance } from 'node:perf_hooks';
import { untilAborted } from '../until-aborted.ts';
import { LossTally } from './loss-tally.ts';
import type { LossReport, RecordStream } from './loss-tally.ts';
import { refusalOf } from './record-insert.ts';
import type { RecordInsert, StoredRecord } from './record-insert.ts';

/** Records that wait, those of the batch in flight included; newer ones are lost then. */
export const WAITING_RECORDS_MAX = 20_000;

/** The same in bytes, as whoever appends them estimates. */
export const WAITING_BYTES_MAX = 16 * 1024 * 1024;

/** So many records do not wait for more. */
const FLUSH_RECORDS = 1000;

/** Of one insert, by count and by bytes: the driver encodes it in one go. */
export const BATCH_RECORDS_MAX = 2500;
const BATCH_BYTES_MAX = 2 * 1024 * 1024;

/** How long a record waits for others to go with. */
export const FLUSH_INTERVAL_MS = 1000;

/** How long records are made ready before others of the event loop have their turn. */
const SLICE_MS = 4;

/** Between two attempts at the same batch; each doubles it up to the most. */
const FIRST_PAUSE_MS = 100;
const PAUSE_MS_MAX = 2000;

/** A batch that the server has refused so often, in so many words, is given up. */
const REFUSALS_MAX = 5;

/** Why records are lost: no more words than these, for they are counted by them. */
const QUEUE_FULL = 'queue full';
const CLOSED = 'closed';
const REFUSED = 'refused';
const FAULT = 'fault';

/** What waits to become a record. */
export interface Waiting {
  /** What it holds in memory, about. */
  readonly heldBytes: number;
}

export interface RecordWriterOptions<Entry extends Waiting> {
  readonly stream: RecordStream;
  readonly insert: Pick<RecordInsert, 'open' | 'insert' | 'findMissing'>;
  /** Made when it is about to be written, in its turn. */
  readonly encode: (entry: Entry) => StoredRecord;
  /** Told at most once a second and reason; must not throw. */
  readonly report: (loss: LossReport) => void;
}

/** Records that are not there, and why. */
interface Refused {
  readonly refused: number;
  readonly reason: string;
}

/** What has become of everything that was appended; together they are all of it. */
export interface RecordCounts {
  readonly written: number;
  readonly lost: number;
  readonly waiting: number;
}

export class RecordWriter<Entry extends Waiting> {
  readonly #options: RecordWriterOptions<Entry>;
  readonly #loss: LossTally;
  readonly #stopped = new AbortController();
  #queue: Entry[] = [];
  /** Of the queue and of the batch in flight. */
  #waitingRecords = 0;
  #waitingBytes = 0;
  #written = 0;
  #timer: NodeJS.Timeout | undefined;
  #draining: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: RecordWriterOptions<Entry>) {
    this.#options = options;
    this.#loss = new LossTally(options.stream, options.report);
  }

  get counts(): RecordCounts {
    return { written: this.#written, lost: this.#loss.total, waiting: this.#waitingRecords };
  }

  /**
   * Queues a record; does not block and does not throw. What waits already has been waiting for
   * longer and stays: it is the newer record that is lost.
   */
  append(entry: Entry): void {
    if (this.#isClosed) {
      this.#loss.add(1, CLOSED);
    } else if (
      this.#waitingRecords >= WAITING_RECORDS_MAX ||
      this.#waitingBytes + entry.heldBytes > WAITING_BYTES_MAX
    ) {
      this.#loss.add(1, QUEUE_FULL);
    } else {
      this.#queue.push(entry);
      this.#waitingRecords += 1;
      this.#waitingBytes += entry.heldBytes;
      this.#schedule();
    }
  }

  /**
   * Resolves when everything is written or counted as lost. When the deadline aborts, what is not
   * known to be written is counted as lost.
   */
  async close(deadline: AbortSignal): Promise<void> {
    this.#isClosed = true;
    this.#drain();
    await untilAborted(this.#draining ?? Promise.resolve(), deadline).catch(() => undefined);
    this.#stopped.abort(new Error('The writer is closed'));
    this.#loss.add(this.#waitingRecords, CLOSED);
    this.#waitingRecords = 0;
    this.#waitingBytes = 0;
    this.#queue = [];
    this.#loss.flush();
  }

  #schedule(): void {
    if (this.#queue.length >= FLUSH_RECORDS) {
      this.#drain();
    } else {
      this.#timer ??= setTimeout(() => this.#drain(), FLUSH_INTERVAL_MS).unref();
    }
  }

  #drain(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // With nothing to write MongoDB is left alone.
    if (this.#queue.length > 0) {
      this.#draining ??= this.#writeAll();
    }
  }

  /** One batch after another; does not reject. */
  async #writeAll(): Promise<void> {
    // What is appended in this turn of the event loop goes with it.
    await nextTurn();
    do {
      const batch = this.#take();
      const records = await this.#encode(batch);
      const { refused, reason } = await this.#insertOnce(records);
      if (this.#stopped.signal.aborted) {
        // All of it has been counted as lost.
        return;
      }
      this.#waitingRecords -= batch.length;
      this.#waitingBytes -= sumBytes(batch);
      this.#written += records.length - refused;
      this.#loss.add(refused, reason);
      this.#loss.add(batch.length - records.length, FAULT);
    } while (this.#queue.length >= FLUSH_RECORDS || (this.#isClosed && this.#queue.length > 0));
    this.#draining = undefined;
    if (this.#queue.length > 0) {
      this.#schedule();
    }
  }

  #take(): Entry[] {
    let bytes = 0;
    const end = this.#queue.findIndex((waiting, index) => {
      bytes += waiting.heldBytes;
      return index > 0 && (index >= BATCH_RECORDS_MAX || bytes > BATCH_BYTES_MAX);
    });
    return this.#queue.splice(0, end === -1 ? this.#queue.length : end);
  }

  /** In slices, so that clients are not kept waiting for a long batch. */
  async #encode(batch: readonly Entry[]): Promise<StoredRecord[]> {
    const records: StoredRecord[] = [];
    let startedAtMs = performance.now();
    for (const entry of batch) {
      try {
        records.push(this.#options.encode(entry));
      } catch {
        // One that cannot be made must not cost the others; it is counted.
      }
      if (performance.now() - startedAtMs > SLICE_MS) {
        await nextTurn();
        startedAtMs = performance.now();
      }
    }
    return records;
  }

  /** Tries until each record is there once or is refused, or the writer is closed. */
  async #insertOnce(records: readonly StoredRecord[]): Promise<Refused> {
    let left = records;
    let isUnclear = false;
    let refusals = 0;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
      try {
        const db = await this.#open();
        if (isUnclear) {
          left = await this.#options.insert.findMissing(db, left);
        }
        isUnclear = true;
        const refused = left.length === 0 ? 0 : await this.#options.insert.insert(db, left);
        return { refused, reason: REFUSED };
      } catch (error) {
        const reason = refusalOf(error);
        refusals += reason === undefined ? 0 : 1;
        if (this.#stopped.signal.aborted || refusals >= REFUSALS_MAX) {
          return { refused: left.length, reason: reason ?? CLOSED };
        }
      }
      await this.#pause(pauseMs);
    }
  }

  async #open(): Promise<Db> {
    return await this.#options.insert.open(this.#stopped.signal);
  }

  async #pause(pauseMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, pauseMs).unref();
    });
    await untilAborted(over, this.#stopped.signal).catch(() => undefined);
    clearTimeout(timer);
  }
}

function sumBytes(batch: readonly Waiting[]): number {
  return batch.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
}
