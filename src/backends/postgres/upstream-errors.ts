// Why an upstream connection could not be opened, in words that a client may read.
import { DatabaseError } from 'pg';
import { ServiceError, SQLSTATE } from '../../errors.ts';

const UNREACHABLE_HINT =
  'Ask the operator of Gatepost; /health and the log of Gatepost say which backend is down';

/** Reasons by the code that node or OpenSSL gives; they name no host, port or user. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'The connection was refused',
  ENOENT: 'The socket of the server does not exist',
  ENOTFOUND: 'The name of the server is not known',
  EAI_AGAIN: 'The name of the server could not be looked up',
  EHOSTUNREACH: 'The server cannot be reached over the network',
  ENETUNREACH: 'The server cannot be reached over the network',
  ETIMEDOUT: 'The server did not answer in time',
  ECONNRESET: 'The server closed the connection',
  EPIPE: 'The server closed the connection',
};

/**
 * Translates what `pg` threw while it connected. An error of the server itself is passed on with
 * its SQLSTATE, but for a refused login: that names Gatepost's own account.
 */
export function upstreamOpenError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) {
    return thrown;
  }
  if (thrown instanceof DatabaseError) {
    return fromServer(thrown);
  }
  return new ServiceError(
    SQLSTATE.connectionNotEstablished,
    'Cannot connect to the upstream PostgreSQL',
    { severity: 'FATAL', detail: describe(thrown), hint: UNREACHABLE_HINT, cause: thrown },
  );
}

function fromServer(error: DatabaseError): ServiceError {
  const sqlState = error.code ?? SQLSTATE.connectionNotEstablished;
  if (sqlState.startsWith('28')) {
    return new ServiceError(
      SQLSTATE.connectionRejected,
      'The upstream PostgreSQL refused the login of Gatepost',
      { severity: 'FATAL', hint: UNREACHABLE_HINT, cause: error },
    );
  }
  return new ServiceError(sqlState, error.message, {
    severity: 'FATAL',
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}

function describe(thrown: unknown): string {
  const code = errorCode(thrown);
  if (code !== undefined && REASONS[code] !== undefined) {
    return REASONS[code];
  }
  const message = thrown instanceof Error ? thrown.message : '';
  if (/SSL|TLS|certificate/i.test(`${code ?? ''} ${message}`) || /^CERT_|_CERT/.test(code ?? '')) {
    return 'TLS with the server could not be set up';
  }
  if (/authentication|SASL|SCRAM|password/i.test(message)) {
    return 'The server asks for a way to log in that is not configured';
  }
  return 'The connection ended before the server was ready';
}

function errorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : undefined;
}
