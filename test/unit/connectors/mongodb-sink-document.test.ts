import { describe, expect, it } from '@jest/globals';
import { Decimal128, Double } from 'mongodb';
import type { IggyHeaderValue } from '../../../src/connectors/iggy-headers.ts';
import { namedHeader } from '../../../src/connectors/iggy-headers.ts';
import {
  createDocument,
  documentId,
  encodeHeaders,
  toDate,
} from '../../../src/connectors/mongodb-sink-document.ts';
import type {
  DocumentOptions,
  SinkDocument,
} from '../../../src/connectors/mongodb-sink-document.ts';
import { polledMessage, sinkConfig } from '../../support/sink-messages.ts';

const PLACE = { stream: 'orders', topic: 'created', partitionId: 3 };
const U128_MAX = 340_282_366_920_938_463_463_374_607_431_768_211_455n;
const I64_MAX = 2n ** 63n - 1n;

function documentOf(
  message: Parameters<typeof polledMessage>[1],
  config: Readonly<Record<string, unknown>> = {},
  schema?: DocumentOptions['schema'],
): SinkDocument {
  return createDocument(polledMessage(42, message), PLACE, { config: sinkConfig(config), schema });
}

const NOTHING_INCLUDED = {
  include_metadata: false,
  include_checksum: false,
  include_origin_timestamp: false,
};

describe('createDocument', () => {
  it('given_defaults_should_make_the_document_of_the_specification', () => {
    expect(documentOf({ id: U128_MAX, payload: 'bytes' })).toEqual({
      _id: '340282366920938463463374607431768211455',
      iggy_offset: 42n,
      iggy_timestamp: new Date('2026-02-21T00:00:00.123Z'),
      iggy_stream: 'orders',
      iggy_topic: 'created',
      iggy_partition_id: 3,
      iggy_checksum: 294n,
      iggy_origin_timestamp: new Date('2026-02-21T00:00:00.118Z'),
      payload: Buffer.from('bytes'),
    });
  });

  it.each([
    [
      'include_metadata',
      ['iggy_offset', 'iggy_timestamp', 'iggy_stream', 'iggy_topic', 'iggy_partition_id'],
    ],
    ['include_checksum', ['iggy_checksum']],
    ['include_origin_timestamp', ['iggy_origin_timestamp']],
    ['include_headers', ['iggy_headers']],
  ])('given_%s_alone_should_add_its_fields_only', (field, names) => {
    const document = documentOf({}, { ...NOTHING_INCLUDED, [field]: true });
    expect(Object.keys(document)).toEqual(['_id', ...names, 'payload']);
  });

  it.each([
    [0n, { iggy_offset: 0n }],
    [I64_MAX, { iggy_offset: I64_MAX }],
    [I64_MAX + 1n, { iggy_offset_str: '9223372036854775808' }],
  ])('given_offset_%d_should_store_it_exactly', (offset, fields) => {
    const names = Object.keys(documentOf({ offset })).filter((name) => name.startsWith('iggy_off'));
    expect(names).toEqual(Object.keys(fields));
    expect(documentOf({ offset })).toMatchObject(fields);
  });

  it.each([
    [I64_MAX, I64_MAX],
    [I64_MAX + 1n, '9223372036854775808'],
    [2n ** 64n - 1n, '18446744073709551615'],
  ])('given_checksum_%d_should_store_it_exactly', (checksum, stored) => {
    expect(documentOf({ checksum })).toMatchObject({ iggy_checksum: stored });
  });

  it.each([
    ['binary', Buffer.from('{"a":1}')],
    ['string', '{"a":1}'],
    ['text', '{"a":1}'],
    ['json', { a: 1 }],
  ])('given_payload_format_%s_should_store_it_so', (format, payload) => {
    expect(documentOf({ payload: '{"a":1}' }, { payload_format: format })).toMatchObject({
      payload,
    });
  });

  it.each([
    ['string', undefined],
    ['json', undefined],
    ['binary', 'text'],
    ['binary', 'json'],
  ] as const)('given_no_utf8_with_format_%s_and_schema_%s_should_reject_it', (format, schema) => {
    const payload = Buffer.from([0xff, 0xfe]);
    expect(() => documentOf({ payload }, { payload_format: format }, schema)).toThrow('not UTF-8');
  });

  it.each([
    ['json', undefined],
    ['binary', 'json'],
    ['string', 'json'],
  ] as const)('given_no_json_with_format_%s_and_schema_%s_should_reject_it', (format, schema) => {
    const config = { payload_format: format };
    expect(() => documentOf({ payload: '{nope' }, config, schema)).toThrow('not JSON');
  });

  it('given_times_that_are_no_dates_should_store_their_digits', () => {
    const document = documentOf({ timestampUs: 2n ** 64n - 1n, originTimestampUs: 2n ** 63n });
    expect(document).toMatchObject({
      iggy_timestamp_str: '18446744073709551615',
      iggy_origin_timestamp_str: '9223372036854775808',
    });
    expect(Object.keys(document)).not.toContain('iggy_timestamp');
    expect(Object.keys(document)).not.toContain('iggy_origin_timestamp');
  });

  it('given_unread_headers_should_reject_it_only_where_headers_are_stored', () => {
    const unreadHeaders = { reason: 'its headers cannot be read', bytes: Buffer.from('x') };
    expect(() => documentOf({ unreadHeaders }, { include_headers: true })).toThrow(
      expect.objectContaining({ kind: 'invalid-record', message: unreadHeaders.reason }),
    );
    expect(Object.keys(documentOf({ unreadHeaders }))).toEqual(Object.keys(documentOf({})));
  });

  it.each([
    ['binary', Buffer.from('1e400')],
    ['string', '1e400'],
  ])(
    'given_schema_json_with_format_%s_should_take_json_that_bson_cannot_hold',
    (format, payload) => {
      const config = { payload_format: format };
      expect(documentOf({ payload: '1e400' }, config, 'json')).toMatchObject({ payload });
    },
  );

  it('given_schema_raw_should_take_any_bytes', () => {
    const payload = Buffer.from([0xff]);
    expect(documentOf({ payload }, {}, 'raw')).toMatchObject({ payload });
  });
});

