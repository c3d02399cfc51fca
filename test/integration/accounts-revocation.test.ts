import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { performance } from 'node:perf_hooks';
import type { AccountStore } from '../../src/accounts/account-store.ts';
import type { Account } from '../../src/account.ts';
import type { AccountAdministration } from '../../src/accounts.ts';
import { ServiceError } from '../../src/errors.ts';
import {
  createAccountsStage,
  failureOf,
  ORIGIN,
  PASSWORD,
} from '../support/accounts-store-stage.ts';
import type { AccountsStage } from '../support/accounts-store-stage.ts';
import { untilFact, untilFound } from '../support/facts.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';

/** What the README promises. A busy machine gets 3 s more. */
const REVOKED_WITHIN_MS = 5000 + 3000;

let stage: AccountsStage;
/** Where changes are made. */
let admin: AccountAdministration;
/** Another process, whose way to the database a test may cut. */
let other: AccountStore;
let proxy: TcpProxy;

beforeEach(async () => {
  stage = await createAccountsStage();
  admin = await stage.administer();
  proxy = await startTcpProxy(stage.url);
  other = await stage.open({ databaseUrl: () => proxy.url });
});

afterEach(async () => {
  await stage.stopStores();
  await proxy.stop();
  await stage.remove();
});

/** A session of an account in the other process. */
async function enter(id: string): Promise<{ readonly account: Account; reasons: ServiceError[] }> {
  const account = await other.accounts.find(id);
  if (account === undefined) {
    throw new Error('The account is not there');
  }
  const reasons: ServiceError[] = [];
  other.accounts.enter(account, (reason) => reasons.push(reason));
  return { account, reasons };
}

function reports(): string[] {
  return stage.observations.flatMap((one) =>
    one.kind === 'component-reported' ? [one.message] : [],
  );
}

describe('A session in another process', () => {
  test.each([
    ['disabled', async () => await admin.change('alice', { isDisabled: true })],
    ['deleted', async () => await admin.remove('alice')],
    ['changed', async () => await admin.change('alice', { limits: { rowsMax: 1 } })],
    ['changed', async () => await admin.setSecret('alice', { password: 'another one' })],
  ])('ends when its account is %s', async (word, change) => {
    const alice = await enter(await stage.createAccount({ name: 'alice' }));
    const bob = await enter(await stage.createAccount({ name: 'bob' }));
    const startedAtMs = performance.now();
    await change();
    const reason = await untilFound(() => alice.reasons[0], 'the end of the session');
    expect(performance.now() - startedAtMs).toBeLessThan(REVOKED_WITHIN_MS);
    expect(reason).toMatchObject({
      sqlState: '57P01',
      severity: 'FATAL',
      message: `terminating connection: the account was ${word}`,
    });
    // Told once, and nobody else is.
    await untilPolled();
    expect(alice.reasons).toHaveLength(1);
    expect(bob.reasons).toEqual([]);
  });

  test('goes on when its account is only seen, or its tokens change', async () => {
    const alice = await enter(await stage.createAccount({ name: 'alice' }));
    const made = await admin.createToken('alice', {
      ...{ name: 'ci', scope: 'read', expiresAt: undefined },
    });
    await other.accounts.findToken(made.token);
    await admin.revokeToken('alice', made.shown.id);
    await other.accounts.logIn('alice', PASSWORD, ORIGIN);
    await untilFact(async () => (await admin.list())[0]?.lastSeenAt !== undefined, 'last seen');
    await untilPolled();
    expect(alice.reasons).toEqual([]);
  });

  test('ends where everything is thrown away and restored from before', async () => {
    const id = await stage.createAccount({ name: 'alice' });
    await admin.change('alice', { limits: { rowsMax: 1 } });
    const alice = await enter(id);
    await stage.query('UPDATE gatepost.accounts SET revision = 1');
    expect(await untilFound(() => alice.reasons[0], 'the end')).toMatchObject({
      message: 'terminating connection: the account was changed',
    });
  });
});

