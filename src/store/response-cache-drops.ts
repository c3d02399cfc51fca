// Writes that the cache has to learn of. One that MongoDB could not be told is told again until it
// is, and until then nothing is read from the cache here that it may have made stale.
import { performance } from 'node:perf_hooks';
import { LIFETIME_MS_MAX } from './response-cache-collection.ts';

/** How long a write's own answer waits for it. */
const DROP_TIMEOUT_MS = 1000;

/** Between two attempts. */
const RETRY_MS = 1000;

/** Tables that are remembered; of more, answers may be as old as they were asked to be. */
const OWED_MAX = 10_000;

/** Tells MongoDB that what was read from these is stale. */
export type Renew = (tags: readonly string[], signal: AbortSignal) => Promise<void>;

/** Is told what MongoDB could not be told. */
export type OnFailure = (thrown: unknown) => void;

export interface DropOptions {
  /** For a write that may still be done by the server: until then it is told again and again. */
  readonly unsettledMs?: number | undefined;
}

export class CacheDrops {
  readonly #renew: Renew;
  readonly #onFailure: OnFailure;
  /** By tag, from when on it is enough to have told it once more. */
  readonly #owed = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isAway = false;

  constructor(renew: Renew, onFailure: OnFailure) {
    this.#renew = renew;
    this.#onFailure = onFailure;
  }

  /** Whether an answer that was read from one of these may be stale without showing it. */
  isOwed(tags: readonly string[]): boolean {
    return this.#owed.size > 0 && tags.some((tag) => this.#owed.has(tag));
  }

  /** Resolves when it is told, or has to be told later; it never rejects. */
  async drop(tags: readonly string[], { unsettledMs = 0 }: DropOptions = {}): Promise<void> {
    if (unsettledMs > 0) {
      this.#owe(tags, unsettledMs);
    }
    if (this.#isAway) {
      // One write has waited in vain: the others need not, it is tried for all of them.
      this.#owe(tags, 0);
      return;
    }
    try {
      await this.#renew(tags, AbortSignal.timeout(DROP_TIMEOUT_MS));
    } catch (thrown) {
      this.#isAway = true;
      this.#owe(tags, 0);
      this.#onFailure(thrown);
    }
  }

  /** Tells what is owed once more; what fails now is forgotten with the process. */
  async stop(deadline: AbortSignal): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const tags = [...this.#owed.keys()];
    this.#owed.clear();
    if (tags.length > 0 && !deadline.aborted) {
      await this.#renew(tags, deadline).catch(() => undefined);
    }
  }

  #owe(tags: readonly string[], unsettledMs: number): void {
    const settledAtMs = performance.now() + unsettledMs;
    for (const tag of tags) {
      const known = this.#owed.get(tag);
      if (known !== undefined || this.#owed.size < OWED_MAX) {
        this.#owed.set(tag, Math.max(settledAtMs, known ?? 0));
      }
    }
    this.#schedule();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => void this.#settle(), RETRY_MS).unref();
  }

  async #settle(): Promise<void> {
    const startedAtMs = performance.now();
    let doneBeforeMs = startedAtMs;
    try {
      await this.#renew([...this.#owed.keys()], AbortSignal.timeout(DROP_TIMEOUT_MS));
      this.#isAway = false;
    } catch (thrown) {
      this.#isAway = true;
      this.#onFailure(thrown);
      // By then no answer lives any more that was read before the write.
      doneBeforeMs -= LIFETIME_MS_MAX;
    }
    for (const [tag, settledAtMs] of this.#owed) {
      if (settledAtMs <= doneBeforeMs) {
        this.#owed.delete(tag);
      }
    }
    this.#timer = undefined;
    if (this.#owed.size > 0) {
      this.#schedule();
    }
  }
}
