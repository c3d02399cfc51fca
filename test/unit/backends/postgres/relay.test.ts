// A relay whose upstream does what it should: answers, and asynchronous messages.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  backendFrame,
  commandComplete,
  dataRow,
  errorResponse,
  frameTypes,
  inPieces,
  parameterStatus,
  readyForQuery,
  report,
  sizedFrame,
} from '../../../support/backend-frames.ts';
import { untilFact } from '../../../support/facts.ts';
import { RECORDED_SESSION } from '../../../support/recorded-session.ts';
import { forwardedBytes, openRelayStage, summaryOf } from '../../../support/relay-stage.ts';
import type { RelayStage } from '../../../support/relay-stage.ts';
import { queryFrame } from '../../../support/wire-client.ts';

const MEBIBYTE = 1024 * 1024;

const COLUMNS = backendFrame('T', '\0\x01one\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0');
const NOTICE = report('N', { S: 'NOTICE', V: 'NOTICE', C: '00000', M: 'seen' });
const NOTIFICATION = backendFrame('A', '\0\0\0\x01channel\0payload\0');

const ANSWER = [COLUMNS, dataRow('1'), dataRow('2'), commandComplete('SELECT 2'), readyForQuery()];

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

describe('an exchange', () => {
  test('sends what it is given, and hands on what is answered, unchanged', async () => {
    const { done } = stage.start({ frames: [queryFrame("select 'ü'")] });
    expect((await stage.far.frame()).bytes).toEqual(queryFrame("select 'ü'"));
    stage.far.send(...ANSWER);
    const events = await done;
    expect(forwardedBytes(events)).toEqual(Buffer.concat(ANSWER));
    expect(events.at(-1)).toEqual({
      kind: 'ready',
      status: 'I',
      isForwarded: true,
      commandTags: ['SELECT 2'],
      sqlState: undefined,
    });
  });

  test('hands on an answer that is split at any byte, and counts its rows once', async () => {
    const answer = Buffer.concat([...ANSWER.slice(0, -1), NOTICE, readyForQuery('T')]);
    for (let at = 1; at < answer.length; at += 1) {
      const { done, guard } = stage.start();
      await untilAsked();
      await stage.far.sendInPieces([answer.subarray(0, at), answer.subarray(at)]);
      const events = await done;
      expect(forwardedBytes(events).equals(answer)).toBe(true);
      expect(summaryOf(events)).toBe('TDDCNZ, was ready T');
      expect(guard.rows).toBe(2);
      const rows = events.map((event) => (event.kind === 'frames' ? event.rows : 0));
      expect(rows.reduce((sum, count) => sum + count)).toBe(2);
    }
  });

  test('hands on everything that PostgreSQL said, one exchange at a time', async () => {
    const key = RECORDED_SESSION.indexOf('K\0\0\0\x0c');
    const recorded = RECORDED_SESSION.subarray(key + 13 + 6);
    let rest = recorded;
    const summaries: string[] = [];
    while (rest.length > 0) {
      const end = rest.indexOf('Z\0\0\0\x05') + 6;
      const { done } = stage.start({ limits: { rowsMax: 100 } });
      await untilAsked();
      stage.far.send(rest.subarray(0, end));
      const events = await done;
      expect(forwardedBytes(events)).toEqual(rest.subarray(0, end));
      summaries.push(summaryOf(events));
      rest = rest.subarray(end);
    }
    expect(summaries).toEqual([
      'TDCZ, was ready I',
      'TDDCZ, was ready I',
      'IZ, was ready I',
      'CSZ, was ready I',
      'NCZ, was ready I',
      'CCAZ, was ready I',
      'CZ, was ready T',
      'EZ, was ready E',
      'CZ, was ready I',
      'TDDCZ, was ready I',
    ]);
    expect(stage.relay.parameters.get('application_name')).toBe('recorded');
  });

  test('remembers an error of the upstream, and is ready for the next one', async () => {
    const failed = stage.start();
    await untilAsked();
    stage.far.send(errorResponse('42P01'), readyForQuery('E'));
    expect((await failed.done).at(-1)).toMatchObject({ status: 'E', sqlState: '42P01' });
    const next = stage.start();
    await untilAsked();
    stage.far.send(...ANSWER);
    expect((await next.done).at(-1)).toMatchObject({ status: 'I', sqlState: undefined });
  });

  test('hands on a frame over several reads as it comes', async () => {
    const large = sizedFrame('D', 3 * MEBIBYTE);
    const { done } = stage.start({ limits: { bytesMax: large.length } });
    await untilAsked();
    stage.far.send(COLUMNS, large, commandComplete('SELECT 1'), readyForQuery());
    const events = await done;
    expect(summaryOf(events)).toBe('TDCZ, was ready I');
    expect(forwardedBytes(events).includes(large)).toBe(true);
    expect(events.length).toBeGreaterThan(10);
  });

  test('lets frames go on while it is answered', async () => {
    let goOn = (): void => undefined;
    const more = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    async function* frames(): AsyncGenerator<Buffer, void, undefined> {
      yield queryFrame('first');
      await more;
      yield queryFrame('second');
    }
    const { done } = stage.start({ frames: frames(), onEvent: goOn });
    await untilAsked();
    stage.far.send(COLUMNS);
    await untilAsked();
    stage.far.send(...ANSWER.slice(1));
    expect(summaryOf(await done)).toBe('TDDCZ, was ready I');
  });

  test('holds the upstream back while the frontend does not take its events', async () => {
    let goOn = (): void => undefined;
    const room = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const row = sizedFrame('D', 50_000);
    const { done, events } = stage.start({
      limits: { rowsMax: 1000, bytesMax: 1e9 },
      onEvent: async () => {
        await room;
      },
    });
    await untilAsked();
    stage.far.send(COLUMNS, ...Array.from({ length: 400 }, () => row));
    stage.far.send(commandComplete('SELECT 400'), readyForQuery());
    await untilFact(() => stage.near.isPaused(), 'the upstream to be held back');
    // The queue, the chunk that filled it, and what a paused socket still reads ahead.
    expect(stage.near.bytesRead).toBeLessThanOrEqual((256 + 64 + 2 * 64) * 1024 + COLUMNS.length);
    expect(events).toHaveLength(1);
    goOn();
    const all = await done;
    expect(forwardedBytes(all)).toHaveLength(
      Buffer.concat([COLUMNS, commandComplete('SELECT 400'), readyForQuery()]).length +
        400 * row.length,
    );
  });
});

