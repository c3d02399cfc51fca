import { describe, expect, test } from '@jest/globals';
import type { ConnectorsInputs } from '../../src/config-connectors.ts';
import { loadFrom, problemsOf } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

const URI = 'IGGY_CONNECTORS_SINK_MONGODB_PLUGIN_CONFIG_CONNECTION_URI';
const TOPICS = 'IGGY_CONNECTORS_SINK_MONGODB_STREAMS_0_TOPICS';
const PATH = 'IGGY_CONNECTORS_CONFIG_PATH';
const TOKEN = { name: 'ci', scope: 'read', sha256: '0'.repeat(64) };
const TOKENS = `ci:read:${TOKEN.sha256}`;

/** What the connectors are given; fails where there are none. */
function connectorsOf(world: ConfigWorld): ConnectorsInputs {
  const { connectors } = loadFrom(world);
  if (connectors === undefined) {
    throw new Error('There are no connectors');
  }
  return connectors;
}

describe('the configuration of the connectors', () => {
  test.each([
    ['serve', {}, undefined],
    ['serve', { [PATH]: 'a/config.toml' }, '/srv/gatepost/a/config.toml'],
    ['connectors', {}, '/srv/gatepost/config.toml'],
    ['connectors', { [PATH]: 'a.toml' }, '/srv/gatepost/a.toml'],
    ['connectors', { [PATH]: '/etc/iggy/config.toml' }, '/etc/iggy/config.toml'],
    ['connectors', { [PATH]: '' }, '/srv/gatepost/config.toml'],
  ] as const)('of %s with %j is %s', (command, env, configPath) => {
    expect(loadFrom({ command, env }).connectors?.configPath).toBe(configPath);
  });

  test('is none of the proxy', () => {
    const env = { [PATH]: 'config.toml', POSTGRES_HOST: 'db' };
    expect(loadFrom({ command: 'pgwire-proxy', env }).connectors).toBeUndefined();
  });

  test('may be named by a flag and by the file of settings', () => {
    const flags = { IGGY_CONNECTORS_CONFIG_PATH: 'flag.toml' };
    const files = { 'gatepost.toml': 'iggy_connectors_config_path = "file.toml"' };
    const env = { GATEPOST_CONFIG: 'gatepost.toml' };
    expect(connectorsOf({ flags, env, files }).configPath).toBe('/srv/gatepost/flag.toml');
    expect(connectorsOf({ env, files }).configPath).toBe('/srv/gatepost/file.toml');
  });

  test('reads by the functions of its world', () => {
    const files = { 'c/config.toml': 'x', 'c/connectors/a.toml': 'y' };
    const { readTextFile, listDirectory, workingDirectory } = connectorsOf({
      command: 'connectors',
      files,
    });
    expect(readTextFile('/srv/gatepost/c/config.toml')).toBe('x');
    expect(listDirectory('/srv/gatepost/c/connectors')).toEqual(['a.toml']);
    expect(workingDirectory).toBe('/srv/gatepost');
  });
});

describe('what the environment says about connectors', () => {
  test('is what has their prefix, the setting itself left out', () => {
    const env = { [URI]: 'mongodb://h', [PATH]: 'config.toml', IGGY_OTHER: 'x', PATH: '/bin' };
    expect(connectorsOf({ env }).env).toEqual({ [URI]: 'mongodb://h' });
  });

  test('comes from .env too, where the environment does not say it', () => {
    const files = { '.env': `${URI}=mongodb://dotenv\n${TOPICS}=[a]\n` };
    const env = { [URI]: 'mongodb://environment' };
    expect(connectorsOf({ command: 'connectors', env, files }).env).toEqual({
      [URI]: 'mongodb://environment',
      [TOPICS]: '[a]',
    });
  });

  test('is unset where it is empty', () => {
    expect(connectorsOf({ command: 'connectors', env: { [URI]: '' } }).env).toEqual({});
  });

  test('has no service links of Kubernetes', () => {
    const env = {
      IGGY_CONNECTORS_PORT: 'tcp://10.0.0.1:8081',
      IGGY_CONNECTORS_SERVICE_HOST: '10.0.0.1',
      IGGY_CONNECTORS_HTTP_ADDRESS: '127.0.0.1:1',
    };
    const connectors = connectorsOf({ command: 'connectors', env });
    expect(connectors.env).toEqual({ IGGY_CONNECTORS_HTTP_ADDRESS: '127.0.0.1:1' });
  });

  test('is neither shown among the settings nor refused as unknown', () => {
    const env = { [URI]: 'mongodb://app:hunter2@h', IGGY_CONNECTORS_NO_SUCH_THING: '1' };
    expect(problemsOf({ env })).toEqual([]);
    expect(JSON.stringify(loadFrom({ env }).settings)).not.toContain('hunter2');
  });
});

describe('connectors that run alone', () => {
  test('have no listener, no API and no HTTP of the service', () => {
    const env = { POSTGRES_PORT: '1', MONGODB_URI: 'mongodb://h', WIRE_POSTGRES_PORT: '6000' };
    const config = loadFrom({ command: 'connectors', env });
    expect(config).toMatchObject({ listeners: [], api: undefined, http: undefined, warnings: [] });
  });

  test('take no file of settings, and say so', () => {
    const env = { GATEPOST_CONFIG: 'gatepost.toml' };
    expect(loadFrom({ command: 'connectors', env }).warnings).toEqual([
      'GATEPOST_CONFIG is ignored: connectors takes no file of settings',
    ]);
  });

  test('are asked by those whom the settings of the API let in', () => {
    const env = {
      ...{ API_TOKENS: TOKENS, API_RATE_LIMIT: '5', API_METRICS: 'token' },
      ...{ API_TRUST_PROXY: '1', API_CORS_ORIGINS: 'https://app.example.com' },
    };
    expect(connectorsOf({ command: 'connectors', env }).access).toEqual({
      tokens: [TOKEN],
      rateLimitPerMinute: 5,
      trustProxy: 1,
      corsOrigins: ['https://app.example.com'],
      isMetricsOpen: false,
    });
    expect(connectorsOf({ command: 'connectors' }).access).toMatchObject({
      tokens: [],
      isMetricsOpen: true,
    });
  });
});
