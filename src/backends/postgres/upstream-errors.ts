// Why an upstream connection could not be opened, in words that a client may read.
import { types } from 'node:util';
import { DatabaseError } from 'pg';
import { ProtocolError } from '../../../wire/protocol/frame.ts';
import { toErrorCode } from '../../error-code.ts';
import { ServiceError, SQLSTATE } from '../../errors.ts';

const UNREACHABLE_HINT =
  'Ask the operator of Gatepost; /health and the log of Gatepost say which backend is down';

const CANNOT_CONNECT = 'Cannot connect to the upstream PostgreSQL';

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
 * its SQLSTATE and words, unless they name Gatepost's own account.
 */
export function upstreamOpenError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) {
    return thrown;
  }
  if (thrown instanceof DatabaseError) {
    return fromServer(thrown);
  }
  return new ServiceError(SQLSTATE.connectionNotEstablished, CANNOT_CONNECT, {
    severity: 'FATAL',
    detail: describe(thrown),
    hint: UNREACHABLE_HINT,
    cause: thrown,
  });
}

function fromServer(error: DatabaseError): ServiceError {
  const code = error.code ?? '';
  const sqlState = /^[0-9A-Z]{5}$/.test(code) ? code : SQLSTATE.connectionNotEstablished;
  const ownWords = OWN_WORDS.find(({ sqlClass }) => sqlState.startsWith(sqlClass));
  if (ownWords !== undefined) {
    return new ServiceError(ownWords.sqlState ?? sqlState, ownWords.message, {
      severity: 'FATAL',
      hint: UNREACHABLE_HINT,
      cause: error,
    });
  }
  return new ServiceError(sqlState, error.message === '' ? CANNOT_CONNECT : error.message, {
    severity: 'FATAL',
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}

/** Classes of errors that name Gatepost's own account, and what is said instead. */
const OWN_WORDS: readonly {
  readonly sqlClass: string;
  readonly sqlState?: string;
  readonly message: string;
}[] = [
  {
    sqlClass: '28',
    sqlState: SQLSTATE.connectionRejected,
    message: 'The upstream PostgreSQL refused the login of Gatepost',
  },
  { sqlClass: '53', message: 'The upstream PostgreSQL takes no more connections of Gatepost' },
];

function describe(thrown: unknown): string {
  const code = toErrorCode(thrown);
  if (code !== undefined && REASONS[code] !== undefined) {
    return REASONS[code];
  }
  if (thrown instanceof ProtocolError) {
    return 'The server does not keep to the protocol of PostgreSQL';
  }
  const message = types.isNativeError(thrown) ? thrown.message : '';
  if (/SSL|TLS|certificate/i.test(`${code ?? ''} ${message}`) || /^CERT_|_CERT/.test(code ?? '')) {
    return 'TLS with the server could not be set up';
  }
  if (/authentication|SASL|SCRAM|password/i.test(message)) {
    return 'The server asks for a way to log in that is not configured';
  }
  return 'The connection ended before the server was ready';
}
