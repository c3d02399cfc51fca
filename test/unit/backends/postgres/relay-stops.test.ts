// A relay whose statements are stopped: at a limit, at a COPY, from outside.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../../../src/errors.ts';
import {
  backendFrame,
  commandComplete,
  dataRow,
  errorResponse,
  inPieces,
  parameterStatus,
  readyForQuery,
  report,
  sizedFrame,
} from '../../../support/backend-frames.ts';
import { untilFact } from '../../../support/facts.ts';
import { forwardedBytes, openRelayStage, summaryOf } from '../../../support/relay-stage.ts';
import type { RelayStage } from '../../../support/relay-stage.ts';

const COLUMNS = backendFrame('T', '\0\0');
const ROW = dataRow('1');
const NOTICE = report('N', { S: 'NOTICE', V: 'NOTICE', C: '00000', M: 'seen' });
const NOTIFICATION = backendFrame('A', '\0\0\0\x01channel\0payload\0');
const COPY_IN = backendFrame('G', '\0\0\0');
const COPY_OUT = backendFrame('H', '\0\0\0');

/** What an upstream says that a cancel has struck. */
const CANCELLED = Buffer.concat([errorResponse('57014'), readyForQuery('E')]);

const TIMEOUT = new ServiceError('57014', 'canceling statement due to query timeout');

let stage: RelayStage;

beforeEach(async () => {
  stage = await openRelayStage();
});

afterEach(() => {
  stage.close();
});

/** Resolves when the upstream has been asked. */
async function untilAsked(): Promise<void> {
  expect((await stage.far.frame()).type).toBe('Q');
}

async function untilCancelled(): Promise<void> {
  await untilFact(() => stage.cancels === 1, 'the cancel');
}

/** The session is still of use. */
async function expectNextAnswer(): Promise<void> {
  const { done } = stage.start();
  await untilAsked();
  stage.far.send(COLUMNS, ROW, commandComplete('SELECT 1'), readyForQuery());
  expect(summaryOf(await done)).toBe('TDCZ, was ready I');
  expect(stage.closings).toEqual([]);
}

