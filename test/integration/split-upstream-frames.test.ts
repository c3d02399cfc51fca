// However an upstream's bytes are cut into packets, the client gets the same bytes.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testPostgresUrl } from '../support/databases.ts';
import { destroyDirectClients, loginDirectly } from '../support/direct-client.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import type { FakeUpstream } from '../support/fake-upstream.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  framesOf,
  frontendFrame,
  queryFrame,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

/** Every kind of frame that PostgreSQL sends in answer to one simple query. */
const QUERY = `listen a; notify a, 'payload'; drop table if exists nosuch; set timezone = 'UTC+1';
  select 1 as n, null, 'żółw'; select from generate_series(1, 2); select 1/0`;

/** What may follow while nobody asks. */
const UNSOLICITED = Buffer.concat([
  frontendFrame('S', 'TimeZone\0Asia/Tokyo\0'),
  frontendFrame('N', 'SNOTICE\0VNOTICE\0C00000\0Mout of the blue\0\0'),
  frontendFrame('A', '\0\0\0\x01channel\0payload\0'),
]);

const SESSIONS_AT_A_TIME = 16;

let upstream: FakeUpstream;
let gate: Gate;
/** What the upstream answers to a query of this text, in pieces. */
const answers = new Map<string, readonly Buffer[]>();

beforeAll(async () => {
  upstream = await startFakeUpstream({
    onQuery: async (connection, text) => {
      await connection.sendInPieces(answers.get(text) ?? []);
    },
  });
  gate = await startGate({ dsn: upstream.dsn });
});

afterAll(async () => {
  destroyDirectClients();
  await gate.stop();
  await upstream.stop();
});

/** The bytes that real PostgreSQL answers with. */
async function record(query: string): Promise<Buffer> {
  const { client } = await loginDirectly(testPostgresUrl());
  const frames = await client.query(query);
  client.destroy();
  return Buffer.concat(frames.map(({ bytes }) => bytes));
}

/** What the client gets when the upstream answers in these pieces. */
async function relayed(pieces: readonly Buffer[]): Promise<Buffer> {
  const client = await WireClient.login(gate.port);
  const name = `answer ${answers.size}`;
  answers.set(name, pieces);
  client.send(queryFrame(name));
  const length = Buffer.concat(pieces).length;
  const received = await client.bytes(length);
  client.destroy();
  return received;
}

/** The boundaries at which the client got something else. */
async function differingBoundaries(
  answer: Buffer,
  boundaries: readonly number[],
): Promise<number[]> {
  const differing: number[] = [];
  for (let start = 0; start < boundaries.length; start += SESSIONS_AT_A_TIME) {
    await Promise.all(
      boundaries.slice(start, start + SESSIONS_AT_A_TIME).map(async (boundary) => {
        const pieces = [answer.subarray(0, boundary), answer.subarray(boundary)];
        if (!answer.equals(await relayed(pieces))) {
          differing.push(boundary);
        }
      }),
    );
  }
  return differing;
}

describe("An upstream's answer", () => {
  it('cut at any byte reaches the client unchanged, and so does what follows it', async () => {
    const recorded = await record(QUERY);
    const answer = Buffer.concat([recorded, UNSOLICITED]);
    const boundaries = Array.from({ length: answer.length - 1 }, (_, index) => index + 1);
    expect(await differingBoundaries(answer, boundaries)).toEqual([]);
  }, 120_000);

  it('in single bytes reaches the client unchanged', async () => {
    const answer = await record(QUERY);
    const pieces = Array.from(answer, (byte) => Buffer.from([byte]));
    expect(await relayed(pieces)).toEqual(answer);
  });

  it('with frames larger than a read, cut around their edges, is unchanged', async () => {
    const answer = await record(`select 1; select repeat('x', 70000); select 2`);
    const start = answer.indexOf('xxxxx') - 11;
    const end = start + 11 + 70_000;
    // Around the header, where enough of it is there to be judged, the whole-frame size, the end.
    const boundaries = [0, 1, 4, 5, 6, 511, 512, 513, 65_535, 65_536, 65_537]
      .map((offset) => start + offset)
      .concat([end - 1, end, end + 1, end + 4, end + 5]);
    expect(await differingBoundaries(answer, boundaries)).toEqual([]);
  });

  it('is counted the same however it is cut', async () => {
    const answer = await record('select generate_series(1, 7)');
    expect(typesOf(framesOf(answer))).toBe('TDDDDDDDCZ');
    await relayed(Array.from(answer, (byte) => Buffer.from([byte])));
    const last = gate.statements().at(-1);
    expect(last).toMatchObject({ rows: 7, outcome: 'ok', commandTags: ['SELECT 7'] });
  });
});
