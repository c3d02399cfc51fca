// A wire listener in this process, in front of a real PostgreSQL, with what it observed.
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Accounts } from '../../src/accounts.ts';
import type { Backend } from '../../src/backends/backend.ts';
import { createPostgresBackend } from '../../src/backends/postgres/postgres-backend.ts';
import type { Limits } from '../../src/config.ts';
import { createSqlPolicy } from '../../src/guardrails/sql-policy.ts';
import type { SqlPolicyRules } from '../../src/guardrails/sql-policy.ts';
import { fanOut } from '../../src/observation.ts';
import type { Observation, Observer, StatementFinished } from '../../src/observation.ts';
import { CancelBudget } from '../../wire/cancel-budget.ts';
import { CancelRegistry } from '../../wire/cancel-registry.ts';
import { Listener } from '../../wire/listener.ts';
import type { SessionContext } from '../../wire/session.ts';

/** How long a test waits for an observation. */
const FACT_TIMEOUT_MS = 10_000;

export interface GateOptions {
  /** The upstream's connection string. */
  readonly dsn: string;
  readonly limits?: Partial<Limits>;
  readonly connectionsMax?: number;
  readonly idleTimeoutMs?: number;
  readonly rules?: Partial<SqlPolicyRules>;
  /** Asks clients who they are; nobody is asked without. */
  readonly accounts?: Accounts;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly startupTimeoutMs?: number;
  readonly slowReaderTimeoutMs?: number;
  /** Shared by several gates, as the listeners of one process share it. */
  readonly cancels?: CancelRegistry;
  /** Sees what is observed, besides the gate's own record. */
  readonly observer?: Observer;
  /** In place of the real backend: for faults that no real server produces on demand. */
  readonly backend?: Backend;
}

export interface Gate {
  readonly port: number;
  /** For psql and drivers: without TLS, in the upstream's own database. */
  readonly url: string;
  readonly listener: Listener;
  readonly observations: readonly Observation[];
  /** Resolves with the first observation, past or to come, that the predicate accepts. */
  observed<T extends Observation>(is: (observation: Observation) => observation is T): Promise<T>;
  /** The statement-finished observations so far. */
  statements(): StatementFinished[];
  /** @param drainMs how long running statements may go on */
  stop(drainMs?: number): Promise<void>;
}

const DEFAULT_LIMITS: Limits = {
  rowsMax: 10_000,
  bytesMax: 100 * 1024 * 1024,
  queryTimeoutMs: 30_000,
  onLimit: 'error',
};

/** Starts a listener on a free port. The caller stops it. */
export async function startGate(options: GateOptions): Promise<Gate> {
  const recorder = createWaitingRecorder();
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const idleTimeoutMs = options.idleTimeoutMs ?? 900_000;
  const rules: SqlPolicyRules = { allow: [], deny: [], access: 'read-write', ...options.rules };
  const guardrails = { limits, idleTimeoutMs, access: rules.access };
  const listener = new Listener({
    host: '127.0.0.1',
    port: 0,
    connectionsMax: options.connectionsMax ?? 100,
    secureContext:
      options.tls &&
      createSecureContext({
        cert: readFileSync(options.tls.certFile),
        key: readFileSync(options.tls.keyFile),
      }),
    cancelBudget: new CancelBudget(),
    context: {
      listener: 'test',
      backend:
        options.backend ??
        createPostgresBackend({ name: 'postgres', dsn: options.dsn, guardrails }),
      limits,
      idleTimeoutMs,
      policies: await createPolicies(rules, options.backend),
      accounts: options.accounts,
      cancels: options.cancels ?? new CancelRegistry(),
      observer: options.observer ? fanOut([options.observer, recorder]) : recorder,
    },
    startupTimeoutMs: options.startupTimeoutMs,
    slowReaderTimeoutMs: options.slowReaderTimeoutMs,
  });
  await listener.start();
  return {
    port: listener.port,
    url: `postgresql://tester@127.0.0.1:${listener.port}/?sslmode=disable`,
    listener,
    observations: recorder.observations,
    observed: recorder.observed,
    statements: () => recorder.observations.filter((one) => one.kind === 'statement-finished'),
    stop: async (drainMs = 0) => {
      await listener.stop(drainMs === 0 ? AbortSignal.abort() : AbortSignal.timeout(drainMs));
    },
  };
}

/** MongoDB judges its statements itself. */
async function createPolicies(
  rules: SqlPolicyRules,
  backend: Backend | undefined,
): Promise<SessionContext['policies']> {
  if (backend?.name === 'mongodb') {
    return { 'read-write': undefined, 'read-only': undefined };
  }
  return {
    'read-write': await createSqlPolicy(rules),
    'read-only': await createSqlPolicy({ ...rules, access: 'read-only' }),
  };
}

function createWaitingRecorder(): Pick<Gate, 'observed'> & {
  readonly observations: Observation[];
  observe(observation: Observation): void;
} {
  const observations: Observation[] = [];
  const waiting = new Set<() => void>();
  return {
    observations,
    observe(observation) {
      observations.push(observation);
      for (const look of [...waiting]) {
        look();
      }
    },
    async observed(is) {
      return await new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`Not observed within ${FACT_TIMEOUT_MS} ms`));
        }, FACT_TIMEOUT_MS);
        const look = (): void => {
          const found = observations.find(is);
          if (found !== undefined) {
            clearTimeout(timer);
            waiting.delete(look);
            resolve(found);
          }
        };
        waiting.add(look);
        look();
      });
    },
  };
}
