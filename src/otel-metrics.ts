import { metrics } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import { OTHER_CLASS, toSqlStateClass } from './sqlstate-class.ts';
import type { Observation, Observer, SessionIdentity, StatementFinished } from './observation.ts';

/** Seconds; the buckets that OpenTelemetry's conventions for database clients advise. */
const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/**
 * Distinct SQLSTATEs that become attributes; PostgreSQL defines about 260. A client can raise
 * codes of its own without end, and every one would be a time series.
 */
export const STATUS_CODES_MAX = 300;

/** The conventions' own value for what is outside a bounded set. */
const OTHER_STATUS_CODE = '_OTHER';

/** The conventions' names for our backends. */
const SYSTEM_NAMES: ReadonlyMap<string, string> = new Map([
  ['postgres', 'postgresql'],
  ['mongodb', 'mongodb'],
]);

/**
 * An Observer that measures through the OpenTelemetry API. It does nothing unless an SDK has been
 * registered before it is created, for instance by `node --import`.
 */
export function createOtelMetrics({ version }: { readonly version: string }): Observer {
  return new OtelMetrics(version);
}

class OtelMetrics implements Observer {
  readonly #duration;
  readonly #returnedRows;
  readonly #connections;
  readonly #statusCodes = new Set<string>();

  constructor(version: string) {
    const meter = metrics.getMeter('gatepost', version);
    this.#duration = meter.createHistogram('db.client.operation.duration', {
      description: 'Duration of database client operations',
      unit: 's',
      advice: { explicitBucketBoundaries: DURATION_BUCKETS },
    });
    this.#returnedRows = meter.createHistogram('db.client.response.returned_rows', {
      description: 'Rows that an operation returned',
      unit: '{row}',
    });
    this.#connections = meter.createUpDownCounter('gatepost.client.connections', {
      description: 'Sessions that are open now',
      unit: '{connection}',
    });
  }

  observe(observation: Observation): void {
    switch (observation.kind) {
      case 'statement-finished':
        this.#measure(observation);
        break;
      case 'session-opened':
        this.#connections.add(1, toSessionAttributes(observation.session));
        break;
      case 'session-closed':
        this.#connections.add(-1, toSessionAttributes(observation.session));
        break;
      default:
        break;
    }
  }

  #measure(statement: StatementFinished): void {
    const attributes = this.#toAttributes(statement);
    this.#duration.record(statement.durationMs / 1000, attributes);
    this.#returnedRows.record(statement.rows, attributes);
  }

  #toAttributes({ session, outcome, sqlState }: StatementFinished): Attributes {
    return {
      'db.system.name': toSystemName(session.backend),
      ...(outcome !== 'ok' && { 'error.type': outcome }),
      ...(sqlState !== undefined && { 'db.response.status_code': this.#toStatusCode(sqlState) }),
    };
  }

  #toStatusCode(sqlState: string): string {
    if (this.#statusCodes.has(sqlState)) {
      return sqlState;
    }
    const isKnownClass = toSqlStateClass(sqlState) !== OTHER_CLASS;
    if (!isKnownClass || this.#statusCodes.size >= STATUS_CODES_MAX) {
      return OTHER_STATUS_CODE;
    }
    this.#statusCodes.add(sqlState);
    return sqlState;
  }
}

function toSystemName(backend: string): string {
  return SYSTEM_NAMES.get(backend) ?? backend;
}

function toSessionAttributes({ listener, backend }: SessionIdentity): Attributes {
  return { 'db.system.name': toSystemName(backend), 'gatepost.listener': listener };
}
