// The seam between the doors and the accounts: who proves to be whom, and until when.
import type { Account, AccountLimits, BackendName } from './account.ts';
import type { TokenScope } from './api-tokens.ts';
import type { ServiceError } from './errors.ts';
import type { ScramVerifier } from './scram-verifier.ts';

/** Where somebody tries to log in. */
export interface LoginOrigin {
  /** Name of the listener, or HTTP_DOOR. */
  readonly door: string;
  /** The client's address without port. */
  readonly address: string;
}

/** One try to log in, begun. Exactly one of its methods is called, once. */
export interface LoginAttempt {
  /** Of the account, or of nobody: a name that is not known costs and looks the same. */
  readonly verifier: ScramVerifier;
  /**
   * Settles the try: counted, observed, and the account's last seen noted.
   *
   * @param isProven whether the secret has been proved against the verifier
   * @param refuse why the account, which has proved it, may not come in here; undefined if it may
   * @throws ServiceError FATAL 28P01 where it has not; FATAL 28000 where it has, and the account
   *   is disabled; FATAL 53300 where too much has failed while this try was under way; what
   *   `refuse` returns
   */
  finish(isProven: boolean, refuse?: (account: Account) => ServiceError | undefined): Account;
  /** The client left before it proved anything: psql does so to ask for the password. */
  abandon(): void;
}

/** An account that is using a door. */
export interface Presence {
  /** To be called once, when it does no longer. */
  leave(): void;
}

/** What a presented token stands for. */
export interface FoundToken {
  readonly id: string;
  readonly name: string;
  readonly account: Account;
  /** Never above the account's. */
  readonly scope: TokenScope;
  /** Undefined for a token that does not expire. */
  readonly expiresAt: Date | undefined;
}

/** What the doors ask. */
export interface Accounts {
  /**
   * @throws ServiceError FATAL 53300 where this name or address has failed too often; FATAL 08006
   *   while accounts cannot be read
   */
  beginLogin(name: string, origin: LoginOrigin): Promise<LoginAttempt>;
  /**
   * Logs in with a password: the same as beginLogin, SCRAM's computation and finish.
   *
   * @throws ServiceError of both
   */
  logIn(name: string, password: string, origin: LoginOrigin): Promise<Account>;
  /**
   * The account as it is now, a second old at most; disabled ones too.
   *
   * @throws ServiceError 08006 when that cannot be told: nobody is let in on old knowledge
   */
  find(id: string): Promise<Account | undefined>;
  /** The token of an account that may come in, if this is one; the same age, the same errors. */
  findToken(presented: string): Promise<FoundToken | undefined>;
  /** Whether there is any account: from then on nobody is served without saying who he is. */
  hasAny(): Promise<boolean>;
  /**
   * Notes that an account uses a door, until `leave`.
   *
   * @param onRevoked called once, within 5 s after the account was disabled, deleted or changed in
   *   any process, with what the client is to be told (FATAL 57P01)
   * @throws ServiceError FATAL 53300 at the account's own limit of connections
   */
  enter(account: Account, onRevoked: (reason: ServiceError) => void): Presence;
}

/** An account as it is listed. */
export interface ShownAccount extends Account {
  readonly createdAt: Date;
  readonly lastSeenAt: Date | undefined;
  /** Set where its row cannot be read: it lets nobody in, and the rest is not told. */
  readonly isUnreadable?: true;
}

/** A secret that is to be kept: a password, or a verifier of PostgreSQL's form (RFC 5803). */
export type NewSecret = { readonly password: string } | { readonly verifier: string };

export interface AccountChanges {
  readonly scope?: TokenScope;
  readonly isDisabled?: boolean;
  readonly limits?: Partial<AccountLimits>;
  readonly backends?: readonly BackendName[] | undefined;
  readonly databases?: readonly string[] | undefined;
}

export interface NewAccount extends Omit<AccountChanges, 'isDisabled'> {
  readonly name: string;
  readonly secret: NewSecret;
  readonly scope: TokenScope;
}

/** A token as it is listed; the token itself is shown when it is made, and never again. */
export interface ShownToken {
  readonly id: string;
  readonly name: string;
  /** Its beginning, for recognition. */
  readonly prefix: string;
  readonly scope: TokenScope;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  readonly lastUsedAt: Date | undefined;
}

export interface NewToken {
  readonly name: string;
  /** At most the account's. */
  readonly scope: TokenScope;
  /** Undefined for a token that does not expire. */
  readonly expiresAt: Date | undefined;
}

/**
 * What the command line and administrators ask. Every method throws ServiceError: 42704 for a name
 * that is not there, 42710 for one that is, 22023 for what cannot be, 55006 where it would leave no
 * administrator, 08006 while accounts cannot be read.
 */
export interface AccountAdministration {
  list(): Promise<readonly ShownAccount[]>;
  create(account: NewAccount): Promise<ShownAccount>;
  change(name: string, changes: AccountChanges): Promise<ShownAccount>;
  setSecret(name: string, secret: NewSecret): Promise<ShownAccount>;
  remove(name: string): Promise<void>;
  listTokens(name: string): Promise<readonly ShownToken[]>;
  createToken(
    name: string,
    token: NewToken,
  ): Promise<{ readonly token: string; readonly shown: ShownToken }>;
  /** False when the account has no such token. */
  revokeToken(name: string, id: string): Promise<boolean>;
}
