// Stores how far a consumer has got in one partition. Only the latest offset matters: those that
// were settled while another was being stored are passed over.

export interface OffsetWriterOptions<Place> {
  /** Never called again before it has resolved. */
  readonly store: (place: Place) => Promise<void>;
  /** Learns of a rejection, after which nothing more is stored. */
  readonly onFailure: (error: unknown) => void;
}

/** `Place` is an offset, with what else has to be known to store it. */
export class OffsetWriter<Place> {
  readonly #options: OffsetWriterOptions<Place>;
  #settled: Place | undefined;
  #running: Promise<void> | undefined;
  #hasFailed = false;

  constructor(options: OffsetWriterOptions<Place>) {
    this.#options = options;
  }

  /** Everything up to this place need not come again. */
  settle(place: Place): void {
    this.#settled = place;
    if (!this.#hasFailed) {
      this.#running ??= this.#write();
    }
  }

  /** Resolves when the last settled place is stored, or cannot be. */
  async flush(): Promise<void> {
    await this.#running;
  }

  async #write(): Promise<void> {
    try {
      for (let place = this.#take(); place !== undefined; place = this.#take()) {
        await this.#options.store(place);
      }
    } catch (error) {
      this.#hasFailed = true;
      this.#options.onFailure(error);
    }
    this.#running = undefined;
  }

  #take(): Place | undefined {
    const place = this.#settled;
    this.#settled = undefined;
    return place;
  }
}
