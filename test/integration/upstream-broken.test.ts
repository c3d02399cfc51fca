// An upstream that does not keep to the protocol costs its session, bounded memory, and no more.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  commandComplete,
  dataRow,
  frameHeader,
  parameterStatus,
  readyForQuery,
  report,
  sizedFrame,
} from '../support/backend-frames.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import type { FakeUpstream } from '../support/fake-upstream.ts';
import { untilFact } from '../support/facts.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  firstReport,
  queryFrame,
  reportFields,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';
import type { ReceivedFrame } from '../support/wire-client.ts';

const MEBIBYTE = 1024 * 1024;

const BROKEN = {
  S: 'FATAL',
  C: '08P01',
  M: 'The upstream PostgreSQL broke the protocol',
  D: expect.stringContaining('Session '),
};

/** A whole answer. */
const DONE = Buffer.concat([commandComplete('SELECT 0'), readyForQuery()]);

let upstream: FakeUpstream;
let gate: Gate;
let client: WireClient;

beforeEach(async () => {
  upstream = await startFakeUpstream({});
  gate = await startGate({ dsn: upstream.dsn, limits: { rowsMax: 3 } });
  client = await WireClient.login(gate.port);
});

afterEach(async () => {
  client.destroy();
  await gate.stop();
  await upstream.stop();
});

/** What the client is sent up to ReadyForQuery, when the upstream answers with these bytes. */
async function answerWith(...bytes: readonly Buffer[]): Promise<ReceivedFrame[]> {
  client.send(queryFrame('select'));
  const { socket } = await upstream.asked('select');
  socket.write(Buffer.concat(bytes));
  return await client.untilReady();
}

/** What the client is sent until it is closed, when the upstream answers with these bytes. */
async function lastWords(...bytes: readonly Buffer[]): Promise<Buffer> {
  client.send(queryFrame('select'));
  const { socket } = await upstream.asked('select');
  socket.write(Buffer.concat(bytes));
  return await client.closed();
}

function errorIn(words: Buffer): Readonly<Record<string, string>> {
  const start = words.lastIndexOf('E\0');
  return reportFields({ type: 'E', bytes: words.subarray(start) });
}

describe('A frame that cannot be', () => {
  const row = dataRow('a value');

  it.each([
    { name: 'a length of 0', frame: frameHeader('D', 0) },
    { name: 'a length of 3', frame: frameHeader('C', 3) },
    { name: 'a length below zero', frame: frameHeader('D', -1) },
    { name: 'the smallest length below zero', frame: frameHeader('D', -0x80000000) },
    { name: 'a ReadyForQuery without a status', frame: frameHeader('Z', 4) },
    { name: 'a ReadyForQuery with a status that is none', frame: readyForQuery('X') },
  ])('ends the session behind the frames before it: $name', async ({ frame }) => {
    const words = await lastWords(row, frame, row);
    expect(words.subarray(0, row.length)).toEqual(row);
    expect(words.length).toBe(row.length + 1 + words.readUInt32BE(row.length + 1));
    expect(reportFields({ type: 'E', bytes: words.subarray(row.length) })).toMatchObject(BROKEN);
    expect(gate.statements()).toMatchObject([{ outcome: 'aborted', sqlState: '08P01' }]);
    await untilFact(() => upstream.connections === 0, 'the upstream to be left');
  });
});

describe('A row of 2 GB', () => {
  const announcement = Buffer.concat([frameHeader('D', 0x7fffffff), Buffer.alloc(MEBIBYTE)]);

  it('is not begun when it is over the byte limit; nobody waits for its end', async () => {
    const heldBefore = process.memoryUsage().arrayBuffers;
    const words = await lastWords(announcement);
    expect(words.length).toBe(words.readUInt32BE(1) + 1);
    expect(reportFields({ type: 'E', bytes: words })).toMatchObject({ S: 'FATAL', C: '54000' });
    expect(process.memoryUsage().arrayBuffers - heldBefore).toBeLessThan(8 * MEBIBYTE);
    await untilFact(() => upstream.connections === 0, 'the upstream to be left');
  });
});

