// The connectors put together: beside the listeners of a service, or alone with an HTTP of theirs.
import assert from 'node:assert/strict';
import { createApp } from '../routes/app.ts';
import { createConnectorsApi } from '../routes/connectors-api.ts';
import { createHttpServer } from '../routes/http-server.ts';
import type { Config } from './config.ts';
import type { ConnectorsInputs } from './config-connectors.ts';
import { isLoopback } from './config-listeners.ts';
import { ConfigError, echo } from './config-problems.ts';
import type { ConnectorsControl } from './connectors-control.ts';
import { createConnectorsRuntime } from './connectors/connectors-runtime.ts';
import { redactSecrets } from './connectors/redact.ts';
import type { ConnectorsConfig, ConnectorsHttpConfig } from './connectors/runtime-config.ts';
import {
  findConnector,
  loadConnectorsConfig,
  reloadConnector,
} from './connectors/runtime-config-load.ts';
import type { Component } from './lifecycle.ts';
import type { Observer } from './observation.ts';
import { createReadiness } from './readiness.ts';
import { runParts } from './service-run.ts';
import type { Observers, Parts, ServiceOptions } from './service-run.ts';

export interface OpenedConnectors {
  readonly runtime: Component & ConnectorsControl;
  readonly loaded: ConnectorsConfig;
}

/**
 * Connectors that are not started yet.
 *
 * @throws ConfigError
 */
export function openConnectors(inputs: ConnectorsInputs, observer: Observer): OpenedConnectors {
  const loaded = loadConnectorsConfig(inputs);
  if (!inputs.isAlone && loaded.http !== undefined) {
    const message =
      'The table [http] of connectors does nothing in serve: the REST API has them at /connectors';
    observer.observe({ kind: 'component-reported', component: 'connectors', message });
  }
  const runtime = createConnectorsRuntime({
    config: loaded,
    observer,
    reload: (connector) => reloadConnector(inputs, connector),
    find: (type, key) => findConnector(inputs, loaded.configDirectory, { type, key }),
  });
  return { loaded, runtime };
}

/**
 * Runs connectors alone until a signal or a fault stops them.
 *
 * @returns the exit code, as runService does
 */
export async function runConnectors(config: Config, options: ServiceOptions): Promise<number> {
  const { connectors } = config;
  assert(connectors !== undefined, 'The command has a configuration of connectors');
  return await runParts(config, options, async (observers) => {
    return await Promise.resolve(buildAlone(connectors, observers, options));
  });
}

function buildAlone(
  inputs: ConnectorsInputs,
  { observer, metrics }: Observers,
  { version }: ServiceOptions,
): Parts {
  const { runtime, loaded } = openConnectors(inputs, observer);
  const readiness = createReadiness({ observer, probes: [] });
  const { http } = loaded;
  if (http === undefined) {
    return { readiness, outliving: [], components: [runtime] };
  }
  const { host, port, apiKey, isMetricsEnabled } = http;
  const api = createConnectorsApi({ connectors: runtime, access: inputs.access, apiKey });
  const shownMetrics = isMetricsEnabled ? metrics : undefined;
  const app = createApp({ version, observer, readiness, metrics: shownMetrics, api });
  const server = createHttpServer({ host, port, observer, app, addressSetting: 'http.address' });
  return { readiness, outliving: [], components: [server, runtime, api] };
}

/**
 * Reads the configuration as a start would; what is wrong with one connector keeps nobody up.
 *
 * @throws ConfigError
 */
export function verifyConnectors(inputs: ConnectorsInputs): void {
  const { http } = loadConnectorsConfig(inputs);
  const problems = inputs.isAlone && http !== undefined ? findOpenDoors(http, inputs) : [];
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
}

const HOW_TO_ASK = 'set http.api_key, or API_TOKENS (gatepost token NAME makes one)';

/** Where anybody could restart connectors, or read what was to need a token. */
function findOpenDoors(
  { host, apiKey }: ConnectorsHttpConfig,
  { access }: ConnectorsInputs,
): string[] {
  const problems: string[] = [];
  if (apiKey !== undefined || access.tokens.length > 0) {
    return problems;
  }
  if (!isLoopback(host)) {
    problems.push(
      `http.address has the host ${echo(host)}, and nobody needs a key: whoever reaches the port ` +
        `could restart connectors; ${HOW_TO_ASK}, or listen on 127.0.0.1`,
    );
  }
  if (!access.isMetricsOpen) {
    problems.push(`API_METRICS is token, and there are none: ${HOW_TO_ASK}, or API_METRICS=open`);
  }
  return problems;
}

export interface ConnectorsReport {
  /** For whoever reads what would run. */
  readonly lines: readonly string[];
  /** One for each connector that would not. */
  readonly problems: readonly string[];
}

/** What `gatepost check` says of connectors, without secrets. */
export function reportConnectors(inputs: ConnectorsInputs): ConnectorsReport {
  const { iggy, statePath, http, connectors, refusedFiles, notes } = loadConnectorsConfig(inputs);
  const doors = http === undefined ? [] : findOpenDoors(http, inputs);
  const described = connectors.map(({ type, key, name, isEnabled, problem }) => {
    const state = isEnabled ? 'enabled' : 'disabled';
    return `  ${type} ${key}: ${problem === undefined ? state : 'refused'}, ${echo(name)}`;
  });
  return {
    lines: [
      'Connectors',
      `  config  ${inputs.configPath}`,
      `  iggy    ${redactSecrets(iggy.addresses.join(', '), [])}`,
      `  state   ${statePath}`,
      ...described,
      ...notes.map((note) => `  note: ${note}`),
      ...doors.map((problem) => `  note: gatepost connectors refuses this: ${problem}`),
      ...connectors.flatMap(({ type, key, notes: own }) =>
        own.map((note) => `  note on ${type} ${key}: ${note}`),
      ),
    ],
    problems: [
      ...refusedFiles.map(({ file, problem }) => `${file}: ${problem.message}`),
      ...connectors.flatMap(({ type, key, problem }) =>
        problem === undefined ? [] : [`${type} ${key}: ${problem.message}`],
      ),
    ],
  };
}
