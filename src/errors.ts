/** SQLSTATEs that Gatepost raises itself, by their names in the PostgreSQL manual, appendix A. */
export const SQLSTATE = {
  warning: '01000',
  connectionFailure: '08006',
  connectionNotEstablished: '08001',
  connectionRejected: '08004',
  protocolViolation: '08P01',
  featureNotSupported: '0A000',
  invalidCatalogName: '3D000',
  invalidAuthorization: '28000',
  invalidPassword: '28P01',
  insufficientPrivilege: '42501',
  invalidParameterValue: '22023',
  readOnlyTransaction: '25006',
  syntaxError: '42601',
  undefinedObject: '42704',
  duplicateObject: '42710',
  characterNotInRepertoire: '22021',
  tooManyConnections: '53300',
  programLimitExceeded: '54000',
  statementTooComplex: '54001',
  objectNotInState: '55000',
  objectInUse: '55006',
  queryCanceled: '57014',
  adminShutdown: '57P01',
  idleSessionTimeout: '57P05',
  internalError: 'XX000',
} as const;

export type Severity = 'ERROR' | 'FATAL';

export interface ServiceErrorOptions {
  /** FATAL ends the session, ERROR leaves it usable. ERROR unless said. */
  readonly severity?: Severity;
  /** What the user should know beyond the sentence; no secret, no host, no driver's own text. */
  readonly detail?: string;
  /** What the user can do about it. */
  readonly hint?: string;
  /** 1-based index of the character in the statement that is meant. */
  readonly position?: number;
  /** MongoDB's own error code, where it is MongoDB that said so. */
  readonly serverCode?: number | undefined;
  /** Which of the writes of one command it is about, counted from 0. */
  readonly writeIndex?: number | undefined;
  /** After how long the same may work; only where that is known. */
  readonly retryAfterSeconds?: number;
  /** What went wrong underneath: observed, never shown to a client. */
  readonly cause?: unknown;
}

/** An operating error that a client may read, with the SQLSTATE that every door translates. */
export class ServiceError extends Error {
  readonly sqlState: string;
  readonly severity: Severity;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly position: number | undefined;
  readonly serverCode: number | undefined;
  readonly writeIndex: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(sqlState: string, message: string, options: ServiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ServiceError';
    this.sqlState = sqlState;
    this.severity = options.severity ?? 'ERROR';
    this.detail = options.detail;
    this.hint = options.hint;
    this.position = options.position;
    this.serverCode = options.serverCode;
    this.writeIndex = options.writeIndex;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/**
 * What a door shows for any thrown value: a ServiceError as it is, anything else as XX000 that
 * names only where to look, with the thrown value as its cause.
 */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) {
    return thrown;
  }
  return new ServiceError(SQLSTATE.internalError, 'Internal error in Gatepost', {
    severity: 'FATAL',
    hint: 'The log line with this session id says what happened',
    cause: thrown,
  });
}
