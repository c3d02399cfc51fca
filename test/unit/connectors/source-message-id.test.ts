import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  MessageIds,
  partitionHashOf,
  sha256Of,
} from '../../../src/connectors/source-message-id.ts';

const ID = Buffer.from('{"$numberInt":"1"}');
const BSON_BYTES = Buffer.from([5, 0, 0, 0, 0]);

describe('MessageIds', () => {
  const ids = new MessageIds('db', 'items');

  it('given_the_same_version_should_give_the_same_id_in_every_run', () => {
    expect(ids.of(ID, BSON_BYTES)).toBe(new MessageIds('db', 'items').of(ID, BSON_BYTES));
    expect(ids.of(ID, BSON_BYTES)).toBe(211917737343314187223675575363025575571n);
  });

  it('given_another_namespace_id_or_version_should_give_another_id', () => {
    const others = [
      ids.of(ID, BSON_BYTES),
      new MessageIds('db', 'item').of(ID, BSON_BYTES),
      new MessageIds('d', 'b.items').of(ID, BSON_BYTES),
      ids.of(Buffer.from('2'), BSON_BYTES),
      ids.of(ID, Buffer.from([5, 0, 0, 0, 1])),
    ];
    expect(new Set(others).size).toBe(others.length);
  });

  it('given_any_document_should_give_128_bits_that_are_not_0', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bson) => {
        const id = ids.of(ID, bson);
        expect(id > 0n && id < 2n ** 128n).toBe(true);
      }),
    );
  });
});

describe('partitionHashOf', () => {
  // Source: draft-eastlake-fnv, test vectors of FNV-1a.
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('given_text_%s_should_give_the_hash_of_the_draft', (text, hash) => {
    expect(partitionHashOf(Buffer.from(text))).toBe(hash);
  });

  it('given_consecutive_ids_should_spread_them_over_partitions', () => {
    const counts = [0, 0, 0, 0];
    for (let id = 0; id < 4000; id += 1) {
      const partition = partitionHashOf(Buffer.from(`{"$numberInt":"${id}"}`)) % counts.length;
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(800);
  });
});

describe('sha256Of', () => {
  it('given_bytes_should_give_hexadecimal_digits', () => {
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    expect(sha256Of(Buffer.alloc(0))).toBe(empty);
  });
});
