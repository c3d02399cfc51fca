// What a session says in its own name. SQLSTATEs are PostgreSQL's for the same event.
import { ServiceError, SQLSTATE, toServiceError } from '../src/errors.ts';
import { ProtocolError } from './protocol/frame.ts';
import type { ReportFields } from './protocol/backend-messages.ts';

/** An error as ErrorResponse fields. */
export function errorReport(error: ServiceError): ReportFields {
  const { severity, sqlState, message, detail, hint, position } = error;
  return { severity, sqlState, message, detail, hint, position };
}

/** The same, for errors of our own; the session id tells operator and user what to look for. */
export function sessionReport(error: ServiceError, sessionId: string): ReportFields {
  const session = `Session ${sessionId}`;
  // The server's own details end with a full stop, ours do not.
  const detail =
    error.detail === undefined ? session : `${error.detail.replace(/\.$/, '')}. ${session}`;
  return { ...errorReport(error), detail };
}

/** Any thrown value as what ends a session. */
export function asFatal(thrown: unknown): ServiceError {
  const error =
    thrown instanceof ProtocolError
      ? new ServiceError(thrown.sqlState, thrown.message, { cause: thrown })
      : toServiceError(thrown);
  return new ServiceError(error.sqlState, error.message, {
    severity: 'FATAL',
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error.cause,
  });
}

export function shutdownError(): ServiceError {
  return new ServiceError(
    SQLSTATE.adminShutdown,
    'terminating connection due to administrator command',
    { severity: 'FATAL', hint: 'Gatepost is shutting down; connect again in a moment' },
  );
}

export function idleError(idleTimeoutMs: number): ServiceError {
  return new ServiceError(
    SQLSTATE.idleSessionTimeout,
    'terminating connection due to idle-session timeout',
    { severity: 'FATAL', hint: `The limit is ${idleTimeoutMs} ms (WIRE_IDLE_TIMEOUT)` },
  );
}

/** PostgreSQL's own words for a client that does not finish its login. */
export function loginTimeoutError(): ServiceError {
  return new ServiceError(SQLSTATE.queryCanceled, 'canceling authentication due to timeout', {
    severity: 'FATAL',
    hint: 'Log in anew; nothing of what was begun is left',
  });
}

/** A client that has logged in waits for nothing but the upstream. */
export function startupTimeoutError(): ServiceError {
  return new ServiceError(
    SQLSTATE.connectionNotEstablished,
    'Cannot connect to the upstream PostgreSQL',
    { severity: 'FATAL', detail: 'The server did not answer in time' },
  );
}

export function tooManyConnectionsError(connectionsMax: number): ServiceError {
  return new ServiceError(SQLSTATE.tooManyConnections, 'sorry, too many clients already', {
    severity: 'FATAL',
    hint: `At most ${connectionsMax} (WIRE_MAX_CONNECTIONS); close one, or try again later`,
  });
}

/** Somebody of the same address as a rule: its oldest goes when there are too many. */
export function tooManyLoginsError(): ServiceError {
  return new ServiceError(SQLSTATE.tooManyConnections, 'too many clients are logging in', {
    severity: 'FATAL',
    hint: 'Nothing is wrong with the login: try again in a moment, and open fewer at once',
  });
}

export function clientGoneError(): ServiceError {
  return new ServiceError(SQLSTATE.connectionFailure, 'Client closed the connection', {
    severity: 'FATAL',
  });
}

export function extendedQueryError(): ServiceError {
  return new ServiceError(
    SQLSTATE.featureNotSupported,
    'The extended query protocol is not supported through Gatepost',
    {
      hint: 'Send statements without parameters, or use the simple query mode of the driver',
    },
  );
}

export function functionCallError(): ServiceError {
  return new ServiceError(
    SQLSTATE.featureNotSupported,
    'The function call protocol is not supported through Gatepost',
    { hint: 'Call the function in a SELECT' },
  );
}

/** For the operator: the sentence that the client saw, and what was underneath. */
export function describeFailure(error: ServiceError): string {
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.sqlState} ${error.message}${cause}`;
}
