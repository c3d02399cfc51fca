// What an account may do in its session, how many it may have, and how it loses them.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Observation } from '../../src/observation.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { gatepostSessions, runningStatements, untilFact, untilTrue } from '../support/facts.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import { createMemoryAccounts } from '../support/memory-accounts.ts';
import type { MemoryAccounts } from '../support/memory-accounts.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  firstReport,
  frontendFrame,
  queryFrame,
  typesOf,
  valueOf,
} from '../support/wire-client.ts';
import type { WireClient } from '../support/wire-client.ts';
import { beginLogin, logIn, prepareProof } from '../support/wire-login.ts';

const PASSWORD = 'correct horse';

const CONNECTIONS_MAX = 4;

/** How soon a revoked account has lost its sessions. A busy machine gets 3 s more. */
const REVOKED_WITHIN_MS = 5000 + 3000;

let database: TestDatabase;
let accounts: MemoryAccounts;
let gate: Gate;
const clients: WireClient[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await runDirectly(database.url, 'create table canary (id int); insert into canary values (1)');
  accounts = await createMemoryAccounts([
    { name: 'alice', password: PASSWORD, scope: 'write' },
    { name: 'reader', password: PASSWORD, scope: 'read' },
    { name: 'disabled', password: PASSWORD, isDisabled: true },
    { name: 'mongo-only', password: PASSWORD, backends: ['mongodb'] },
    { name: 'elsewhere', password: PASSWORD, databases: ['some_other'] },
    { name: 'narrow', password: PASSWORD, limits: { rowsMax: 3 } },
    { name: 'lonely', password: PASSWORD, limits: { connectionsMax: 1 } },
    { name: 'leaving', password: PASSWORD },
  ]);
  gate = await startGate({ dsn: database.url, accounts, connectionsMax: CONNECTIONS_MAX });
});

afterEach(async () => {
  for (const client of clients.splice(0)) {
    client.destroy();
  }
  await untilTrue(database.url, gatepostSessions(0));
});

afterAll(async () => {
  await gate.stop();
  await database.drop();
});

function rejections(): Extract<Observation, { kind: 'connection-rejected' }>[] {
  return gate.observations.filter((one) => one.kind === 'connection-rejected');
}

