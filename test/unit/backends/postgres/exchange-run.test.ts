import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Limits } from '../../../../src/config.ts';
import { ServiceError } from '../../../../src/errors.ts';
import { Guard } from '../../../../src/guardrails/guard.ts';
import {
  ExchangeRun,
  stoppedError,
  truncatedCommandTag,
} from '../../../../src/backends/postgres/exchange-run.ts';
import { ReportedParameters } from '../../../../src/backends/postgres/reported-parameters.ts';
import {
  backendFrame,
  commandComplete,
  dataRow,
  errorResponse,
  parameterStatus,
  readyForQuery,
} from '../../../support/backend-frames.ts';

const ROW = dataRow('1');

let parameters: ReportedParameters;
let guard: Guard;
let run: ExchangeRun;

beforeEach(() => {
  open({});
});

function open(limits: Partial<Limits>): void {
  parameters = new ReportedParameters();
  guard = new Guard({
    rowsMax: 3,
    bytesMax: 10_000,
    queryTimeoutMs: 30_000,
    onLimit: 'error',
    ...limits,
  });
  run = new ExchangeRun(guard, parameters.note);
}

/** The verdicts on these frames, each at an offset, as a scanner shows them. */
function judge(...frames: readonly Buffer[]): string[] {
  return frames.map((frame) => askAbout(frame, run.judge));
}

function judgeDrained(...frames: readonly Buffer[]): string[] {
  return frames.map((frame) => askAbout(frame, run.judgeDrained));
}

function askAbout(frame: Buffer, visit: ExchangeRun['judge']): string {
  const before = Buffer.from('before');
  const bytes = Buffer.concat([before, frame, commandComplete('NEXT 9')]);
  return visit(frame.readUInt8(0), frame.length, bytes, before.length);
}

describe('judging what is relayed', () => {
  test.each([
    ['RowDescription', backendFrame('T', '\0\0'), 'forward'],
    ['DataRow', ROW, 'forward'],
    ['CommandComplete', commandComplete('SELECT 1'), 'forward'],
    ['EmptyQueryResponse', backendFrame('I', ''), 'forward'],
    ['NoticeResponse', backendFrame('N', 'SNOTICE\0\0'), 'forward'],
    ['NotificationResponse', backendFrame('A', '\0\0\0\x01c\0\0'), 'forward'],
    ['ParameterStatus', parameterStatus('TimeZone', 'UTC'), 'forward'],
    ['ErrorResponse', errorResponse('42P01'), 'forward'],
    ['CopyData', backendFrame('d', 'x'), 'forward'],
    ['what no version of the protocol knows', backendFrame('~', ''), 'forward'],
    ['ReadyForQuery', readyForQuery(), 'last'],
    ['CopyInResponse', backendFrame('G', '\0\0\0'), 'cut'],
    ['CopyOutResponse', backendFrame('H', '\0\0\0'), 'cut'],
    ['CopyBothResponse', backendFrame('W', '\0\0\0'), 'cut'],
  ])('%s', (_name, frame, verdict) => {
    expect(judge(frame)).toEqual([verdict]);
  });

  test('counts rows, and gives each of them once', () => {
    judge(ROW, ROW);
    expect(run.takeRows()).toBe(2);
    judge(ROW);
    expect([run.takeRows(), run.takeRows()]).toEqual([1, 0]);
    expect([guard.rows, guard.bytes]).toEqual([3, 3 * ROW.length]);
  });

  test('remembers what the frames said', () => {
    judge(
      parameterStatus('TimeZone', 'UTC'),
      commandComplete('SELECT 1'),
      commandComplete('INSERT 0 1'),
      errorResponse('22012'),
      readyForQuery('E'),
    );
    expect(parameters.values.get('TimeZone')).toBe('UTC');
    expect(run).toMatchObject({ status: 'E', hasFatal: false, isErrorForwarded: true });
    expect(run.isReady()).toBe(true);
    expect(run.readyEvent({ isForwarded: true })).toEqual({
      kind: 'ready',
      status: 'E',
      isForwarded: true,
      commandTags: ['SELECT 1', 'INSERT 0 1'],
      sqlState: '22012',
    });
  });

  test('remembers that the upstream ends the session, also when more follows', () => {
    judge(errorResponse('57P01', 'FATAL'), errorResponse('42P01'));
    expect(run).toMatchObject({ hasFatal: true, sqlState: '42P01', status: undefined });
    expect(run.isReady()).toBe(false);
  });

  test('keeps the first sixteen command tags of a long batch', () => {
    judge(...Array.from({ length: 20 }, (_, index) => commandComplete(`SELECT ${index}`)));
    expect(run.commandTags).toHaveLength(16);
    expect(run.commandTags.at(-1)).toBe('SELECT 15');
  });

  test.each([
    ['a status that is none', readyForQuery('X')],
    ['no status', readyForQuery('')],
    ['more than a status', readyForQuery('II')],
  ])('takes ReadyForQuery with %s for a fault of the upstream', (_name, frame) => {
    const expected = expect.objectContaining({
      name: 'ProtocolError',
      message: 'it sent a malformed ReadyForQuery',
    });
    expect(() => judge(frame)).toThrow(expected);
    expect(() => judgeDrained(frame)).toThrow(expected);
    expect(run.isReady()).toBe(false);
  });
});

