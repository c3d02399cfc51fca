// The listeners put together, each with the database behind it.
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { CancelBudget } from '../wire/cancel-budget.ts';
import { CancelRegistry } from '../wire/cancel-registry.ts';
import { Listener } from '../wire/listener.ts';
import type { ListenerOptions } from '../wire/listener.ts';
import type { Accounts } from './accounts.ts';
import type { Backend } from './backends/backend.ts';
import { verifyConnectionString } from './backends/mongodb/client.ts';
import { createMongodbBackend } from './backends/mongodb/mongodb-backend.ts';
import { createPostgresBackend } from './backends/postgres/postgres-backend.ts';
import type { Config, ListenerConfig } from './config.ts';
import type { EmbeddedDatabases } from './embedded/embedded-databases.ts';
import { createSqlPolicy } from './guardrails/sql-policy.ts';
import type { Component } from './lifecycle.ts';
import type { Observer } from './observation.ts';
import { hiddenNamesOf } from './own-names.ts';
import type { HiddenNames } from './own-names.ts';

/** What every backend of a gate has besides its sessions. */
interface GateBackend extends Backend {
  probe(signal: AbortSignal): Promise<void>;
  /** Ends what is shared by its sessions, if anything is. */
  close?(): Promise<void>;
}

/** One listener with what is behind it. */
export interface Gate {
  readonly listener: ListenerConfig;
  readonly component: Component;
  readonly probe: (signal: AbortSignal) => Promise<void>;
}

/** One gate a listener. Its upstream is known once the embedded database runs, if it is that. */
export function buildGates(
  config: Config,
  {
    observer,
    embedded,
    accounts,
  }: {
    readonly observer: Observer;
    readonly embedded: EmbeddedDatabases;
    readonly accounts: Accounts | undefined;
  },
): Gate[] {
  const hidden = hiddenNamesOf(config.accounts, config.store);
  const cancels = { cancels: new CancelRegistry(), cancelBudget: new CancelBudget() };
  const shared = { ...cancels, observer, hidden };
  return config.listeners.map((listener) => {
    let backend: GateBackend | undefined;
    let wire: Listener | undefined;
    const openBackend = (): GateBackend =>
      (backend ??= createGateBackend(listener, () => findUpstream(listener, embedded), hidden));
    return {
      listener,
      probe: async (signal) => {
        await openBackend().probe(signal);
      },
      component: {
        name: `listener ${listener.name}`,
        start: async () => {
          wire = await createListener(listener, openBackend(), {
            ...shared,
            accounts: listener.auth === 'accounts' ? accounts : undefined,
          });
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

interface Shared extends Pick<ListenerOptions, 'cancelBudget'> {
  readonly cancels: CancelRegistry;
  readonly observer: Observer;
  readonly hidden: HiddenNames;
  readonly accounts: Accounts | undefined;
}

async function createListener(
  listener: ListenerConfig,
  backend: Backend,
  { cancels, cancelBudget, observer, hidden, accounts }: Shared,
): Promise<Listener> {
  const { name, host, port, connectionsMax, limits, idleTimeoutMs } = listener;
  const policies = await createPolicies(listener, hidden);
  return new Listener({
    host,
    port,
    connectionsMax,
    secureContext: createListenerContext(listener),
    cancelBudget,
    context: {
      listener: name,
      backend,
      limits,
      idleTimeoutMs,
      policies,
      accounts,
      cancels,
      observer,
    },
  });
}

/** Statements of MongoDB are judged as the commands that they come to, by their backend. */
async function createPolicies(
  listener: ListenerConfig,
  { postgresSchema: hiddenSchema }: HiddenNames,
): Promise<ListenerOptions['context']['policies']> {
  if (listener.backend === 'mongodb') {
    return { 'read-write': undefined, 'read-only': undefined };
  }
  const rules = { ...listener.policy, hiddenSchema };
  return {
    'read-write': await createSqlPolicy(rules),
    'read-only': await createSqlPolicy({ ...rules, access: 'read-only' }),
  };
}

function createGateBackend(
  listener: ListenerConfig,
  upstream: () => string,
  hidden: HiddenNames,
): GateBackend {
  if (listener.backend === 'mongodb') {
    const rules = { ...listener.policy, hiddenDatabase: hidden.mongodbDatabase };
    return createMongodbBackend({ name: 'mongodb', uri: upstream, rules });
  }
  const { limits, idleTimeoutMs, policy, upstreamDsn } = listener;
  return createPostgresBackend({
    name: listener.backend,
    dsn: upstream(),
    guardrails: { limits, idleTimeoutMs, access: policy.access },
    hiddenDatabase: upstreamDsn === undefined ? hidden.postgresDatabase : undefined,
    hiddenSchema: hidden.postgresSchema,
  });
}

/**
 * Builds what a listener needs, and throws it away.
 *
 * @throws ServiceError, or an error of node's TLS
 */
export async function verifyListener(listener: ListenerConfig, hidden: HiddenNames): Promise<void> {
  createListenerContext(listener);
  await createPolicies(listener, hidden);
  if (listener.backend === 'mongodb') {
    createGateBackend(listener, () => listener.mongodbUri ?? '', hidden);
    if (listener.mongodbUri !== undefined) {
      verifyConnectionString(listener.mongodbUri);
    }
  } else if (listener.upstreamDsn !== undefined) {
    createGateBackend(listener, () => listener.upstreamDsn ?? '', hidden);
  }
}

function createListenerContext({ tls }: ListenerConfig): ListenerOptions['secureContext'] {
  return (
    tls && createSecureContext({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) })
  );
}
