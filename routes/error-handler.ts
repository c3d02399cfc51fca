import { types } from 'node:util';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { ServiceError, SQLSTATE } from '../src/errors.ts';
import { httpStatusOf, retryAfterSeconds } from '../src/http-status.ts';
import type { Observer } from '../src/observation.ts';
import { cutAnswer } from './connection-end.ts';
import { membersOf, sendProblem } from './problem.ts';
import { RequestError } from './request-error.ts';
import { StatementProblem } from './statement-problem.ts';
import type { StatementProblemOptions } from './statement-problem.ts';

/** The answer when no route matched. */
export const answerNotFound: RequestHandler = (_request, response) => {
  sendProblem(response, 404, 'Nothing is served at this path');
};

/**
 * The answer to whatever a route throws: what is wrong with a request or a statement is told with
 * its own status; a client's mistake that Express found keeps its status; anything else is a fault
 * that is observed and not shown.
 */
export function createErrorHandler(observer: Observer): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    const answer = answerTo(error);
    if (answer === undefined) {
      observer.observe({ kind: 'fault', component: 'http', error, ...idOf(response) });
    }
    if (response.headersSent) {
      // A body that was begun is cut off with its connection: it cannot be taken for a whole one.
      // Express is not given the error, for it would print the stack beside the log.
      cutAnswer(response);
      next();
      return;
    }
    if (answer === undefined) {
      sendProblem(response, 500, DETAIL_OF_FAULT, { sqlState: SQLSTATE.internalError });
      return;
    }
    answer(response);
  };
}

/** For the log: the answer names it, too. */
function idOf(response: Response): { readonly sessionId?: string } {
  const sessionId = response.get('X-Request-Id');
  return sessionId === undefined ? {} : { sessionId };
}

const DETAIL_OF_FAULT = 'Internal error in Gatepost; its log says what happened';

/** Of Express and its body readers, whose own words may hold what the client sent. */
const DETAILS: ReadonlyMap<number, string> = new Map([
  [413, 'The request is too large'],
  [415, 'The content type, charset or content encoding is not supported'],
]);
const DETAIL_OF_OTHER_MISTAKE = 'The request is malformed';

/** How an error is told to the client; undefined for a fault. */
function answerTo(error: unknown): ((response: Response) => void) | undefined {
  if (error instanceof RequestError) {
    return (response) => sendRequestError(response, error);
  }
  if (error instanceof ServiceError) {
    return (response) => sendServiceError(response, error);
  }
  if (error instanceof StatementProblem) {
    return (response) => sendServiceError(response, error.error, error);
  }
  const status = clientStatusOf(error);
  return status === undefined
    ? undefined
    : (response) => sendProblem(response, status, DETAILS.get(status) ?? DETAIL_OF_OTHER_MISTAKE);
}

function sendRequestError(response: Response, error: RequestError): void {
  const { status, message, hint, fields, headers } = error;
  response.set(headers);
  sendProblem(response, status, message, {
    hint,
    fields: fields.length === 0 ? undefined : fields,
  });
}

function sendServiceError(
  response: Response,
  error: ServiceError,
  { status = httpStatusOf(error), fields = [], inserted }: StatementProblemOptions = {},
): void {
  const seconds = retryAfterSeconds(error);
  if (seconds !== undefined) {
    response.set('Retry-After', String(seconds));
  }
  sendProblem(response, status, error.message, {
    ...membersOf(error),
    fields: fields.length === 0 ? undefined : fields,
    inserted,
  });
}

function clientStatusOf(error: unknown): number | undefined {
  const status = types.isNativeError(error) && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
