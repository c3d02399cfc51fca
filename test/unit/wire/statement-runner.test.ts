import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { BackendEvent, Exchange } from '../../../src/backends/backend.ts';
import { ServiceError } from '../../../src/errors.ts';
import type { StatementFinished } from '../../../src/observation.ts';
import {
  commandComplete,
  dataRow,
  errorResponse,
  readyForQuery,
  sizedFrame,
} from '../../support/backend-frames.ts';
import { untilFact } from '../../support/facts.ts';
import {
  openStatementStage,
  plays,
  ready,
  RUNNER_SESSION,
  untilStopped,
} from '../../support/statement-stage.ts';
import type { Answer, StatementStage } from '../../support/statement-stage.ts';
import { queryFrame, reportFields, typesOf } from '../../support/wire-client.ts';

const ROW = dataRow('1');

let stage: StatementStage;

beforeEach(async () => {
  stage = await openStatementStage();
});

afterEach(() => {
  stage.close();
});

function frames(...chunks: readonly Buffer[]): BackendEvent {
  return { kind: 'frames', chunks, rows: 0 };
}

describe('a statement that runs', () => {
  test('goes to the backend as it came, and its frames to the client as they are', async () => {
    const chunks = [ROW, commandComplete('SELECT 1'), readyForQuery()];
    stage.answers.push(plays(frames(...chunks), ready({ commandTags: ['SELECT 1'] })));
    const query = queryFrame('select 1');
    expect(await stage.createRunner().run(query, 'I')).toBe('I');
    expect(stage.exchanges[0]?.frames).toEqual([query]);
    const expected = Buffer.concat(chunks);
    expect(await stage.far.bytes(expected.length)).toEqual(expected);
    expect(stage.connection.sentBytes).toBe(expected.length);
  });

  test('is observed with everything that can be counted', async () => {
    const sent = [ROW, ROW, commandComplete('SELECT 2'), readyForQuery('T')];
    stage.answers.push(async function* play({ guard }) {
      guard.countRow(ROW.length);
      guard.countRow(ROW.length);
      yield await Promise.resolve(frames(...sent));
      yield ready({ status: 'T', commandTags: ['SELECT 2'] });
    });
    const runner = stage.createRunner();
    expect(await runner.run(queryFrame("select 'ü'"), 'T')).toBe('T');
    expect(stage.observations).toEqual([
      {
        kind: 'statement-finished',
        session: RUNNER_SESSION,
        text: "select 'ü'",
        commandTags: ['SELECT 2'],
        rows: 2,
        bytes: 2 * ROW.length,
        receivedBytes: queryFrame("select 'ü'").length,
        sentBytes: Buffer.concat(sent).length,
        durationMs: expect.any(Number),
        outcome: 'ok',
        sqlState: undefined,
        limit: undefined,
      },
    ]);
    expect([runner.statements, runner.rows]).toEqual([1, 2]);
  });

  test('is said in frames of ours where the backend gives no frames', async () => {
    const notice = { severity: 'WARNING', sqlState: '01000', message: 'Result cut', hint: 'h' };
    stage.answers.push(
      plays(
        { kind: 'notice', notice },
        { kind: 'complete', commandTag: 'SELECT 2' },
        ready({ isForwarded: false, status: 'T' }),
      ),
    );
    await stage.createRunner().run(queryFrame('select 1'), 'T');
    const received = await stage.far.untilReady();
    expect(typesOf(received)).toBe('NCZ');
    expect(reportFields(received[0])).toMatchObject({ S: 'WARNING', C: '01000', M: 'Result cut' });
    expect(received[1]?.bytes).toEqual(commandComplete('SELECT 2'));
    expect(received[2]?.bytes).toEqual(readyForQuery('T'));
  });

  test('waits with each step until the client has taken the one before', async () => {
    let steps = 0;
    const chunk = sizedFrame('D', 4 * 1024 * 1024);
    stage.answers.push(async function* play() {
      for (; steps < 8; steps += 1) {
        yield await Promise.resolve(frames(chunk));
      }
      yield ready();
    });
    stage.far.pause();
    const run = stage.createRunner().run(queryFrame('select 1'), 'I');
    await untilFact(() => !stage.connection.hasRoom, 'the client to be behind');
    const stepsThen = steps;
    await new Promise((resolve) => setImmediate(resolve));
    expect(steps).toBe(stepsThen);
    stage.far.resume();
    await run;
    expect(steps).toBe(8);
    expect(stage.connection.hasRoom).toBe(true);
  });

  test('names the application as the client named it last', async () => {
    const runner = stage.createRunner();
    stage.answers.push(plays(ready()), plays(ready()));
    await runner.run(queryFrame('select 1'), 'I');
    stage.parameters.set('application_name', 'reports');
    await runner.run(queryFrame('select 2'), 'I');
    expect(stage.finished().map(({ session }) => session)).toEqual([
      RUNNER_SESSION,
      { ...RUNNER_SESSION, applicationName: 'reports' },
    ]);
  });
});

