// Before its login is done a client gets nothing: no statement, no place, no words but the login's.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPostgresBackend } from '../../src/backends/postgres/postgres-backend.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { gatepostSessions, untilTrue } from '../support/facts.ts';
import { createMemoryAccounts } from '../support/memory-accounts.ts';
import type { MemoryAccounts } from '../support/memory-accounts.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate, GateOptions } from '../support/start-gate.ts';
import {
  frontendFrame,
  int32,
  queryFrame,
  reportFields,
  startupPacket,
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

const WRITE = queryFrame('insert into canary values (2)');

const TERMINATE = frontendFrame('X', '');

let database: TestDatabase;
let accounts: MemoryAccounts;
let gate: Gate;
const gates: Gate[] = [];
const clients: WireClient[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await runDirectly(database.url, 'create table canary (id int)');
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
  await untilTrue(database.url, 'not exists (select from canary)');
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

function violation(message: string): Record<string, unknown> {
  return { S: 'FATAL', C: '08P01', M: message, D: expect.stringContaining('Session ') };
}

const MALFORMED = 'malformed SCRAM message';

const UNEXPECTED_BINDING = 'unexpected SCRAM channel-binding attribute in client-final-message';

/** A proof of the right form. */
const ZEROS = Buffer.alloc(32).toString('base64');

const INSUFFICIENT = 'insufficient data left in message';

/** A SASLInitialResponse whose length word is a lie. */
function lyingResponse(length: number): Buffer {
  const parts = [Buffer.from('SCRAM-SHA-256\0'), int32(length), Buffer.from(`n,,${BARE}`)];
  return frontendFrame('p', Buffer.concat(parts));
}

describe('A first message', () => {
  it.each([
    ['whose length is -2', lyingResponse(-2), INSUFFICIENT],
    ['whose length is larger than its frame', lyingResponse(1000), INSUFFICIENT],
    ['whose length is the largest', lyingResponse(0x7fffffff), INSUFFICIENT],
    ['whose length is smaller than its frame', lyingResponse(3), 'invalid message format'],
    ['without NUL', frontendFrame('p', 'SCRAM-SHA-256'), 'invalid string in message'],
    ['that is empty', initialResponse(''), MALFORMED],
    ['without a nonce', initialResponse('n,,n='), MALFORMED],
    [
      'with a nonce of a megabyte',
      initialResponse(`n,,n=,r=${'x'.repeat(1 << 20)}`),
      'invalid message length',
    ],
    ['with a nonce of a kilobyte', initialResponse(`n,,n=,r=${'x'.repeat(900)}`), MALFORMED],
    [
      'that announces 2 GiB',
      Buffer.concat([Buffer.from('p'), int32(0x7fffffff)]),
      'invalid message length',
    ],
    ['that binds the channel', initialResponse(`p=tls-unique,,${BARE}`), MALFORMED],
    [
      'of a mechanism that was not offered',
      initialResponse(`p=tls-server-end-point,,${BARE}`, 'SCRAM-SHA-256-PLUS'),
      'client selected an invalid SASL authentication mechanism',
    ],
    ['that is a password in clear text', frontendFrame('p', `${PASSWORD}\0`), INSUFFICIENT],
  ])('%s ends the login', async (_name, frame, message) => {
    const client = await begin();
    client.send(frame);
    expect(await lastWord(client)).toMatchObject(violation(message));
    expect(accounts.logins.at(-1)).toMatchObject({ outcome: 'abandoned' });
    const rejection = await gate.observed((one) => one.kind === 'connection-rejected');
    expect(rejection).toMatchObject({ reason: 'startup-failed' });
    const { frames } = await logIn(gate.port, { user: 'alice', password: PASSWORD });
    expect(frames.at(-1)?.type).toBe('Z');
  });

  it.each([
    [`n,,m=x,${BARE}`, 'client requires an unsupported SCRAM extension'],
    [`n,a=root,${BARE}`, 'client uses authorization identity, but it is not supported'],
  ])('%s is not supported', async (message, words) => {
    const client = await begin();
    client.send(initialResponse(message));
    expect(await lastWord(client)).toMatchObject({ S: 'FATAL', C: '0A000', M: words });
  });
});

describe('A proof', () => {
  it.each([
    ['of another header', /biws/, 'eSws', UNEXPECTED_BINDING],
    ['that binds the channel', /biws/, 'cD10bHMtdW5pcXVlLCw=', UNEXPECTED_BINDING],
    ['of another nonce', /r=fyko/, 'r=FYKO', 'invalid SCRAM response'],
    ['that is no base64', /p=.*/, 'p=***', MALFORMED],
    ['that is missing', /,p=.*/, '', MALFORMED],
    ['that is empty', /.*/, '', MALFORMED],
    ['that is there twice', /$/, `,p=${ZEROS}`, MALFORMED],
  ])('%s ends the login', async (_name, part, change, message) => {
    const client = await begin();
    const { frame } = await prepareProof(client, PASSWORD);
    client.send(frontendFrame('p', frame.toString('utf8', 5).replace(part, change)));
    expect(await lastWord(client)).toMatchObject(violation(message));
    expect(accounts.logins.at(-1)).toMatchObject({ outcome: 'abandoned' });
  });

  it('is not taken again in another connection', async () => {
    const first = await begin();
    const { frame } = await prepareProof(first, PASSWORD);
    first.send(frame);
    await first.untilReady();
    const second = await begin();
    await prepareProof(second, PASSWORD);
    second.send(frame);
    expect(await lastWord(second)).toMatchObject(violation('invalid SCRAM response'));
  });

  it('that is wrong is a failed login', async () => {
    const client = await begin();
    const { frame } = await prepareProof(client, PASSWORD);
    const text = frame.toString('utf8', 5).replace(/p=.*/, `p=${ZEROS}`);
    client.send(frontendFrame('p', text));
    expect(await lastWord(client)).toMatchObject({
      S: 'FATAL',
      C: '28P01',
      M: 'password authentication failed for user "alice"',
    });
    expect(accounts.logins.at(-1)).toMatchObject({ outcome: 'refused' });
  });
});

describe('A statement before AuthenticationOk', () => {
  it.each(['Q', 'P', 'B', 'E', 'S', 'F', 'd', 'H'])(
    'is not run, and ends the login: type %s in place of the first message',
    async (type) => {
      const client = await begin();
      client.send(frontendFrame(type, 'insert into canary values (2)\0'));
      const message = `expected SASL response, got message type ${type.charCodeAt(0)}`;
      expect(await lastWord(client)).toMatchObject(violation(message));
    },
  );

  it('is not run when it comes with the startup packet', async () => {
    const client = await WireClient.open(gate.port);
    client.send(startupPacket({ user: 'alice' }), WRITE);
    expect(authenticationCode(await client.frame())).toBe(AUTHENTICATION.sasl);
    expect(await lastWord(client)).toMatchObject({ C: '08P01' });
  });

  it('is not run in place of the proof', async () => {
    const client = await begin();
    await prepareProof(client, PASSWORD);
    client.send(WRITE);
    expect(await lastWord(client)).toMatchObject({ C: '08P01' });
  });

  it.each([
    ['a Query', WRITE],
    ['half a Query', WRITE.subarray(0, 7)],
    ['another proof', frontendFrame('p', 'c=biws')],
  ])('is not run behind the right proof: %s', async (_name, behind) => {
    const client = await begin();
    const { frame } = await prepareProof(client, PASSWORD);
    client.send(frame, behind);
    expect(await lastWord(client)).toMatchObject(
      violation('received a message before authentication was complete'),
    );
    expect(accounts.logins.at(-1)).toMatchObject({ outcome: 'abandoned' });
  });

  it('is not run while the upstream is dialled', async () => {
    const limits = { rowsMax: 10, bytesMax: 1000, queryTimeoutMs: 1000, onLimit: 'error' } as const;
    const guardrails = { limits, idleTimeoutMs: 1000, access: 'read-write' } as const;
    const real = createPostgresBackend({ name: 'postgres', dsn: database.url, guardrails });
    let dial = (): void => undefined;
    const mayDial = new Promise<void>((resolve) => {
      dial = resolve;
    });
    const slow = await openGate({
      backend: {
        ...real,
        open: async (...parameters) => {
          await mayDial;
          return await real.open(...parameters);
        },
      },
    });
    const client = await begin(slow);
    const { frame } = await prepareProof(client, PASSWORD);
    client.send(frame);
    expect(authenticationCode(await client.frame())).toBe(AUTHENTICATION.saslFinal);
    await client.sendInPieces([WRITE]);
    // What is written to one socket after another arrives in that order.
    const later = await begin(slow);
    later.send(TERMINATE);
    await later.closed();
    dial();
    expect(await lastWord(client)).toMatchObject({ C: '08P01' });
    expect(slow.observations.some(({ kind }) => kind === 'session-opened')).toBe(false);
  });
});

describe('After a login', () => {
  it('a password frame is no frame', async () => {
    const { client } = await logIn(gate.port, { user: 'alice', password: PASSWORD });
    clients.push(client);
    client.send(initialResponse(`n,,${BARE}`), WRITE);
    expect(await lastWord(client)).toMatchObject(violation('invalid frontend message type 112'));
  });
});
