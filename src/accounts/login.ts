// Logging in: the same steps, the same time and the same words, whatever was wrong.
import type { Account } from '../account.ts';
import type { LoginAttempt, LoginOrigin } from '../accounts.ts';
import { toAddressKey } from '../address-key.ts';
import { isTokenName } from '../api-tokens.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';
import type { LoginOutcome } from '../observation.ts';
import { isPasswordOf } from '../scram-verifier.ts';
import type { ScramVerifier } from '../scram-verifier.ts';
import type { AccountWithVerifier } from './account-rows.ts';
import type { ComputationGate } from './computation-gate.ts';
import type { Directory } from './directory.ts';
import type { LastSeen } from './last-seen.ts';
import { throttledError } from './login-budget.ts';
import type { LoginBudget, PendingTry } from './login-budget.ts';
import type { LoginObservations } from './login-observations.ts';
import { createMockVerifier } from './mock-verifier.ts';

export interface LoginDeskOptions {
  readonly directory: Pick<Directory, 'findByName'>;
  readonly budget: LoginBudget;
  readonly gate: ComputationGate;
  readonly lastSeen: Pick<LastSeen, 'note'>;
  readonly observations: Pick<LoginObservations, 'observe'>;
  /** Secret; throws while it cannot be told. */
  readonly mockKey: () => string;
  /** Of the verifiers that are made now. */
  readonly iterations: number;
}

/** No account is called so: what is looked up for a name that cannot be one. */
const NOBODY = '';

/** Longer names are no accounts; the budget remembers no more of them. */
const NAME_LENGTH_MAX = 64;

export class LoginDesk {
  readonly #options: LoginDeskOptions;

  constructor(options: LoginDeskOptions) {
    this.#options = options;
  }

  async beginLogin(name: string, origin: LoginOrigin): Promise<PendingLogin> {
    const observe = (outcome: LoginOutcome, owner?: string): void => {
      const { door, address } = origin;
      const login = { kind: 'login-finished', door, name, owner, address, outcome } as const;
      this.#options.observations.observe(login);
    };
    const foldedName = name.toLowerCase().slice(0, NAME_LENGTH_MAX);
    const pending = this.#beginTry(foldedName, origin, observe);
    try {
      const found = await this.#options.directory.findByName(
        isTokenName(name) ? foldedName : NOBODY,
      );
      const mock = createMockVerifier(
        this.#options.mockKey(),
        foldedName,
        this.#options.iterations,
      );
      const { lastSeen } = this.#options;
      return new PendingLogin({ name, found, mock, pending, observe, lastSeen });
    } catch (error) {
      pending.abandon();
      observe('unavailable');
      throw error;
    }
  }

  async logIn(name: string, password: string, origin: LoginOrigin): Promise<Account> {
    const attempt = await this.beginLogin(name, origin);
    let isProven: boolean;
    try {
      isProven = await this.#options.gate.run(async () => {
        attempt.assertAllowed();
        return await isPasswordOf(attempt.verifier, password);
      }, toAddressKey(origin.address));
    } catch (error) {
      // Too many wait to be computed, or have failed meanwhile.
      attempt.turnAway(error instanceof ServiceError ? 'throttled' : 'unavailable');
      throw error;
    }
    return attempt.finish(isProven);
  }

  #beginTry(
    foldedName: string,
    { address }: LoginOrigin,
    observe: (outcome: LoginOutcome) => void,
  ): PendingTry {
    try {
      return this.#options.budget.begin(foldedName, address);
    } catch (error) {
      observe('throttled');
      throw error;
    }
  }
}

interface PendingLoginOptions {
  readonly name: string;
  readonly found: AccountWithVerifier | undefined;
  readonly mock: ScramVerifier;
  readonly pending: PendingTry;
  readonly observe: (outcome: LoginOutcome, owner?: string) => void;
  readonly lastSeen: Pick<LastSeen, 'note'>;
}

class PendingLogin implements LoginAttempt {
  readonly verifier: ScramVerifier;
  readonly #options: PendingLoginOptions;

  constructor(options: PendingLoginOptions) {
    this.verifier = options.found?.verifier ?? options.mock;
    this.#options = options;
  }

  finish(isProven: boolean, refuse?: (account: Account) => ServiceError | undefined): Account {
    const account = this.#settle(isProven);
    const refusal = account.isDisabled ? disabledError(account) : refuse?.(account);
    const { observe, lastSeen } = this.#options;
    if (refusal !== undefined) {
      observe(account.isDisabled ? 'disabled' : 'not-allowed');
      throw refusal;
    }
    observe('ok', `account:${account.id}`);
    lastSeen.note('account', account.id);
    return account;
  }

  abandon(): void {
    this.#options.pending.abandon();
  }

  /** Where it was not looked at whether the secret is right. */
  turnAway(outcome: LoginOutcome): void {
    this.abandon();
    this.#options.observe(outcome);
  }

  /** @throws ServiceError FATAL 53300 where too much has failed while this one waited */
  assertAllowed(): void {
    const { waitMs } = this.#options.pending;
    if (waitMs > 0) {
      throw throttledError(waitMs);
    }
  }

  /** The account that has been proved. */
  #settle(isProven: boolean): Account {
    const { name, found, pending, observe } = this.#options;
    try {
      // First: else as many secrets could be tried as there may be tries side by side.
      this.assertAllowed();
    } catch (error) {
      this.turnAway('throttled');
      throw error;
    }
    // Nothing proves a mock; were it so, there would still be no account.
    if (!isProven || found === undefined) {
      pending.fail();
      observe('refused');
      throw new ServiceError(
        SQLSTATE.invalidPassword,
        `password authentication failed for user "${name}"`,
        { severity: 'FATAL' },
      );
    }
    pending.succeed();
    return found.account;
  }
}

function disabledError({ name }: Account): ServiceError {
  return new ServiceError(SQLSTATE.invalidAuthorization, `account "${name}" is disabled`, {
    severity: 'FATAL',
    hint: 'Ask an administrator of Gatepost to enable it',
  });
}
