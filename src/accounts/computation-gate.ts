// PBKDF2 runs on Node's few threads, which files and names of hosts need as well.
import { ServiceError, SQLSTATE } from '../errors.ts';

/** Computations at a time: half of the threads that Node has unless told otherwise. */
const RUNNING_MAX = 2;

/** Computations that wait; at 65 536 rounds and two at a time the last one waits some 4 s. */
const WAITING_MAX = 256;

/** Of those, the ones of one address: a storm from there leaves places for others. */
const WAITING_OF_ONE_MAX = 128;

interface Waiting {
  readonly who: string | undefined;
  readonly resume: () => void;
}

/** Lets a few computations run at a time, in the order of their coming. */
export class ComputationGate {
  readonly #waiting: Waiting[] = [];
  #running = 0;

  /**
   * @param who whose it is, where anybody may ask for as many as he likes
   * @throws ServiceError FATAL 53300 where too many wait; what the work throws
   */
  async run<T>(work: () => Promise<T>, who?: string): Promise<T> {
    await this.#enter(who);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(who: string | undefined): Promise<void> {
    if (this.#running < RUNNING_MAX) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= WAITING_MAX || this.#hasEnough(who)) {
      throw new ServiceError(SQLSTATE.tooManyConnections, 'Too many log in at once', {
        severity: 'FATAL',
        hint: 'Try again in a few seconds',
      });
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push({ who, resume: resolve });
    });
  }

  #hasEnough(who: string | undefined): boolean {
    return (
      who !== undefined &&
      this.#waiting.filter((one) => one.who === who).length >= WAITING_OF_ONE_MAX
    );
  }

  /** The place is handed on, so that nobody who comes in between takes it. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#running -= 1;
    } else {
      next.resume();
    }
  }
}
