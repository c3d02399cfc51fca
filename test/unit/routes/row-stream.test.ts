import express from 'express';
import supertest from 'supertest';
import { describe, expect, it, test } from '@jest/globals';
import { createErrorHandler } from '../../../routes/error-handler.ts';
import { RESULT_FORMATS } from '../../../routes/result-format.ts';
import type { ResultShape } from '../../../routes/result-writer.ts';
import { affectedRows } from '../../../routes/result-writer.ts';
import { streamResults } from '../../../routes/row-stream.ts';
import type { ResultEvent, ResultEvents } from '../../../src/backends/pool.ts';
import { ServiceError } from '../../../src/errors.ts';
import { Guard } from '../../../src/guardrails/guard.ts';
import { createRecorder, parseJsonLines } from '../../support/observations.ts';

const COLUMNS = { kind: 'columns', columns: [{ name: 'n', typeOid: 23 }] } as const;
const DOCUMENTS = { kind: 'columns', columns: [{ name: 'result', typeOid: 114 }] } as const;
const DONE = { kind: 'complete', commandTag: 'SELECT 2' } as const;

function rowsOf(...values: readonly (string | null)[]): ResultEvent {
  const rows = values.map((value) => [value === null ? null : Buffer.from(value)]);
  return { kind: 'rows', rows };
}

function noticeOf(message: string): ResultEvent {
  return { kind: 'notice', notice: { severity: 'NOTICE', sqlState: '00000', message } };
}

type Step = ResultEvent | Error;

interface Answered {
  readonly response: supertest.Response;
  readonly faults: readonly unknown[];
  /** Whether what gives the events was told that nobody takes more. */
  readonly isClosed: boolean;
}

/** Answers with these events, the last of which may be an error. */
async function answer(
  steps: readonly Step[],
  { format = 'application/json', ...shape }: Partial<ResultShape> & { format?: string } = {},
): Promise<Answered> {
  let isClosed = false;
  // eslint-disable-next-line @typescript-eslint/require-await -- a generator of what is there
  async function* events(): ResultEvents {
    try {
      for (const step of steps) {
        if (step instanceof Error) {
          throw step;
        }
        yield step;
      }
    } finally {
      isClosed = true;
    }
  }
  const recorder = createRecorder();
  const limits = { rowsMax: 9, bytesMax: 9, queryTimeoutMs: 9, onLimit: 'truncate' } as const;
  const summary = { guard: new Guard(limits), durationMs: 1.23456 };
  const app = express();
  app.get('/', async (_request, response) => {
    await streamResults(
      response,
      { events: events(), summary, signal: new AbortController().signal },
      {
        format: RESULT_FORMATS[format]!,
        shape: { backend: 'postgres', rowMode: 'object', isSeveral: false, ...shape },
      },
    );
  });
  app.use(createErrorHandler(recorder));
  const response = await supertest(app).get('/');
  return { response, faults: recorder.observations, isClosed };
}

async function linesOf(steps: readonly Step[]): Promise<unknown[]> {
  const { response } = await answer(steps, { format: 'application/x-ndjson' });
  return parseJsonLines(response.text);
}

