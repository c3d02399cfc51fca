import { beforeEach, describe, expect, it } from '@jest/globals';
import { createStatementRunner } from '../../../routes/statement-run.ts';
import type { StatementRequest } from '../../../routes/statement-run.ts';
import { collectResult } from '../../../src/backends/pool.ts';
import type { Account } from '../../../src/account.ts';
import type { ResultEvents, StatementRun } from '../../../src/backends/pool.ts';
import { ServiceError } from '../../../src/errors.ts';
import type { StatementFinished } from '../../../src/observation.ts';
import { createRecorder } from '../../support/observations.ts';

const ROW = [Buffer.from('1')];

let recorder: ReturnType<typeof createRecorder>;
let client: AbortController;

beforeEach(() => {
  recorder = createRecorder();
  client = new AbortController();
});

function requestOf(limits: Partial<StatementRequest['limits']> = {}): StatementRequest {
  return {
    context: {
      requestId: 'id-1',
      address: '192.0.2.7',
      signal: client.signal,
      caller: 'dashboards',
      scope: 'read',
    },
    backend: 'postgres',
    database: 'orders',
    text: 'select ü',
    limits: {
      rowsMax: 2,
      bytesMax: 1000,
      queryTimeoutMs: 60_000,
      onLimit: 'error',
      ...limits,
    },
    access: 'read-only',
    route: 'POST /query',
  };
}

/** A statement that gives so many rows, as a pool would. */
async function* rowsOf(count: number, run: StatementRun): ResultEvents {
  yield { kind: 'columns', columns: [{ name: 'a', typeOid: 23 }] };
  for (let index = 0; index < count; index += 1) {
    await Promise.resolve();
    if (!run.guard.countRow(20)) {
      if (run.guard.limits.onLimit === 'error') {
        throw run.guard.cutError();
      }
      break;
    }
    yield { kind: 'rows', rows: [ROW] };
  }
  yield { kind: 'complete', commandTag: `SELECT ${run.guard.rows}` };
}

/** A statement that runs until it is stopped. */
async function* endless(run: StatementRun): ResultEvents {
  await new Promise<void>((resolve) => {
    run.signal.addEventListener('abort', () => resolve());
    if (run.signal.aborted) {
      resolve();
    }
  });
  run.signal.throwIfAborted();
  yield { kind: 'empty' };
}

/** What was observed of the one statement. */
function observed(): StatementFinished {
  const [statement, ...others] = recorder.observations.filter(
    (one) => one.kind === 'statement-finished',
  );
  expect(others).toEqual([]);
  if (statement === undefined) {
    throw new Error('No statement was observed');
  }
  return statement;
}

function start(
  open: (run: StatementRun) => ResultEvents,
  limits?: Partial<StatementRequest['limits']>,
): ReturnType<ReturnType<typeof createStatementRunner>['run']> {
  return createStatementRunner(recorder).run(requestOf(limits), open);
}

