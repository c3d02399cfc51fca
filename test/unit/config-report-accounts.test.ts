import { describe, expect, test } from '@jest/globals';
import { describeConfig } from '../../src/config-report.ts';
import { loadFrom } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

/** The report without its padding: a setting or key, its value, its source. */
function report(world: ConfigWorld): string[] {
  return describeConfig(loadFrom(world)).map((line) => line.trim().replace(/ {2,}/g, ' | '));
}

describe('describeConfig', () => {
  test('shows accounts and what is kept with everything resolved, secrets masked', () => {
    const secret = 'x'.repeat(32);
    const lines = report({
      env: {
        NODE_ENV: 'production',
        ACCOUNTS: 'on',
        ACCOUNTS_DATABASE_URL: 'postgres://keeper:hunter2@db/people',
        ACCOUNTS_SCRAM_ITERATIONS: '4096',
        SESSION_SECRET: `${secret} ${'y'.repeat(32)}`,
        SESSION_IDLE_TIMEOUT: '90m',
        SESSION_MAX_AGE: '24d',
        ACTIVITY: 'off',
        ACTIVITY_MONGODB_URI: 'mongodb://keeper:hunter2@store',
        WIRE_AUTH: 'accounts',
      },
    });
    const start = lines.indexOf('Accounts');
    expect(lines.slice(start, lines.indexOf('Listener postgres'))).toEqual([
      'Accounts',
      'database | postgres://keeper:***@db/people',
      'scram_iterations | 4096',
      'sessions | idle 90m, at most 24d',
      'session_secret | 2 given',
      'session_cookie | TLS only',
      '',
      'Activity, sessions and cache',
      'database | mongodb://keeper:***@store',
      'activity | off',
      'log | off',
      '',
    ]);
    expect(lines.filter((line) => line === 'auth | accounts')).toHaveLength(2);
    expect(lines.join()).not.toMatch(/hunter2|xxxx/);
  });

  test.each<[ConfigWorld['env'], string]>([
    [{}, 'none needed until there is an account'],
    [{ ACCOUNTS: 'off' }, 'none needed, on loopback only'],
    [{ HOST: '0.0.0.0', WIRE_AUTH: 'accounts' }, 'those of accounts'],
    [{ API_TRUST_PROXY: '1' }, 'those of accounts'],
  ])('shows who may ask where no token is configured: %j', (env, shown) => {
    expect(report({ env: env ?? {} })).toContain(`tokens | ${shown}`);
  });

  test('says that there are no accounts, and that nothing is kept', () => {
    const lines = report({ env: { ACCOUNTS: 'off' } });
    expect(lines).toEqual(
      expect.arrayContaining(['Accounts off', 'Activity off, no sessions and no cache']),
    );
  });
});
