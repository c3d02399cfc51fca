// Clients that wait for the same thing, bounded, so that no address keeps the others out.
import { toAddressKey } from '../src/address-key.ts';

/** A bounded set. Who is one too many is up to the share that each address has of it. */
export class WaitingClients<T extends { readonly address: string }> implements Iterable<T> {
  readonly #max: number;
  /** In the order of their arrival, which is counted. */
  readonly #arrivals = new Map<T, number>();
  /** By their address, or in IPv6 its network, each in the same order. */
  readonly #shares = new Map<string, Set<T>>();
  #arrived = 0;

  /** @param max how many, at least 1 */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#arrivals.size;
  }

  has(client: T): boolean {
    return this.#arrivals.has(client);
  }

  /**
   * Takes a client in. One that was there goes for it where there are too many then: the oldest
   * of the address that has most, of several such addresses the oldest of all. So whoever opens
   * many takes his own places, and leaves others theirs.
   */
  add(client: T): T | undefined {
    this.#arrived += 1;
    this.#arrivals.set(client, this.#arrived);
    const key = toAddressKey(client.address);
    const share = this.#shares.get(key) ?? new Set();
    this.#shares.set(key, share.add(client));
    const surplus = this.size > this.#max ? this.#oldestOfLargestShare() : undefined;
    if (surplus !== undefined) {
      this.delete(surplus);
    }
    return surplus;
  }

  /** @returns false when it was not there */
  delete(client: T): boolean {
    const key = toAddressKey(client.address);
    const share = this.#shares.get(key);
    share?.delete(client);
    if (share?.size === 0) {
      this.#shares.delete(key);
    }
    return this.#arrivals.delete(client);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#arrivals.keys();
  }

  #oldestOfLargestShare(): T | undefined {
    let largest = 0;
    let found: T | undefined;
    for (const share of this.#shares.values()) {
      const [oldest] = share;
      const isOlder = this.#arrivalOf(oldest) < this.#arrivalOf(found);
      if (share.size > largest || (share.size === largest && isOlder)) {
        largest = share.size;
        found = oldest;
      }
    }
    return found;
  }

  #arrivalOf(client: T | undefined): number {
    return client === undefined ? Infinity : (this.#arrivals.get(client) ?? Infinity);
  }
}
