import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseListItems } from '../../../routes/list-items.ts';

function texts(text: string): unknown {
  return parseListItems(text)?.map((item) => item.text);
}

describe('parseListItems', () => {
  it.each([
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    ['', ['']],
    ['a,', ['a', '']],
    [',', ['', '']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a\\"b"', ['a"b']],
    ['"a\\\\"', ['a\\']],
    ['a"b', ['a"b']],
    ['a\\,b', ['a\\', 'b']],
    [' a, b', [' a', ' b']],
    ['""', ['']],
    ['"line\nend"', ['line\nend']],
  ])('takes %j apart', (text, items) => {
    expect(texts(text)).toEqual(items);
  });

  it.each(['"', '"a', 'a,"b', '"a\\"', '"a","'])('refuses %j, whose quote is open', (text) => {
    expect(parseListItems(text)).toBeUndefined();
  });

  it('keeps what follows a quoted item apart, and says that it was quoted', () => {
    expect(parseListItems('"a.b".desc,c.desc')).toEqual([
      { text: 'a.b', isQuoted: true, rest: '.desc' },
      { text: 'c.desc', isQuoted: false, rest: '' },
    ]);
  });

  it('gives back any texts that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (items) => {
        const quoted = items.map((item) => `"${item.replaceAll(/["\\]/g, '\\$&')}"`);
        expect(texts(quoted.join(','))).toEqual(items);
      }),
    );
  });

  it('takes time in proportion to the text', () => {
    const startedAt = performance.now();
    parseListItems(`"${'\\'.repeat(500_000)}`);
    parseListItems('",'.repeat(200_000));
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});
