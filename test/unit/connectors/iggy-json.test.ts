import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  encodeIggyJson,
  fieldOf,
  parseIggyJson,
  toInteger,
} from '../../../src/connectors/iggy-json.ts';

describe('parseIggyJson', () => {
  it.each([
    ['a checksum of 64 bits', '{"checksum":18446744073709551615}', 2n ** 64n - 1n],
    ['an id of 128 bits', '{"id":340282366920938463463374607431768211455}', 2n ** 128n - 1n],
    ['the first integer that a number rounds', '{"id":9007199254740993}', 9007199254740993n],
    ['a timestamp of 16 digits', '{"timestamp":1795282455129059}', 1795282455129059n],
    ['a short integer', '{"offset":7}', 7n],
    ['a negative one', '{"x":-9223372036854775808}', -(2n ** 63n)],
    ['one behind white space', '{"id" : \n 18446744073709551615 }', 2n ** 64n - 1n],
  ])('keeps %s exact', (_, text, integer) => {
    const [name = ''] = /\w+/.exec(text) ?? [];
    expect(toInteger(fieldOf(parseIggyJson(text), name))).toBe(integer);
  });

  it('keeps those of a message inside lists and objects', () => {
    const text = '{"messages":[{"header":{"id":18446744073709551616,"offset":1}}]}';
    expect(parseIggyJson(text)).toEqual({
      messages: [{ header: { id: '18446744073709551616', offset: 1 } }],
    });
  });

  it.each([
    String.raw`{"name":"a\":12345678901234567890,"}`,
    '{"name":":12345678901234567890"}',
    '{"name":"x","other":":12345678901234567890,"}',
    '{"name":"12345678901234567890"}',
    String.raw`{"name":"\\","x":"id\": 12345678901234567890"}`,
    '{"x":1234567890123456.5,"y":12345678901234567e3}',
  ])('changes nothing inside strings and fractions: %s', (text) => {
    expect(parseIggyJson(text)).toEqual(JSON.parse(text));
  });

  it('changes no JSON that has no long integers', () => {
    const value = fc.jsonValue({ noUnicodeString: false });
    fc.assert(
      fc.property(value, (json) => {
        const text = JSON.stringify(json);
        fc.pre(!/[^"\d.]\d{16,}(?![\d.eE])/.test(text));
        expect(parseIggyJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('changes no string, whatever it holds', () => {
    const piece = fc.constantFrom('"', '\\', ':', ',', '1234567890123456789', 'id', ' ', '{', '}');
    const string = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.array(string), fc.dictionary(string, string), (list, map) => {
        const json = { list, map: Object.entries(map), id: 1 };
        expect(parseIggyJson(JSON.stringify(json))).toEqual(json);
      }),
    );
  });

  it('throws for what is not JSON', () => {
    expect(() => parseIggyJson('<html>')).toThrow(SyntaxError);
  });
});

describe('encodeIggyJson', () => {
  it('writes all digits of a bigint', () => {
    expect(encodeIggyJson({ offset: 2n ** 64n - 1n, name: 'a"b', count: 3 })).toBe(
      String.raw`{"offset":18446744073709551615,"name":"a\"b","count":3}`,
    );
  });
});

describe('toInteger', () => {
  it.each([['1.5'], ['abc'], [''], [1.5], [2 ** 53], [Number.NaN], [null], [undefined], [{}]])(
    'takes %p for none',
    (value) => {
      expect(toInteger(value)).toBeUndefined();
    },
  );
});

describe('fieldOf', () => {
  it.each([
    [{ a: 1 }, 1],
    [{ b: 1 }, undefined],
    [null, undefined],
    ['text', undefined],
    [Object.create({ a: 1 }), undefined],
  ])('of %p is %p', (value: unknown, field) => {
    expect(fieldOf(value, 'a')).toBe(field);
  });
});
