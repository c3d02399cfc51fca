import { describe, expect, test } from '@jest/globals';
import type { SettingName } from '../../src/config-settings.ts';
import { gatherTexts } from '../../src/config-sources.ts';
import type { GivenTexts } from '../../src/config-sources.ts';
import { createSystem, loadFrom, problemsOf } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

function gather(world: ConfigWorld): GivenTexts & { problems: readonly string[] } {
  const { command = 'serve', flags = {} } = world;
  const problems: string[] = [];
  const given = gatherTexts({ ...createSystem(world), command, argvSettings: flags }, problems);
  return { ...given, problems };
}

function given(world: ConfigWorld, name: SettingName): unknown {
  return gather(world).settings.get(name);
}

describe('precedence', () => {
  const flags = { WIRE_MAX_ROWS: '1' };
  const env = { WIRE_MAX_ROWS: '2' };
  const dotEnv = 'WIRE_MAX_ROWS=3\n';
  const toml = 'wire_max_rows = 4\n';
  const config = { GATEPOST_CONFIG: 'gatepost.toml' };

  test.each<[string, ConfigWorld, number, string]>([
    [
      'a flag beats everything',
      { flags, env: { ...env, ...config }, files: { '.env': dotEnv, 'gatepost.toml': toml } },
      1,
      'flag',
    ],
    [
      'the environment beats .env and the file',
      { env: { ...env, ...config }, files: { '.env': dotEnv, 'gatepost.toml': toml } },
      2,
      'environment',
    ],
    [
      '.env beats the file',
      { env: config, files: { '.env': dotEnv, 'gatepost.toml': toml } },
      3,
      '.env',
    ],
    ['the file beats the default', { env: config, files: { 'gatepost.toml': toml } }, 4, 'file'],
    ['the default is what is left', {}, 10_000, 'default'],
    ['an empty flag gives way', { flags: { WIRE_MAX_ROWS: '' }, env }, 2, 'environment'],
    [
      'an empty variable counts as unset, and still hides .env',
      { env: { WIRE_MAX_ROWS: '' }, files: { '.env': dotEnv } },
      10_000,
      'default',
    ],
    [
      'an empty text of the file counts as unset',
      { env: config, files: { 'gatepost.toml': 'wire_max_rows = ""' } },
      10_000,
      'default',
    ],
  ])('%s', (_, world, rowsMax, source) => {
    const resolved = loadFrom(world);
    expect(resolved.listeners[0]?.limits.rowsMax).toBe(rowsMax);
    expect(resolved.settings.find(({ name }) => name === 'WIRE_MAX_ROWS')?.source).toBe(source);
  });
});

describe('.env', () => {
  test('is read as Node reads it', () => {
    const text = '# comment\nPORT=4000\nexport HOST="0.0.0.0"\nPOSTGRES_USER=\'a b\' # user\n';
    const { settings } = gather({ files: { '.env': text } });
    expect(Object.fromEntries(settings)).toEqual({
      PORT: { text: '4000', source: '.env' },
      HOST: { text: '0.0.0.0', source: '.env' },
      POSTGRES_USER: { text: 'a b', source: '.env' },
    });
  });

  test('may be missing', () => {
    expect(gather({}).problems).toEqual([]);
  });

  test('stops the start when it is there and cannot be read', () => {
    const problems: string[] = [];
    const system = createSystem({});
    const readTextFile = (): string => {
      throw Object.assign(new Error('denied'), { code: 'EACCES' });
    };
    gatherTexts({ ...system, readTextFile, command: 'serve', argvSettings: {} }, problems);
    expect(problems).toEqual(['.env cannot be read: permission denied']);
  });

  test('may name the file', () => {
    const files = { '.env': 'GATEPOST_CONFIG=a.toml', 'a.toml': 'port = 1' };
    expect(given({ files }, 'PORT')).toEqual({ text: '1', source: 'file' });
  });
});

