// Tries to log in as they are observed: each of them counted, and a storm of them in few records.
import { toAddressKey } from '../address-key.ts';
import type { LoginOutcome, Observation, Observer } from '../observation.ts';

type LoginFinished = Extract<Observation, { readonly kind: 'login-finished' }>;

/** What a try comes to that costs whoever makes it nothing. */
const FREE_OUTCOMES: ReadonlySet<LoginOutcome> = new Set(['throttled', 'unavailable']);

/** Free tries of one address at one door are told once in this time, with their number. */
const GATHER_MS = 10_000;

/** Addresses told apart at a time; those beyond them are told as one. */
const KEYS_MAX = 1000;

interface Gathered {
  readonly last: LoginFinished;
  readonly count: number;
}

export class LoginObservations {
  readonly #observer: Observer;
  /** By outcome, door and address; undefined where nothing has come since it was told last. */
  readonly #gathered = new Map<string, Gathered | undefined>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(observer: Observer) {
    this.#observer = observer;
  }

  /** The first of its kind at once; those that follow it soon together, when the time is over. */
  observe(login: LoginFinished): void {
    if (!FREE_OUTCOMES.has(login.outcome) || this.#isClosed) {
      this.#observer.observe(login);
      return;
    }
    const key = this.#keyOf(login);
    if (this.#gathered.has(key)) {
      const count = (this.#gathered.get(key)?.count ?? 0) + 1;
      this.#gathered.set(key, { last: login, count });
      return;
    }
    this.#gathered.set(key, undefined);
    this.#timer ??= setInterval(() => {
      this.#tell();
    }, GATHER_MS).unref();
    this.#observer.observe(login);
  }

  /** Tells what is left. */
  close(): void {
    this.#isClosed = true;
    this.#tell();
    this.#stopTimer();
  }

  /** Names are whatever the client says: they would make as many records as there are tries. */
  #keyOf({ outcome, door, address }: LoginFinished): string {
    const key = `${outcome} ${door} ${toAddressKey(address)}`;
    return this.#gathered.has(key) || this.#gathered.size < KEYS_MAX ? key : `${outcome} ${door}`;
  }

  #tell(): void {
    for (const [key, gathered] of [...this.#gathered]) {
      if (gathered === undefined) {
        this.#gathered.delete(key);
        continue;
      }
      this.#gathered.set(key, undefined);
      const { last, count } = gathered;
      this.#observer.observe(count === 1 ? last : { ...last, repeated: count });
    }
    if (this.#gathered.size === 0) {
      this.#stopTimer();
    }
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
