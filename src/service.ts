// The composition root: builds every part once, starts them in order, stops them in reverse.
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { createApi } from '../routes/api.ts';
import { createApp } from '../routes/app.ts';
import { createHttpServer } from '../routes/http-server.ts';
import { CancelBudget } from '../wire/cancel-budget.ts';
import { CancelRegistry } from '../wire/cancel-registry.ts';
import { Listener } from '../wire/listener.ts';
import type { ListenerOptions } from '../wire/listener.ts';
import type { Backend } from './backends/backend.ts';
import { verifyConnectionString } from './backends/mongodb/client.ts';
import { createMongodbBackend } from './backends/mongodb/mongodb-backend.ts';
import { createPostgresBackend } from './backends/postgres/postgres-backend.ts';
import type { Config, ListenerConfig } from './config.ts';
import { createEmbeddedDatabases } from './embedded/embedded-databases.ts';
import type { EmbeddedDatabases } from './embedded/embedded-databases.ts';
import { createSqlPolicy } from './guardrails/sql-policy.ts';
import { group } from './lifecycle.ts';
import type { Component } from './lifecycle.ts';
import type { Observer } from './observation.ts';
import { createReadiness } from './readiness.ts';
import type { Readiness } from './readiness.ts';
import { openConnectors, verifyConnectors } from './service-connectors.ts';
import { runParts } from './service-run.ts';
import type { Observers, Parts, ServiceOptions } from './service-run.ts';

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
export async function verifyListeners({ listeners, api, connectors }: Config): Promise<void> {
  if (connectors !== undefined) {
    verifyConnectors(connectors);
  }
  for (const listener of listeners) {
    createListenerContext(listener);
    if (listener.backend === 'mongodb') {
      createGateBackend(listener, () => listener.mongodbUri ?? '');
      if (listener.mongodbUri !== undefined) {
        verifyConnectionString(listener.mongodbUri);
      }
    } else {
      await createSqlPolicy(listener.policy);
      if (listener.upstreamDsn !== undefined) {
        createGateBackend(listener, () => listener.upstreamDsn ?? '');
      }
    }
  }
  if (api !== undefined) {
    const nowhere = (): string => '';
    const upstreams = { postgres: nowhere, mongodb: nowhere };
    await createApi({ version: '', config: api, observer: { observe: nowhere }, upstreams });
    if (api.mongodb?.mongodbUri !== undefined) {
      verifyConnectionString(api.mongodb.mongodbUri);
    }
  }
}

async function buildParts(
  config: Config,
  { observer, metrics }: Observers,
  { version }: ServiceOptions,
): Promise<Parts> {
  const embedded = createEmbeddedDatabases(config, observer);
  const connectors = config.connectors && openConnectors(config.connectors, observer).runtime;
  const gates = buildGates(config, observer, embedded);
  const api =
    config.api &&
    (await createApi({
      version,
      config: config.api,
      observer,
      upstreams: {
        postgres: () => embedded.postgresDsn(config.api?.postgres?.upstreamDsn),
        mongodb: () => embedded.mongodbUri(config.api?.mongodb?.mongodbUri),
      },
      connectors,
    }));
  const isBehindListener = (backend: string): boolean =>
    gates.some(({ listener }) => listener.backend === backend);
  const readiness = createReadiness({
    observer,
    listeners: config.listeners.map(({ name }) => name),
    probes: [
      ...gates.map(({ listener, probe }) => ({
        backend: listener.name,
        isRequired: listener.isRequired,
        probe,
      })),
      ...(api?.probes ?? []).filter(({ backend }) => !isBehindListener(backend)),
    ],
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

function longestStatementMs(api: Config['api']): number {
  const timeouts = [api?.postgres, api?.mongodb].map((one) => one?.limits.queryTimeoutMs ?? 0);
  return Math.max(...timeouts);
}

/** What every backend of a gate has besides its sessions. */
interface GateBackend extends Backend {
  probe(signal: AbortSignal): Promise<void>;
  /** Ends what is shared by its sessions, if anything is. */
  close?(): Promise<void>;
}

interface Gate {
  readonly listener: ListenerConfig;
  readonly component: Component;
  readonly probe: (signal: AbortSignal) => Promise<void>;
}

/** One gate a listener. Its upstream is known once the embedded database runs, if it is that. */
function buildGates(config: Config, observer: Observer, embedded: EmbeddedDatabases): Gate[] {
  const shared = { cancels: new CancelRegistry(), cancelBudget: new CancelBudget(), observer };
  return config.listeners.map((listener) => {
    let backend: GateBackend | undefined;
    let wire: Listener | undefined;
    const openBackend = (): GateBackend =>
      (backend ??= createGateBackend(listener, () => findUpstream(listener, embedded)));
    return {
      listener,
      probe: async (signal) => {
        await openBackend().probe(signal);
      },
      component: {
        name: `listener ${listener.name}`,
        start: async () => {
          wire = await createListener(listener, openBackend(), shared);
          await wire.start();
        },
        stop: async (deadline) => {
          await wire?.stop(deadline);
          await backend?.close?.();
        },
      },
    };
  });
}

function findUpstream(listener: ListenerConfig, embedded: EmbeddedDatabases): string {
  return listener.backend === 'postgres'
    ? embedded.postgresDsn(listener.upstreamDsn)
    : embedded.mongodbUri(listener.mongodbUri);
}

async function createListener(
  listener: ListenerConfig,
  backend: Backend,
  {
    cancels,
    cancelBudget,
    observer,
  }: Pick<ListenerOptions, 'cancelBudget'> &
    Pick<ListenerOptions['context'], 'cancels' | 'observer'>,
): Promise<Listener> {
  const { name, host, port, connectionsMax, limits, idleTimeoutMs } = listener;
  // Statements of MongoDB are judged as the commands that they come to, by their backend.
  const policy =
    listener.backend === 'postgres' ? await createSqlPolicy(listener.policy) : undefined;
  return new Listener({
    host,
    port,
    connectionsMax,
    secureContext: createListenerContext(listener),
    cancelBudget,
    context: { listener: name, backend, limits, idleTimeoutMs, policy, cancels, observer },
  });
}

function createGateBackend(listener: ListenerConfig, upstream: () => string): GateBackend {
  if (listener.backend === 'mongodb') {
    return createMongodbBackend({ name: 'mongodb', uri: upstream, rules: listener.policy });
  }
  const { limits, idleTimeoutMs, policy } = listener;
  return createPostgresBackend({
    name: listener.backend,
    dsn: upstream(),
    guardrails: { limits, idleTimeoutMs, access: policy.access },
  });
}

function createListenerContext({ tls }: ListenerConfig): ListenerOptions['secureContext'] {
  return (
    tls && createSecureContext({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) })
  );
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
