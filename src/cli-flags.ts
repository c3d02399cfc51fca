// The settings as flags of commands.
import { Option } from 'commander';
import type { Command } from 'commander';
import { notesOf, SETTING_NAMES } from './config-settings.ts';
import type { SettingName } from './config-settings.ts';
import type { ConfigInputs } from './config-sources.ts';

export type Flags = readonly (readonly [flag: string, name: SettingName])[];

/** Every setting in kebab-case; the file has the name that everybody tries first. */
export const SERVE_FLAGS: Flags = SETTING_NAMES.map((name) => {
  const flag = name === 'GATEPOST_CONFIG' ? 'config' : name.toLowerCase().replaceAll('_', '-');
  return [flag, name];
});

export const PROXY_FLAGS: Flags = [
  ['port', 'WIRE_POSTGRES_PORT'],
  ['upstream-dsn', 'WIRE_UPSTREAM_DSN'],
  ['enable-tls', 'WIRE_ENABLE_TLS'],
  ['tls-cert', 'WIRE_TLS_CERT'],
  ['tls-key', 'WIRE_TLS_KEY'],
  ['max-connections', 'WIRE_MAX_CONNECTIONS'],
  ['query-timeout', 'WIRE_QUERY_TIMEOUT'],
  ['max-rows', 'WIRE_MAX_ROWS'],
  ['max-bytes', 'WIRE_MAX_BYTES'],
  ['enable-otel-metrics', 'WIRE_ENABLE_OTEL_METRICS'],
  ['auth', 'WIRE_AUTH'],
  ['allow-insecure', 'WIRE_ALLOW_INSECURE'],
  ['accounts', 'ACCOUNTS'],
  ['accounts-database-url', 'ACCOUNTS_DATABASE_URL'],
];

export const CONNECTORS_FLAGS: Flags = [
  ['config', 'IGGY_CONNECTORS_CONFIG_PATH'],
  ['log-level', 'LOG_LEVEL'],
  ['shutdown-timeout', 'SHUTDOWN_TIMEOUT'],
];

/** Where accounts are: what leads to them, for commands that need nothing else. */
export const ACCOUNTS_FLAGS: Flags = [
  ['config', 'GATEPOST_CONFIG'],
  ['gatepost-data-dir', 'GATEPOST_DATA_DIR'],
  ['accounts', 'ACCOUNTS'],
  ['accounts-database-url', 'ACCOUNTS_DATABASE_URL'],
];

/** Adds the flags to the command; gives what reads the texts of those that were used. */
export function addFlags(command: Command, flags: Flags): () => ConfigInputs['argvSettings'] {
  const options = flags.map(([flag, name]) => ({ name, option: createOption(flag, name) }));
  for (const { option } of options) {
    command.addOption(option);
  }
  return () => {
    const values = command.opts<Record<string, unknown>>();
    const given = options.filter(({ option }) => values[option.attributeName()] !== undefined);
    return Object.fromEntries(
      given.map(({ name, option }) => [name, textOf(values[option.attributeName()])]),
    );
  };
}

/** A switch without a value is switched on. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : 'true';
}

function createOption(flag: string, name: SettingName): Option {
  const { argument, group } = notesOf(name);
  const value = argument === 'true|false' ? `[${argument}]` : `<${argument}>`;
  return new Option(`--${flag} ${value}`, describeFlag(name)).helpGroup(`${group}:`);
}

function describeFlag(name: SettingName): string {
  const { summary, accepted, argument, fallback, productionFallback, secret } = notesOf(name);
  const others = productionFallback === undefined ? '' : `, ${productionFallback} in production`;
  const facts = [
    ...(argument.includes('|') ? [] : [accepted]),
    ...(fallback === undefined ? [] : [`default ${fallback}${others}`]),
    name,
  ];
  const warning = `; visible in the list of processes, so rather set ${name}_FILE`;
  return `${summary}${secret === 'none' ? '' : warning} [${facts.join('; ')}]`;
}
