import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LosslessNumber } from 'lossless-json';
import { isJsonNumber, parseJson } from '../../../../src/backends/mongodb/crud-json.ts';

const RUNS = { numRuns: 300, seed: 20_260_401 };

/** What JSON.parse makes of the same text, where no name is special to objects. */
function toPlain(json: unknown): unknown {
  if (json instanceof LosslessNumber) {
    return Number(json.value);
  }
  if (Array.isArray(json)) {
    return json.map(toPlain);
  }
  return json instanceof Map
    ? Object.fromEntries([...json].map(([name, value]) => [String(name), toPlain(value)]))
    : json;
}

describe('parseJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const value: unknown = JSON.parse(text);
        const spaced = JSON.stringify(value, undefined, indent);
        expect(toPlain(parseJson(spaced))).toEqual(JSON.parse(spaced));
      }),
      RUNS,
    );
  });

  it('takes a text exactly where JSON.parse takes it', () => {
    const characters = fc.constantFrom(...Array.from('{}[]",:\\ \n\t\u0000eE+-.019ntrufalse'));
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
        expect(parseJson(text) === undefined).toBe(!isParsed(text));
      }),
      { ...RUNS, numRuns: 3000 },
    );
  });

  it('keeps names in the order in which they are written, numbers among them', () => {
    const json = parseJson('{"b":1,"10":2,"a":3,"2":4,"__proto__":5,"constructor":6}');
    expect(json instanceof Map ? [...json.keys()] : json).toEqual([
      ...['b', '10', 'a', '2', '__proto__', 'constructor'],
    ]);
  });

  it('keeps numbers as they are written', () => {
    const texts = ['1', '-0', '1.0', '1e400', '12345678901234567890', '0.10000000000000000001'];
    expect(parseJson(`[${texts.join()}]`)).toEqual(texts.map((text) => new LosslessNumber(text)));
  });

  it.each(['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '[{"a":{"b":1,"b":2}}]'])(
    'does not take a name twice: %s',
    (text) => {
      expect(parseJson(text)).toBeUndefined();
    },
  );

  it.each(['01', '1.', '.5', '+1', '1e', 'NaN', 'Infinity', '0x10', "'a'", '', ' ', '[1,]'])(
    'does not take %j',
    (text) => {
      expect(parseJson(text)).toBeUndefined();
    },
  );

  it.each([
    ['a quote behind a backslash', '"a\\"b"', 'a"b'],
    ['a backslash before the closing quote', '"a\\\\"', 'a\\'],
    ['three backslashes', '"\\\\\\""', '\\"'],
    ['brackets in a string', '"{[]},:"', '{[]},:'],
    ['an escape', '"\\u00e9\\n"', 'é\n'],
    ['an empty string', '""', ''],
  ])('reads %s', (_case, text, value) => {
    expect(parseJson(text)).toBe(value);
  });

  it.each(['"a\\"', '"a', '"\\x"', '"a\nb"', '"\\u12"'])('does not take the string %j', (text) => {
    expect(parseJson(text)).toBeUndefined();
  });

  it('reads 256 levels, and does not take deeper texts however deep', () => {
    const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(parseJson(nested(256))).toBeDefined();
    expect(parseJson(nested(257))).toBeUndefined();
    expect(parseJson(nested(200_000))).toBeUndefined();
    expect(parseJson('{"a":'.repeat(200_000))).toBeUndefined();
  });

  it('takes no more than linear time for backslashes without an end', () => {
    const text = `"${'\\'.repeat(500_001)}`;
    const startedAtMs = performance.now();
    expect(parseJson(text)).toBeUndefined();
    expect(parseJson(`"${'\\"'.repeat(200_000)}"`)).toBe('"'.repeat(200_000));
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
  });
});

function isParsed(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    // A name that is there twice is lost in an object.
    const keys = text.match(/"[^"\\]*"\s*:/g) ?? [];
    return value !== undefined && new Set(keys).size === keys.length;
  } catch {
    return false;
  }
}

describe('isJsonNumber', () => {
  it.each(['0', '-1', '10', '1.5', '1e5', '1E-5', '-0.0'])('holds for %s', (text) => {
    expect(isJsonNumber(text)).toBe(true);
  });

  it.each(['', '-', '01', '1.', '.1', '1e', ' 1', '1 ', '1\n', '0x1', '１', 'NaN'])(
    'does not hold for %j',
    (text) => {
      expect(isJsonNumber(text)).toBe(false);
    },
  );
});
