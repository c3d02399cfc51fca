import { describe, expect, it } from '@jest/globals';
import { BSON, Decimal128, Double, Int32, Long } from 'mongodb';
import type { BsonValue } from '../../../src/backends/mongodb/bson-reader.ts';
import { findValue, toPath } from '../../../src/connectors/source-bson.ts';
import { bytesOf, isSamePlace, isSameValue } from '../../../src/connectors/source-places.ts';

/** Undefined is a field that is missing. */
function valueOf(value: unknown): BsonValue | undefined {
  const found = findValue(BSON.serialize({ v: value }), toPath('v'));
  return found === 'array' ? undefined : found;
}

const OLD = Long.fromString('9007199254740993');

describe('isSamePlace', () => {
  it.each([
    ['equal_texts', 'a', 'a', true],
    ['other_texts', 'a', 'A', false],
    ['equal_documents', { a: 1 }, { a: 1 }, true],
    ['documents_of_another_order', { a: 1, b: 2 }, { b: 2, a: 1 }, false],
    ['missing_fields', undefined, undefined, true],
    ['a_missing_field_and_null', undefined, null, true],
    ['null_and_a_missing_field', null, undefined, true],
    ['a_missing_field_and_a_value', undefined, 0, false],
    ['an_int_and_an_equal_long', new Int32(7), Long.fromNumber(7), true],
    ['an_int_and_an_equal_double', new Int32(7), new Double(7), true],
    ['a_double_and_an_equal_decimal', new Double(7), Decimal128.fromString('7.00'), true],
    ['zeros_of_both_signs', new Double(0), new Double(-0), true],
    ['numbers_that_are_none', new Double(NaN), Decimal128.fromString('NaN'), true],
    ['an_int_and_another_double', new Int32(7), new Double(7.5), false],
    ['near_longs', OLD, Long.fromString('9007199254740992'), false],
    ['a_number_and_a_text', new Int32(7), '7', false],
  ])('given_%s_should_tell', (_name, one, other, is) => {
    expect(isSamePlace(valueOf(one), valueOf(other))).toBe(is);
  });
});

describe('isSameValue', () => {
  it('given_equal_numbers_of_other_types_should_tell_them_apart', () => {
    const [int, double] = [valueOf(new Int32(7)), valueOf(new Double(7))];
    expect(int !== undefined && isSameValue(int, int)).toBe(true);
    expect(int !== undefined && double !== undefined && isSameValue(int, double)).toBe(false);
  });
});

describe('bytesOf', () => {
  it('given_a_value_should_give_its_bytes_only', () => {
    const value = valueOf(new Int32(7));
    expect(value === undefined ? undefined : [...bytesOf(value)]).toEqual([7, 0, 0, 0]);
  });
});
