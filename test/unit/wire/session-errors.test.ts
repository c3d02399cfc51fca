import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../../src/errors.ts';
import { ProtocolError } from '../../../wire/protocol/frame.ts';
import {
  asFatal,
  clientGoneError,
  describeFailure,
  extendedQueryError,
  functionCallError,
  idleError,
  loginTimeoutError,
  sessionReport,
  shutdownError,
  startupTimeoutError,
  tooManyConnectionsError,
} from '../../../wire/session-errors.ts';

describe('sessionReport', () => {
  test('says everything that a client may know', () => {
    const error = new ServiceError('54000', 'Result cut', {
      detail: 'Three rows were sent',
      hint: 'Narrow the query',
      position: 9,
      cause: new Error('secret'),
    });
    expect(sessionReport(error, 'abc')).toEqual({
      severity: 'ERROR',
      sqlState: '54000',
      message: 'Result cut',
      detail: 'Three rows were sent. Session abc',
      hint: 'Narrow the query',
      position: 9,
    });
  });

  test.each([
    [undefined, 'Session abc'],
    ['Ours', 'Ours. Session abc'],
    ["The server's.", "The server's. Session abc"],
    ['One. Two.', 'One. Two. Session abc'],
  ])('names the session behind the detail %j', (detail, expected) => {
    const error = new ServiceError('08006', 'Lost', detail === undefined ? {} : { detail });
    expect(sessionReport(error, 'abc').detail).toBe(expected);
  });
});

describe('asFatal', () => {
  test.each([
    [
      'an ERROR',
      new ServiceError('08006', 'Lost', { detail: 'd', hint: 'h' }),
      { sqlState: '08006', message: 'Lost', detail: 'd', hint: 'h' },
    ],
    [
      'a FATAL',
      new ServiceError('57P01', 'Bye', { severity: 'FATAL' }),
      { sqlState: '57P01', message: 'Bye', detail: undefined, hint: undefined },
    ],
    [
      'a broken protocol',
      new ProtocolError('invalid message length'),
      { sqlState: '08P01', message: 'invalid message length', hint: undefined },
    ],
    [
      'a broken protocol with a SQLSTATE of its own',
      new ProtocolError('invalid byte sequence', '22021'),
      { sqlState: '22021', message: 'invalid byte sequence' },
    ],
    [
      'a bug',
      new TypeError('secret'),
      { sqlState: 'XX000', message: 'Internal error in Gatepost' },
    ],
    ['anything', 'secret', { sqlState: 'XX000', message: 'Internal error in Gatepost' }],
  ])('ends a session with %s', (_name, thrown, expected) => {
    const error = asFatal(thrown);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ ...expected, severity: 'FATAL' });
  });

  test.each([new ProtocolError('broken'), new TypeError('bug')])(
    'keeps its cause: %s',
    (thrown) => {
      expect(asFatal(thrown).cause).toBe(thrown);
    },
  );

  test('keeps what was underneath an error of ours', () => {
    const cause = new Error('ECONNRESET');
    expect(asFatal(new ServiceError('08006', 'Lost', { cause })).cause).toBe(cause);
  });
});

describe("the session's own errors", () => {
  // Where PostgreSQL has the same event, SQLSTATE and sentence are PostgreSQL's.
  test.each([
    [
      'shutdown',
      shutdownError(),
      ['FATAL', '57P01', 'terminating connection due to administrator command'],
      /connect again/,
    ],
    [
      'idling',
      idleError(900_000),
      ['FATAL', '57P05', 'terminating connection due to idle-session timeout'],
      /900000 ms \(WIRE_IDLE_TIMEOUT\)/,
    ],
    [
      'a login that takes too long',
      loginTimeoutError(),
      ['FATAL', '57014', 'canceling authentication due to timeout'],
      /^Log in anew/,
    ],
    [
      'a start-up that takes too long',
      startupTimeoutError(),
      ['FATAL', '08001', 'Cannot connect to the upstream PostgreSQL'],
      undefined,
    ],
    [
      'too many connections',
      tooManyConnectionsError(100),
      ['FATAL', '53300', 'sorry, too many clients already'],
      /100.*WIRE_MAX_CONNECTIONS/,
    ],
    [
      'a client that left',
      clientGoneError(),
      ['FATAL', '08006', 'Client closed the connection'],
      undefined,
    ],
    [
      'extended queries',
      extendedQueryError(),
      ['ERROR', '0A000', 'The extended query protocol is not supported through Gatepost'],
      /simple query mode/,
    ],
    [
      'function calls',
      functionCallError(),
      ['ERROR', '0A000', 'The function call protocol is not supported through Gatepost'],
      /SELECT/,
    ],
  ] as const)('for %s', (_name, error, [severity, sqlState, message], hint) => {
    expect(error).toMatchObject({ severity, sqlState, message });
    expect(error.hint ?? '').toMatch(hint ?? /^$/);
    expect(error.message.endsWith('.')).toBe(false);
  });
});

describe('describeFailure', () => {
  test.each([
    [{}, '08001 No upstream'],
    [{ cause: new Error('ECONNREFUSED') }, '08001 No upstream (ECONNREFUSED)'],
    [{ cause: 'no error' }, '08001 No upstream'],
  ])('says what the client saw, and what was underneath: %j', (options, text) => {
    expect(describeFailure(new ServiceError('08001', 'No upstream', options))).toBe(text);
  });
});
