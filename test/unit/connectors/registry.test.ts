import { describe, expect, it } from '@jest/globals';
import { connectorRegistry } from '../../../src/connectors/registry.ts';
import type { ConnectorConfig } from '../../../src/connectors/runtime-config.ts';
import { loadConnectorsConfig } from '../../../src/connectors/runtime-config-load.ts';
import { createInputs, URI } from '../../support/connector-files.ts';

interface Given {
  readonly type: 'sink' | 'source';
  readonly stream?: string;
  readonly plugin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A connector by the plugins of Gatepost itself. */
function loadOwn({ type, stream = '', plugin = '', env = {} }: Given): ConnectorConfig | undefined {
  const topics = type === 'sink' ? 'topics = ["orders"]' : 'topic = "orders"';
  const toml = `
type = "${type}"
key = "mongodb"
[[streams]]
stream = "shop"
${topics}
${stream}
[plugin_config]
connection_uri = "${URI}"
database = "shop"
collection = "orders"
${plugin}
`;
  const files = { 'connectors/sink.toml': toml };
  const inputs = createInputs({ files, env, registry: connectorRegistry });
  return loadConnectorsConfig(inputs).connectors[0];
}

const NEVER = new AbortController().signal;
const LOG = { note: (): void => undefined, warn: (): void => undefined };

describe('connectorRegistry', () => {
  it('given_both_types_should_have_mongodb_for_each', () => {
    expect([...connectorRegistry.sinks.keys()]).toEqual(['mongodb']);
    expect([...connectorRegistry.sources.keys()]).toEqual(['mongodb']);
  });

  it('given_the_required_fields_only_should_make_a_sink_with_the_defaults_specified', () => {
    const sink = loadOwn({ type: 'sink' });
    expect(sink?.problem).toBeUndefined();
    expect(sink?.shown.pluginConfig).toMatchObject({
      connection_uri: 'mongodb://app***',
      database: 'shop',
      collection: 'orders',
      max_pool_size: null,
      auto_create_collection: false,
      batch_size: 100,
      include_metadata: true,
      include_checksum: true,
      include_origin_timestamp: true,
      payload_format: 'binary',
      max_retries: 3,
      retry_delay: '1s',
      verbose_logging: false,
    });
    expect(JSON.stringify(sink)).not.toContain('hunter2');
    if (sink?.type === 'sink' && sink.problem === undefined) {
      expect(
        typeof sink.create({ key: 'mongodb', topics: [], log: LOG, stop: NEVER }).consume,
      ).toBe('function');
    }
    expect.assertions(4);
  });

  it('given_the_required_fields_only_should_make_a_source_with_the_defaults_specified', () => {
    const source = loadOwn({ type: 'source' });
    expect(source?.problem).toBeUndefined();
    expect(source?.shown.pluginConfig).toMatchObject({
      connection_uri: 'mongodb://app***',
      poll_interval: '10s',
      batch_size: 1000,
      tracking_field: '_id',
      initial_offset: null,
      snake_case_fields: false,
      include_metadata: false,
      payload_format: 'json',
      delete_after_read: false,
      max_retries: 3,
      retry_delay: '1s',
      verbose_logging: false,
    });
    expect(JSON.stringify(source)).not.toContain('hunter2');
    if (source?.type === 'source' && source.problem === undefined) {
      expect(source.create({ key: 'mongodb', log: LOG }).pollIntervalMs).toBe(10_000);
    }
    expect.assertions(4);
  });

  it.each([
    ['sink', 'binary', 'raw'],
    ['sink', 'json', 'json'],
    ['sink', 'string', 'text'],
    ['sink', 'text', 'text'],
    ['source', 'json', 'json'],
    ['source', 'bson', 'raw'],
    ['source', 'binary', 'raw'],
    ['source', 'string', 'text'],
    ['source', 'text', 'text'],
  ] as const)(
    'given_a_%s_of_the_payload_format_%s_should_take_the_schema_%s',
    (type, format, schema) => {
      const connector = loadOwn({ type, plugin: `payload_format = "${format}"` });
      expect(connector?.shown.streams).toMatchObject([{ schema }]);
    },
  );

  it.each([
    ['sink', 'payload_format = "avro"', /payload_format .*"avro": accepted is one of binary, json/],
    ['sink', 'batch_size = 0', /batch_size .* is 0: accepted is a whole number from 1 to/],
    ['sink', 'retry_delay = "soon"', /retry_delay .* is "soon": must be a duration/],
    ['source', 'batch_size = 0', /batch_size .* is 0: accepted is a whole number from 1 to/],
    ['source', 'poll_interval = "10"', /poll_interval .* is "10": must be a duration/],
    ['source', 'initial_offset = 5', /initial_offset .* is 5: accepted is text/],
  ] as const)('given_a_%s_with_%j_should_refuse_it', (type, plugin, problem) => {
    expect(loadOwn({ type, plugin })?.problem?.message).toMatch(problem);
  });

  it('given_a_source_of_another_schema_than_its_payloads_should_refuse_it', () => {
    const problem = loadOwn({ type: 'source', stream: 'schema = "text"' })?.problem;
    expect(problem).toMatchObject({
      kind: 'invalid-config',
      message: expect.stringContaining('schema (sink.toml) is "text", and payloads are "json"'),
    });
  });

  it('given_numbers_in_variables_of_texts_should_keep_them_texts', () => {
    const prefix = 'IGGY_CONNECTORS_SOURCE_MONGODB_PLUGIN_CONFIG_';
    const env = { [`${prefix}INITIAL_OFFSET`]: '100', [`${prefix}DATABASE`]: '123' };
    expect(loadOwn({ type: 'source', env })?.shown.pluginConfig).toMatchObject({
      initial_offset: '100',
      database: '123',
    });
  });
});
