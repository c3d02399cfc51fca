// The composition root: builds every part once, starts them in order, stops them in reverse.
import { createApi } from '../routes/api.ts';
import type { Api, ApiOptions } from '../routes/api.ts';
import { createApp } from '../routes/app.ts';
import { createHttpServer } from '../routes/http-server.ts';
import { verifyConnectionString } from './backends/mongodb/client.ts';
import type { AccountStore } from './accounts/account-store.ts';
import type { AccountsConfig } from './config-accounts.ts';
import type { Config } from './config.ts';
import { createEmbeddedDatabases } from './embedded/embedded-databases.ts';
import type { EmbeddedDatabases } from './embedded/embedded-databases.ts';
import { group } from './lifecycle.ts';
import type { Component } from './lifecycle.ts';
import { hiddenNamesOf } from './own-names.ts';
import { createReadiness } from './readiness.ts';
import type { Probe, Readiness } from './readiness.ts';
import { openConnectors, verifyConnectors } from './service-connectors.ts';
import { buildGates, verifyListener } from './service-gates.ts';
import type { Gate } from './service-gates.ts';
import { runParts } from './service-run.ts';
import type { Observers, Parts, ServiceOptions } from './service-run.ts';
import { openStores } from './service-stores.ts';
import type { OwnStores } from './service-stores.ts';

/**
 * Runs the service until a signal or a fault stops it.
 *
 * @returns the exit code: 0 after a stop in good order, 1 after a fault or a failed start
 */
export async function runService(config: Config, options: ServiceOptions): Promise<number> {
  return await runParts(config, options, async (observers) => {
    return await buildParts(config, observers, options);
  });
}

/**
 * Builds what `serve` would build of each listener and of the API, and throws it away: a policy
 * that names an unknown statement, or a certificate that cannot be read, is told before the start.
 *
 * @throws ServiceError, ConfigError, or an error of node's TLS
 */
export async function verifyListeners(config: Config): Promise<void> {
  const { listeners, api, connectors, accounts, store } = config;
  if (connectors !== undefined) {
    verifyConnectors(connectors);
  }
  const hidden = hiddenNamesOf(accounts, store);
  for (const listener of listeners) {
    await verifyListener(listener, hidden);
  }
  if (api !== undefined) {
    const nowhere = (): string => '';
    const upstreams = { postgres: nowhere, mongodb: nowhere };
    await createApi({ version: '', config: api, observer: { observe: nowhere }, upstreams });
  }
  for (const uri of [api?.mongodb?.mongodbUri, store?.mongodbUri]) {
    if (uri !== undefined) {
      verifyConnectionString(uri);
    }
  }
}

async function buildParts(
  config: Config,
  observers: Observers,
  { version }: ServiceOptions,
): Promise<Parts> {
  const { observer, metrics } = observers;
  const embedded = createEmbeddedDatabases(config, observer);
  const stores = openStores(config, observers, embedded);
  const connectors = config.connectors && openConnectors(config.connectors, observer).runtime;
  const gates = buildGates(config, { observer, embedded, accounts: stores.accounts?.accounts });
  const api = await buildApi(config, { version, observer, embedded, connectors, stores });
  const readiness = createReadiness({
    observer,
    listeners: config.listeners.map(({ name }) => name),
    probes: listProbes(gates, api, stores),
  });
  const http =
    config.http &&
    createHttpServer({
      ...config.http,
      observer,
      queryTimeoutMs: longestStatementMs(config.api),
      app: createApp({ version, observer, readiness, metrics, api }),
    });
  const components = [
    http,
    ...embedded.components,
    ...stores.components,
    connectors,
    group('doors', [
      ...(api === undefined ? [] : [api]),
      ...gates.map(({ component, listener }) => announced(component, listener.name, readiness)),
    ]),
  ];
  return {
    readiness,
    outliving: embedded.components,
    components: components.filter((component) => component !== undefined),
  };
}

/** A backend behind a listener is not asked twice. */
function listProbes(gates: readonly Gate[], api: Api | undefined, stores: OwnStores): Probe[] {
  const isBehindListener = (backend: string): boolean =>
    gates.some(({ listener }) => listener.backend === backend);
  return [
    ...gates.map(({ listener, probe }) => ({
      backend: listener.name,
      isRequired: listener.isRequired,
      probe,
    })),
    ...(api?.probes ?? []).filter(({ backend }) => !isBehindListener(backend)),
    ...stores.probes,
  ];
}

interface ApiParts extends Pick<ApiOptions, 'version' | 'observer' | 'connectors'> {
  readonly embedded: EmbeddedDatabases;
  readonly stores: OwnStores;
}

async function buildApi(
  { api: config, accounts, store }: Config,
  { embedded, stores, ...parts }: ApiParts,
): Promise<Api | undefined> {
  if (config === undefined) {
    return undefined;
  }
  const { accounts: own } = stores;
  return await createApi({
    ...parts,
    config,
    upstreams: {
      postgres: () => embedded.postgresDsn(config.postgres?.upstreamDsn),
      mongodb: () => embedded.mongodbUri(config.mongodb?.mongodbUri),
    },
    hidden: hiddenNamesOf(accounts, store),
    accounts: own?.accounts,
    administration: own && ((actor) => own.administration(actor)),
    store: stores.store,
    cache: stores.cache,
    activity: stores.activity,
    sessions: accounts && own && describeSessions(accounts, own),
  });
}

function describeSessions(
  { sessions: { secrets, ...times } }: AccountsConfig,
  accounts: AccountStore,
): ApiOptions['sessions'] {
  return { ...times, secrets: async () => secrets ?? (await accounts.sessionSecrets()) };
}

function longestStatementMs(api: Config['api']): number {
  const timeouts = [api?.postgres, api?.mongodb].map((one) => one?.limits.queryTimeoutMs ?? 0);
  return Math.max(...timeouts);
}

/** Tells readiness when a listener is bound, and when it is not any more. */
function announced(component: Component, listener: string, readiness: Readiness): Component {
  return {
    name: component.name,
    start: async (signal) => {
      await component.start(signal);
      readiness.setListening(listener, true);
    },
    stop: async (deadline) => {
      readiness.setListening(listener, false);
      await component.stop(deadline);
    },
  };
}
