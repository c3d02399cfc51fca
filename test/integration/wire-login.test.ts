// Where accounts are asked for, psql and drivers log in with a password, and get what is theirs.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createScramVerifier } from '../../src/scram-verifier.ts';
import { TEST_CERTIFICATES } from '../support/certificates.ts';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { untilFound } from '../support/facts.ts';
import { createMemoryAccounts } from '../support/memory-accounts.ts';
import type { MemoryAccounts, RecordedLogin } from '../support/memory-accounts.ts';
import { runPsql } from '../support/psql.ts';
import type { PsqlResult } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { frontendFrame, reportFields, startupPacket, WireClient } from '../support/wire-client.ts';
import {
  AUTHENTICATION,
  authenticationCode,
  BARE,
  beginLogin,
  initialResponse,
  prepareProof,
  saslMessage,
} from '../support/wire-login.ts';

const PASSWORD = 'correct horse';

/** Passwords that SASLprep changes, as the account was given them and as they are typed. */
const PREPARED = [
  { what: 'a soft hyphen', kept: 'I\u00ADX', typed: 'IX' },
  { what: 'a soft hyphen that is typed', kept: 'IX', typed: 'I\u00ADX' },
  { what: 'a Roman numeral of one character', kept: '\u2168', typed: 'IX' },
  { what: 'a letter and its accent apart', kept: 'pass\u00E9', typed: 'passe\u0301' },
  { what: 'a space that does not break', kept: 'a\u00A0b', typed: 'a b' },
  { what: 'what SASLprep does not take', kept: '\u0007\u0627\u0031', typed: '\u0007\u0627\u0031' },
  { what: '1024 bytes', kept: 'x'.repeat(1024), typed: 'x'.repeat(1024) },
  { what: 'letters beyond ASCII', kept: 'Größe 日本', typed: 'Größe 日本' },
] as const;

let database: TestDatabase;
let accounts: MemoryAccounts;
let gate: Gate;
let encrypted: Gate;
const clients: WireClient[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  accounts = await createMemoryAccounts([
    { name: 'alice', password: PASSWORD, scope: 'write' },
    { name: 'forgetful', password: PASSWORD },
    { name: 'disabled', password: PASSWORD, isDisabled: true },
    { name: 'mongo-only', password: PASSWORD, backends: ['mongodb'] },
    { name: 'salty', verifier: await createScramVerifier(PASSWORD, { salt: Buffer.alloc(32, 9) }) },
    ...PREPARED.map(({ kept }, index) => ({ name: `prepared-${index}`, password: kept })),
  ]);
  gate = await startGate({ dsn: database.url, accounts });
  encrypted = await startGate({ dsn: database.url, accounts, tls: TEST_CERTIFICATES });
});

afterEach(() => {
  for (const client of clients.splice(0)) {
    client.destroy();
  }
});

afterAll(async () => {
  await Promise.all([gate.stop(), encrypted.stop()]);
  await database.drop();
});

/** libpq's words for one statement as this user, on the gate unless said. */
async function psql(
  user: string,
  password: string,
  { to = gate, words = 'sslmode=disable', sql = 'select 1' } = {},
): Promise<PsqlResult> {
  return await runPsql({
    url: `host=127.0.0.1 port=${to.port} user=${user} dbname=${database.name} ${words}`,
    args: ['-At', '-c', sql],
    environment: { PGPASSWORD: password, PGPASSFILE: '/dev/null' },
  });
}

/** The login that was settled next: of a client that hung up, the gate hears a moment later. */
async function loginAfter(before: number): Promise<RecordedLogin> {
  return await untilFound(() => accounts.logins[before], 'the login to be settled');
}

describe('psql', () => {
  it('logs in with the password', async () => {
    expect(await psql('alice', PASSWORD)).toMatchObject({ stdout: '1', stderr: '', exitCode: 0 });
    expect(accounts.logins.at(-1)).toEqual({
      name: 'alice',
      outcome: 'ok',
      door: 'test',
      address: '127.0.0.1',
    });
  });

  it('does so in any capitals, and is who the account is', async () => {
    expect(await psql('ALICE', PASSWORD)).toMatchObject({ exitCode: 0 });
    const opened = gate.observations.filter(({ kind }) => kind === 'session-opened').at(-1);
    expect(opened).toMatchObject({
      session: { user: 'alice', owner: expect.stringMatching(/^account:[0-9a-f-]{36}$/) },
    });
  });

  it.each([
    { who: 'a wrong password', user: 'alice', password: 'wrong' },
    { who: 'a name that nobody has', user: 'nobody', password: PASSWORD },
    { who: 'a name of 200 characters', user: 'x'.repeat(200), password: PASSWORD },
    { who: 'a name of other characters', user: 'ü;--', password: PASSWORD },
  ])('is refused with $who, in the same words', async ({ user, password }) => {
    const { stderr, exitCode } = await psql(user, password);
    expect(stderr).toContain(`FATAL:  password authentication failed for user "${user}"`);
    expect(exitCode).toBe(2);
  });

  it('that has no password is asked for one, and has failed no login', async () => {
    const before = accounts.logins.length;
    const { stderr, exitCode } = await psql('forgetful', '');
    expect(stderr).toContain('fe_sendauth: no password supplied');
    expect(exitCode).toBe(2);
    expect(await loginAfter(before)).toMatchObject({ name: 'forgetful', outcome: 'abandoned' });
    expect(await psql('forgetful', PASSWORD)).toMatchObject({ exitCode: 0 });
    const rejections = gate.observations.filter(({ kind }) => kind === 'connection-rejected');
    expect(rejections).not.toContainEqual(
      expect.objectContaining({ detail: expect.stringContaining('forgetful') }),
    );
  });

  it.each(PREPARED.map((row, index) => ({ ...row, user: `prepared-${index}` })))(
    'logs in with $what',
    async ({ user, typed }) => {
      expect(await psql(user, typed)).toMatchObject({ stdout: '1', stderr: '' });
      expect((await psql(user, `${typed}x`)).stderr).toContain('password authentication failed');
    },
  );

  it('logs in against a salt of 32 bytes', async () => {
    expect(await psql('salty', PASSWORD)).toMatchObject({ stdout: '1', stderr: '' });
  });

  it.each([
    { words: 'sslmode=disable channel_binding=prefer', isTls: false },
    { words: 'sslmode=require channel_binding=prefer', isTls: true },
    { words: 'sslmode=require channel_binding=disable', isTls: true },
    { words: 'sslmode=require require_auth=scram-sha-256', isTls: true, psqlMin: 16 },
  ])('logs in with $words', async ({ words, isTls, psqlMin = 0 }) => {
    const { stdout: version } = await runPsql({ url: '', args: ['--version'] });
    const to = isTls ? encrypted : gate;
    const { stdout, exitCode } = await psql('alice', PASSWORD, { to, words });
    const isKnown = Number(/\d+/.exec(version)?.[0]) >= psqlMin;
    expect({ stdout, exitCode }).toEqual(
      isKnown ? { stdout: '1', exitCode: 0 } : { stdout: '', exitCode: 2 },
    );
  });

  it.each([
    { words: 'sslmode=require channel_binding=require', isTls: true },
    { words: 'sslmode=disable channel_binding=require', isTls: false },
  ])('that insists on channel binding gives up: $words', async ({ words, isTls }) => {
    const to = isTls ? encrypted : gate;
    const before = accounts.logins.length;
    const { stderr, exitCode } = await psql('alice', PASSWORD, { to, words });
    expect(stderr).toMatch(/channel binding/i);
    expect(exitCode).toBe(2);
    expect(await loginAfter(before)).toMatchObject({ name: 'alice', outcome: 'abandoned' });
  });
});

