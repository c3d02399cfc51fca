// What a connector has done since the process started, for the API.
import type { ConnectorCounters } from '../connectors-control.ts';
import type { ConnectorBatch } from '../observation.ts';

/** The numbers of a batch; what is left out is 0. */
export type BatchNumbers = Partial<Omit<ConnectorBatch, 'kind' | 'type' | 'key'>>;

const NOTHING: Omit<ConnectorBatch, 'kind' | 'type' | 'key'> = {
  consumed: 0,
  produced: 0,
  delivered: 0,
  replayed: 0,
  deadLettered: 0,
  skipped: 0,
  errors: 0,
  stages: [],
};

/** The observation of a batch of this connector. */
export function toBatch(
  { type, key }: Pick<ConnectorBatch, 'type' | 'key'>,
  numbers: BatchNumbers,
): ConnectorBatch {
  return { kind: 'connector-batch', type, key, ...NOTHING, ...numbers };
}

/** Adds up batches; it outlives restarts of its connector. */
export class CounterTotals {
  #totals: ConnectorCounters = {
    received: 0,
    delivered: 0,
    replayed: 0,
    deadLettered: 0,
    skipped: 0,
    errors: 0,
  };

  /** As they are now. */
  get totals(): ConnectorCounters {
    return this.#totals;
  }

  add(batch: ConnectorBatch): void {
    const before = this.#totals;
    this.#totals = {
      // One of them is 0: a connector is a sink or a source.
      received: before.received + batch.consumed + batch.produced,
      delivered: before.delivered + batch.delivered,
      replayed: before.replayed + batch.replayed,
      deadLettered: before.deadLettered + batch.deadLettered,
      skipped: before.skipped + batch.skipped,
      errors: before.errors + batch.errors,
    };
  }
}
