import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../src/errors.ts';
import { httpStatusOf, retryAfterSeconds, sqlStateOf } from '../../src/http-status.ts';

/** SQLSTATE, what it is, status, seconds of Retry-After. */
const SQLSTATES = [
  ['08001', 'could not connect', 503, 5],
  ['08006', 'connection lost', 503, 5],
  ['08P01', 'wrong count of parameters', 400, undefined],
  ['0A000', 'feature not supported', 400, undefined],
  ['22012', 'division by zero', 400, undefined],
  ['22023', 'invalid parameter value', 400, undefined],
  ['22P02', 'invalid text', 400, undefined],
  ['23502', 'not null', 422, undefined],
  ['23503', 'foreign key', 409, undefined],
  ['23505', 'unique', 409, undefined],
  ['23514', 'check', 422, undefined],
  ['23P01', 'exclusion', 409, undefined],
  ['25001', 'active transaction', 400, undefined],
  ['25006', 'read-only', 403, undefined],
  ['28P01', 'password of the gate', 502, undefined],
  ['2BP01', 'dependent objects', 409, undefined],
  ['34000', 'cursor not found', 410, undefined],
  ['3D000', 'no such database', 404, undefined],
  ['3F000', 'no such schema', 404, undefined],
  ['40001', 'serialization', 409, 1],
  ['40P01', 'deadlock', 409, 1],
  ['42501', 'denied', 403, undefined],
  ['42601', 'syntax', 400, undefined],
  ['42703', 'no such column', 400, undefined],
  ['42804', 'type mismatch', 400, undefined],
  ['42P01', 'no such table', 404, undefined],
  ['42P07', 'table exists', 409, undefined],
  ['44000', 'check option', 422, undefined],
  ['53200', 'out of memory', 503, 5],
  ['53300', 'too many connections', 503, 5],
  ['54000', 'limit', 413, undefined],
  ['54001', 'too complex', 413, undefined],
  ['55P03', 'lock not available', 409, 1],
  ['57014', 'canceling statement due to user request', 409, undefined],
  ['57014', 'canceling statement due to query timeout', 504, undefined],
  ['57014', 'canceling statement due to statement timeout', 504, undefined],
  ['57P01', 'shutdown', 503, 5],
  ['57P03', 'starting', 503, 5],
  ['58030', 'I/O error', 500, undefined],
  ['P0001', 'raised by a function', 400, undefined],
  ['XX000', 'internal', 500, undefined],
  ['ZZ123', "a user's own", 400, undefined],
] as const;

/** Codes of MongoDB with their names. */
const SERVER_CODES = [
  [1, 'InternalError', 500, undefined],
  [2, 'BadValue', 400, undefined],
  [9, 'FailedToParse', 400, undefined],
  [13, 'Unauthorized', 403, undefined],
  [14, 'TypeMismatch', 400, undefined],
  [18, 'AuthenticationFailed', 502, undefined],
  [26, 'NamespaceNotFound', 404, undefined],
  [43, 'CursorNotFound', 410, undefined],
  [48, 'NamespaceExists', 409, undefined],
  [50, 'MaxTimeMSExpired', 504, undefined],
  [112, 'WriteConflict', 409, 1],
  [121, 'DocumentValidationFailure', 422, undefined],
  [146, 'ExceededMemoryLimit', 503, 5],
  [189, 'PrimarySteppedDown', 503, 5],
  [237, 'CursorKilled', 409, undefined],
  [292, 'QueryExceededMemoryLimitNoDiskUseAllowed', 503, 5],
  [10334, 'BSONObjectTooLarge', 413, undefined],
  [11000, 'DuplicateKey', 409, undefined],
  [11601, 'Interrupted', 409, undefined],
  [40324, 'unrecognized stage', 400, undefined],
] as const;

describe('sqlStateOf', () => {
  test.each([
    [11000, 'XX000', '23505'],
    [121, 'XX000', '23514'],
    [112, 'XX000', '40001'],
    [50, 'XX000', '57014'],
    [26, 'XX000', '42P01'],
    [43, 'XX000', '34000'],
    // Those that SQL has no word for.
    [40324, 'XX000', 'XX000'],
    [8, 'XX000', 'XX000'],
    [11000, '42501', '42501'],
    [undefined, 'XX000', 'XX000'],
    [undefined, '23505', '23505'],
  ])("calls MongoDB's %p beside %s %s", (serverCode, sqlState, expected) => {
    expect(sqlStateOf(new ServiceError(sqlState, 'x', { serverCode }))).toBe(expected);
  });

  test("says nothing else than the status of MongoDB's code", () => {
    for (const [serverCode, name, status] of SERVER_CODES) {
      const error = new ServiceError('XX000', name, { serverCode });
      const isNamed = sqlStateOf(error) !== 'XX000';
      // Out of time and cancelled are one SQLSTATE; the code tells them apart.
      const alone = new ServiceError(sqlStateOf(error), serverCode === 50 ? 'timeout' : name);
      expect([name, isNamed ? httpStatusOf(alone) : status]).toEqual([name, status]);
    }
  });
});

describe('httpStatusOf', () => {
  test.each(SQLSTATES)('%s (%s) is %d', (sqlState, message, status, seconds) => {
    const error = new ServiceError(sqlState, message);
    expect(httpStatusOf(error)).toBe(status);
    expect(retryAfterSeconds(error)).toBe(seconds);
  });

  test.each(SERVER_CODES)("MongoDB's %d %s is %d", (serverCode, name, status, seconds) => {
    const error = new ServiceError('XX000', name, { serverCode });
    expect(httpStatusOf(error)).toBe(status);
    expect(retryAfterSeconds(error)).toBe(seconds);
  });

  test("believes MongoDB's code before the SQLSTATE", () => {
    expect(httpStatusOf(new ServiceError('53300', 'x', { serverCode: 11000 }))).toBe(409);
  });
});
