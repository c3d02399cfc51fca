// What an upstream connection is opened with: the DSN's own, the guardrails', the frontend's.
import type { ClientConfig } from 'pg';
import type { Limits } from '../../config.ts';
import type { Setting, Startup } from '../backend.ts';

/** PostgreSQL cuts an application_name at NAMEDATALEN - 1 bytes. */
export const APPLICATION_NAME_BYTES_MAX = 63;

/**
 * How much later than Gatepost the upstream itself ends what lasts too long: it does so where
 * Gatepost is gone, and must not be first where it is not.
 */
const BACKSTOP_MS = 1000;

/** What every session of a listener is opened with. */
export interface SessionGuardrails {
  readonly limits: Limits;
  readonly idleTimeoutMs: number;
  readonly access: 'read-write' | 'read-only';
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
  const isReadOnly = [guardrails.access, startup.access].includes('read-only');
  // A dead upstream is noticed while the session is idle, too.
  const config: ClientConfig = { ...base, keepAlive: true };
  if (startup.database !== undefined) {
    config.database = startup.database;
  }
  config.application_name = upstreamApplicationName(startup);
  config.options = [
    encodeOptions([
      ['statement_timeout', `${guardrails.limits.queryTimeoutMs + BACKSTOP_MS}`],
      ['idle_in_transaction_session_timeout', `${guardrails.idleTimeoutMs + BACKSTOP_MS}`],
    ]),
    base.options ?? '',
    encodeOptions(startup.settings.filter(([name]) => name.toLowerCase() !== 'client_encoding')),
    encodeOptions(isReadOnly ? [['default_transaction_read_only', 'on']] : []),
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
 * `gatepost/<account>/<client's own>@<address>`, so that the upstream's logs tell who asked; the
 * account is left out where nobody is asked. Cut in the client's part first and in the account
 * then, and cleaned as the server itself cleans it: printable ASCII only.
 */
export function upstreamApplicationName({
  account,
  applicationName,
  address,
}: Pick<Startup, 'account' | 'applicationName' | 'address'>): string {
  const suffix = `@${address}`;
  const room = APPLICATION_NAME_BYTES_MAX - 'gatepost/'.length - suffix.length;
  const owner = account === undefined ? '' : `${cut(account, room - 1)}/`;
  const own = cut(applicationName, room - owner.length);
  return `gatepost/${owner}${own}${suffix}`.slice(0, APPLICATION_NAME_BYTES_MAX);
}

function cut(text: string, lengthMax: number): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, Math.max(0, lengthMax));
}
