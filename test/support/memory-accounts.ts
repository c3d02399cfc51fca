// Accounts that are kept in memory, for doors whose tests need no store: no throttling, no polling.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { Account } from '../../src/account.ts';
import type { Accounts, LoginAttempt, LoginOrigin } from '../../src/accounts.ts';
import { ServiceError } from '../../src/errors.ts';
import type { LoginOutcome } from '../../src/observation.ts';
import { createScramVerifier, isPasswordOf, parseScramVerifier } from '../../src/scram-verifier.ts';
import type { ScramVerifier } from '../../src/scram-verifier.ts';

/** Few, so that hundreds of clients of one test compute them soon. */
const MEMORY_ITERATIONS = 4096;

const NO_LIMITS: Account['limits'] = {
  rowsMax: undefined,
  bytesMax: undefined,
  queryTimeoutMs: undefined,
  connectionsMax: undefined,
};

/** What a test says of an account; the rest is an account that may do everything. */
export interface MemoryAccount extends Partial<Omit<Account, 'id' | 'limits'>> {
  readonly name: string;
  /** Or its verifier, in PostgreSQL's form. */
  readonly password?: string;
  readonly verifier?: string;
  readonly limits?: Partial<Account['limits']>;
}

/** A try to log in that is over; `abandoned` where the client left before it proved anything. */
export interface RecordedLogin extends LoginOrigin {
  readonly name: string;
  readonly outcome: LoginOutcome | 'abandoned';
}

export interface MemoryAccounts extends Accounts {
  /** In the order in which they ended. */
  readonly logins: readonly RecordedLogin[];
  /** How many presences of this account have not left. */
  presenceCount(name: string): number;
  /** Ends its presences, as after a change; it may log in again. */
  revoke(name: string, change?: string): void;
  /** Ends its presences, and lets it in no more. */
  disable(name: string): void;
}

interface Entry {
  account: Account;
  readonly verifier: ScramVerifier;
  readonly presences: Set<(reason: ServiceError) => void>;
}

/** Makes accounts of these. `find` knows them by id, `beginLogin` by name in any capitals. */
export async function createMemoryAccounts(
  accounts: readonly MemoryAccount[],
): Promise<MemoryAccounts> {
  const made = await Promise.all(accounts.map(createEntry));
  const entries = new Map(made.map((entry) => [entry.account.name.toLowerCase(), entry]));
  const mockKey = randomBytes(32);
  const logins: RecordedLogin[] = [];

  const beginLogin = (name: string, origin: LoginOrigin): LoginAttempt => {
    const entry = entries.get(name.toLowerCase());
    const record = (outcome: RecordedLogin['outcome']): void => {
      logins.push({ name, outcome, ...origin });
    };
    return {
      verifier: entry?.verifier ?? mockVerifier(mockKey, name),
      finish: (isProven, refuse) => {
        if (entry === undefined || !isProven) {
          record('refused');
          throw fatal('28P01', `password authentication failed for user "${name}"`);
        }
        if (entry.account.isDisabled) {
          record('disabled');
          throw fatal('28000', `account "${entry.account.name}" is disabled`);
        }
        const refusal = refuse?.(entry.account);
        record(refusal === undefined ? 'ok' : 'not-allowed');
        if (refusal !== undefined) {
          throw refusal;
        }
        return entry.account;
      },
      abandon: () => {
        record('abandoned');
      },
    };
  };

  const revoke = (name: string, change = 'changed'): void => {
    const presences = [...(entries.get(name.toLowerCase())?.presences ?? [])];
    for (const onRevoked of presences) {
      onRevoked(fatal('57P01', `terminating connection: the account was ${change}`));
    }
  };

  return {
    logins,
    beginLogin: async (name, origin) => await Promise.resolve(beginLogin(name, origin)),
    logIn: async (name, password, origin) => {
      const attempt = beginLogin(name, origin);
      return attempt.finish(await isPasswordOf(attempt.verifier, password));
    },
    find: async (id) =>
      await Promise.resolve(
        [...entries.values()].map(({ account }) => account).find((one) => one.id === id),
      ),
    findToken: async () => await Promise.resolve(undefined),
    hasAny: async () => await Promise.resolve(entries.size > 0),
    enter: (account, onRevoked) => {
      const presences = entries.get(account.name.toLowerCase())?.presences ?? new Set();
      if (presences.size >= (account.limits.connectionsMax ?? Infinity)) {
        throw fatal('53300', `too many connections for account "${account.name}"`);
      }
      // One of its own, so that two sessions may be told by the same function.
      const tell = (reason: ServiceError): void => {
        onRevoked(reason);
      };
      presences.add(tell);
      return {
        leave: () => {
          presences.delete(tell);
        },
      };
    },
    presenceCount: (name) => entries.get(name.toLowerCase())?.presences.size ?? 0,
    revoke,
    disable: (name) => {
      const entry = entries.get(name.toLowerCase());
      if (entry !== undefined) {
        entry.account = { ...entry.account, isDisabled: true };
        revoke(name, 'disabled');
      }
    },
  };
}

async function createEntry({
  password = '',
  verifier: text,
  limits,
  ...account
}: MemoryAccount): Promise<Entry> {
  const verifier = parseScramVerifier(
    text ?? (await createScramVerifier(password, { iterations: MEMORY_ITERATIONS })),
  );
  if (verifier === undefined) {
    throw new Error(`The verifier of ${account.name} is not one`);
  }
  return {
    account: {
      id: randomUUID(),
      scope: 'admin',
      isDisabled: false,
      backends: undefined,
      databases: undefined,
      revision: 1,
      secretRevision: 1,
      ...account,
      limits: { ...NO_LIMITS, ...limits },
    },
    verifier,
    presences: new Set(),
  };
}

/** Of the same shape as a real one; no proof fits random keys. */
function mockVerifier(mockKey: Buffer, name: string): ScramVerifier {
  return {
    iterations: MEMORY_ITERATIONS,
    salt: createHmac('sha256', mockKey).update(name).digest().subarray(0, 16),
    storedKey: randomBytes(32),
    serverKey: randomBytes(32),
  };
}

function fatal(sqlState: string, message: string): ServiceError {
  return new ServiceError(sqlState, message, { severity: 'FATAL' });
}
