import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { checkAccounts, describeAccountRisks } from './config-account-checks.ts';
import { resolveAccounts, resolveStore } from './config-accounts.ts';
import type { AccountsConfig, StoreConfig } from './config-accounts.ts';
import { checkApi, describeApiRisks, resolveApi } from './config-api.ts';
import type { ApiConfig } from './config-api.ts';
import { checkTogether, describeRisks, withSecrets } from './config-checks.ts';
import { resolveConnectors } from './config-connectors.ts';
import type { ConnectorsInputs } from './config-connectors.ts';
import { composeConnectionString } from './config-dsn.ts';
import { describeExposure, refuseExposure } from './config-exposure.ts';
import type { FileListener } from './config-listener-keys.ts';
import { refuseClashes, resolveListener } from './config-listeners.ts';
import type { ListenerConfig } from './config-listeners.ts';
import { environmentOf, parseTexts } from './config-parse.ts';
import type { ParsedTexts } from './config-parse.ts';
import { ConfigError } from './config-problems.ts';
import { describeSetting, notesOf, SETTING_NAMES } from './config-settings.ts';
import type { Environment, SettingName, Settings } from './config-settings.ts';
import { gatherTexts } from './config-sources.ts';
import type { ConfigInputs, GivenTexts, SystemInputs } from './config-sources.ts';

export type { Limits, ListenerConfig } from './config-listeners.ts';

/** Everything that can be chosen about a run, checked and frozen. */
export interface Config {
  readonly environment: Environment;
  /** Undefined when nothing is served over HTTP (pgwire-proxy). */
  readonly http: { readonly host: string; readonly port: number } | undefined;
  /** Undefined when it is off, or nothing is served over HTTP. */
  readonly api: ApiConfig | undefined;
  readonly listeners: readonly ListenerConfig[];
  /** Undefined where there are none. */
  readonly accounts: AccountsConfig | undefined;
  /** Undefined where Gatepost keeps nothing in MongoDB. */
  readonly store: StoreConfig | undefined;
  /** Undefined where none are configured. */
  readonly connectors: ConnectorsInputs | undefined;
  /** Where the embedded databases keep their data; absolute. */
  readonly dataDirectory: string;
  /** The mongod program of the embedded MongoDB, absolute; undefined for whichever is found. */
  readonly mongodBinary: string | undefined;
  readonly shutdownTimeoutMs: number;
  /** Absolute, or `-` for standard output; undefined for no audit. */
  readonly auditFile: string | undefined;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
  readonly isOtelMetricsEnabled: boolean;
  /** What is allowed, and yet probably not what was meant; no secrets. */
  readonly warnings: readonly string[];
  /** Every setting and where it came from, in the order of the table. */
  readonly settings: readonly SettingOrigin[];
}

/** A setting as it may be shown. */
export interface SettingOrigin {
  readonly name: SettingName;
  /** As written, secrets masked; undefined when it is unset. */
  readonly value: string | undefined;
  /**
   * `flag`, `environment`, `.env`, `file`, `default`, or the setting that names the file; a default
   * that depends on NODE_ENV says so.
   */
  readonly source: string;
}

/**
 * Resolves flags, environment, `.env`, the file and defaults, in this precedence, to a frozen
 * configuration. Throws a ConfigError that lists everything that is wrong.
 */
export function loadConfig(inputs: ConfigInputs): Config {
  const problems: string[] = [];
  const gathered = gatherTexts(inputs, problems);
  const listeners = withSecrets(gathered.listeners, inputs, problems);
  const given = { ...gathered, listeners };
  const parsed = parseTexts(given, problems);
  checkTogether(given, inputs, problems);
  const config = resolveConfig(parsed, given, { inputs, problems });
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
  return deepFreeze(config);
}

/** Far more than any configuration or secret; a wrong path is not read into memory. */
const TEXT_FILE_BYTES_MAX = 1024 * 1024;

/** The process's own environment, files and working directory: the one reader of each. */
export function readSystemInputs(): SystemInputs {
  return {
    env: process.env,
    workingDirectory: process.cwd(),
    readTextFile: (file) => {
      const stats = statSync(file);
      if (!stats.isFile() && !stats.isDirectory()) {
        // A pipe would be waited for, and a device may have no end.
        throw new Error('it is no regular file');
      }
      if (stats.size > TEXT_FILE_BYTES_MAX) {
        throw new Error(`it is larger than ${TEXT_FILE_BYTES_MAX} bytes`);
      }
      return readFileSync(file, 'utf8');
    },
    listDirectory: (directory) => readdirSync(directory),
  };
}

