// So much of something for many takers: bytes that are held, requests that run. First come, first
// served, so that one who wants much is not passed for ever by those who want little.

interface Waiter {
  readonly amount: number;
  readonly grant: (share: Share) => void;
}

/** A part of a budget, given back once. */
export interface Share {
  /** It turned out to be more or less; more than the budget makes everybody wait. */
  resize(amount: number): void;
  release(): void;
}

export class Budget {
  readonly #total: number;
  #taken = 0;
  readonly #waiting: Waiter[] = [];

  constructor(total: number) {
    this.#total = total;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Resolves when so much is free; more than there is altogether counts as all of it.
   *
   * @throws the signal's reason
   */
  async take(amount: number, signal: AbortSignal): Promise<Share> {
    signal.throwIfAborted();
    const wanted = Math.min(amount, this.#total);
    if (this.#waiting.length === 0 && this.#isFree(wanted)) {
      return this.#grant(wanted);
    }
    return await new Promise((resolve, reject) => {
      const waiter: Waiter = {
        amount: wanted,
        grant: (share) => {
          signal.removeEventListener('abort', leave);
          resolve(share);
        },
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(toError(signal.reason));
        this.#serve();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #isFree(amount: number): boolean {
    return this.#taken + amount <= this.#total;
  }

  #grant(amount: number): Share {
    let held = amount;
    this.#taken += held;
    const resize = (next: number): void => {
      this.#taken += next - held;
      held = next;
      this.#serve();
    };
    return {
      resize,
      release: () => {
        resize(0);
      },
    };
  }

  #serve(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || !this.#isFree(next.amount)) {
        return;
      }
      this.#waiting.shift();
      next.grant(this.#grant(next.amount));
    }
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('Stopped', { cause: reason });
}
