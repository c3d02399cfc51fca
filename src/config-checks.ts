// What settings must or should be to each other.

import { describeListener } from './config-file.ts';
import type { ListenerTexts } from './config-file.ts';
import { LISTENER_SECRETS } from './config-listener-keys.ts';
import type { ApiConfig } from './config-api.ts';
import type { ListenerConfig } from './config-listeners.ts';
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
  checkSslMode(given, problems);
  checkTlsFiles(given, inputs, problems);
  if (inputs.command === 'pgwire-proxy') {
    checkProxy(given, problems);
  }
}

function checkSslMode({ settings }: GivenTexts, problems: string[]): void {
  const sslMode = settings.get('POSTGRES_SSLMODE')?.text.trim().toLowerCase() ?? 'disable';
  if (sslMode !== 'disable' && settings.get('POSTGRES_HOST')?.text.trim().startsWith('/')) {
    problems.push(
      'POSTGRES_SSLMODE asks for TLS, and POSTGRES_HOST is the directory of a Unix socket, which ' +
        'has none: leave POSTGRES_SSLMODE out',
    );
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
    const label = describeListener(listener['name'], index);
    const texts: Record<string, string> = { ...listener };
    for (const [key, fileKey] of LISTENER_SECRETS) {
      const text = listener[fileKey];
      if (text === undefined) {
        continue;
      }
      if (listener[key] !== undefined) {
        problems.push(`${label}: ${key} and ${fileKey} are both given: keep one`);
        continue;
      }
      const given = { text, source: 'file' };
      const secret = readSecret(`${label}: ${fileKey}`, given, inputs, problems);
      if (secret !== undefined) {
        texts[key] = secret;
      }
    }
    return texts;
  });
}

const UPSTREAM_PARTS: readonly SettingName[] = [
  'POSTGRES_PORT',
  'POSTGRES_DB',
  'POSTGRES_USER',
  'POSTGRES_PASSWORD',
  'POSTGRES_SSLMODE',
];

const POSTGRES_LISTS: readonly SettingName[] = ['WIRE_ALLOW', 'WIRE_DENY'];

interface Doors {
  readonly listeners: readonly ListenerConfig[];
  readonly api: ApiConfig | undefined;
  readonly command: ConfigInputs['command'];
}

/** What is allowed, and yet probably not what was meant. */
export function describeRisks(given: GivenTexts, { listeners, api, command }: Doors): string[] {
  const { settings, warnings } = given;
  const risks = [...warnings];
  if (command === 'connectors') {
    return risks;
  }
  const ignored = UPSTREAM_PARTS.filter((name) => settings.has(name));
  if (ignored.length > 0 && !settings.has('POSTGRES_HOST')) {
    const names = ignored.join(', ');
    risks.push(
      isUpstreamDsnGiven(given)
        ? `Ignored: ${names}, because WIRE_UPSTREAM_DSN names the upstream`
        : `Ignored by the embedded PostgreSQL: ${names}; set POSTGRES_HOST to use your own`,
    );
  }
  return command === 'serve' ? [...risks, ...describeMongodbRisks(given, listeners, api)] : risks;
}

function describeMongodbRisks(
  { settings }: GivenTexts,
  listeners: readonly ListenerConfig[],
  api: ApiConfig | undefined,
): string[] {
  const risks: string[] = [];
  const mongodb = listeners.filter((listener) => listener.backend === 'mongodb');
  const uri = settings.get('MONGODB_URI')?.text;
  // The API takes it wherever it is on.
  if (
    uri !== undefined &&
    api === undefined &&
    !mongodb.some(({ mongodbUri }) => mongodbUri === uri)
  ) {
    risks.push(
      'MONGODB_URI is ignored, because no listener uses it: set WIRE_MONGODB_PORT, or write ' +
        'backend = "mongodb" in a listener of the file',
    );
  }
  if (
    settings.has('MONGOD_BINARY') &&
    mongodb.every(({ mongodbUri }) => mongodbUri !== undefined)
  ) {
    risks.push('MONGOD_BINARY is ignored, because no listener uses the embedded MongoDB');
  }
  const lists = POSTGRES_LISTS.filter((name) => settings.has(name)).join(', ');
  const open = mongodb.filter(({ policy: { allow, deny, access } }) => {
    return allow.length + deny.length === 0 && access === 'read-write';
  });
  return lists === ''
    ? risks
    : [...risks, ...open.map(({ name }) => describeForeignLists(lists, name))];
}

/** Who denied DROP may think that nobody can drop a collection. */
function describeForeignLists(lists: string, listener: string): string {
  return (
    `Ignored by listener ${listener}: ${lists}, for PostgreSQL only; set WIRE_MONGODB_ALLOW or ` +
    'WIRE_MONGODB_DENY to restrict its commands'
  );
}
