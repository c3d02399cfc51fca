import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import { parseJson } from '../../../../src/backends/mongodb/crud-json.ts';
import { formatDocument } from '../../../../src/backends/mongodb/crud-text.ts';
import { readBson, readBsonDocument } from '../../../../src/backends/mongodb/crud-values.ts';
import type { ValueProblem } from '../../../../src/backends/mongodb/crud-values.ts';
import { ExtendedJsonWriter } from '../../../../src/backends/mongodb/extended-json.ts';
import { bsonDocuments } from '../../../support/bson-arbitrary.ts';

const RUNS = { numRuns: 300, seed: 20_260_401 };

interface Read {
  readonly value: unknown;
  readonly problems: readonly ValueProblem[];
}

function read(text: string, { isStored = false } = {}): Read {
  const problems: ValueProblem[] = [];
  const json = parseJson(text);
  if (json === undefined) {
    throw new Error(`The test has no valid JSON: ${text}`);
  }
  return { value: readBson(json, 'v', { problems, isStored }), problems };
}

function problemsOf(text: string): string[] {
  const problems: ValueProblem[] = [];
  readBsonDocument(parseJson(text), '', { problems, isStored: false });
  return problems.map(({ field, message }) => `${field}: ${message}`);
}

describe('readBson', () => {
  it.each<[string, unknown]>([
    ['"text"', 'text'],
    ['true', true],
    ['null', null],
    ['5', new Int32(5)],
    ['5000000000', Long.fromNumber(5_000_000_000)],
    ['1.5', new Double(1.5)],
    ['{"$oid":"507f1f77bcf86cd799439011"}', new ObjectId('507f1f77bcf86cd799439011')],
    ['{"$date":"2030-01-31T12:00:00Z"}', new Date('2030-01-31T12:00:00Z')],
    ['{"$date":"2030-01-31T12:00:00.123+02:00"}', new Date('2030-01-31T10:00:00.123Z')],
    ['{"$date":{"$numberLong":"-1"}}', new Date(-1)],
    ['{"$numberInt":"-7"}', new Int32(-7)],
    ['{"$numberLong":"5"}', Long.fromNumber(5)],
    ['{"$numberDouble":"1.0"}', new Double(1)],
    ['{"$numberDouble":"NaN"}', new Double(NaN)],
    ['{"$numberDouble":"-Infinity"}', new Double(-Infinity)],
    ['{"$numberDecimal":"1.10"}', Decimal128.fromString('1.10')],
    ['{"$binary":{"base64":"AQID","subType":"00"}}', new Binary(Buffer.from([1, 2, 3]), 0)],
    ['{"$binary":{"base64":"","subType":"5"}}', new Binary(Buffer.alloc(0), 5)],
    [
      '{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"}',
      new Binary(Buffer.from('00112233445566778899aabbccddeeff', 'hex'), 4),
    ],
    ['{"$timestamp":{"t":4294967295,"i":2}}', new Timestamp({ t: 4294967295, i: 2 })],
    ['{"$regularExpression":{"pattern":"^a","options":"im"}}', new BSONRegExp('^a', 'im')],
    ['{"$symbol":"s"}', new BSONSymbol('s')],
    ['{"$code":"return 1"}', new Code('return 1')],
    ['{"$minKey":1}', new MinKey()],
    ['{"$maxKey":1}', new MaxKey()],
  ])('reads %s', (text, value) => {
    const { value: found, problems } = read(text);
    expect(problems).toEqual([]);
    expect(BSON.EJSON.stringify({ found }, { relaxed: false })).toBe(
      BSON.EJSON.stringify({ found: value }, { relaxed: false }),
    );
  });

  it.each([
    '{"$oid":"507f1f77bcf86cd79943901"}',
    '{"$oid":"zzzzzzzzzzzzzzzzzzzzzzzz"}',
    '{"$oid":5}',
    '{"$oid":"507f1f77bcf86cd799439011","a":1}',
    '{"$date":"2030"}',
    '{"$date":"2030-02-30T00:00:00Z"}',
    '{"$date":"2030-13-01T00:00:00Z"}',
    '{"$date":"2030-01-01T25:00:00Z"}',
    '{"$date":"yesterday"}',
    '{"$date":5}',
    '{"$date":{"$numberLong":"9223372036854775807"}}',
    '{"$date":{"$numberLong":"1","a":1}}',
    '{"$numberInt":"2147483648"}',
    '{"$numberInt":5}',
    '{"$numberLong":"9223372036854775808"}',
    '{"$numberLong":"1.5"}',
    '{"$numberLong":""}',
    '{"$numberDouble":"1e400"}',
    '{"$numberDouble":"one"}',
    '{"$numberDouble":""}',
    '{"$numberDecimal":"one"}',
    '{"$numberDecimal":"1.00000000000000000000000000000000001"}',
    '{"$numberDecimal":1}',
    '{"$binary":{"base64":"AQI","subType":"00"}}',
    '{"$binary":{"base64":"AQID","subType":"xyz"}}',
    '{"$binary":{"base64":"AQID"}}',
    '{"$binary":"AQID"}',
    '{"$binary":{"base64":"AwE=","subType":"09"}}',
    '{"$uuid":"00112233445566778899aabbccddeeff"}',
    '{"$timestamp":{"t":4294967296,"i":2}}',
    '{"$timestamp":{"t":-1,"i":2}}',
    '{"$timestamp":{"t":"1","i":2}}',
    '{"$regularExpression":{"pattern":"a","options":"g"}}',
    '{"$regularExpression":{"pattern":"a\\u0000","options":""}}',
    '{"$regularExpression":"a"}',
    '{"$symbol":5}',
    '{"$code":{}}',
    '{"$minKey":2}',
    '{"$maxKey":true}',
  ])('says how %s is written', (text) => {
    const [, name = ''] = /^\{"([^"]+)"/.exec(text) ?? [];
    const { problems } = read(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.field).toBe('v');
    expect(problems[0]?.message).toContain(`Write it as {"${name}": `);
  });

  it.each([
    '{"$undefined":true}',
    '{"$dbPointer":{"$ref":"a","$id":{"$oid":"507f1f77bcf86cd799439011"}}}',
    '{"$code":"return a","$scope":{"a":1}}',
  ])('refuses the deprecated %s, for which there is no class', (text) => {
    expect(read(text).problems[0]?.message).toContain('deprecated');
    expect(read(text, { isStored: true }).problems).toHaveLength(1);
  });

  it('lets a DBRef be, which is a convention and no type', () => {
    const { value, problems } = read('{"$ref":"people","$id":{"$oid":"507f1f77bcf86cd799439011"}}');
    expect(problems).toEqual([]);
    expect(value instanceof Map ? [...value.keys()] : value).toEqual(['$ref', '$id']);
  });
});

