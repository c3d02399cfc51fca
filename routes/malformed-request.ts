// Requests that are wrong before anybody looks at what they ask for.
import type { Request, RequestHandler } from 'express';
import { RequestError } from './request-error.ts';

/** Refuses what no route could take for what the client meant: 400, and 417. */
export const refuseMalformed: RequestHandler = (request, _response, next) => {
  assertText(request);
  assertHost(request);
  assertExpectation(request);
  next();
};

const ENCODED = /(?:%[\da-f]{2})+/gi;

/** A query string would be read all the same, with another text in the place of what is broken. */
function assertText({ originalUrl }: Request): void {
  const [path = ''] = originalUrl.split('?', 1);
  const query = originalUrl.slice(path.length);
  if (!isDecodable([path])) {
    throw new RequestError(400, 'The path has a percent sign that encodes no character');
  }
  if (!isDecodable(query.match(ENCODED) ?? [])) {
    throw new RequestError(400, 'The query string has percent signs that encode no UTF-8');
  }
}

function isDecodable(texts: readonly string[]): boolean {
  try {
    texts.forEach(decodeURIComponent);
    return true;
  } catch {
    return false;
  }
}

/** RFC 9112, 3.2: of HTTP/1.1 on, every request has it. */
function assertHost({ headers, httpVersionMinor }: Request): void {
  if (headers.host === undefined && httpVersionMinor > 0) {
    throw new RequestError(400, 'The request has no Host', { headers: { Connection: 'close' } });
  }
}

/** RFC 9110, 10.1.1: there is one expectation; whoever reads the body meets it. */
function assertExpectation({ headers: { expect } }: Request): void {
  if (expect !== undefined && !isContinueExpected(expect)) {
    throw new RequestError(417, 'The request expects what is not done here', {
      hint: 'Leave out the header Expect',
      headers: { Connection: 'close' },
    });
  }
}

/** Whether the client waits to be told to send its body. */
export function isContinueExpected(expect: string | undefined): boolean {
  return expect?.toLowerCase() === '100-continue';
}
