// What a relay says when its upstream does not do what it should.
import { ProtocolError } from '../../../wire/protocol/frame.ts';
import { ServiceError, SQLSTATE, toServiceError } from '../../errors.ts';

/** The upstream closed the connection, or the network did. */
export function lostError(cause: unknown): ServiceError {
  return new ServiceError(
    SQLSTATE.connectionFailure,
    'The connection to the upstream PostgreSQL was lost',
    {
      severity: 'FATAL',
      hint: 'Connect again; a transaction that was open has been rolled back',
      cause,
    },
  );
}

/** The upstream has ended the session, in words of its own that went to the client. */
export function endedError(sqlState: string | undefined): ServiceError {
  return new ServiceError(
    sqlState ?? SQLSTATE.connectionFailure,
    'The upstream PostgreSQL ended the session',
    { severity: 'FATAL' },
  );
}

/** The upstream sent what is not the protocol, or we have a bug. */
export function upstreamFault(thrown: unknown): ServiceError {
  if (!(thrown instanceof ProtocolError)) {
    return toServiceError(thrown);
  }
  return new ServiceError(thrown.sqlState, 'The upstream PostgreSQL broke the protocol', {
    severity: 'FATAL',
    detail: thrown.message,
    cause: thrown,
  });
}

/** The upstream went on although it was told to stop. */
export function ignoredStopError(error: ServiceError, graceMs: number): ServiceError {
  return new ServiceError(error.sqlState, error.message, {
    severity: 'FATAL',
    detail: `The upstream went on for ${graceMs} ms after it was told to stop, and was closed`,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}
