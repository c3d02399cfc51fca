// The configuration of the connectors as files and an environment, all in memory.
import path from 'node:path';
import * as z from 'zod';
import type { Sink, Source } from '../../src/connectors/connector.ts';
import { HUMANTIME_ACCEPTED, parseHumantimeMs } from '../../src/connectors/humantime.ts';
import { createPlugin } from '../../src/connectors/plugin-config.ts';
import type { ConnectorRegistry } from '../../src/connectors/registry.ts';
import type {
  ConnectorConfig,
  ConnectorsConfig,
  ConnectorsInputs,
} from '../../src/connectors/runtime-config.ts';
import { loadConnectorsConfig } from '../../src/connectors/runtime-config-load.ts';

export const PASSWORD = 'hunter2-of-iggy';
export const URI = 'mongodb://app:hunter2-of-mongodb@db/shop';

export const CONFIG_TOML = `
[iggy]
address = "http://iggy:3000"
username = "iggy"
password = "${PASSWORD}"

[connectors]
config_dir = "connectors"
`;

export const SINK_TOML = `
type = "sink"
key = "mongodb"

[[streams]]
stream = "shop"
topics = ["orders"]

[plugin_config]
connection_uri = "${URI}"
database = "shop"
`;

export const SOURCE_TOML = `
type = "source"
key = "mongodb"

[[streams]]
stream = "shop"
topic = "orders"

[plugin_config]
connection_uri = "${URI}"
database = "shop"
`;

/** A field of each kind. */
export const pluginSchema = z.strictObject({
  connection_uri: z.string().min(1).meta({ secret: 'uri' }),
  access_key: z.string().meta({ secret: 'text' }).optional(),
  database: z.string().regex(/^[^ ]+$/, 'must be a name without blanks'),
  initial_offset: z.string().optional(),
  batch_size: z.int().min(1).max(1000).default(100),
  is_ordered: z.boolean().default(true),
  fields: z.array(z.string()).default([]),
  retry_delay: z
    .string()
    .refine((text) => parseHumantimeMs(text) !== undefined, `must be ${HUMANTIME_ACCEPTED}`)
    .default('1s'),
  payload_format: z.enum(['binary', 'json', 'text']).default('binary'),
});

type PluginConfig = z.infer<typeof pluginSchema>;

interface CreatedPlugin {
  readonly key: string;
  readonly config: PluginConfig;
}

interface TestRegistry extends ConnectorRegistry {
  /** What was created with what. */
  readonly created: CreatedPlugin[];
}

/** Plugins that take their configuration and do nothing. */
export function createTestRegistry(): TestRegistry {
  const created: CreatedPlugin[] = [];
  const close = async (): Promise<void> => await Promise.resolve();
  const never = async (): Promise<never> => await Promise.reject(new Error('not in this test'));
  const sink: Sink = { open: never, consume: never, close };
  const source: Source = {
    pollIntervalMs: 1,
    open: never,
    poll: never,
    acknowledge: never,
    close,
  };
  const payloadSchemaOf = ({ payload_format: format }: PluginConfig): 'raw' | 'json' | 'text' =>
    format === 'binary' ? 'raw' : format;
  const plugins = <Connector>(connector: Connector) =>
    new Map([
      [
        'mongodb',
        createPlugin({
          schema: pluginSchema,
          payloadSchemaOf,
          create: ({ key }: { readonly key: string }, config) => {
            created.push({ key, config });
            return connector;
          },
        }),
      ],
    ]);
  return { created, sinks: plugins(sink), sources: plugins(source) };
}

export interface TestInputs extends Partial<ConnectorsInputs> {
  /** Texts by their paths in the working directory; they replace the usual ones. */
  readonly files?: Readonly<Record<string, string>>;
}

const DIRECTORY = path.resolve('/srv/gate');

function notThere(): Error {
  return Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
}

/** A config.toml and one sink. */
export function createInputs({ files, ...own }: TestInputs = {}): ConnectorsInputs {
  const usual = { 'config.toml': CONFIG_TOML, 'connectors/sink.toml': SINK_TOML };
  const texts = new Map(
    Object.entries({ ...usual, ...files }).map(([name, text]) => [
      path.join(DIRECTORY, name),
      text,
    ]),
  );
  return {
    configPath: 'config.toml',
    env: {},
    workingDirectory: DIRECTORY,
    readTextFile: (file) => {
      const text = texts.get(file);
      if (text === undefined) {
        throw notThere();
      }
      return text;
    },
    listDirectory: (directory) => {
      const names = [...texts.keys()].filter((file) => path.dirname(file) === directory);
      if (names.length === 0) {
        throw notThere();
      }
      return names.map((name) => path.basename(name)).toReversed();
    },
    registry: createTestRegistry(),
    ...own,
  };
}

/** The configuration of these files. */
export function load(inputs: TestInputs = {}): ConnectorsConfig {
  return loadConnectorsConfig(createInputs(inputs));
}

/** The only connector of a configuration. */
export function loadOne(inputs: TestInputs = {}): ConnectorConfig {
  const { connectors } = load(inputs);
  const [connector] = connectors;
  if (connector === undefined || connectors.length > 1) {
    throw new Error(`There are ${connectors.length} connectors`);
  }
  return connector;
}

/** What is wrong with the only connector. */
export function problemOf(inputs: TestInputs): string {
  return loadOne(inputs).problem?.message ?? 'none';
}