describe('between exchanges', () => {
  test('asynchronous messages go to the frontend, whole, however they come', async () => {
    const messages = [NOTIFICATION, NOTICE, parameterStatus('TimeZone', 'Europe/Berlin')];
    const bytes = Buffer.concat(messages);
    await stage.far.sendInPieces(inPieces(bytes, 9));
    await untilFact(() => Buffer.concat(stage.unsolicited).equals(bytes), 'all messages');
    expect(stage.relay.parameters.get('TimeZone')).toBe('Europe/Berlin');
    const calls = stage.unsolicited.map((call) => frameTypes(call)).join('');
    expect(calls).toBe('ANS');
  });

  test('messages right behind an answer belong to nobody, and go on as well', async () => {
    const { done } = stage.start();
    await untilAsked();
    stage.far.send(...ANSWER, NOTIFICATION, NOTICE.subarray(0, 8));
    expect(summaryOf(await done)).toBe('TDDCZ, was ready I');
    await untilFact(() => stage.unsolicited.length === 1, 'the notification');
    expect(stage.unsolicited[0]).toEqual(NOTIFICATION);
    const next = stage.start();
    await untilAsked();
    stage.far.send(NOTICE.subarray(8), ...ANSWER);
    expect(summaryOf(await next.done)).toBe('NTDDCZ, was ready I');
  });

  test('the frontend sets the pace', async () => {
    stage.close();
    let goOn = (): void => undefined;
    const taken = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    stage = await openRelayStage({
      takeUnsolicited: async () => {
        await taken;
      },
    });
    stage.far.send(NOTIFICATION);
    await untilFact(() => stage.unsolicited.length === 1, 'the notification');
    expect(stage.near.isPaused()).toBe(true);
    goOn();
    await untilFact(() => !stage.near.isPaused(), 'the upstream to go on');
  });
});
