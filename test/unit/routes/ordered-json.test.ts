import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { isLosslessNumber, parse, stringify } from 'lossless-json';
import { parseOrderedJson } from '../../../routes/ordered-json.ts';

describe('parseOrderedJson', () => {
  test.each([
    '{"name":1,"0":-1}',
    '{"b":{"10":1,"a":[{"2":1,"1":2}]},"1":{"x":1,"0":2}}',
    '{"0":1,"1":2,"a":3}',
    '{"a":1.10,"7":12345678901234567890}',
    '[{"1":null,"0":true},"\\"1\\":"]',
    '{"__proto__":{"1":1},"0":{"constructor":1}}',
  ])('has the names of %s in their order', (text) => {
    expect(stringify(parseOrderedJson(text))).toBe(text);
  });

  it('reads names of digits that are escaped', () => {
    const value = parseOrderedJson(String.raw`{"b":1,"\u0031":2}`);
    expect(stringify(value)).toBe('{"b":1,"1":2}');
  });

  it('gives objects that are like any other', () => {
    const value = parseOrderedJson('{"b":1.50,"0":{"__proto__":2}}');
    expect(value).toBeInstanceOf(Object);
    expect(Object.keys(value as object)).toEqual(['b', '0']);
    expect(Object.entries(value as object).map(([name]) => name)).toEqual(['b', '0']);
    expect({ ...(value as object) }).toHaveProperty('b');
    const { b } = value as { b: unknown };
    expect(isLosslessNumber(b) && b.value).toBe('1.50');
    expect({}).not.toHaveProperty('2');
  });

  it('is what the parser of every other text says', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseOrderedJson(text)).toEqual(parse(text));
      }),
    );
  });

  it('keeps the order of any names', () => {
    const names = fc.uniqueArray(fc.oneof(fc.nat(20).map(String), fc.string()), { minLength: 2 });
    fc.assert(
      fc.property(names, (keys) => {
        const text = `{${keys.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`;
        expect(Object.keys(parseOrderedJson(text) as object)).toEqual(keys);
      }),
    );
  });

  test.each(['{"1":1,"1":2}', '{"1":1,"1":1}', '{"1":', '{"1":01}'])('throws at %s', (text) => {
    expect(() => parseOrderedJson(text)).toThrow(SyntaxError);
  });
});
