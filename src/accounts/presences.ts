// Who is using the doors of this process, and who may not any longer.
import type { Account } from '../account.ts';
import type { Presence } from '../accounts.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';
import type { Observer } from '../observation.ts';
import type { Directory } from './directory.ts';

/** Between two looks at the accounts that are present, which others may have changed. */
const POLL_MS = 1000;

/** A row that cannot be read is a change, whatever it says; no account has this revision. */
const UNREADABLE = { isDisabled: false, revision: NaN };

type OnRevoked = (reason: ServiceError) => void;

interface Present {
  readonly account: Account;
  readonly onRevoked: OnRevoked;
  isRevoked: boolean;
}

export interface PresencesOptions {
  readonly directory: Pick<Directory, 'readAccounts'>;
  readonly observer: Observer;
}

export class Presences {
  readonly #options: PresencesOptions;
  readonly #byAccount = new Map<string, Set<Present>>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: PresencesOptions) {
    this.#options = options;
  }

  /** @throws ServiceError FATAL 53300 at the account's own limit */
  enter(account: Account, onRevoked: OnRevoked): Presence {
    const others = this.#byAccount.get(account.id) ?? new Set();
    const connectionsMax = account.limits.connectionsMax ?? Infinity;
    if (others.size >= connectionsMax) {
      throw new ServiceError(
        SQLSTATE.tooManyConnections,
        `too many connections for account "${account.name}"`,
        { severity: 'FATAL', hint: `It may have ${connectionsMax} at a time: close one of them` },
      );
    }
    const present: Present = { account, onRevoked, isRevoked: false };
    others.add(present);
    this.#byAccount.set(account.id, others);
    this.#schedule();
    return {
      leave: () => {
        this.#leave(present);
      },
    };
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #leave(present: Present): void {
    const { id } = present.account;
    const others = this.#byAccount.get(id);
    others?.delete(present);
    if (others?.size === 0) {
      this.#byAccount.delete(id);
    }
  }

  /** The timer goes on for one more look than there are presences: requests come and go. */
  #schedule(): void {
    if (this.#timer !== undefined || this.#isClosed) {
      return;
    }
    this.#timer = setTimeout(() => {
      void this.#poll().finally(() => {
        this.#timer = undefined;
        if (this.#byAccount.size > 0) {
          this.#schedule();
        }
      });
    }, POLL_MS).unref();
  }

  async #poll(): Promise<void> {
    // Only those who are here before it is asked: the answer is newer than what let them in.
    const present = [...this.#byAccount.values()].flatMap((ones) => [...ones]);
    if (present.length === 0) {
      return;
    }
    try {
      const ids = [...this.#byAccount.keys()];
      const accounts = await this.#options.directory.readAccounts(ids);
      for (const one of present) {
        const { id } = one.account;
        this.#judge(one, accounts.get(id) ?? (accounts.has(id) ? UNREADABLE : undefined));
      }
    } catch (error) {
      if (!(error instanceof ServiceError)) {
        this.#options.observer.observe({ kind: 'fault', component: 'accounts', error });
      }
      // Who is in stays in until the accounts can be read again.
    }
  }

  #judge(present: Present, now: Pick<Account, 'isDisabled' | 'revision'> | undefined): void {
    const why = whyRevoked(present.account, now);
    if (why === undefined || present.isRevoked) {
      return;
    }
    present.isRevoked = true;
    const isHere = this.#byAccount.get(present.account.id)?.has(present) === true;
    if (!isHere) {
      return;
    }
    try {
      present.onRevoked(
        new ServiceError(SQLSTATE.adminShutdown, `terminating connection: the account was ${why}`, {
          severity: 'FATAL',
          hint: 'Log in again, or ask an administrator of Gatepost',
        }),
      );
    } catch (error) {
      this.#options.observer.observe({ kind: 'fault', component: 'accounts', error });
    }
  }
}

/** What has happened to an account since it came in; undefined where nothing has. */
function whyRevoked(
  then: Account,
  now: Pick<Account, 'isDisabled' | 'revision'> | undefined,
): string | undefined {
  if (now === undefined) {
    return 'deleted';
  }
  if (now.isDisabled) {
    return 'disabled';
  }
  // Not "greater": a database that was restored has gone back.
  return now.revision === then.revision ? undefined : 'changed';
}
