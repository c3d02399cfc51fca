// From config.toml, the connectors' files and the environment to a configuration.
import path from 'node:path';
import type { TomlTable } from 'smol-toml';
import { ConfigError, echo } from '../config-problems.ts';
import { ENV_PATH, isConnectorEnv, selectEnv } from './connector-file-env.ts';
import { listConnectors } from './connector-file-list.ts';
import type { ConnectorList } from './connector-file-list.ts';
import { parseToml, toProblem } from './connector-file-open.ts';
import { readTable } from './connector-file-table.ts';
import type { DeclaredTable } from './connector-file-table.ts';
import { refuseConnector } from './connector-file.ts';
import { refuseForeignTables, sortByTables } from './runtime-config-file.ts';
import * as tables from './runtime-config-schema.ts';
import { resolveHttp, resolveIggy } from './runtime-config-values.ts';
import type { ConnectorConfig, ConnectorsConfig, ConnectorsInputs } from './runtime-config.ts';

/**
 * Reads everything.
 *
 * @throws ConfigError naming each problem of the runtime's own settings; those of a connector are
 * in the connector
 */
export function loadConnectorsConfig(inputs: ConnectorsInputs): ConnectorsConfig {
  const problems: string[] = [];
  const notes: string[] = [];
  const toml = readConfigFile(inputs);
  const settings = readSettings(toml, inputs, { problems, notes });
  const { connectors, refusedFiles, unclaimed } = readList(settings.configDir, inputs, problems);
  for (const { name } of unclaimed) {
    // The connector that it is about may be the one whose file was refused.
    const list = refusedFiles.length === 0 ? problems : notes;
    list.push(describeUnclaimed(name, connectors));
  }
  if ((inputs.env[ENV_PATH] ?? '') !== '') {
    notes.push(`${ENV_PATH} does nothing: the .env of the working directory is read`);
  }
  const { iggy, statePath, http, configDir: configDirectory } = settings;
  if (
    problems.length > 0 ||
    iggy === undefined ||
    statePath === undefined ||
    configDirectory === undefined
  ) {
    throw new ConfigError(problems);
  }
  return { iggy, statePath, http, configDirectory, connectors, refusedFiles, notes };
}

function readConfigFile(inputs: ConnectorsInputs): TomlTable {
  const problems: string[] = [];
  const { workingDirectory, configPath } = inputs;
  const toml = parseToml(path.resolve(workingDirectory, configPath), inputs, problems);
  if (toml === undefined) {
    const place = `IGGY_CONNECTORS_CONFIG_PATH is ${echo(configPath)}`;
    throw new ConfigError(problems.map((problem) => `${place}: ${problem}`));
  }
  return toml;
}

interface Findings {
  readonly problems: string[];
  readonly notes: string[];
}

/** Undefined is what a problem was found in, or what is off. */
interface RuntimeSettings {
  readonly iggy: ConnectorsConfig['iggy'] | undefined;
  readonly statePath: string | undefined;
  readonly http: ConnectorsConfig['http'];
  readonly configDir: string | undefined;
}

function readSettings(
  toml: TomlTable,
  inputs: ConnectorsInputs,
  { problems, notes }: Findings,
): RuntimeSettings {
  const name = path.basename(inputs.configPath);
  const env = selectEnv(inputs.env).filter((text) => !isConnectorEnv(text));
  const sources = sortByTables({ name, toml }, env, problems);
  refuseForeignTables(sources, problems);
  const read = <Values>(place: string, table: DeclaredTable<Values>): Values | undefined => {
    const source = sources.get(place);
    return source && readTable(table, source, inputs, problems)?.values;
  };
  const iggy = read('iggy', tables.iggyTable);
  const isTls = read('iggy.tls', tables.iggyTlsTable)?.enabled ?? false;
  const http = read('http', tables.httpTable);
  const isMetricsEnabled = read('http.metrics', tables.httpMetricsTable)?.enabled ?? false;
  const state = read('state', tables.stateTable);
  read('logging', tables.loggingTable);
  const { workingDirectory } = inputs;
  const configDir = read('connectors', tables.connectorsTable)?.config_dir;
  return {
    iggy: iggy && resolveIggy(iggy, { isTls, problems, notes }),
    statePath: state && path.resolve(workingDirectory, state.path),
    http: http && resolveHttp(http, isMetricsEnabled, problems),
    configDir: configDir && path.resolve(workingDirectory, configDir),
  };
}

const NO_CONNECTORS: ConnectorList = { connectors: [], refusedFiles: [], unclaimed: [] };

function readList(
  configDir: string | undefined,
  inputs: ConnectorsInputs,
  problems: string[],
): ConnectorList {
  return configDir === undefined
    ? NO_CONNECTORS
    : listConnectors(configDir, { env: selectEnv(inputs.env), inputs }, problems);
}

function describeUnclaimed(name: string, connectors: readonly ConnectorConfig[]): string {
  const keys = connectors.map(({ type, key }) => `${type} ${key}`).join(', ');
  return `${name} is about no connector; there are: ${keys === '' ? 'none' : keys}`;
}

/** A connector that the files of the directory define by now; does not throw. */
export function findConnector(
  inputs: ConnectorsInputs,
  directory: string,
  { type, key }: Pick<ConnectorConfig, 'type' | 'key'>,
): ConnectorConfig | undefined {
  const { connectors } = readList(directory, inputs, []);
  return connectors.find((one) => one.type === type && one.key === key);
}

/** A connector as its file and the environment say now, for a restart; does not throw. */
export function reloadConnector(
  inputs: ConnectorsInputs,
  connector: ConnectorConfig,
): ConnectorConfig {
  const { type, key, file } = connector;
  const problems: string[] = [];
  const { connectors, refusedFiles } = readList(path.dirname(file), inputs, problems);
  const same = connectors.filter((one) => one.type === type && one.key === key);
  // Another file may have a newer version of it.
  const found = same.find((one) => one.file === file) ?? same[0];
  if (found !== undefined) {
    return found;
  }
  const refused = refusedFiles.find((one) => one.file === file);
  problems.push(`${path.basename(file)} no longer defines ${type} "${key}": put it back`);
  return refuseConnector(connector, refused?.problem ?? toProblem(problems));
}
