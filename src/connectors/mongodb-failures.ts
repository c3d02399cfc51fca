// What failures of MongoDB mean to a connector: whether to try again, and how to say it without
// hosts, credentials and documents.
import {
  BSON,
  MongoAPIError,
  MongoBulkWriteError,
  MongoError,
  MongoErrorLabel,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import { toErrorCode } from '../error-code.ts';
import { ConnectorError } from './connector-error.ts';
import { redactSecrets } from './redact.ts';

export const DUPLICATE_KEY_CODE = 11_000;

export const VALIDATION_CODE = 121;

/** Never tried again, whatever else an error says: the same would fail again. */
const PERMANENT_CODES: ReadonlySet<number> = new Set([
  11, // UserNotFound
  13, // Unauthorized
  18, // AuthenticationFailed
  22, // InvalidBSON
  8000, // AtlasError, which is a failed login
  10_334, // BSONObjectTooLarge
  DUPLICATE_KEY_CODE,
  11_001, // DuplicateKey of old servers
  12_582, // DuplicateKey of old routers
  VALIDATION_CODE, // DocumentValidationFailure
]);

/** The way to the server, or its role, is the reason. */
const CONNECTION_CODES: ReadonlySet<number> = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  89, // NetworkTimeout
  91, // ShutdownInProgress
  133, // FailedToSatisfyReadPreference
  189, // PrimarySteppedDown
  9001, // SocketException
  10_058, // LegacyNotPrimary
  10_107, // NotWritablePrimary
  11_600, // InterruptedAtShutdown
  11_602, // InterruptedDueToReplStateChange
  13_435, // NotPrimaryNoSecondaryOk
  13_436, // NotPrimaryOrSecondary
]);

/** The server could not in time, or not just then. */
const BUSY_CODES: ReadonlySet<number> = new Set([
  24, // LockTimeout
  43, // CursorNotFound
  46, // LockBusy
  50, // MaxTimeMSExpired
  63, // StaleShardVersion
  64, // WriteConcernTimeout
  112, // WriteConflict
  134, // ReadConcernMajorityNotAvailableYet
  150, // StaleEpoch
  175, // QueryPlanKilled
  202, // NetworkInterfaceExceededTimeLimit
  234, // RetryChangeStream
  237, // CursorKilled
  239, // SnapshotTooOld
  246, // SnapshotUnavailable
  262, // ExceededTimeLimit
  462, // IngressRequestRateLimitExceeded
  11_601, // Interrupted
  13_388, // StaleConfig
]);

const TRANSIENT_LABELS = [
  MongoErrorLabel.RetryableWriteError,
  MongoErrorLabel.TransientTransactionError,
  MongoErrorLabel.PoolRequestedRetry,
  MongoErrorLabel.RetryableError,
];

/** Errors of node that the driver lets through as they are. */
const SOCKET_CODES: ReadonlySet<string | undefined> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['EAI_AGAIN', 'ENOTFOUND', 'ENETDOWN', 'ECONNABORTED'],
]);

/** Only where nothing else can be known: a failed login talks of connections too. */
const TRANSIENT_TEXTS = [
  /not master|not primary|node is recovering|server selection/i,
  /time(d )?-?out|socket hang up|connection (\S+ )?(closed|reset|refused|lost)/i,
];
const PERMANENT_TEXT = /auth|credential|duplicate key|E11000|validation|bson/i;

/** A driver's text is as long as the documents it repeats. */
const TEXT_CHARACTERS_MAX = 200;

/**
 * Whether the same operation may succeed later without anybody's doing. After such a failure it
 * may have been carried out all the same.
 */
export function isTransient(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  const codes = codesOf(error);
  if (isPermanent(error, codes)) {
    return false;
  }
  if (error instanceof MongoError && TRANSIENT_LABELS.some((label) => error.hasErrorLabel(label))) {
    return true;
  }
  if (codes.length > 0) {
    return codes.every((code) => isTransientCode(code));
  }
  return isConnectionClass(error) || isTransientText(error);
}

/** A bulk write wraps what came from the driver and not from the server, and hides its class. */
function unwrapped(error: unknown): unknown {
  const inner: unknown = error instanceof MongoBulkWriteError ? error.errorResponse : undefined;
  return inner instanceof Error ? inner : error;
}

