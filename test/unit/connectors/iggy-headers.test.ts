import { describe, expect, it } from '@jest/globals';
import {
  encodeHeaders,
  encodeHeaderValue,
  namedHeader,
  readHeaders,
  readHeaderValue,
} from '../../../src/connectors/iggy-headers.ts';
import type { IggyHeaderValue } from '../../../src/connectors/iggy-headers.ts';
import { EVERY_HEADER } from '../../support/iggy-headers.ts';

describe('a header value', () => {
  it.each(EVERY_HEADER)('of kind $value.kind has the bytes $hex', ({ value, hex }) => {
    expect(encodeHeaderValue(value).toString('hex')).toBe(hex);
    expect(readHeaderValue(value.kind, Buffer.from(hex, 'hex'))).toEqual(value);
  });

  it.each([
    ['bool', '02'],
    ['bool', ''],
    ['int32', '010203'],
    ['uint128', '00'],
    ['string', 'ff'],
    ['decimal', '01'],
    ['toString', '01'],
  ])('of kind %s with the odd bytes %j is kept raw', (kind, hex) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(readHeaderValue(kind, bytes)).toEqual({ kind: 'raw', value: bytes });
  });

  it.each<[IggyHeaderValue, string]>([
    [{ kind: 'int8', value: 128 }, 'A header of kind int8 cannot hold 128'],
    [{ kind: 'uint16', value: -1 }, 'A header of kind uint16 cannot hold -1'],
    [{ kind: 'uint64', value: 2n ** 64n }, 'cannot hold 18446744073709551616'],
    [{ kind: 'int128', value: 2n ** 127n }, 'A header of kind int128 cannot hold'],
    [{ kind: 'uint128', value: 2n ** 128n }, 'A header of kind uint128 cannot hold'],
    [{ kind: 'uint128', value: -1n }, 'A header of kind uint128 cannot hold -1'],
    [{ kind: 'string', value: '' }, "A header's string of 0 bytes cannot be sent"],
    [{ kind: 'string', value: 'é'.repeat(128) }, "A header's string of 256 bytes cannot be sent"],
    [{ kind: 'raw', value: Buffer.alloc(256) }, "A header's raw of 256 bytes cannot be sent"],
  ])('that Iggy would refuse is not encoded: %#', (value, message) => {
    expect(() => encodeHeaderValue(value)).toThrow(message);
  });
});

describe('readHeaders', () => {
  const expected = [
    namedHeader('k', { kind: 'uint8', value: 1 }),
    namedHeader('é', { kind: 'string', value: 'v' }),
  ];

  it.each<[string, unknown]>([
    [
      'the list of 0.7 and later',
      [
        { key: { kind: 'string', value: 'aw==' }, value: { kind: 'uint8', value: 'AQ==' } },
        { key: { kind: 'string', value: 'w6k=' }, value: { kind: 'string', value: 'dg==' } },
      ],
    ],
    ['the block of 0.8 and later', 'AgEAAABrCQEAAAABAgIAAADDqQIBAAAAdg=='],
    [
      'the map of 0.6',
      { k: { kind: 'uint8', value: 'AQ==' }, é: { kind: 'string', value: 'dg==' } },
    ],
  ])('reads %s', (_, form) => {
    expect(readHeaders(form)).toEqual(expected);
  });

  it.each([[undefined], [null], [''], [[]], [{}]])('reads none from %p', (form) => {
    expect(readHeaders(form)).toEqual([]);
  });

  it('reads every kind by its number in a block', () => {
    const block = EVERY_HEADER.map(({ hex, number }) => {
      const bytes = Buffer.from(hex, 'hex');
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return Buffer.concat([
        Buffer.from('02010000006b', 'hex'),
        Buffer.from([number]),
        length,
        bytes,
      ]);
    });
    expect(readHeaders(Buffer.concat(block).toString('base64'))).toEqual(
      EVERY_HEADER.map(({ value }) => namedHeader('k', value)),
    );
  });

  it.each<[string, unknown]>([
    ['a number', 5],
    ['a header without a value', [{ key: { kind: 'string', value: 'aw==' } }]],
    ['a value that is no text', { k: { kind: 'uint8', value: 1 } }],
    ['a block that ends in a length', Buffer.from('0201', 'hex').toString('base64')],
    ['a block that ends in a key', Buffer.from('0205000000', 'hex').toString('base64')],
    ['a block without a value', Buffer.from('02010000006b', 'hex').toString('base64')],
    ['a length beyond all', Buffer.from('02ffffffff6b', 'hex').toString('base64')],
  ])('refuses %s', (_, form) => {
    expect(() => readHeaders(form)).toThrow('its headers cannot be read');
  });
});

describe('encodeHeaders', () => {
  const headers = EVERY_HEADER.map(({ value }, index) => namedHeader(`h${index}`, value));

  it.each(['list', 'map'] as const)('as a %s is read back as it was', (form) => {
    expect(readHeaders(encodeHeaders(headers, form))).toEqual(headers);
  });

  it('keeps keys of any kind in a list', () => {
    const key = { kind: 'uint64', value: 2n ** 64n - 1n } as const;
    const odd = [{ key, value: { kind: 'bool', value: true } as const }];
    expect(readHeaders(encodeHeaders(odd, 'list'))).toEqual(odd);
  });

  it('refuses keys in a map that are no strings', () => {
    const key = { kind: 'bool', value: true } as const;
    expect(() => encodeHeaders([{ key, value: key }], 'map')).toThrow('of kind string, not bool');
  });
});
