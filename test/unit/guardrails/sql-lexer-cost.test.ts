import { describe, expect, it } from '@jest/globals';
import { countRescannedCharacters } from '../../../src/guardrails/sql-lexer-cost.ts';

function count(text: string): number {
  return countRescannedCharacters(Buffer.from(text));
}

describe('countRescannedCharacters', () => {
  it.each([
    ['', 0],
    ['SELECT a, b FROM t', 0],
    ['a = b', 0],
    ['a + b - c', 2],
    ['a <= b >= c <> d', 0],
    ['+', 1],
    ['++', 4],
    ['+-', 4],
    ['+-+', 9],
    ['@+', 2],
    ['/*', 2],
    ['/*/*', 8],
    ['/* a */', 2],
    ['--', 0],
    ['a --', 0],
    ['+--', 3],
    ['a -- + b', 1],
    ['+ + +', 3],
    ['é+é', 1],
  ])('of %j is %d', (text, expected) => {
    expect(count(text)).toBe(expected);
  });

  it('grows with the square of what the lexer reads again', () => {
    expect(count('/*'.repeat(1000))).toBe(2_000_000);
    expect(count('+-'.repeat(1000))).toBe(4_000_000);
    expect(count('*/*/'.repeat(1000))).toBeGreaterThan(4_000_000);
  });

  it.each([
    ['a ruled comment', `--${'-'.repeat(5000)}\nSELECT 1`],
    ['a boxed comment', `/*${'*'.repeat(5000)}*/`],
    ['a line of a comment', `/*\n *${'-'.repeat(5000)}\n */`],
    ['an underlined heading', `/* ${'='.repeat(5000)} */`],
    ['a table of a document', `'+${'-----+'.repeat(15)}'`],
    ['a thousand dates', "'2025-01-01', ".repeat(1000)],
    ['a thousand UUIDs', "'6f1c4b1e-1111-4222-8333-944445555666', ".repeat(1000)],
    ['base64', "'ab+/cd+/ef=='".repeat(1000)],
    ['a long sum', 'a + b - c * d / e '.repeat(1000)],
    ['JSON paths', "doc #>> '{a,b}' @> '{}' ".repeat(1000)],
  ])('is small for %s', (_, text) => {
    expect(count(text)).toBeLessThan(20_000);
  });
});
