import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readSqlToken, readSqlTokens } from '../../../../src/backends/mongodb/sql-lexer.ts';

function tokensOf(text: string): string[] {
  return readSqlTokens(text)
    .slice(0, -1)
    .map(({ kind, value }) => `${kind}:${value}`);
}

describe('readSqlTokens', () => {
  test.each([
    ['SELECT Name', ['word:select', 'word:name']],
    ['a_1$b', ['word:a_1$b']],
    ['Größe', ['word:größe']],
    ['"Name" "a""b" ""', ['quoted:Name', 'quoted:a"b', 'quoted:']],
    ["'it''s' ''", ["string:it's", 'string:']],
    ["E'^(we\\\\.ird)$' e'a\\'b'", ['string:^(we\\.ird)$', "string:a'b"]],
    ["$$it's$$ $x$a$$b$x$", ["string:it's", 'string:a$$b']],
    ['1 2.5 .5 1e3 6.', ['number:1', 'number:2.5', 'number:.5', 'number:1e3', 'number:6.']],
    ['a.b::c', ['word:a', 'symbol:.', 'word:b', 'symbol:::', 'word:c']],
    ["a !~ '^pg_'", ['word:a', 'symbol:!~', 'string:^pg_']],
    ['a <> b', ['word:a', 'symbol:<>', 'word:b']],
    ['(pg_catalog.~)', ['symbol:(', 'word:pg_catalog', 'symbol:.', 'symbol:~', 'symbol:)']],
    ['a -- b\nc', ['word:a', 'word:c']],
    ['a /* b /* c */ d */ e', ['word:a', 'word:e']],
    ['a /* b', ['word:a']],
    ['a - 1', ['word:a', 'symbol:-', 'number:1']],
    ["'never ends", ['string:never ends']],
    ['"never ends', ['quoted:never ends']],
    ['$$never ends', ['string:never ends']],
    ["E'never ends\\", ['string:never ends\\']],
    ["'", ['string:']],
    ['😀 \u0000', ['symbol:😀', 'symbol:\u0000']],
    ['end', ['word:end']],
    ['', []],
  ])('reads %j', (text, tokens) => {
    expect(tokensOf(text)).toEqual(tokens);
  });

  test('says where a token is', () => {
    expect(readSqlToken(" 'a''b' x", 0)).toEqual({
      kind: 'string',
      value: "a'b",
      start: 1,
      end: 7,
    });
    expect(readSqlToken('a  ', 1)).toEqual({ kind: 'end', value: '', start: 3, end: 3 });
  });

  test('covers any text from left to right and ends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const tokens = readSqlTokens(text);
        let at = 0;
        for (const { kind, start, end } of tokens) {
          expect(start).toBeGreaterThanOrEqual(at);
          expect(kind === 'end' || end > start).toBe(true);
          at = end;
        }
        expect(at).toBe(text.length);
      }),
      { numRuns: 300, seed: 6 },
    );
  });
});
