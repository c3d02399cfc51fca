// Problem documents, RFC 9457: what is wrong, as JSON for every client.
import { STATUS_CODES } from 'node:http';
import type { Response } from 'express';
import type { ServiceError } from '../src/errors.ts';
import { sqlStateOf } from '../src/http-status.ts';
import type { FieldProblem } from './request-error.ts';

/** What a problem says beyond its status and sentence; what is undefined is left out. */
export interface ProblemMembers {
  readonly sqlState?: string | undefined;
  readonly hint?: string | undefined;
  /** 1-based character of the statement. */
  readonly position?: number | undefined;
  /** What the database itself adds to its sentence, such as the key that exists already. */
  readonly databaseDetail?: string | undefined;
  /** MongoDB's own code. */
  readonly mongodb?: { readonly code: number } | undefined;
  readonly fields?: readonly FieldProblem[] | undefined;
  /** Documents that are stored although the request has failed. */
  readonly inserted?: number | undefined;
}

/**
 * Answers with a problem. The request's id is in it where there is one.
 *
 * @param detail a sentence without full stop, shown to the client
 */
export function sendProblem(
  response: Response,
  status: number,
  detail: string,
  members: ProblemMembers = {},
): void {
  const requestId = response.get('X-Request-Id');
  response
    .status(status)
    .type('application/problem+json')
    .send(formatProblem(status, detail, { ...members, requestId }));
}

/** The document itself. */
export function formatProblem(
  status: number,
  detail: string,
  members: ProblemMembers & { readonly requestId: string | undefined },
): string {
  const title = titleOf(status);
  return JSON.stringify({ type: 'about:blank', title, status, detail, ...members });
}

export function titleOf(status: number): string {
  return STATUS_CODES[status] ?? 'Unknown status';
}

/** What a problem says of an error of a database or of the gate. */
export function membersOf(error: ServiceError): ProblemMembers {
  const { hint, position, detail, serverCode } = error;
  return {
    sqlState: sqlStateOf(error),
    hint,
    position,
    databaseDetail: detail,
    mongodb: serverCode === undefined ? undefined : { code: serverCode },
  };
}