describe('node’s pg', () => {
  const open = (user: string, password: string): pg.Client =>
    new pg.Client({ host: '127.0.0.1', port: gate.port, user, password, database: database.name });

  it('logs in with the password', async () => {
    const client = open('alice', PASSWORD);
    await client.connect();
    expect((await client.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });

  it('is refused with a wrong one', async () => {
    const client = open('alice', 'wrong');
    await expect(client.connect()).rejects.toMatchObject({ severity: 'FATAL', code: '28P01' });
  });
});

describe('A login', () => {
  it('proves the client to the server, and the server to the client', async () => {
    const client = await beginLogin(gate.port, 'alice');
    clients.push(client);
    const { frame, serverFirst, serverFinal } = await prepareProof(client, PASSWORD);
    expect(serverFirst).toMatch(/^r=fyko\+d2lbbFgONRv9qkxdawL[^,]{24},s=[^,]{24},i=4096$/);
    client.send(frame);
    const frames = await client.untilReady();
    expect(frames.slice(0, 2).map(authenticationCode)).toEqual([
      AUTHENTICATION.saslFinal,
      AUTHENTICATION.ok,
    ]);
    expect(saslMessage(frames[0]!)).toBe(serverFinal);
  });

  it('looks the same up to its end, whether the name is known or not', async () => {
    const seen = await Promise.all(
      ['alice', 'nobody', 'disabled', 'mongo-only'].map(async (user) => {
        const client = await beginLogin(gate.port, user);
        const { frame, serverFirst } = await prepareProof(client, 'wrong');
        client.send(frame);
        const error = reportFields(await client.frame());
        expect(await client.closed()).toHaveLength(0);
        const shape = serverFirst.replaceAll(/(?<=[rs]=)[^,]+/g, ({ length }) => `${length}`);
        return { shape, ...error, M: error['M']?.replace(user, ''), D: '' };
      }),
    );
    expect(seen[0]).toMatchObject({ S: 'FATAL', C: '28P01', shape: 'r=48,s=24,i=4096' });
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1);
  });

  it('gives an unknown name the same salt each time', async () => {
    const salts = await Promise.all(
      ['nobody', 'nobody', 'somebody'].map(async (user) => {
        const client = await beginLogin(gate.port, user);
        clients.push(client);
        return (await prepareProof(client, '')).serverFirst.replace(/^r=[^,]*/, '');
      }),
    );
    expect(salts[0]).toBe(salts[1]);
    expect(salts[0]).not.toBe(salts[2]);
  });

  it('may wait to be asked for its first message', async () => {
    const client = await beginLogin(gate.port, 'alice');
    clients.push(client);
    const nothing = Buffer.concat([Buffer.from('SCRAM-SHA-256\0'), Buffer.alloc(4, 0xff)]);
    client.send(frontendFrame('p', nothing));
    expect(saslMessage(await client.frame())).toBe('');
    client.send(frontendFrame('p', `n,,${BARE}`));
    expect(saslMessage(await client.frame())).toMatch(/^r=fyko/);
  });

  it('may come with its startup packet', async () => {
    const client = await WireClient.open(gate.port);
    clients.push(client);
    client.send(startupPacket({ user: 'alice' }), initialResponse(`y,,${BARE}`));
    expect(authenticationCode(await client.frame())).toBe(AUTHENTICATION.sasl);
    expect(saslMessage(await client.frame())).toMatch(/^r=fyko/);
  });
});

describe('A listener that asks nobody', () => {
  it('takes the startup packet for a login', async () => {
    const open = await startGate({ dsn: database.url });
    const { stdout } = await psql('whoever', '', { to: open });
    expect(stdout).toBe('1');
    await open.stop();
  });
});
