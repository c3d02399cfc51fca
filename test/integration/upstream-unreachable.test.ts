// An upstream that cannot be had is a FATAL at the login, soon, with the reason, and without a word
// about where the upstream is or how Gatepost logs in to it.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Socket } from 'node:net';
import { backendFrame, frameHeader, report } from '../support/backend-frames.ts';
import { TEST_CERTIFICATES } from '../support/certificates.ts';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import type { FakeUpstream, FakeUpstreamOptions } from '../support/fake-upstream.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { int32, reportFields, startupPacket, typesOf, WireClient } from '../support/wire-client.ts';

const STARTUP_TIMEOUT_MS = 500;

const USER = 'hidden-user';
const PASSWORD = 'hidden-password';

let database: TestDatabase;
let gate: Gate | undefined;
let upstream: FakeUpstream | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await gate?.stop();
  await upstream?.stop();
  upstream = undefined;
});

afterAll(async () => {
  await database.drop();
});

/** Everything that a client is sent which logs in to a gate in front of this upstream. */
async function welcomeFrom(dsn: string): Promise<Buffer> {
  gate = await startGate({ dsn, startupTimeoutMs: STARTUP_TIMEOUT_MS });
  const startedAtMs = performance.now();
  const client = await WireClient.open(gate.port);
  client.send(startupPacket({ user: 'tester' }));
  const welcome = await client.closed();
  expect(performance.now() - startedAtMs).toBeLessThan(STARTUP_TIMEOUT_MS + 5000);
  return welcome;
}

/** The fields of the one ErrorResponse that these bytes are, after a look for secrets. */
function soleError(welcome: Buffer, dsn: string): Readonly<Record<string, string>> {
  expect(welcome.readUInt32BE(1)).toBe(welcome.length - 1);
  for (const secret of ['hidden', ...addressOf(dsn)]) {
    expect(welcome.toString()).not.toContain(secret);
  }
  return reportFields({ type: 'E', bytes: welcome });
}

/** A connection string with the hidden account, to an upstream like this one. */
async function dsnOf(options: FakeUpstreamOptions): Promise<string> {
  upstream = await startFakeUpstream(options);
  const { port } = new URL(upstream.dsn);
  return `postgresql://${USER}:${PASSWORD}@127.0.0.1:${port}/hidden?sslmode=disable`;
}

/** An upstream that answers the startup packet with these bytes. */
function answering(...frames: readonly Buffer[]): FakeUpstreamOptions {
  return {
    onConnect: (socket: Socket) => {
      socket.once('data', () => socket.end(Buffer.concat(frames)));
    },
  };
}

const NO_HBA = report('E', {
  S: 'FATAL',
  V: 'FATAL',
  C: '28000',
  M: `no pg_hba.conf entry for host "127.0.0.1", user "${USER}", database "gate.hidden"`,
});

const STARTING = report('E', {
  S: 'FATAL',
  V: 'FATAL',
  C: '57P03',
  M: 'the database system is starting up',
});

const FULL = report('E', {
  S: 'FATAL',
  V: 'FATAL',
  C: '53300',
  M: `too many connections for role "${USER}"`,
});

