import { collectDefaultMetrics, Registry } from 'prom-client';
import { createConnectorMetrics } from './connector-metrics.ts';
import { createMetricFamilies } from './metric-families.ts';
import { toSqlStateClass } from './sqlstate-class.ts';
import type { MetricFamilies } from './metric-families.ts';
import type {
  CancelResult,
  Observation,
  Observer,
  RejectionReason,
  SessionIdentity,
  RequestFinished,
  StatementFinished,
  StatementOutcome,
} from './observation.ts';

interface Metrics extends Observer {
  /** The Prometheus text of this moment. */
  render(): Promise<string>;
  readonly contentType: string;
}

type Durations = ReturnType<MetricFamilies['queryDuration']['labels']>;

/** What finished statements of one listener and backend added since the last render. */
interface Tally {
  readonly labels: { readonly listener: string; readonly backend: string };
  readonly durations: Map<StatementOutcome, Durations>;
  queries: number;
  durationMs: number;
  receivedBytes: number;
  sentBytes: number;
  rows: number;
}

/** Records, so that a new member of the union does not compile until it is named here. */
const CANCEL_RESULTS: Readonly<Record<CancelResult, true>> = {
  matched: true,
  unknown: true,
  late: true,
  'rate-limited': true,
};
const REJECTION_REASONS: Readonly<Record<RejectionReason, true>> = {
  'too-many-connections': true,
  'too-many-unauthenticated': true,
  'startup-timeout': true,
  draining: true,
  'startup-failed': true,
  'protocol-violation': true,
};

/** An Observer that counts for Prometheus, in a registry of its own. */
export function createMetrics({ version }: { readonly version: string }): Metrics {
  return new PrometheusMetrics(version);
}

