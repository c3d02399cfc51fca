import { beforeEach, describe, expect, test } from '@jest/globals';
import type { AccountAdministration, ShownAccount, ShownToken } from '../../src/accounts.ts';
import type { AccountSurroundings } from '../../src/cli-account-commands.ts';
import type { Config } from '../../src/config.ts';
import { ServiceError } from '../../src/errors.ts';
import type { ConfigWorld } from '../support/load-config.ts';
import { run } from '../support/run-command-line.ts';
import type { Outcome } from '../support/run-command-line.ts';

const ALICE: ShownAccount = {
  ...{ id: '1', name: 'alice', scope: 'admin', isDisabled: false },
  limits: {
    rowsMax: undefined,
    bytesMax: undefined,
    queryTimeoutMs: undefined,
    connectionsMax: undefined,
  },
  ...{ backends: undefined, databases: undefined, revision: 1, secretRevision: 1 },
  ...{ createdAt: new Date(0), lastSeenAt: undefined },
};

const TOKEN: ShownToken = {
  ...{ id: '6f9619ff', name: 'ci', prefix: 'gp_abcde', scope: 'read', createdAt: new Date(0) },
  ...{ expiresAt: undefined, lastUsedAt: undefined },
};

/** What was asked of the accounts, in order: the method and what it was given. */
let asked: (readonly unknown[])[];
let prompts: string[];
let configs: Config[];
let accounts: readonly ShownAccount[];
let failure: Error | undefined;

beforeEach(() => {
  asked = [];
  prompts = [];
  configs = [];
  accounts = [ALICE];
  failure = undefined;
});

/** Notes what it is asked, and answers. */
function answer<T>(method: string, given: readonly unknown[], value: T): Promise<T> {
  asked.push([method, ...given]);
  return failure === undefined ? Promise.resolve(value) : Promise.reject(failure);
}

const ADMINISTRATION: AccountAdministration = {
  list: () => answer('list', [], accounts),
  create: (account) => answer('create', [account], { ...ALICE, ...account, limits: ALICE.limits }),
  change: (name, changes) => answer('change', [name, changes], ALICE),
  setSecret: (name, secret) => answer('setSecret', [name, secret], ALICE),
  remove: (name) => answer('remove', [name], undefined),
  listTokens: (name) => answer('listTokens', [name], [TOKEN]),
  createToken: (name, token) =>
    answer('createToken', [name, token], { token: 'gp_secret', shown: TOKEN }),
  revokeToken: (name, id) => answer('revokeToken', [name, id], id === TOKEN.id),
};

const SURROUNDINGS: AccountSurroundings = {
  withAccounts: async (config, work) => {
    configs.push(config);
    await work(ADMINISTRATION);
  },
  migrate: (config) => {
    configs.push(config);
    return answer('migrate', [], { newest: '0001', applied: 1 });
  },
  readSecret: (prompt) => {
    prompts.push(prompt);
    return Promise.resolve('from the terminal');
  },
};

async function runAccount(argv: string, world: ConfigWorld = {}): Promise<Outcome> {
  return await run(argv.split(' '), world, undefined, SURROUNDINGS);
}

describe('gatepost account create', () => {
  test('asks for the password, and makes an account that may read', async () => {
    expect(await runAccount('account create bob')).toMatchObject({
      exitCode: 0,
      out: 'Account bob is created with scope read\n',
      errors: '',
    });
    expect(prompts).toEqual(['Password of account bob']);
    expect(asked[0]).toEqual([
      'create',
      {
        ...{ name: 'bob', secret: { password: 'from the terminal' }, scope: 'read' },
        limits: {},
        ...{ backends: undefined, databases: undefined },
      },
    ]);
  });

  test('hands on limits, backends and databases as settings are written', async () => {
    await runAccount(
      'account create bob --scope admin --max-rows 1_000 --max-bytes=2kB --query-timeout 3s ' +
        '--max-connections 4 --backends postgres,mongodb --databases shop,books',
    );
    expect(asked[0]?.[1]).toMatchObject({
      scope: 'admin',
      limits: { rowsMax: 1000, bytesMax: 2048, queryTimeoutMs: 3000, connectionsMax: 4 },
      backends: ['postgres', 'mongodb'],
      databases: ['shop', 'books'],
    });
  });

  test('takes a verifier from the same place', async () => {
    await runAccount('account create bob --verifier-stdin');
    expect(prompts).toEqual(['Verifier of account bob']);
    expect(asked[0]?.[1]).toMatchObject({ secret: { verifier: 'from the terminal' } });
  });

  test.each<readonly [string, readonly ShownAccount[]]>([
    ['nobody is an administrator', [{ ...ALICE, scope: 'write' }]],
    ['the only one is disabled', [{ ...ALICE, isDisabled: true }]],
  ])('says how to make an administrator where %s', async (_name, there) => {
    accounts = there;
    const { exitCode, errors } = await runAccount('account create bob');
    expect(exitCode).toBe(0);
    expect(errors).toContain('gatepost account create NAME --scope admin makes an administrator');
  });

  test.each([
    ['account create', /missing required argument 'name'/],
    ['account create bob hunter22', /too many arguments/],
    ['account create bob --scope root', /Allowed choices are read, write, admin/],
    ['account create bob --max-rows 0', /accepted is a whole number from 1/],
    ['account create bob --max-bytes 5', /a bare number does not say its unit/],
    ['account create bob --query-timeout 5', /a bare number does not say its unit/],
    ['account create bob --backends mysql', /Allowed are postgres, mongodb/],
    ['account create bob --password x', /unknown option '--password'/],
    ['account creat bob', /unknown command 'creat'\n\(Did you mean create\?\)/],
  ])('is not understood as %s', async (argv, message) => {
    const { exitCode, errors } = await runAccount(argv);
    expect(exitCode).toBe(2);
    expect(errors).toMatch(message);
    expect(asked).toEqual([]);
  });
});