describe('A login behind which there is no upstream', () => {
  it.each([
    {
      name: 'a port that nobody listens on',
      dsn: `postgresql://${USER}:${PASSWORD}@127.0.0.1:1025/hidden`,
      detail: 'The connection was refused',
    },
    {
      name: 'a host that does not exist',
      dsn: `postgresql://${USER}:${PASSWORD}@gate.hidden.invalid:5432/hidden`,
      detail: 'The name of the server',
    },
    {
      name: 'a socket that does not exist',
      dsn: `postgresql://${USER}:${PASSWORD}@/hidden?host=/nowhere/gate.hidden`,
      detail: 'The socket of the server does not exist',
    },
  ])('is refused with 08001: $name', async ({ dsn, detail }) => {
    expect(soleError(await welcomeFrom(dsn), dsn)).toMatchObject({
      S: 'FATAL',
      C: '08001',
      M: 'Cannot connect to the upstream PostgreSQL',
      D: expect.stringContaining(detail),
      H: expect.stringContaining('/health'),
    });
  });

  it.each<{ name: string; upstream: FakeUpstreamOptions; error: Record<string, string> }>([
    {
      name: 'one that takes connections and never answers',
      upstream: { isSilent: true },
      error: { C: '08001', D: 'The server did not answer in time' },
    },
    {
      name: 'one that stops in the middle of the login',
      upstream: { onConnect: (socket) => socket.write(backendFrame('R', int32(0))) },
      error: { C: '08001', D: 'The server did not answer in time' },
    },
    {
      name: 'one that closes at once',
      upstream: { onConnect: (socket) => socket.end() },
      error: { C: '08001' },
    },
    {
      name: 'one that is not PostgreSQL',
      upstream: answering(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
      error: { C: '08001' },
    },
    {
      name: 'one that sends more than any login has to say',
      upstream: answering(frameHeader('S', 0x7fffffff), Buffer.alloc(1024)),
      error: { C: '08001', D: 'The server does not keep to the protocol of PostgreSQL' },
    },
    {
      name: 'one whose error has no end',
      upstream: answering(backendFrame('E', 'SFATAL\0C57P03\0')),
      error: { C: '08001', D: 'The server does not keep to the protocol of PostgreSQL' },
    },
    {
      name: 'one whose error says nothing',
      upstream: answering(backendFrame('E', '\0')),
      error: { C: '08001' },
    },
    {
      name: 'one that asks for a login that Gatepost does not know',
      upstream: answering(backendFrame('R', int32(7))),
      error: { C: '08001', D: 'The server asks for a way to log in that is not configured' },
    },
    {
      name: 'one that refuses the account',
      upstream: answering(NO_HBA),
      error: { C: '08004', M: 'The upstream PostgreSQL refused the login of Gatepost' },
    },
    {
      name: 'one that is starting',
      upstream: answering(STARTING),
      error: { C: '57P03', M: 'the database system is starting up' },
    },
    {
      name: 'one that is full',
      upstream: answering(FULL),
      error: { C: '53300', M: 'The upstream PostgreSQL takes no more connections of Gatepost' },
    },
  ])('is refused: $name', async ({ upstream: options, error: { C, D, M } }) => {
    const dsn = await dsnOf(options);
    const fields = soleError(await welcomeFrom(dsn), dsn);
    expect(fields).toMatchObject({
      S: 'FATAL',
      C,
      D: expect.stringContaining(D ?? 'Session '),
      M: M ?? 'Cannot connect to the upstream PostgreSQL',
    });
  });

  it('leaves no connection behind', async () => {
    const dsn = await dsnOf({ isSilent: true });
    await welcomeFrom(dsn);
    expect(upstream?.connections).toBe(0);
  });
});

describe('A login with a wrong account or database', () => {
  it('is refused with 08004 for the password', async () => {
    const url = new URL(database.url);
    url.password = PASSWORD;
    expect(soleError(await welcomeFrom(url.href), url.href)).toMatchObject({
      S: 'FATAL',
      C: '08004',
      M: 'The upstream PostgreSQL refused the login of Gatepost',
    });
  });

  it('is refused with 08004 for the user, in the same words', async () => {
    const url = new URL(database.url);
    url.username = USER;
    expect(soleError(await welcomeFrom(url.href), url.href)).toMatchObject({
      C: '08004',
      M: 'The upstream PostgreSQL refused the login of Gatepost',
    });
  });

  it('is refused as PostgreSQL does for a database that does not exist', async () => {
    gate = await startGate({ dsn: database.url });
    const { stderr, exitCode } = await runPsql({
      url: `postgresql://tester@127.0.0.1:${gate.port}/no_such_database`,
    });
    expect(stderr).toContain('FATAL:  database "no_such_database" does not exist');
    expect(exitCode).toBe(2);
  });
});

describe('An upstream with TLS', () => {
  let encrypted: Gate;

  beforeAll(async () => {
    encrypted = await startGate({ dsn: database.url, tls: TEST_CERTIFICATES });
  });

  afterAll(async () => {
    await encrypted.stop();
  });

  it.each([
    {
      name: 'the upstream has none',
      port: () => portOf(database.url),
      mode: 'sslmode=verify-full',
    },
    { name: 'its certificate is not trusted', port: () => encrypted.port },
  ])('refuses the login when $name', async ({ port }) => {
    const dsn = `postgresql://${USER}:${PASSWORD}@127.0.0.1:${port()}/hidden?sslmode=verify-full`;
    expect(soleError(await welcomeFrom(dsn), dsn)).toMatchObject({
      S: 'FATAL',
      C: '08001',
      D: expect.stringContaining('TLS with the server could not be set up'),
    });
  });

  it('is trusted by the authority that the connection string names', async () => {
    const dsn =
      `postgresql://${USER}@127.0.0.1:${encrypted.port}/` +
      `?sslmode=verify-full&sslrootcert=${TEST_CERTIFICATES.authority}`;
    gate = await startGate({ dsn });
    const client = await WireClient.login(gate.port);
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    expect(encrypted.observations.at(-1)).toMatchObject({ session: { isEncrypted: true } });
    client.destroy();
  });
});

function portOf(url: string): string {
  return new URL(url).port;
}

/** Host and port of a connection string. */
function addressOf(dsn: string): string[] {
  const [, host, port] = /@([^:/]+):(\d+)/.exec(dsn) ?? [];
  return [host ?? '/nowhere', `:${port ?? 'hidden'}`];
}