describe('A row that this Gatepost cannot read', () => {
  test('ends its own sessions and logins, and those of nobody else', async () => {
    const alice = await enter(await stage.createAccount({ name: 'alice', scope: 'admin' }));
    const bob = await enter(await stage.createAccount({ name: 'bob' }));
    const made = await admin.createToken('alice', {
      ...{ name: 'ci', scope: 'read', expiresAt: undefined },
    });
    await stage.query(`UPDATE gatepost.accounts SET backends = '{mysql}' WHERE name = 'alice'`);
    expect(await untilFound(() => alice.reasons[0], 'the end of the session')).toMatchObject({
      sqlState: '57P01',
      message: 'terminating connection: the account was changed',
    });
    const unknown = await failureOf(other.accounts.logIn('nobody', PASSWORD, ORIGIN));
    const unreadable = await failureOf(other.accounts.logIn('alice', PASSWORD, ORIGIN));
    expect(String(unreadable)).toBe(String(unknown).replace('nobody', 'alice'));
    expect(await other.accounts.findToken(made.token)).toBeUndefined();
    expect(await other.accounts.find(alice.account.id)).toBeUndefined();
    // Everybody else goes on, and is looked at.
    await other.accounts.logIn('bob', PASSWORD, ORIGIN);
    await untilPolled();
    expect(bob.reasons).toEqual([]);
    await admin.change('bob', { isDisabled: true });
    await untilFound(() => bob.reasons[0], 'the end of the other session');
    expect(reports().filter((report) => report.includes('cannot be read'))).toHaveLength(1);
    expect(reports().join()).toContain('Account "alice" cannot be read');
    expect(reports().join()).not.toContain('mysql');
  });

  test('is shown as such, changed by nobody, and may be removed', async () => {
    await stage.createAccount({ name: 'alice', scope: 'admin' });
    await stage.createAccount({ name: 'bob' });
    await stage.query(`UPDATE gatepost.accounts SET backends = '{mysql}' WHERE name = 'alice'`);
    const shown = await admin.list();
    expect(shown).toMatchObject([
      { name: 'alice', scope: 'read', isDisabled: true, isUnreadable: true },
      { name: 'bob', scope: 'write' },
    ]);
    expect(shown[1]).not.toHaveProperty('isUnreadable');
    expect(await failureOf(admin.change('alice', { scope: 'read' }))).toMatchObject({
      sqlState: '55000',
      message: expect.stringContaining('does not understand backends'),
    });
    expect(await admin.change('bob', { scope: 'read' })).toMatchObject({ scope: 'read' });
    await admin.remove('alice');
    expect(await admin.list()).toMatchObject([{ name: 'bob' }]);
    expect(reports().filter((report) => report.includes('tried again'))).toEqual([]);
  });
});

