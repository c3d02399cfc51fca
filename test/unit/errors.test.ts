import { describe, expect, test } from '@jest/globals';
import { ServiceError, SQLSTATE, toServiceError } from '../../src/errors.ts';

describe('SQLSTATE', () => {
  // Names and codes of appendix A of the PostgreSQL manual.
  test.each([
    ['warning', '01000'],
    ['connectionNotEstablished', '08001'],
    ['connectionRejected', '08004'],
    ['connectionFailure', '08006'],
    ['protocolViolation', '08P01'],
    ['featureNotSupported', '0A000'],
    ['characterNotInRepertoire', '22021'],
    ['invalidParameterValue', '22023'],
    ['readOnlyTransaction', '25006'],
    ['invalidAuthorization', '28000'],
    ['insufficientPrivilege', '42501'],
    ['syntaxError', '42601'],
    ['tooManyConnections', '53300'],
    ['programLimitExceeded', '54000'],
    ['statementTooComplex', '54001'],
    ['queryCanceled', '57014'],
    ['adminShutdown', '57P01'],
    ['idleSessionTimeout', '57P05'],
    ['internalError', 'XX000'],
  ])('names %s', (name, code) => {
    expect(SQLSTATE).toHaveProperty(name, code);
  });

  test('has no code twice', () => {
    const codes = Object.values(SQLSTATE);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('ServiceError', () => {
  test('is an ERROR with nothing to add unless it is told more', () => {
    const error = new ServiceError('54000', 'Result cut');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'ServiceError',
      message: 'Result cut',
      sqlState: '54000',
      severity: 'ERROR',
      detail: undefined,
      hint: undefined,
      position: undefined,
    });
    expect('cause' in error).toBe(false);
  });

  test('keeps what it is told', () => {
    const cause = new Error('ECONNREFUSED 10.0.0.1');
    const options = {
      severity: 'FATAL',
      detail: 'The connection was refused',
      hint: 'Ask the operator',
      position: 7,
      cause,
    } as const;
    const error = new ServiceError('08001', 'Cannot connect', options);
    expect(error).toMatchObject(options);
    expect(error.cause).toBe(cause);
    expect(error.stack).toContain('errors.test.ts');
  });
});

describe('toServiceError', () => {
  test('leaves a ServiceError as it is', () => {
    const error = new ServiceError('42501', 'Not allowed');
    expect(toServiceError(error)).toBe(error);
  });

  test.each([
    ['an error', new TypeError('secret at 10.0.0.1')],
    ['a text', 'secret'],
    ['nothing', undefined],
    ['null', null],
    ['an object', { sqlState: '42501', message: 'secret' }],
  ])('shows nothing of %s that was thrown, and keeps it as the cause', (_name, thrown) => {
    const error = toServiceError(thrown);
    expect(error).toMatchObject({
      sqlState: 'XX000',
      severity: 'FATAL',
      message: 'Internal error in Gatepost',
      hint: 'The log line with this session id says what happened',
    });
    expect(error.cause).toBe(thrown);
    expect(JSON.stringify([error.message, error.hint, error.detail])).not.toContain('secret');
  });
});
