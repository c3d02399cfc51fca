// What accounts say, as answers over HTTP.
import type { Account } from '../src/account.ts';
import { ServiceError } from '../src/errors.ts';
import type { RequestContext } from './request-context.ts';
import { RequestError } from './request-error.ts';
import { StatementProblem } from './statement-problem.ts';
import type { WebSessions } from './web-sessions.ts';

/** Where the refusal does not say when to come again. */
const LOGIN_RETRY_SECONDS = 5;

/** What administration says, where it means something else than the same of a statement. */
const STATUS_BY_SQLSTATE: ReadonlyMap<string, number> = new Map([
  ['22023', 422],
  ['42704', 404],
  ['42710', 409],
  ['55006', 409],
]);

/**
 * What the administration of accounts comes to.
 *
 * @throws StatementProblem, or what it throws
 */
export async function administered<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (thrown) {
    const status =
      thrown instanceof ServiceError ? STATUS_BY_SQLSTATE.get(thrown.sqlState) : undefined;
    throw thrown instanceof ServiceError && status !== undefined
      ? new StatementProblem(thrown, { status })
      : thrown;
  }
}

/** What a try to log in that has failed is answered with, where the failure is the client's. */
export function toLoginProblem(thrown: unknown): unknown {
  if (!(thrown instanceof ServiceError)) {
    return thrown;
  }
  switch (thrown.sqlState) {
    case '28P01':
      // The same words for a wrong password and a name that is not known.
      return new RequestError(401, 'The name or the password is wrong', {
        headers: { 'WWW-Authenticate': 'Bearer realm="gatepost"' },
      });
    case '28000':
      return new RequestError(403, 'The account is disabled', {
        hint: 'An administrator can enable it again',
      });
    case '53300':
      return new RequestError(429, 'Too many tries to log in', {
        ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
        headers: { 'Retry-After': `${thrown.retryAfterSeconds ?? LOGIN_RETRY_SECONDS}` },
      });
    default:
      return thrown;
  }
}

/** @throws RequestError 403 for a caller that is no account */
export function accountOf({ account, caller }: RequestContext): Account {
  if (account === undefined) {
    throw new RequestError(403, `This is for accounts, and ${caller} is none`, {
      hint: 'Log in with POST /auth/login, or send a token of an account',
    });
  }
  return account;
}

/** What a token is told that is not enough. */
export const PASSWORD_HINT = 'Log in with the password: POST /auth/login';

/** Whoever has found a token has no say on what its owner has besides. */
export function passwordNeededError(message: string): RequestError {
  return new RequestError(403, message, { hint: PASSWORD_HINT });
}

/**
 * The account whose password has been given, in whatever session.
 *
 * @throws RequestError 403 for a caller that is no account, and for a token
 */
export function loggedInAccountOf(context: RequestContext): Account {
  const account = accountOf(context);
  if (context.token !== undefined) {
    throw passwordNeededError('Sessions are not for tokens to see or to end');
  }
  return account;
}

/** @throws RequestError 503 where nobody can log in over HTTP */
export function sessionsOr503(sessions: WebSessions | undefined): WebSessions {
  if (sessions === undefined) {
    throw new RequestError(503, 'Nobody can log in over HTTP here: sessions need a MongoDB', {
      hint: 'Set ACTIVITY_MONGODB_URI or MONGODB_URI, or send a token: Authorization: Bearer ...',
      headers: { 'Retry-After': '60' },
    });
  }
  return sessions;
}

/** What any of these paths is answered with where there are no accounts. */
export function noAccountsError(): RequestError {
  return new RequestError(404, 'There are no accounts here', {
    hint: 'The setting ACCOUNTS=on keeps them in PostgreSQL',
  });
}
