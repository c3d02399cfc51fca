import { describe, expect, it, test } from '@jest/globals';
import {
  accountOf,
  administered,
  noAccountsError,
  sessionsOr503,
  toLoginProblem,
} from '../../../routes/account-problems.ts';
import { RequestError } from '../../../routes/request-error.ts';
import { StatementProblem } from '../../../routes/statement-problem.ts';
import { ServiceError } from '../../../src/errors.ts';

describe('a login that fails', () => {
  test.each([
    ['28P01', 401, {}, { 'WWW-Authenticate': 'Bearer realm="gatepost"' }],
    ['28000', 403, {}, {}],
    ['53300', 429, { hint: 'Try again', retryAfterSeconds: 7 }, { 'Retry-After': '7' }],
    ['53300', 429, { hint: 'Close one of its 4 connections' }, { 'Retry-After': '5' }],
    ['53300', 429, {}, { 'Retry-After': '5' }],
  ])('with %s is %d', (sqlState, status, options, headers) => {
    const thrown = new ServiceError(sqlState, 'authentication failed for user "ada"', options);
    const problem = toLoginProblem(thrown);
    expect(problem).toBeInstanceOf(RequestError);
    expect(problem).toMatchObject({ status, headers });
    // Whom it was about, the client knows; the answer says the same of everybody.
    expect(problem).not.toMatchObject({ message: expect.stringContaining('ada') });
  });

  test.each([new ServiceError('08006', 'away'), new Error('a bug'), 'a text'])(
    'for another reason stays that: %s',
    (thrown) => {
      expect(toLoginProblem(thrown)).toBe(thrown);
    },
  );
});

describe('administration', () => {
  test.each([
    ['22023', 422],
    ['42704', 404],
    ['42710', 409],
    ['55006', 409],
  ])('that says %s is answered with %d', async (sqlState, status) => {
    const error = new ServiceError(sqlState, 'no');
    const problem = administered(Promise.reject(error));
    await expect(problem).rejects.toBeInstanceOf(StatementProblem);
    await expect(problem).rejects.toMatchObject({ status, error });
  });

  test.each([new ServiceError('08006', 'away'), new Error('a bug')])(
    'that fails otherwise fails so: %s',
    async (error) => {
      await expect(administered(Promise.reject(error))).rejects.toBe(error);
    },
  );

  it('that works is what it is', async () => {
    await expect(administered(Promise.resolve(5))).resolves.toBe(5);
  });
});

it('is for accounts, and says who is none', () => {
  const context = {
    ...{ requestId: 'id', address: '', signal: new AbortController().signal },
    ...{ caller: 'ci', scope: 'admin' as const },
  };
  expect(() => accountOf(context)).toThrow('This is for accounts, and ci is none');
});

it('names the settings that are missing', () => {
  expect(noAccountsError()).toMatchObject({
    status: 404,
    hint: expect.stringContaining('ACCOUNTS=on'),
  });
  expect(() => sessionsOr503(undefined)).toThrow(
    expect.objectContaining({ status: 503, hint: expect.stringContaining('MONGODB_URI') }),
  );
});
