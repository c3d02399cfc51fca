// What an account, a secret or a token may be. Pure.
import { BACKEND_NAMES } from '../account.ts';
import type { Account, AccountLimits } from '../account.ts';
import type { AccountChanges, NewAccount, NewToken } from '../accounts.ts';
import { isTokenName, TOKEN_NAME_FORM, TOKEN_SCOPES } from '../api-tokens.ts';
import type { TokenScope } from '../api-tokens.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';
import { formatScramVerifier, parseScramVerifier } from '../scram-verifier.ts';
import { ITERATIONS_MAX, ITERATIONS_MIN, PASSWORD_BYTES_MAX } from '../scram-verifier.ts';

/** Shorter new passwords are refused; NIST SP 800-63B asks for no less. */
const PASSWORD_CHARACTERS_MIN = 8;

/** Longer than any salt that servers make. */
const VERIFIER_LENGTH_MAX = 1024;

/** As long as PostgreSQL's and MongoDB's names of databases get. */
const DATABASE_NAME_BYTES_MAX = 63;

const DATABASES_MAX = 100;

const LIMITS: Readonly<Record<keyof AccountLimits, string>> = {
  rowsMax: 'The limit of rows',
  bytesMax: 'The limit of bytes',
  queryTimeoutMs: 'The time limit of a query',
  connectionsMax: 'The limit of connections',
};

/** @throws ServiceError 22023 */
export function assertNewAccount({ name, ...account }: NewAccount): void {
  if (!isTokenName(name)) {
    throw refusal(`The name of an account takes ${TOKEN_NAME_FORM}`);
  }
  assertScope(account.scope);
  assertChanges(account);
}

/** @throws ServiceError 22023 */
export function assertChanges({ scope, limits, backends, databases }: AccountChanges): void {
  if (scope !== undefined) {
    assertScope(scope);
  }
  for (const [name, value] of Object.entries(limits ?? {})) {
    const title = Object.entries(LIMITS).find(([limit]) => limit === name)?.[1];
    if (
      title === undefined ||
      (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
    ) {
      throw refusal(`${title ?? 'A limit of an account'} is a whole number above 0`);
    }
  }
  assertList(backends, 'backend', (name) => BACKEND_NAMES.some((known) => known === name));
  assertList(databases, 'database', isDatabaseName);
}

/** @throws ServiceError 22023 where it is not well-formed, or opens more than its account may */
export function assertNewToken({ name, scope }: NewToken, account: Account): void {
  if (!isTokenName(name)) {
    throw refusal(`The name of a token takes ${TOKEN_NAME_FORM}`);
  }
  assertScope(scope);
  if (TOKEN_SCOPES.indexOf(scope) > TOKEN_SCOPES.indexOf(account.scope)) {
    throw refusal(
      `A token of scope ${scope} would open more than account "${account.name}" may, whose scope ` +
        `is ${account.scope}`,
    );
  }
}

/** @throws ServiceError 22023 */
export function assertPassword(password: string): void {
  const bytes = Buffer.from(password, 'utf8');
  if (bytes.length > PASSWORD_BYTES_MAX) {
    throw refusal(`A password has at most ${PASSWORD_BYTES_MAX} bytes`);
  }
  if (password.includes('\0') || bytes.toString('utf8') !== password) {
    throw refusal('A password has no character NUL, and is well-formed Unicode');
  }
  // By code points: a letter outside the basic plane is one.
  if (Array.from(password).length < PASSWORD_CHARACTERS_MIN) {
    throw refusal(`A new password has at least ${PASSWORD_CHARACTERS_MIN} characters`);
  }
}

/**
 * The verifier as it is kept.
 *
 * @throws ServiceError 22023; also for one of fewer rounds than RFC 7677 asks for, which would let
 *   whoever reads it once guess the password soon
 */
export function normalizeVerifier(text: string): string {
  const trimmed = text.trim();
  const verifier = trimmed.length <= VERIFIER_LENGTH_MAX ? parseScramVerifier(trimmed) : undefined;
  if (verifier === undefined) {
    throw refusal(
      'A verifier has the form SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, as ' +
        `pg_authid.rolpassword of PostgreSQL has it, and at most ${ITERATIONS_MAX} iterations`,
    );
  }
  if (verifier.iterations < ITERATIONS_MIN) {
    throw refusal(
      `The verifier has ${verifier.iterations} iterations, and ${ITERATIONS_MIN} are the least: ` +
        'set the password anew instead',
    );
  }
  return formatScramVerifier(verifier);
}

function assertScope(scope: TokenScope): void {
  if (!TOKEN_SCOPES.includes(scope)) {
    throw refusal(`A scope is ${TOKEN_SCOPES.join(', ')}`);
  }
}

function assertList(
  list: readonly string[] | undefined,
  title: string,
  isName: (name: string) => boolean,
): void {
  if (list === undefined) {
    return;
  }
  if (list.length === 0) {
    throw refusal(`A list of ${title}s names at least one; leave it out for all`);
  }
  if (list.length > DATABASES_MAX || new Set(list).size !== list.length) {
    throw refusal(`A list of ${title}s has each of them once, and at most ${DATABASES_MAX}`);
  }
  const wrong = list.find((name) => !isName(name));
  if (wrong !== undefined) {
    throw refusal(`${JSON.stringify(wrong.slice(0, 80))} is no ${title}`);
  }
}

function isDatabaseName(name: string): boolean {
  const bytes = Buffer.byteLength(name);
  return bytes > 0 && bytes <= DATABASE_NAME_BYTES_MAX && !name.includes('\0');
}

function refusal(message: string): ServiceError {
  return new ServiceError(SQLSTATE.invalidParameterValue, message);
}
