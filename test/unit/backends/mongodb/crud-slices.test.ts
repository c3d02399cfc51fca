import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sliceElements, sliceMember } from '../../../../src/backends/mongodb/crud-slices.ts';

const RUNS = { numRuns: 300, seed: 20_260_401 };

const values = fc.jsonValue();

describe('sliceMember', () => {
  it('gives each member of any object as its own text', () => {
    fc.assert(
      fc.property(values, values, values, (k, x, d) => {
        const text = Buffer.from(JSON.stringify({ k, x, d }));
        expect(sliceMember(text, 'k')?.toString('utf8')).toBe(JSON.stringify(k));
        expect(sliceMember(text, 'x')?.toString('utf8')).toBe(JSON.stringify(x));
        expect(sliceMember(text, 'd')?.toString('utf8')).toBe(JSON.stringify(d));
      }),
      RUNS,
    );
  });

  it.each([
    ['an empty object', '{}'],
    ['one without it', '{"a":1,"b":[{"value":1}]}'],
    ['a name of which it is a part', '{"values":1,"avalue":2,"a\\"value":3}'],
    ['the name as a value', '{"a":"value","b":"\\"value\\":1"}'],
  ])('gives nothing for %s', (_case, text) => {
    expect(sliceMember(Buffer.from(text), 'value')).toBeUndefined();
  });

  it('is not misled by brackets, commas, colons and quotes within strings', () => {
    const text = '{"a,:{":"}],\\"\\\\","value":{"b":"\\\\\\"}"},"c":1}';
    expect(sliceMember(Buffer.from(text), 'value')?.toString()).toBe('{"b":"\\\\\\"}"}');
  });

  it('shares the bytes of the whole', () => {
    const text = Buffer.from('{"value":1}');
    expect(sliceMember(text, 'value')?.buffer).toBe(text.buffer);
  });

  it.each(['{', '{"', '{"value', '{"value"', '{"value":', '{"value":"a', ''])(
    'comes to an end for the broken text %j',
    (text) => {
      expect(() => sliceMember(Buffer.from(text), 'other')).not.toThrow();
    },
  );
});

describe('sliceElements', () => {
  it('gives each element of any array as its own text', () => {
    fc.assert(
      fc.property(fc.array(values), (elements) => {
        const text = Buffer.from(JSON.stringify(elements));
        const slices = sliceElements(text).map((slice) => slice.toString('utf8'));
        expect(slices).toEqual(elements.map((element) => JSON.stringify(element)));
      }),
      RUNS,
    );
  });
});
