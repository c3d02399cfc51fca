import { describe, expect, test } from '@jest/globals';
import type { ConnectorsInputs } from '../../src/config-connectors.ts';
import { ConfigError } from '../../src/config-problems.ts';
import {
  openConnectors,
  reportConnectors,
  verifyConnectors,
} from '../../src/service-connectors.ts';
import { loadFrom } from '../support/load-config.ts';
import { createRecorder } from '../support/observations.ts';

const TOKENS = `ci:read:${'0'.repeat(64)}`;

const CONFIG = `
[iggy]
address = "http://127.0.0.1:1"
username = "iggy"
password = "hunter2-of-iggy"

[connectors]
config_dir = "connectors"
`;

function sinkOf(key: string, more = ''): string {
  return `
type = "sink"
key = "${key}"
name = "Orders"
path = "target/libmongodb_sink"
enabled = false

[[streams]]
stream = "shop"
topics = ["orders"]

[plugin_config]
connection_uri = "mongodb://app:hunter2-of-mongodb@db"
database = "shop"
collection = "orders"
${more}`;
}

interface World {
  readonly command?: 'serve' | 'connectors';
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** What connectors are started with, of a configuration that is right but for what is given. */
function inputsOf({ command = 'connectors', env = {}, files = {} }: World = {}): ConnectorsInputs {
  const { connectors } = loadFrom({
    command,
    env: { IGGY_CONNECTORS_CONFIG_PATH: 'config.toml', ...env },
    files: { 'config.toml': CONFIG, 'connectors/good.toml': sinkOf('good'), ...files },
  });
  if (connectors === undefined) {
    throw new Error('There are no connectors');
  }
  return connectors;
}

/** What keeps them from being started. */
function problemsOf(inputs: ConnectorsInputs): readonly string[] {
  try {
    verifyConnectors(inputs);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems;
    }
    throw error;
  }
}

const ADDRESS = 'IGGY_CONNECTORS_HTTP_ADDRESS';
const KEY = 'IGGY_CONNECTORS_HTTP_API_KEY';

describe('verifyConnectors', () => {
  test.each([
    ['loopback', {}],
    ['loopback of IPv6', { [ADDRESS]: '[::1]:8081' }],
    ['elsewhere with a key', { [ADDRESS]: '0.0.0.0:8081', [KEY]: 'x' }],
    ['elsewhere with tokens', { [ADDRESS]: '0.0.0.0:8081', API_TOKENS: TOKENS }],
    ['no HTTP', { [ADDRESS]: '0.0.0.0:8081', IGGY_CONNECTORS_HTTP_ENABLED: 'false' }],
    ['metrics for a token', { API_METRICS: 'token', API_TOKENS: TOKENS }],
    ['metrics for a key', { API_METRICS: 'token', [KEY]: 'x' }],
  ])('accepts %s', (_name, env) => {
    expect(problemsOf(inputsOf({ env }))).toEqual([]);
  });

  test.each([
    ['0.0.0.0:8081', '0.0.0.0'],
    ['[::]:8081', '::'],
    ['connectors.example.com:80', 'connectors.example.com'],
  ])('refuses %s without a key and tokens', (address, host) => {
    expect(problemsOf(inputsOf({ env: { [ADDRESS]: address } }))).toEqual([
      `http.address has the host "${host}", and nobody needs a key: whoever reaches the port ` +
        'could restart connectors; set http.api_key, or API_TOKENS (gatepost token NAME makes ' +
        'one), or listen on 127.0.0.1',
    ]);
  });

  test('refuses metrics for tokens where there are none', () => {
    const env = { API_METRICS: 'token', [ADDRESS]: '0.0.0.0:1' };
    expect(problemsOf(inputsOf({ env }))).toEqual([
      expect.stringMatching(/^http\.address has the host/),
      expect.stringMatching(/^API_METRICS is token, and there are none: set http\.api_key, or/),
    ]);
  });

  test('does not ask what [http] says where it does nothing', () => {
    const env = { [ADDRESS]: '0.0.0.0:8081' };
    expect(problemsOf(inputsOf({ command: 'serve', env }))).toEqual([]);
  });

  test('lets a wrong connector be told when it is started', () => {
    const files = { 'connectors/wrong.toml': sinkOf('wrong', 'batch_size = 0') };
    expect(problemsOf(inputsOf({ files }))).toEqual([]);
  });

  test.each([
    ['an empty file', { 'config.toml': '' }, /config_dir/],
    ['no login', { 'config.toml': '[connectors]\nconfig_dir = "connectors"' }, /iggy\.username/],
  ])('refuses %s', (_name, files, problem) => {
    expect(problemsOf(inputsOf({ files })).join('\n')).toMatch(problem);
  });
});