describe('at a limit', () => {
  test('cuts before the row past it, and says that the upstream has to be told', () => {
    expect(judge(ROW, ROW, ROW, ROW)).toEqual(['forward', 'forward', 'forward', 'cut']);
    expect(run.stop).toMatchObject({
      needsCancel: true,
      error: { sqlState: '54000', severity: 'ERROR' },
    });
    expect(run.takeRows()).toBe(3);
    expect(run.takeSubstitutes()).toEqual([]);
  });

  test('keeps the reason that it was stopped for before', () => {
    const stop = { error: new ServiceError('57014', 'timeout'), needsCancel: true };
    run.stop = stop;
    judge(ROW, ROW, ROW, ROW, backendFrame('G', '\0\0\0'));
    expect(run.stop).toBe(stop);
  });

  test('truncates where it is told to, and goes on', () => {
    open({ onLimit: 'truncate' });
    expect(judge(ROW, ROW, ROW, ROW, ROW)).toEqual([
      'forward',
      'forward',
      'forward',
      'skip',
      'skip',
    ]);
    expect(run.stop).toBeUndefined();
    expect(run.takeSubstitutes()).toEqual([]);
    expect(judge(commandComplete('SELECT 5'))).toEqual(['end']);
    expect(run.takeSubstitutes()).toEqual([
      {
        kind: 'notice',
        notice: {
          severity: 'WARNING',
          sqlState: '01000',
          ...guard.describeCut(),
        },
      },
      { kind: 'complete', commandTag: 'SELECT 3' },
    ]);
    expect(run.takeSubstitutes()).toEqual([]);
    expect(run.commandTags).toEqual(['SELECT 5']);
  });

  test('truncates each result of a batch by what was delivered of it', () => {
    open({ onLimit: 'truncate' });
    expect(judge(ROW, ROW, commandComplete('SELECT 2'))).toEqual(['forward', 'forward', 'forward']);
    expect(judge(ROW, ROW, commandComplete('SELECT 2'))).toEqual(['forward', 'skip', 'end']);
    expect(run.takeSubstitutes()[1]).toEqual({ kind: 'complete', commandTag: 'SELECT 1' });
    expect(judge(commandComplete('SET'))).toEqual(['forward']);
    expect(judge(ROW, commandComplete('INSERT 0 1'))).toEqual(['skip', 'end']);
    expect(run.takeSubstitutes()[1]).toEqual({ kind: 'complete', commandTag: 'INSERT 0 1' });
  });
});

