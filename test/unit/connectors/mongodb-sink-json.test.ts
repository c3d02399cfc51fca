import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BSON, Decimal128, Long } from 'mongodb';
import { fieldOf } from '../../../src/connectors/iggy-json.ts';
import { checkPayloadJson, parsePayloadJson } from '../../../src/connectors/mongodb-sink-json.ts';

/** The value as the database would have it, as canonical Extended JSON. */
function storedAs(json: string): string {
  const bytes = BSON.serialize({ payload: parsePayloadJson(json) });
  const { payload } = BSON.deserialize(bytes, { promoteValues: false });
  return BSON.EJSON.stringify(payload, { relaxed: false });
}

/** Numbers of all types as JavaScript has them. */
function withNumbers(value: unknown): unknown {
  if (value instanceof Long || value instanceof Decimal128) {
    return Number(value.toString());
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Array.isArray(value)
    ? value.map(withNumbers)
    : Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withNumbers(field)]));
}

const U128_MAX = 2n ** 128n - 1n;

describe('parsePayloadJson', () => {
  it.each([
    ['0', '{"$numberInt":"0"}'],
    ['-0', '{"$numberDouble":"-0.0"}'],
    ['2147483647', '{"$numberInt":"2147483647"}'],
    ['-2147483648', '{"$numberInt":"-2147483648"}'],
    ['2147483648', '{"$numberLong":"2147483648"}'],
    ['-2147483649', '{"$numberLong":"-2147483649"}'],
    ['1700000000000', '{"$numberLong":"1700000000000"}'],
    ['9007199254740991', '{"$numberLong":"9007199254740991"}'],
    ['9007199254740993', '{"$numberLong":"9007199254740993"}'],
    ['9223372036854775807', '{"$numberLong":"9223372036854775807"}'],
    ['-9223372036854775808', '{"$numberLong":"-9223372036854775808"}'],
    ['9223372036854775808', '{"$numberDecimal":"9223372036854775808"}'],
    ['18446744073709551615', '{"$numberDecimal":"18446744073709551615"}'],
    [String(U128_MAX), `"${U128_MAX}"`],
    [String(-U128_MAX), `"${-U128_MAX}"`],
    ['0.1', '{"$numberDouble":"0.1"}'],
    ['0.12345678901234567', '{"$numberDouble":"0.12345678901234566"}'],
    ['12.0', '{"$numberDouble":"12.0"}'],
    ['-12.00', '{"$numberDouble":"-12.0"}'],
    ['-0.0', '{"$numberDouble":"-0.0"}'],
    ['1e3', '{"$numberDouble":"1000.0"}'],
    ['1.5E+1', '{"$numberDouble":"15.0"}'],
    ['1e10', '{"$numberDouble":"10000000000.0"}'],
    ['1e-400', '{"$numberDouble":"0.0"}'],
    ['0.99999999999999999999', '{"$numberDouble":"1.0"}'],
    ['999999999.00000000001', '{"$numberDouble":"999999999.0"}'],
    ['4503599627370496.4', '{"$numberDouble":"4503599627370496.0"}'],
    ['[1.0,1]', '[{"$numberDouble":"1.0"},{"$numberInt":"1"}]'],
    [
      '{"a":1.0,"b":12345678901}',
      '{"a":{"$numberDouble":"1.0"},"b":{"$numberLong":"12345678901"}}',
    ],
    ['1e300', '{"$numberDouble":"1e+300"}'],
    ['true', 'true'],
    ['null', 'null'],
    ['"text"', '"text"'],
    ['""', '""'],
    ['[]', '[]'],
    ['{}', '{}'],
    [' [1, 9007199254740993 ] ', '[{"$numberInt":"1"},{"$numberLong":"9007199254740993"}]'],
  ])('given_%s_should_store_it_exactly', (json, stored) => {
    expect(storedAs(json)).toBe(stored);
  });

  it.each(['1e400', '[-1E400]', `{"n":${'9'.repeat(400)}.5}`])(
    'given_%s_which_no_double_holds_should_reject_it',
    (json) => {
      expect(() => parsePayloadJson(json)).toThrow(
        expect.objectContaining({
          kind: 'invalid-record',
          message: expect.stringMatching(/beyond/),
        }),
      );
    },
  );

  it.each([
    '{"\\ud800":1,"\\ud801":2}',
    '{"v":"\\udfff"}',
    '"\\ud83d"',
    '[[{"a":"x\\uDE00\\uD83D"}]]',
    '{"n":9007199254740993,"v":"\\uDBFFx"}',
  ])('given_half_of_a_character_in_%s_should_reject_it', (json) => {
    expect(() => parsePayloadJson(json)).toThrow(
      expect.objectContaining({
        kind: 'invalid-record',
        message: expect.stringContaining('half of a character'),
      }),
    );
  });

  it('given_escaped_whole_characters_should_take_them', () => {
    const json = '{"\\ud83d\\ude00":"\\uD83D\\uDE00","path":"\\\\ud800"}';
    expect(parsePayloadJson(json)).toEqual({ '😀': '😀', path: '\\ud800' });
  });

  it('given_digits_in_a_text_should_leave_it', () => {
    const value = {
      card: '4111111111111111, 9007199254740993',
      id: 'x:12345678901234567890',
      version: 'from 1.0, 1e3 and 1e400 on',
    };
    expect(parsePayloadJson(JSON.stringify(value))).toEqual(value);
  });

  it.each(['{"a":1,"a":2}', '{"a":1,"a":9007199254740993}', '{"b":9007199254740993,"a":1,"a":2}'])(
    'given_a_name_twice_in_%s_should_take_the_last_value',
    (json) => {
      expect(parsePayloadJson(json)).toMatchObject({
        a: json.includes('"a":9') ? 9007199254740993n : 2,
      });
    },
  );

  it.each(['', ',"n":9007199254740993', ',"n":12345678901'])(
    'given___proto___with_%s_should_be_a_name_like_others',
    (others) => {
      const json = `{"__proto__":{"polluted":12345678901}${others}}`;
      const value = parsePayloadJson(json);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(fieldOf(value, '__proto__')).toBeDefined();
      expect(storedAs(json)).toContain('"__proto__":{"polluted":{"$numberLong":"12345678901"}}');
      expect(Reflect.get({}, 'polluted')).toBeUndefined();
    },
  );

  it.each([
    '{"_bsontype":"ObjectId","id":"x"}',
    '{"_bsontype":5}',
    '{"\\u005fbsontype":"Long","low":1}',
    '{"a":[{"_bsontype":"Binary"}],"n":9007199254740993}',
  ])('given_%s_should_store_a_document_and_no_type_of_the_producers_choice', (json) => {
    const bytes = Buffer.from(BSON.serialize({ payload: parsePayloadJson(json) }));
    expect(bytes.includes('_bsontype')).toBe(true);
  });

  it('given_operators_and_dots_should_keep_the_names', () => {
    const value = { $set: { 'a.b': 1 }, '': 2, $ref: 'x' };
    expect(parsePayloadJson(JSON.stringify(value))).toEqual(value);
  });

  it.each([
    '',
    '{',
    'nope',
    '{"password":"hunter2"',
    '{"a":01}',
    '[1,]',
    '\uFEFF{}',
    '{"password":"hunter2","n":9007199254740993,}',
  ])('given_%j_should_reject_it_without_a_part_of_it', (json) => {
    expect(() => parsePayloadJson(json)).toThrow(
      expect.objectContaining({ kind: 'invalid-record' }),
    );
    expect(() => parsePayloadJson(json)).not.toThrow(/hunter2|nope/);
    expect(() => parsePayloadJson(json)).toThrow('not JSON');
  });

  it.each([
    ['12345678901', '[', ']'],
    ['9007199254740993', '[', ']'],
    ['9007199254740993', '{"a":', '}'],
  ])('given_%s_nested_too_deep_should_reject_it', (value, open, close) => {
    const json = `${open.repeat(100_000)}${value}${close.repeat(100_000)}`;
    expect(() => parsePayloadJson(json)).toThrow('nested');
  });

  it('given_any_json_should_store_what_it_says', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const bytes = BSON.serialize({ payload: parsePayloadJson(JSON.stringify(value)) });
        const { payload } = BSON.deserialize(bytes);
        expect(JSON.stringify(withNumbers(payload))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('given_any_integer_should_lose_no_digit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 45n), max: 10n ** 45n }), (integer) => {
        const value = parsePayloadJson(`[${integer}]`);
        const [stored] = Array.isArray(value) ? Array.from<unknown>(value) : [];
        const text = stored instanceof Decimal128 ? stored.toString() : String(stored);
        // Exponents are how a Decimal128 says many zeros.
        expect(BigInt(text)).toBe(integer);
      }),
    );
  });
});

describe('checkPayloadJson', () => {
  it.each(['1e400', '"\\ud800"', `${'['.repeat(1000)}${']'.repeat(1000)}`])(
    'given_json_that_bson_cannot_hold_should_take_it (%#)',
    (json) => {
      expect(() => checkPayloadJson(json)).not.toThrow();
    },
  );

  it.each(['', '{"password":"hunter2"'])('given_%j_should_reject_it', (json) => {
    expect(() => checkPayloadJson(json)).toThrow(
      expect.objectContaining({
        kind: 'invalid-record',
        message: expect.stringMatching(/^its payload is not JSON( \(at character \d+\))?$/),
      }),
    );
  });
});