class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #families = createMetricFamilies(this.#registry);
  readonly #connectors = createConnectorMetrics(this.#registry);
  /** By listener, then backend: as many as the configuration has. */
  readonly #tallies = new Map<string, Map<string, Tally>>();

  constructor(version: string) {
    collectDefaultMetrics({ register: this.#registry });
    this.#families.buildInfo.set({ version }, 1);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async render(): Promise<string> {
    for (const tallies of this.#tallies.values()) {
      for (const tally of tallies.values()) {
        this.#flush(tally);
      }
    }
    return await this.#registry.metrics();
  }

  observe(observation: Observation): void {
    const families = this.#families;
    switch (observation.kind) {
      case 'statement-finished':
        this.#countStatement(observation);
        break;
      case 'session-opened':
        families.activeConnections.inc(toLabels(observation.session));
        break;
      case 'session-closed':
        families.activeConnections.dec(toLabels(observation.session));
        if (observation.error !== undefined) {
          countError(families.sessionErrors, observation.session, observation.error.sqlState);
        }
        break;
      case 'cancel-requested':
        families.cancels.inc({ listener: observation.listener, result: observation.result });
        break;
      case 'connection-rejected':
        families.rejected.inc({ listener: observation.listener, reason: observation.reason });
        break;
      case 'listener-bound':
        families.maxConnections.set({ listener: observation.listener }, observation.connectionsMax);
        this.#startAtZero(observation);
        break;
      case 'backend-probed':
        families.backendUp.set({ backend: observation.backend }, observation.isUp ? 1 : 0);
        break;
      case 'request-finished':
        families.requests.inc(requestLabels(observation));
        break;
      case 'cache-answered':
        families.cacheRequests.inc({ result: observation.result });
        break;
      case 'login-finished':
        families.logins.inc(
          { door: observation.door, outcome: observation.outcome },
          observation.repeated ?? 1,
        );
        break;
      case 'activity-lost':
        families.activityLost.inc({ stream: observation.stream }, observation.records);
        break;
      case 'audit-lost':
        families.auditDropped.inc(observation.lines);
        break;
      case 'connector-batch':
      case 'connector-status':
        this.#connectors.observe(observation);
        break;
      default:
        // The rest is for readers of the log.
        break;
    }
  }

  /**
   * Runs for every statement. prom-client hashes the labels at each increment, so the counters
   * are added up here and handed over when they are rendered.
   */
  #countStatement(statement: StatementFinished): void {
    const tally = this.#tallyOf(statement.session);
    tally.queries += 1;
    tally.durationMs += statement.durationMs;
    tally.receivedBytes += statement.receivedBytes;
    tally.sentBytes += statement.sentBytes;
    tally.rows += statement.rows;
    this.#durationsOf(tally, statement.outcome).observe(statement.durationMs / 1000);
    if (statement.outcome !== 'ok') {
      this.#countOutcome(statement);
    }
  }

  #countOutcome({ session, outcome, sqlState, limit }: StatementFinished): void {
    const { listener } = session;
    if (sqlState !== undefined) {
      countError(this.#families.errors, session, sqlState);
    }
    if (limit !== undefined) {
      this.#families.truncated.inc({ listener, reason: limit });
    }
    if (outcome === 'refused') {
      this.#families.refused.inc({ listener });
    }
    if (outcome === 'timeout') {
      this.#families.timeouts.inc({ listener });
    }
  }

  #tallyOf({ listener, backend }: Tally['labels']): Tally {
    const known = this.#tallies.get(listener)?.get(backend);
    if (known !== undefined) {
      return known;
    }
    const tallies = this.#tallies.get(listener) ?? new Map<string, Tally>();
    const tally = createTally(listener, backend);
    this.#tallies.set(listener, tallies);
    tallies.set(backend, tally);
    return tally;
  }

  #durationsOf(tally: Tally, outcome: StatementOutcome): Durations {
    const known = tally.durations.get(outcome);
    if (known !== undefined) {
      return known;
    }
    const { backend } = tally.labels;
    const durations = this.#families.queryDuration.labels({ backend, outcome });
    tally.durations.set(outcome, durations);
    return durations;
  }

  #flush(tally: Tally): void {
    const families = this.#families;
    families.queries.inc(tally.labels, tally.queries);
    families.queriesDuration.inc(tally.labels, tally.durationMs / 1000);
    families.receivedBytes.inc(tally.labels, tally.receivedBytes);
    families.sentBytes.inc(tally.labels, tally.sentBytes);
    families.rows.inc(tally.labels, tally.rows);
    tally.queries = 0;
    tally.durationMs = 0;
    tally.receivedBytes = 0;
    tally.sentBytes = 0;
    tally.rows = 0;
  }

  /** A rate needs a first value to grow from: the series exist before the first event. */
  #startAtZero({ listener, backend }: Tally['labels']): void {
    const families = this.#families;
    this.#tallyOf({ listener, backend });
    families.activeConnections.inc({ listener, backend }, 0);
    families.refused.inc({ listener }, 0);
    families.timeouts.inc({ listener }, 0);
    for (const reason of ['rows', 'bytes']) {
      families.truncated.inc({ listener, reason }, 0);
    }
    for (const result of Object.keys(CANCEL_RESULTS)) {
      families.cancels.inc({ listener, result }, 0);
    }
    for (const reason of Object.keys(REJECTION_REASONS)) {
      families.rejected.inc({ listener, reason }, 0);
    }
  }
}

function createTally(listener: string, backend: string): Tally {
  return {
    labels: { listener, backend },
    durations: new Map(),
    queries: 0,
    durationMs: 0,
    receivedBytes: 0,
    sentBytes: 0,
    rows: 0,
  };
}

function toLabels({ listener, backend }: SessionIdentity): Tally['labels'] {
  return { listener, backend };
}

function countError(
  family: MetricFamilies['errors'],
  session: SessionIdentity,
  sqlState: string,
): void {
  const { listener } = session;
  family.inc({ listener, sqlstate_class: toSqlStateClass(sqlState) });
}

/** What clients may call a method is not theirs to choose as a label. */
const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'OPTIONS'],
  ...['POST', 'PUT', 'PATCH', 'DELETE'],
]);

function requestLabels({
  method,
  status,
}: RequestFinished): Record<'method' | 'status_class', string> {
  return {
    method: METHODS.has(method) ? method : 'other',
    status_class: `${Math.floor(status / 100)}xx`,
  };
}