describe('documentId', () => {
  it.each([
    ['message_id', '1042'],
    ['composite', 'orders:created:3:1042'],
  ] as const)('given_%s_should_be_%s', (strategy, id) => {
    expect(documentId(polledMessage(42), PLACE, strategy)).toBe(id);
  });
});

describe('toDate', () => {
  it.each([
    [0n, 0],
    [999n, 0],
    [1_771_632_000_123_999n, 1_771_632_000_123],
    [8_640_000_000_000_000_999n, 8.64e15],
  ])('given_%d_microseconds_should_be_%d_milliseconds', (timestampUs, timestampMs) => {
    expect(toDate(timestampUs)?.getTime()).toBe(timestampMs);
  });

  it('given_a_time_after_all_dates_should_be_none', () => {
    expect(toDate(2n ** 64n - 1n)).toBeUndefined();
  });
});

describe('encodeHeaders', () => {
  it.each<readonly [IggyHeaderValue, unknown]>([
    [{ kind: 'raw', value: Buffer.from('x') }, Buffer.from('x')],
    [{ kind: 'string', value: 'x' }, 'x'],
    [{ kind: 'bool', value: true }, true],
    [{ kind: 'int8', value: -1 }, -1],
    [{ kind: 'uint16', value: 65_535 }, 65_535],
    [{ kind: 'int32', value: -1 }, -1],
    [{ kind: 'uint32', value: 7 }, 7n],
    [{ kind: 'int64', value: -7n }, -7n],
    [{ kind: 'uint64', value: 2n ** 64n - 1n }, Decimal128.fromString('18446744073709551615')],
    [{ kind: 'int128', value: -7n }, '-7'],
    [{ kind: 'uint128', value: U128_MAX }, String(U128_MAX)],
    [{ kind: 'float32', value: 2 }, new Double(2)],
    [{ kind: 'float64', value: 0.5 }, new Double(0.5)],
  ])('given_%j_should_keep_its_type', (value, stored) => {
    expect(encodeHeaders([namedHeader('name', value)])).toEqual([{ key: 'name', value: stored }]);
  });

  it('given_names_of_any_kind_and_twice_should_keep_all', () => {
    const value: IggyHeaderValue = { kind: 'string', value: 'v' };
    const headers = [
      namedHeader('$a.b', value),
      namedHeader('$a.b', value),
      { key: { kind: 'int8', value: 5 }, value } as const,
    ];
    expect(encodeHeaders(headers)).toEqual([
      { key: '$a.b', value: 'v' },
      { key: '$a.b', value: 'v' },
      { key: 5, value: 'v' },
    ]);
  });
});