describe('an unknown name', () => {
  test.each([
    ['WIRE_MAX_ROW', 'WIRE_MAX_ROWS'],
    ['WIRE_QUERY_TIMEOUT_MS', 'WIRE_QUERY_TIMEOUT'],
    ['WIRE_READONLY', 'WIRE_DENY'],
    ['GATEPOST_CONF', 'GATEPOST_CONFIG'],
    ['GATEPOST_DATADIR', 'GATEPOST_DATA_DIR'],
    ['GATEPOST_PORT', 'PORT'],
    ['GATEPOST_WIRE_ALLOW', 'WIRE_ALLOW'],
  ])('%s stops the start and is told %s', (name, nearest) => {
    const { problems } = gather({ env: { [name]: 'x' } });
    expect(problems).toEqual([
      `${name} (environment) is not a setting; the nearest known one is ${nearest}`,
    ]);
  });

  test('stops the start in .env as well, even without a value', () => {
    expect(gather({ files: { '.env': 'WIRE_MAX_ROW=' } }).problems).toEqual([
      'WIRE_MAX_ROW (.env) is not a setting; the nearest known one is WIRE_MAX_ROWS',
    ]);
  });

  test.each(['PATH', 'POSTGRES_INITDB_ARGS', 'wire_max_row', 'MY_WIRE_PORT', 'WIRED_UP'])(
    'is none of ours without our prefix: %s',
    (name) => {
      expect(gather({ env: { [name]: 'x' } }).problems).toEqual([]);
    },
  );
});

describe('what Kubernetes injects for a Service', () => {
  test.each([
    ['GATEPOST_SERVICE_HOST', '10.0.0.1'],
    ['GATEPOST_SERVICE_PORT', '5433'],
    ['GATEPOST_SERVICE_PORT_PSQL', '5433'],
    ['GATEPOST_PORT', 'tcp://10.0.0.1:5433'],
    ['GATEPOST_PORT_5433_TCP', 'tcp://10.0.0.1:5433'],
    ['GATEPOST_PORT_5433_TCP_ADDR', '10.0.0.1'],
    ['GATEPOST_PORT_5433_TCP_PORT', '5433'],
    ['GATEPOST_PORT_5433_TCP_PROTO', 'tcp'],
    ['GATEPOST_METRICS_SERVICE_HOST', '10.0.0.1'],
    ['GATEPOST_METRICS_PORT', 'udp://10.0.0.1:53'],
    ['WIRE_SERVICE_HOST', '10.0.0.1'],
    ['WIRE_SERVICE_PORT', '5433'],
    ['WIRE_PORT', 'tcp://10.0.0.1:5433'],
    ['WIRE_PORT_53_UDP_PROTO', 'udp'],
  ])('is passed over: %s=%s', (name, value) => {
    const { problems, warnings, settings } = gather({ env: { [name]: value } });
    expect({ problems, warnings, settings: settings.size }).toEqual({
      problems: [],
      warnings: [],
      settings: 0,
    });
  });

  test.each<[SettingName, string]>([
    ['POSTGRES_PORT', 'tcp://10.0.0.1:5432'],
    ['WIRE_POSTGRES_PORT', 'tcp://10.0.0.1:5433'],
    ['WIRE_MONGODB_PORT', 'tcp://10.0.0.1:5434'],
  ])('leaves %s at its default with a warning when it takes the name', (name, value) => {
    const { problems, warnings, settings } = gather({ env: { [name]: value } });
    expect(problems).toEqual([]);
    expect(settings.has(name)).toBe(false);
    expect(warnings).toEqual([
      `${name} is ignored: its value is a service link that Kubernetes sets`,
    ]);
  });

  test('lets .env still give what it took the name of', () => {
    const env = { POSTGRES_PORT: 'tcp://10.0.0.1:5432' };
    const files = { '.env': 'POSTGRES_PORT=6432' };
    expect(given({ env, files }, 'POSTGRES_PORT')).toBeUndefined();
  });

  test.each([
    ['GATEPOST_PORT', '5433'],
    ['WIRE_PORT', '5433'],
    ['WIRE_PORT_5433', '1'],
    ['GATEPOST_SERVICE', 'x'],
  ])('does not excuse %s=%s', (name, value) => {
    expect(gather({ env: { [name]: value } }).problems).toHaveLength(1);
  });
});

