import { describe, expect, it } from '@jest/globals';
import {
  envShareOf,
  isConnectorEnv,
  readConnectorEnv,
  selectEnv,
  shareEnv,
} from '../../../src/connectors/connector-file-env.ts';
import type { EnvText } from '../../../src/connectors/connector-file-table.ts';

function namesOf(texts: readonly EnvText[]): string[] {
  return texts.map(({ name }) => name);
}

function variables(...names: readonly string[]): EnvText[] {
  return names.map((name) => ({ name, text: 'x' }));
}

describe('selectEnv', () => {
  it('given_an_environment_should_select_what_is_for_connectors', () => {
    const env = { PATH: '/bin', IGGY_ADDRESS: 'no', IGGY_CONNECTORS_IGGY_ADDRESS: 'http://iggy' };
    expect(selectEnv(env)).toEqual([{ name: 'IGGY_CONNECTORS_IGGY_ADDRESS', text: 'http://iggy' }]);
  });

  it.each([
    ['the path that the caller reads', 'IGGY_CONNECTORS_CONFIG_PATH', 'config.toml'],
    ['an empty text', 'IGGY_CONNECTORS_STATE_PATH', ''],
    ['a name without a text', 'IGGY_CONNECTORS_STATE_PATH', undefined],
    ['a host of Kubernetes', 'IGGY_CONNECTORS_SERVICE_HOST', '10.0.0.1'],
    ['a port of Kubernetes', 'IGGY_CONNECTORS_SERVICE_PORT', '8081'],
    ['a named port of Kubernetes', 'IGGY_CONNECTORS_SERVICE_PORT_HTTP', '8081'],
    ['an address of Kubernetes', 'IGGY_CONNECTORS_PORT', 'tcp://10.0.0.1:8081'],
    ['a part of an address of Kubernetes', 'IGGY_CONNECTORS_PORT_8081_TCP_ADDR', '10.0.0.1'],
  ])('given_%s_should_leave_it_out', (_what, name, text) => {
    expect(selectEnv({ [name]: text })).toEqual([]);
  });

  it('given_an_address_of_the_binary_protocol_should_select_it_to_be_refused', () => {
    const env = { IGGY_CONNECTORS_IGGY_ADDRESS: 'tcp://iggy:8090' };
    expect(selectEnv(env)).toHaveLength(1);
  });
});

describe('isConnectorEnv', () => {
  it.each([
    ['IGGY_CONNECTORS_SINK_MONGODB_ENABLED', true],
    ['IGGY_CONNECTORS_SOURCE_MONGODB_ENABLED', true],
    ['IGGY_CONNECTORS_IGGY_ADDRESS', false],
    ['IGGY_CONNECTORS_SINKS', false],
  ])('given_%s_should_be_%s', (name, isOne) => {
    expect(isConnectorEnv({ name, text: '' })).toBe(isOne);
  });
});

describe('envShareOf', () => {
  it('given_a_key_with_signs_should_spell_it_as_the_environment_does', () => {
    expect(envShareOf('sink', 'my-mongo_db')).toBe('IGGY_CONNECTORS_SINK_MY_MONGO_DB_');
  });

  it('given_keys_that_differ_in_signs_only_should_spell_them_alike', () => {
    expect(envShareOf('source', 'a-B')).toBe(envShareOf('source', 'A_b'));
  });
});

describe('shareEnv', () => {
  const mongodb = envShareOf('sink', 'mongodb');
  const longer = envShareOf('sink', 'mongodb-two');

  it('given_keys_that_begin_alike_should_give_the_longer_one_its_own', () => {
    const env = variables(
      'IGGY_CONNECTORS_SINK_MONGODB_ENABLED',
      'IGGY_CONNECTORS_SINK_MONGODB_TWO_ENABLED',
      'IGGY_CONNECTORS_SINK_MONGODB_TWO_NAME',
    );
    const { shares, unclaimed } = shareEnv(env, [mongodb, longer]);
    expect(namesOf(shares.get(mongodb) ?? [])).toEqual([env[0]?.name]);
    expect(namesOf(shares.get(longer) ?? [])).toEqual([env[1]?.name, env[2]?.name]);
    expect(unclaimed).toEqual([]);
  });

  it('given_a_key_of_the_other_type_should_claim_nothing', () => {
    const env = variables('IGGY_CONNECTORS_SOURCE_MONGODB_ENABLED');
    const { shares, unclaimed } = shareEnv(env, [mongodb]);
    expect(shares.size).toBe(0);
    expect(unclaimed).toEqual(env);
  });

  it('given_settings_of_the_runtime_should_leave_them_alone', () => {
    const env = variables('IGGY_CONNECTORS_STATE_PATH');
    expect(shareEnv(env, [mongodb])).toEqual({ shares: new Map(), unclaimed: [] });
  });
});

describe('readConnectorEnv', () => {
  const share = envShareOf('sink', 'mongodb');
  const read = (...fields: readonly string[]): ReturnType<typeof readConnectorEnv> =>
    readConnectorEnv(share, variables(...fields.map((field) => `${share}${field}`)));

  it('given_the_names_of_the_specification_should_sort_them_by_tables', () => {
    const { top, streams, pluginConfig } = read(
      'PLUGIN_CONFIG_CONNECTION_URI',
      'PLUGIN_CONFIG_DATABASE',
      'STREAMS_0_STREAM',
      'STREAMS_0_TOPICS',
      'STREAMS_12_CONSUMER_GROUP',
      'PATH',
    );
    expect([...top.keys()]).toEqual(['path']);
    expect([...pluginConfig.keys()]).toEqual(['connection_uri', 'database']);
    expect([...streams.keys()]).toEqual([0, 12]);
    expect([...(streams.get(0)?.keys() ?? [])]).toEqual(['stream', 'topics']);
    expect([...(streams.get(12)?.keys() ?? [])]).toEqual(['consumer_group']);
  });

  it('given_the_format_of_the_plugin_configuration_should_not_take_it_for_a_part_of_it', () => {
    const { top, pluginConfig } = read('PLUGIN_CONFIG_FORMAT');
    expect([...top.keys()]).toEqual(['plugin_config_format']);
    expect(pluginConfig.size).toBe(0);
  });

  it.each(['STREAMS_STREAM', 'STREAMS_0', 'STREAMS_0000_STREAM', 'NONSENSE', 'PLUGIN_CONFIG'])(
    'given_%s_should_leave_it_to_the_top_to_be_refused',
    (field) => {
      expect([...read(field).top.keys()]).toEqual([field.toLowerCase()]);
    },
  );
});
