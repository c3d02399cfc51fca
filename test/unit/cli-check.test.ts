import { describe, expect, test } from '@jest/globals';
import { run } from '../support/run-command-line.ts';

const DSN = 'postgres://app:hunter2@db/orders';

describe('check', () => {
  test('prints what was resolved, starts nothing and exits with 0', async () => {
    const { exitCode, out, errors, started } = await run(['check', '--port', '4000'], {
      env: { WIRE_UPSTREAM_DSN: DSN },
    });
    expect({ exitCode, errors, started }).toEqual({ exitCode: 0, errors: '', started: undefined });
    expect(out).toMatch(/^ {2}PORT +4000 +flag$/m);
    expect(out).toMatch(/^ {2}upstream +postgres:\/\/app:\*\*\*@db\/orders$/m);
    expect(out).not.toContain('hunter2');
    expect(out.endsWith('\n')).toBe(true);
  });

  test('prints where MongoDB is, without its password', async () => {
    const env = { MONGODB_URI: 'mongodb://app:hunter2@a:1,b:2/orders?replicaSet=rs' };
    const { exitCode, out } = await run(['check'], { env });
    expect(exitCode).toBe(0);
    const masked = 'mongodb://app:***@a:1,b:2/orders?replicaSet=rs';
    expect(out.split('\n').filter((line) => line.includes(masked))).toEqual([
      expect.stringMatching(/^ {2}MONGODB_URI .* environment$/),
      expect.stringMatching(/^ {2}mongodb /),
      expect.stringMatching(/^ {2}upstream /),
    ]);
    expect(out).not.toContain('hunter2');
  });
});

describe('a configuration that is not accepted', () => {
  test.each([[['serve']], [['check']], [[]]])(
    'exits %j with 2 and a line for each problem, without a stack',
    async (argv) => {
      const env = { PORT: 'x', WIRE_MAX_ROW: '1', WIRE_UPSTREAM_DSN: 'postgres://u:hunter2@' };
      const { exitCode, out, errors, started } = await run(argv, { env });
      expect({ exitCode, out, started }).toEqual({ exitCode: 2, out: '', started: undefined });
      expect(errors.split('\n')).toEqual([
        expect.stringMatching(/^WIRE_MAX_ROW \(environment\) is not a setting/),
        expect.stringMatching(/^PORT is "x" \(environment\): accepted is /),
        expect.stringMatching(/^WIRE_UPSTREAM_DSN is \*\*\* \(environment\): it names no host/),
        '',
      ]);
    },
  );
});

describe('a secret in the wrong place', () => {
  test.each([
    [[DSN]],
    [['check', DSN]],
    [['serve', '--port', DSN]],
    [['--postgres-host', DSN]],
    [['--upstream-dsn', DSN]],
    [['--mongo-uri', 'mongodb+srv://app:hunter2@db']],
    [['--mongodb-uri', 'mongodb://app:hunter2@']],
    [['check', '--wire-mongodb-port', 'mongodb://app:hunter2@db']],
    [['pgwire-proxy', '--upstream-dns', DSN]],
    [['pgwire-proxy', `--upstream-dns=${DSN}`]],
    [['pgwire-proxy', '--enable-tls', DSN]],
    [['serve', '-phunter2']],
    [['--Postgres_Password=hunter2']],
  ])('is not told: %j', async (argv) => {
    const { exitCode, out, errors } = await run(argv);
    expect(exitCode).toBe(2);
    expect(errors).not.toBe('');
    expect(`${out}${errors}`).not.toContain('hunter2');
  });
});
