import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { AccountStore } from '../../src/accounts/account-store.ts';
import type { AccountAdministration } from '../../src/accounts.ts';
import { createScramVerifier, isPasswordOf, parseScramVerifier } from '../../src/scram-verifier.ts';
import {
  createAccountsStage,
  failureOf,
  ITERATIONS,
  ORIGIN,
  PASSWORD,
} from '../support/accounts-store-stage.ts';
import type { AccountsStage } from '../support/accounts-store-stage.ts';

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

describe('An account', () => {
  test('is made with all that was said of it, and listed', async () => {
    changes();
    const created = await admin.create({
      name: 'Alice.B@shop',
      secret: { password: PASSWORD },
      scope: 'write',
      limits: { rowsMax: 10, bytesMax: 2 ** 40, queryTimeoutMs: 30_000, connectionsMax: 3 },
      backends: ['mongodb'],
      databases: ['shop', 'it\'s {odd}, "this" \\one'],
    });
    expect(created).toMatchObject({
      name: 'Alice.B@shop',
      scope: 'write',
      isDisabled: false,
      limits: { rowsMax: 10, bytesMax: 2 ** 40, queryTimeoutMs: 30_000, connectionsMax: 3 },
      backends: ['mongodb'],
      databases: ['shop', 'it\'s {odd}, "this" \\one'],
      revision: 1,
      secretRevision: 1,
      lastSeenAt: undefined,
    });
    expect(Math.abs(created.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
    expect(await admin.list()).toEqual([created]);
    expect(await store.accounts.find(created.id)).toMatchObject({ name: 'Alice.B@shop' });
    expect(changes()).toEqual(['root: Alice.B@shop created with scope write']);
  });

  test('is listed by name, whatever its capitals', async () => {
    for (const name of ['b', 'A', 'C', '0']) {
      await stage.createAccount({ name });
    }
    expect((await admin.list()).map(({ name }) => name)).toEqual(['0', 'A', 'b', 'C']);
  });

  test('is kept as a verifier of the configured rounds, and no more of the password', async () => {
    await stage.createAccount({ name: 'alice' });
    const [row] = await stage.query('SELECT verifier FROM gatepost.accounts');
    const verifier = parseScramVerifier(String(row?.['verifier']));
    expect(verifier?.iterations).toBe(ITERATIONS);
    expect(verifier && (await isPasswordOf(verifier, PASSWORD))).toBe(true);
    const dump = await stage.query('SELECT a::text FROM gatepost.accounts a');
    expect(JSON.stringify(dump)).not.toContain(PASSWORD);
    expect(JSON.stringify(stage.observations)).not.toMatch(/correct horse|SCRAM-SHA-256\$/);
  });

  test('is refused where there is one, also in other capitals, and at the same time', async () => {
    const outcomes = await Promise.allSettled(
      ['alice', 'ALICE', 'Alice'].map(async (name) => await stage.createAccount({ name })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const error = await failureOf(stage.createAccount({ name: 'aLiCe' }));
    expect(error).toMatchObject({ name: 'ServiceError', sqlState: '42710' });
    expect(String(error)).toContain('There is an account "aLiCe" already');
  });

  test('is disabled, enabled, narrowed and widened; each change is told and counts', async () => {
    await stage.createAccount({ name: 'alice', scope: 'read', limits: { rowsMax: 5 } });
    changes();
    expect(await admin.change('ALICE', { isDisabled: true })).toMatchObject({ revision: 2 });
    expect(
      await admin.change('alice', { isDisabled: false, scope: 'write', databases: ['shop'] }),
    ).toMatchObject({ revision: 3, scope: 'write', limits: { rowsMax: 5 } });
    // What is given as undefined is back at the door's.
    expect(
      await admin.change('alice', {
        limits: { rowsMax: undefined, bytesMax: 9 },
        databases: undefined,
      }),
    ).toMatchObject({ limits: { rowsMax: undefined, bytesMax: 9 }, databases: undefined });
    expect(await admin.change('alice', { backends: ['postgres'] })).toMatchObject({ revision: 5 });
    expect(changes()).toEqual([
      'root: alice disabled',
      'root: alice scope set to write, enabled, databases set to shop',
      'root: alice limits set, databases set to all',
      'root: alice backends set to postgres',
    ]);
  });

  test('is not changed by what it is already', async () => {
    await stage.createAccount({ name: 'alice', limits: { rowsMax: 5 } });
    changes();
    expect(
      await admin.change('alice', { isDisabled: false, limits: { rowsMax: 5 } }),
    ).toMatchObject({ revision: 1, secretRevision: 1 });
    expect(changes()).toEqual([]);
  });

  test('gets a new password, or the verifier of one', async () => {
    await stage.createAccount({ name: 'alice' });
    changes();
    expect(await admin.setSecret('alice', { password: 'another one' })).toMatchObject({
      revision: 2,
      secretRevision: 2,
    });
    await store.accounts.logIn('alice', 'another one', ORIGIN);
    const verifier = await createScramVerifier('imported', { salt: Buffer.alloc(32, 7) });
    expect(await admin.setSecret('alice', { verifier })).toMatchObject({ secretRevision: 3 });
    await store.accounts.logIn('alice', 'imported', ORIGIN);
    expect(changes()).toEqual(['root: alice password set', 'root: alice verifier set']);
  });

  test('is removed with its tokens, and another of its name is another', async () => {
    const id = await stage.createAccount({ name: 'alice' });
    const { token } = await admin.createToken('alice', {
      ...{ name: 'ci', scope: 'read', expiresAt: undefined },
    });
    expect(await store.accounts.findToken(token)).toMatchObject({ account: { id } });
    changes();
    await admin.remove('Alice');
    expect(changes()).toEqual(['root: alice deleted']);
    expect(await store.accounts.find(id)).toBeUndefined();
    expect(await store.accounts.findToken(token)).toBeUndefined();
    expect(await stage.query('SELECT 1 FROM gatepost.api_tokens')).toEqual([]);
    expect(await stage.createAccount({ name: 'alice' })).not.toBe(id);
  });

  test.each([
    ['change', async () => await admin.change('nobody', { isDisabled: true })],
    ['setSecret', async () => await admin.setSecret('nobody', { password: PASSWORD })],
    ['remove', async () => await admin.remove('no\0body')],
    ['listTokens', async () => await admin.listTokens('x'.repeat(5000))],
    ['revokeToken', async () => await admin.revokeToken('nobody', 'x')],
    [
      'createToken',
      async () =>
        await admin.createToken('nobody', { name: 'x', scope: 'read', expiresAt: undefined }),
    ],
  ])('that is not there is 42704 to %s', async (_name, ask) => {
    const error = await failureOf(ask());
    expect(error).toMatchObject({ name: 'ServiceError', sqlState: '42704' });
    expect(String(error).length).toBeLessThan(200);
  });

  test('is found by an id in any letters, and by nothing that is none', async () => {
    const id = await stage.createAccount({ name: 'alice' });
    expect(await store.accounts.find(id.toUpperCase())).toMatchObject({ name: 'alice' });
    for (const other of ['', 'alice', `${id}0`, "' OR true --", '\0']) {
      expect(await store.accounts.find(other)).toBeUndefined();
    }
  });
});

describe('The last administrator', () => {
  test.each([
    ['disabled', async () => await admin.change('root', { isDisabled: true })],
    ['lowered', async () => await admin.change('root', { scope: 'write' })],
    ['removed', async () => await admin.remove('root')],
  ])('is not %s', async (_name, ask) => {
    await stage.createAccount({ name: 'root', scope: 'admin' });
    // Neither of these could manage accounts.
    await stage.createAccount({ name: 'writer', scope: 'write' });
    await stage.createAccount({ name: 'former', scope: 'admin' });
    await admin.change('former', { isDisabled: true });
    const error = await failureOf(ask());
    expect(error).toMatchObject({ name: 'ServiceError', sqlState: '55006' });
    expect(await admin.change('root', { limits: { rowsMax: 1 } })).toMatchObject({
      scope: 'admin',
    });
    await stage.createAccount({ name: 'second', scope: 'admin' });
    await ask();
  });

  test('is left when two processes remove the last two at once, whichever way', async () => {
    const other = (await stage.open()).administration('other');
    const ways = [
      async (who: AccountAdministration, name: string) => {
        await who.remove(name);
      },
      async (who: AccountAdministration, name: string) => {
        await who.change(name, { isDisabled: true });
      },
      async (who: AccountAdministration, name: string) => {
        await who.change(name, { scope: 'read' });
      },
    ];
    for (let round = 0; round < 12; round += 1) {
      await stage.query('DELETE FROM gatepost.accounts');
      await stage.createAccount({ name: 'one', scope: 'admin' });
      await stage.createAccount({ name: 'two', scope: 'admin' });
      // Both have a connection, so that neither is first because the other has to connect.
      await Promise.all([admin.list(), other.list()]);
      const outcomes = await Promise.allSettled([
        ways[round % 3]?.(admin, 'one'),
        ways[(round + (round >> 2)) % 3]?.(other, 'two'),
      ]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const refused = outcomes.find((outcome) => outcome.status === 'rejected');
      expect(refused?.reason).toMatchObject({ sqlState: '55006' });
    }
  });
});
