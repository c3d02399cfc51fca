// The metrics of the connectors. Their names, labels and buckets are those of Apache Iggy's own
// connectors runtime, so that dashboards carry over; what it does not count is named in its manner.
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { ConnectorBatch, Observation, Observer } from './observation.ts';

/** Seconds; from 50 µs to 5 s, as the runtime in Rust has them. */
const STAGE_BUCKETS = [
  ...[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005],
  ...[0.01, 0.05, 0.1, 0.5, 1, 5],
];

const LABELS = ['connector_key', 'connector_type'] as const;

type Label = (typeof LABELS)[number];
type Labels = Readonly<Record<Label, string>>;
type ConnectorType = ConnectorBatch['type'];
type Status = Extract<Observation, { readonly kind: 'connector-status' }>;

/** What a counter adds up, of which connectors. */
interface Counted {
  readonly name: string;
  readonly help: string;
  readonly types: readonly ConnectorType[];
  readonly count: (batch: ConnectorBatch) => number;
}

const COUNTED: readonly Counted[] = [
  {
    name: 'messages_produced_total',
    help: 'Messages that a source made of records',
    types: ['source'],
    count: ({ produced }) => produced,
  },
  {
    name: 'messages_sent_total',
    help: 'Messages of a source that Iggy has stored',
    types: ['source'],
    count: ({ delivered }) => delivered,
  },
  {
    name: 'messages_consumed_total',
    help: 'Messages that a sink polled from Iggy',
    types: ['sink'],
    count: ({ consumed }) => consumed,
  },
  {
    name: 'messages_processed_total',
    help: 'Messages of a sink that are new in the database',
    types: ['sink'],
    count: ({ delivered }) => delivered,
  },
  {
    name: 'messages_filtered_total',
    help: 'Messages that a transform held back; there are no transforms, so always 0',
    types: ['sink', 'source'],
    count: () => 0,
  },
  {
    name: 'messages_replayed_total',
    help: 'Messages of a sink that were in the database already',
    types: ['sink'],
    count: ({ replayed }) => replayed,
  },
  {
    name: 'messages_dead_lettered_total',
    help: 'Messages of a sink that went to the dead-letter collection',
    types: ['sink'],
    count: ({ deadLettered }) => deadLettered,
  },
  {
    name: 'messages_skipped_total',
    help: 'Messages or records that were given up, as on_failure = "skip" asks for',
    types: ['sink', 'source'],
    count: ({ skipped }) => skipped,
  },
  {
    name: 'errors_total',
    help: 'Attempts that were repeated, and messages or records that failed for good',
    types: ['sink', 'source'],
    count: ({ errors }) => errors,
  },
];

/** An Observer that counts what connectors do, in the registry. */
export function createConnectorMetrics(registry: Registry): Observer {
  return new ConnectorMetrics(registry);
}

class ConnectorMetrics implements Observer {
  readonly #counters;
  readonly #durations: Histogram<Label | 'stage'>;
  readonly #gauges;
  /** By type and key: as many as the configuration has. */
  readonly #statuses = new Map<string, Status>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.#counters = COUNTED.map((counted) => ({
      counted,
      counter: new Counter({
        name: `iggy_connector_${counted.name}`,
        help: counted.help,
        labelNames: LABELS,
        registers,
      }),
    }));
    this.#durations = new Histogram({
      name: 'iggy_connector_stage_duration_seconds',
      help: 'Seconds that a part of the work on one batch took',
      labelNames: [...LABELS, 'stage'],
      buckets: STAGE_BUCKETS,
      registers,
    });
    this.#gauges = (['source', 'sink'] as const).map((type) => ({
      type,
      total: new Gauge({
        name: `iggy_connectors_${type}s_total`,
        help: `How many ${type}s are configured`,
        registers,
      }),
      running: new Gauge({
        name: `iggy_connectors_${type}s_running`,
        help: `How many ${type}s are running now`,
        registers,
      }),
    }));
  }

  observe(observation: Observation): void {
    if (observation.kind === 'connector-batch') {
      this.#count(observation);
    } else if (observation.kind === 'connector-status') {
      this.#note(observation);
    }
  }

  /** Runs for each batch, not for each message. */
  #count(batch: ConnectorBatch): void {
    const labels = labelsOf(batch);
    for (const { counter, counted } of this.#counters) {
      const added = counted.count(batch);
      if (added > 0 && counted.types.includes(batch.type)) {
        counter.inc(labels, added);
      }
    }
    for (const { stage, durationMs } of batch.stages) {
      this.#durations.observe({ ...labels, stage }, durationMs / 1000);
    }
  }

  #note(status: Status): void {
    const id = `${status.type} ${status.key}`;
    if (!this.#statuses.has(id)) {
      this.#startAtZero(status);
    }
    this.#statuses.set(id, status);
    for (const { type, total, running } of this.#gauges) {
      const all = [...this.#statuses.values()].filter((one) => one.type === type);
      total.set(all.length);
      running.set(all.filter((one) => one.status === 'running').length);
    }
  }

  /** A rate needs a first value to grow from: the series exist before the first message. */
  #startAtZero(status: Status): void {
    for (const { counter, counted } of this.#counters) {
      if (counted.types.includes(status.type)) {
        counter.inc(labelsOf(status), 0);
      }
    }
  }
}

function labelsOf({ key, type }: { readonly key: string; readonly type: ConnectorType }): Labels {
  return { connector_key: key, connector_type: type };
}
