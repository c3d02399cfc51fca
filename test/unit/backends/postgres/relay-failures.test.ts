// A relay whose upstream goes, or sends what nobody can read.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  backendFrame,
  commandComplete,
  dataRow,
  errorResponse,
  frameHeader,
  readyForQuery,
  sizedFrame,
} from '../../../support/backend-frames.ts';
import { untilFact } from '../../../support/facts.ts';
import { forwardedBytes, openRelayStage, summaryOf } from '../../../support/relay-stage.ts';
import type { RelayStage } from '../../../support/relay-stage.ts';

const COLUMNS = backendFrame('T', '\0\0');
const ROW = dataRow('1');
const FATAL = errorResponse('57P01', 'FATAL');

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

/** The summary of an exchange whose upstream sends this and does that. */
async function answerOf(sent: readonly Buffer[], act: () => void): Promise<string> {
  const { done } = stage.start();
  await untilAsked();
  stage.far.send(...sent);
  act();
  const events = await done;
  expect(stage.near.destroyed).toBe(true);
  expect(stage.closings).toEqual([]);
  return summaryOf(events);
}

function leave(): void {
  stage.far.end();
}

function stay(): void {
  // What has been sent is enough.
}

describe('an upstream that goes while it answers', () => {
  test.each([
    ['before a word', [], 'FATAL 08006'],
    ['at the edge of a frame', [COLUMNS, ROW], 'TD, FATAL 08006'],
    [
      'in the middle of a small frame, which is never begun',
      [COLUMNS, ROW.subarray(0, 8)],
      'T, FATAL 08006',
    ],
    ['with a word of its own', [COLUMNS, FATAL], 'TE, gone 57P01'],
    ['with an error that was not its last word', [errorResponse('42P01')], 'E, FATAL 08006'],
    ['with a panic', [errorResponse('XX001', 'PANIC')], 'E, gone XX001'],
  ])('%s', async (_name, sent, summary) => {
    expect(await answerOf(sent, leave)).toBe(summary);
  });

  test('in the middle of a large frame: nothing else may be said', async () => {
    const { done, events } = stage.start();
    await untilAsked();
    stage.far.send(COLUMNS, sizedFrame('D', 300_000).subarray(0, 100_000));
    await untilFact(() => forwardedBytes(events).length > 1000, 'a part of the frame');
    leave();
    const all = await done;
    expect(all.at(-1)).toMatchObject({ kind: 'gone', error: { sqlState: '08006' } });
    expect(all.slice(0, -1).every(({ kind }) => kind === 'frames')).toBe(true);
  });

  test('by a connection that breaks: the reason is kept for the operator', async () => {
    const { done } = stage.start();
    await untilAsked();
    const cause = new Error('read ETIMEDOUT');
    stage.near.destroy(cause);
    const [event] = await done;
    expect(event).toMatchObject({ kind: 'error', error: { sqlState: '08006', severity: 'FATAL' } });
    expect(event?.kind === 'error' && event.error.cause).toBe(cause);
  });

  test('and the next statement is answered without it', async () => {
    await answerOf([], leave);
    const { done } = stage.start();
    expect(summaryOf(await done)).toBe('FATAL 08006');
  });

  test('after it was told to stop', async () => {
    const { done } = stage.start({ limits: { rowsMax: 1 } });
    await untilAsked();
    stage.far.send(COLUMNS, ROW, ROW, FATAL);
    leave();
    expect(summaryOf(await done)).toBe('TDE, gone 57P01');
  });
});

