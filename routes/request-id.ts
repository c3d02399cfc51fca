// The first middleware: each request gets an id and a context.
import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import { clientGoneError, keepContext } from './request-context.ts';
import { onceOver } from './request-end.ts';

/** A client's own id is taken when it can stand in a log, a header and an application_name. */
export const USABLE_ID = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * Gives each request its id, in X-Request-Id of the answer too, and a context whose signal is
 * aborted when the client goes before it has its answer. Until somebody says who asks, it is
 * nobody, with the least of scopes.
 */
export const identifyRequest: RequestHandler = (request, response, next) => {
  const wanted = request.get('X-Request-Id') ?? '';
  const requestId = USABLE_ID.test(wanted) ? wanted : randomUUID();
  response.set('X-Request-Id', requestId);
  const gone = new AbortController();
  onceOver(request, response, () => {
    if (!response.writableFinished) {
      gone.abort(clientGoneError());
    }
  });
  keepContext(
    request,
    {
      requestId,
      // There is none when the connection is lost already.
      address: request.ip ?? '',
      signal: gone.signal,
      caller: 'anonymous',
      scope: 'read',
    },
    gone,
  );
  next();
};
