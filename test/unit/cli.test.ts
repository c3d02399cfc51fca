import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { runCommandLine } from '../../src/cli.ts';
import type { Surroundings } from '../../src/cli.ts';
import { notesOf, SETTING_NAMES } from '../../src/config-settings.ts';
import { createSystem } from '../support/load-config.ts';
import { NO_ACCOUNTS, run, SERVICE_EXIT_CODE } from '../support/run-command-line.ts';

const packageJson = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const { version: packageVersion } = z
  .object({ version: z.string() })
  .parse(JSON.parse(packageJson));

const DSN = 'postgres://app:hunter2@db/orders';
const PEOPLE = 'postgres://u:p@people/d';

describe('the command', () => {
  test.each([
    [[], 3000],
    [['serve'], 3000],
    [['--port', '4000'], 4000],
    [['--port=4000'], 4000],
    [['serve', '--port', '4000'], 4000],
  ])('of %j is serve', async (argv, port) => {
    const { exitCode, started, errors } = await run(argv);
    expect(started?.http?.port).toBe(port);
    expect({ exitCode, errors }).toEqual({ exitCode: SERVICE_EXIT_CODE, errors: '' });
  });

  test('hands the version of the package to the service', async () => {
    expect((await run([])).version).toBe(packageVersion);
  });

  test('gives a failure of the service on', async () => {
    const surroundings: Surroundings = {
      system: createSystem({}),
      writeOut: () => undefined,
      writeError: () => undefined,
      verifyListeners: () => Promise.resolve(),
      reportConnectors: () => Promise.resolve({ lines: [], problems: [] }),
      runConnectors: () => Promise.resolve(0),
      accounts: NO_ACCOUNTS,
      runService: () => Promise.reject(new Error('the port is taken')),
    };
    await expect(runCommandLine([], surroundings)).rejects.toThrow('the port is taken');
  });

  test.each([
    ['chek', /unknown command 'chek'\n\(Did you mean check\?\)/],
    ['server', /unknown command 'server'\n\(Did you mean serve\?\)/],
    ['pgwire-porxy', /unknown command 'pgwire-porxy'\n\(Did you mean pgwire-proxy\?\)/],
    ['zzzzzz', /unknown command 'zzzzzz'\n\(--help/],
  ])('that is not known, %s, exits with 2 and the nearest one', async (word, message) => {
    const { exitCode, errors, started } = await run([word]);
    expect(exitCode).toBe(2);
    expect(errors).toMatch(message);
    expect(started).toBeUndefined();
  });

  test('takes nothing beside its flags', async () => {
    const { exitCode, errors } = await run(['check', 'now']);
    expect(exitCode).toBe(2);
    expect(errors).toMatch(/too many arguments for 'check'/);
  });
});

describe('--help and --version', () => {
  test.each(['--version', '-V'])('%s prints the version', async (flag) => {
    expect(await run([flag])).toMatchObject({
      exitCode: 0,
      out: `${packageVersion}\n`,
      errors: '',
    });
  });

  test.each([['--help'], ['-h'], ['help']])('%s lists the commands', async (flag) => {
    const { exitCode, out, errors, started } = await run([flag]);
    expect({ exitCode, errors, started }).toEqual({ exitCode: 0, errors: '', started: undefined });
    for (const command of ['serve', 'pgwire-proxy', 'connectors', 'check', 'token', 'migrate']) {
      expect(out).toMatch(new RegExp(`^ {2}${command} \\[options\\]`, 'm'));
    }
    expect(out).toMatch(/^ {2}account +make, list and change/m);
  });

  test.each(['serve', 'check'])(
    '%s --help lists every setting with its default',
    async (command) => {
      const { exitCode, out } = await run([command, '--help']);
      const text = out.replaceAll(/\s+/g, ' ');
      expect(exitCode).toBe(0);
      for (const name of SETTING_NAMES) {
        const { fallback, productionFallback } = notesOf(name);
        const other =
          productionFallback === undefined ? '' : `, ${productionFallback} in production`;
        const end = fallback === undefined ? `${name}]` : `default ${fallback}${other}; ${name}]`;
        expect(text).toContain(end);
      }
    },
  );

  test.each([
    ['serve', 'POSTGRES_PASSWORD'],
    ['serve', 'WIRE_UPSTREAM_DSN'],
    ['serve', 'MONGODB_URI'],
    ['serve', 'API_TOKENS'],
    ['pgwire-proxy', 'WIRE_UPSTREAM_DSN'],
  ])('%s --help warns of the list of processes at %s', async (command, name) => {
    const text = (await run([command, '--help'])).out.replaceAll(/\s+/g, ' ');
    expect(text).toContain(`visible in the list of processes, so rather set ${name}_FILE [`);
  });
});

describe('the flags of serve', () => {
  test('are the settings in kebab-case', async () => {
    const { out } = await run(['serve', '--help']);
    const flags = [...out.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, flag]) => flag);
    const expected = SETTING_NAMES.map((name) => name.toLowerCase().replaceAll('_', '-'));
    expect(flags.sort()).toEqual(
      expected.map((flag) => (flag === 'gatepost-config' ? 'config' : flag)).sort(),
    );
  });

  test('beat the environment', async () => {
    const argv = ['--wire-max-rows', '5', '--wire-access=read-only', '--wire-query-timeout', '1s'];
    const env = { WIRE_MAX_ROWS: '6', WIRE_ON_LIMIT: 'truncate' };
    const { started } = await run(argv, { env });
    expect(started?.listeners[0]).toMatchObject({
      limits: { rowsMax: 5, onLimit: 'truncate', queryTimeoutMs: 1000 },
      policy: { access: 'read-only' },
    });
  });

  test('include those of MongoDB', async () => {
    const uri = 'mongodb://u:p@a:1,b:2/d?replicaSet=rs';
    const argv = [
      ...['--wire-mongodb-port', '6434', '--mongodb-uri', uri, '--mongodb-readiness=optional'],
      ...['--wire-mongodb-allow', 'find,aggregate', '--wire-mongodb-deny', 'aggregate:$out'],
      ...['--wire-mongodb-javascript', '--mongod-binary', 'bin/mongod'],
    ];
    const { started } = await run(argv);
    expect(started?.mongodBinary).toBe('/srv/gatepost/bin/mongod');
    expect(started?.listeners[1]).toMatchObject({
      name: 'mongodb',
      backend: 'mongodb',
      port: 6434,
      mongodbUri: uri,
      isRequired: false,
      policy: { allow: ['find', 'aggregate'], deny: ['aggregate:$out'], isJavaScriptAllowed: true },
    });
  });

  test('take the connection string of MongoDB from a file', async () => {
    const { started } = await run(['--mongodb-uri-file', 'uri'], { files: { uri: 'mongodb://h' } });
    expect(started?.listeners[1]).toMatchObject({ mongodbUri: 'mongodb://h', isRequired: true });
  });

  test('include --config', async () => {
    const { started } = await run(['--config', 'a.toml'], { files: { 'a.toml': 'port = 4001' } });
    expect(started?.http?.port).toBe(4001);
  });

  test('keep a value that looks like a flag or has an equals sign', async () => {
    const argv = ['--postgres-host', 'db', '--postgres-password=--a=b', '--postgres-user', '-x'];
    const { started } = await run(argv);
    expect(started?.listeners[0]).toMatchObject({
      upstreamDsn: 'postgresql://-x:--a%3Db@db:5432',
    });
  });

  test.each([
    [['--wire-enable-otel-metrics'], true],
    [['--wire-enable-otel-metrics=true'], true],
    [['--wire-enable-otel-metrics', 'true'], true],
    [['--wire-enable-otel-metrics', '--port', '1'], true],
    [['--wire-enable-otel-metrics=false'], false],
    [[], false],
  ])('that switch may do without a value: %j', async (argv, isOn) => {
    expect((await run(argv)).started?.isOtelMetricsEnabled).toBe(isOn);
  });

  test.each([
    ['--wire-max-row', '--wire-max-rows'],
    ['--postgres-pasword', '--postgres-password'],
    ['--confg', '--config'],
  ])('that are not known, %s, exit with 2 and the nearest one', async (flag, nearest) => {
    for (const argv of [[flag, 'hunter2'], [`${flag}=hunter2`], ['check', `${flag}=hunter2`]]) {
      const { exitCode, errors, started } = await run(argv);
      expect({ exitCode, started }).toEqual({ exitCode: 2, started: undefined });
      expect(errors).toContain(`unknown option '${flag}'\n(Did you mean ${nearest}?)`);
      expect(errors).not.toContain('hunter2');
    }
  });

  test('that lack their value exit with 2', async () => {
    const { exitCode, errors } = await run(['--port']);
    expect(exitCode).toBe(2);
    expect(errors).toContain("option '--port <port>' argument missing");
  });
});