describe('An ErrorResponse', () => {
  const row = dataRow('a value');
  const unnamed = { C: 'XX000', M: 'The upstream reported an error and did not say which' };

  it.each([
    {
      name: 'without SQLSTATE',
      frame: report('E', { S: 'ERROR', M: 'no code', D: 'at all' }),
      fields: { S: 'ERROR', C: 'XX000', M: 'no code', D: 'at all' },
    },
    {
      name: 'with a SQLSTATE that is none',
      frame: report('E', { S: 'ERROR', C: '1', M: 'odd' }),
      fields: { C: 'XX000', M: 'odd' },
    },
    { name: 'without a field', frame: report('E', {}), fields: unnamed },
    { name: 'without an end', frame: sizedFrame('E', 200), fields: unnamed },
    { name: 'of 100 KB, without an end', frame: sizedFrame('E', 100_000), fields: unnamed },
    {
      name: 'of 1 MB',
      frame: report('E', { S: 'ERROR', C: '42601', M: 'x'.repeat(1e6) }),
      fields: { C: '42601', M: 'x'.repeat(1e6) },
    },
  ])('$name has a SQLSTATE at the client, and its session goes on', async ({ frame, fields }) => {
    const frames = await answerWith(row, frame, readyForQuery());
    expect(typesOf(frames)).toBe('DEZ');
    expect(firstReport(frames)).toMatchObject(fields);
    expect(gate.statements()).toMatchObject([{ outcome: 'error', sqlState: fields.C }]);
    client.send(queryFrame('next'));
    (await upstream.asked('next')).socket.write(DONE);
    expect(typesOf(await client.untilReady())).toBe('CZ');
  });
});

describe('Bytes behind ReadyForQuery', () => {
  it.each([
    { name: 'a row', frame: dataRow('of nobody') },
    { name: 'a second ReadyForQuery', frame: readyForQuery() },
    { name: 'an unknown frame', frame: sizedFrame('?', 100) },
    { name: 'a frame too large for an idle session', frame: frameHeader('N', MEBIBYTE) },
  ])('that nobody asked for end the session: $name', async ({ frame }) => {
    expect(typesOf(await answerWith(DONE, frame, Buffer.alloc(1024)))).toBe('CZ');
    expect(reportFields(await client.frame())).toMatchObject(BROKEN);
    expect(await client.closed()).toHaveLength(0);
  });

  it('that belong to no statement reach the client', async () => {
    const late = Buffer.concat([
      parameterStatus('application_name', 'line\nend\u001b[31m'),
      report('N', { S: 'NOTICE', C: '00000', M: 'late' }),
    ]);
    expect(typesOf(await answerWith(DONE, late))).toBe('CZ');
    expect(await client.bytes(late.length)).toEqual(late);
  });
});

describe('A flood of notices', () => {
  const notices = Buffer.concat(
    Array.from({ length: 10_000 }, () => report('N', { S: 'NOTICE', C: '00000', M: 'again' })),
  );

  it('while idle goes to the client at its pace', async () => {
    const heldBefore = process.memoryUsage().arrayBuffers;
    await answerWith(DONE);
    const { socket } = await upstream.asked('select');
    client.pause();
    let isHeldUp = false;
    for (let round = 0; round < 500 && !isHeldUp; round += 1) {
      isHeldUp = !socket.write(notices);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(isHeldUp).toBe(true);
    expect(process.memoryUsage().arrayBuffers - heldBefore).toBeLessThan(32 * MEBIBYTE);
  });

  it('behind a cut is dropped, and ends when the upstream has had its time', async () => {
    client.send(queryFrame('select'));
    const { socket } = await upstream.asked('select');
    socket.write(Buffer.concat(Array.from({ length: 4 }, () => dataRow('x'))));
    const flood = setInterval(() => socket.write(notices), 1);
    const words = await client.closed();
    clearInterval(flood);
    expect(errorIn(words)).toMatchObject({ S: 'FATAL', C: '54000' });
  });

  it('of settings behind a cut is not kept without bound', async () => {
    client.send(queryFrame('select'));
    const { socket } = await upstream.asked('select');
    socket.write(Buffer.concat(Array.from({ length: 4 }, () => dataRow('x'))));
    const statuses = Buffer.concat(Array.from({ length: 10_000 }, () => parameterStatus('a', 'b')));
    const flood = setInterval(() => socket.write(statuses), 1);
    const words = await client.closed();
    clearInterval(flood);
    expect(errorIn(words)).toMatchObject(BROKEN);
    expect(words.length).toBeLessThan(3 * MEBIBYTE);
  });
});
