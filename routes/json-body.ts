// Request bodies: JSON and nothing else, bounded in size and depth, numbers kept as written.
import type { IncomingHttpHeaders } from 'node:http';
import express from 'express';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { leaveUnread } from './connection-end.ts';
import { isContinueExpected } from './malformed-request.ts';
import { parseOrderedJson } from './ordered-json.ts';
import { RequestError } from './request-error.ts';

/** Of a body, decompressed. */
export const BODY_BYTES_MAX = 1024 * 1024;

/**
 * Arrays and objects within each other. MongoDB stores documents of 180; far deeper ones are made
 * to overflow a parser's stack.
 */
export const BODY_DEPTH_MAX = 256;

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json$/;

const readBytes: RequestHandler = express.raw({ limit: BODY_BYTES_MAX, type: () => true });

/**
 * Reads the bytes of a body, and refuses what is no JSON by its headers. Parsed it is where a
 * route asks for it.
 */
export const parseJsonBody: RequestHandler = (request, response, next) => {
  assertJsonType(request);
  if (Number(request.get('Content-Length')) > BODY_BYTES_MAX) {
    leaveUnread(request, response);
    throw tooLargeError();
  }
  if (isContinueExpected(request.get('Expect')) && request.httpVersionMinor > 0) {
    response.writeContinue();
  }
  readBounded(request, response, next);
};

/** The reader alone would read what is too large to its end before it says so. */
function readBounded(request: Request, response: Response, next: NextFunction): void {
  let bytes = 0;
  let isOver = false;
  const onChunk = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX && !isOver) {
      isOver = true;
      leaveUnread(request, response);
      next(tooLargeError());
    }
  };
  request.on('data', onChunk);
  readBytes(request, response, (error?: unknown) => {
    request.off('data', onChunk);
    if (!isOver) {
      next(error);
    }
  });
}

function tooLargeError(): RequestError {
  return new RequestError(413, 'The request is too large', {
    hint: 'A body has 1 MB at most; the rest of it was not read',
  });
}

/** A body has a length or comes in chunks; 0 is how some clients say that there is none. */
function hasBody(headers: IncomingHttpHeaders): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function assertJsonType(request: Request): void {
  if (!hasBody(request.headers)) {
    return;
  }
  const [type = '', ...parameters] = (request.get('Content-Type') ?? '').toLowerCase().split(';');
  if (!JSON_TYPE.test(type.trim())) {
    throw new RequestError(415, 'The body has to be JSON', {
      hint: 'Send Content-Type: application/json',
    });
  }
  const charset = parameters.map((one) => /^\s*charset="?([^"\s]*)"?\s*$/.exec(one)?.[1]);
  if (charset.some((name) => name !== undefined && !['utf-8', 'utf8'].includes(name))) {
    throw new RequestError(415, 'JSON is sent in UTF-8');
  }
}

/**
 * The body that parseJsonBody has read. A number is a LosslessNumber; `__proto__` is a key like
 * any other, and sets nothing; keys are in the order in which they were written.
 *
 * @throws RequestError 400 when there is none, or it is no JSON
 */
export function readJsonBody(request: Request): unknown {
  const body: unknown = request.body;
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new RequestError(400, 'The request has no body', { hint: 'Send a JSON document' });
  }
  return parseJson(decodeText(body));
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeText(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw new RequestError(400, 'The body is not UTF-8');
  }
}

function parseJson(text: string): unknown {
  assertShallow(text);
  try {
    return parseOrderedJson(text);
  } catch (error) {
    // The parser's sentence names a position and one character, or a key that is there twice.
    const reason = error instanceof SyntaxError ? error.message.slice(0, REASON_LENGTH_MAX) : '';
    throw new RequestError(400, `The body is no valid JSON: ${reason}`);
  }
}

/** A key may be as long as the body. */
const REASON_LENGTH_MAX = 200;

/** Before it is parsed, so that it never depends on how much stack there is. */
function assertShallow(text: string): void {
  let depth = 0;
  for (const [token] of text.matchAll(STRINGS_AND_BRACKETS)) {
    if (token === '{' || token === '[') {
      depth += 1;
    } else if (token === '}' || token === ']') {
      depth -= 1;
    }
    if (depth > BODY_DEPTH_MAX) {
      throw new RequestError(
        400,
        `The body is no valid JSON here: more than ${BODY_DEPTH_MAX} arrays and objects are ` +
          'within each other',
      );
    }
  }
}

/** An unterminated string runs to the end: the parser says so afterwards. */
const STRINGS_AND_BRACKETS = /"[^"\\]*(?:\\.[^"\\]*)*"?|[{}[\]]/gs;
