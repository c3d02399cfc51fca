import { describe, expect, test } from '@jest/globals';
import { narrowLimits, OWN_SETTING_PREFIX } from '../../../src/guardrails/limits.ts';
import type { Limits } from '../../../src/config.ts';

const LIMITS: Limits = {
  rowsMax: 10_000,
  bytesMax: 1_000_000,
  queryTimeoutMs: 30_000,
  onLimit: 'error',
};

describe('narrowLimits', () => {
  test('changes nothing when nothing is asked for', () => {
    expect(narrowLimits(LIMITS, [])).toEqual({ limits: LIMITS, warnings: [] });
  });

  test.each([
    ['gatepost.max_rows', '100', { rowsMax: 100 }],
    ['gatepost.max_rows', '1', { rowsMax: 1 }],
    ['gatepost.max_rows', '10000', { rowsMax: 10_000 }],
    ['gatepost.max_rows', '0042', { rowsMax: 42 }],
    ['GATEPOST.Max_Rows', '7', { rowsMax: 7 }],
    ['gatepost.max_bytes', '999999', { bytesMax: 999_999 }],
    ['gatepost.query_timeout', '5', { queryTimeoutMs: 5 }],
  ])('takes %s = %s', (name, value, change) => {
    expect(narrowLimits(LIMITS, [[name, value]])).toEqual({
      limits: { ...LIMITS, ...change },
      warnings: [],
    });
  });

  test.each([
    ['gatepost.max_rows', '10001', "gatepost.max_rows stays at the listener's 10000 rows"],
    ['gatepost.max_bytes', '1000001', "gatepost.max_bytes stays at the listener's 1000000 bytes"],
    [
      'gatepost.query_timeout',
      '999999999999999',
      "gatepost.query_timeout stays at the listener's 30000 ms",
    ],
  ])('does not widen %s to %s', (name, value, warning) => {
    expect(narrowLimits(LIMITS, [[name, value]])).toEqual({
      limits: LIMITS,
      warnings: [`${warning}: it can only be lowered`],
    });
  });

  test.each([
    '0',
    '00',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    ' 1',
    '1 ',
    '',
    'all',
    '1kB',
    '9'.repeat(16),
  ])('does not take %j for a number', (value) => {
    expect(narrowLimits(LIMITS, [['gatepost.max_rows', value]])).toEqual({
      limits: LIMITS,
      warnings: [`gatepost.max_rows must be a whole number of rows from 1, not "${value}"`],
    });
  });

  test.each(['gatepost.max_row', 'gatepost.', 'gatepost.on_limit', 'gatepost.__proto__'])(
    'does not know %s',
    (name) => {
      const { limits, warnings } = narrowLimits(LIMITS, [[name, '1']]);
      expect(limits).toBe(LIMITS);
      expect(warnings).toEqual([
        `${name} is not a setting of Gatepost; known are gatepost.max_rows, ` +
          'gatepost.max_bytes, gatepost.query_timeout',
      ]);
    },
  );

  test('applies settings in their order, each measured by the limit of the listener', () => {
    const settings = [
      ['gatepost.max_rows', '10'],
      ['gatepost.query_timeout', '1000'],
      ['gatepost.max_rows', '20000'],
      ['gatepost.max_rows', '500'],
    ] as const;
    const { limits, warnings } = narrowLimits(LIMITS, settings);
    expect(limits).toEqual({ ...LIMITS, rowsMax: 500, queryTimeoutMs: 1000 });
    expect(warnings).toHaveLength(1);
  });

  test('leaves the limits of the listener as they are for the next session', () => {
    const frozen = Object.freeze({ ...LIMITS });
    narrowLimits(frozen, [['gatepost.max_rows', '1']]);
    expect(frozen).toEqual(LIMITS);
  });

  test('knows only settings of its own namespace', () => {
    expect(OWN_SETTING_PREFIX).toBe('gatepost.');
  });
});
