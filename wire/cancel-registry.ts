// Which session a CancelRequest means. One registry serves all listeners of the process.
import type { CancelKey } from '../src/backends/backend.ts';

type Cancel = () => Promise<'matched' | 'late'>;

/** Sessions by their CancelKey. An entry lives as long as its session. */
export class CancelRegistry {
  readonly #cancels = new Map<string, Cancel>();

  /** @returns removes the entry again */
  register(key: CancelKey, cancel: Cancel): () => void {
    const name = nameOf(key);
    this.#cancels.set(name, cancel);
    return () => {
      if (this.#cancels.get(name) === cancel) {
        this.#cancels.delete(name);
      }
    };
  }

  /**
   * How to cancel the session with exactly this key. A key with a wrong secret looks up in the
   * same way and time as one that was never given out.
   */
  find(key: CancelKey): Cancel | undefined {
    return this.#cancels.get(nameOf(key));
  }
}

function nameOf({ processId, secretKey }: CancelKey): string {
  return `${processId}:${secretKey}`;
}