describe('a secret in a file', () => {
  const secrets: [SettingName, SettingName, string][] = [
    ['POSTGRES_PASSWORD', 'POSTGRES_PASSWORD_FILE', 'p@ss word '],
    ['WIRE_UPSTREAM_DSN', 'WIRE_UPSTREAM_DSN_FILE', 'postgres://u:p@h/d'],
    ['MONGODB_URI', 'MONGODB_URI_FILE', 'mongodb://u:p@h/d'],
    ['ACCOUNTS_DATABASE_URL', 'ACCOUNTS_DATABASE_URL_FILE', 'postgres://u:p@h/d'],
    ['ACTIVITY_MONGODB_URI', 'ACTIVITY_MONGODB_URI_FILE', 'mongodb://u:p@h/d'],
    ['SESSION_SECRET', 'SESSION_SECRET_FILE', 'x'.repeat(32)],
  ];

  test.each(secrets)('gives %s from %s, without its last line break', (name, fileName, secret) => {
    const env = { [fileName]: 'secret' };
    for (const end of ['', '\n', '\r\n']) {
      const files = { secret: `${secret}${end}` };
      expect(given({ env, files }, name)).toEqual({ text: secret, source: fileName });
    }
  });

  test('keeps every line break but the last', () => {
    const world = { env: { POSTGRES_PASSWORD_FILE: 'pw' }, files: { pw: 'a\nb\n\n' } };
    expect(given(world, 'POSTGRES_PASSWORD')).toMatchObject({ text: 'a\nb\n' });
  });

  test.each(secrets)('is refused when %s is given beside %s', (name, fileName, secret) => {
    const world = { env: { [name]: secret, [fileName]: 'secret' }, files: { secret } };
    expect(gather(world).problems).toEqual([`${name} and ${fileName} are both given: keep one`]);
  });

  test('is refused beside the other form from another source', () => {
    const world: ConfigWorld = {
      flags: { POSTGRES_PASSWORD: 'a' },
      env: { POSTGRES_PASSWORD_FILE: 'pw' },
      files: { pw: 'b' },
    };
    expect(gather(world).problems).toHaveLength(1);
  });

  test('stops the start when the file is missing or empty', () => {
    const env = { POSTGRES_PASSWORD_FILE: '/run/secrets/pw' };
    expect(gather({ env }).problems).toEqual([
      'POSTGRES_PASSWORD_FILE is "/run/secrets/pw" (environment), which cannot be read: ' +
        'there is no such file',
    ]);
    expect(gather({ env, files: { '/run/secrets/pw': '\n' } }).problems).toEqual([
      'POSTGRES_PASSWORD_FILE is "/run/secrets/pw" (environment), which is empty',
    ]);
  });

  test('may be named in the configuration file', () => {
    const world = {
      env: { GATEPOST_CONFIG: 'a.toml' },
      files: { 'a.toml': 'postgres_password_file = "pw"', pw: 'secret' },
    };
    expect(given(world, 'POSTGRES_PASSWORD')).toMatchObject({ text: 'secret' });
  });
});

describe('the configuration file', () => {
  test('stops the start when it cannot be read', () => {
    expect(problemsOf({ flags: { GATEPOST_CONFIG: 'missing.toml' } })).toEqual([
      'GATEPOST_CONFIG is "missing.toml" (flag), which cannot be read: there is no such file',
    ]);
  });

  test('is relative to the working directory, and so are the paths in it', () => {
    const world = {
      env: { GATEPOST_CONFIG: 'etc/a.toml' },
      files: { 'etc/a.toml': 'postgres_password_file = "pw"', pw: 'found' },
    };
    expect(given(world, 'POSTGRES_PASSWORD')).toMatchObject({ text: 'found' });
  });

  test('is not read by pgwire-proxy, which says so', () => {
    const { problems, warnings, settings } = gather({
      command: 'pgwire-proxy',
      env: { GATEPOST_CONFIG: 'missing.toml' },
    });
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      'GATEPOST_CONFIG is ignored: pgwire-proxy takes no file of settings',
    ]);
    expect([...settings.keys()]).toEqual(['GATEPOST_CONFIG']);
  });
});
