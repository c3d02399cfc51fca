import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import type { AccountStore } from '../../src/accounts/account-store.ts';
import type { AccountAdministration } from '../../src/accounts.ts';
import { hashToken, isApiToken } from '../../src/api-tokens.ts';
import { createAccountsStage, failureOf, PASSWORD } from '../support/accounts-store-stage.ts';
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

/** Changes that were told since the last call. */
let told = 0;
function changes(): string[] {
  const all = stage.observations.slice(told);
  told = stage.observations.length;
  return all.flatMap((one) =>
    one.kind === 'account-changed' ? [`${one.actor}: ${one.name} ${one.change}`] : [],
  );
}

describe('A token of an account', () => {
  const TOKEN = { name: 'ci', scope: 'read', expiresAt: undefined } as const;

  test('is shown once, kept as a hash, listed by its beginning', async () => {
    const id = await stage.createAccount({ name: 'alice' });
    changes();
    const { token, shown } = await admin.createToken('Alice', TOKEN);
    expect(isApiToken(token)).toBe(true);
    expect(shown).toMatchObject({ ...TOKEN, prefix: token.slice(0, 8), lastUsedAt: undefined });
    expect(await admin.listTokens('alice')).toEqual([shown]);
    const [row] = await stage.query('SELECT t::text AS text, sha256 FROM gatepost.api_tokens t');
    expect(row?.['sha256']).toBe(hashToken(token));
    expect(JSON.stringify(row)).not.toContain(token);
    expect(await store.accounts.findToken(token)).toMatchObject({
      id: shown.id,
      name: 'ci',
      scope: 'read',
      account: { id },
    });
    expect(changes()).toEqual(['root: alice token ci created with scope read']);
    expect(JSON.stringify(stage.observations)).not.toContain(token);
  });

  test('opens no more than its account does, also where that is lowered later', async () => {
    await stage.createAccount({ name: 'alice', scope: 'write' });
    expect(await failureOf(admin.createToken('alice', { ...TOKEN, scope: 'admin' }))).toMatchObject(
      { sqlState: '22023' },
    );
    const { token } = await admin.createToken('alice', { ...TOKEN, scope: 'write' });
    expect(await store.accounts.findToken(token)).toMatchObject({ scope: 'write' });
    await admin.change('alice', { scope: 'read' });
    expect(await store.accounts.findToken(token)).toMatchObject({ scope: 'read' });
  });

  test('is nobody where it has expired, is revoked, or its account is disabled', async () => {
    await stage.createAccount({ name: 'alice' });
    const soon = new Date(Date.now() + 3_600_000);
    const { token, shown } = await admin.createToken('alice', { ...TOKEN, expiresAt: soon });
    expect(shown.expiresAt).toEqual(soon);
    expect(await store.accounts.findToken(token)).toBeDefined();
    await admin.change('alice', { isDisabled: true });
    expect(await store.accounts.findToken(token)).toBeUndefined();
    await admin.change('alice', { isDisabled: false });
    expect(await store.accounts.findToken(token)).toBeDefined();
    await stage.query(`UPDATE gatepost.api_tokens SET expires_at = now() - interval '1 s'`);
    await untilFact(
      async () => (await store.accounts.findToken(token)) === undefined,
      'the token to expire',
    );
    for (const other of ['', 'gp_', `${token}x`, 'a'.repeat(100_000)]) {
      expect(await store.accounts.findToken(other)).toBeUndefined();
    }
    const second = await admin.createToken('alice', TOKEN);
    changes();
    expect(await admin.revokeToken('alice', second.shown.id)).toBe(true);
    expect(await admin.revokeToken('alice', second.shown.id)).toBe(false);
    expect(await admin.revokeToken('alice', "' OR true --")).toBe(false);
    expect(await admin.revokeToken('alice', '\0')).toBe(false);
    expect(await store.accounts.findToken(second.token)).toBeUndefined();
    expect(changes()).toEqual(['root: alice token ci revoked']);
  });

  test("is not revoked by another account's name", async () => {
    await stage.createAccount({ name: 'alice' });
    await stage.createAccount({ name: 'bob' });
    const { token, shown } = await admin.createToken('alice', TOKEN);
    expect(await admin.revokeToken('bob', shown.id)).toBe(false);
    expect(await store.accounts.findToken(token)).toBeDefined();
  });

  test('is refused where it would have expired, or has no name', async () => {
    await stage.createAccount({ name: 'alice' });
    for (const token of [
      { ...TOKEN, expiresAt: new Date(Date.now() - 60_000) },
      { ...TOKEN, name: 'two words' },
    ]) {
      expect(await failureOf(admin.createToken('alice', token))).toMatchObject({
        sqlState: '22023',
      });
    }
    expect(await admin.listTokens('alice')).toEqual([]);
  });

  test('is noted when it was used last, and its account with it', async () => {
    await stage.createAccount({ name: 'alice' });
    const { token } = await admin.createToken('alice', TOKEN);
    await store.accounts.findToken(token);
    await untilFact(
      async () => (await admin.listTokens('alice'))[0]?.lastUsedAt !== undefined,
      'last use',
    );
    expect((await admin.list())[0]?.lastSeenAt).toBeDefined();
  });

  test('stays when the password is changed', async () => {
    await stage.createAccount({ name: 'alice' });
    const { token } = await admin.createToken('alice', TOKEN);
    await admin.setSecret('alice', { password: 'another one' });
    expect(await store.accounts.findToken(token)).toBeDefined();
  });
});

describe('Whether there is any account', () => {
  test('is seen as soon as there is one, and stays so', async () => {
    const fresh = await stage.open();
    expect(await fresh.accounts.hasAny()).toBe(false);
    await stage.createAccount({ name: 'alice' });
    await untilFact(async () => await fresh.accounts.hasAny(), 'an account');
    await stage.query('DELETE FROM gatepost.accounts');
    expect(await fresh.accounts.hasAny()).toBe(true);
  });

  test('is seen at once where this process makes it', async () => {
    const fresh = await stage.open();
    expect(await fresh.accounts.hasAny()).toBe(false);
    await fresh.administration('root').create({
      ...{ name: 'alice', secret: { password: PASSWORD }, scope: 'read' },
    });
    expect(await fresh.accounts.hasAny()).toBe(true);
  });
});

describe('What the store keeps to itself', () => {
  test('are the values that PostgreSQL quotes in its errors', async () => {
    await stage.createAccount({ name: 'alice' });
    await stage.query(`CREATE FUNCTION pg_temp_fail() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'row %', NEW USING DETAIL = NEW::text; END $$;
      CREATE TRIGGER fail BEFORE UPDATE ON gatepost.accounts
        FOR EACH ROW EXECUTE FUNCTION pg_temp_fail()`);
    const since = stage.observations.length;
    try {
      const error = await failureOf(admin.setSecret('alice', { password: 'top secret one' }));
      expect(error).toMatchObject({ name: 'ServiceError', sqlState: '08006' });
      expect(inspect(error, { depth: 9 })).not.toMatch(/SCRAM|top secret|alice/);
    } finally {
      await stage.query('DROP FUNCTION pg_temp_fail CASCADE');
    }
    expect(JSON.stringify(stage.observations.slice(since))).not.toMatch(/SCRAM|top secret/);
    expect(JSON.stringify(stage.observations.slice(since))).toContain('P0001');
    // And it goes on.
    await admin.setSecret('alice', { password: 'top secret one' });
  });
});
