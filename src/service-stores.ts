// What Gatepost keeps for itself, put together: accounts in PostgreSQL; activity, sessions and
// cached answers in MongoDB.
import { createAccountStore } from './accounts/account-store.ts';
import type { AccountStore } from './accounts/account-store.ts';
import { createPostgresBackend } from './backends/postgres/postgres-backend.ts';
import type { Config } from './config.ts';
import type { EmbeddedDatabases } from './embedded/embedded-databases.ts';
import type { Component } from './lifecycle.ts';
import type { Probe } from './readiness.ts';
import type { Observers } from './service-run.ts';
import { createActivityStore } from './store/activity.ts';
import type { ActivityReader } from './store/activity-reader.ts';
import { ResponseCache } from './store/response-cache.ts';
import { StoreClient } from './store/store-client.ts';

/** Gatepost's own stores; what is undefined is off. */
export interface OwnStores {
  readonly accounts: AccountStore | undefined;
  readonly store: StoreClient | undefined;
  readonly cache: ResponseCache | undefined;
  readonly activity: ActivityReader | undefined;
  /** In the order of their start, behind the databases and before the doors. */
  readonly components: readonly Component[];
  /** Accounts that are on a server that is queried are probed with it. */
  readonly probes: readonly Probe[];
}

/** The stores of a configuration. Nothing is connected before they are started. */
export function openStores(
  config: Config,
  observers: Observers,
  embedded: EmbeddedDatabases,
): OwnStores {
  const accounts = openAccounts(config, observers, embedded);
  const store =
    config.store && new StoreClient(() => embedded.mongodbUri(config.store?.mongodbUri));
  const activity = store && openActivity(config, observers, store);
  return {
    accounts,
    store,
    cache: store && new ResponseCache({ store, observer: observers.observer }),
    activity: activity?.reader,
    components: [accounts, store && closing(store), activity].filter((one) => one !== undefined),
    probes: [...probeAccounts(config), ...(store === undefined ? [] : [probeStore(store)])],
  };
}

function openAccounts(
  { accounts }: Config,
  { observer }: Observers,
  embedded: EmbeddedDatabases,
): AccountStore | undefined {
  return (
    accounts &&
    createAccountStore({
      databaseUrl: () => embedded.postgresDsn(accounts.databaseUrl),
      ownsDatabase: accounts.databaseUrl === undefined,
      scramIterations: accounts.scramIterations,
      observer,
    })
  );
}

function openActivity(
  { store: config }: Config,
  observers: Observers,
  client: StoreClient,
): (Component & { readonly reader: ActivityReader }) | undefined {
  if (config?.isRecording !== true) {
    return undefined;
  }
  const activity = createActivityStore({ client, config, observer: observers.observer });
  observers.attach(activity.observer, activity.logSink);
  return activity;
}

/** Its client is open until nobody writes any more. */
function closing(store: StoreClient): Component {
  return {
    name: 'store',
    start: () => Promise.resolve(),
    stop: async () => {
      await store.close();
    },
  };
}

/** Those who log in need them; whoever has a token of the configuration does not. */
function probeAccounts({ accounts, listeners }: Config): Probe[] {
  if (accounts?.databaseUrl === undefined || accounts.isShared) {
    return [];
  }
  const limits = { rowsMax: 1, bytesMax: 1024, queryTimeoutMs: 1000, onLimit: 'error' } as const;
  const database = createPostgresBackend({
    name: 'accounts',
    dsn: accounts.databaseUrl,
    guardrails: { limits, idleTimeoutMs: 1000, access: 'read-only' },
  });
  const isRequired = listeners.some(({ auth }) => auth === 'accounts');
  const probe: Probe['probe'] = async (signal) => {
    await database.probe(signal);
  };
  return [{ backend: 'accounts', isRequired, probe }];
}

/** On a server that is queried too: its client is another one, and sessions need that. */
function probeStore(store: StoreClient): Probe {
  return {
    backend: 'store',
    isRequired: false,
    probe: async (signal) => {
      const database = await store.open(signal);
      await database.command({ ping: 1 }, { signal });
    },
  };
}
