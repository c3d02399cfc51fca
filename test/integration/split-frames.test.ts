// However a client's bytes are cut into packets, the answer is the same.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { watchAcceptedSockets } from '../support/accepted-sockets.ts';
import type { AcceptedSockets } from '../support/accepted-sockets.ts';
import { testPostgresUrl } from '../support/databases.ts';
import { destroyDirectClients, loginDirectly } from '../support/direct-client.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  framesOf,
  frontendFrame,
  GSSENC_REQUEST,
  queryFrame,
  SSL_REQUEST,
  startupPacket,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

/** Sessions that run side by side: each has an upstream login to wait for. */
const SESSIONS_AT_A_TIME = 16;

/** What a client sends from its login to its goodbye; Z after what ReadyForQuery answers. */
const MESSAGES: readonly (readonly [message: Buffer, answer: 'Z' | ''])[] = [
  [startupPacket({ user: 'tester', TimeZone: 'Asia/Tokyo' }), 'Z'],
  [queryFrame('select 1 as żółw'), 'Z'],
  [queryFrame(''), 'Z'],
  [frontendFrame('P', '\0select $1\0\0\0'), ''],
  [frontendFrame('S', ''), 'Z'],
  [queryFrame('begin'), 'Z'],
  [queryFrame('select 1/0'), 'Z'],
  [frontendFrame('d', 'no copy runs'), ''],
  [queryFrame('end; select from pg_am; set datestyle = sql'), 'Z'],
  [frontendFrame('X', ''), ''],
];

const SESSION = Buffer.concat(MESSAGES.map(([message]) => message));

let gate: Gate;
let sockets: AcceptedSockets;
let expected: string;

beforeAll(async () => {
  gate = await startGate({ dsn: testPostgresUrl() });
  sockets = watchAcceptedSockets();
  expected = await answerTo([SESSION]);
});

afterAll(async () => {
  destroyDirectClients();
  sockets.stop();
  await gate.stop();
});

/**
 * All that the server says to a session whose bytes come in these pieces. A piece is sent when all
 * that is whole before it has been answered, so that the server has to wait for its rest.
 */
async function answerTo(pieces: readonly Buffer[]): Promise<string> {
  const client = await WireClient.open(gate.port);
  let sent = 0;
  let answered = 0;
  for (const piece of pieces) {
    await sockets.deliver(client, [piece]);
    sent += piece.length;
    for (const whole = readiesWithin(sent); answered < whole; answered += 1) {
      await client.untilReady();
    }
  }
  await client.closed();
  return normalise(Buffer.concat(client.transcript).toString('latin1'));
}

/** How often ReadyForQuery answers the messages that are whole within so many bytes. */
function readiesWithin(bytes: number): number {
  let readies = 0;
  let end = 0;
  for (const [message, answer] of MESSAGES) {
    end += message.length;
    readies += answer === 'Z' && end <= bytes ? 1 : 0;
  }
  return readies;
}

/** BackendKeyData and session ids are new for every session. */
function normalise(answer: string): string {
  return answer
    .replace(/K\0\0\0\f[^]{8}/, 'K\0\0\0\fpid.key.')
    .replaceAll(/Session [0-9a-f-]{36}/g, `Session ${'x'.repeat(36)}`);
}

function cutAt(bytes: Buffer, boundary: number): readonly Buffer[] {
  return [bytes.subarray(0, boundary), bytes.subarray(boundary)];
}

/** The boundaries at which the answer was another one. */
async function differingBoundaries(boundaries: readonly number[]): Promise<number[]> {
  const differing: number[] = [];
  for (let start = 0; start < boundaries.length; start += SESSIONS_AT_A_TIME) {
    await Promise.all(
      boundaries.slice(start, start + SESSIONS_AT_A_TIME).map(async (boundary) => {
        if ((await answerTo(cutAt(SESSION, boundary))) !== expected) {
          differing.push(boundary);
        }
      }),
    );
  }
  return differing;
}

describe("A session's bytes", () => {
  it('in one piece are answered from the login to the goodbye', () => {
    const types = typesOf(framesOf(Buffer.from(expected, 'latin1')));
    expect(types).toMatch(/^RS+KZTDCZIZEZCZEZCTD+CCSZ$/);
  });

  it('in two pieces, cut at any byte, are answered the same', async () => {
    const boundaries = Array.from({ length: SESSION.length - 1 }, (_, index) => index + 1);
    expect(await differingBoundaries(boundaries)).toEqual([]);
  }, 120_000);

  it('one by one are answered the same', async () => {
    expect(await answerTo(Array.from(SESSION, (byte) => Buffer.from([byte])))).toBe(expected);
  });

  it('in three pieces that end within a header are answered the same', async () => {
    const start = startupPacket({ user: 'tester', TimeZone: 'Asia/Tokyo' }).length;
    const pieces = [SESSION.subarray(0, start + 1), ...cutAt(SESSION.subarray(start + 1), 2)];
    expect(await answerTo(pieces)).toBe(expected);
  });
});

describe('Requests for encryption', () => {
  it('in pieces of one byte are answered before the login', async () => {
    const client = await WireClient.open(gate.port);
    for (const request of [SSL_REQUEST, GSSENC_REQUEST]) {
      await sockets.deliver(
        client,
        Array.from(request, (byte) => Buffer.from([byte])),
      );
      expect((await client.bytes(1)).toString()).toBe('N');
    }
    client.send(SESSION);
    await client.closed();
    const transcript = Buffer.concat(client.transcript).toString('latin1');
    expect(normalise(transcript)).toBe(`NN${expected}`);
  });
});

describe('A thousand queries', () => {
  it('in one chunk are answered one by one, as on a direct connection', async () => {
    const queries = Buffer.concat(
      Array.from({ length: 1000 }, (_, index) => queryFrame(`select ${index}, 'żółw'`)),
    );
    const client = await WireClient.login(gate.port);
    const { client: direct } = await loginDirectly(testPostgresUrl());
    for (const to of [client, direct]) {
      to.send(queries, frontendFrame('X', ''));
    }
    const answer = await client.closed();
    expect(answer.toString('latin1')).toBe((await direct.closed()).toString('latin1'));
    expect(answer.toString('latin1')).toContain('999');
  });
});
