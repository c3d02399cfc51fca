// Why a connector stops, by the kinds of the specification's section 4.7 and three of ours.

export type ConnectorErrorKind =
  /** Could not connect or prepare at the start. */
  | 'init'
  /** A field is missing, unknown or wrong. */
  | 'invalid-config'
  /** The saved state is damaged, or belongs to other records. */
  | 'invalid-state'
  /** The database refused. */
  | 'storage'
  /** The database or Iggy is not reached. */
  | 'connection'
  /** One record or message cannot be carried. */
  | 'invalid-record'
  /** Another instance may be at work. */
  | 'lease-lost';

/** Why a connector stops; its message goes to logs and answers: what, why, what to do. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';
  readonly kind: ConnectorErrorKind;

  /** @param message without secrets: see redact.ts */
  constructor(kind: ConnectorErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Records that stay unacknowledged stop a source, and the others are acknowledged all the same. */
export class UnsettledError extends ConnectorError {
  /** To be saved before the source ends: it owes no more than these records. */
  readonly state: string;

  constructor(message: string, state: string) {
    super('storage', message);
    this.state = state;
  }
}
