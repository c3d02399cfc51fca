import { BSON, Decimal128, Double, Long, ObjectId, Timestamp } from 'mongodb';
import { parse } from 'lossless-json';
import { describe, expect, it, test } from '@jest/globals';
import { toBsonValue, toCommandDocument } from '../../../routes/command-document.ts';

function valueOf(json: string): unknown {
  return toBsonValue(parse(json), 'v');
}

describe('a value of a request as MongoDB takes it', () => {
  test.each<[string, unknown]>([
    ['7', 7],
    ['-2147483648', -2147483648],
    ['-2147483649', Long.fromNumber(-2147483649)],
    ['2147483647', 2147483647],
    ['2147483648', Long.fromNumber(2147483648)],
    ['9223372036854775807', Long.MAX_VALUE],
    ['9223372036854775808.0', new Double(2 ** 63)],
    ['1.5', new Double(1.5)],
    ['5.0', new Double(5)],
    ['1e3', new Double(1000)],
    ['-0', new Double(-0)],
    ['"7"', '7'],
    ['true', true],
    ['null', null],
    ['{"$numberLong":"7"}', Long.fromNumber(7)],
    ['{"$numberDouble":"7.0"}', new Double(7)],
    ['{"$numberDecimal":"1.10"}', Decimal128.fromString('1.10')],
    ['{"$oid":"64b1f0c2a3d4e5f601234567"}', new ObjectId('64b1f0c2a3d4e5f601234567')],
    ['{"$date":"2026-01-31T00:00:00Z"}', new Date('2026-01-31T00:00:00Z')],
    ['{"$date":{"$numberLong":"1769817600000"}}', new Date(1_769_817_600_000)],
    ['{"$date":1769817600000}', new Date(1_769_817_600_000)],
    ['{"$timestamp":{"t":4000000000,"i":1}}', new Timestamp({ t: 4_000_000_000, i: 1 })],
  ])('%s', (json, value) => {
    expect(BSON.serialize({ v: valueOf(json) })).toEqual(BSON.serialize({ v: value }));
  });

  it('is refused as an integer beyond 64 bits, which a double would change', () => {
    expect(() => valueOf('9223372036854775808')).toThrow(
      expect.objectContaining({ status: 422, message: expect.stringContaining('64 bits') }),
    );
  });

  it('is a Map for a document, so that each key is only a name', () => {
    const value = valueOf('{"__proto__":{"a":1},"constructor":2}');
    expect(value).toEqual(
      new Map<string, unknown>([
        ['__proto__', new Map([['a', 1]])],
        ['constructor', 2],
      ]),
    );
    expect({}).not.toHaveProperty('a');
  });

  test.each(['{"$oid":"x"}', '{"$numberDecimal":"x"}', '[{"$binary":{"base64":1}}]'])(
    'is refused with 422: %s',
    (json) => {
      expect(() => valueOf(json)).toThrow(
        expect.objectContaining({
          status: 422,
          fields: [{ field: 'v', message: expect.stringMatching(/^Extended JSON \$\w+ cannot/) }],
        }),
      );
    },
  );
});

describe('a command document', () => {
  it('keeps its names in their order, and names what is malformed', () => {
    const read = (json: string) =>
      toCommandDocument(parse(json) as Readonly<Record<string, unknown>>);
    expect(Object.entries(read('{"find":"c","filter":{"a":{"$gt":1}},"limit":5}'))).toEqual([
      ['find', 'c'],
      ['filter', new Map([['a', new Map([['$gt', 1]])]])],
      ['limit', 5],
    ]);
    expect(Object.keys(read('{"find":"c","__proto__":{"x":1}}'))).toEqual(['find', '__proto__']);
    expect(() => read('{}')).toThrow(
      expect.objectContaining({ status: 422, message: 'The command document is empty' }),
    );
    expect(() => read('{"find":"c","1":{}}')).toThrow(
      expect.objectContaining({
        status: 422,
        fields: [expect.objectContaining({ field: 'command.1' })],
      }),
    );
    expect(() => read('{"find":"c","filter":{"_id":{"$oid":"x"}}}')).toThrow(
      expect.objectContaining({ fields: [expect.objectContaining({ field: 'command.filter' })] }),
    );
  });
});
