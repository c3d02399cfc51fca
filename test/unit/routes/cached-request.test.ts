import { describe, expect, test } from '@jest/globals';
import { CACHE_SECONDS_MAX, parseCacheControl } from '../../../routes/cached-request.ts';

describe('Cache-Control of a request', () => {
  test.each([
    ['max-age=60', { maxAgeSeconds: 60 }],
    ['MAX-AGE=60', { maxAgeSeconds: 60 }],
    ['max-age="60"', { maxAgeSeconds: 60 }],
    ['private , max-age=60 , unknown=5', { maxAgeSeconds: 60 }],
    ['max-age=60, max-age=30', { maxAgeSeconds: 30 }],
    ['max-age=86400', { maxAgeSeconds: 86_400 }],
    ['max-age=9999999999', { maxAgeSeconds: CACHE_SECONDS_MAX }],
    ['max-age=0', 'bypass'],
    ['max-age=60, max-age=0', 'bypass'],
    ['no-cache', 'bypass'],
    ['No-Store', 'bypass'],
    ['no-cache="Set-Cookie"', 'bypass'],
    ['max-age=60, no-cache', 'bypass'],
    ['no-cached', undefined],
    ['only-if-cached', undefined],
    ['', undefined],
    ['max-age', undefined],
    ['max-age=', undefined],
    ['max-age=-1', undefined],
    ['max-age=1.5', undefined],
    ['max-age=99999999999', undefined],
    ['max-age=six', undefined],
    ['s-maxage=60', undefined],
  ])('%s', (header, expected) => {
    expect(parseCacheControl(header)).toEqual(expected);
  });
});
