import { describe, expect, it } from '@jest/globals';
import { Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { BSON_TYPE } from '../../../src/backends/mongodb/bson-reader.ts';
import { isExtendedJson, parseOffset, showOffset } from '../../../src/connectors/source-offset.ts';

const OID = '507f1f77bcf86cd799439011';

describe('parseOffset', () => {
  const meant: readonly (readonly [string, keyof typeof BSON_TYPE | undefined, unknown])[] = [
    [OID, 'objectId', new ObjectId(OID)],
    [OID, 'string', OID],
    ['2026-02-21', 'date', new Date('2026-02-21')],
    ['2026-02-21T10:00:00+01:00', 'date', new Date('2026-02-21T09:00:00Z')],
    ['2026-02-21', 'string', '2026-02-21'],
    ['100', 'int32', new Int32(100)],
    ['100', 'int64', new Int32(100)],
    ['9007199254740993', 'int64', Long.fromString('9007199254740993')],
    ['1.5', 'double', new Double(1.5)],
    ['0.1', 'decimal128', Decimal128.fromString('0.1')],
    ['100', 'string', '100'],
    ['100', 'symbol', '100'],
    [`{"$oid":"${OID}"}`, 'string', new ObjectId(OID)],
    ['"100"', 'int32', '100'],
    [' {"$numberLong":"5"}', undefined, Long.fromNumber(5)],
  ];

  it.each(meant)('given_%s_among_values_of_type_%s_should_know_it', (text, type, value) => {
    const code = type === undefined ? undefined : BSON_TYPE[type];
    expect(parseOffset(text, code)).toEqual({ value });
  });

  it.each([
    ['abc', 'int32', 'a number'],
    ['1'.repeat(400), 'double', 'a number'],
    ['abc', 'objectId', 'an ObjectId'],
    ['2026-02-30', 'date', 'a date'],
    ['5', 'date', 'a date'],
    ['x', 'decimal128', 'a decimal number'],
    ['true', 'boolean', 'another type'],
    ['{"$oid":"x"}', 'objectId', '$oid'],
    ['{"a":', 'document', 'no valid JSON'],
  ] as const)('given_%s_among_values_of_type_%s_should_refuse', (text, type, said) => {
    expect(parseOffset(text, BSON_TYPE[type])).toEqual({ problem: expect.stringContaining(said) });
  });
});

describe('isExtendedJson', () => {
  it.each([
    ['{"$oid":"x"}', true],
    [' "x"', true],
    ['x', false],
    ['5', false],
    ['[1]', false],
  ])('given_%s_should_tell_%s', (text, is) => {
    expect(isExtendedJson(text)).toBe(is);
  });
});

describe('showOffset', () => {
  it('given_a_value_should_show_its_type', () => {
    expect(showOffset(new ObjectId(OID))).toBe(`{"$oid":"${OID}"}`);
    expect(showOffset(Long.fromNumber(5))).toBe('{"$numberLong":"5"}');
  });
});
