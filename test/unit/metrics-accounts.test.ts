import { expect, test } from '@jest/globals';
import { createMetrics } from '../../src/metrics.ts';
import type { Observation } from '../../src/observation.ts';
import { readSample } from '../support/prometheus-text.ts';

const LOGIN = { kind: 'login-finished', name: 'ada', address: '10.0.0.9' } as const;
const LOSS = { kind: 'activity-lost', reason: 'queue full' } as const;

test.each<readonly [string, Readonly<Record<string, string>>, number, readonly Observation[]]>([
  [
    'logins_total',
    { door: 'main', outcome: 'refused' },
    2,
    [
      { ...LOGIN, door: 'main', outcome: 'refused' },
      { ...LOGIN, door: 'main', outcome: 'refused', name: 'somebody else' },
      { ...LOGIN, door: 'main', outcome: 'ok' },
      { ...LOGIN, door: 'http', outcome: 'refused' },
    ],
  ],
  [
    'logins_total',
    { door: 'main', outcome: 'throttled' },
    500,
    [
      { ...LOGIN, door: 'main', outcome: 'throttled' },
      { ...LOGIN, door: 'main', outcome: 'throttled', repeated: 499 },
    ],
  ],
  [
    'activity_lost_total',
    { stream: 'logs' },
    12,
    [
      { ...LOSS, stream: 'logs', records: 5 },
      { ...LOSS, stream: 'logs', records: 7, reason: 'closed' },
      { ...LOSS, stream: 'activity', records: 100 },
    ],
  ],
])('gatepost_%s counts by %j', async (name, labels, value, observations) => {
  const metrics = createMetrics({ version: '1.2.3' });
  for (const observation of observations) {
    metrics.observe(observation);
  }
  expect(readSample(await metrics.render(), `gatepost_${name}`, labels)).toBe(value);
});

test('names of those who log in are no labels', async () => {
  const metrics = createMetrics({ version: '1.2.3' });
  metrics.observe({ ...LOGIN, door: 'main', outcome: 'ok', name: 'Zq9kTv7w' });
  expect(await metrics.render()).not.toContain('Zq9kTv7w');
});
