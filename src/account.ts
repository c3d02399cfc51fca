// Who may come in, and what for. Pure: decisions on one account.
import { TOKEN_SCOPES } from './api-tokens.ts';
import type { TokenScope } from './api-tokens.ts';
import type { Limits } from './config.ts';
import { ServiceError, SQLSTATE } from './errors.ts';

/** The databases behind the doors. */
export const BACKEND_NAMES = ['postgres', 'mongodb'] as const;

export type BackendName = (typeof BACKEND_NAMES)[number];

/** Bounds of one account, which only narrow a door's; undefined leaves the door's. */
export interface AccountLimits {
  readonly rowsMax: number | undefined;
  readonly bytesMax: number | undefined;
  readonly queryTimeoutMs: number | undefined;
  /** Sessions on the wire and requests over HTTP at a time, in each process. */
  readonly connectionsMax: number | undefined;
}

/** An account without its secret. */
export interface Account {
  /** UUID, never used again: another account of the same name has another one. */
  readonly id: string;
  readonly name: string;
  readonly scope: TokenScope;
  readonly isDisabled: boolean;
  readonly limits: AccountLimits;
  /** Undefined is all. */
  readonly backends: readonly BackendName[] | undefined;
  /** Names of databases, whichever backend they are of; undefined is all. */
  readonly databases: readonly string[] | undefined;
  /** Grows with every change of what is above and of the secret. */
  readonly revision: number;
  /** Grows with every new secret. */
  readonly secretRevision: number;
}

/** The lesser of two scopes. */
export function lesserScope(one: TokenScope, other: TokenScope): TokenScope {
  return TOKEN_SCOPES.indexOf(one) < TOKEN_SCOPES.indexOf(other) ? one : other;
}

/** A door's limits, narrowed by an account's. */
export function narrowToAccount(limits: Limits, { limits: own }: Account): Limits {
  return {
    ...limits,
    rowsMax: Math.min(limits.rowsMax, own.rowsMax ?? Infinity),
    bytesMax: Math.min(limits.bytesMax, own.bytesMax ?? Infinity),
    queryTimeoutMs: Math.min(limits.queryTimeoutMs, own.queryTimeoutMs ?? Infinity),
  };
}

/** Why an account may not use a backend, as FATAL 28000; undefined where it may. */
export function refuseBackend(account: Account, backend: string): ServiceError | undefined {
  if (account.backends === undefined || account.backends.some((name) => name === backend)) {
    return undefined;
  }
  return new ServiceError(
    SQLSTATE.invalidAuthorization,
    `account "${account.name}" is not allowed to use ${backend}`,
    { severity: 'FATAL', hint: `Its backends are ${account.backends.join(', ')}` },
  );
}

/** The same for a database, by its name. */
export function refuseDatabase(
  account: Pick<Account, 'name' | 'databases'>,
  database: string,
): ServiceError | undefined {
  if (account.databases === undefined || account.databases.includes(database)) {
    return undefined;
  }
  return new ServiceError(
    SQLSTATE.invalidAuthorization,
    `account "${account.name}" is not allowed to use database "${database}"`,
    { severity: 'FATAL', hint: `Its databases are ${account.databases.join(', ')}` },
  );
}
