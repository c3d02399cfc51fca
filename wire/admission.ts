// What a client must show before it has a session, and what it may do in it.
import { narrowToAccount, refuseBackend, refuseDatabase } from '../src/account.ts';
import type { Account } from '../src/account.ts';
import type { Accounts, Presence } from '../src/accounts.ts';
import type { Backend, Startup } from '../src/backends/backend.ts';
import type { Limits } from '../src/config.ts';
import type { ServiceError } from '../src/errors.ts';
import type { SqlPolicy } from '../src/guardrails/sql-policy.ts';
import type { Observer } from '../src/observation.ts';
import { authenticate } from './authentication.ts';
import type { FrontendConnection } from './frontend-connection.ts';

/** What the listener lets in by. */
export interface Door {
  readonly listener: string;
  readonly backend: Backend;
  readonly limits: Limits;
  /** By what the session may do: an account may narrow it, and nothing widens it. */
  readonly policies: Readonly<Record<'read-write' | 'read-only', SqlPolicy | undefined>>;
  /** Who is asked who clients are; undefined where nobody is. */
  readonly accounts: Accounts | undefined;
  readonly observer: Observer;
}

/** A client that may have its session. */
export interface Admission {
  /** As it was asked for, with what the account makes of it. */
  readonly startup: Startup;
  readonly limits: Limits;
  readonly policy: SqlPolicy | undefined;
  /** As in SessionIdentity. */
  readonly owner: string | undefined;
  /** To be left when the session ends. */
  readonly presence: Presence | undefined;
}

export interface AdmissionOptions {
  readonly door: Door;
  readonly connection: FrontendConnection;
  readonly startup: Startup;
  readonly signal: AbortSignal;
  /**
   * Takes a place, now that the client has proved who it is or that nobody asks.
   *
   * @throws ServiceError FATAL 53300 when there is none
   */
  readonly takePlace: () => void;
  /** Called when the account is not to be served any more. */
  readonly onRevoked: (reason: ServiceError) => void;
}

/**
 * Lets a client in.
 *
 * @returns undefined when it left before it had proved anything
 * @throws ServiceError FATAL, ProtocolError
 */
export async function admitClient(options: AdmissionOptions): Promise<Admission | undefined> {
  const { door, connection, startup, signal, takePlace, onRevoked } = options;
  const { accounts, listener, limits, policies } = door;
  if (accounts === undefined) {
    takePlace();
    const policy = policies['read-write'];
    return { startup, limits, policy, owner: undefined, presence: undefined };
  }
  const { user: name, address } = startup;
  const origin = { door: listener, address };
  const refuse = (one: Account): ServiceError | undefined => refuseForeign(one, door, startup);
  const account = await authenticate({ accounts, connection, name, origin, refuse, signal });
  if (account === undefined) {
    return undefined;
  }
  takePlace();
  const presence = accounts.enter(account, onRevoked);
  const access = account.scope === 'read' ? 'read-only' : undefined;
  return {
    startup: {
      ...startup,
      database: startup.database ?? namesakeOf(account, name),
      user: account.name,
      account: account.name,
      access,
      databases: account.databases,
    },
    limits: narrowToAccount(limits, account),
    policy: policies[access ?? 'read-write'],
    owner: `account:${account.id}`,
    presence,
  };
}

/**
 * Only who has proved to be an account hears where it may not go. A database that the client did
 * not name is its backend's to judge.
 */
function refuseForeign(
  account: Account,
  door: Door,
  { database }: Startup,
): ServiceError | undefined {
  return (
    refuseBackend(account, door.backend.name) ??
    (database === undefined ? undefined : refuseDatabase(account, database))
  );
}

/**
 * psql names the user's own database when it is told nothing: nobody can tell whether it was. An
 * account that may use a database of its name means that one.
 */
function namesakeOf({ name, databases }: Account, typedName: string): string | undefined {
  return [typedName, name].find((one) => databases?.includes(one));
}