describe('an upstream that breaks the protocol', () => {
  const broken = frameHeader('D', 2);

  test.each([
    ['a length that cannot be', [COLUMNS, ROW, broken], 'TD, FATAL 08P01'],
    ['ReadyForQuery without a status', [ROW, backendFrame('Z', '')], 'D, FATAL 08P01'],
    ['ReadyForQuery with a status that is none', [ROW, readyForQuery('X')], 'D, FATAL 08P01'],
    [
      'the end of a large frame, then a length that cannot be',
      [sizedFrame('D', 70_000), broken],
      'D, FATAL 08P01',
    ],
  ])('with %s', async (_name, sent, summary) => {
    expect(await answerOf(sent, stay)).toBe(summary);
  });

  test('is told without a word that it has said', async () => {
    const { done } = stage.start();
    await untilAsked();
    stage.far.send(frameHeader('?', 0));
    const [event] = await done;
    expect(event).toMatchObject({
      kind: 'error',
      error: {
        severity: 'FATAL',
        message: 'The upstream PostgreSQL broke the protocol',
        detail: 'invalid message length from the upstream',
      },
    });
  });

  test('after it was told to stop', async () => {
    const { done } = stage.start({ limits: { rowsMax: 1 } });
    await untilAsked();
    stage.far.send(COLUMNS, ROW, ROW, broken);
    expect(summaryOf(await done)).toBe('TD, FATAL 08P01');
  });

  test('counts no row that was not forwarded', async () => {
    const { done, guard } = stage.start();
    await untilAsked();
    stage.far.send(ROW, ROW, broken);
    const events = await done;
    const rows = events.map((event) => (event.kind === 'frames' ? event.rows : 0));
    expect(rows.reduce((sum, count) => sum + count)).toBe(2);
    expect(guard.rows).toBe(2);
    expect(forwardedBytes(events)).toEqual(Buffer.concat([ROW, ROW]));
  });
});

describe('an idle upstream', () => {
  async function closingOf(sent: readonly Buffer[], act: () => void): Promise<string> {
    stage.far.send(...sent);
    act();
    await untilFact(() => stage.closings.length > 0, 'the end');
    const [[reason, isTold] = []] = stage.closings;
    expect(stage.closings).toHaveLength(1);
    expect(stage.near.destroyed).toBe(true);
    expect(reason?.severity).toBe('FATAL');
    return `${reason?.sqlState ?? ''}${isTold === true ? ', which it said itself' : ''}`;
  }

  test.each([
    ['goes without a word', [], '08006'],
    ['goes with a word of its own', [FATAL], '57P01, which it said itself'],
    ['goes after an error that was none of the kind', [errorResponse('42P01')], '08006'],
    ['goes in the middle of a word', [FATAL.subarray(0, 10)], '08006'],
  ])('that %s', async (_name, sent, expected) => {
    expect(await closingOf(sent, leave)).toBe(expected);
  });

  test.each([
    ['answers what nobody asked', [commandComplete('SELECT 1')]],
    ['is ready for what nobody asked', [readyForQuery()]],
    ['sends a length that cannot be', [frameHeader('N', 3)]],
    ['sends a message that is too large', [sizedFrame('N', 70_000)]],
  ])('that %s', async (_name, sent) => {
    expect(await closingOf(sent, stay)).toBe('08P01');
    expect(stage.unsolicited).toEqual([]);
  });

  test('has its last word delivered', async () => {
    await closingOf([FATAL], leave);
    expect(stage.unsolicited).toEqual([FATAL]);
  });

  test('is closed when the frontend cannot be told any more', async () => {
    stage.close();
    stage = await openRelayStage({
      takeUnsolicited: () => Promise.reject(new Error('bug')),
    });
    expect(await closingOf([errorResponse('42P01')], stay)).toBe('XX000');
  });

  test('that goes between two statements is told to the next one', async () => {
    leave();
    await untilFact(() => stage.closings.length > 0, 'the end');
    const { done } = stage.start();
    expect(summaryOf(await done)).toBe('FATAL 08006');
  });

  test('that said its last word between two statements is not spoken for', async () => {
    stage.far.send(FATAL);
    await untilFact(() => stage.unsolicited.length > 0, 'the last word');
    const { done } = stage.start();
    leave();
    expect(summaryOf(await done)).toBe('gone 57P01');
  });
});
