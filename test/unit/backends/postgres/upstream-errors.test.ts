import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { ServiceError } from '../../../../src/errors.ts';
import { upstreamOpenError } from '../../../../src/backends/postgres/upstream-errors.ts';
import { ProtocolError } from '../../../../wire/protocol/frame.ts';

/** What an attacker would like to read. */
const SECRET = 'db-internal.example:6543';

function nodeError(code: string, message = `connect ${code} ${SECRET}`): Error {
  return Object.assign(new Error(message), { code });
}

function serverError(code: string | undefined, changes: Partial<pg.DatabaseError> = {}): Error {
  const error = new pg.DatabaseError('said by the server', 0, 'error');
  return Object.assign(error, { code, severity: 'FATAL' }, changes);
}

describe('an upstream that cannot be reached', () => {
  test.each([
    ['ECONNREFUSED', 'The connection was refused'],
    ['ENOENT', 'The socket of the server does not exist'],
    ['ENOTFOUND', 'The name of the server is not known'],
    ['EAI_AGAIN', 'The name of the server could not be looked up'],
    ['EHOSTUNREACH', 'The server cannot be reached over the network'],
    ['ENETUNREACH', 'The server cannot be reached over the network'],
    ['ETIMEDOUT', 'The server did not answer in time'],
    ['ECONNRESET', 'The server closed the connection'],
    ['EPIPE', 'The server closed the connection'],
    ['EWHATEVER', 'The connection ended before the server was ready'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TLS with the server could not be set up'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'TLS with the server could not be set up'],
    ['CERT_HAS_EXPIRED', 'TLS with the server could not be set up'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLS with the server could not be set up'],
  ])('is explained by its code %s', (code, detail) => {
    const cause = nodeError(code);
    const error = upstreamOpenError(cause);
    expect(error).toMatchObject({
      sqlState: '08001',
      severity: 'FATAL',
      message: 'Cannot connect to the upstream PostgreSQL',
      detail,
      hint: expect.stringContaining('/health'),
    });
    expect(error.cause).toBe(cause);
  });

  test.each([
    ['The server does not support SSL connections', 'TLS with the server could not be set up'],
    ['self-signed certificate in certificate chain', 'TLS with the server could not be set up'],
    [
      'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
      'The server asks for a way to log in that is not configured',
    ],
    [
      'Unknown authenticationOk message type 7',
      'The server asks for a way to log in that is not configured',
    ],
    ['Connection terminated unexpectedly', 'The connection ended before the server was ready'],
    ['', 'The connection ended before the server was ready'],
  ])('is explained by what pg says: %j', (message, detail) => {
    expect(upstreamOpenError(new Error(message)).detail).toBe(detail);
  });

  test.each([
    ['an error that names the server', nodeError('ECONNREFUSED')],
    ['an error that pg makes of it', new Error(`getaddrinfo ${SECRET}`)],
    ['a text', SECRET],
    ['nothing', undefined],
    ['a code that is no text', Object.assign(new Error(SECRET), { code: 42 })],
    ['several attempts', new AggregateError([nodeError('ECONNREFUSED')], SECRET)],
  ])('shows no name of it: %s', (_name, thrown) => {
    const { message, detail, hint, sqlState } = upstreamOpenError(thrown);
    expect(sqlState).toBe('08001');
    expect([message, detail, hint].join(' ')).not.toContain('internal');
  });
});

describe('an error of the server itself', () => {
  test('is passed on with its SQLSTATE and its words', () => {
    const cause = serverError('3D000', { detail: 'It seems to have been dropped.', hint: 'Look' });
    const error = upstreamOpenError(cause);
    expect(error).toMatchObject({
      sqlState: '3D000',
      severity: 'FATAL',
      message: 'said by the server',
      detail: 'It seems to have been dropped.',
      hint: 'Look',
    });
    expect(error.cause).toBe(cause);
  });

  test.each([
    ['28000', '08004', 'The upstream PostgreSQL refused the login of Gatepost'],
    ['28P01', '08004', 'The upstream PostgreSQL refused the login of Gatepost'],
    ['53300', '53300', 'The upstream PostgreSQL takes no more connections of Gatepost'],
  ])(
    'is told in other words where it names the account of Gatepost: %s',
    (code, sqlState, message) => {
      const error = upstreamOpenError(serverError(code, { detail: 'role "gatepost"', hint: 'x' }));
      expect(error).toMatchObject({ sqlState, severity: 'FATAL', message, detail: undefined });
      expect(error.hint).toContain('/health');
    },
  );

  test.each([
    ['57P03', '57P03'],
    ['22023', '22023'],
    [undefined, '08001'],
    ['', '08001'],
    ['a"b', '08001'],
  ])('has the SQLSTATE %j: told as %s', (code, sqlState) => {
    expect(upstreamOpenError(serverError(code))).toMatchObject({ sqlState, severity: 'FATAL' });
  });

  test('is told in words of ours where it has none', () => {
    const error = upstreamOpenError(Object.assign(serverError('57P03'), { message: '' }));
    expect(error.message).toBe('Cannot connect to the upstream PostgreSQL');
  });
});

test('a server that breaks the protocol is told as one', () => {
  expect(upstreamOpenError(new ProtocolError('x')).detail).toBe(
    'The server does not keep to the protocol of PostgreSQL',
  );
});

test('an error of ours is told as it is', () => {
  const error = new ServiceError('08001', 'Cannot connect', { severity: 'FATAL' });
  expect(upstreamOpenError(error)).toBe(error);
});