async function openSession(
  user: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<WireClient> {
  const { client, frames } = await logIn(gate.port, { user, password: PASSWORD }, parameters);
  clients.push(client);
  expect(typesOf(frames)).toMatch(/^RRS+KN*Z$/);
  return client;
}

describe('An account that may not come in', () => {
  it.each([
    ['disabled', 'account "disabled" is disabled', 'disabled'],
    ['mongo-only', 'account "mongo-only" is not allowed to use postgres', 'not-allowed'],
    ['elsewhere', /^account "elsewhere" is not allowed to use database "gate/, 'not-allowed'],
  ])('hears why, once it has proved who it is: %s', async (user, message, outcome) => {
    const parameters = { database: database.name };
    const { client, frames } = await logIn(gate.port, { user, password: PASSWORD }, parameters);
    expect(firstReport(frames)).toMatchObject({ S: 'FATAL', C: '28000' });
    expect(firstReport(frames)['M']).toMatch(message);
    expect(await client.closed()).toHaveLength(0);
    expect(accounts.presenceCount(user)).toBe(0);
    const account = `28000 account "${user}"`;
    await untilFact(() => rejections().some(({ detail }) => detail.startsWith(account)), account);
    // One try has one outcome, and the door adds none of its own.
    const logins = accounts.logins.filter(({ name }) => name === user);
    expect(logins).toEqual([{ name: user, door: 'test', address: '127.0.0.1', outcome }]);
    expect(gate.observations.filter(({ kind }) => kind === 'login-finished')).toEqual([]);
    await untilTrue(
      database.url,
      `not exists (select from pg_stat_activity where application_name like '%${user}%')`,
    );
  });

  it('hears nothing of it with a wrong password', async () => {
    const { frames } = await logIn(gate.port, { user: 'mongo-only', password: 'wrong' });
    expect(firstReport(frames)).toMatchObject({ C: '28P01' });
  });

  it('does not come into the database of the others by naming none', async () => {
    const { frames } = await logIn(gate.port, { user: 'elsewhere', password: PASSWORD });
    expect(firstReport(frames)).toMatchObject({
      S: 'FATAL',
      C: '3D000',
      M: 'database "some_other" does not exist',
    });
  });
});

describe('The session of an account', () => {
  it('carries its name to the upstream', async () => {
    const client = await openSession('alice');
    expect(valueOf(await client.query('show application_name'))).toMatch(/^gatepost\/alice/);
  });

  it('has its narrower limits, which its client may narrow further and not widen', async () => {
    const client = await openSession('narrow');
    const many = 'select generate_series(1, 10)';
    expect(firstReport(await client.query(many))).toMatchObject({ C: '54000' });
    const narrowed = await logIn(
      gate.port,
      { user: 'narrow', password: PASSWORD },
      { options: '-c gatepost.max_rows=2' },
    );
    clients.push(narrowed.client);
    const three = await narrowed.client.query('select generate_series(1, 3)');
    expect(firstReport(three)).toMatchObject({ C: '54000' });
    const widened = await logIn(
      gate.port,
      { user: 'narrow', password: PASSWORD },
      { options: '-c gatepost.max_rows=9' },
    );
    clients.push(widened.client);
    expect(firstReport(widened.frames, 'N')['M']).toContain('can only be lowered');
    expect(firstReport(await widened.client.query(many))).toMatchObject({ C: '54000' });
  });

  it('writes where its scope is write', async () => {
    const client = await openSession('alice');
    expect(typesOf(await client.query('begin; delete from canary; rollback'))).toBe('CCCZ');
    const shown = await client.query('show default_transaction_read_only');
    expect(valueOf(shown)).toBe('off');
  });

  it('is read-only where its scope is read, by the policy and by the upstream', async () => {
    const client = await openSession('reader');
    expect(valueOf(await client.query('show default_transaction_read_only'))).toBe('on');
    expect(typesOf(await client.query('select * from canary'))).toBe('TDCZ');
    for (const statement of [
      'delete from canary',
      'insert into canary values (2)',
      'create table more ()',
      'set default_transaction_read_only = off',
      'begin read write',
      `select set_config('default_transaction_read_only', 'off', false)`,
      'with gone as (delete from canary returning *) select * from gone',
    ]) {
      expect(firstReport(await client.query(statement))['C']).toMatch(/^(25006|42501)$/);
    }
    await untilTrue(database.url, `(select array_agg(id) from canary) = array[1]`);
  });

  it('stays read-only when its client asks for more in its startup packet', async () => {
    const { client, frames } = await logIn(
      gate.port,
      { user: 'reader', password: PASSWORD },
      { options: '-c default_transaction_read_only=off', default_transaction_read_only: 'off' },
    );
    clients.push(client);
    expect(typesOf(frames)).toMatch(/^RRS+KZ$/);
    expect(valueOf(await client.query('show default_transaction_read_only'))).toBe('on');
  });

  it('is present while it lasts', async () => {
    const client = await openSession('lonely');
    expect(accounts.presenceCount('lonely')).toBe(1);
    client.send(frontendFrame('X', ''));
    await client.closed();
    expect(accounts.presenceCount('lonely')).toBe(0);
  });

  it('leaves room for another one of its account where the account has a limit', async () => {
    const client = await openSession('lonely');
    const { client: refused, frames } = await logIn(gate.port, {
      user: 'lonely',
      password: PASSWORD,
    });
    expect(firstReport(frames)).toMatchObject({ S: 'FATAL', C: '53300' });
    await refused.closed();
    client.destroy();
    await untilFact(() => accounts.presenceCount('lonely') === 0, 'the session to be over');
    await openSession('lonely');
  });

  it.each(['alice', 'lonely'])('is left when its upstream refuses it: %s', async (user) => {
    const parameters = { database: 'no_such_database' };
    const { client, frames } = await logIn(gate.port, { user, password: PASSWORD }, parameters);
    expect(firstReport(frames)).toMatchObject({ S: 'FATAL', C: '3D000' });
    await client.closed();
    expect(accounts.presenceCount(user)).toBe(0);
  });
});

describe('A place of the listener', () => {
  it('is taken by who has proved to be somebody, and by nobody else', async () => {
    const waiting = await Promise.all(
      Array.from({ length: CONNECTIONS_MAX * 3 }, async () => await beginLogin(gate.port, 'alice')),
    );
    clients.push(...waiting);
    for (let count = 0; count < CONNECTIONS_MAX; count += 1) {
      await openSession('alice');
    }
    const { client, frames } = await logIn(gate.port, { user: 'alice', password: PASSWORD });
    expect(firstReport(frames)).toMatchObject({ S: 'FATAL', C: '53300' });
    expect(await client.closed()).toHaveLength(0);
    await untilFact(
      () => rejections().some(({ reason }) => reason === 'too-many-connections'),
      'the rejection',
    );
    const wrong = await logIn(gate.port, { user: 'alice', password: 'wrong' });
    expect(firstReport(wrong.frames)).toMatchObject({ C: '28P01' });
    expect(accounts.presenceCount('alice')).toBe(CONNECTIONS_MAX);
  });
});

describe('An account that is revoked', () => {
  /** The last word that a client hears, which is an ErrorResponse. */
  async function lastWord(client: WireClient): Promise<Readonly<Record<string, string>>> {
    const frames = await client.until('E');
    expect(await client.closed()).toHaveLength(0);
    return firstReport(frames);
  }

  it('loses its idle sessions, in a transaction or not, and nobody else does', async () => {
    const other = await openSession('alice');
    const idle = await openSession('leaving');
    const inTransaction = await openSession('leaving');
    await inTransaction.query('begin; delete from canary');
    const startedAtMs = performance.now();
    accounts.revoke('leaving');
    for (const client of [idle, inTransaction]) {
      expect(await lastWord(client)).toMatchObject({
        S: 'FATAL',
        C: '57P01',
        M: 'terminating connection: the account was changed',
        D: expect.stringContaining('Session '),
      });
    }
    expect(performance.now() - startedAtMs).toBeLessThan(REVOKED_WITHIN_MS);
    await untilTrue(database.url, gatepostSessions(1));
    expect(typesOf(await other.query('select * from canary'))).toBe('TDCZ');
    expect(accounts.presenceCount('leaving')).toBe(0);
  });

  it('has its running statement cancelled at the upstream', async () => {
    const client = await openSession('leaving');
    client.send(queryFrame('select pg_sleep(68)'));
    await untilTrue(database.url, runningStatements('select pg_sleep(68)', 1));
    const startedAtMs = performance.now();
    accounts.revoke('leaving', 'deleted');
    expect(await lastWord(client)).toMatchObject({
      S: 'FATAL',
      C: '57P01',
      M: 'terminating connection: the account was deleted',
    });
    await untilTrue(database.url, runningStatements('select pg_sleep(68)', 0));
    expect(performance.now() - startedAtMs).toBeLessThan(REVOKED_WITHIN_MS);
    expect(gate.statements().at(-1)).toMatchObject({ outcome: 'aborted', sqlState: '57P01' });
  });

  it('loses a session that is being opened', async () => {
    const upstream = await startFakeUpstream({ isSilent: true });
    const slow = await startGate({ dsn: upstream.dsn, accounts });
    const client = await beginLogin(slow.port, 'leaving');
    client.send((await prepareProof(client, PASSWORD)).frame);
    await untilFact(() => accounts.presenceCount('leaving') === 1, 'the account to be present');
    await untilFact(() => upstream.connections === 1, 'the upstream to be dialled');
    accounts.revoke('leaving');
    expect(await lastWord(client)).toMatchObject({ S: 'FATAL', C: '57P01' });
    await untilFact(() => upstream.connections === 0, 'the upstream connection to be gone');
    await slow.stop();
    await upstream.stop();
  });

  it('comes in no more when it is disabled', async () => {
    const client = await openSession('leaving');
    accounts.disable('leaving');
    expect((await lastWord(client))['M']).toBe('terminating connection: the account was disabled');
    const { frames } = await logIn(gate.port, { user: 'leaving', password: PASSWORD });
    expect(firstReport(frames)).toMatchObject({ S: 'FATAL', C: '28000' });
  });
});
