// One cancel at a time for a session, and nothing else while it is under way.
import type { CancelDelivery } from './cancel.ts';

/** Sends cancels; whoever asks while one is under way joins it. */
export class CancelBarrier {
  readonly #sendCancel: () => Promise<CancelDelivery>;
  readonly #onUnsafe: (cause: unknown) => void;
  #sending: Promise<void> | undefined;

  /**
   * @param onUnsafe a cancel is on its way and nobody knows when it strikes: there must be no
   *   later statement
   */
  constructor(sendCancel: () => Promise<CancelDelivery>, onUnsafe: (cause: unknown) => void) {
    this.#sendCancel = sendCancel;
    this.#onUnsafe = onUnsafe;
  }

  /** Settles when no cancel is under way; undefined when there is none. Never rejects. */
  get settled(): Promise<void> | undefined {
    return this.#sending;
  }

  /** Resolves when the upstream has taken the cancel, or could not be reached. Never rejects. */
  async send(): Promise<void> {
    this.#sending ??= this.#sendOnce();
    await this.#sending;
  }

  async #sendOnce(): Promise<void> {
    try {
      if ((await this.#sendCancel()) === 'unconfirmed') {
        this.#onUnsafe(undefined);
      }
    } catch (thrown) {
      this.#onUnsafe(thrown);
    } finally {
      this.#sending = undefined;
    }
  }
}