describe('reportConnectors', () => {
  test('tells what would run, and no secrets', () => {
    const files = { 'connectors/wrong.toml': sinkOf('wrong', 'batch_size = 0') };
    const { lines, problems } = reportConnectors(inputsOf({ files }));
    expect(lines).toEqual([
      'Connectors',
      '  config  /srv/gatepost/config.toml',
      '  iggy    http://127.0.0.1:1',
      '  state   /srv/gatepost/local_state',
      '  sink good: disabled, "Orders"',
      '  sink wrong: refused, "Orders"',
      expect.stringMatching(/^ {2}note on sink good: path .*/),
      expect.stringMatching(/^ {2}note on sink wrong: path .*/),
    ]);
    expect(problems).toEqual([expect.stringMatching(/^sink wrong: .*batch_size.* is 0: accepted/)]);
    expect(JSON.stringify([lines, problems])).not.toContain('hunter2');
  });

  test('tells an open door, which only gatepost connectors has', () => {
    const env = { IGGY_CONNECTORS_HTTP_ADDRESS: '0.0.0.0:8081' };
    const { lines, problems } = reportConnectors(inputsOf({ command: 'serve', env }));
    expect(lines.join('\n')).toMatch(/note: gatepost connectors refuses this: http.address/);
    expect(problems).toEqual([]);
  });

  test('tells a file that defines none', () => {
    const files = { 'connectors/broken.toml': 'type = ' };
    const { problems } = reportConnectors(inputsOf({ files }));
    expect(problems).toEqual([
      expect.stringMatching(/^\/srv\/gatepost\/connectors\/broken\.toml: .*not TOML at line 1/),
    ]);
  });
});

describe('openConnectors', () => {
  test.each([
    ['serve', [expect.stringMatching(/^The table \[http\] of connectors does nothing in serve/)]],
    ['connectors', []],
  ] as const)('in %s notes %j', (command, notes) => {
    const observer = createRecorder();
    const { runtime } = openConnectors(inputsOf({ command }), observer);
    const messages = observer.observations.map((one) => ('message' in one ? one.message : ''));
    expect(messages).toEqual(notes);
    expect(runtime.list()).toMatchObject([{ key: 'good', status: 'stopped', isEnabled: false }]);
  });

  test('says nothing of an HTTP that is off', () => {
    const observer = createRecorder();
    const env = { IGGY_CONNECTORS_HTTP_ENABLED: 'false' };
    openConnectors(inputsOf({ command: 'serve', env }), observer);
    expect(observer.observations).toEqual([]);
  });

  test('restarts a connector by what its file says then', async () => {
    const observer = createRecorder();
    const { runtime } = openConnectors(inputsOf(), observer);
    await runtime.start(AbortSignal.timeout(1000));
    expect(await runtime.restart('sink', 'good')).toBe(true);
    expect(await runtime.restart('source', 'good')).toBe(false);
    expect(runtime.list()).toMatchObject([{ key: 'good', status: 'stopped' }]);
    await runtime.stop(AbortSignal.timeout(1000));
  });
});
