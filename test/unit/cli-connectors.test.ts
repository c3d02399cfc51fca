import { describe, expect, test } from '@jest/globals';
import { run, SERVICE_EXIT_CODE } from '../support/run-command-line.ts';

const CONFIG_PATH = 'IGGY_CONNECTORS_CONFIG_PATH';

describe('connectors', () => {
  test.each([
    [[], {}, '/srv/gatepost/config.toml'],
    [['--config', 'a.toml'], {}, '/srv/gatepost/a.toml'],
    [['--config=a.toml'], { [CONFIG_PATH]: 'b.toml' }, '/srv/gatepost/a.toml'],
    [[], { [CONFIG_PATH]: '/etc/b.toml' }, '/etc/b.toml'],
  ])('with %j and %j reads %s', async (flags, env, configPath) => {
    const { exitCode, connectors, started, errors } = await run(['connectors', ...flags], { env });
    expect({ exitCode, errors, started }).toEqual({
      exitCode: SERVICE_EXIT_CODE,
      errors: '',
      started: undefined,
    });
    expect(connectors?.connectors).toMatchObject({ configPath, isAlone: true });
  });

  test('takes the flags of a process', async () => {
    const argv = ['connectors', '--log-level', 'debug', '--shutdown-timeout', '3s'];
    expect((await run(argv)).connectors).toMatchObject({
      logLevel: 'debug',
      shutdownTimeoutMs: 3000,
    });
  });

  test.each(['--port', '--mongodb-uri', '--upstream-dsn'])('has no flag %s', async (flag) => {
    const { exitCode, errors, connectors } = await run(['connectors', flag, '1']);
    expect({ exitCode, connectors }).toEqual({ exitCode: 2, connectors: undefined });
    expect(errors).toContain(`unknown option '${flag}'`);
  });

  test('is told of wrong settings, and does not start', async () => {
    const { exitCode, errors, connectors } = await run(['connectors'], {
      env: { LOG_LEVEL: 'loud' },
    });
    expect({ exitCode, connectors }).toEqual({ exitCode: 2, connectors: undefined });
    expect(errors).toMatch(/^LOG_LEVEL is "loud" \(environment\): /);
  });
});

describe('serve', () => {
  test.each([
    [['serve', '--iggy-connectors-config-path', 'a.toml'], '/srv/gatepost/a.toml'],
    [['serve'], undefined],
  ])('%j runs the connectors of %s beside the listeners', async (argv, configPath) => {
    const { started, connectors } = await run(argv);
    expect(connectors).toBeUndefined();
    expect(started?.connectors?.configPath).toBe(configPath);
    expect(started?.connectors?.isAlone ?? false).toBe(false);
  });
});

describe('check', () => {
  const lines = ['Connectors', '  config  /srv/gatepost/config.toml'];

  test('shows the connectors below everything else', async () => {
    const { exitCode, out, errors } = await run(['check'], {}, { lines, problems: [] });
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect(out.endsWith(`\n\n${lines.join('\n')}\n`)).toBe(true);
  });

  test('exits with 2 and a line for each one that would not run', async () => {
    const problems = ['sink mongodb: plugin_config.database is missing', 'a.toml: not TOML'];
    const { exitCode, out, errors } = await run(['check'], {}, { lines, problems });
    expect({ exitCode, errors }).toEqual({ exitCode: 2, errors: `${problems.join('\n')}\n` });
    expect(out).toContain('Connectors');
  });

  test('says nothing of connectors where there are none', async () => {
    const { out } = await run(['check']);
    expect(out).not.toMatch(/^Connectors$/m);
    expect(out.endsWith('\n\n')).toBe(false);
  });
});
