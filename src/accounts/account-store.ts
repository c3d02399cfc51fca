// The accounts put together: what the doors, administrators and the service ask.
import type { Account } from '../account.ts';
import type { AccountAdministration, Accounts, FoundToken } from '../accounts.ts';
import { lesserScope } from '../account.ts';
import { hashToken, isApiToken } from '../api-tokens.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';
import type { Component } from '../lifecycle.ts';
import type { Observer } from '../observation.ts';
import { untilAborted } from '../until-aborted.ts';
import { AccountsDatabase } from './accounts-database.ts';
import type { Query } from './accounts-database.ts';
import type { AccountsPlace } from './accounts-schema.ts';
import { createAdministration } from './administration.ts';
import { ComputationGate } from './computation-gate.ts';
import { Directory } from './directory.ts';
import { LastSeen } from './last-seen.ts';
import { LoginBudget } from './login-budget.ts';
import { LoginObservations } from './login-observations.ts';
import { LoginDesk } from './login.ts';
import type { Migrated } from './migrations.ts';
import { Presences } from './presences.ts';
import { SeldomReport } from './seldom-report.ts';

const COMPONENT_NAME = 'accounts';

export interface AccountStoreOptions extends AccountsPlace {
  /** Rounds of PBKDF2 that new passwords are kept with. */
  readonly scramIterations: number;
  readonly observer: Observer;
  /** A monotonic clock in milliseconds; the process's own unless given. */
  readonly now?: () => number;
}

export interface AccountStore extends Component {
  readonly accounts: Accounts;
  /** @param actor who is told as the one who changed something */
  administration(actor: string): AccountAdministration;
  /**
   * What cookies of sessions are signed with: made at the first start, the same for all replicas.
   *
   * @throws ServiceError 08006 where they have never been read
   */
  sessionSecrets(): Promise<readonly string[]>;
  /**
   * As `start`, for whoever cannot go on without: a server that cannot be reached is an error.
   *
   * @throws ServiceError 08006; others, with what to do, where the schema cannot be used
   */
  open(signal: AbortSignal): Promise<Migrated>;
}

/** Accounts in PostgreSQL. Nothing is connected before `start`. */
export function createAccountStore(options: AccountStoreOptions): AccountStore {
  return new Store(options);
}

class Store implements AccountStore {
  readonly name = COMPONENT_NAME;
  readonly accounts: Accounts;
  readonly #options: AccountStoreOptions;
  readonly #database: AccountsDatabase;
  readonly #directory: Directory;
  readonly #presences: Presences;
  readonly #lastSeen: LastSeen;
  readonly #logins: LoginObservations;
  readonly #gate = new ComputationGate();
  /** Once there has been one: a schema that somebody drops does not open the doors. */
  #hasAny = false;

  constructor(options: AccountStoreOptions) {
    const { observer, now } = options;
    this.#options = options;
    const report = (message: string): void => {
      observer.observe({ kind: 'component-reported', component: COMPONENT_NAME, message });
    };
    this.#database = new AccountsDatabase({ ...options, report });
    const read: Query = async (text, values) => await this.#database.read(text, values);
    const unreadable = new SeldomReport(report, now);
    this.#directory = new Directory(read, now, ({ message, hint }) => {
      unreadable.tell(hint === undefined ? message : `${message}. ${hint}`);
    });
    this.#presences = new Presences({ directory: this.#directory, observer });
    this.#lastSeen = new LastSeen(this.#database, now);
    this.#logins = new LoginObservations(observer);
    this.accounts = this.#createAccounts();
  }

  async start(signal: AbortSignal): Promise<void> {
    try {
      await this.open(signal);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.sqlState !== SQLSTATE.connectionFailure) {
        throw error;
      }
      signal.throwIfAborted();
      this.#database.keepTrying(error);
    }
  }

  async open(signal: AbortSignal): Promise<Migrated> {
    return await this.#database.open(signal);
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#presences.close();
    this.#logins.close();
    // Nothing that anybody waits for; at the deadline it is left.
    await untilAborted(this.#lastSeen.flush(), deadline).catch(() => undefined);
    await this.#database.close();
  }

  administration(actor: string): AccountAdministration {
    const { scramIterations: iterations, observer } = this.#options;
    return createAdministration(
      {
        database: this.#database,
        gate: this.#gate,
        iterations,
        observer,
        onChanged: (id) => {
          this.#directory.forget(id);
        },
      },
      actor,
    );
  }

  sessionSecrets(): Promise<readonly string[]> {
    return Promise.resolve().then(() => [this.#database.keys.sessionSecret]);
  }

  #createAccounts(): Accounts {
    const { scramIterations: iterations, now } = this.#options;
    const desk = new LoginDesk({
      directory: this.#directory,
      budget: new LoginBudget(now),
      gate: this.#gate,
      lastSeen: this.#lastSeen,
      observations: this.#logins,
      mockKey: () => this.#database.keys.mockKey,
      iterations,
    });
    return {
      beginLogin: async (name, origin) => await desk.beginLogin(name, origin),
      logIn: async (name, password, origin) => await desk.logIn(name, password, origin),
      find: async (id) => await this.#directory.findAccount(id),
      findToken: async (presented) => await this.#findToken(presented),
      hasAny: async () => (this.#hasAny ||= await this.#directory.hasAny()),
      enter: (account: Account, onRevoked) => this.#presences.enter(account, onRevoked),
    };
  }

  async #findToken(presented: string): Promise<FoundToken | undefined> {
    if (!isApiToken(presented)) {
      return undefined;
    }
    const found = await this.#directory.findToken(hashToken(presented));
    if (found === undefined || found.account.isDisabled) {
      return undefined;
    }
    const { id, name, scope, expiresAt, account } = found;
    this.#lastSeen.note('token', id);
    this.#lastSeen.note('account', account.id);
    return { id, name, account, scope: lesserScope(scope, account.scope), expiresAt };
  }
}
