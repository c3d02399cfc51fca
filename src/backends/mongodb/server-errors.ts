// Errors of MongoDB and its driver as a PostgreSQL client sees them.
import { BSON, MongoError, MongoServerError } from 'mongodb';
import { toErrorCode } from '../../error-code.ts';
import { ServiceError, SQLSTATE } from '../../errors.ts';
import { documentsIn, numberOf } from './plan.ts';
import { encodeValue } from './value-bson.ts';

/** Fields of a server error that its message does not say. */
const DETAIL_FIELDS = [
  'code',
  'codeName',
  'errorLabels',
  'errInfo',
  'writeErrors',
  'writeConcernError',
];

/** Longest DETAIL, in characters: a reply may hold any number of write errors. */
const DETAIL_CHARACTERS_MAX = 8192;

/**
 * XX000 with the whole message as mongosh prints it, and everything else that the server said in
 * DETAIL, as Extended JSON.
 */
function serverError(error: MongoServerError): ServiceError {
  return answeredError('MongoServerError', error.message, { ...error.errorResponse });
}

/** An error document that came as an answer: a reply with write errors is `ok`. */
export function answeredError(
  name: string,
  message: string,
  answer: Readonly<Record<string, unknown>>,
): ServiceError {
  const { codeName } = answer;
  const label = typeof codeName === 'string' ? `${name}[${codeName}]` : name;
  const fields = DETAIL_FIELDS.filter((field) => answer[field] !== undefined);
  const said = Object.fromEntries(fields.map((field) => [field, answer[field]]));
  // Documents within a reply are bytes still, at any depth.
  const detail = BSON.EJSON.stringify(BSON.deserialize(encodeValue(said))['v']);
  return new ServiceError(SQLSTATE.internalError, `${label}: ${message}`, {
    detail: detail.slice(0, DETAIL_CHARACTERS_MAX),
    serverCode: codeOf(answer),
    writeIndex: answer['index'] === undefined ? undefined : numberOf(answer['index']),
  });
}

/** Of a bulk write it is the first failed write that has one. */
function codeOf({ code, writeErrors }: Readonly<Record<string, unknown>>): number | undefined {
  const first: unknown = code ?? documentsIn(writeErrors)[0]?.['code'];
  return first === undefined ? undefined : numberOf(first);
}

/** What the driver would refuse before it asks the server, in its words. */
export class DriverRefusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MongoInvalidArgumentError';
  }
}

export function createDriverError(message: string): DriverRefusal {
  return new DriverRefusal(message);
}

/** What a stopped operation failed with: the driver's own words for it say less than the signal. */
export function reasonOf(thrown: unknown, signal: AbortSignal): unknown {
  return signal.aborted && !(thrown instanceof ServiceError) ? signal.reason : thrown;
}

/** SQLSTATE XX000 for everything that MongoDB or its driver says; others are bugs of ours. */
export function toBackendError(thrown: unknown): ServiceError | undefined {
  if (thrown instanceof ServiceError) {
    return thrown;
  }
  if (thrown instanceof MongoServerError) {
    return serverError(thrown);
  }
  if (thrown instanceof DriverRefusal) {
    return new ServiceError(SQLSTATE.internalError, `${thrown.name}: ${thrown.message}`);
  }
  if (thrown instanceof MongoError && thrown.name === 'MongoWaitQueueTimeoutError') {
    return new ServiceError(
      SQLSTATE.tooManyConnections,
      'All connections of the API to MongoDB are busy',
      { hint: 'Try again; MONGODB_POOL_MAX and MONGODB_POOL_ACQUIRE_TIMEOUT are the limits' },
    );
  }
  if (isConnectionError(thrown)) {
    return connectionError(thrown);
  }
  if (thrown instanceof MongoError || thrown instanceof BSON.BSONError) {
    return new ServiceError(
      SQLSTATE.internalError,
      `${thrown.name}: the driver refused the command`,
      {
        cause: thrown,
      },
    );
  }
  return undefined;
}

const CONNECTION_ERRORS = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoTopologyClosedError',
  'MongoNotConnectedError',
]);

/** The driver lets some errors of a socket through as node has made them. */
const SOCKET_ERRORS: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ECONNRESET']);

function isConnectionError(thrown: unknown): boolean {
  return (
    (thrown instanceof MongoError && CONNECTION_ERRORS.has(thrown.name)) ||
    SOCKET_ERRORS.has(toErrorCode(thrown))
  );
}

/** 08006; the driver's own text has hosts and may have credentials, so it stays with the cause. */
export function connectionError(
  cause: unknown,
  severity: 'ERROR' | 'FATAL' = 'ERROR',
): ServiceError {
  return new ServiceError(SQLSTATE.connectionFailure, 'Cannot reach MongoDB', {
    severity,
    hint: 'See whether the server runs and lets Gatepost in (MONGODB_URI); then try again',
    cause,
  });
}