describe('A database that is cut away', () => {
  test('lets nobody in, and whoever is in stays in; it is used again when it is back', async () => {
    const id = await stage.createAccount({ name: 'alice' });
    const alice = await enter(id);
    proxy.cut();
    await untilFact(
      async () => (await errorOf(other.accounts.beginLogin('alice', ORIGIN)))?.sqlState === '08006',
      'the accounts to be away',
    );
    // For a moment old knowledge is good enough for requests, and then no longer.
    await untilFact(
      async () => (await errorOf(other.accounts.find(id)))?.sqlState === '08006',
      'the account to be too old',
    );
    expect(await failureOf(other.accounts.findToken(`gp_${'a'.repeat(43)}`))).toMatchObject({
      name: 'ServiceError',
      sqlState: '08006',
      message: 'Accounts cannot be read',
    });
    expect(await failureOf(other.administration('x').list())).toMatchObject({ sqlState: '08006' });
    // The keys are known, so that cookies can still be told.
    expect(await other.sessionSecrets()).toHaveLength(1);
    expect(alice.reasons).toEqual([]);
    const errors = stage.observations.flatMap((one) => (one.kind === 'fault' ? [one] : []));
    expect(errors).toEqual([]);

    await admin.change('alice', { isDisabled: true });
    proxy.mend();
    const startedAtMs = performance.now();
    await untilFact(() => alice.reasons.length > 0, 'the end of the session');
    expect(performance.now() - startedAtMs).toBeLessThan(REVOKED_WITHIN_MS);
    expect(await other.accounts.find(id)).toMatchObject({ isDisabled: true });
    expect(reports().filter((report) => report.startsWith('Accounts cannot'))).toHaveLength(1);
    expect(reports().at(-1)).toBe('Accounts can be read again');
  });

  test('is answered for in a bounded time where it only says nothing any more', async () => {
    await stage.createAccount({ name: 'alice' });
    await other.accounts.logIn('alice', PASSWORD, ORIGIN);
    proxy.freeze();
    const startedAtMs = performance.now();
    const errors = await Promise.all(
      Array.from({ length: 50 }, async () => await errorOf(other.accounts.beginLogin('a', ORIGIN))),
    );
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
    expect(new Set(errors.map((error) => error?.sqlState))).toEqual(new Set(['08006']));
    const againAtMs = performance.now();
    await failureOf(other.accounts.beginLogin('alice', ORIGIN));
    expect(performance.now() - againAtMs).toBeLessThan(2000);
    proxy.mend();
    await untilFact(
      async () => (await errorOf(other.accounts.logIn('alice', PASSWORD, ORIGIN))) === undefined,
      'a login',
    );
  });

  test('is not noticed by anybody where only idle connections break', async () => {
    await stage.createAccount({ name: 'alice' });
    for (let round = 0; round < 5; round += 1) {
      await other.accounts.logIn('alice', PASSWORD, ORIGIN);
      await stage.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'gatepost/accounts'`);
    }
    await other.accounts.logIn('alice', PASSWORD, ORIGIN);
    expect(reports().filter((report) => report.startsWith('Accounts cannot'))).toEqual([]);
  });

  test('does not keep a process from starting, nor from stopping', async () => {
    await stage.createAccount({ name: 'alice' });
    proxy.cut();
    const late = await stage.open({ databaseUrl: () => proxy.url });
    expect(await failureOf(late.accounts.hasAny())).toMatchObject({ sqlState: '08006' });
    expect(await failureOf(late.sessionSecrets())).toMatchObject({ sqlState: '08006' });
    expect(reports().at(-1)).toMatch(/^Accounts cannot be read: .*; they are tried again$/);
    const stopped = await stage.open({ databaseUrl: () => proxy.url });
    await stopped.stop(AbortSignal.timeout(1000));
    proxy.mend();
    await untilFact(
      async () => (await errorOf(late.accounts.logIn('alice', PASSWORD, ORIGIN))) === undefined,
      'a login',
    );
    const connections = proxy.connections;
    expect(await failureOf(stopped.accounts.hasAny())).toMatchObject({ sqlState: '08006' });
    expect(proxy.connections).toBe(connections);
  });

  test('says what keeps it from being used, where it comes back in another state', async () => {
    proxy.cut();
    const late = await stage.open({ databaseUrl: () => proxy.url });
    await stage.query(`INSERT INTO gatepost.migrations (name, run_on) VALUES ('9001-x', now())`);
    proxy.mend();
    await untilFact(
      () => reports().some((report) => report.startsWith('Schema gatepost is at 9001')),
      'a report',
    );
    expect(await failureOf(late.accounts.hasAny())).toMatchObject({ sqlState: '08006' });
  });
});

async function errorOf(promise: Promise<unknown>): Promise<ServiceError | undefined> {
  const [outcome] = await Promise.allSettled([promise]);
  const reason: unknown = outcome.status === 'rejected' ? outcome.reason : undefined;
  return reason instanceof ServiceError ? reason : undefined;
}

/** Resolves when the accounts that are present have been asked for at least once more. */
async function untilPolled(): Promise<void> {
  const account = await other.accounts.find(await stage.createAccount({ name: 'sentinel' }));
  const reasons: ServiceError[] = [];
  const presence = account && other.accounts.enter(account, (reason) => reasons.push(reason));
  await admin.remove('sentinel');
  await untilFact(() => reasons.length > 0, 'a look at the accounts that are present');
  presence?.leave();
}
