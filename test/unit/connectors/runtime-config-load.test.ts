import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../../src/config-problems.ts';
import { loadConnectorsConfig } from '../../../src/connectors/runtime-config-load.ts';
import { createInputs, load, loadOne, PASSWORD, SINK_TOML } from '../../support/connector-files.ts';
import type { TestInputs } from '../../support/connector-files.ts';

/** Why a configuration is refused as a whole. */
function problemsOf(inputs: TestInputs): readonly string[] {
  try {
    load(inputs);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).not.toContain('hunter2');
    return error instanceof ConfigError ? error.problems : [];
  }
  return [];
}

function withConfig(toml: string): TestInputs {
  return { files: { 'config.toml': toml } };
}

const MINIMAL = '[iggy]\ntoken = "t"\n[connectors]\nconfig_dir = "connectors"\n';

describe('loadConnectorsConfig', () => {
  it('given_the_rust_runtimes_env_path_should_say_that_it_does_nothing', () => {
    const { notes } = load({ env: { IGGY_CONNECTORS_ENV_PATH: '.env.iggy' } });
    expect(notes).toEqual([expect.stringMatching(/^IGGY_CONNECTORS_ENV_PATH does nothing/)]);
  });

  it('given_the_least_that_can_be_said_should_fill_in_the_defaults', () => {
    const { connectors, ...config } = load(withConfig(MINIMAL));
    expect(config).toEqual({
      iggy: {
        addresses: ['http://127.0.0.1:3000'],
        credentials: { kind: 'token', token: 't' },
      },
      configDirectory: '/srv/gate/connectors',
      statePath: '/srv/gate/local_state',
      http: { host: '127.0.0.1', port: 8081, apiKey: undefined, isMetricsEnabled: true },
      refusedFiles: [],
      notes: [],
    });
    expect(connectors).toHaveLength(1);
  });

  it('given_a_config_of_the_runtime_in_rust_should_take_it_but_for_what_is_not_there', () => {
    const toml = `
[http]
enabled = true
address = "127.0.0.1:9000"
api_key = ""
[http.cors]
enabled = false
allowed_methods = ["GET"]
[http.metrics]
enabled = true
endpoint = "/metrics"
[http.tls]
enabled = false
cert_file = "core/certs/iggy_cert.pem"
[iggy]
address = "localhost:8090"
username = "iggy"
password = "iggy"
token = ""
[iggy.tls]
enabled = false
ca_file = "core/certs/iggy_ca_cert.pem"
domain = ""
[state]
path = "/var/lib/state"
[connectors]
config_type = "local"
config_dir = "connectors"
[telemetry]
enabled = false
service_name = "iggy-connectors"
[telemetry.logs]
transport = "grpc"
`;
    expect(load(withConfig(toml))).toMatchObject({
      iggy: { addresses: ['http://localhost:8090'] },
      statePath: '/var/lib/state',
      http: { host: '127.0.0.1', port: 9000, apiKey: undefined },
      notes: [expect.stringContaining('8090')],
    });
  });

  it('given_variables_should_prefer_them_to_the_file', () => {
    const prefix = 'IGGY_CONNECTORS_';
    const env = {
      [`${prefix}CONFIG_PATH`]: 'elsewhere',
      [`${prefix}IGGY_ADDRESS`]: 'a:3000,b:3000',
      [`${prefix}IGGY_USERNAME`]: 'user',
      [`${prefix}IGGY_PASSWORD`]: '1234',
      [`${prefix}STATE_PATH`]: 'kept',
      [`${prefix}HTTP_ADDRESS`]: '127.0.0.1:1',
      [`${prefix}HTTP_API_KEY`]: 'key',
      [`${prefix}HTTP_METRICS_ENABLED`]: 'false',
    };
    expect(load({ env })).toMatchObject({
      iggy: {
        addresses: ['http://a:3000', 'http://b:3000'],
        credentials: { username: 'user', password: '1234' },
      },
      statePath: '/srv/gate/kept',
      http: { port: 1, apiKey: 'key', isMetricsEnabled: false },
    });
  });

  it('given_secrets_in_files_should_read_them', () => {
    const files = { 'secrets/password': 'from-file\n', 'secrets/key': 'key' };
    const env = {
      IGGY_CONNECTORS_IGGY_PASSWORD_FILE: 'secrets/password',
      IGGY_CONNECTORS_HTTP_API_KEY_FILE: '/srv/gate/secrets/key',
    };
    expect(load({ files, env })).toMatchObject({
      iggy: { credentials: { password: 'from-file' } },
      http: { apiKey: 'key' },
    });
    expect(
      load({ files, env: { IGGY_CONNECTORS_IGGY_TOKEN_FILE: 'secrets/key' } }).iggy.credentials,
    ).toEqual({ kind: 'token', token: 'key' });
  });

  it('given_the_http_switched_off_should_have_none', () => {
    expect(load({ env: { IGGY_CONNECTORS_HTTP_ENABLED: 'false' } }).http).toBeUndefined();
  });

  it.each<[string, TestInputs, string]>([
    [
      'a config that is not there',
      { configPath: 'gone.toml' },
      'IGGY_CONNECTORS_CONFIG_PATH is "gone.toml": gone.toml cannot be read: there is no such file',
    ],
    [
      'a config that is no toml',
      withConfig(`[iggy]\npassword = "${PASSWORD}`),
      'IGGY_CONNECTORS_CONFIG_PATH is "config.toml": config.toml is not TOML at line 2',
    ],
    [
      'no directory',
      withConfig('[iggy]\ntoken = "t"'),
      'connectors.config_dir (config.toml) is missing: accepted is text that is not empty',
    ],
    [
      'a directory that is not there',
      { env: { IGGY_CONNECTORS_CONNECTORS_CONFIG_DIR: 'gone' } },
      'connectors.config_dir is "/srv/gate/gone", which cannot be read: there is no such file',
    ],
    [
      'connectors of a server',
      withConfig(`${MINIMAL}config_type = "http"`),
      'connectors.config_type (config.toml) is "http": accepted is "local"',
    ],
    [
      'no login',
      withConfig('[connectors]\nconfig_dir = "connectors"'),
      'iggy.username and iggy.password, or iggy.token, are missing',
    ],
    [
      'a switch that is a number',
      withConfig(`${MINIMAL}[iggy.tls]\nenabled = 1`),
      'iggy.tls.enabled (config.toml) is 1: accepted is true or false',
    ],
    [
      "a certificate authority's file",
      withConfig(`${MINIMAL}[iggy.tls]\nenabled = true\nca_file = "ca.pem"`),
      'iggy.tls.ca_file (config.toml) is "ca.pem": is not supported: name the file in NODE_EXTRA',
    ],
    [
      'a domain of tls',
      withConfig(`${MINIMAL}[iggy.tls]\nenabled = true\ndomain = "iggy"`),
      'iggy.tls.domain (config.toml) is "iggy": is not supported',
    ],
    [
      'an unknown field',
      withConfig(`${MINIMAL}[state]\npaht = "x"`),
      'state.paht (config.toml) is not a field; the nearest known one is path',
    ],
    [
      'metrics at another place',
      { env: { IGGY_CONNECTORS_HTTP_METRICS_ENDPOINT: '/m' } },
      'IGGY_CONNECTORS_HTTP_METRICS_ENDPOINT is "/m": accepted is "/metrics"',
    ],
    [
      'a log of texts',
      withConfig(`${MINIMAL}[logging]\nformat = "text"`),
      'logging.format (config.toml) is "text": accepted is "json"',
    ],
    [
      'a variable of the runtime that nothing declares',
      { env: { IGGY_CONNECTORS_IGGY_USER: 'x' } },
      'IGGY_CONNECTORS_IGGY_USER is not a field; the nearest known one is ' +
        'IGGY_CONNECTORS_IGGY_USERNAME',
    ],
    [
      'a variable of a connector that is not there',
      { env: { IGGY_CONNECTORS_SOURCE_MONGODB_NAME: 'x' } },
      'IGGY_CONNECTORS_SOURCE_MONGODB_NAME is about no connector; there are: sink mongodb',
    ],
  ])('given_%s_should_refuse_the_configuration', (_what, inputs, problem) => {
    expect(problemsOf(inputs)).toEqual([expect.stringContaining(problem)]);
  });

  it('given_several_problems_should_tell_all_at_once', () => {
    const toml = '[iggy]\nuser = "x"\n[http]\naddress = "x"\n[connectors]\n[nonsense]';
    expect(problemsOf(withConfig(toml))).toHaveLength(4);
  });

  it('given_no_connector_at_all_should_say_so_of_a_variable', () => {
    const inputs = {
      listDirectory: () => [],
      env: { IGGY_CONNECTORS_SINK_A_NAME: 'x' },
    };
    expect(problemsOf(inputs)).toEqual([
      'IGGY_CONNECTORS_SINK_A_NAME is about no connector; there are: none',
    ]);
  });

  it('given_a_refused_file_should_only_note_a_variable_that_may_be_about_it', () => {
    const { connectors, refusedFiles, notes } = load({
      files: { 'connectors/other.toml': 'nonsense' },
      env: { IGGY_CONNECTORS_SINK_OTHER_NAME: 'x' },
    });
    expect(connectors).toHaveLength(1);
    expect(refusedFiles).toHaveLength(1);
    expect(notes).toEqual([expect.stringContaining('SINK_OTHER_NAME is about no connector')]);
  });

  it('given_a_wrong_connector_should_load_all_the_same', () => {
    const connector = loadOne({
      files: { 'connectors/sink.toml': SINK_TOML.replace('database', 'databse') },
    });
    expect(connector.problem?.kind).toBe('invalid-config');
  });

  it('given_the_whole_configuration_should_have_secrets_only_where_they_are_used', () => {
    const { iggy, ...rest } = load();
    expect(JSON.stringify(iggy)).toContain(PASSWORD);
    expect(JSON.stringify(rest)).not.toContain('hunter2');
  });

  it('given_the_same_inputs_twice_should_give_the_same', () => {
    const inputs = createInputs();
    expect(JSON.stringify(loadConnectorsConfig(inputs))).toBe(
      JSON.stringify(loadConnectorsConfig(inputs)),
    );
  });
});
