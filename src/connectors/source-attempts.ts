// Trying an operation of MongoDB again.
import type { ConnectorLog } from './connector.ts';
import { isTransient, shownFailure, toConnectorError } from './mongodb-failures.ts';
import { retry } from './retry.ts';

export interface AttemptOptions {
  /** After the first one. */
  readonly maxRetries: number;
  /** Before the first retry; n times as long before the nth. */
  readonly retryDelayMs: number;
  readonly log: ConnectorLog;
}

/** Of timers: Node would not wait at all for a longer time. */
const PAUSE_MS_MAX = 2 ** 31 - 1;

/** What may be repeated: the same as often as one likes. */
export class Attempts {
  readonly #options: AttemptOptions;
  #retriesCount = 0;

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  /** So many attempts were not the first. */
  get retriesCount(): number {
    return this.#retriesCount;
  }

  /**
   * Runs it until it succeeds, fails for good, or the retries are used up.
   *
   * @param name what fails, for the log: `Poll`
   * @throws ConnectorError `storage` | `connection`; the signal's reason
   */
  async run<T>(
    name: string,
    signal: AbortSignal,
    attempt: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { maxRetries, retryDelayMs, log } = this.#options;
    try {
      return await retry(async () => await attempt(signal), {
        attemptsMax: maxRetries + 1,
        signal,
        isTransient,
        pauseMs: (count) => Math.min(count * retryDelayMs, PAUSE_MS_MAX),
        onRetry: (count, error) => {
          this.#retriesCount += 1;
          log.warn(`${name} failed (attempt ${count}/${maxRetries + 1}): ${shownFailure(error)}`);
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      throw toConnectorError(error);
    }
  }
}
