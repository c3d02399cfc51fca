import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AccountStore } from '../../src/accounts/account-store.ts';
import { AccountsDatabase } from '../../src/accounts/accounts-database.ts';
import { ServiceError } from '../../src/errors.ts';
import {
  createAccountsStage,
  failureOf,
  ORIGIN,
  PASSWORD,
} from '../support/accounts-store-stage.ts';
import type { AccountsStage } from '../support/accounts-store-stage.ts';
import { untilFact, untilFound } from '../support/facts.ts';

let stage: AccountsStage;
let store: AccountStore;

beforeEach(async () => {
  stage = await createAccountsStage();
  store = await stage.open();
});

afterEach(async () => {
  await stage.remove();
});

/** What the operator is told of the accounts as a whole. */
function reports(): string[] {
  return stage.observations
    .flatMap((one) => (one.kind === 'component-reported' ? [one.message] : []))
    .filter((message) => message.startsWith('Accounts c'));
}

/** SQLSTATE of a login; undefined where it succeeds. */
async function loginState(address: string): Promise<string | undefined> {
  try {
    await store.accounts.logIn('alice', PASSWORD, { ...ORIGIN, address });
    return undefined;
  } catch (error) {
    return error instanceof ServiceError ? error.sqlState : String(error);
  }
}

async function createAlice(): Promise<string> {
  const { id } = await store.administration('root').create({
    ...{ name: 'alice', secret: { password: PASSWORD }, scope: 'admin' },
  });
  return id;
}

describe('A schema of the accounts', () => {
  test('that is dropped is made again without a restart, and told once', async () => {
    const account = await store.accounts.find(await createAlice());
    const reasons: ServiceError[] = [];
    if (account !== undefined) {
      store.accounts.enter(account, (reason) => reasons.push(reason));
    }
    expect(await store.accounts.hasAny()).toBe(true);
    await stage.query('DROP SCHEMA gatepost CASCADE');
    await untilFact(async () => (await loginState('192.0.2.2')) === '28P01', 'accounts, none left');
    await untilFound(() => reasons[0], 'the end of the session');
    // Nobody is served without saying who he is, for all that.
    expect(await store.accounts.hasAny()).toBe(true);
    await createAlice();
    expect(await loginState('192.0.2.3')).toBeUndefined();
    expect(reports()).toEqual([
      'Accounts cannot be read: PostgreSQL answered 42P01; they are tried again',
      'Accounts can be read again',
    ]);
  });

  test('that lacks a table is tried again until it is mended, and told once', async () => {
    await createAlice();
    await stage.query('ALTER TABLE gatepost.accounts RENAME TO elsewhere');
    expect(await loginState('192.0.2.2')).toBe('08006');
    // Attempts come and go meanwhile, each by a connection of its own.
    const seen = new Set<unknown>();
    await untilFact(async () => {
      expect(await loginState('192.0.2.2')).toBe('08006');
      const rows = await stage.query(`SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'gatepost/accounts'`);
      rows.forEach(({ pid }) => seen.add(pid));
      return seen.size >= 2;
    }, 'two attempts');
    expect(reports()).toHaveLength(1);
    await stage.query('ALTER TABLE gatepost.elsewhere RENAME TO accounts');
    await untilFact(async () => (await loginState('192.0.2.3')) === undefined, 'a login');
    expect(reports()).toEqual([
      'Accounts cannot be read: PostgreSQL answered 42P01; they are tried again',
      'Accounts can be read again',
    ]);
  });
});

test('What fails late on connections given up does not give up the new ones', async () => {
  const told: string[] = [];
  const database = new AccountsDatabase({
    databaseUrl: () => stage.url,
    ownsDatabase: false,
    report: (message) => told.push(message),
  });
  try {
    await database.open(new AbortController().signal);
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const late = failureOf(
      database.write(async () => {
        await released;
        throw new Error('Connection terminated');
      }),
    );
    await failureOf(
      database.write(() => {
        throw new Error('Connection terminated');
      }),
    );
    await untilFact(
      async () =>
        await database.read('SELECT 1').then(
          () => true,
          () => false,
        ),
      'new connections',
    );
    release();
    expect(await late).toMatchObject({ sqlState: '08006' });
    expect(await database.read('SELECT 1')).toHaveLength(1);
    expect(told).toEqual([
      'Accounts cannot be read: Connection terminated; they are tried again',
      'Accounts can be read again',
    ]);
  } finally {
    await database.close();
  }
});
