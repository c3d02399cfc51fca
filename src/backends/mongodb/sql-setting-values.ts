// Values of run-time settings: what is accepted, and how PostgreSQL would write it.
import { EJSON_MODES } from './extended-json.ts';
import type { EjsonMode } from './extended-json.ts';

/** The value as it is kept, undefined when it is none; `current` is the value so far. */
export type ParseSetting = (value: string, current: string) => string | undefined;

/** PostgreSQL's own bound of a text is far away; no client needs more by itself. */
const TEXT_LENGTH_MAX = 1024;

/** Longest duration that a PostgreSQL integer of milliseconds holds. */
const DURATION_MS_MAX = 2 ** 31 - 1;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export function parseText(value: string): string | undefined {
  return value.length > TEXT_LENGTH_MAX ? undefined : value;
}

/** One of a few words, in any case. */
export function parseWord(words: readonly string[]): ParseSetting {
  return (value) => words.find((word) => word === value.toLowerCase());
}

/** PostgreSQL takes any beginning of these that is no other's beginning. */
export function parseBoolean(value: string): string | undefined {
  if (/^(?:on|t(?:r(?:ue?)?)?|y(?:es?)?|1)$/i.test(value)) {
    return 'on';
  }
  return /^(?:off?|f(?:a(?:l(?:se?)?)?)?|no?|0)$/i.test(value) ? 'off' : undefined;
}

/** A whole number in a range. */
export function parseInteger(min: number, max: number): ParseSetting {
  return (value) => {
    const number = /^[+-]?\d{1,9}$/.test(value) ? Number(value) : NaN;
    return number >= min && number <= max ? `${number}` : undefined;
  };
}

/** Milliseconds, or a number with one of PostgreSQL's units; `0` is written without one. */
export function parseDuration(value: string): string | undefined {
  const match = /^\s*(\d{1,10}(?:\.\d{1,6})?)\s*(ms|s|min|h|d)?\s*$/.exec(value);
  const ms = Math.round(Number(match?.[1]) * (UNIT_MS[match?.[2] ?? 'ms'] ?? NaN));
  return ms <= DURATION_MS_MAX ? writeDuration(ms) : undefined;
}

// As SHOW does: in the largest unit that needs no fraction.
function writeDuration(ms: number): string {
  const [unit, size] =
    Object.entries(UNIT_MS).findLast(([, length]) => ms % length === 0) ?? (['ms', 1] as const);
  return ms === 0 ? '0' : `${ms / size}${unit}`;
}

/** Milliseconds of a duration that parseDuration has written. */
export function durationMs(written: string): number {
  return Number.parseInt(written, 10) * (UNIT_MS[written.replace(/^\d+/, '')] ?? 1);
}

/** Results are UTF8: an encoding is taken that gives the same bytes. */
export function parseEncoding(value: string): string | undefined {
  const name = value.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
  if (name === 'SQLASCII') {
    return 'SQL_ASCII';
  }
  return ['UTF8', 'UNICODE'].includes(name) ? 'UTF8' : undefined;
}

/** One of the three ways to write results. */
export function parseEjsonMode(value: string): EjsonMode | undefined {
  return EJSON_MODES.find((mode) => mode === value.toLowerCase());
}

/** A zone's name, or hours from UTC. */
export function parseTimeZone(value: string): string | undefined {
  if (/^[+-]?\d{1,2}(?:\.\d{1,2})?$/.test(value)) {
    return value;
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions();
    return value;
  } catch {
    return undefined;
  }
}

const DATE_STYLES: Readonly<Record<string, string>> = {
  iso: 'ISO',
  sql: 'SQL',
  postgres: 'Postgres',
  german: 'German',
};

const DATE_ORDERS: Readonly<Record<string, string>> = {
  ...{ mdy: 'MDY', us: 'MDY', noneuro: 'MDY', noneuropean: 'MDY' },
  ...{ dmy: 'DMY', euro: 'DMY', european: 'DMY' },
  ymd: 'YMD',
};

/** A style, an order or both; what is not said stays as it is. */
export function parseDateStyle(value: string, current: string): string | undefined {
  let [style = 'ISO', order = 'MDY'] = current.split(', ');
  for (const part of value.toLowerCase().split(',')) {
    const word = part.trim();
    if (!Object.hasOwn({ ...DATE_STYLES, ...DATE_ORDERS }, word)) {
      return undefined;
    }
    style = DATE_STYLES[word] ?? style;
    order = DATE_ORDERS[word] ?? order;
  }
  return `${style}, ${order}`;
}
