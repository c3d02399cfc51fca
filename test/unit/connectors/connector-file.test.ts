import { describe, expect, it } from '@jest/globals';
import { ConnectorError } from '../../../src/connectors/connector-error.ts';
import { refuseConnector } from '../../../src/connectors/connector-file.ts';
import {
  createTestRegistry,
  loadOne,
  problemOf,
  SINK_TOML,
  SOURCE_TOML,
  URI,
} from '../../support/connector-files.ts';
import type { TestInputs } from '../../support/connector-files.ts';

/** A sink with other fields at its top. */
function sink(top: string, plugin = '', env: TestInputs['env'] = {}): TestInputs {
  return { files: { 'connectors/sink.toml': `${top}\n${SINK_TOML}\n${plugin}` }, env };
}

function source(top: string, plugin = ''): TestInputs {
  return { files: { 'connectors/sink.toml': `${top}\n${SOURCE_TOML}\n${plugin}` } };
}

const NEVER = new AbortController().signal;
const LOG = { note: (): void => undefined, warn: (): void => undefined };

describe('readConnector', () => {
  it('given_a_sink_should_be_ready_to_create_it', () => {
    const registry = createTestRegistry();
    const connector = loadOne({ registry });
    expect(connector).toMatchObject({
      type: 'sink',
      key: 'mongodb',
      name: 'mongodb',
      isEnabled: true,
      file: '/srv/gate/connectors/sink.toml',
      notes: [],
      problem: undefined,
    });
    if (connector.problem === undefined && connector.type === 'sink') {
      connector.create({ key: connector.key, topics: [], log: LOG, stop: NEVER });
    }
    expect(registry.created).toMatchObject([
      { key: 'mongodb', config: { connection_uri: URI, database: 'shop', batch_size: 100 } },
    ]);
  });

  it('given_a_source_should_be_ready_to_create_it', () => {
    const registry = createTestRegistry();
    const connector = loadOne({ ...source('name = "Orders"\nenabled = false'), registry });
    expect(connector).toMatchObject({
      type: 'source',
      name: 'Orders',
      isEnabled: false,
      stream: { stream: 'shop', topic: 'orders', schema: 'raw' },
    });
    if (connector.problem === undefined && connector.type === 'source') {
      connector.create({ key: connector.key, log: LOG });
    }
    expect(registry.created).toHaveLength(1);
  });

  it('given_secrets_should_show_none', () => {
    const { shown } = loadOne();
    expect(shown.pluginConfig).toMatchObject({ connection_uri: 'mongodb://app***' });
    expect(shown.streams).toMatchObject([{ stream: 'shop', poll_interval: '5ms' }]);
    expect(JSON.stringify(shown)).not.toContain('hunter2');
  });

  it('given_the_variables_of_the_specification_should_prefer_them_to_the_file', () => {
    const prefix = 'IGGY_CONNECTORS_SINK_MONGODB_';
    const connector = loadOne({
      env: {
        [`${prefix}PLUGIN_CONFIG_CONNECTION_URI`]: 'mongodb://other',
        [`${prefix}PLUGIN_CONFIG_DATABASE`]: '123',
        [`${prefix}PLUGIN_CONFIG_INITIAL_OFFSET`]: '100',
        [`${prefix}PLUGIN_CONFIG_BATCH_SIZE`]: '7',
        [`${prefix}PLUGIN_CONFIG_IS_ORDERED`]: 'false',
        [`${prefix}PLUGIN_CONFIG_FIELDS`]: '[a,b]',
        [`${prefix}STREAMS_0_STREAM`]: 'one',
        [`${prefix}STREAMS_0_TOPICS`]: '[a,b]',
        [`${prefix}STREAMS_0_CONSUMER_GROUP`]: 'group',
        [`${prefix}PATH`]: '/lib/libmongodb.so',
        [`${prefix}ENABLED`]: 'false',
        [`${prefix}NAME`]: '42',
      },
    });
    expect(connector).toMatchObject({
      name: '42',
      isEnabled: false,
      problem: undefined,
      streams: [{ stream: 'one', topics: ['a', 'b'], consumerGroup: 'group' }],
      notes: [`${prefix}PATH does nothing: Gatepost has the plugin in itself`],
    });
    expect(connector.shown.pluginConfig).toMatchObject({
      connection_uri: 'mongodb://oth***',
      database: '123',
      initial_offset: '100',
      batch_size: 7,
      is_ordered: false,
      fields: ['a', 'b'],
    });
  });

  it.each([
    ['path = "lib.so"', 'path (sink.toml) does nothing: Gatepost has the plugin in itself'],
    [
      'plugin_config_format = "json"',
      'plugin_config_format (sink.toml) does nothing: the configuration of a plugin is always TOML',
    ],
    [
      'benchmark = true',
      'benchmark (sink.toml) does nothing: the metrics tell how long batches take',
    ],
    ['verbose = true', 'verbose (sink.toml) does nothing: plugin_config.verbose_logging does'],
  ])('given_%j_should_note_that_it_does_nothing', (top, note) => {
    expect(loadOne(sink(top))).toMatchObject({ problem: undefined, notes: [note] });
  });

  it('given_fields_that_are_switched_off_should_note_nothing', () => {
    expect(loadOne(sink('benchmark = false\nverbose = false')).notes).toEqual([]);
  });

  it.each([
    ['enabled = "yes"', 'enabled (sink.toml) is "yes": accepted is true or false'],
    ['enbaled = true', 'enbaled (sink.toml) is not a field; the nearest known one is enabled'],
    ['name = ""', 'name (sink.toml) is "": accepted is text that is not empty'],
    ['plugin = "redis"', 'plugin (sink.toml) is "redis": accepted is one of mongodb'],
    ['plugin = 3', 'plugin (sink.toml) is 3: accepted is text'],
    [
      'transforms = {}',
      'transforms (sink.toml) is a table: accepted is nothing, because it is not',
    ],
  ])('given_%j_should_refuse_the_connector_with_what_is_accepted', (top, problem) => {
    expect(problemOf(sink(top))).toContain(problem);
  });

  it('given_transforms_as_tables_should_refuse_them', () => {
    expect(problemOf(sink('', '[transforms.delete]\nenabled = true'))).toMatch(/^transforms /);
  });

  it('given_problems_in_every_table_should_name_each_at_once', () => {
    const toml = 'type = "sink"\nkey = "a"\nenabled = 1\n[[streams]]\nstream = "s"\n';
    const files = { 'connectors/sink.toml': `${toml}[plugin_config]\nbatch_size = 0` };
    expect(problemOf({ files }).split('; ')).toEqual([
      'enabled (sink.toml) is 1: accepted is true or false',
      'plugin_config.connection_uri (sink.toml) is missing: accepted is text that is not empty',
      'plugin_config.database (sink.toml) is missing: accepted is text',
      'plugin_config.batch_size (sink.toml) is 0: accepted is a whole number from 1 to 1000',
      'streams[0].topics (sink.toml) is missing: accepted is a list of texts',
    ]);
  });

  it('given_a_duration_without_a_unit_should_refuse_it_instead_of_guessing', () => {
    expect(problemOf(sink('', 'retry_delay = "1"'))).toMatch(/retry_delay .* must be a duration/);
  });

  it('given_a_source_without_a_stream_should_refuse_it', () => {
    const files = {
      'connectors/sink.toml': SOURCE_TOML.replace('[[streams]]', '[not_streams]'),
    };
    expect(problemOf({ files })).toContain('streams (sink.toml) is missing');
  });

  it('given_a_variable_that_no_field_declares_should_refuse_its_connector', () => {
    const env = { IGGY_CONNECTORS_SINK_MONGODB_PLUGIN_CONFIG_BATCHSIZE: '1' };
    expect(problemOf({ env })).toBe(
      'IGGY_CONNECTORS_SINK_MONGODB_PLUGIN_CONFIG_BATCHSIZE is not a field; the nearest known ' +
        'one is IGGY_CONNECTORS_SINK_MONGODB_PLUGIN_CONFIG_BATCH_SIZE',
    );
  });

  it.each(['TYPE', 'KEY', 'VERSION'])(
    'given_a_variable_for_%s_should_refuse_it_because_only_a_file_says_so',
    (field) => {
      const name = `IGGY_CONNECTORS_SINK_MONGODB_${field}`;
      expect(problemOf({ env: { [name]: '1' } })).toContain(`${name} is not a field`);
    },
  );

  it('given_the_connection_string_in_a_file_should_read_it', () => {
    const name = 'IGGY_CONNECTORS_SINK_MONGODB_PLUGIN_CONFIG_CONNECTION_URI_FILE';
    const registry = createTestRegistry();
    const files = { 'secrets/uri': `${URI}/?x=1\n` };
    const connector = loadOne({ env: { [name]: 'secrets/uri' }, files, registry });
    if (connector.problem === undefined && connector.type === 'sink') {
      connector.create({ key: 'mongodb', topics: [], log: LOG, stop: NEVER });
    }
    expect(registry.created).toMatchObject([{ config: { connection_uri: `${URI}/?x=1` } }]);
    expect(problemOf({ env: { [name]: 'gone' } })).toBe(
      `${name} is "gone" (environment), which cannot be read: there is no such file`,
    );
  });

  it('given_a_refused_connector_should_show_no_secret_anywhere', () => {
    const connector = loadOne(sink(`plugin = 1\nenabled = "${URI}"`, 'access_key = 4711'));
    expect(connector.problem?.kind).toBe('invalid-config');
    expect(JSON.stringify([connector, connector.problem?.message])).not.toContain('hunter2');
  });
});

describe('refuseConnector', () => {
  it('given_a_connector_that_was_ready_should_keep_nothing_that_could_start_it', () => {
    const problem = new ConnectorError('invalid-config', 'it is gone');
    const refused = refuseConnector(loadOne(), problem);
    expect(refused).toEqual({
      type: 'sink',
      key: 'mongodb',
      name: 'mongodb',
      isEnabled: true,
      file: '/srv/gate/connectors/sink.toml',
      notes: [],
      shown: { streams: [], pluginConfig: {} },
      problem,
    });
  });
});
