// The run-time settings that a session has: PostgreSQL's, as far as clients ask for them.
import {
  parseBoolean,
  parseDateStyle,
  parseDuration,
  parseEjsonMode,
  parseEncoding,
  parseInteger,
  parseText,
  parseTimeZone,
  parseWord,
} from './sql-setting-values.ts';
import type { ParseSetting } from './sql-setting-values.ts';

/**
 * The PostgreSQL that a session passes for. psql warns of a server newer than itself, and asks an
 * older one less: with 12 every psql from 12 on asks the same few questions and warns of nothing.
 */
export const POSTGRES_VERSION = '12.0';

export interface SettingRule {
  /** As PostgreSQL spells it. */
  readonly name: string;
  readonly value: string;
  /** Absent where no client may change the value. */
  readonly parse?: ParseSetting;
  /** Whether a client hears of a change at once (PostgreSQL's GUC_REPORT). */
  readonly isReported?: boolean;
  readonly description: string;
}

/** Who a session is, and what it may do. */
export interface SessionIdentity {
  readonly user: string;
  /** MongoDB's, such as `6.0.5`. */
  readonly mongodbVersion: string;
  /** Whether the listener admits statements that only read. */
  readonly isReadOnly: boolean;
}

/** Every setting, in the order in which SHOW ALL lists them. */
export function createSettingRules(identity: SessionIdentity): readonly SettingRule[] {
  return [...CHANGEABLE_RULES, ...FIXED_RULES, ...identityRules(identity)].toSorted((one, other) =>
    one.name.toLowerCase() < other.name.toLowerCase() ? -1 : 1,
  );
}

/** Longest application_name, in characters: NAMEDATALEN - 1 of PostgreSQL. */
const NAME_LENGTH_MAX = 63;

const CHANGEABLE_RULES: readonly SettingRule[] = [
  {
    name: 'application_name',
    value: '',
    parse: (value) => value.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, NAME_LENGTH_MAX),
    isReported: true,
    description: 'Sets the application name to be reported in statistics and logs',
  },
  {
    name: 'bytea_output',
    value: 'hex',
    parse: parseWord(['escape', 'hex']),
    description: 'Has no effect: results are JSON',
  },
  {
    name: 'client_encoding',
    value: 'UTF8',
    parse: parseEncoding,
    isReported: true,
    description: 'The encoding of results, which is UTF8',
  },
  {
    name: 'client_min_messages',
    value: 'notice',
    parse: parseWord([
      ...['debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'debug'],
      ...['log', 'info', 'notice', 'warning', 'error'],
    ]),
    description: 'Has no effect: every message is sent',
  },
  {
    name: 'DateStyle',
    value: 'ISO, MDY',
    parse: parseDateStyle,
    isReported: true,
    description: 'Has no effect: dates are Extended JSON',
  },
  {
    name: 'extra_float_digits',
    value: '1',
    parse: parseInteger(-15, 3),
    description: 'Has no effect: numbers are exact',
  },
  {
    name: 'gatepost.ejson',
    value: 'lossless',
    parse: parseEjsonMode,
    description: 'The Extended JSON of results: relaxed, canonical or lossless',
  },
  {
    name: 'IntervalStyle',
    value: 'postgres',
    parse: parseWord(['postgres', 'postgres_verbose', 'sql_standard', 'iso_8601']),
    isReported: true,
    description: 'Has no effect: MongoDB has no intervals',
  },
  {
    name: 'search_path',
    value: '"$database"',
    parse: parseText,
    description: 'Has no effect: names are looked up in the database that use selects',
  },
  {
    name: 'statement_timeout',
    value: '0',
    parse: parseDuration,
    description: 'Longest time of a statement; 0 leaves it to the listener',
  },
  {
    name: 'TimeZone',
    value: 'UTC',
    parse: parseTimeZone,
    isReported: true,
    description: 'Has no effect: dates are UTC',
  },
];

/** What cannot be had otherwise here; asking for the value that there is does no harm. */
const FIXED_RULES: readonly SettingRule[] = [
  ['default_transaction_isolation', 'read committed'],
  ['idle_in_transaction_session_timeout', '0'],
  ['integer_datetimes', 'on', true],
  ['lock_timeout', '0'],
  ['max_identifier_length', '63'],
  ['max_index_keys', '32'],
  ['row_security', 'on'],
  ['server_encoding', 'UTF8', true],
  ['standard_conforming_strings', 'on', true],
  ['transaction_deferrable', 'off'],
  ['transaction_isolation', 'read committed'],
].map(([name, value, isReported]) => ({
  name: String(name),
  value: String(value),
  isReported: isReported === true,
  description: 'Cannot be changed on this port',
}));

function identityRules(identity: SessionIdentity): SettingRule[] {
  const { user, mongodbVersion, isReadOnly } = identity;
  const readOnly = {
    value: isReadOnly ? 'on' : 'off',
    parse: parseBoolean,
    description: 'Whether the listener admits statements that only read',
  };
  return [
    { name: 'default_transaction_read_only', ...readOnly },
    {
      name: 'is_superuser',
      value: 'off',
      isReported: true,
      description: 'Cannot be changed on this port',
    },
    {
      name: 'server_version',
      value: `${POSTGRES_VERSION} (Gatepost, MongoDB ${mongodbVersion})`,
      isReported: true,
      description: 'The PostgreSQL that clients may expect, and the MongoDB that there is',
    },
    {
      name: 'server_version_num',
      value: `${Math.trunc(Number(POSTGRES_VERSION)) * 10_000}`,
      description: 'The PostgreSQL that clients may expect, as a number',
    },
    {
      name: 'session_authorization',
      value: user,
      isReported: true,
      description: 'The name that the client has given',
    },
    { name: 'transaction_read_only', ...readOnly },
  ];
}
