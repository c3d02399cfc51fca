import fc from 'fast-check';
import { performance } from 'node:perf_hooks';
import { describe, expect, it, test } from '@jest/globals';
import { JsonText } from '../../../../src/backends/json-text.ts';
import { arrayEncoder } from '../../../../src/backends/postgres/json-arrays.ts';
import {
  appendJson,
  appendNumber,
  appendText,
} from '../../../../src/backends/postgres/json-values.ts';
import type { ValueEncoder } from '../../../../src/backends/postgres/json-values.ts';

function encode(element: ValueEncoder, literal: string): string {
  const text = new JsonText();
  arrayEncoder(element)(text, Buffer.from(literal));
  return text.take().toString('utf8');
}

type Nested = null | string | Nested[];

/** As PostgreSQL writes an array of text. */
function toLiteral(value: Nested): string {
  if (value === null) {
    return 'NULL';
  }
  return typeof value === 'string'
    ? `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`
    : `{${value.map(toLiteral).join(',')}}`;
}

describe('an array of PostgreSQL in JSON', () => {
  test.each([
    ['{}', '[]'],
    ['{1,-2,NULL}', '[1,-2,null]'],
    ['{{1,2},{3,4}}', '[[1,2],[3,4]]'],
    ['[0:1]={1,2}', '[1,2]'],
    ['[-1:0][2:3]={{1,2},{3,4}}', '[[1,2],[3,4]]'],
    ['{NaN,1.5}', '["NaN",1.5]'],
  ])('of numbers: %s', (literal, json) => {
    expect(encode(appendNumber, literal)).toBe(json);
  });

  test.each([
    ['{a,"b c","",NULL,"NULL",null}', '["a","b c","",null,"NULL","null"]'],
    [String.raw`{"a\"b","\\","{x,y}"}`, String.raw`["a\"b","\\","{x,y}"]`],
    ['{€,"é, ü"}', '["€","é, ü"]'],
  ])('of texts: %s', (literal, json) => {
    expect(encode(appendText, literal)).toBe(json);
  });

  it('of json has its documents', () => {
    expect(encode(appendJson, String.raw`{"{\"a\": [1, \"x\"]}",2,NULL}`)).toBe(
      '[{"a": [1, "x"]},2,null]',
    );
  });

  test.each(['', 'x', '{', '{1,2', '{1}}', '{1}x', '[0:1]', '[0:1]=1'])(
    'is text where it is none: %s',
    (literal) => {
      expect(encode(appendText, literal)).toBe(JSON.stringify(literal));
    },
  );

  it('has every text as it was', () => {
    const element: fc.Arbitrary<Nested> = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.array(fc.array(element, { minLength: 1 }), { minLength: 1 }), (value) => {
        expect(JSON.parse(encode(appendText, toLiteral(value)))).toEqual(value);
      }),
      { numRuns: 300, seed: 20_260_401 },
    );
  });

  it('of a million quoted elements is read in one pass', () => {
    const literal = `{${Array.from({ length: 1_000_000 }, () => '"a b"').join(',')}}`;
    const startedAtMs = performance.now();
    expect(encode(appendText, literal)).toHaveLength(6_000_001);
    // Looking ahead for each of them takes minutes.
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
  });
});
