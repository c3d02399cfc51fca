import { expect, test } from '@jest/globals';
import { queryTimeoutError } from '../../../src/guardrails/query-timeout.ts';

test('says the limit with its unit, its setting, and what else may have set it', () => {
  const error = queryTimeoutError(30_000, 'timeoutMs you sent');
  expect([error.severity, error.sqlState, error.message, error.hint]).toEqual([
    'ERROR',
    '57014',
    'canceling statement due to query timeout',
    'The limit is 30000 ms per query (WIRE_QUERY_TIMEOUT, or timeoutMs you sent)',
  ]);
});