describe('pgwire-proxy', () => {
  test('takes the flags of the proxy, each for its setting', async () => {
    const argv = [
      'pgwire-proxy',
      ...['--port', '6000', '--upstream-dsn', DSN],
      ...['--enable-tls', '--tls-cert', 'c.pem', '--tls-key', 'k.pem'],
      ...['--max-connections', '7', '--query-timeout', '8s'],
      ...['--max-rows', '9', '--max-bytes', '10kB', '--enable-otel-metrics'],
      ...['--auth', 'accounts', '--accounts', 'on', '--accounts-database-url', PEOPLE],
    ];
    const { exitCode, started } = await run(argv, { files: { 'c.pem': '', 'k.pem': '' } });
    expect(exitCode).toBe(SERVICE_EXIT_CODE);
    expect(started).toMatchObject({
      http: undefined,
      isOtelMetricsEnabled: true,
      accounts: { databaseUrl: PEOPLE },
    });
    expect(started?.listeners).toEqual([
      {
        name: 'postgres',
        backend: 'postgres',
        host: '127.0.0.1',
        port: 6000,
        upstreamDsn: DSN,
        isRequired: true,
        tls: { certFile: '/srv/gatepost/c.pem', keyFile: '/srv/gatepost/k.pem' },
        auth: 'accounts',
        connectionsMax: 7,
        idleTimeoutMs: 900_000,
        limits: { rowsMax: 9, bytesMax: 10_240, queryTimeoutMs: 8000, onLimit: 'error' },
        policy: { allow: [], deny: [], access: 'read-write' },
      },
    ]);
  });

  test('listens beyond loopback without TLS and accounts where a flag says so', async () => {
    const argv = ['pgwire-proxy', '--upstream-dsn', DSN];
    const world = { env: { HOST: '0.0.0.0' } };
    const refused = await run(argv, world);
    expect(refused).toMatchObject({ exitCode: 2, started: undefined });
    expect(refused.errors).toContain('WIRE_ALLOW_INSECURE=true');
    expect((await run([...argv, '--allow-insecure'], world)).exitCode).toBe(SERVICE_EXIT_CODE);
  });

  test('takes exactly these flags', async () => {
    const { out } = await run(['pgwire-proxy', '--help']);
    expect([...out.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, flag]) => flag).sort()).toEqual([
      'accounts',
      'accounts-database-url',
      'allow-insecure',
      'auth',
      'enable-otel-metrics',
      'enable-tls',
      'max-bytes',
      'max-connections',
      'max-rows',
      'port',
      'query-timeout',
      'tls-cert',
      'tls-key',
      'upstream-dsn',
    ]);
  });

  test('takes no file', async () => {
    const { exitCode, errors } = await run(['pgwire-proxy', '--config', 'a.toml']);
    expect(exitCode).toBe(2);
    expect(errors).toContain("unknown option '--config'");
  });

  test('takes the environment of each flag', async () => {
    const env = {
      WIRE_POSTGRES_PORT: '6001',
      WIRE_UPSTREAM_DSN: DSN,
      WIRE_MAX_CONNECTIONS: '3',
      WIRE_QUERY_TIMEOUT: '4s',
      WIRE_MAX_ROWS: '5',
      WIRE_MAX_BYTES: '6B',
      WIRE_ENABLE_OTEL_METRICS: 'true',
    };
    const { started } = await run(['pgwire-proxy'], { env });
    expect(started?.isOtelMetricsEnabled).toBe(true);
    expect(started?.listeners[0]).toMatchObject({
      port: 6001,
      upstreamDsn: DSN,
      connectionsMax: 3,
      limits: { rowsMax: 5, bytesMax: 6, queryTimeoutMs: 4000 },
    });
  });

  test('exits with 2 without an upstream', async () => {
    expect(await run(['pgwire-proxy'])).toMatchObject({
      exitCode: 2,
      errors:
        'pgwire-proxy needs an upstream: give WIRE_UPSTREAM_DSN (--upstream-dsn) or ' +
        'POSTGRES_HOST\n',
      started: undefined,
    });
  });
});