describe('A statement of a request', () => {
  it('is observed with who asked, what, and what came of it', async () => {
    const { events, summary } = start((run) => rowsOf(2, run));
    await collectResult(events);
    expect(summary.guard.rows).toBe(2);
    expect(summary.durationMs).toBeGreaterThan(0);
    expect(observed()).toMatchObject({
      session: {
        sessionId: 'id-1',
        listener: 'http',
        backend: 'postgres',
        user: 'dashboards',
        database: 'orders',
        address: '192.0.2.7',
        applicationName: 'POST /query',
      },
      text: 'select ü',
      commandTags: ['SELECT 2'],
      rows: 2,
      bytes: 40,
      receivedBytes: 9,
      outcome: 'ok',
      sqlState: undefined,
      limit: undefined,
    });
  });

  it('is given its limits, its access and a label', async () => {
    const seen: StatementRun[] = [];
    const { events } = start((run) => {
      seen.push(run);
      return rowsOf(0, run);
    });
    await collectResult(events);
    expect(seen[0]).toMatchObject({ access: 'read-only', label: 'POST /query id-1' });
  });

  it.each([
    ['error', 'limited', '54000'],
    ['truncate', 'truncated', undefined],
  ] as const)('at a limit with %s is observed as %s', async (onLimit, outcome, sqlState) => {
    const { events } = start((run) => rowsOf(3, run), { onLimit });
    await collectResult(events).catch(() => undefined);
    expect(observed()).toMatchObject({ outcome, sqlState, rows: 2, limit: 'rows' });
  });

  it.each([
    ['42501', 'refused'],
    ['25006', 'refused'],
    ['42P01', 'error'],
  ])('that fails with %s is observed as %s', async (sqlState, outcome) => {
    const { events } = start(() => {
      throw new ServiceError(sqlState, 'no');
    });
    await expect(collectResult(events)).rejects.toMatchObject({ sqlState });
    expect(observed()).toMatchObject({ outcome, sqlState });
  });

  it('shows nothing of a fault of ours, and observes it', async () => {
    const fault = new Error('connect to postgres://ann:geheim@db1');
    const { events } = start(() => {
      throw fault;
    });
    await expect(collectResult(events)).rejects.toMatchObject({
      sqlState: 'XX000',
      message: 'Internal error in Gatepost',
    });
    expect(recorder.observations).toContainEqual({
      kind: 'fault',
      component: 'http',
      error: fault,
      sessionId: 'id-1',
    });
  });

  it('is stopped by the query timeout', async () => {
    const { events } = start(endless, { queryTimeoutMs: 10 });
    await expect(collectResult(events)).rejects.toMatchObject({
      sqlState: '57014',
      message: 'canceling statement due to query timeout',
      hint: expect.stringContaining('10 ms') as unknown,
    });
    expect(observed()).toMatchObject({ outcome: 'timeout', sqlState: '57014' });
  });

  it('is stopped when its client has gone', async () => {
    const { events } = start(endless);
    const collected = collectResult(events);
    client.abort();
    await expect(collected).rejects.toMatchObject({ sqlState: '57014' });
    expect(observed()).toMatchObject({ outcome: 'aborted' });
  });

  it('is stopped when the service ends', async () => {
    const { events } = start(endless);
    const collected = collectResult(events);
    client.abort(new ServiceError('57P01', 'shutting down'));
    await expect(collected).rejects.toMatchObject({ sqlState: '57P01' });
    expect(observed()).toMatchObject({ outcome: 'aborted', sqlState: '57P01' });
  });

  it('is not begun for a client that has gone already', async () => {
    client.abort();
    await expect(collectResult(start(endless).events)).rejects.toMatchObject({ sqlState: '57014' });
  });

  it('is observed as aborted where nobody reads it to its end', async () => {
    for await (const event of start((run) => rowsOf(2, run)).events) {
      if (event.kind === 'rows') {
        break;
      }
    }
    expect(observed()).toMatchObject({ outcome: 'aborted', rows: 1 });
  });

  it('gives one reply where that is all there is', async () => {
    const runner = createStatementRunner(recorder);
    await expect(runner.ask(requestOf(), () => Promise.resolve('reply'))).resolves.toBe('reply');
    expect(observed()).toMatchObject({ outcome: 'ok', rows: 0 });
  });

  it('gives no reply where that fails', async () => {
    const runner = createStatementRunner(recorder);
    const failure = new ServiceError('XX000', 'no', { serverCode: 11_000 });
    await expect(runner.ask(requestOf(), () => Promise.reject(failure))).rejects.toBe(failure);
    expect(observed()).toMatchObject({ outcome: 'error', sqlState: '23505' });
  });
});

describe('a statement of an account', () => {
  const account: Account = {
    ...{ id: 'an id', name: 'ada', scope: 'write', isDisabled: false },
    limits: { rowsMax: 1, bytesMax: 10, queryTimeoutMs: 20, connectionsMax: undefined },
    ...{ backends: ['postgres'], databases: ['app'], revision: 1, secretRevision: 1 },
  };

  const requestFor = (backend: 'postgres' | 'mongodb'): StatementRequest => {
    const request = requestOf();
    const owned = { account, owner: 'account:an id', webSessionId: 'a session' };
    return { ...request, backend, context: { ...request.context, ...owned } };
  };

  const runner = (database = 'app') => createStatementRunner(recorder, () => database);

  it('says whose it is, and which databases it may use', async () => {
    let databases: readonly string[] | undefined;
    await runner().ask(requestFor('postgres'), (run) => {
      ({ databases } = run);
      return Promise.resolve();
    });
    expect(databases).toEqual(['app']);
    expect(observed()).toMatchObject({
      outcome: 'ok',
      session: { user: 'dashboards', owner: 'account:an id', webSessionId: 'a session' },
    });
  });

  it('has the time of the account', async () => {
    const { events } = runner().run(requestFor('postgres'), endless);
    await expect(collectResult(events)).rejects.toMatchObject({ sqlState: '57014' });
    expect(observed()).toMatchObject({ outcome: 'timeout' });
  });

  it.each([
    ['another backend', 'mongodb', 'app', 'mongodb'],
    ['another database', 'postgres', 'other', 'database "other"'],
  ] as const)('is refused for %s, which nobody asks', async (_what, backend, database, named) => {
    const refusal = {
      sqlState: '42501',
      message: `account "ada" is not allowed to use ${named}`,
    };
    let isAsked = false;
    const { events } = runner(database).run(requestFor(backend), (run) => {
      isAsked = true;
      return rowsOf(1, run);
    });
    await expect(collectResult(events)).rejects.toMatchObject(refusal);
    expect(observed()).toMatchObject({ outcome: 'refused', sqlState: '42501' });
    const asked = runner(database).ask(requestFor(backend), async () => {
      isAsked = true;
      await Promise.resolve();
    });
    await expect(asked).rejects.toMatchObject(refusal);
    expect(isAsked).toBe(false);
  });

  it('is not refused by a database that cannot be told where all are allowed', async () => {
    const free = { ...requestFor('postgres'), context: requestOf().context };
    const lost = createStatementRunner(recorder, () => {
      throw new ServiceError('08001', 'There is none yet');
    });
    await expect(lost.ask(free, () => Promise.resolve(1))).resolves.toBe(1);
    await expect(lost.ask(requestFor('postgres'), () => Promise.resolve(1))).rejects.toMatchObject({
      sqlState: '08001',
    });
  });
});
