import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../../../src/errors.ts';
import {
  ignoredStopError,
  lostError,
  upstreamFault,
} from '../../../../src/backends/postgres/relay-errors.ts';
import { ProtocolError } from '../../../../wire/protocol/frame.ts';

describe('what a relay says of its upstream', () => {
  test('when the connection is lost', () => {
    const cause = new Error('read ECONNRESET 10.0.0.1');
    const error = lostError(cause);
    expect(error).toMatchObject({
      sqlState: '08006',
      severity: 'FATAL',
      message: 'The connection to the upstream PostgreSQL was lost',
      detail: undefined,
      hint: 'Connect again; a transaction that was open has been rolled back',
    });
    expect(error.cause).toBe(cause);
    expect('cause' in lostError(undefined)).toBe(false);
  });

  test('when it breaks the protocol', () => {
    const cause = new ProtocolError('it answered what was not asked');
    const error = upstreamFault(cause);
    expect(error).toMatchObject({
      sqlState: '08P01',
      severity: 'FATAL',
      message: 'The upstream PostgreSQL broke the protocol',
      detail: 'it answered what was not asked',
    });
    expect(error.cause).toBe(cause);
  });

  test('when the fault is ours', () => {
    const bug = new TypeError('bug');
    expect(upstreamFault(bug)).toMatchObject({ sqlState: 'XX000', severity: 'FATAL', cause: bug });
    const known = new ServiceError('57P01', 'Bye', { severity: 'FATAL' });
    expect(upstreamFault(known)).toBe(known);
  });

  test.each([
    [
      'with a hint',
      new ServiceError('57014', 'canceling statement', { hint: 'The limit is 5 ms' }),
    ],
    ['without one', new ServiceError('54000', 'Result cut')],
  ])('when it goes on although it was told to stop, %s', (_name, reason) => {
    const error = ignoredStopError(reason, 2000);
    expect(error).toMatchObject({
      sqlState: reason.sqlState,
      severity: 'FATAL',
      message: reason.message,
      hint: reason.hint,
      detail: 'The upstream went on for 2000 ms after it was told to stop, and was closed',
    });
    expect(error.cause).toBe(reason);
  });
});
