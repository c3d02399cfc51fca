import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { DatabaseError } from 'pg';
import {
  describeFailure,
  isSchemaGone,
  isServerAway,
  unavailableError,
} from '../../../src/accounts/accounts-errors.ts';
import { ServiceError } from '../../../src/errors.ts';

/** What `pg` throws for an error of the server. */
function answer(code: string, message: string, more: Partial<DatabaseError> = {}): DatabaseError {
  return Object.assign(new DatabaseError(message, 0, 'error'), { code, ...more });
}

const REFUSED = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
  code: 'ECONNREFUSED',
});

const DUPLICATE = answer('23505', 'duplicate key value violates "accounts_key"', {
  detail: 'Key (name)=(secret) already exists.',
  table: 'accounts',
  constraint: 'accounts_key',
});

describe('describeFailure', () => {
  test.each<readonly [unknown, string]>([
    [REFUSED, 'connect ECONNREFUSED 127.0.0.1:1'],
    [Object.assign(new AggregateError([REFUSED]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [answer('28P01', 'password authentication failed'), 'password authentication failed (28P01)'],
    [answer('57P03', 'it is starting up'), 'it is starting up (57P03)'],
    [DUPLICATE, 'PostgreSQL answered 23505 at accounts, accounts_key'],
    [answer('22P02', 'invalid input syntax for type uuid: "secret"'), 'PostgreSQL answered 22P02'],
    [new ServiceError('08006', 'Away', { cause: REFUSED }), `Away: ${REFUSED.message}`],
    [new ServiceError('08006', 'Away'), 'Away'],
    ['a text', 'unknown error'],
  ])('of %p', (thrown, expected) => {
    const described = describeFailure(thrown);
    expect(described).toBe(expected);
    expect(described).not.toContain('secret');
  });
});

describe('isServerAway', () => {
  test.each<readonly [unknown, boolean]>([
    [REFUSED, true],
    [new Error('Connection terminated'), true],
    [answer('57P01', 'terminating connection'), true],
    [answer('08006', ''), true],
    [answer('28P01', ''), true],
    [answer('3D000', ''), true],
    // One statement was slow, or one connection too many: the next may do.
    [answer('57014', 'canceling statement due to statement timeout'), false],
    [answer('53300', 'too many clients'), false],
    // All connections of the pool are in use.
    [new Error('timeout exceeded when trying to connect'), false],
    [new Error('Connection terminated due to connection timeout'), true],
    [DUPLICATE, false],
    [answer('42P01', ''), false],
  ])('of %p is %s', (thrown, expected) => {
    expect(isServerAway(thrown)).toBe(expected);
  });
});

describe('unavailableError', () => {
  test('shows nothing of the server, and keeps nothing of what was asked', () => {
    const error = unavailableError(DUPLICATE);
    expect(error).toMatchObject({
      ...{ sqlState: '08006', severity: 'FATAL', message: 'Accounts cannot be read' },
      detail: undefined,
    });
    expect(inspect(error, { depth: 9 })).not.toContain('secret');
    expect(inspect(error, { depth: 9 })).toContain('23505');
  });
});

describe('isSchemaGone', () => {
  test.each<readonly [unknown, boolean]>([
    [answer('42P01', ''), true],
    [answer('3F000', ''), true],
    [answer('3D000', ''), false],
    [DUPLICATE, false],
    [REFUSED, false],
  ])('of %p is %s', (thrown, expected) => {
    expect(isSchemaGone(thrown)).toBe(expected);
  });
});