describe('judging what comes after a stop', () => {
  test.each([
    [
      'a result',
      [backendFrame('T', '\0\0'), ROW, commandComplete('SELECT 1')],
      ['skip', 'skip', 'skip'],
    ],
    [
      'COPY data',
      [backendFrame('H', '\0\0\0'), backendFrame('d', 'x'), backendFrame('c', '')],
      ['skip', 'skip', 'skip'],
    ],
    ['a notice', [backendFrame('N', 'SNOTICE\0\0')], ['skip']],
    ['a changed setting', [parameterStatus('TimeZone', 'UTC')], ['forward']],
    ['a notification', [backendFrame('A', '\0\0\0\x01c\0\0')], ['forward']],
    ['an error', [errorResponse('57014')], ['skip']],
    ["the upstream's last word", [errorResponse('57P01', 'FATAL')], ['forward']],
    ['the end', [readyForQuery('T')], ['end']],
  ])('%s', (_name, frames, verdicts) => {
    expect(judgeDrained(...frames)).toEqual(verdicts);
  });

  test('counts no row, and remembers the rest', () => {
    judgeDrained(
      ROW,
      parameterStatus('TimeZone', 'UTC'),
      commandComplete('SELECT 9'),
      errorResponse('57014'),
      readyForQuery('E'),
    );
    expect(guard.rows).toBe(0);
    expect(parameters.values.get('TimeZone')).toBe('UTC');
    expect(run).toMatchObject({
      commandTags: ['SELECT 9'],
      sqlState: '57014',
      status: 'E',
      isErrorForwarded: false,
      isReadyForwarded: false,
    });
  });

  test('counts every CopyInResponse, which the upstream waits behind', () => {
    const copyIn = backendFrame('G', '\0\0\0');
    expect(judgeDrained(copyIn, copyIn)).toEqual(['skip', 'skip']);
    expect(run.copyInAfterStop).toBe(2);
  });
});

describe('at a COPY', () => {
  test.each([
    ['G', false],
    ['H', true],
    ['W', true],
  ])('of type %s, whether a cancel is needed: %s', (type, needsCancel) => {
    judge(backendFrame(type, '\0\0\0'));
    expect(run.stop).toMatchObject({
      needsCancel,
      error: {
        sqlState: '0A000',
        severity: 'ERROR',
        message: 'COPY is not supported through Gatepost',
        hint: expect.stringContaining('INSERT'),
      },
    });
  });
});

describe('stoppedError', () => {
  const cause = new Error('underneath');
  const error = new ServiceError('54000', 'Result cut', { detail: 'Ours', hint: 'h', cause });

  test('is the reason where the upstream was stopped', () => {
    expect(stoppedError({ error, needsCancel: true }, '57014')).toBe(error);
  });

  test.each([
    [error, 'Ours. The upstream had finished'],
    [new ServiceError('57P01', 'Bye', { severity: 'FATAL' }), 'The upstream had finished'],
  ])('says that the effects stand where the upstream was done before: %#', (reason, detail) => {
    const told = stoppedError({ error: reason, needsCancel: true }, undefined);
    const { sqlState, severity, message, hint } = reason;
    expect(told).toMatchObject({ sqlState, severity, message, hint });
    expect(told.detail).toBe(`${detail} before it could be stopped, so that its effects stand`);
    expect(told.cause).toBe(reason.cause);
  });
});

describe('truncatedCommandTag', () => {
  test.each([
    ['SELECT 1000', 5, 'SELECT 5'],
    ['SELECT 0', 0, 'SELECT 0'],
    ['FETCH 12', 3, 'FETCH 3'],
    ['INSERT 0 1000', 5, 'INSERT 0 1000'],
    ['UPDATE 7', 5, 'UPDATE 7'],
    ['DELETE 7', 5, 'DELETE 7'],
    ['MERGE 7', 5, 'MERGE 7'],
    ['EXPLAIN', 5, 'EXPLAIN'],
    ['SHOW', 0, 'SHOW'],
    ['SELECT', 5, 'SELECT'],
  ])('of %s with %d rows delivered is %s', (commandTag, delivered, expected) => {
    expect(truncatedCommandTag(commandTag, delivered)).toBe(expected);
  });
});
