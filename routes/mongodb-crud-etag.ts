// Which state of a document a client has seen.
import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { RequestError } from './request-error.ts';

/** Hexadecimal digits of the hash: 128 bits. */
const ETAG_DIGITS = 32;

/** A list of entity tags, RFC 9110, 8.8.3. */
const ETAGS =
  /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"(?:[ \t]*,[ \t]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")*$/;

/** A strong entity tag of a document's lossless text. */
export function createEtag(text: Buffer): string {
  return `"${createHash('sha256').update(text).digest('hex').slice(0, ETAG_DIGITS)}"`;
}

/**
 * The states of which If-Match wants the document to be in one; undefined where any will do.
 *
 * @throws RequestError 400
 */
export function readIfMatch(request: Request): ReadonlySet<string> | undefined {
  const header = request.get('If-Match')?.trim();
  if (header === undefined || header === '*') {
    return undefined;
  }
  if (!ETAGS.test(header)) {
    throw new RequestError(400, 'The header If-Match cannot be read', {
      hint: 'Send the ETag of an answer as it is, with its double quotes',
    });
  }
  // A weak one never matches here; it keeps its prefix, and so is equal to none.
  return new Set(header.match(/(?:W\/)?"[^"]*"/g));
}

/** @throws RequestError 400: there is no state of many documents */
export function refuseIfMatch(request: Request): void {
  if (request.get('If-Match') !== undefined) {
    throw new RequestError(400, 'If-Match is for one document, whose id is in the path');
  }
}

export function createMismatch(): RequestError {
  return new RequestError(412, 'The document is no longer what If-Match says', {
    hint: 'Read it again, with its new ETag',
  });
}
