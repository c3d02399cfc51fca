import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { AccountStore } from '../../src/accounts/account-store.ts';
import type { AccountAdministration } from '../../src/accounts.ts';
import { ServiceError } from '../../src/errors.ts';
import {
  createAccountsStage,
  failureOf,
  ITERATIONS,
  ORIGIN,
  PASSWORD,
} from '../support/accounts-store-stage.ts';
import type { AccountsStage } from '../support/accounts-store-stage.ts';
import { untilFact } from '../support/facts.ts';

let stage: AccountsStage;
let store: AccountStore;
let admin: AccountAdministration;

beforeAll(async () => {
  stage = await createAccountsStage();
  store = await stage.open();
  admin = store.administration('root');
});

afterEach(async () => {
  await stage.query('DELETE FROM gatepost.accounts');
});

afterAll(async () => {
  await stage.remove();
});

function logins(since: number): (readonly [name: string, outcome: string])[] {
  return stage.observations
    .slice(since)
    .flatMap((one) => (one.kind === 'login-finished' ? [[one.name, one.outcome] as const] : []));
}

describe('A login', () => {
  test('succeeds with the password, in whatever capitals the name is given', async () => {
    const id = await stage.createAccount({ name: 'Alice' });
    const since = stage.observations.length;
    expect(await store.accounts.logIn('aLICE', PASSWORD, ORIGIN)).toMatchObject({ id });
    expect(logins(since)).toEqual([['aLICE', 'ok']]);
    expect(stage.observations.at(-1)).toMatchObject({ owner: `account:${id}` });
  });

  test('says the same of a wrong password and of a name that is not there', async () => {
    await stage.createAccount({ name: 'alice' });
    const since = stage.observations.length;
    const wrong = await failureOf(store.accounts.logIn('alice', 'wrong', ORIGIN));
    const unknown = await failureOf(store.accounts.logIn('nobody', PASSWORD, ORIGIN));
    const impossible = await failureOf(store.accounts.logIn('no\0 body', PASSWORD, ORIGIN));
    expect(wrong).toMatchObject({
      sqlState: '28P01',
      severity: 'FATAL',
      message: 'password authentication failed for user "alice"',
      hint: undefined,
    });
    for (const [error, name] of [
      [unknown, 'nobody'],
      [impossible, 'no\0 body'],
    ] as const) {
      expect(String(error).replace(name, 'alice')).toBe(String(wrong));
    }
    expect(logins(since).map(([, outcome]) => outcome)).toEqual(['refused', 'refused', 'refused']);
  });

  test('costs as much for a name that is not there', async () => {
    // As many rounds as are enough to be measured.
    const slow = await stage.open({ scramIterations: 200_000 });
    await slow.administration('root').create({
      ...{ name: 'alice', secret: { password: PASSWORD }, scope: 'read' },
    });
    // The work of all threads: what else the machine does is no part of it.
    const workOf = async (name: string): Promise<number> => {
      const before = process.cpuUsage();
      await failureOf(slow.accounts.logIn(name, 'wrong', { ...ORIGIN, address: `to ${name}` }));
      return process.cpuUsage(before).user;
    };
    await workOf('alice');
    const known = Math.min(await workOf('alice'), await workOf('alice'));
    const unknown = Math.min(await workOf('nobody'), await workOf('nobody'));
    expect(unknown / known).toBeGreaterThan(0.5);
    expect(unknown / known).toBeLessThan(2);
  });

  test('is asked to prove itself against the same salt each time, at every replica', async () => {
    const other = await stage.open();
    const saltOf = async (where: AccountStore, name: string): Promise<string> => {
      const attempt = await where.accounts.beginLogin(name, ORIGIN);
      attempt.abandon();
      expect(attempt.verifier.iterations).toBe(ITERATIONS);
      expect(attempt.verifier.salt).toHaveLength(16);
      return attempt.verifier.salt.toString('hex');
    };
    const salt = await saltOf(store, 'nobody');
    expect(await saltOf(store, 'NOBODY')).toBe(salt);
    expect(await saltOf(other, 'nobody')).toBe(salt);
    expect(await saltOf(store, 'nobody2')).not.toBe(salt);
  });

  test('of a name that is not there fails, whatever the door says of the proof', async () => {
    const attempt = await store.accounts.beginLogin('nobody', ORIGIN);
    expect(() => attempt.finish(true)).toThrow(/password authentication failed/);
  });

  test('of a disabled account fails, and says so only to whoever knows the password', async () => {
    await stage.createAccount({ name: 'alice' });
    await admin.change('alice', { isDisabled: true });
    const since = stage.observations.length;
    expect(await failureOf(store.accounts.logIn('alice', PASSWORD, ORIGIN))).toMatchObject({
      sqlState: '28000',
      severity: 'FATAL',
      message: 'account "alice" is disabled',
    });
    expect(await failureOf(store.accounts.logIn('alice', 'wrong', ORIGIN))).toMatchObject({
      sqlState: '28P01',
    });
    expect(logins(since).map(([, outcome]) => outcome)).toEqual(['disabled', 'refused']);
  });

  test('by a password that is changed is refused at once, in every process', async () => {
    await stage.createAccount({ name: 'alice' });
    const other = await stage.open();
    await other.accounts.logIn('alice', PASSWORD, ORIGIN);
    await admin.setSecret('alice', { password: 'another one' });
    expect(await failureOf(other.accounts.logIn('alice', PASSWORD, ORIGIN))).toMatchObject({
      sqlState: '28P01',
    });
    await other.accounts.logIn('alice', 'another one', ORIGIN);
  });

  test('lets nobody in by a verifier that somebody has broken', async () => {
    await stage.createAccount({ name: 'alice' });
    await stage.createAccount({ name: 'bob' });
    await stage.query(
      `UPDATE gatepost.accounts SET verifier = 'SCRAM-SHA-256$x' WHERE name = 'alice'`,
    );
    const outcomes = await Promise.allSettled([
      store.accounts.logIn('alice', PASSWORD, ORIGIN),
      store.accounts.logIn('bob', PASSWORD, ORIGIN),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  test('is noted as last seen, once a minute at most, and never waited for', async () => {
    const id = await stage.createAccount({ name: 'alice' });
    await store.accounts.logIn('alice', PASSWORD, ORIGIN);
    await untilFact(async () => (await admin.list())[0]?.lastSeenAt !== undefined, 'last seen');
    const [before] = await admin.list();
    await store.accounts.logIn('alice', PASSWORD, ORIGIN);
    await store.accounts.find(id);
    // Noted by another process, which has not noted it yet.
    const other = await stage.open();
    await other.accounts.logIn('alice', PASSWORD, ORIGIN);
    await other.stop(new AbortController().signal);
    const [after] = await admin.list();
    expect(after?.lastSeenAt?.getTime()).toBeGreaterThan(before?.lastSeenAt?.getTime() ?? Infinity);
    // Being seen is no change.
    expect(after?.revision).toBe(1);
  });
});

describe('A storm of logins', () => {
  test('of wrong passwords from one address is throttled, and holds up nothing else', async () => {
    // As many rounds as are usual.
    const target = await stage.open({ scramIterations: 65_536 });
    await target.administration('root').create({
      ...{ name: 'alice', secret: { password: PASSWORD }, scope: 'read' },
    });
    // From where she has logged in before, nobody else's failures keep her out.
    const home = { door: 'http', address: '203.0.113.1' };
    await target.accounts.logIn('alice', PASSWORD, home);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const since = stage.observations.length;
    const attempts = Array.from({ length: 1000 }, async (_, index) => {
      const name = index % 2 === 0 ? 'alice' : `nobody${index}`;
      const error = await failureOf(
        target.accounts.logIn(name, `wrong ${index}`, { door: 'http', address: '198.51.100.7' }),
      );
      return error instanceof ServiceError ? error.sqlState : String(error);
    });
    await target.accounts.logIn('alice', PASSWORD, home);
    const states = await Promise.all(attempts);
    delay.disable();
    const refused = states.filter((state) => state === '28P01');
    expect(new Set(states)).toEqual(new Set(['28P01', '53300']));
    // Those that were computed when the budget ran out, and no more.
    expect(refused.length).toBeLessThanOrEqual(40);
    expect(delay.percentile(99) / 1e6).toBeLessThan(1000);
    const error = await failureOf(
      target.accounts.beginLogin('bob', { door: 'wire', address: '198.51.100.7' }),
    );
    expect(error).toMatchObject({ sqlState: '53300', severity: 'FATAL' });
    expect(error).toMatchObject({ hint: expect.stringMatching(/^Try again in \d+ s$/) });
    // One record tells of the rest, when its time is over or the process stops.
    await target.stop(new AbortController().signal);
    const throttled = stage.observations
      .slice(since)
      .filter((one) => one.kind === 'login-finished' && one.outcome === 'throttled');
    expect(throttled.length).toBeLessThan(10);
    const count = throttled.map((one) => ('repeated' in one ? (one.repeated ?? 1) : 1));
    expect(count.reduce((sum, one) => sum + one, 0)).toBe(1001 - refused.length);
  });

  test('of right ones all get in, two hundred at once', async () => {
    await stage.createAccount({ name: 'alice' });
    const target = await stage.open();
    const attempts = await Promise.all(
      Array.from({ length: 200 }, async () => await target.accounts.beginLogin('alice', ORIGIN)),
    );
    expect(attempts.map((attempt) => attempt.finish(true).name)).toEqual(
      Array.from({ length: 200 }, () => 'alice'),
    );
  });
});
