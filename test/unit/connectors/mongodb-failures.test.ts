import { describe, expect, it } from '@jest/globals';
import {
  BSON,
  MongoClient,
  MongoError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoServerError,
} from 'mongodb';
import { ConnectorError } from '../../../src/connectors/connector-error.ts';
import { restartsByItself } from '../../../src/connectors/run-failure.ts';
import {
  isTransient,
  isTransientCode,
  shownFailure,
  toConnectorError,
} from '../../../src/connectors/mongodb-failures.ts';

function serverError(fields: Readonly<Record<string, unknown>>): MongoServerError {
  return new MongoServerError({ message: 'said by the server', ...fields });
}

/** As the driver throws it when the client asks for a server that nobody runs. */
async function selectionError(uri: string): Promise<unknown> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 50 });
  return await client.connect().catch((error: unknown) => error);
}

const selection = await selectionError('mongodb://app:secret@127.0.0.1:1');

const AUTHENTICATION_TEXT =
  'connection() error occurred during connection handshake: authentication timeout';

describe('isTransient', () => {
  it.each([6, 7, 64, 89, 91, 112, 189, 262, 9001, 10_107, 11_600, 11_602, 13_435, 13_436])(
    'given_code_%d_should_retry',
    (code) => {
      expect(isTransient(serverError({ code }))).toBe(true);
      expect(isTransientCode(code)).toBe(true);
    },
  );

  it.each([2, 11, 13, 18, 22, 59, 100, 121, 8000, 10_334, 11_000, 11_001])(
    'given_code_%d_should_not_retry',
    (code) => {
      expect(isTransient(serverError({ code }))).toBe(false);
      expect(isTransientCode(code)).toBe(false);
    },
  );

  it.each(['RetryableWriteError', 'TransientTransactionError', 'RetryableError'])(
    'given_label_%s_should_retry_whatever_the_code',
    (label) => {
      expect(isTransient(serverError({ code: 59, errorLabels: [label] }))).toBe(true);
    },
  );

  it.each([18, 121, 11_000])('given_code_%d_with_a_label_should_not_retry', (code) => {
    const error = serverError({ code, errorLabels: ['RetryableWriteError'] });
    expect(isTransient(error)).toBe(false);
  });

  it('given_another_label_should_go_by_the_code', () => {
    expect(isTransient(serverError({ code: 59, errorLabels: ['HandshakeError'] }))).toBe(false);
  });

  it.each<readonly [string, unknown]>([
    ['a network error', new MongoNetworkError('broken')],
    ['no server', selection],
    ['a reset socket', Object.assign(new Error('read'), { code: 'ECONNRESET' })],
    ['a driver error with a label', labelled()],
    ['an old server', serverError({ message: 'not master' })],
    ['a text only', new Error('Server selection timed out after 30000 ms')],
  ])('given_%s_should_retry', (_name, error) => {
    expect(isTransient(error)).toBe(true);
  });

  it.each<readonly [string, unknown]>([
    ['an argument', new MongoInvalidArgumentError('connection timeout is no number')],
    ['BSON', new BSON.BSONError('timed out of range')],
    ['a failed login in words', new Error(AUTHENTICATION_TEXT)],
    ['our own error', new ConnectorError('storage', 'timed out')],
    ['a code with a text', serverError({ code: 59, message: 'connection closed: timed out' })],
    ['a thrown text', 'timed out'],
    ['nothing', undefined],
  ])('given_%s_should_not_retry', (_name, error) => {
    expect(isTransient(error)).toBe(false);
  });

  it('given_a_pool_cleared_by_a_failed_login_should_not_retry', () => {
    const cause = serverError({ code: 18 });
    expect(isTransient(new MongoNetworkError('pool was cleared', { cause }))).toBe(false);
  });
});

function labelled(): MongoError {
  const error = new MongoError('pool');
  error.addErrorLabel('RetryableWriteError');
  return error;
}

describe('toConnectorError', () => {
  it.each([
    ['connection', new MongoNetworkError('broken')],
    ['connection', serverError({ code: 10_107 })],
    ['connection', selection],
    ['storage', serverError({ code: 121 })],
    ['storage', serverError({ code: 18 })],
    ['storage', new TypeError('bug')],
  ] as const)('given_a_failure_should_be_%s', (kind, error) => {
    expect(toConnectorError(error)).toBeInstanceOf(ConnectorError);
    expect(toConnectorError(error).kind).toBe(kind);
  });

  it.each([
    ...[
      24, 43, 46, 50, 63, 64, 112, 134, 150, 175, 202, 234, 237, 239, 246, 262, 462, 11_601, 13_388,
    ],
    ...[6, 89, 91, 189, 10_107, 11_600],
  ])('given_transient_code_%d_should_not_wait_for_somebody', (code) => {
    const { kind } = toConnectorError(serverError({ code }));
    expect(kind).toBe('connection');
    expect(restartsByItself(kind)).toBe(true);
  });

  it('given_a_label_that_says_so_should_not_wait_for_somebody', () => {
    const error = serverError({ code: 59, errorLabels: ['RetryableWriteError'] });
    expect(toConnectorError(error).kind).toBe('connection');
  });

  it('given_our_own_error_should_keep_it', () => {
    const error = new ConnectorError('lease-lost', 'gone');
    expect(toConnectorError(error)).toBe(error);
  });
});

describe('shownFailure', () => {
  it.each<readonly [string, unknown, string]>([
    [
      'a server with a key',
      serverError({ code: 11_000, message: 'E11000 index: u dup key: { email: "a@b.c" }' }),
      'E11000 index: u dup key (code 11000)',
    ],
    [
      'a refused command',
      serverError({ code: 13, message: 'not authorized on a to execute command { insert: "x" }' }),
      'not authorized on a (code 13)',
    ],
    ['a host', selection, 'ECONNREFUSED'],
    ['credentials', serverError({ message: 'at mongodb://app:secret@host/db' }), '***@'],
    ['our own error', new ConnectorError('storage', 'said before'), 'said before'],
    ['a thrown text', 'secret', 'unknown failure'],
  ])('given_%s_should_say_no_more_than_needed', (_name, error, expected) => {
    const shown = shownFailure(error);
    expect(shown).toContain(expected);
    expect(shown).not.toMatch(/secret|127\.0\.0\.1|a@b\.c|insert:/);
  });

  it('given_a_long_text_should_cut_it', () => {
    expect(shownFailure(serverError({ message: 'x'.repeat(5000) })).length).toBeLessThan(220);
  });
});
