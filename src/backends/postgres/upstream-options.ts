// What an upstream connection is opened with: the DSN's own, the guardrails', the frontend's.
import type { ClientConfig } from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import type { Limits } from '../../config.ts';
import { ServiceError, SQLSTATE } from '../../errors.ts';
import type { Setting, Startup } from '../backend.ts';

/** PostgreSQL cuts an application_name at NAMEDATALEN - 1 bytes. */
export const APPLICATION_NAME_BYTES_MAX = 63;

/**
 * How much later than Gatepost the upstream itself ends what lasts too long: it does so where
 * Gatepost is gone, and must not be first where it is not.
 */
const BACKSTOP_MS = 1000;

const DSN_HINT =
  'Its form is postgresql://user:password@host:port/database?sslmode=verify-full, with special ' +
  'characters percent-encoded, and the files it names must be readable';

/** What every session of a listener is opened with. */
export interface SessionGuardrails {
  readonly limits: Limits;
  readonly idleTimeoutMs: number;
  readonly access: 'read-write' | 'read-only';
}

/**
 * Parses a DSN as `pg` does, TLS modes and their files included. Where it says nothing of TLS or
 * the database, plain text and the user's name are meant: `pg` would ask PGSSLMODE and PGDATABASE,
 * which no configuration check shows.
 *
 * @throws ServiceError 08001 without the DSN's text, which holds a password
 */
export function parseDsn(dsn: string): ClientConfig {
  try {
    const config = parseIntoClientConfig(dsn);
    const database = config.database ?? config.user;
    return { ...config, ssl: config.ssl ?? false, ...(database === undefined ? {} : { database }) };
  } catch (cause) {
    throw new ServiceError(
      SQLSTATE.connectionNotEstablished,
      'The connection string of the upstream PostgreSQL cannot be read',
      {
        hint: DSN_HINT,
        cause,
      },
    );
  }
}

/**
 * The configuration of one session's upstream client. A startup parameter would win over
 * `options`, so that everything a frontend may narrow goes into `options`, ours first; what it
 * may not touch comes last.
 */
export function sessionClientConfig(
  base: ClientConfig,
  startup: Startup,
  guardrails: SessionGuardrails,
): ClientConfig {
  // A dead upstream is noticed while the session is idle, too.
  const config: ClientConfig = { ...base, keepAlive: true };
  if (startup.database !== undefined) {
    config.database = startup.database;
  }
  config.application_name = upstreamApplicationName(startup.applicationName, startup.address);
  config.options = [
    encodeOptions([
      ['statement_timeout', `${guardrails.limits.queryTimeoutMs + BACKSTOP_MS}`],
      ['idle_in_transaction_session_timeout', `${guardrails.idleTimeoutMs + BACKSTOP_MS}`],
    ]),
    base.options ?? '',
    encodeOptions(startup.settings.filter(([name]) => name.toLowerCase() !== 'client_encoding')),
    encodeOptions(
      guardrails.access === 'read-only' ? [['default_transaction_read_only', 'on']] : [],
    ),
  ]
    .filter((part) => part !== '')
    .join(' ');
  return config;
}

/** `-c name=value` for each; blanks and backslashes escaped as `options` wants them. */
function encodeOptions(settings: readonly Setting[]): string {
  return settings
    .map(([name, value]) => `-c ${`${name}=${value}`.replaceAll(/[\s\\]/g, String.raw`\$&`)}`)
    .join(' ');
}

/**
 * `gatepost/<client's own>@<address>`, so that the upstream's logs tell who asked. Cut in the
 * client's part, and cleaned as the server itself cleans it: printable ASCII only.
 */
export function upstreamApplicationName(applicationName: string, address: string): string {
  const suffix = `@${address}`;
  const prefix = 'gatepost/';
  const cleaned = applicationName.replaceAll(/[^\x20-\x7e]/g, '?');
  const room = APPLICATION_NAME_BYTES_MAX - prefix.length - suffix.length;
  return `${prefix}${cleaned.slice(0, Math.max(0, room))}${suffix}`.slice(
    0,
    APPLICATION_NAME_BYTES_MAX,
  );
}
