// What settings must or should be to each other.

import { describeListener } from './config-file.ts';
import type { ListenerTexts } from './config-file.ts';
import type { SettingName } from './config-settings.ts';
import { readGiven, readSecret } from './config-sources.ts';
import type { ConfigInputs, GivenTexts } from './config-sources.ts';

/** Adds a problem for each pair of settings that contradict or need each other. */
export function checkTogether(given: GivenTexts, inputs: ConfigInputs, problems: string[]): void {
  const { settings } = given;
  if (settings.has('POSTGRES_HOST') && isUpstreamDsnGiven(given)) {
    const dsn = settings.has('WIRE_UPSTREAM_DSN') ? 'WIRE_UPSTREAM_DSN' : 'WIRE_UPSTREAM_DSN_FILE';
    problems.push(`POSTGRES_HOST and ${dsn} both name an upstream: keep one`);
  }
  if (settings.has('WIRE_TLS_CERT') !== settings.has('WIRE_TLS_KEY')) {
    problems.push('WIRE_TLS_CERT and WIRE_TLS_KEY belong together: give both or none');
  }
  checkTlsFiles(given, inputs, problems);
  if (inputs.command === 'pgwire-proxy') {
    checkProxy(given, problems);
  }
}

function isUpstreamDsnGiven({ settings }: GivenTexts): boolean {
  return settings.has('WIRE_UPSTREAM_DSN') || settings.has('WIRE_UPSTREAM_DSN_FILE');
}

/** The files are read again when the listener starts; here only so that `check` tells. */
function checkTlsFiles(given: GivenTexts, inputs: ConfigInputs, problems: string[]): void {
  if (given.settings.get('WIRE_ENABLE_TLS')?.text === 'false') {
    return;
  }
  for (const name of ['WIRE_TLS_CERT', 'WIRE_TLS_KEY'] as const) {
    const file = given.settings.get(name);
    if (file !== undefined) {
      readGiven(name, file, inputs, problems);
    }
  }
  for (const [index, listener] of given.listeners.entries()) {
    for (const key of ['tls_cert', 'tls_key']) {
      const text = listener[key];
      const label = `${describeListener(listener['name'], index)}: ${key}`;
      if (text !== undefined) {
        readGiven(label, { text, source: 'file' }, inputs, problems);
      }
    }
  }
}

function checkProxy(given: GivenTexts, problems: string[]): void {
  if (given.settings.get('WIRE_POSTGRES_PORT')?.text.trim().toLowerCase() === 'off') {
    problems.push('WIRE_POSTGRES_PORT is off: pgwire-proxy needs a port');
  }
  if (!given.settings.has('POSTGRES_HOST') && !isUpstreamDsnGiven(given)) {
    problems.push(
      'pgwire-proxy needs an upstream: give WIRE_UPSTREAM_DSN (--upstream-dsn) or POSTGRES_HOST',
    );
  }
}

/** The listeners of the file with the secrets that they keep in files of their own. */
export function withSecrets(
  listeners: readonly ListenerTexts[],
  inputs: ConfigInputs,
  problems: string[],
): ListenerTexts[] {
  return listeners.map((listener, index) => {
    const text = listener['upstream_dsn_file'];
    if (text === undefined) {
      return listener;
    }
    const label = describeListener(listener['name'], index);
    if (listener['upstream_dsn'] !== undefined) {
      problems.push(`${label}: upstream_dsn and upstream_dsn_file are both given: keep one`);
      return listener;
    }
    const given = { text, source: 'file' };
    const dsn = readSecret(`${label}: upstream_dsn_file`, given, inputs, problems);
    return dsn === undefined ? listener : { ...listener, upstream_dsn: dsn };
  });
}

const UPSTREAM_PARTS: readonly SettingName[] = [
  'POSTGRES_PORT',
  'POSTGRES_DB',
  'POSTGRES_USER',
  'POSTGRES_PASSWORD',
];

/** What is allowed, and yet probably not what was meant. */
export function describeRisks(given: GivenTexts): string[] {
  const { settings, warnings } = given;
  const risks = [...warnings];
  const ignored = UPSTREAM_PARTS.filter((name) => settings.has(name));
  if (ignored.length > 0 && !settings.has('POSTGRES_HOST')) {
    const names = ignored.join(', ');
    risks.push(
      isUpstreamDsnGiven(given)
        ? `Ignored: ${names}, because WIRE_UPSTREAM_DSN names the upstream`
        : `Ignored by the embedded PostgreSQL: ${names}; set POSTGRES_HOST to use your own`,
    );
  }
  if (settings.has('MONGODB_URI')) {
    risks.push('MONGODB_URI is set, but nothing listens for MongoDB in this version');
  }
  return risks;
}
