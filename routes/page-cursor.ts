// Where a page of a list ended, as text that a link can hold.
import { RequestError } from './request-error.ts';

/** A cursor holds the values of the columns in the order and of the key. */
export type CursorValues = readonly (string | null)[];

/** Values of one cursor: more columns than an order and a key have together. */
const VALUES_MAX = 1064;
/** A longer one fits in no request line that Node takes. */
const CHARS_MAX = 16 * 1024;

const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** Base64url of a JSON array. It is no secret, and whoever sends it may have changed it. */
export function encodeCursor(values: CursorValues): string {
  return Buffer.from(JSON.stringify(values), 'utf8').toString('base64url');
}

/**
 * The values of a cursor that a client sent back.
 *
 * @throws RequestError 400 for what encodeCursor cannot have made
 */
export function parseCursor(text: string): (string | null)[] {
  const values = text.length <= CHARS_MAX && BASE64URL.test(text) ? parseJson(text) : undefined;
  if (!Array.isArray(values) || values.length > VALUES_MAX || !values.every(isCursorValue)) {
    throw refuseCursor('It is no cursor');
  }
  return values;
}

/** The error for a cursor that cannot be gone on from. */
export function refuseCursor(message: string): RequestError {
  return new RequestError(400, 'The page that is asked for cannot be found', {
    hint: 'Follow the next link of the page before, or begin without after',
    fields: [{ field: 'after', message }],
  });
}

/**
 * The address of the next page: this one's, with another `after`. It is ASCII.
 *
 * @param path percent-encoded
 */
export function nextPageUrl(path: string, search: URLSearchParams, cursor: string): string {
  const query = new URLSearchParams(search);
  query.set('after', cursor);
  return `${path}?${query.toString()}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function isCursorValue(value: unknown): value is string | null {
  return value === null || (typeof value === 'string' && !value.includes('\0'));
}

/** Node takes request lines of 16 KiB, of which the rest of the address needs some. */
const CURSOR_CHARS_MAX = 8 * 1024;

/** @throws RequestError 422 for a cursor that no request can bring back */
export function assertLinkable(cursor: string): void {
  if (cursor.length > CURSOR_CHARS_MAX) {
    throw new RequestError(422, 'The place of the next page is too long for a link', {
      hint: 'Order by fields with short values, or ask for more at once',
    });
  }
}