describe('how a statement ended', () => {
  const copy = new ServiceError('0A000', 'COPY is not supported');

  function exceed({ guard }: Exchange): void {
    for (let row = 0; row < 3; row += 1) {
      guard.countRow(ROW.length);
    }
  }

  const courses: readonly (readonly [string, Answer, Partial<StatementFinished>])[] = [
    ['ok', plays(ready()), { outcome: 'ok', sqlState: undefined }],
    [
      "error: the database's own",
      plays(frames(errorResponse('42P01'), readyForQuery()), ready({ sqlState: '42P01' })),
      { outcome: 'error', sqlState: '42P01' },
    ],
    [
      'error: cancelled by somebody else',
      plays(frames(errorResponse('57014')), ready({ sqlState: '57014' })),
      { outcome: 'error', sqlState: '57014' },
    ],
    [
      'refused: an error of ours without a limit',
      plays({ kind: 'error', error: copy }, ready({ isForwarded: false, sqlState: '0A000' })),
      { outcome: 'refused', sqlState: '0A000' },
    ],
    [
      "error: the database's own, in an error that is encoded here",
      plays(
        { kind: 'error', error: copy, isFromDatabase: true },
        ready({ isForwarded: false, sqlState: '0A000' }),
      ),
      { outcome: 'error', sqlState: '0A000' },
    ],
    [
      'limited: an error of ours at a limit',
      async function* play(exchange) {
        exceed(exchange);
        yield await Promise.resolve({ kind: 'error', error: exchange.guard.cutError() } as const);
        yield ready({ isForwarded: false, sqlState: '54000' });
      },
      { outcome: 'limited', sqlState: '54000', limit: 'rows', rows: 2, bytes: 2 * ROW.length },
    ],
    [
      'truncated: a limit, and no error',
      async function* play(exchange) {
        exceed(exchange);
        yield await Promise.resolve(ready());
      },
      { outcome: 'truncated', sqlState: undefined, limit: 'rows', rows: 2 },
    ],
    [
      "error: the database's own behind a limit",
      async function* play(exchange) {
        exceed(exchange);
        yield await Promise.resolve(ready({ sqlState: '22012' }));
      },
      { outcome: 'error', sqlState: '22012', limit: 'rows' },
    ],
    ['aborted: the backend has gone', plays(), { outcome: 'aborted', sqlState: undefined }],
    [
      'aborted: the backend has gone with a word of ours',
      plays({
        kind: 'error',
        error: new ServiceError('08006', 'Lost', { severity: 'FATAL' }),
      }),
      { outcome: 'aborted', sqlState: '08006' },
    ],
    [
      'aborted: the backend has gone with a word of its own',
      plays(frames(errorResponse('57P01', 'FATAL')), {
        kind: 'gone',
        error: new ServiceError('57P01', 'The upstream ended the session', { severity: 'FATAL' }),
      }),
      { outcome: 'aborted', sqlState: '57P01' },
    ],
  ];

  test.each(courses)('%s', async (_name, answer, expected) => {
    stage.answers.push(answer);
    await stage.createRunner().run(queryFrame('select 1'), 'I');
    expect(stage.finished().at(-1)).toMatchObject(expected);
  });

  test('cancelled: the client asked for it', async () => {
    const runner = stage.createRunner();
    stage.answers.push(async function* play() {
      expect(await runner.cancel()).toBe('matched');
      yield ready({ sqlState: '57014' });
    });
    await runner.run(queryFrame('select 1'), 'I');
    expect(stage.finished().at(-1)).toMatchObject({ outcome: 'cancelled', sqlState: '57014' });
    expect(stage.cancels).toBe(1);
  });

  test('error: the client asked for a cancel, and the statement failed before', async () => {
    const runner = stage.createRunner();
    stage.answers.push(async function* play() {
      await runner.cancel();
      yield ready({ sqlState: '22012' });
    });
    await runner.run(queryFrame('select 1'), 'I');
    expect(stage.finished().at(-1)?.outcome).toBe('error');
  });

  test('timeout: it took longer than it may', async () => {
    const runner = stage.createRunner({ limits: { queryTimeoutMs: 20 } });
    stage.answers.push(untilStopped, plays(ready()));
    expect(await runner.run(queryFrame('select 1'), 'T')).toBe('I');
    expect(stage.finished().at(-1)).toMatchObject({ outcome: 'timeout', sqlState: '57014' });
    expect(reportFields((await stage.far.untilReady())[0])).toMatchObject({
      S: 'ERROR',
      C: '57014',
      M: 'canceling statement due to query timeout',
      D: `Session ${RUNNER_SESSION.sessionId}`,
    });
    await runner.run(queryFrame('select 2'), 'I');
    expect(stage.finished().at(-1)?.outcome).toBe('ok');
  });
});

