// Logins that are begun and not ended, and many at a time, keep nobody else out or up.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Accounts, LoginAttempt } from '../../src/accounts.ts';
import { ServiceError } from '../../src/errors.ts';
import { createScramVerifier } from '../../src/scram-verifier.ts';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { gatepostSessions, untilFact, untilTrue } from '../support/facts.ts';
import { createMemoryAccounts } from '../support/memory-accounts.ts';
import type { MemoryAccounts } from '../support/memory-accounts.ts';
import { startOwnProcess } from '../support/own-process.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate, GateOptions } from '../support/start-gate.ts';
import {
  frontendFrame,
  queryFrame,
  reportFields,
  startupPacket,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';
import {
  AUTHENTICATION,
  authenticationCode,
  BARE,
  beginLogin,
  initialResponse,
  logIn,
  prepareProof,
} from '../support/wire-login.ts';

const PASSWORD = 'correct horse';

const FIRST_MESSAGE = initialResponse(`n,,${BARE}`);

const TERMINATE = frontendFrame('X', '');

/** Far below what one computation of a password for each of 200 logins would take. */
const EVENT_LOOP_DELAY_MAX_MS = 1000;

/** More than the listener keeps of those that are logging in. */
const HALF_OPEN_SOCKETS = 300;

let database: TestDatabase;
let accounts: MemoryAccounts;
let gate: Gate;
const gates: Gate[] = [];
const clients: WireClient[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  accounts = await createMemoryAccounts([{ name: 'alice', password: PASSWORD }]);
});

beforeEach(async () => {
  gate = await openGate();
});

afterEach(async () => {
  for (const client of clients.splice(0)) {
    client.destroy();
  }
  for (const open of gates.splice(0)) {
    await open.stop();
  }
  await untilTrue(database.url, gatepostSessions(0));
});

afterAll(async () => {
  await database.drop();
});

async function openGate(options: Partial<GateOptions> = {}): Promise<Gate> {
  const opened = await startGate({ dsn: database.url, accounts, ...options });
  gates.push(opened);
  return opened;
}

/** A client that is asked for its proof. */
async function begin(to = gate): Promise<WireClient> {
  const client = await beginLogin(to.port, 'alice');
  clients.push(client);
  return client;
}

/** What it hears as its last word, an error. */
async function lastWord(client: WireClient): Promise<Readonly<Record<string, string>>> {
  const frame = await client.frame();
  expect(frame.type).toBe('E');
  expect(await client.closed()).toHaveLength(0);
  return reportFields(frame);
}

describe('A client that leaves amid its login', () => {
  it.each([
    ['with Terminate', (client: WireClient) => client.send(TERMINATE)],
    ['with a half close', (client: WireClient) => client.end()],
    ['with a reset', (client: WireClient) => client.reset()],
  ])('%s has failed nothing', async (_name, leave) => {
    const before = accounts.logins.length;
    const client = await begin();
    await prepareProof(client, PASSWORD);
    leave(client);
    await client.closed();
    await untilFact(() => accounts.logins.length > before, 'the login to be over');
    expect(accounts.logins.slice(before)).toMatchObject([{ outcome: 'abandoned' }]);
    await gate.stop(10_000);
    expect(gate.observations.map(({ kind }) => kind)).toEqual(['listener-bound']);
  });
});

describe('Half-open sockets', () => {
  it('amid their login do not keep a real one out, however many they are', async () => {
    const before = accounts.logins.length;
    const halfOpen: WireClient[] = [];
    for (let count = 0; count < HALF_OPEN_SOCKETS; count += 1) {
      halfOpen.push(await begin());
    }
    const { frames } = await logIn(gate.port, { user: 'alice', password: PASSWORD });
    expect(frames.at(-1)?.type).toBe('Z');
    const rejections = gate.observations.filter(({ kind }) => kind === 'connection-rejected');
    await untilFact(() => halfOpen[rejections.length - 1]?.isClosed === true, 'the oldest to go');
    expect(rejections.length).toBeGreaterThan(HALF_OPEN_SOCKETS - 256);
    expect(rejections.length).toBeLessThan(HALF_OPEN_SOCKETS - 250);
    expect(halfOpen.at(-1)?.isClosed).toBe(false);
    for (const rejection of rejections) {
      expect(rejection).toMatchObject({
        reason: 'too-many-unauthenticated',
        detail: 'No login, and others wait',
      });
    }
    const abandoned = accounts.logins.slice(before).filter(({ outcome }) => outcome !== 'ok');
    expect(abandoned).toHaveLength(rejections.length);
  });

  it('that wait for the accounts go as well, and each is observed once', async () => {
    const stalled: Accounts = {
      ...accounts,
      beginLogin: async () => await new Promise(() => null),
    };
    const slow = await openGate({ accounts: stalled });
    for (let count = 0; count < HALF_OPEN_SOCKETS; count += 1) {
      const client = await WireClient.open(slow.port);
      clients.push(client);
      client.send(startupPacket({ user: 'alice' }));
    }
    const [oldest] = clients;
    expect(oldest && (await lastWord(oldest))).toMatchObject({ S: 'FATAL', C: '53300' });
    await untilFact(() => clients.filter(({ isClosed }) => isClosed).length >= 44, 'the oldest');
    const rejections = slow.observations.filter(({ kind }) => kind === 'connection-rejected');
    expect(rejections).toHaveLength(44);
    expect(rejections).toMatchObject(Array(44).fill({ reason: 'too-many-unauthenticated' }));
  });
});