describe('at a limit', () => {
  test('delivers exactly the rows up to it, says so, and goes on', async () => {
    const { done, guard } = stage.start({ limits: { rowsMax: 2 } });
    await untilAsked();
    stage.far.send(COLUMNS, ROW, ROW, ROW, ROW);
    await untilCancelled();
    stage.far.send(ROW, CANCELLED);
    const events = await done;
    expect(summaryOf(events)).toBe('TDD, ERROR 54000, ready E');
    expect(events.at(-1)).toMatchObject({ sqlState: '54000', isForwarded: false });
    expect(events.map((event) => (event.kind === 'frames' ? event.rows : 0))[0]).toBe(2);
    expect([guard.rows, guard.exceeded]).toEqual([2, 'rows']);
    await expectNextAnswer();
  });

  test('delivers the same however the answer is split', async () => {
    const answer = Buffer.concat([COLUMNS, ROW, ROW, ROW, CANCELLED]);
    for (let at = 1; at < answer.length; at += 1) {
      const { done } = stage.start({ limits: { rowsMax: 2 } });
      await untilAsked();
      await stage.far.sendInPieces([answer.subarray(0, at), answer.subarray(at)]);
      const events = await done;
      expect(summaryOf(events)).toBe('TDD, ERROR 54000, ready E');
    }
    await expectNextAnswer();
  });

  test('cancels before the client has taken anything', async () => {
    let goOn = (): void => undefined;
    const room = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { done } = stage.start({
      limits: { rowsMax: 1 },
      onEvent: async () => {
        await room;
      },
    });
    await untilAsked();
    stage.far.send(COLUMNS, ROW, ROW);
    await untilCancelled();
    stage.far.send(CANCELLED);
    goOn();
    expect(summaryOf(await done)).toBe('TD, ERROR 54000, ready E');
  });

  test('drops what still comes, however much, while the client takes nothing', async () => {
    let goOn = (): void => undefined;
    const room = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { done } = stage.start({
      limits: { rowsMax: 1 },
      onEvent: async () => {
        await room;
      },
    });
    await untilAsked();
    const flood = Buffer.concat(Array.from({ length: 100 }, () => sizedFrame('D', 10_000)));
    stage.far.send(COLUMNS, ROW, flood, flood, sizedFrame('D', 300_000), flood, CANCELLED);
    const sentBytes = 3 * flood.length + 300_000;
    await untilFact(() => stage.near.bytesRead > sentBytes, 'everything to be read');
    goOn();
    expect(summaryOf(await done)).toBe('TD, ERROR 54000, ready E');
  });

  test('says that the effects stand where the upstream had finished', async () => {
    const { done } = stage.start({ limits: { rowsMax: 1 } });
    await untilAsked();
    stage.far.send(COLUMNS, ROW, ROW, commandComplete('INSERT 0 2'), readyForQuery('T'));
    const events = await done;
    expect(summaryOf(events)).toBe('TD, ERROR 54000, ready T');
    expect(events.find(({ kind }) => kind === 'error')).toMatchObject({
      error: { detail: expect.stringContaining('its effects stand') },
    });
    expect(events.at(-1)).toMatchObject({ commandTags: ['INSERT 0 2'] });
    await expectNextAnswer();
  });

  test('keeps what changes the session, and nothing else, of what comes after it', async () => {
    const { done } = stage.start({ limits: { rowsMax: 1 } });
    await untilAsked();
    const late = [NOTICE, NOTIFICATION, parameterStatus('TimeZone', 'UTC'), COLUMNS];
    stage.far.send(COLUMNS, ROW, ROW, ...late, CANCELLED, NOTIFICATION);
    expect(summaryOf(await done)).toBe('TDAS, ERROR 54000, ready E');
    expect(stage.relay.parameters.get('TimeZone')).toBe('UTC');
    await untilFact(() => stage.unsolicited.length === 1, 'the message behind the answer');
    expect(stage.unsolicited).toEqual([NOTIFICATION]);
    await expectNextAnswer();
  });

  test('truncates where it is told to, in the right place of a batch', async () => {
    const { done } = stage.start({ limits: { rowsMax: 2, onLimit: 'truncate' } });
    await untilAsked();
    const batch = Buffer.concat([
      ...[COLUMNS, ROW, commandComplete('SELECT 1')],
      ...[COLUMNS, ROW, ROW, ROW, commandComplete('SELECT 3')],
      ...[commandComplete('SET'), readyForQuery()],
    ]);
    await stage.far.sendInPieces(inPieces(batch, 11));
    const events = await done;
    expect(summaryOf(events)).toBe('TDCTD, notice 01000, complete SELECT 1, CZ, was ready I');
    expect(events.at(-1)).toMatchObject({ commandTags: ['SELECT 1', 'SELECT 3', 'SET'] });
    expect(stage.cancels).toBe(0);
    await expectNextAnswer();
  });
});

describe('at a COPY', () => {
  test('answers the upstream that waits for data, and needs no cancel', async () => {
    const { done } = stage.start();
    await untilAsked();
    stage.far.send(COPY_IN);
    const fail = await stage.far.frame();
    expect(fail.type).toBe('f');
    expect(fail.bytes.toString('utf8', 5)).toBe('COPY is not supported through Gatepost\0');
    stage.far.send(errorResponse('57014'), readyForQuery());
    expect(summaryOf(await done)).toBe('ERROR 0A000, ready I');
    expect(stage.cancels).toBe(0);
    await expectNextAnswer();
  });

  test('cancels the upstream that sends data, and drops it', async () => {
    const { done } = stage.start();
    await untilAsked();
    stage.far.send(COPY_OUT, sizedFrame('d', 200_000));
    await untilCancelled();
    stage.far.send(CANCELLED);
    expect(summaryOf(await done)).toBe('ERROR 0A000, ready E');
    await expectNextAnswer();
  });

  test('is answered behind a limit, too', async () => {
    const { done } = stage.start({ limits: { rowsMax: 1 } });
    await untilAsked();
    stage.far.send(COLUMNS, ROW, ROW, COPY_IN);
    expect((await stage.far.frame()).type).toBe('f');
    stage.far.send(CANCELLED);
    expect(summaryOf(await done)).toBe('TD, ERROR 54000, ready E');
    await expectNextAnswer();
  });
});