describe('what a session learns', () => {
  const fatal = new ServiceError('57P01', 'Bye', { severity: 'FATAL' });

  const lastWord: BackendEvent = { kind: 'error', error: fatal };
  const encoded = ready({ status: 'T', isForwarded: false });

  test.each([
    ['the status of the backend', plays(ready({ status: 'E' })), ['E', undefined, '']],
    ['the status that is encoded here', plays(encoded), ['T', undefined, 'Z']],
    ['that it has to end, without a word', plays(), [undefined, undefined, '']],
    ['that it has to end, and why', plays(lastWord), [undefined, fatal, 'E']],
    ['nothing behind the last word', plays(lastWord, encoded), [undefined, fatal, 'E']],
    [
      'why, where the client is not to be told',
      plays({ kind: 'gone', error: fatal }),
      [undefined, fatal, ''],
    ],
  ] as const)('%s', async (_name, answer, [status, reason, types]) => {
    stage.answers.push(answer);
    const runner = stage.createRunner();
    expect(await runner.run(queryFrame('select 1'), 'I')).toBe(status);
    expect(runner.fatal).toBe(reason);
    void stage.connection.end();
    const received = await stage.far.closed();
    expect(received.toString('latin1', 0, 1)).toBe(types);
    expect(stage.connection.sentBytes).toBe(received.length);
  });

  test('of a fault of the backend, and the next statement is not stopped for it', async () => {
    const runner = stage.createRunner();
    await expect(runner.run(queryFrame('select 1'), 'I')).rejects.toThrow('Nothing more to play');
    expect(stage.finished().at(-1)).toMatchObject({ outcome: 'aborted', sqlState: 'XX000' });
    expect(await runner.cancel()).toBe('late');
    stage.answers.push(plays(ready()));
    expect(await runner.run(queryFrame('select 1'), 'I')).toBe('I');
  });
});

describe('a result that the backend did not encode', () => {
  test('is sent as the protocol has it, in the order in which it came', async () => {
    stage.answers.push(
      plays(
        { kind: 'columns', columns: [{ name: 'result', typeOid: 114 }] },
        { kind: 'rows', rows: [[Buffer.from('{}')], [null]] },
        { kind: 'complete', commandTag: 'SELECT 2' },
        { kind: 'parameter', setting: ['application_name', 'new'] },
        { kind: 'empty' },
        ready({ isForwarded: false }),
      ),
    );
    await stage.createRunner().run(queryFrame('db.c.find()'), 'I');
    const frames = await stage.far.untilReady();
    expect(frames.map(({ type }) => type).join('')).toBe('TDDCSIZ');
    expect(frames[1]?.bytes.toString('latin1')).toContain('{}');
    expect(frames[4]?.bytes.toString('latin1')).toContain('application_name\0new\0');
  });

  test("has the database's own error without our session in its DETAIL", async () => {
    const error = new ServiceError('XX000', 'MongoServerError[BadValue]: bad', { detail: '{}' });
    stage.answers.push(
      plays({ kind: 'error', error, isFromDatabase: true }, ready({ isForwarded: false })),
    );
    await stage.createRunner().run(queryFrame('db.c.find()'), 'I');
    const [frame] = await stage.far.untilReady();
    expect(frame?.bytes.toString('latin1')).toContain('\0D{}\0');
  });
});