describe('The deadline of the startup', () => {
  it.each([
    ['before the first message', 0],
    ['amid the first message', 9],
    ['before the proof', FIRST_MESSAGE.length],
  ])('holds for a login: %s', async (_name, sentBytes) => {
    const hasty = await openGate({ startupTimeoutMs: 500 });
    const client = await begin(hasty);
    client.send(FIRST_MESSAGE.subarray(0, sentBytes));
    if (sentBytes === FIRST_MESSAGE.length) {
      expect(authenticationCode(await client.frame())).toBe(AUTHENTICATION.saslContinue);
    }
    expect(await lastWord(client)).toMatchObject({
      S: 'FATAL',
      C: '57014',
      M: 'canceling authentication due to timeout',
    });
    expect(accounts.logins.at(-1)).toMatchObject({ outcome: 'abandoned' });
  });

  it('holds while accounts cannot be read, and what is begun too late is abandoned', async () => {
    let arrive: (attempt: LoginAttempt) => void = () => undefined;
    const beginning = new Promise<LoginAttempt>((resolve) => {
      arrive = resolve;
    });
    const slow: Accounts = { ...accounts, beginLogin: async () => await beginning };
    const hasty = await openGate({ startupTimeoutMs: 300, accounts: slow });
    const client = await WireClient.open(hasty.port);
    client.send(startupPacket({ user: 'alice' }));
    expect(await lastWord(client)).toMatchObject({ S: 'FATAL', C: '57014' });
    const before = accounts.logins.length;
    arrive(await accounts.beginLogin('alice', { door: 'late', address: '' }));
    await untilFact(() => accounts.logins.length > before, 'the attempt to be settled');
    expect(accounts.logins.at(-1)).toMatchObject({ door: 'late', outcome: 'abandoned' });
  });
});

describe('A login that cannot be begun', () => {
  it.each([
    ['53300', 'too many failed logins'],
    ['08006', 'accounts cannot be read'],
  ])('says so with FATAL %s, and asks for nothing', async (sqlState, message) => {
    const refusing: Accounts = {
      ...accounts,
      beginLogin: async () =>
        await Promise.reject(new ServiceError(sqlState, message, { severity: 'FATAL' })),
    };
    const closed = await openGate({ accounts: refusing });
    const client = await WireClient.open(closed.port);
    client.send(startupPacket({ user: 'alice' }));
    expect(await lastWord(client)).toMatchObject({ S: 'FATAL', C: sqlState, M: message });
  });
});

describe('A listener that stops', () => {
  it('tells those amid their login, and is done at once', async () => {
    const client = await begin();
    const startedAtMs = performance.now();
    await gate.stop(10_000);
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
    expect(await lastWord(client)).toMatchObject({ S: 'FATAL', C: '57P01' });
  });
});

describe('200 logins at a time', () => {
  /** So many of them are right and get a session; the upstream has no room for more. */
  const RIGHT = 40;

  it('do not keep a running statement waiting', async () => {
    const password = 'as long as it takes';
    // As costly as accounts are made: were it computed here, it would take seconds.
    const verifier = await createScramVerifier(password, { iterations: 65_536 });
    const own = await startOwnProcess({
      kind: 'gate',
      options: {
        dsn: database.url,
        connectionsMax: 100,
        limits: { rowsMax: 10_000_000, bytesMax: 10 ** 10 },
      },
      accounts: [{ name: 'bob', verifier }],
    });
    const { client: reader } = await logIn(own.port, { user: 'bob', password });
    clients.push(reader);
    const chunksOfLogin = reader.transcript.length;
    // Rows of a kilobyte, so that the upstream sends each few of them.
    reader.send(
      queryFrame(`select repeat('x', 1000), pg_sleep(0.01) from generate_series(1, 300)`),
    );
    await untilFact(() => reader.transcript.length > chunksOfLogin, 'the first rows');
    const chunksBefore = reader.transcript.length;
    await own.eventLoopDelayMaxMs();
    const storm = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const client = await beginLogin(own.port, 'bob');
        clients.push(client);
        const { frame } = await prepareProof(client, index < RIGHT ? password : 'wrong');
        client.send(frame);
        return authenticationCode(await client.frame()) === AUTHENTICATION.saslFinal;
      }),
    );
    const chunksAfter = reader.transcript.length;
    const delayMaxMs = await own.eventLoopDelayMaxMs();
    const frames = await reader.untilReady();
    expect(storm.filter(Boolean)).toHaveLength(RIGHT);
    expect(delayMaxMs).toBeLessThan(EVENT_LOOP_DELAY_MAX_MS);
    expect(typesOf(frames)).toMatch(/^TD{300}CZ$/);
    expect(chunksAfter).toBeGreaterThan(chunksBefore);
    await own.stop();
  });
});
