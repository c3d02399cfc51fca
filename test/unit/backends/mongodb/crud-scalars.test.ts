import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import {
  formatId,
  ID_TYPE_NAMES,
  parseId,
  parseLiteral,
  parseScalar,
} from '../../../../src/backends/mongodb/crud-scalars.ts';
import type { Parsed } from '../../../../src/backends/mongodb/crud-scalars.ts';
import { formatBson } from '../../../../src/backends/mongodb/crud-text.ts';

const HEX = '507f1f77bcf86cd799439011';
const UUID = '00112233-4455-6677-8899-aabbccddeeff';
const UUID_BASE64 = 'ABEiM0RVZneImaq7zN3u/w==';

/** The value in canonical Extended JSON, or the problem. */
function show(parsed: Parsed): string {
  if ('problem' in parsed) {
    return parsed.problem;
  }
  const bytes = BSON.serialize({ v: parsed.value });
  const { v }: BSON.Document = BSON.deserialize(bytes, { promoteValues: false });
  return BSON.EJSON.stringify(v, { relaxed: false });
}

describe('parseScalar', () => {
  it.each([
    ['5', '{"$numberInt":"5"}'],
    ['-5', '{"$numberInt":"-5"}'],
    ['5000000000', '{"$numberLong":"5000000000"}'],
    ['1.5', '{"$numberDouble":"1.5"}'],
    ['1e3', '{"$numberDouble":"1000.0"}'],
    ['true', 'true'],
    ['false', 'false'],
    ['null', 'null'],
    ['', '""'],
    ['ann', '"ann"'],
    ['True', '"True"'],
    ['NaN', '"NaN"'],
    ['0049', '"0049"'],
    ['+5', '"+5"'],
    [' 5', '" 5"'],
    ['5 apples', '"5 apples"'],
    ['$where', '"$where"'],
    [HEX, `"${HEX}"`],
    ['"5"', '"5"'],
    ['"a\\nb"', '"a\\nb"'],
    ['{"$numberLong":"5"}', '{"$numberLong":"5"}'],
    [`{"$oid":"${HEX}"}`, `{"$oid":"${HEX}"}`],
    ['{"a":1}', '{"a":{"$numberInt":"1"}}'],
    ['[1,"a"]', '[{"$numberInt":"1"},"a"]'],
  ])('reads %s as %s', (text, shown) => {
    expect(show(parseScalar(text))).toBe(shown);
  });

  it.each([
    ['12345678901234567890', 'No number is exactly this one'],
    ['0.10000000000000001', 'No number is exactly this one'],
    ['"open', 'It is no valid JSON'],
    ['{a:1}', 'It is no valid JSON'],
    ['[1', 'It is no valid JSON'],
    ['{"$gt":""}', 'A name cannot begin with $'],
    ['{"a":{"$ne":1}}', 'A name cannot begin with $'],
    ['[{"$where":"1"}]', 'A name cannot begin with $'],
    ['{"$oid":"x"}', 'Write it as {"$oid"'],
    ['{"$undefined":true}', 'deprecated'],
  ])('does not take %s', (text, problem) => {
    expect(show(parseScalar(text))).toContain(problem);
  });

  it('does not overflow for a literal as deep as an address is long', () => {
    expect(show(parseLiteral('['.repeat(16_000)))).toContain('It is no valid JSON');
    expect(show(parseLiteral(`${'['.repeat(150)}${']'.repeat(150)}`))).toContain('More than 100');
  });
});

describe('parseId', () => {
  it.each([
    [HEX, undefined, `{"$oid":"${HEX}"}`],
    [HEX.toUpperCase(), undefined, `{"$oid":"${HEX}"}`],
    ['123456789012345678901234', undefined, '{"$oid":"123456789012345678901234"}'],
    [`"${HEX}"`, undefined, `"${HEX}"`],
    ['5', undefined, '{"$numberInt":"5"}'],
    ['ann', undefined, '"ann"'],
    [HEX, 'objectid', `{"$oid":"${HEX}"}`],
    [HEX, 'string', `"${HEX}"`],
    ['5', 'string', '"5"'],
    ['"5"', 'string', '"\\"5\\""'],
    ['5', 'int', '{"$numberInt":"5"}'],
    ['5', 'long', '{"$numberLong":"5"}'],
    ['5', 'double', '{"$numberDouble":"5.0"}'],
    ['5', 'decimal', '{"$numberDecimal":"5"}'],
    [UUID, 'uuid', `{"$binary":{"base64":"${UUID_BASE64}","subType":"04"}}`],
    ['2030-01-31T12:00:00Z', 'date', '{"$date":{"$numberLong":"1896091200000"}}'],
    ['true', 'bool', 'true'],
  ])('reads %s of type %s as %s', (text, type, shown) => {
    expect(show(parseId(text, type))).toBe(shown);
  });

  it.each([
    ['x', 'objectid'],
    ['1.5', 'int'],
    ['2147483648', 'int'],
    ['x', 'long'],
    ['1e400', 'double'],
    ['x', 'decimal'],
    ['x', 'uuid'],
    ['2030', 'date'],
    ['yes', 'bool'],
    ['toString', 'bool'],
    ['null', 'bool'],
    ['5', 'constructor'],
  ])('does not take %s as %s', (text, type) => {
    expect(parseId(text, type)).toEqual({ problem: `It is no ${type}` });
  });

  it('has a sample of every type above', () => {
    expect(ID_TYPE_NAMES).toEqual([
      ...['objectid', 'string', 'int', 'long', 'double', 'decimal', 'uuid', 'date', 'bool'],
    ]);
  });
});

describe('formatId', () => {
  it.each([
    [HEX, HEX],
    ['ann', 'ann'],
    ['"5"', '%225%22'],
    ['5', '5'],
    ['"true"', '%22true%22'],
    ['"a/b?c#d"', 'a%2Fb%3Fc%23d'],
    ['"."', '%22.%22'],
    ['".."', '%22..%22'],
    ['""', '%22%22'],
    [`"${HEX}"`, `%22${HEX}%22`],
    ['{"$numberLong":"5"}', '%7B%22%24numberLong%22%3A%225%22%7D'],
    ['null', 'null'],
  ])('writes the id %s as %s', (text, shown) => {
    const parsed = parseId(text, undefined);
    expect('value' in parsed && formatId(parsed.value)).toBe(shown);
  });

  it('writes each id as what is read as the same id', () => {
    const documents = fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((name) => !name.startsWith('$')),
      fc.string({ unit: 'grapheme' }),
    );
    const ids = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('null', '1e5', '-', '[', '{}', '"', '\\', 'a"b', '%41', '+', ' ', '\n'),
      fc.integer().map((value) => new BSON.Int32(value)),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => BSON.Long.fromBigInt(n)),
      fc.double().map((value) => new BSON.Double(value)),
      fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new BSON.ObjectId(bytes)),
      fc.date({ noInvalidDate: true }),
      fc.boolean(),
      fc.uint8Array().map((bytes) => new BSON.Binary(bytes, 0)),
      documents.map((fields) => new Map(Object.entries(fields))),
    );
    fc.assert(
      fc.property(ids, (id) => {
        const parsed = parseId(decodeURIComponent(formatId(id)), undefined);
        expect('value' in parsed ? formatBson(parsed.value) : parsed.problem).toBe(formatBson(id));
      }),
      { numRuns: 500, seed: 20_260_401 },
    );
  });
});
