// What a configuration says, without its files.
import type { ConnectorError } from '../../src/connectors/connector-error.ts';
import type { Sink, Source } from '../../src/connectors/connector.ts';
import type {
  ConnectorConfig,
  ConnectorsConfig,
  ReadySink,
  ReadySource,
  RefusedConnector,
} from '../../src/connectors/runtime-config.ts';

const SHOWN = {
  streams: [{ stream: 'app', topics: ['events'] }],
  pluginConfig: { connection_uri: 'mon***' },
};

/** A configuration of these connectors; what matters to a test is given. */
export function createConnectorsConfig(
  own: Partial<ConnectorsConfig> & Pick<ConnectorsConfig, 'connectors'>,
): ConnectorsConfig {
  return {
    iggy: {
      addresses: ['http://127.0.0.1:1'],
      credentials: { kind: 'password', username: 'iggy', password: 'iggy' },
    },
    statePath: '/nowhere',
    configDirectory: '/nowhere',
    http: undefined,
    refusedFiles: [],
    notes: [],
    ...own,
  };
}

/** A sink of topic `events` of stream `app`. */
export function sinkConfig(create: () => Sink, own: Partial<ReadySink> = {}): ReadySink {
  const stream = {
    stream: 'app',
    topics: ['events'],
    schema: 'json',
    batchLength: 100,
    pollIntervalMs: 1,
    consumerGroup: 'group',
  } as const;
  return { ...identity('orders'), type: 'sink', streams: [stream], create, ...own };
}

/** A source into topic `events` of stream `app`. */
export function sourceConfig(create: () => Source, own: Partial<ReadySource> = {}): ReadySource {
  const stream = {
    stream: 'app',
    topic: 'events',
    schema: 'json',
    batchLength: 1000,
    isAutoCreated: false,
    partitionsCount: 1,
  } as const;
  return { ...identity('orders'), type: 'source', stream, create, ...own };
}

/** A sink whose file says something wrong. */
export function refusedConfig(
  problem: ConnectorError,
  own: Partial<RefusedConnector> = {},
): RefusedConnector {
  return { ...identity('refused'), type: 'sink', ...own, problem };
}

/** What a test that does not restart gives for it. */
export function sameConfig(connector: ConnectorConfig): ConnectorConfig {
  return connector;
}

function identity(key: string) {
  return {
    key,
    name: `The ${key}`,
    isEnabled: true,
    file: `/etc/connectors/${key}.toml`,
    notes: [],
    shown: SHOWN,
    problem: undefined,
  };
}

/** What a test gives whose files define nothing else. */
export function noOtherConfig(): undefined {
  return undefined;
}
