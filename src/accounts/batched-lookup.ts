// Many who ask for one row each, as one statement.
import { ServiceError, SQLSTATE } from '../errors.ts';

/** Keys of one statement; whoever comes then is told to try again. */
const KEYS_MAX = 10_000;

type Load<Value> = (keys: readonly string[]) => Promise<ReadonlyMap<string, Value | undefined>>;

interface Batch<Value> {
  readonly keys: Set<string>;
  readonly found: Promise<ReadonlyMap<string, Value | undefined>>;
}

/**
 * Asks for all keys that come while one statement is under way with the next one: however many ask,
 * there is one statement at a time, and each sees what was there when its key was asked for.
 */
export class BatchedLookup<Value> {
  readonly #load: Load<Value>;
  #next: Batch<Value> | undefined;
  #previous: Promise<unknown> = Promise.resolve();

  constructor(load: Load<Value>) {
    this.#load = load;
  }

  /** @throws what loading throws; ServiceError FATAL 53300 where too many ask at once */
  async find(key: string): Promise<Value | undefined> {
    const batch = (this.#next ??= this.#plan());
    if (batch.keys.size >= KEYS_MAX) {
      throw new ServiceError(SQLSTATE.tooManyConnections, 'Too many ask for accounts at once', {
        severity: 'FATAL',
        hint: 'Try again in a second',
      });
    }
    batch.keys.add(key);
    const found = await batch.found;
    return found.get(key);
  }

  #plan(): Batch<Value> {
    const keys = new Set<string>();
    const found = this.#previous.then(async () => {
      this.#next = undefined;
      return await this.#load([...keys]);
    });
    this.#previous = found.catch(() => undefined);
    return { keys, found };
  }
}