describe('from outside', () => {
  test('cancels at once, and answers with the reason', async () => {
    const { done, stop } = stage.start();
    await untilAsked();
    stage.far.send(COLUMNS, ROW);
    stop(TIMEOUT);
    await untilCancelled();
    stage.far.send(ROW, CANCELLED);
    const events = await done;
    expect(events.find(({ kind }) => kind === 'error')).toEqual({ kind: 'error', error: TIMEOUT });
    expect(summaryOf(events)).toMatch(/ERROR 57014, ready E$/);
    await expectNextAnswer();
  });

  test('does nothing to a statement that is over, nor to the next one', async () => {
    const first = stage.start();
    await untilAsked();
    stage.far.send(readyForQuery());
    await first.done;
    first.stop(TIMEOUT);
    await expectNextAnswer();
    expect(stage.cancels).toBe(0);
  });

  test.each([
    ['however much of it is left', 100_000, true],
    ['together with what follows', 2_999_000, true],
    ['apart from what follows', 2_999_000, false],
  ])('lets a frame that has been begun go on to its end, %s', async (_name, begun, isTogether) => {
    const large = sizedFrame('D', 3_000_000);
    const { done, stop, events } = stage.start({ limits: { bytesMax: 1e9 } });
    await untilAsked();
    stage.far.send(COLUMNS, large.subarray(0, begun));
    await untilFact(() => forwardedBytes(events).length >= begun, 'a part of the frame');
    stop(TIMEOUT);
    await untilCancelled();
    if (!isTogether) {
      stage.far.send(large.subarray(begun));
      await untilFact(() => stage.near.bytesRead >= large.length, 'the rest to be read');
    }
    stage.far.send(isTogether ? large.subarray(begun) : Buffer.alloc(0), ROW, CANCELLED);
    const all = await done;
    expect(summaryOf(all)).toBe('TD, ERROR 57014, ready E');
    expect(forwardedBytes(all).equals(Buffer.concat([COLUMNS, large]))).toBe(true);
    await expectNextAnswer();
  });

  test('says nothing more where the upstream has said an error of its own', async () => {
    const { done, stop, events } = stage.start();
    await untilAsked();
    stage.far.send(errorResponse('22012'));
    await untilFact(() => events.length > 0, 'the error');
    stop(TIMEOUT);
    stage.far.send(readyForQuery('E'));
    expect(summaryOf(await done)).toBe('E, ready E');
    await expectNextAnswer();
  });

  test.each([
    ['ERROR', new ServiceError('54000', 'Result cut', { hint: 'Narrow it' })],
    ['FATAL', new ServiceError('57P01', 'Bye', { severity: 'FATAL' })],
  ])('ends the session of an upstream that does not stop: %s', async (_name, reason) => {
    stage.close();
    stage = await openRelayStage({ cancelGraceMs: 30 });
    const { done, stop } = stage.start();
    await untilAsked();
    stop(reason);
    const events = await done;
    expect(summaryOf(events)).toBe(`FATAL ${reason.sqlState}`);
    expect(events[0]).toMatchObject({
      error: {
        message: reason.message,
        hint: reason.hint,
        detail: 'The upstream went on for 30 ms after it was told to stop, and was closed',
      },
    });
    expect(stage.near.destroyed).toBe(true);
  });

  test('gives an upstream that does not stop a limit of words, too', async () => {
    const { done, stop } = stage.start();
    await untilAsked();
    stop(TIMEOUT);
    await untilCancelled();
    const flood = Buffer.concat(Array.from({ length: 50_000 }, () => NOTIFICATION));
    stage.far.send(flood);
    const events = await done;
    const last = events.at(-1);
    expect(last).toMatchObject({
      kind: 'error',
      error: { sqlState: '08P01', detail: 'it floods a stopped statement with messages' },
    });
    expect(forwardedBytes(events).length).toBeLessThanOrEqual(1024 * 1024);
    expect(forwardedBytes(events).length % NOTIFICATION.length).toBe(0);
  });
});