describe('results as JSON', () => {
  it('have their rows in one list, however they came', async () => {
    const steps = [COLUMNS, rowsOf('1', null), rowsOf(), rowsOf('3'), DONE];
    const { response, isClosed } = await answer(steps);
    expect(response.text).toBe(
      '{"columns":[{"name":"n","type":"int4","oid":23}],"rows":[{"n":1},{"n":null},{"n":3}],' +
        '"rowCount":3,"commandTag":"SELECT 2","truncated":false,"durationMs":1.235}',
    );
    expect(isClosed).toBe(true);
  });

  it('are documents where the database has documents', async () => {
    const steps = [DOCUMENTS, rowsOf('{"a":1}', 'null', null), DONE];
    const { response } = await answer(steps, { backend: 'mongodb' });
    expect(response.body).toMatchObject({ rows: [{ a: 1 }, null, null] });
  });

  it('of nothing at all are an empty result, or an empty list', async () => {
    const one = await answer([]);
    expect(one.response.body).toMatchObject({ columns: [], rows: [], rowCount: 0 });
    const several = await answer([], { isSeveral: true });
    expect(several.response.body).toEqual({ results: [], durationMs: 1.235 });
  });

  it('are a problem where there are several and one was expected', async () => {
    const { response, isClosed } = await answer([COLUMNS, DONE, COLUMNS, DONE]);
    expect([response.status, response.body]).toMatchObject([400, { sqlState: '0A000' }]);
    expect(isClosed).toBe(true);
  });

  it('show the first hundred notices', async () => {
    const notices = Array.from({ length: 150 }, (_, index) => noticeOf(String(index)));
    const { response } = await answer([...notices, DONE]);
    const { notices: shown } = response.body as { notices: { message: string }[] };
    expect([shown.length, shown.at(-1)?.message]).toEqual([100, '99']);
  });
});

describe('results as lines', () => {
  it('end with what was there', async () => {
    expect(await linesOf([COLUMNS, rowsOf('1', '2'), noticeOf('x'), DONE])).toEqual([
      { n: 1 },
      { n: 2 },
      {
        $meta: {
          rows: 2,
          bytes: '{"n":1}\n{"n":2}\n'.length,
          truncated: false,
          commandTag: 'SELECT 2',
          columns: [{ name: 'n', type: 'int4', oid: 23 }],
          durationMs: 1.235,
          notices: [{ severity: 'NOTICE', sqlState: '00000', message: 'x' }],
        },
      },
    ]);
  });

  it('count each result by itself', async () => {
    const steps = [COLUMNS, rowsOf('1'), DONE, DONE, COLUMNS, rowsOf('2', '3'), DONE];
    expect(await linesOf(steps)).toMatchObject([
      { n: 1 },
      { $meta: { rows: 1, bytes: 8, more: true } },
      { $meta: { rows: 0, bytes: 0, columns: [], more: true } },
      { n: 2 },
      { n: 3 },
      { $meta: { rows: 2, bytes: 16, durationMs: 1.235 } },
    ]);
  });

  it('tell an error after the first row', async () => {
    const error = new ServiceError('22012', 'division by zero', { hint: 'x' });
    expect(await linesOf([COLUMNS, rowsOf('1'), error])).toEqual([
      { n: 1 },
      {
        $meta: {
          rows: 1,
          bytes: 8,
          truncated: true,
          sqlState: '22012',
          message: 'division by zero',
          hint: 'x',
          durationMs: 1.235,
        },
      },
    ]);
  });
});

describe('an error', () => {
  const ERROR = new ServiceError('22012', 'division by zero');

  test.each(Object.keys(RESULT_FORMATS))(
    'before the first row is a problem: %s',
    async (format) => {
      const { response, isClosed } = await answer([COLUMNS, ERROR], { format });
      expect([response.status, response.type]).toEqual([400, 'application/problem+json']);
      expect(isClosed).toBe(true);
    },
  );

  test.each(['application/x-ndjson', 'text/csv'])(
    'of ours in the middle cuts the answer off: %s',
    async (format) => {
      const fault = new Error('a bug');
      await expect(answer([COLUMNS, rowsOf('1'), fault], { format })).rejects.toThrow(
        /aborted|hang up/,
      );
    },
  );

  it('in the middle cuts CSV off', async () => {
    const answered = answer([COLUMNS, rowsOf('1'), ERROR], { format: 'text/csv' });
    await expect(answered).rejects.toThrow(/aborted|hang up/);
  });
});

test.each([
  ['INSERT 0 3', 3],
  ['UPDATE 12', 12],
  ['CREATE TABLE', 0],
  ['', 0],
])('the tag %j tells of %d rows', (tag, rows) => {
  expect(affectedRows(tag)).toBe(rows);
});
