// Limits of one request: it may narrow the configured ones, and never widen them.
import type { Limits } from '../src/config.ts';
import { RequestError } from './request-error.ts';

/** What a request asks for. */
export interface WantedLimits {
  readonly maxRows?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly onLimit?: 'truncate' | 'error' | undefined;
}

const KEYS = [
  ['maxRows', 'rowsMax'],
  ['maxBytes', 'bytesMax'],
  ['timeoutMs', 'queryTimeoutMs'],
] as const;

/**
 * The limits of the request.
 *
 * @throws RequestError 422 for one above the configured: to lower it quietly would make an answer
 * that was cut look like one that was not
 */
export function narrowByRequest(limits: Limits, wanted: WantedLimits): Limits {
  const fields = KEYS.filter(([name, key]) => (wanted[name] ?? 0) > limits[key]).map(
    ([name, key]) => ({ field: name, message: `is ${limits[key]} at most` }),
  );
  if (fields.length > 0) {
    throw new RequestError(422, 'Limits can be narrowed, and not widened', {
      hint: 'Ask for less, or have the limits of the API raised',
      fields,
    });
  }
  return {
    rowsMax: wanted.maxRows ?? limits.rowsMax,
    bytesMax: wanted.maxBytes ?? limits.bytesMax,
    queryTimeoutMs: wanted.timeoutMs ?? limits.queryTimeoutMs,
    onLimit: wanted.onLimit ?? limits.onLimit,
  };
}
