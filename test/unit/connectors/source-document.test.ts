import { describe, expect, it } from '@jest/globals';
import { Binary, BSON, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import { findValue, toPath } from '../../../src/connectors/source-bson.ts';
import { encodeBatches, REQUEST_BYTES_MAX } from '../../../src/connectors/iggy-batches.ts';
import { namedHeader } from '../../../src/connectors/iggy-headers.ts';
import {
  documentTimeUs,
  PayloadEncoder,
  SEND_PAYLOAD_BYTES_MAX,
  Uncarriable,
} from '../../../src/connectors/source-document.ts';
import type { PayloadOptions } from '../../../src/connectors/source-document.ts';
import type { BsonValue } from '../../../src/backends/mongodb/bson-reader.ts';
import { document, element, string } from '../../support/bson-bytes.ts';

const POLL_TIME = new Date('2026-02-21T10:00:00.000Z');

const PLAIN: PayloadOptions = {
  format: 'json',
  field: undefined,
  isSnakeCase: false,
  metadata: undefined,
};

function valueIn(value: unknown): BsonValue | undefined {
  const found = findValue(BSON.serialize({ v: value }), toPath('v'));
  return found === 'array' ? undefined : found;
}

function payload(value: object, options: Partial<PayloadOptions> = {}): string {
  const encoder = new PayloadEncoder({ ...PLAIN, ...options });
  const reading = { pollTime: POLL_TIME, tracking: valueIn(new Int32(7)) };
  return encoder.encode(BSON.serialize(value), reading).toString('utf8');
}

describe('PayloadEncoder', () => {
  it('given_format_json_should_write_every_digit', () => {
    const value = {
      a: Long.fromString('9223372036854775807'),
      d: new Double(0.1),
      e: new Double(1),
    };
    expect(payload(value)).toBe('{"a":9223372036854775807,"d":0.1,"e":1.0}');
  });

  it('given_format_string_should_write_the_same_text_as_json', () => {
    const value = { a: 'ż', at: new Date(0), id: new ObjectId('507f1f77bcf86cd799439011') };
    const text =
      '{"a":"ż","at":{"$date":"1970-01-01T00:00:00Z"},"id":{"$oid":"507f1f77bcf86cd799439011"}}';
    expect(payload(value)).toBe(text);
    expect(payload(value, { format: 'string' })).toBe(text);
  });

  it('given_format_bson_should_give_the_bytes_of_the_document', () => {
    const bson = BSON.serialize({ a: 1, b: { c: 2 } });
    const encoder = new PayloadEncoder({ ...PLAIN, format: 'bson' });
    const bytes = encoder.encode(bson, { pollTime: POLL_TIME, tracking: undefined });
    expect(Buffer.compare(bytes, bson)).toBe(0);
  });

  it.each([
    ['json', 'text', '"text"'],
    ['string', 'text', 'text'],
    ['bson', 'text', 'text'],
    ['json', '', '""'],
    ['json', 5, '5'],
    ['string', 5, '5'],
    ['json', false, 'false'],
    ['json', [1, { a: 2 }], '[1,{"a":2}]'],
    ['json', { a: 1 }, '{"a":1}'],
    ['bson', new Binary(Buffer.from('raw')), 'raw'],
    ['json', new Binary(Buffer.from('raw')), '{"$binary":{"base64":"cmF3","subType":"00"}}'],
  ] as const)('given_payload_field_in_format_%s_with_%j_should_give_it', (format, value, text) => {
    expect(payload({ x: { y: value } }, { format, field: 'x.y' })).toBe(text);
  });

  it.each([
    ['json', { x: {} }, 'no value in payload_field "x.y"'],
    ['json', { x: { y: null } }, 'no value in payload_field "x.y"'],
    ['json', { x: [{ y: 1 }] }, 'no value in payload_field "x.y"'],
    ['string', { x: { y: '' } }, '"x.y" is empty'],
    ['bson', { x: { y: new Binary() } }, '"x.y" is empty'],
    ['bson', { x: { y: 5 } }, 'payload_format bson'],
  ] as const)('given_payload_field_in_format_%s_of_%j_should_refuse', (format, value, said) => {
    expect(() => payload(value, { format, field: 'x.y' })).toThrow(Uncarriable);
    expect(() => payload(value, { format, field: 'x.y' })).toThrow(said);
  });

  it('given_snake_case_fields_enabled_should_convert_keys', () => {
    const value = {
      firstName: 'A',
      _id: 1,
      homeAddress: { zipCode: 2 },
      oldOnes: [{ zipCode: 3 }],
    };
    expect(payload(value, { isSnakeCase: true })).toBe(
      '{"first_name":"A","_id":1,"home_address":{"zip_code":2},"old_ones":[{"zip_code":3}]}',
    );
    expect(payload(value, { isSnakeCase: true, field: 'oldOnes' })).toBe('[{"zip_code":3}]');
    expect(payload(value, { isSnakeCase: true, field: 'firstName' })).toBe('"A"');
  });

  it('given_names_that_become_the_same_should_refuse', () => {
    const value = { userId: 1, user_id: 2 };
    expect(() => payload(value, { isSnakeCase: true })).toThrow(Uncarriable);
    expect(() => payload(value, { isSnakeCase: true })).toThrow('"userId" and "user_id"');
  });

  it('given_include_metadata_should_add_collection_time_and_offset', () => {
    const metadata = { collection: 'orders' };
    const added =
      '"_iggy_source_collection":"orders","_iggy_poll_timestamp":"2026-02-21T10:00:00.000Z",' +
      '"_iggy_document_offset":7';
    expect(payload({ a: 1 }, { metadata })).toBe(`{"a":1,${added}}`);
    // Names that it uses itself are replaced.
    expect(payload({ _iggy_document_offset: 'x', a: 1 }, { metadata })).toBe(`{"a":1,${added}}`);
    expect(payload({ x: { a: 1 } }, { metadata, field: 'x' })).toBe(`{"a":1,${added}}`);
    expect(payload({ x: 5 }, { metadata, field: 'x' })).toBe('5');
    const bson = Buffer.from(payload({ a: 1 }, { metadata, format: 'bson' }), 'utf8');
    expect(BSON.deserialize(bson)).toMatchObject({ a: 1, _iggy_source_collection: 'orders' });
  });

  it('given_a_document_without_an_offset_should_say_null', () => {
    const encoder = new PayloadEncoder({ ...PLAIN, metadata: { collection: 'c' } });
    const reading = { pollTime: POLL_TIME, tracking: undefined };
    const text = encoder.encode(BSON.serialize({}), reading).toString('utf8');
    expect(text).toMatch(/"_iggy_document_offset":null\}$/);
  });

  it('given_text_that_is_no_utf8_should_repair_it', () => {
    const bson = document(element(0x02, 'a', string(Buffer.from([0x61, 0xff]))));
    const encoder = new PayloadEncoder({ ...PLAIN, format: 'string', field: 'a' });
    const bytes = encoder.encode(bson, { pollTime: POLL_TIME, tracking: undefined });
    expect(bytes.toString('utf8')).toBe('a\ufffd');
  });

  it('given_the_largest_payload_should_fit_one_request_and_no_larger_one', () => {
    const largest = { x: 'x'.repeat(SEND_PAYLOAD_BYTES_MAX) };
    const options = { format: 'string', field: 'x' } as const;
    const text = payload(largest, options);
    expect(text).toHaveLength(SEND_PAYLOAD_BYTES_MAX);
    const message = {
      id: 2n ** 128n - 1n,
      payload: Buffer.from(text),
      headers: [namedHeader('gatepost_timestamp', { kind: 'uint64', value: 2n ** 64n - 1n })],
    };
    const partitioning = { kind: 'partition', partitionId: 0 } as const;
    const bytesMax = REQUEST_BYTES_MAX;
    expect([...encodeBatches([message], { partitioning, form: 'list', bytesMax })]).toHaveLength(1);
    expect(() => payload({ x: `${largest.x}x` }, options)).toThrow(Uncarriable);
  });

  it('given_several_documents_should_give_payloads_that_stay', () => {
    const encoder = new PayloadEncoder(PLAIN);
    const texts = [1, 2, 3].map((a) =>
      encoder.encode(BSON.serialize({ a }), { pollTime: POLL_TIME, tracking: undefined }),
    );
    expect(texts.map(String)).toEqual(['{"a":1}', '{"a":2}', '{"a":3}']);
  });
});

describe('documentTimeUs', () => {
  it.each([
    ['the id', '_id', new ObjectId('65a000000000000000000001'), 0x65a00000n * 1_000_000n],
    ['a late id', '_id', new ObjectId('ffffffff0000000000000001'), 0xffffffffn * 1_000_000n],
    ['another ObjectId', 'ref', new ObjectId('65a000000000000000000001'), undefined],
    ['a date', 'at', new Date(1234), 1_234_000n],
    ['the first date', 'at', new Date(0), 0n],
    ['a date before 1970', 'at', new Date(-1), undefined],
    ['the last date', 'at', new Date(8.64e15), 8_640_000_000_000_000_000n],
    ['a timestamp', 'at', new Timestamp({ t: 5, i: 6 }), 5_000_000n],
    ['a number', 'n', new Int32(5), undefined],
    ['nothing', 'n', undefined, undefined],
  ])('given_%s_should_tell_its_time', (_name, field, value, timeUs) => {
    const tracking = value === undefined ? undefined : valueIn(value);
    expect(documentTimeUs(tracking, field)).toBe(timeUs);
  });
});
