import { STATUS_CODES } from 'node:http';
import { types } from 'node:util';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import type { Observer } from '../src/observation.ts';

/** Answers with a problem as RFC 9457 writes it: JSON for every client, never a stack or HTML. */
export function sendProblem(response: Response, status: number, detail: string): void {
  const title = STATUS_CODES[status] ?? 'Unknown status';
  response
    .status(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title, status, detail }));
}

/** Refuses a path that is not valid UTF-8 behind its percent signs; no route could match it. */
export const refuseMalformedPath: RequestHandler = (request, response, next) => {
  try {
    decodeURIComponent(request.path);
  } catch {
    sendProblem(response, 400, 'The path has a percent sign that encodes no character');
    return;
  }
  next();
};

/** The answer when no route matched. */
export const answerNotFound: RequestHandler = (_request, response) => {
  sendProblem(response, 404, 'Nothing is served at this path');
};

/**
 * The answer to whatever a route throws: a client's mistake that Express found keeps its status,
 * anything else is a fault that is observed and not shown.
 */
export function createErrorHandler(observer: Observer): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    const status = toClientStatus(error);
    if (status === undefined) {
      observer.observe({ kind: 'fault', component: 'http', error });
    }
    if (response.headersSent) {
      // A body that was begun is cut off with its connection: it cannot be taken for a whole one.
      // Express is not given the error, for it would print the stack beside the log.
      response.destroy();
      next();
      return;
    }
    sendProblem(response, status ?? 500, DETAILS.get(status) ?? DETAIL_OF_FAULT);
  };
}

const DETAIL_OF_FAULT = 'Internal error in Gatepost; its log says what happened';
const DETAILS: ReadonlyMap<number | undefined, string> = new Map([
  [400, 'The request is malformed'],
  [413, 'The request is too large'],
  [415, 'The content type is not supported'],
]);

function toClientStatus(error: unknown): number | undefined {
  const status = types.isNativeError(error) && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
