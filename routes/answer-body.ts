// The body of an answer while it is made: held back until there is a chunk of it, written no
// faster than the client reads.
import { once } from 'node:events';
import type { Response } from 'express';
import type { AnswerRecord } from './cached-record.ts';

/** What is held back before any of it goes out: a smaller answer is written at once, whole. */
const CHUNK_BYTES = 64 * 1024;

export interface AnswerBodyOptions {
  readonly contentType: string;
  /** Aborted when the client has gone: nobody waits for it then. */
  readonly signal: AbortSignal;
  /** Is told every piece; it holds no more of them than it keeps. */
  readonly record?: Pick<AnswerRecord, 'add'> | undefined;
}

export class AnswerBody {
  readonly #response: Response;
  readonly #contentType: string;
  readonly #signal: AbortSignal;
  readonly #record: AnswerBodyOptions['record'];
  #pieces: Buffer[] = [];
  #heldBytes = 0;

  constructor(response: Response, { contentType, signal, record }: AnswerBodyOptions) {
    this.#response = response;
    this.#contentType = contentType;
    this.#signal = signal;
    this.#record = record;
  }

  /** Whether any of it has gone out, so that status and headers stand. */
  get isBegun(): boolean {
    return this.#response.headersSent;
  }

  /** Whether it is time to flush. */
  get isFull(): boolean {
    return this.#heldBytes >= CHUNK_BYTES;
  }

  append(piece: Buffer | string): void {
    const bytes = typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece;
    this.#pieces.push(bytes);
    this.#heldBytes += bytes.length;
    this.#record?.add(bytes);
  }

  /**
   * Writes what is held back; resolves when the client can take more.
   *
   * @throws the signal's reason when the client has gone
   */
  async flush(): Promise<void> {
    this.#signal.throwIfAborted();
    if (this.#heldBytes === 0) {
      return;
    }
    this.#begin();
    if (!this.#response.write(this.#take())) {
      await this.#drained();
    }
  }

  /** The last of it. An answer that was never flushed has a length. */
  end(): void {
    const rest = this.#take();
    if (!this.isBegun) {
      this.#begin();
      this.#response.setHeader('Content-Length', rest.length);
    }
    this.#response.end(rest);
  }

  #begin(): void {
    if (!this.isBegun) {
      this.#response.status(200).setHeader('Content-Type', this.#contentType);
    }
  }

  #take(): Buffer {
    const [first = EMPTY, ...others] = this.#pieces;
    const taken = others.length === 0 ? first : Buffer.concat(this.#pieces, this.#heldBytes);
    this.#pieces = [];
    this.#heldBytes = 0;
    return taken;
  }

  async #drained(): Promise<void> {
    try {
      await once(this.#response, 'drain', { signal: this.#signal });
    } catch (error) {
      this.#signal.throwIfAborted();
      throw error;
    }
  }
}

const EMPTY = Buffer.alloc(0);
