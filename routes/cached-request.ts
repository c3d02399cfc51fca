// What a request says of the cache.
import type { Request } from 'express';

/** The longest that an answer is kept; to ask for more is to ask for this. */
export const CACHE_SECONDS_MAX = 86_400;

/**
 * `bypass`: the answer of this moment, and not to be kept. Undefined where nothing is said: then
 * nothing is cached.
 */
export type CacheWish = 'bypass' | { readonly maxAgeSeconds: number } | undefined;

/** RFC 9111, 5.2.1: whose argument may be in quotes. */
const MAX_AGE = /^max-age\s*=\s*"?(\d{1,10})"?$/i;
const BYPASS = /^no-(?:cache|store)(?:\s*=.*)?$/i;

/** The wish of Cache-Control; what it does not know of is ignored, as RFC 9111 has it. */
export function readCacheWish(request: Request): CacheWish {
  const header = request.get('Cache-Control');
  return header === undefined ? undefined : parseCacheControl(header);
}

/** The same of the header's text. The shortest of several ages holds. */
export function parseCacheControl(header: string): CacheWish {
  const directives = header.split(',').map((directive) => directive.trim());
  const ages = directives.flatMap((directive) => {
    const seconds = MAX_AGE.exec(directive)?.[1];
    return seconds === undefined ? [] : [Number(seconds)];
  });
  if (ages.includes(0) || directives.some((directive) => BYPASS.test(directive))) {
    return 'bypass';
  }
  return ages.length === 0 ? undefined : { maxAgeSeconds: Math.min(...ages, CACHE_SECONDS_MAX) };
}