function resolveConfig(
  parsed: ParsedTexts,
  given: GivenTexts,
  { inputs, problems }: { readonly inputs: ConfigInputs; readonly problems: string[] },
): Config {
  const { settings } = parsed;
  const { command, workingDirectory } = inputs;
  const upstreamDsn = resolveUpstream(settings);
  const isHttpServed = command === 'serve';
  const listeners = listListeners(parsed, given, command).map((listener, index) =>
    resolveListener(listener, index, { settings, upstreamDsn, workingDirectory, problems }),
  );
  refuseClashes(listeners, isHttpServed ? settings.PORT : undefined, problems);
  refuseExposure(listeners, settings.WIRE_ALLOW_INSECURE, problems);
  const api = isHttpServed ? resolveApi(settings, { upstreamDsn, listeners }) : undefined;
  const places = { upstreamDsn, listeners, api, given, problems };
  const isGate = command !== 'connectors';
  const accounts = isGate ? resolveAccounts(settings, places) : undefined;
  const store = isGate ? resolveStore(settings, { ...places, accounts }) : undefined;
  checkAccounts({ accounts, listeners, problems });
  if (isHttpServed) {
    checkApi(settings, { given, hasAccounts: accounts !== undefined, problems });
  }
  return {
    environment: settings.NODE_ENV,
    http: isHttpServed ? { host: settings.HOST, port: settings.PORT } : undefined,
    api,
    listeners,
    accounts,
    store,
    connectors: resolveConnectors(settings, given, inputs),
    dataDirectory: path.resolve(workingDirectory, settings.GATEPOST_DATA_DIR),
    mongodBinary: settings.MONGOD_BINARY && path.resolve(workingDirectory, settings.MONGOD_BINARY),
    shutdownTimeoutMs: settings.SHUTDOWN_TIMEOUT,
    auditFile: resolveAuditFile(settings.AUDIT_FILE, workingDirectory),
    logLevel: settings.LOG_LEVEL,
    isOtelMetricsEnabled: settings.WIRE_ENABLE_OTEL_METRICS,
    warnings: [
      ...describeRisks(given, { listeners, api, command }),
      ...describeExposure(listeners),
      ...(isHttpServed ? describeApiRisks(api, settings, given) : []),
      ...(isGate ? describeAccountRisks(given, { settings, accounts, store, api }) : []),
    ],
    settings: SETTING_NAMES.map((name) => describeOrigin(name, given)),
  };
}

/** The file's listeners, and the usual ones where it has none or their ports were asked for. */
function listListeners(
  { settings, listeners }: ParsedTexts,
  given: GivenTexts,
  command: ConfigInputs['command'],
): FileListener[] {
  if (command === 'connectors') {
    return [];
  }
  const all = [...listeners];
  const isWanted = (name: SettingName): boolean =>
    given.listeners.length === 0 || given.settings.has(name);
  const { WIRE_POSTGRES_PORT: postgresPort, WIRE_MONGODB_PORT: mongodbPort } = settings;
  if (postgresPort !== 'off' && isWanted('WIRE_POSTGRES_PORT')) {
    all.push({ name: 'postgres', backend: 'postgres', port: postgresPort });
  }
  // The proxy is in front of one PostgreSQL and nothing else.
  if (command === 'serve' && mongodbPort !== 'off' && isWanted('WIRE_MONGODB_PORT')) {
    all.push({ name: 'mongodb', backend: 'mongodb', port: mongodbPort });
  }
  return all;
}

function resolveUpstream(settings: Settings): string | undefined {
  if (settings.POSTGRES_HOST === undefined) {
    return settings.WIRE_UPSTREAM_DSN;
  }
  return composeConnectionString({
    host: settings.POSTGRES_HOST,
    port: settings.POSTGRES_PORT,
    user: settings.POSTGRES_USER,
    password: settings.POSTGRES_PASSWORD,
    database: settings.POSTGRES_DB,
    sslMode: settings.POSTGRES_SSLMODE === 'disable' ? undefined : settings.POSTGRES_SSLMODE,
  });
}

function resolveAuditFile(file: string | undefined, workingDirectory: string): string | undefined {
  return file === undefined || file === '-' ? file : path.resolve(workingDirectory, file);
}

function describeOrigin(name: SettingName, given: GivenTexts): SettingOrigin {
  const text = given.settings.get(name);
  const environment = environmentOf(given);
  return {
    name,
    value: describeSetting(name, text?.text, environment),
    source: text?.source ?? describeDefault(name, environment),
  };
}

function describeDefault(name: SettingName, environment: Environment): string {
  const { fallback, productionFallback } = notesOf(name);
  if (fallback === undefined || productionFallback === undefined) {
    return 'default';
  }
  const isProduction = environment === 'production';
  const [other, text] = isProduction
    ? ['development', fallback]
    : ['production', productionFallback];
  return `default in ${environment} (${text} in ${other})`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const parts: unknown[] = Object.values(value);
  parts.forEach(deepFreeze);
  return Object.freeze(value);
}
