// Very many logins at once, honest or not: each is told how it ends, and no address keeps another
// one out.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { gatepostSessions, untilTrue } from '../support/facts.ts';
import { createMemoryAccounts } from '../support/memory-accounts.ts';
import type { MemoryAccounts } from '../support/memory-accounts.ts';
import { proveScram } from '../support/scram-client.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { frontendFrame, reportFields, startupPacket, WireClient } from '../support/wire-client.ts';
import type { ReceivedFrame } from '../support/wire-client.ts';
import {
  AUTHENTICATION,
  authenticationCode,
  BARE,
  beginLogin,
  initialResponse,
  logIn,
  saslMessage,
} from '../support/wire-login.ts';

const PASSWORD = 'correct horse';

/** More than the 256 that the listener keeps of those that are logging in. */
const CLIENTS = 300;

/** So many sessions the listener has, and the upstream has room for. */
const SESSIONS = 20;

const TOO_MANY_LOGINS = 'too many clients are logging in';

let database: TestDatabase;
let accounts: MemoryAccounts;
let gate: Gate;
const clients: WireClient[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  accounts = await createMemoryAccounts([{ name: 'alice', password: PASSWORD }]);
});

afterEach(async () => {
  for (const client of clients.splice(0)) {
    client.destroy();
  }
  await gate.stop();
  await untilTrue(database.url, gatepostSessions(0));
});

afterAll(async () => {
  await database.drop();
});

async function openGate(connectionsMax = SESSIONS): Promise<void> {
  gate = await startGate({ dsn: database.url, accounts, connectionsMax });
}

/** What a client sends next; undefined where there is nothing more to be said. */
function replyTo(frame: ReceivedFrame): Buffer | undefined {
  switch (authenticationCode(frame)) {
    case AUTHENTICATION.sasl:
      return initialResponse(`n,,${BARE}`);
    case AUTHENTICATION.saslContinue:
      return frontendFrame(
        'p',
        proveScram(PASSWORD, { bare: BARE, serverFirst: saslMessage(frame) }).clientFinal,
      );
    default:
      return undefined;
  }
}

/** How a login ends: `session`, or the sentence of the error; a bare close fails the test. */
async function outcomeOf(client: WireClient, asked?: ReceivedFrame): Promise<string> {
  for (let frame = asked ?? (await client.frame()); ; frame = await client.frame()) {
    if (frame.type === 'Z') {
      return 'session';
    }
    if (frame.type === 'E') {
      const { C: sqlState = '', M: message = '' } = reportFields(frame);
      expect(sqlState).toBe('53300');
      return message;
    }
    const reply = replyTo(frame);
    if (reply !== undefined) {
      client.send(reply);
    }
  }
}

/** Connects and says who it is, and no more. */
async function open(from?: string): Promise<WireClient> {
  const client = await WireClient.open(gate.port, '127.0.0.1', from);
  clients.push(client);
  client.send(startupPacket({ user: 'alice' }));
  return client;
}

describe('300 honest logins at once', () => {
  it('end in a session, or are told why not', async () => {
    await openGate();
    const outcomes = await Promise.all(
      Array.from({ length: CLIENTS }, async () => await outcomeOf(await open())),
    );
    expect(outcomes.filter((one) => one === 'session')).toHaveLength(SESSIONS);
  });

  it('do so too where all of them are slow to prove who they are', async () => {
    await openGate();
    const slow = await Promise.all(Array.from({ length: CLIENTS }, async () => await open()));
    const asked = await Promise.all(slow.map(async (client) => await client.frame()));
    const outcomes = await Promise.all(
      slow.map(async (client, index) => await outcomeOf(client, asked[index])),
    );
    const count = (word: string): number => outcomes.filter((one) => one === word).length;
    expect(count('session')).toBe(SESSIONS);
    expect(count(TOO_MANY_LOGINS)).toBe(CLIENTS - 256);
    expect(count('sorry, too many clients already')).toBe(256 - SESSIONS);
  });

  it('are all let in to be asked where there may be as many sessions', async () => {
    await openGate(CLIENTS);
    const slow = await Promise.all(Array.from({ length: CLIENTS }, async () => await open()));
    const asked = await Promise.all(slow.map(async (client) => await client.frame()));
    expect(new Set(asked.map(authenticationCode))).toEqual(new Set([AUTHENTICATION.sasl]));
    expect(gate.observations.filter(({ kind }) => kind === 'connection-rejected')).toEqual([]);
  });
});

describe('Half-open logins of one address', () => {
  it('cost that address its own places, and no other address a login', async () => {
    await openGate();
    const early = await open('127.0.0.2');
    const asked = await early.frame();
    const halfOpen = await Promise.all(
      Array.from({ length: CLIENTS }, async () => await open('127.0.0.3')),
    );
    await Promise.all(halfOpen.map(async (client) => await client.frame()));
    for (const from of ['127.0.0.2', '127.0.0.4']) {
      const { client, frames } = await logIn(gate.port, {
        user: 'alice',
        password: PASSWORD,
        from,
      });
      clients.push(client);
      expect(frames.at(-1)?.type).toBe('Z');
    }
    expect(await outcomeOf(early, asked)).toBe('session');
    const rejections = gate.observations.filter(({ kind }) => kind === 'connection-rejected');
    expect(rejections.length).toBeGreaterThanOrEqual(CLIENTS - 255);
    for (const rejection of rejections) {
      expect(rejection).toMatchObject({
        address: '127.0.0.3',
        reason: 'too-many-unauthenticated',
        detail: 'No login, and others wait',
      });
    }
  });

  it('hear why they go, the oldest first', async () => {
    await openGate();
    const halfOpen: WireClient[] = [];
    for (let count = 0; count < CLIENTS; count += 1) {
      const client = await beginLogin(gate.port, 'alice');
      clients.push(client);
      halfOpen.push(client);
    }
    const gone = halfOpen.splice(0, CLIENTS - 256);
    for (const client of gone) {
      expect(reportFields(await client.frame())).toMatchObject({
        S: 'FATAL',
        C: '53300',
        M: TOO_MANY_LOGINS,
        H: expect.stringContaining('try again'),
      });
      expect(await client.closed()).toHaveLength(0);
    }
    expect(halfOpen.some(({ isClosed }) => isClosed)).toBe(false);
  });
});
