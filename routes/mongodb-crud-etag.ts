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
  // A weak one never matches here; it keeps its prefix, and so is equal to none.
  return header === undefined || header === '*' ? undefined : parseTags('If-Match', header);
}

/** The states that If-None-Match excludes; `*` is any of a document that is there. */
export type UnwantedStates = ReadonlySet<string> | '*' | undefined;

/** @throws RequestError 400 */
export function readIfNoneMatch(request: Request): UnwantedStates {
  const header = request.get('If-None-Match')?.trim();
  if (header === undefined || header === '*') {
    return header;
  }
  // RFC 9110, 13.1.2: a weak tag of the same text counts here.
  const tags = parseTags('If-None-Match', header);
  return new Set([...tags].map((tag) => tag.replace(/^W\//, '')));
}

function parseTags(name: string, header: string): ReadonlySet<string> {
  if (!ETAGS.test(header)) {
    throw new RequestError(400, `The header ${name} cannot be read`, {
      hint: 'Send the ETag of an answer as it is, with its double quotes',
    });
  }
  return new Set(header.match(/(?:W\/)?"[^"]*"/g));
}

/** @throws RequestError 400: there is no state of many documents */
export function refuseConditions(request: Request): void {
  for (const name of ['If-Match', 'If-None-Match']) {
    if (request.get(name) !== undefined) {
      throw new RequestError(400, `${name} is for one document, whose id is in the path`);
    }
  }
}

/** @throws RequestError 412 where the document is in a state that is excluded */
export function assertWanted(unwanted: UnwantedStates, etag: string): void {
  if (unwanted === '*' || unwanted?.has(etag) === true) {
    throw new RequestError(412, 'The document is there in a state that If-None-Match excludes', {
      hint: 'A write changes what is there: leave If-None-Match out, or send If-Match',
    });
  }
}

export function createMismatch(): RequestError {
  return new RequestError(412, 'The document is no longer what the request says that it is', {
    hint: 'Read it again, with its new ETag',
  });
}