describe('readBsonDocument', () => {
  it('keeps names as they are and in their order', () => {
    const text =
      '{"b":1,"10":2,"2":{"__proto__":{"admin":true},"constructor":1},"_bsontype":"Long"}';
    const document = readBsonDocument(parseJson(text), '', { problems: [], isStored: false });
    expect(formatDocument(document).toString('utf8')).toBe(text);
    expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false);
  });

  it.each([
    ['{"$set":{"a":1}}', '$set'],
    ['{"a":{"$gt":""}}', 'a.$gt'],
    ['{"a":[{"b":{"$where":"1"}}]}', 'a[0].b.$where'],
    ['{"a":{"b":1,"$oid":"507f1f77bcf86cd799439011"}}', 'a.$oid'],
    ['{"$ref":"people","$id":1}', '$ref'],
    ['{"a":{"$ref":5,"$id":1}}', 'a.$ref'],
    ['{"a":{"$id":1}}', 'a.$id'],
    ['{"\\u0024where":"1"}', '$where'],
    ['{"a":{"$":1}}', 'a.$'],
  ])('takes no operator: %s', (text, field) => {
    expect(problemsOf(text).join('\n')).toContain(`${field}: A name cannot begin with $`);
  });

  it.each([
    ['[]', ': A document is expected'],
    ['5', ': A document is expected'],
    ['"text"', ': A document is expected'],
    ['null', ': A document is expected'],
    ['{"a\\u0000b":1}', 'A name cannot hold the character NUL'],
    ['{"a":"\\ud800"}', 'a: The text has half of a surrogate pair'],
    ['{"\\udc00":1}', 'The text has half of a surrogate pair'],
    ['{"a":{"b":[0.1,0.10000000000000001]}}', 'a.b[1]: The number fits neither 64 bits nor'],
    ['{"a":12345678901234567890}', '$numberDecimal'],
  ])('says what is wrong with %s', (text, said) => {
    expect(problemsOf(text).join('\n')).toContain(said);
  });

  it('tells of every problem, up to a hundred', () => {
    expect(problemsOf('{"$a":1,"b":1e400,"c":{"$d":{"$e":1}}}')).toHaveLength(4);
    const many = Array.from({ length: 500 }, (_, index) => `"$${index}":1`);
    expect(problemsOf(`{${many.join()}}`)).toHaveLength(100);
  });

  it('shows no more than the beginning of a long name', () => {
    expect(problemsOf(`{"$${'a'.repeat(10_000)}":1}`)[0]?.length).toBeLessThan(400);
  });

  it.each([
    ['documents', '{"a":', '}'],
    ['arrays', '[', ']'],
  ])('takes a hundred %s within each other and no more', (_case, open, close) => {
    const nested = (depth: number): string =>
      `{"a":${open.repeat(depth - 1)}${close === '}' ? '1' : ''}${close.repeat(depth - 1)}}`;
    expect(problemsOf(nested(100))).toEqual([]);
    expect(problemsOf(nested(101)).join()).toContain('More than 100 documents and arrays');
  });

  it('reads back every stored document from its lossless text', () => {
    fc.assert(
      fc.property(bsonDocuments, (document) => {
        const writer = new ExtendedJsonWriter('lossless');
        writer.appendDocument(document);
        const text = writer.take();
        const problems: ValueProblem[] = [];
        const json = parseJson(text.toString('utf8'));
        const found = readBsonDocument(json, '', { problems, isStored: true });
        // Without a class for it, a value is told about and not changed.
        if (problems.length === 0) {
          expect(formatDocument(found).toString('utf8')).toBe(text.toString('utf8'));
        } else {
          expect(text.toString('utf8')).toMatch(/\$scope|\$dbPointer|\$undefined/);
        }
      }),
      RUNS,
    );
  });

  it('lets the names of stored documents be', () => {
    const problems: ValueProblem[] = [];
    const text = '{"_id":1,"$price":5,"a":{"$set":{"b":1}}}';
    const found = readBsonDocument(parseJson(text), '', { problems, isStored: true });
    expect(problems).toEqual([]);
    expect(formatDocument(found).toString('utf8')).toBe(text);
  });
});
