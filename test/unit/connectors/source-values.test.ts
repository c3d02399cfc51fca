import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Binary, BSON, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import { readPath } from '../../../src/backends/mongodb/bson-reader.ts';
import {
  CanonicalWriter,
  parseExtendedJson,
  parseExtendedJsonDocument,
  readExactly,
} from '../../../src/connectors/source-values.ts';
import { bsonDocuments } from '../../support/bson-arbitrary.ts';
import { cstring, document, element, int32, string } from '../../support/bson-bytes.ts';

describe('parseExtendedJson', () => {
  it.each([
    ['1', new Int32(1)],
    ['2147483648', Long.fromString('2147483648')],
    ['1.0', new Double(1)],
    ['"a"', 'a'],
    ['null', null],
    ['true', true],
    ['[1,{"a":null}]', [new Int32(1), new Map([['a', null]])]],
    ['{"$numberLong":"1"}', Long.fromNumber(1)],
    ['{"$date":"2026-01-01T00:00:00Z"}', new Date('2026-01-01')],
    ['{"$binary":{"base64":"AQ==","subType":"00"}}', new Binary(Buffer.from([1]))],
    ['{"$timestamp":{"t":1,"i":2}}', new Timestamp({ t: 1, i: 2 })],
  ])('given_%s_should_keep_its_type', (text, value) => {
    expect(parseExtendedJson(text)).toEqual({ value });
  });

  it('given_operators_and_names_like_numbers_should_keep_them_in_order', () => {
    const parsed = parseExtendedJson('{"2":{"$gt":{"$oid":"507f1f77bcf86cd799439011"}},"1":1}');
    const inner = new Map([['$gt', new ObjectId('507f1f77bcf86cd799439011')]]);
    const expected = new Map<string, unknown>([
      ['2', inner],
      ['1', new Int32(1)],
    ]);
    expect(parsed).toEqual({ value: expected });
    expect('value' in parsed && parsed.value instanceof Map && [...parsed.value.keys()]).toEqual([
      '2',
      '1',
    ]);
  });

  it.each([
    ['{', 'no valid JSON'],
    ['{"a":1,"a":2}', 'twice'],
    ['{"$oid":"x"}', '$oid'],
    ['[1e999]', '$numberDecimal'],
    ['{"$undefined":true}', '$undefined'],
    ['{"a":{"$date":"yesterday"}}', '$date'],
  ])('given_%s_should_say_what_is_wrong', (text, said) => {
    expect(parseExtendedJson(text)).toEqual({ problem: expect.stringContaining(said) });
  });
});

describe('parseExtendedJsonDocument', () => {
  it('given_a_document_should_give_its_fields', () => {
    expect(parseExtendedJsonDocument('{"a":1}')).toEqual({ value: new Map([['a', new Int32(1)]]) });
  });

  it.each(['[]', '1', '{"$numberInt":"1"}', '{'])('given_%s_should_refuse', (text) => {
    expect(parseExtendedJsonDocument(text)).toHaveProperty('problem');
  });
});

describe('CanonicalWriter', () => {
  const writer = new CanonicalWriter();

  it('given_values_should_write_texts_that_stay', () => {
    const bson = BSON.serialize({ a: new Int32(1), b: 'x' });
    const texts = ['a', 'b'].map((name) => {
      const value = readPath(bson, [name]);
      return value === undefined ? undefined : writer.encode(value);
    });
    expect(texts.map(String)).toEqual(['{"$numberInt":"1"}', '"x"']);
  });

  it('given_any_value_should_write_what_is_read_as_it', () => {
    fc.assert(
      fc.property(bsonDocuments, (bson) => {
        const whole = { type: 3, bytes: bson, offset: 0, end: bson.length };
        const parsed = parseExtendedJsonDocument(writer.encode(whole).toString('utf8'));
        // Only code with scope has no spelling that is read again.
        if ('value' in parsed) {
          const again = BSON.serialize(parsed.value);
          const rewritten = writer.encode({ ...whole, bytes: again, end: again.length });
          expect(rewritten.toString('utf8')).toBe(writer.encode(whole).toString('utf8'));
        } else {
          expect(parsed.problem).toContain('$scope');
        }
      }),
    );
  });
});

describe('readExactly', () => {
  it('given_any_document_should_give_what_the_driver_writes_as_the_same_bytes', () => {
    fc.assert(
      fc.property(bsonDocuments, (bson) => {
        const read = readExactly(bson);
        expect(read).toBeDefined();
        expect(Buffer.compare(BSON.serialize(read ?? {}), bson)).toBe(0);
      }),
    );
  });

  it('given_names_that_objects_would_reorder_should_keep_their_order', () => {
    const inner = document(element(0x10, '2', int32(1)), element(0x10, '1', int32(2)));
    const list = document(element(0x03, '0', inner), element(0x02, '1', string('x')));
    const bson = document(element(0x03, 'inner', inner), element(0x04, 'list', list));
    expect(Buffer.compare(BSON.serialize(readExactly(bson) ?? {}), bson)).toBe(0);
  });

  it.each([
    ['undefined', document(element(0x06, 'a'))],
    ['a DBPointer', document(element(0x0c, 'a', Buffer.concat([string('x'), Buffer.alloc(12)])))],
    ['a name twice', document(element(0x0a, 'a'), element(0x0a, 'a'))],
    ['broken text', document(element(0x02, 'a', string(Buffer.from([0xff]))))],
    [
      'options out of order',
      document(element(0x0b, 'a', Buffer.concat([cstring('x'), cstring('mi')]))),
    ],
    ['a document that is cut off', Buffer.from([6, 0, 0, 0, 0])],
  ])('given_%s_should_give_nothing', (_name, bson) => {
    expect(readExactly(bson)).toBeUndefined();
  });
});
