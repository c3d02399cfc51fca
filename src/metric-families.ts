// Every metric of our own, with its labels. Names follow pgbouncer_exporter where it has the same
// fact, so that dashboards carry over. Label values come from the configuration or from closed
// sets, never from a client.
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

/** Seconds; from a key lookup to the query timeout's default of 30 s. */
const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

type PerBackend = 'listener' | 'backend';

export interface MetricFamilies {
  readonly buildInfo: Gauge<'version'>;
  readonly backendUp: Gauge<'backend'>;
  readonly activeConnections: Gauge<PerBackend>;
  readonly maxConnections: Gauge<'listener'>;
  readonly queries: Counter<PerBackend>;
  readonly queriesDuration: Counter<PerBackend>;
  readonly receivedBytes: Counter<PerBackend>;
  readonly sentBytes: Counter<PerBackend>;
  readonly rows: Counter<PerBackend>;
  readonly queryDuration: Histogram<'backend' | 'outcome'>;
  readonly errors: Counter<'listener' | 'sqlstate_class'>;
  readonly sessionErrors: Counter<'listener' | 'sqlstate_class'>;
  readonly refused: Counter<'listener'>;
  readonly truncated: Counter<'listener' | 'reason'>;
  readonly timeouts: Counter<'listener'>;
  readonly cancels: Counter<'listener' | 'result'>;
  readonly rejected: Counter<'listener' | 'reason'>;
  readonly auditDropped: Counter;
  readonly requests: Counter<'method' | 'status_class'>;
  readonly cacheRequests: Counter<'result'>;
  readonly logins: Counter<'door' | 'outcome'>;
  readonly activityLost: Counter<'stream'>;
}

/** Makes all families in the registry. */
export function createMetricFamilies(registry: Registry): MetricFamilies {
  return {
    ...createStateFamilies(registry),
    ...createTrafficFamilies(registry),
    ...createEventFamilies(registry),
    ...createServiceFamilies(registry),
  };
}

/** What is so now. */
function createStateFamilies(
  registry: Registry,
): Pick<MetricFamilies, 'buildInfo' | 'backendUp' | 'activeConnections' | 'maxConnections'> {
  const registers = [registry];
  return {
    buildInfo: new Gauge({
      name: 'gatepost_build_info',
      help: 'Always 1; the version is the label',
      labelNames: ['version'],
      registers,
    }),
    backendUp: new Gauge({
      name: 'gatepost_backend_up',
      help: '1 when the last probe was answered, else 0',
      labelNames: ['backend'],
      registers,
    }),
    activeConnections: new Gauge({
      name: 'gatepost_pools_client_active_connections',
      help: 'Sessions that are open now',
      labelNames: ['listener', 'backend'],
      registers,
    }),
    maxConnections: new Gauge({
      name: 'gatepost_config_max_client_connections',
      help: 'Sessions that the listener allows at once',
      labelNames: ['listener'],
      registers,
    }),
  };
}

/** What every statement adds to. */
function createTrafficFamilies(
  registry: Registry,
): Pick<
  MetricFamilies,
  'queries' | 'queriesDuration' | 'receivedBytes' | 'sentBytes' | 'rows' | 'queryDuration'
> {
  const total = (name: string, help: string): Counter<PerBackend> =>
    createCounter(registry, `stats_${name}`, help, ['listener', 'backend']);
  return {
    queries: total('queries_total', 'Query messages finished, refused ones too'),
    queriesDuration: total(
      'queries_duration_seconds_total',
      'Seconds that finished Query messages took together',
    ),
    receivedBytes: total(
      'received_bytes_total',
      'Frame bytes received from clients with finished Query messages',
    ),
    sentBytes: total('sent_bytes_total', 'Frame bytes sent to clients to answer Query messages'),
    rows: total('rows_total', 'Rows sent to clients'),
    queryDuration: new Histogram({
      name: 'gatepost_query_duration_seconds',
      help: 'Seconds from a Query message to the end of its answer',
      labelNames: ['backend', 'outcome'],
      buckets: DURATION_BUCKETS,
      registers: [registry],
    }),
  };
}

/** What seldom happens and may be worth an alert. */
function createEventFamilies(
  registry: Registry,
): Pick<
  MetricFamilies,
  'errors' | 'sessionErrors' | 'refused' | 'truncated' | 'timeouts' | 'cancels' | 'rejected'
> {
  const total = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
  ): Counter<Label> => createCounter(registry, name, help, labelNames);
  return {
    errors: total('errors_total', 'Statements that ended with an error, by SQLSTATE class', [
      'listener',
      'sqlstate_class',
    ]),
    sessionErrors: total(
      'session_errors_total',
      'Sessions that an error ended, by SQLSTATE class (08 has the protocol violations)',
      ['listener', 'sqlstate_class'],
    ),
    refused: total(
      'guard_refused_total',
      'Query messages that the policy or the protocol subset refused',
      ['listener'],
    ),
    truncated: total('results_truncated_total', 'Results cut at a limit: rows or bytes', [
      'listener',
      'reason',
    ]),
    timeouts: total('query_timeouts_total', 'Queries stopped by the query timeout', ['listener']),
    cancels: total('cancel_requests_total', 'CancelRequests by what came of them', [
      'listener',
      'result',
    ]),
    rejected: total('connections_rejected_total', 'Connections turned away before a session', [
      'listener',
      'reason',
    ]),
  };
}

/** What happens around statements, and what was not written down of it. */
function createServiceFamilies(
  registry: Registry,
): Pick<MetricFamilies, 'auditDropped' | 'requests' | 'cacheRequests' | 'logins' | 'activityLost'> {
  const total = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
  ): Counter<Label> => createCounter(registry, name, help, labelNames);
  return {
    auditDropped: total('audit_dropped_total', 'Audit lines that were not written', []),
    requests: total('http_requests_total', 'Requests over HTTP by method and class of status', [
      'method',
      'status_class',
    ]),
    cacheRequests: total('cache_requests_total', 'Requests that asked for the cache, by X-Cache', [
      'result',
    ]),
    logins: total('logins_total', 'Tries to log in, by how they ended', ['door', 'outcome']),
    activityLost: total(
      'activity_lost_total',
      'Records of activity or of the log that MongoDB was not given',
      ['stream'],
    ),
  };
}

function createCounter<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: Label[],
): Counter<Label> {
  return new Counter({ name: `gatepost_${name}`, help, labelNames, registers: [registry] });
}
