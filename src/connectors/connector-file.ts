// One connector: its file and its share of the environment, as something that can be started, or
// as the reasons why not.
import path from 'node:path';
import { echo } from '../config-problems.ts';
import type { ConnectorError } from './connector-error.ts';
import type { ConnectorEnv } from './connector-file-env.ts';
import { toProblem } from './connector-file-open.ts';
import type { ConnectorFile } from './connector-file-open.ts';
import { connectorTable, DEFAULT_PLUGIN } from './connector-file-schema.ts';
import { readSinkStreams, readSourceStream } from './connector-file-streams.ts';
import type { StreamsContext } from './connector-file-streams.ts';
import { readTable } from './connector-file-table.ts';
import type { TableSources } from './connector-file-table.ts';
import type { PayloadSchema } from './connector.ts';
import type { ConfiguredPlugin, Plugin } from './plugin-config.ts';
import { connectorRegistry } from './registry.ts';
import type {
  ConnectorConfig,
  ConnectorsInputs,
  ReadySink,
  ReadySource,
  RefusedConnector,
} from './runtime-config.ts';

interface Reading {
  readonly file: ConnectorFile;
  readonly env: ConnectorEnv;
  readonly inputs: ConnectorsInputs;
  readonly problems: string[];
  readonly notes: string[];
}

/** A connector with everything resolved, or with everything that is wrong with it. */
export function readConnector(
  file: ConnectorFile,
  env: ConnectorEnv,
  inputs: ConnectorsInputs,
): ConnectorConfig {
  const reading: Reading = { file, env, inputs, problems: [], notes: [] };
  const { type, key, file: place } = file;
  const { plugin, ...top } = readTop(reading);
  const parts = type === 'sink' ? readSink(reading, plugin) : readSource(reading, plugin);
  const base = { key, file: place, notes: reading.notes, ...top };
  return reading.problems.length === 0 && parts !== undefined
    ? { ...base, ...parts }
    : refuseConnector({ ...base, type }, toProblem(reading.problems));
}

interface Top {
  readonly name: string;
  readonly isEnabled: boolean;
  /** Undefined when it cannot be known. */
  readonly plugin: string | undefined;
}

function readTop(reading: Reading): Top {
  const { file, env, inputs, problems, notes } = reading;
  const sources = sourcesOf(reading, { path: '', toml: file.top, env: env.top });
  const read = readTable(connectorTable, sources, inputs, problems);
  if (read === undefined) {
    // The rest can be checked all the same, unless it is the plugin that was not understood.
    const isPluginGiven = env.top.has('plugin') || Object.hasOwn(file.top, 'plugin');
    const plugin = isPluginGiven ? undefined : DEFAULT_PLUGIN;
    return { name: file.key, isEnabled: true, plugin };
  }
  noteIdleFields(sources, read.given, notes);
  const { name = file.key, enabled: isEnabled, plugin } = read.values;
  return { name, isEnabled, plugin };
}

/** A connector that cannot start, with what is known about it. */
export function refuseConnector(
  { type, key, name, isEnabled, file, notes }: Omit<RefusedConnector, 'problem' | 'shown'>,
  problem: ConnectorError,
): RefusedConnector {
  const shown = { streams: [], pluginConfig: {} };
  return { type, key, name, isEnabled, file, notes, shown, problem };
}

function sourcesOf(
  { file }: Reading,
  { path: place, toml, env }: Omit<TableSources, 'file'>,
): TableSources {
  return { path: place, file: path.basename(file.file), toml, env };
}

type Parts<Ready> = Pick<Ready, Extract<keyof Ready, 'type' | 'problem' | 'shown' | 'create'>>;

function readSink(
  reading: Reading,
  pluginName: string | undefined,
): (Parts<ReadySink> & Pick<ReadySink, 'streams'>) | undefined {
  const { sinks } = reading.inputs.registry ?? connectorRegistry;
  const plugin = configurePlugin(sinks, pluginName, reading);
  const { streams, shown } = readSinkStreams(streamsOf(reading, plugin?.payloadSchema));
  return (
    plugin && {
      type: 'sink',
      problem: undefined,
      streams,
      shown: { streams: shown, pluginConfig: plugin.shown },
      create: plugin.create,
    }
  );
}

function readSource(
  reading: Reading,
  pluginName: string | undefined,
): (Parts<ReadySource> & Pick<ReadySource, 'stream'>) | undefined {
  const { sources } = reading.inputs.registry ?? connectorRegistry;
  const plugin = configurePlugin(sources, pluginName, reading);
  const { streams, shown } = readSourceStream(streamsOf(reading, plugin?.payloadSchema));
  const [stream] = streams;
  return (
    plugin &&
    stream && {
      type: 'source',
      problem: undefined,
      stream,
      shown: { streams: shown, pluginConfig: plugin.shown },
      create: plugin.create,
    }
  );
}

function streamsOf(reading: Reading, payloadSchema: PayloadSchema | undefined): StreamsContext {
  const { file, env, inputs, problems, notes } = reading;
  return {
    key: file.key,
    file: path.basename(file.file),
    toml: file.streams,
    env: env.streams,
    payloadSchema,
    inputs,
    problems,
    notes,
  };
}

function configurePlugin<Context, Connector>(
  plugins: ReadonlyMap<string, Plugin<Context, Connector>>,
  name: string | undefined,
  reading: Reading,
): ConfiguredPlugin<Context, Connector> | undefined {
  if (name === undefined) {
    return undefined;
  }
  const { file, env, inputs, problems } = reading;
  const plugin = plugins.get(name);
  if (plugin === undefined) {
    const known = [...plugins.keys()].join(', ');
    problems.push(
      `plugin (${path.basename(file.file)}) is ${echo(name)}: accepted is one of ${known}`,
    );
    return undefined;
  }
  const sources = { toml: file.pluginConfig, env: env.pluginConfig };
  return plugin.configure(
    sourcesOf(reading, { path: 'plugin_config', ...sources }),
    inputs,
    problems,
  );
}

/** Fields of Iggy's runtime that do nothing here, by when that is worth a note. */
const IDLE_FIELDS: ReadonlyMap<string, string> = new Map([
  ['path', 'Gatepost has the plugin in itself'],
  ['plugin_config_format', 'the configuration of a plugin is always TOML'],
  ['benchmark', 'the metrics tell how long batches take'],
  ['verbose', 'plugin_config.verbose_logging does'],
]);

function noteIdleFields(
  { file, env }: TableSources,
  given: ReadonlyMap<string, unknown>,
  notes: string[],
): void {
  for (const [name, reason] of IDLE_FIELDS) {
    const value = given.get(name);
    if (value !== undefined && value !== false) {
      notes.push(`${env.get(name)?.name ?? `${name} (${file})`} does nothing: ${reason}`);
    }
  }
}
