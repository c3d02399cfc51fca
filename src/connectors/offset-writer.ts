// Stores how far a consumer has got in one partition. Only the latest offset matters: those that
// were settled while another was being stored are passed over.

export interface OffsetWriterOptions {
  /** Never called again before it has resolved. */
  readonly store: (offset: bigint) => Promise<void>;
  /** Learns of a rejection, after which nothing more is stored. */
  readonly onFailure: (error: unknown) => void;
}

export class OffsetWriter {
  readonly #options: OffsetWriterOptions;
  #settled: bigint | undefined;
  #running: Promise<void> | undefined;
  #hasFailed = false;

  constructor(options: OffsetWriterOptions) {
    this.#options = options;
  }

  /** Everything up to this offset need not come again. */
  settle(offset: bigint): void {
    this.#settled = offset;
    if (!this.#hasFailed) {
      this.#running ??= this.#write();
    }
  }

  /** Resolves when the last settled offset is stored, or cannot be. */
  async flush(): Promise<void> {
    await this.#running;
  }

  async #write(): Promise<void> {
    try {
      for (let offset = this.#take(); offset !== undefined; offset = this.#take()) {
        await this.#options.store(offset);
      }
    } catch (error) {
      this.#hasFailed = true;
      this.#options.onFailure(error);
    }
    this.#running = undefined;
  }

  #take(): bigint | undefined {
    const offset = this.#settled;
    this.#settled = undefined;
    return offset;
  }
}
