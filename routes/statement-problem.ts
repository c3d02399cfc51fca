// An error of a database, told with what the route knows beyond it.
import type { ServiceError } from '../src/errors.ts';
import type { FieldProblem } from './request-error.ts';

export interface StatementProblemOptions {
  /** Instead of the one that the error alone would have. */
  readonly status?: number | undefined;
  /** The parts of the request that it is about. */
  readonly fields?: readonly FieldProblem[] | undefined;
  /** Documents that are stored all the same. */
  readonly inserted?: number | undefined;
}

/** Answered as the error is, with the members that are given here. */
export class StatementProblem extends Error {
  readonly error: ServiceError;
  readonly status: number | undefined;
  readonly fields: readonly FieldProblem[];
  readonly inserted: number | undefined;

  constructor(error: ServiceError, { status, fields = [], inserted }: StatementProblemOptions) {
    super(error.message);
    this.name = 'StatementProblem';
    this.error = error;
    this.status = status;
    this.fields = fields;
    this.inserted = inserted;
  }
}
