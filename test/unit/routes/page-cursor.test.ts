import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  encodeCursor,
  nextPageUrl,
  parseCursor,
  refuseCursor,
} from '../../../routes/page-cursor.ts';
import { RequestError } from '../../../routes/request-error.ts';

const encode = (value: unknown): string =>
  Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');

describe('a cursor', () => {
  it('gives back the values that it was made of, in characters of a URL', () => {
    const value = fc.option(fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')));
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const cursor = encodeCursor(values);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(parseCursor(cursor)).toEqual(values);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['other characters', 'a b'],
    ['base64 with padding', 'WyJhIl0='],
    ['no JSON', 'abcd'],
    ['an object', encode({ 0: 'a', length: 1 })],
    ['null', encode(null)],
    ['numbers', encode([1])],
    ['objects', encode([{ $gt: '' }])],
    ['NUL', encode(['a\0'])],
    ['too many values', encode(Array.from({ length: 1065 }, () => null))],
    ['too long a value', encode(['x'.repeat(16 * 1024)])],
  ])('is not taken with %s', (_what, text) => {
    expect(() => parseCursor(text)).toThrow(RequestError);
  });

  it('that is refused names its parameter', () => {
    expect(refuseCursor('It is old')).toMatchObject({
      status: 400,
      fields: [{ field: 'after', message: 'It is old' }],
    });
  });
});

describe('nextPageUrl', () => {
  it('keeps the other parameters and replaces the cursor', () => {
    const search = new URLSearchParams('a=gt.1&a=lt.ü&after=old&select=b');
    const url = nextPageUrl('/api/postgres/s/t', search, 'new');
    expect(url).toBe('/api/postgres/s/t?a=gt.1&a=lt.%C3%BC&after=new&select=b');
    expect(search.get('after')).toBe('old');
  });

  it('stays on one line of a header whatever was asked', () => {
    const search = new URLSearchParams([['a\r\n>;', 'eq."\r\nSet-Cookie: x']]);
    expect(nextPageUrl('/t', search, 'c')).toMatch(/^[\x21-\x7e]+$/);
    expect(nextPageUrl('/t', search, 'c')).not.toMatch(/[<>"\s]/);
  });
});