/** Whether a server's number for a failure says that it may pass by itself. */
export function isTransientCode(code: number): boolean {
  return CONNECTION_CODES.has(code) || BUSY_CODES.has(code);
}

function isPermanent(error: unknown, codes: readonly number[]): boolean {
  if (codes.some((code) => PERMANENT_CODES.has(code))) {
    return true;
  }
  // A pool that was cleared by a failed login, and a server that could not be chosen for one.
  return error instanceof MongoError && error.cause !== undefined && isRefusal(error.cause);
}

function isRefusal(cause: unknown): boolean {
  return codesOf(cause).some((code) => PERMANENT_CODES.has(code));
}

/** Every number that the server gave: of a bulk write each failed one has its own. */
function codesOf(error: unknown): readonly number[] {
  if (!(error instanceof MongoServerError)) {
    return [];
  }
  if (error instanceof MongoBulkWriteError) {
    const writeErrors = [error.writeErrors].flat();
    const concern = error.result.getWriteConcernError();
    const codes = [...writeErrors, ...(concern === undefined ? [] : [concern])].map(codeOf);
    if (codes.length > 0) {
      return codes.filter((code) => code !== undefined);
    }
  }
  const code = codeOf(error);
  return code === undefined ? [] : [code];
}

function codeOf({ code }: { readonly code?: unknown }): number | undefined {
  return typeof code === 'number' ? code : undefined;
}

function isConnectionClass(error: unknown): boolean {
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoOperationTimeoutError ||
    error instanceof MongoNotConnectedError ||
    (error instanceof MongoError && error.name === 'MongoWaitQueueTimeoutError') ||
    SOCKET_CODES.has(toErrorCode(error))
  );
}

/** Old servers give a text and no number. */
function isTransientText(error: unknown): boolean {
  const isOurMistake =
    error instanceof MongoAPIError ||
    error instanceof MongoParseError ||
    error instanceof BSON.BSONError ||
    error instanceof ConnectorError;
  if (isOurMistake || !(error instanceof Error)) {
    return false;
  }
  const { message } = error;
  return TRANSIENT_TEXTS.some((text) => text.test(message)) && !PERMANENT_TEXT.test(message);
}

/** Whether MongoDB, or the one that may write, was not reached. */
function isConnectionFailure(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  const codes = codesOf(error);
  return codes.length > 0
    ? codes.every((code) => CONNECTION_CODES.has(code))
    : isConnectionClass(error) || isTransientText(error);
}

/** The failure as a connector stops with it; one of our own stays as it is. */
export function toConnectorError(error: unknown): ConnectorError {
  if (error instanceof ConnectorError) {
    return error;
  }
  if (isConnectionFailure(error)) {
    return new ConnectorError(
      'connection',
      `Cannot reach MongoDB (${shownFailure(error)}): see whether it runs and lets Gatepost in`,
    );
  }
  // What may pass by itself must not wait for somebody.
  return isTransient(error)
    ? new ConnectorError('connection', `MongoDB could not in time: ${shownFailure(error)}`)
    : new ConnectorError('storage', `MongoDB refused: ${shownFailure(error)}`);
}

/** A failure in a few words, for logs and statuses: no hosts, credentials or documents. */
export function shownFailure(thrown: unknown): string {
  const error = unwrapped(thrown);
  if (!(error instanceof Error)) {
    return 'unknown failure';
  }
  if (error instanceof ConnectorError) {
    return error.message;
  }
  const code = codesOf(error)[0];
  if (error instanceof MongoServerError) {
    const said = code === undefined ? '' : ` (code ${code})`;
    return `${shownText(error.message)}${said}`;
  }
  // Texts of the driver and of node have hosts and addresses.
  const socketCode = toErrorCode(error) ?? toErrorCode(error.cause) ?? causeCode(error.message);
  return socketCode === undefined ? error.name : `${error.name}, ${socketCode}`;
}

function causeCode(message: string): string | undefined {
  return /\bE[A-Z]{4,14}(_[A-Z]{2,8})?\b/.exec(message)?.[0];
}

/** What comes after the first brace is a command or a key with its values. */
function shownText(message: string): string {
  const [text = ''] = message.split(/ to execute command|[:,]? *\{/, 1);
  return redactSecrets(text.replaceAll(/\p{Cc}+/gu, ' '), []).slice(0, TEXT_CHARACTERS_MAX);
}
