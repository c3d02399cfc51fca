import { describe, expect, test } from '@jest/globals';
import { findToken } from '../../src/api-tokens.ts';
import { apiTokens } from '../../src/config-api-values.ts';
import { run } from '../support/run-command-line.ts';

describe('token', () => {
  test.each([
    [['token', 'ci'], 'read'],
    [['token', 'ci', '--scope', 'read'], 'read'],
    [['token', 'ci', '--scope', 'write'], 'write'],
    [['token', '--scope=admin', 'ci'], 'admin'],
  ])('prints a token and the entry that accepts it: %j', async (argv, scope) => {
    const { exitCode, out, errors, started } = await run(argv);
    expect({ exitCode, errors, started }).toEqual({ exitCode: 0, errors: '', started: undefined });
    const [, token = '', , entry = '', end] = out.split('\n');
    expect(end).toBe('');
    const accepted = findToken(apiTokens.schema.parse(entry), token);
    expect(accepted).toMatchObject({ name: 'ci', scope });
    expect(entry).not.toContain(token);
  });

  test('prints it once, and another one each time', async () => {
    const { out } = await run(['token', 'ci']);
    const [token = ''] = /gp_\S+/.exec(out) ?? [];
    expect(out.split(token)).toHaveLength(2);
    expect((await run(['token', 'ci'])).out).not.toContain(token);
  });

  test('needs no configuration that is accepted', async () => {
    expect(await run(['token', 'ci'], { env: { PORT: 'x', HOST: '0.0.0.0' } })).toMatchObject({
      exitCode: 0,
      errors: '',
    });
  });

  test.each([
    [['token'], /missing required argument 'name'/],
    [['token', 'a b'], /^The name "a b" is refused: it takes 1 to 63 letters/],
    [['token', 'anonymous'], /^The name "anonymous" is refused/],
    [['token', 'ci', '--scope', 'owner'], /Allowed choices are read, write, admin/],
    [['token', 'ci', 'me'], /too many arguments for 'token'/],
    [['token', 'ci', '--scop', 'read'], /Did you mean --scope\?/],
  ])('makes none for %j, and says why', async (argv, message) => {
    const { exitCode, out, errors } = await run(argv);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(errors).toMatch(message);
  });

  test('--help says what it takes', async () => {
    const { exitCode, out } = await run(['token', '--help']);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^Usage: gatepost token \[options\] <name>$/m);
    expect(out.replaceAll(/\s+/g, ' ')).toContain(
      '(choices: "read", "write", "admin", default: "read")',
    );
  });
});
