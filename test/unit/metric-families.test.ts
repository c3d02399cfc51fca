import { Registry } from 'prom-client';
import { describe, expect, test } from '@jest/globals';
import { createMetricFamilies } from '../../src/metric-families.ts';
import { parsePrometheusText } from '../support/prometheus-text.ts';

/** Dashboards and alerts name these: a change here is one for every operator. */
const FAMILIES: readonly (readonly [name: string, type: string])[] = [
  ['gatepost_activity_lost_total', 'counter'],
  ['gatepost_audit_dropped_total', 'counter'],
  ['gatepost_backend_up', 'gauge'],
  ['gatepost_build_info', 'gauge'],
  ['gatepost_cache_requests_total', 'counter'],
  ['gatepost_cancel_requests_total', 'counter'],
  ['gatepost_config_max_client_connections', 'gauge'],
  ['gatepost_connections_rejected_total', 'counter'],
  ['gatepost_errors_total', 'counter'],
  ['gatepost_guard_refused_total', 'counter'],
  ['gatepost_http_requests_total', 'counter'],
  ['gatepost_logins_total', 'counter'],
  ['gatepost_pools_client_active_connections', 'gauge'],
  ['gatepost_query_duration_seconds', 'histogram'],
  ['gatepost_query_timeouts_total', 'counter'],
  ['gatepost_results_truncated_total', 'counter'],
  ['gatepost_session_errors_total', 'counter'],
  ['gatepost_stats_queries_duration_seconds_total', 'counter'],
  ['gatepost_stats_queries_total', 'counter'],
  ['gatepost_stats_received_bytes_total', 'counter'],
  ['gatepost_stats_rows_total', 'counter'],
  ['gatepost_stats_sent_bytes_total', 'counter'],
];

async function render(registry: Registry): Promise<ReturnType<typeof parsePrometheusText>> {
  return parsePrometheusText(await registry.metrics());
}

describe('createMetricFamilies', () => {
  test('makes these families and no others, each with its type', async () => {
    const registry = new Registry();
    createMetricFamilies(registry);
    const families = [...(await render(registry))].map(([name, { type }]) => [name, type]);
    expect(families.sort()).toEqual(FAMILIES);
  });

  test.each(FAMILIES)('says in a sentence what %s is', async (name) => {
    const registry = new Registry();
    createMetricFamilies(registry);
    const help = (await render(registry)).get(name)?.help;
    expect(help).toMatch(/^[A-Z0-9].{15,}[^.]$/);
  });

  test.each(FAMILIES.filter(([name]) => /seconds|bytes/.test(name)))(
    'gives the unit of %s in its sentence too',
    async (name) => {
      const registry = new Registry();
      createMetricFamilies(registry);
      const help = (await render(registry)).get(name)?.help;
      expect(help).toMatch(/seconds|bytes/i);
    },
  );

  test('takes a registry of its own each time', async () => {
    const [first, second] = [new Registry(), new Registry()];
    createMetricFamilies(first).timeouts.inc({ listener: 'main' });
    createMetricFamilies(second);
    const samples = (await render(second)).get('gatepost_query_timeouts_total')?.samples;
    expect(samples).toEqual([]);
  });
});
