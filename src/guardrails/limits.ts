// How a client narrows its own limits: `options=-c gatepost.max_rows=100` in its startup packet.
import type { Limits } from '../config.ts';

/** Settings of this namespace are for the gate and do not go to a database. */
export const OWN_SETTING_PREFIX = 'gatepost.';

type Setting = readonly [name: string, value: string];

/** What a client's own settings came to. */
export interface NarrowedLimits {
  readonly limits: Limits;
  /** One sentence for each setting that was not taken as it was asked for. */
  readonly warnings: readonly string[];
}

const NUMERIC = {
  'gatepost.max_rows': { key: 'rowsMax', unit: 'rows' },
  'gatepost.max_bytes': { key: 'bytesMax', unit: 'bytes' },
  'gatepost.query_timeout': { key: 'queryTimeoutMs', unit: 'ms' },
} as const;

const NUMERIC_NAMES = [
  'gatepost.max_rows',
  'gatepost.max_bytes',
  'gatepost.query_timeout',
] as const;

/**
 * Applies a client's `gatepost.*` settings. They narrow a limit and never widen it; what cannot be
 * taken is left at the listener's value, with a warning.
 */
export function narrowLimits(limits: Limits, settings: readonly Setting[]): NarrowedLimits {
  const warnings: string[] = [];
  let narrowed = limits;
  for (const [name, value] of settings) {
    const known = NUMERIC_NAMES.find((candidate) => candidate === name.toLowerCase());
    if (known === undefined) {
      warnings.push(`${name} is not a setting of Gatepost; known are ${NUMERIC_NAMES.join(', ')}`);
      continue;
    }
    const { key, unit } = NUMERIC[known];
    const wanted = /^\d{1,15}$/.test(value) ? Number(value) : 0;
    if (wanted < 1) {
      warnings.push(`${known} must be a whole number of ${unit} from 1, not "${value}"`);
    } else if (wanted > limits[key]) {
      warnings.push(
        `${known} stays at the listener's ${limits[key]} ${unit}: it can only be lowered`,
      );
    } else {
      narrowed = { ...narrowed, [key]: wanted };
    }
  }
  return { limits: narrowed, warnings };
}
