// Stores of accounts on one real database, as several processes would have them.
import { createAccountStore } from '../../src/accounts/account-store.ts';
import type { AccountStore, AccountStoreOptions } from '../../src/accounts/account-store.ts';
import type { AccountAdministration, NewAccount } from '../../src/accounts.ts';
import type { Observation } from '../../src/observation.ts';
import { createTestDatabase, runDirectly } from './databases.ts';
import { createRecorder } from './observations.ts';

/** Few, so that a test waits for nothing but what it tests. */
export const ITERATIONS = 4096;

export const PASSWORD = 'correct horse battery staple';

/** Where a test logs in. */
export const ORIGIN = { door: 'main', address: '192.0.2.1' };

export interface AccountsStage {
  /** Of the database that the accounts are in. */
  readonly url: string;
  readonly observations: readonly Observation[];
  /** A store that has started; the stage stops it. */
  open(options?: Partial<AccountStoreOptions>): Promise<AccountStore>;
  /** Administers by a store of its own, opened at the first call. */
  administer(): Promise<AccountAdministration>;
  /** An account; what matters to a test is given. */
  createAccount(account: Partial<NewAccount> & { readonly name: string }): Promise<string>;
  /** Rows of a statement of the test itself. */
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Stops the stores that are open. */
  stopStores(): Promise<void>;
  remove(): Promise<void>;
}

export async function createAccountsStage(): Promise<AccountsStage> {
  const database = await createTestDatabase();
  const recorder = createRecorder();
  const stores: AccountStore[] = [];
  let administration: AccountAdministration | undefined;
  const open = async (options: Partial<AccountStoreOptions> = {}): Promise<AccountStore> => {
    const store = createAccountStore({
      databaseUrl: () => database.url,
      ownsDatabase: false,
      scramIterations: ITERATIONS,
      observer: recorder,
      ...options,
    });
    stores.push(store);
    await store.start(new AbortController().signal);
    return store;
  };
  const administer = async (): Promise<AccountAdministration> =>
    (administration ??= (await open()).administration('test'));
  const stopStores = async (): Promise<void> => {
    administration = undefined;
    const open = stores.splice(0);
    await Promise.all(open.map(async (store) => await store.stop(new AbortController().signal)));
  };
  return {
    url: database.url,
    observations: recorder.observations,
    open,
    administer,
    createAccount: async (account) => {
      const secret = { password: PASSWORD };
      const created = await (await administer()).create({ secret, scope: 'write', ...account });
      return created.id;
    },
    query: async (sql) => await runDirectly(database.url, sql),
    stopStores,
    remove: async () => {
      await stopStores();
      await database.drop();
    },
  };
}

/** What it rejects with; a failure where it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    (value) => {
      throw new Error(`It came out as ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}
