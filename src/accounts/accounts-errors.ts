// What the doors are told when the accounts cannot be asked. What PostgreSQL says of a statement
// may hold values of it: of such an error only the code is kept.
import { DatabaseError } from 'pg';
import { toErrorCode } from '../error-code.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';

/** Classes of errors that speak of the server, not of a statement: their words hold no values. */
const CLASSES_OF_THE_SERVER = ['08', '28', '3D', '53', '57'];

/** Of those, the ones of a statement or a moment: the next one may succeed. */
const PASSING_CODES = ['57014', '53300'];

/** The schema was dropped, or the database restored from what had none. */
const CODES_OF_NO_SCHEMA = ['42P01', '3F000'];

/** What the pool says where all of its connections are in use; the server may be well. */
const POOL_IS_BUSY = 'timeout exceeded when trying to connect';

/** Accounts that cannot be asked now. */
export function unavailableError(reason: unknown): ServiceError {
  return new ServiceError(SQLSTATE.connectionFailure, 'Accounts cannot be read', {
    severity: 'FATAL',
    hint: 'Try again; the log of Gatepost says why',
    cause: new Error(describeFailure(reason)),
  });
}

/** Whether what `pg` threw means that the server is away, for everybody. */
export function isServerAway(thrown: unknown): boolean {
  if (!(thrown instanceof DatabaseError)) {
    return !(thrown instanceof Error && thrown.message === POOL_IS_BUSY);
  }
  const code = thrown.code ?? '';
  return CLASSES_OF_THE_SERVER.some((one) => code.startsWith(one)) && !PASSING_CODES.includes(code);
}

/** Whether what `pg` threw means that the tables of the accounts are not there. */
export function isSchemaGone(thrown: unknown): boolean {
  return thrown instanceof DatabaseError && CODES_OF_NO_SCHEMA.includes(thrown.code ?? '');
}

/** Why `pg` failed, without anything that was asked or stored; for the operator. */
export function describeFailure(thrown: unknown): string {
  if (thrown instanceof DatabaseError) {
    return describeAnswer(thrown);
  }
  if (!(thrown instanceof Error)) {
    return 'unknown error';
  }
  // An attempt at several addresses has no message of its own.
  const words = thrown.message === '' ? (toErrorCode(thrown) ?? thrown.name) : thrown.message;
  const isOurs = thrown instanceof ServiceError && thrown.cause !== undefined;
  return isOurs ? `${words}: ${describeFailure(thrown.cause)}` : words;
}

function describeAnswer({ code = '', message, table, constraint }: DatabaseError): string {
  if (isOfServer(code)) {
    return `${message} (${code})`;
  }
  const place = [table, constraint].filter((one) => one !== undefined).join(', ');
  return `PostgreSQL answered ${code}${place === '' ? '' : ` at ${place}`}`;
}

function isOfServer(code: string): boolean {
  return CLASSES_OF_THE_SERVER.some((one) => code.startsWith(one));
}
