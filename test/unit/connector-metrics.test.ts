import { beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createConnectorMetrics } from '../../src/connector-metrics.ts';
import type { ConnectorBatch, Observation, Observer } from '../../src/observation.ts';
import { parsePrometheusText, readSample } from '../support/prometheus-text.ts';

/** Dashboards of Apache Iggy's own runtime name most of these. */
const FAMILIES = [
  ['iggy_connector_errors_total', 'counter'],
  ['iggy_connector_messages_consumed_total', 'counter'],
  ['iggy_connector_messages_dead_lettered_total', 'counter'],
  ['iggy_connector_messages_filtered_total', 'counter'],
  ['iggy_connector_messages_processed_total', 'counter'],
  ['iggy_connector_messages_produced_total', 'counter'],
  ['iggy_connector_messages_replayed_total', 'counter'],
  ['iggy_connector_messages_sent_total', 'counter'],
  ['iggy_connector_messages_skipped_total', 'counter'],
  ['iggy_connector_stage_duration_seconds', 'histogram'],
  ['iggy_connectors_sinks_running', 'gauge'],
  ['iggy_connectors_sinks_total', 'gauge'],
  ['iggy_connectors_sources_running', 'gauge'],
  ['iggy_connectors_sources_total', 'gauge'],
] as const;

const OF_SINK = ['consumed', 'processed', 'replayed', 'dead_lettered', 'skipped', 'filtered'];
const OF_SOURCE = ['produced', 'sent', 'skipped', 'filtered'];

type Type = ConnectorBatch['type'];
type Status = Extract<Observation, { readonly kind: 'connector-status' }>['status'];

let registry: Registry;
let metrics: Observer;

beforeEach(() => {
  registry = new Registry();
  metrics = createConnectorMetrics(registry);
});

const labels = (key: string, type: Type): Record<string, string> => ({
  connector_key: key,
  connector_type: type,
});

function note(key: string, type: Type, status: Status): void {
  const message = status === 'error' ? 'The database refused' : undefined;
  metrics.observe({ kind: 'connector-status', type, key, name: key, status, message });
}

function finish(key: string, type: Type, counts: Partial<ConnectorBatch>): void {
  metrics.observe({
    kind: 'connector-batch',
    type,
    key,
    consumed: 0,
    produced: 0,
    delivered: 0,
    replayed: 0,
    deadLettered: 0,
    skipped: 0,
    errors: 0,
    stages: [],
    ...counts,
  });
}

async function sample(
  name: string,
  of: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  return readSample(await registry.metrics(), name, of);
}

async function messages(names: readonly string[], key: string, type: Type): Promise<unknown[]> {
  return await Promise.all(
    names.map(
      async (name) => await sample(`iggy_connector_messages_${name}_total`, labels(key, type)),
    ),
  );
}

describe('the families', () => {
  test('have these names and types, and each says in a sentence what it is', async () => {
    const families = [...parsePrometheusText(await registry.metrics())];
    expect(families.map(([name, { type }]) => [name, type]).sort()).toEqual(FAMILIES);
    for (const [, { help }] of families) {
      expect(help).toMatch(/^[A-Z].{15,}[^.]$/);
    }
  });

  test('time stages in thirteen buckets from 50 µs to 5 s', async () => {
    finish('a', 'sink', { stages: [{ stage: 'insert', durationMs: 0.06 }] });
    const family = parsePrometheusText(await registry.metrics()).get(
      'iggy_connector_stage_duration_seconds',
    );
    const buckets = (family?.samples ?? []).flatMap(({ labels: { le = '+Inf' }, value }) =>
      le === '+Inf' ? [] : [[Number(le), value]],
    );
    expect(buckets).toHaveLength(13);
    expect(buckets.slice(0, 2)).toEqual([
      [0.000_05, 0],
      [0.000_1, 1],
    ]);
    expect(buckets.at(-1)).toEqual([5, 1]);
  });
});

describe('a batch', () => {
  test('of a sink is counted by what became of its messages', async () => {
    const counts = { consumed: 10, delivered: 4, replayed: 3, deadLettered: 2, skipped: 1 };
    finish('mongodb', 'sink', { ...counts, errors: 5 });
    finish('mongodb', 'sink', counts);
    expect(await messages(OF_SINK, 'mongodb', 'sink')).toEqual([20, 8, 6, 4, 2, undefined]);
    expect(await sample('iggy_connector_errors_total', labels('mongodb', 'sink'))).toBe(5);
    expect(await messages(['produced', 'sent'], 'mongodb', 'sink')).toEqual([undefined, undefined]);
  });

  test('of a source is counted as produced and sent, apart from a sink of its key', async () => {
    finish('mongodb', 'source', { produced: 7, delivered: 6, skipped: 1 });
    finish('mongodb', 'sink', { consumed: 9, delivered: 9 });
    expect(await messages(OF_SOURCE, 'mongodb', 'source')).toEqual([7, 6, 1, undefined]);
    expect(await messages(['consumed', 'processed'], 'mongodb', 'sink')).toEqual([9, 9]);
    expect(await messages(['consumed', 'processed'], 'mongodb', 'source')).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('gives the time of each of its stages in seconds', async () => {
    finish('a', 'source', {
      stages: [
        { stage: 'poll', durationMs: 250 },
        { stage: 'iggy_send', durationMs: 500 },
      ],
    });
    const name = 'iggy_connector_stage_duration_seconds';
    const of = (stage: string): Record<string, string> => ({ ...labels('a', 'source'), stage });
    expect(await sample(`${name}_sum`, of('poll'))).toBe(0.25);
    expect(await sample(`${name}_sum`, of('iggy_send'))).toBe(0.5);
    expect(await sample(`${name}_count`, of('poll'))).toBe(1);
  });
});

describe('a status', () => {
  test.each([
    ['sink', OF_SINK],
    ['source', OF_SOURCE],
  ] as const)('of a new %s starts its series at zero', async (type, names) => {
    note('mongodb', type, 'starting');
    expect(await messages(names, 'mongodb', type)).toEqual(names.map(() => 0));
    expect(await sample('iggy_connector_errors_total', labels('mongodb', type))).toBe(0);
  });

  test('says how many there are, and how many of them run', async () => {
    const read = async (): Promise<unknown[]> =>
      await Promise.all(
        ['sinks_total', 'sinks_running', 'sources_total', 'sources_running'].map(
          async (name) => await sample(`iggy_connectors_${name}`),
        ),
      );
    expect(await read()).toEqual([0, 0, 0, 0]);
    note('a', 'sink', 'running');
    note('b', 'sink', 'starting');
    note('a', 'source', 'running');
    expect(await read()).toEqual([2, 1, 1, 1]);
    note('b', 'sink', 'running');
    note('a', 'source', 'error');
    expect(await read()).toEqual([2, 2, 1, 0]);
    note('a', 'sink', 'stopped');
    expect(await read()).toEqual([2, 1, 1, 0]);
  });

  test('that comes again keeps what was counted', async () => {
    note('a', 'sink', 'running');
    finish('a', 'sink', { consumed: 2 });
    note('a', 'sink', 'stopped');
    note('a', 'sink', 'running');
    expect(await messages(['consumed'], 'a', 'sink')).toEqual([2]);
  });

  test('of something else is not theirs', async () => {
    metrics.observe({ kind: 'service-stopping', reason: 'SIGTERM' });
    expect(await sample('iggy_connectors_sinks_total')).toBe(0);
  });
});
