// What a message is known by: the same for the same version of the same document, in every run.
import { createHash } from 'node:crypto';

const ID_BITS = 128;
const HALF_BITS = 64n;
const HALF_BYTES = ID_BITS / 16;

/** Source: draft-eastlake-fnv, the 32-bit offset basis and prime. */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Makes the ids of messages from one collection. */
export class MessageIds {
  readonly #namespace: Buffer;

  constructor(database: string, collection: string) {
    this.#namespace = Buffer.from(`${database}.${collection}\0`, 'utf8');
  }

  /**
   * 128 bits of a hash; never 0, in whose place Iggy puts a random one.
   *
   * @param id the document's `_id` in canonical Extended JSON
   * @param bson the document as it was read
   */
  of(id: Buffer, bson: Uint8Array): bigint {
    const hash = createHash('sha256').update(this.#namespace).update(id).update(bson).digest();
    const value = (hash.readBigUInt64BE(0) << HALF_BITS) | hash.readBigUInt64BE(HALF_BYTES);
    return value === 0n ? 1n : value;
  }
}

/** A hash that spreads documents over partitions: the same for every version of one. */
export function partitionHashOf(id: Buffer): number {
  let hash = FNV_BASIS;
  for (const byte of id) {
    hash = Math.imul(hash ^ byte, FNV_PRIME);
  }
  return hash >>> 0;
}

/** Tells whether a document is still the one that was read. */
export function sha256Of(bson: Uint8Array): string {
  return createHash('sha256').update(bson).digest('hex');
}
