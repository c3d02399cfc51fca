// What is said about a shell text that is not run.
import { ServiceError, SQLSTATE } from '../../errors.ts';

/** A refusal at a place in the text; `offset` counts UTF-16 units from its beginning. */
export class ShellSyntaxError extends Error {
  readonly offset: number;
  readonly hint: string | undefined;
  readonly sqlState: string;

  constructor(
    message: string,
    offset: number,
    { hint, sqlState = SQLSTATE.syntaxError }: { hint?: string; sqlState?: string } = {},
  ) {
    super(message);
    this.name = 'ShellSyntaxError';
    this.offset = offset;
    this.hint = hint;
    this.sqlState = sqlState;
  }
}

const HINT = 'This port speaks MongoDB, for example: db.people.find({ age: { $gte: 30 } })';

/** An error whose position counts from the statement's own beginning, at `offset` of the text. */
export function shiftPosition(error: ServiceError, text: string, offset: number): ServiceError {
  const { sqlState, message, severity, detail, hint, position, cause } = error;
  if (position === undefined || offset === 0) {
    return error;
  }
  return new ServiceError(sqlState, message, {
    severity,
    position: position + Array.from(text.slice(0, offset)).length,
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

/** The error that the client sees: POSITION counts characters from 1, as the protocol wants it. */
export function toClientError(error: ShellSyntaxError, text: string): ServiceError {
  return new ServiceError(error.sqlState, error.message, {
    hint: error.hint ?? HINT,
    position: Array.from(text.slice(0, error.offset)).length + 1,
  });
}