describe('gatepost account', () => {
  test.each([
    ['disable alice', ['change', 'alice', { isDisabled: true }], /^Account alice is disabled; /],
    ['enable alice', ['change', 'alice', { isDisabled: false }], /^Account alice is enabled\n/],
    ['delete alice', ['remove', 'alice'], /^Account alice is deleted; /],
    [
      'password alice',
      ['setSecret', 'alice', { password: 'from the terminal' }],
      /^Account alice has a new password; .* tokens stay\n/,
    ],
    [
      'password alice --verifier-stdin',
      ['setSecret', 'alice', { verifier: 'from the terminal' }],
      /^Account alice has a new password/,
    ],
    ['tokens alice', ['listTokens', 'alice'], /^ID +NAME/],
    ['revoke alice 6f9619ff', ['revokeToken', 'alice', '6f9619ff'], /^The token is revoked/],
  ])('%s does it, and says so', async (argv, expected, message) => {
    const { exitCode, out, errors } = await runAccount(`account ${argv}`);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect(asked).toEqual([expected]);
    expect(out).toMatch(message);
  });

  test('list is a table, or JSON', async () => {
    expect((await runAccount('account list')).out).toMatch(/^NAME +SCOPE.*\nalice +admin/);
    const { out } = await runAccount('account list --json');
    expect(JSON.parse(out)).toMatchObject([{ name: 'alice', scope: 'admin' }]);
  });

  test('token alone is on standard output, and how to end it on standard error', async () => {
    const before = Date.now();
    const { out, errors } = await runAccount(
      'account token alice --name ci --scope write --expires 30d',
    );
    const [, name, token] = asked[0] ?? [];
    expect([name, token]).toMatchObject(['alice', { name: 'ci', scope: 'write' }]);
    const expiresAt = (token as { readonly expiresAt: Date }).expiresAt.getTime();
    expect(expiresAt - before).toBeGreaterThanOrEqual(30 * 86_400_000);
    expect(expiresAt - Date.now()).toBeLessThanOrEqual(30 * 86_400_000);
    expect(out).toBe('gp_secret\n');
    expect(errors).toContain('gatepost account revoke alice 6f9619ff');
  });

  test('token makes one that reads and does not expire', async () => {
    const { errors } = await runAccount('account token alice');
    expect(asked).toEqual([
      ['createToken', 'alice', { name: 'token', scope: 'read', expiresAt: undefined }],
    ]);
    expect(errors).toContain('does not expire');
  });

  test('revoke fails where there is no such token', async () => {
    expect(await runAccount('account revoke alice 1')).toMatchObject({
      exitCode: 1,
      errors: 'Account alice has no token of that id. gatepost account tokens alice lists them\n',
    });
  });

  test('looks where flags and settings say', async () => {
    await runAccount('account list --accounts-database-url postgres://u:p@db/d --accounts on');
    await runAccount('account list --gatepost-data-dir here', {
      env: { ACCOUNTS_SCRAM_ITERATIONS: '5000' },
    });
    expect(configs).toMatchObject([
      { accounts: { databaseUrl: 'postgres://u:p@db/d' } },
      {
        dataDirectory: '/srv/gatepost/here',
        accounts: { databaseUrl: undefined, scramIterations: 5000 },
      },
    ]);
  });
});

describe('A command of accounts that fails', () => {
  test('says why and what to do, and exits with 1', async () => {
    failure = new ServiceError('55006', 'Account "alice" is the last administrator', {
      hint: 'Make another account an administrator first',
    });
    expect(await runAccount('account delete alice')).toMatchObject({
      exitCode: 1,
      out: '',
      errors:
        'Account "alice" is the last administrator. Make another account an administrator first\n',
    });
  });

  test('says to the operator why the database cannot be reached', async () => {
    failure = new ServiceError('08006', 'Accounts cannot be read', {
      hint: 'Try again; the log of Gatepost says why',
      cause: new Error('connect ECONNREFUSED 127.0.0.1:5432'),
    });
    expect(await runAccount('migrate')).toMatchObject({
      exitCode: 1,
      errors: 'Accounts cannot be read: connect ECONNREFUSED 127.0.0.1:5432\n',
    });
  });

  test('exits with 2 where the configuration is wrong, before anything is asked for', async () => {
    const { exitCode, errors } = await runAccount('account create bob', { env: { PORT: 'x' } });
    expect(exitCode).toBe(2);
    expect(errors).toContain('PORT');
    expect(prompts).toEqual([]);
  });

  test('exits with 2 where accounts are off', async () => {
    for (const argv of ['account create bob', 'migrate']) {
      const { exitCode, errors } = await runAccount(argv, { env: { ACCOUNTS: 'off' } });
      expect(exitCode).toBe(2);
      expect(errors).toMatch(/^ACCOUNTS is off, so that there are none: set ACCOUNTS=on/);
    }
    expect([...prompts, ...configs]).toEqual([]);
  });

  test('is a fault where it is none of ours to explain', async () => {
    failure = new TypeError('a bug');
    await expect(runAccount('account list')).rejects.toThrow('a bug');
  });
});

describe('gatepost migrate', () => {
  test('says what it has done', async () => {
    expect(await runAccount('migrate')).toMatchObject({
      exitCode: 0,
      out: 'Schema gatepost is at 0001 (1 applied)\n',
    });
  });
});
