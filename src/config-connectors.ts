// What the connectors for Apache Iggy are started with. What they run with they read themselves,
// from files of their own, and again when one of them is restarted.

import path from 'node:path';
import type { ApiTokenConfig } from './api-tokens.ts';
import type { ApiConfig } from './config-api.ts';
import type { Settings } from './config-settings.ts';
import type { ConfigInputs, GivenTexts, SystemInputs } from './config-sources.ts';

/** What `gatepost connectors` reads where nothing is said. */
const FILE_FALLBACK = 'config.toml';

/** The world as they see it, and who may ask about them. */
export interface ConnectorsInputs extends Omit<SystemInputs, 'env'> {
  /** Of their config.toml; absolute. */
  readonly configPath: string;
  /** The names that begin with IGGY_CONNECTORS_; their values may be secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether they run without listeners: then they have an HTTP of their own. */
  readonly isAlone: boolean;
  /** Who may ask over that. */
  readonly access: ConnectorsAccess;
}

export interface ConnectorsAccess extends Pick<
  ApiConfig,
  'rateLimitPerMinute' | 'trustProxy' | 'corsOrigins' | 'isMetricsOpen'
> {
  readonly tokens: readonly ApiTokenConfig[];
}

/** Undefined where no connectors are to run. */
export function resolveConnectors(
  settings: Settings,
  given: GivenTexts,
  inputs: ConfigInputs,
): ConnectorsInputs | undefined {
  const { command, workingDirectory, readTextFile, listDirectory } = inputs;
  const fallback = command === 'connectors' ? FILE_FALLBACK : undefined;
  const file = settings.IGGY_CONNECTORS_CONFIG_PATH ?? fallback;
  if (file === undefined || command === 'pgwire-proxy') {
    return undefined;
  }
  return {
    configPath: path.resolve(workingDirectory, file),
    env: given.connectors,
    workingDirectory,
    readTextFile,
    listDirectory,
    isAlone: command === 'connectors',
    access: {
      tokens: settings.API_TOKENS ?? [],
      rateLimitPerMinute: settings.API_RATE_LIMIT,
      trustProxy: settings.API_TRUST_PROXY,
      corsOrigins: settings.API_CORS_ORIGINS ?? [],
      isMetricsOpen: settings.API_METRICS === 'open',
    },
  };
}
