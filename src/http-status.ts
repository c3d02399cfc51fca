// What an error of either database is over HTTP: the one table. Pure.
import { SQLSTATE } from './errors.ts';
import type { ServiceError } from './errors.ts';

/** MongoDB's codes by the status that they mean; they say more than the SQLSTATE beside them. */
const SERVER_CODES_BY_STATUS: Readonly<Record<number, readonly number[]>> = {
  // BadValue, FailedToParse, TypeMismatch and other commands that could never have run are the
  // default below: the server has thousands of numbers for them.
  403: [13],
  // NamespaceNotFound, IndexNotFound, ViewNotFound.
  404: [26, 27, 165],
  // NamespaceExists, index conflicts, WriteConflict, CursorKilled, duplicate keys, Interrupted.
  409: [48, 68, 85, 86, 112, 237, 11000, 11001, 11601, 12582],
  // CursorNotFound.
  410: [43],
  // BSONObjectTooLarge, ExceededMemory of a document.
  413: [10334],
  // DocumentValidationFailure.
  422: [121],
  // InternalError, UnknownError.
  500: [1, 8],
  // Authentication of the gate itself, not of whoever asks.
  502: [18, 8000],
  // Unreachable, network, memory limits, no primary, step-downs, shutdown.
  503: [
    6, 7, 46, 89, 91, 133, 134, 136, 146, 175, 189, 292, 9001, 10058, 10107, 11600, 11602, 13435,
    13436,
  ],
  // MaxTimeMSExpired, NetworkInterfaceExceededTimeLimit, ExceededTimeLimit.
  504: [50, 202, 262],
};

const STATUS_BY_SERVER_CODE = new Map(
  Object.entries(SERVER_CODES_BY_STATUS).flatMap(([status, codes]) =>
    codes.map((code) => [code, Number(status)] as const),
  ),
);

/** A command that MongoDB refuses for a reason that is not in the table is the caller's. */
const STATUS_OF_OTHER_SERVER_CODE = 400;

const STATUS_BY_SQLSTATE: ReadonlyMap<string, number> = new Map([
  // A wrong count of parameters, for which PostgreSQL blames the protocol.
  ['08P01', 400],
  ['22004', 422],
  ['23502', 422],
  ['23514', 422],
  ['25006', 403],
  // A transaction that failed before, lock and dependency conflicts, what exists already.
  ['25P02', 409],
  ['2BP01', 409],
  ['34000', 410],
  ['3D000', 404],
  ['3F000', 404],
  ['42501', 403],
  ['42701', 409],
  ['42710', 409],
  ['42723', 409],
  ['42P01', 404],
  ['42P03', 409],
  ['42P04', 409],
  ['42P05', 409],
  ['42P06', 409],
  ['42P07', 409],
  ['44000', 422],
  ['57014', 409],
]);

const STATUS_BY_CLASS: ReadonlyMap<string, number> = new Map([
  ['08', 503],
  ['23', 409],
  // The database does not let Gatepost in: nothing that the caller's own token could change.
  ['28', 502],
  ['38', 500],
  ['39', 500],
  ['40', 409],
  ['53', 503],
  ['54', 413],
  ['55', 409],
  ['57', 503],
  ['58', 500],
  ['72', 409],
  ['F0', 500],
  ['HV', 502],
  ['XX', 500],
]);

/**
 * Everything else is about the statement: syntax, types, values, features, and the codes that
 * functions of users raise.
 */
const STATUS_OF_OTHER_SQLSTATE = 400;

/** The HTTP status of an error, by MongoDB's code, else by SQLSTATE, else by its class. */
export function httpStatusOf(error: ServiceError): number {
  const { serverCode, sqlState } = error;
  if (serverCode !== undefined) {
    return STATUS_BY_SERVER_CODE.get(serverCode) ?? STATUS_OF_OTHER_SERVER_CODE;
  }
  if (isTimeout(error)) {
    return 504;
  }
  return (
    STATUS_BY_SQLSTATE.get(sqlState) ??
    STATUS_BY_CLASS.get(sqlState.slice(0, 2)) ??
    STATUS_OF_OTHER_SQLSTATE
  );
}

/**
 * What MongoDB's codes are called in SQL, where there is a word for it. The wire has XX000 for all
 * of them, beside the server's own words.
 */
const SQLSTATE_BY_SERVER_CODE: ReadonlyMap<number, string> = new Map([
  // BadValue, FailedToParse, Unauthorized, TypeMismatch, NamespaceNotFound.
  [2, '22023'],
  [9, '22023'],
  [13, '42501'],
  [14, '42804'],
  [26, '42P01'],
  // CursorNotFound, MaxTimeMSExpired, WriteConflict, DocumentValidationFailure.
  [43, '34000'],
  [50, '57014'],
  [112, '40001'],
  [121, '23514'],
  // Memory limits, CursorKilled, duplicate keys, Interrupted.
  [146, '53200'],
  [237, '57014'],
  [292, '53200'],
  [11000, '23505'],
  [11001, '23505'],
  [11601, '57014'],
  [12582, '23505'],
]);

/** The SQLSTATE of an error over HTTP. */
export function sqlStateOf({ sqlState, serverCode }: ServiceError): string {
  const isUnnamed = serverCode !== undefined && sqlState === SQLSTATE.internalError;
  return (isUnnamed ? SQLSTATE_BY_SERVER_CODE.get(serverCode) : undefined) ?? sqlState;
}

/** One SQLSTATE for both: cancelled by somebody, and out of time. The sentence tells. */
function isTimeout({ sqlState, message }: ServiceError): boolean {
  return sqlState === SQLSTATE.queryCanceled && /timeout|time limit/i.test(message);
}

/** Long enough for a connection to be opened anew. */
const RETRY_UNAVAILABLE_SECONDS = 5;

/** A conflict is over when the other transaction is. */
const RETRY_CONFLICT_SECONDS = 1;

const RETRIABLE_CONFLICTS: ReadonlySet<string> = new Set(['40001', '40P01', '55P03']);
const WRITE_CONFLICT = 112;

/** Seconds for Retry-After, where the same request may well succeed later. */
export function retryAfterSeconds(error: ServiceError): number | undefined {
  if (httpStatusOf(error) === 503) {
    return RETRY_UNAVAILABLE_SECONDS;
  }
  return RETRIABLE_CONFLICTS.has(error.sqlState) || error.serverCode === WRITE_CONFLICT
    ? RETRY_CONFLICT_SECONDS
    : undefined;
}
