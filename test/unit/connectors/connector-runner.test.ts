import { describe, expect, it } from '@jest/globals';
import { CounterTotals } from '../../../src/connectors/connector-counters.ts';
import { ConnectorError } from '../../../src/connectors/connector-error.ts';
import { ConnectorRunner } from '../../../src/connectors/connector-runner.ts';
import type { ConnectorRun } from '../../../src/connectors/connector-runner.ts';
import { pause } from '../../../src/connectors/retry.ts';
import { untilFact } from '../../support/facts.ts';
import { createRecorder } from '../../support/observations.ts';

const IDENTITY = { type: 'sink', key: 'orders', name: 'Orders' } as const;
const NEVER = new AbortController().signal;
const AWAY = new ConnectorError('connection', 'Iggy is away');
const REFUSED = new ConnectorError('storage', 'The database refused');

/** Works until it is stopped. */
const untilStopped: ConnectorRun = async ({ stop }, report) => {
  report.running();
  await pause(60_000, stop);
};

/** Takes its runs from a list; the last one for ever. */
function createStage(runs: readonly ConnectorRun[], restart = { firstMs: 1, maxMs: 2 }) {
  const recorder = createRecorder();
  const counters = new CounterTotals();
  let started = 0;
  const runner = new ConnectorRunner({
    identity: IDENTITY,
    run: async (signals, report) => {
      started += 1;
      const run = runs[Math.min(started, runs.length) - 1] ?? untilStopped;
      await run(signals, report);
    },
    observer: recorder,
    counters,
    restart,
  });
  return {
    runner,
    counters,
    observations: recorder.observations,
    startedCount: () => started,
    statuses: () =>
      recorder.observations.flatMap((one) => (one.kind === 'connector-status' ? one.status : [])),
  };
}

function failing(error: unknown): ConnectorRun {
  return async () => await Promise.reject(error instanceof Error ? error : new Error('none'));
}

describe('ConnectorRunner.start', () => {
  it('given_a_run_that_works_should_be_starting_and_then_running', async () => {
    const { runner, statuses } = createStage([
      async ({ stop }, report) => {
        await pause(1, stop);
        report.running();
        await pause(60_000, stop);
      },
    ]);
    expect(runner.status).toBe('stopped');
    runner.start();
    expect(runner.status).toBe('starting');
    await untilFact(() => runner.status === 'running', 'a running connector');
    await runner.stop(NEVER);
    expect(statuses()).toEqual(['starting', 'running', 'stopping', 'stopped']);
  });

  it('given_an_outage_should_run_again_until_it_is_over', async () => {
    const { runner, statuses, startedCount, counters } = createStage([
      failing(AWAY),
      failing(AWAY),
      untilStopped,
    ]);
    runner.start();
    await untilFact(() => runner.status === 'running', 'a running connector');
    expect(startedCount()).toBe(3);
    expect(statuses()).toEqual(['starting', 'error', 'starting', 'error', 'starting', 'running']);
    expect(counters.totals.errors).toBe(2);
    await runner.stop(NEVER);
  });

  it('given_a_failure_that_stays_should_be_error_until_it_is_stopped', async () => {
    const { runner, observations, startedCount } = createStage([failing(REFUSED), untilStopped]);
    const before = new Date();
    runner.start();
    await untilFact(() => runner.status === 'error', 'a connector in error');
    expect(runner.lastError?.message).toBe('The database refused');
    expect(runner.lastError?.at.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect(observations).toContainEqual({
      kind: 'connector-status',
      ...IDENTITY,
      status: 'error',
      message: 'The database refused',
    });
    await runner.stop(NEVER);
    expect(runner.status).toBe('stopped');
    expect(startedCount()).toBe(1);
  });

  it('given_a_fault_should_observe_it_and_say_nothing_of_its_text', async () => {
    const fault = new TypeError('mongodb://app:secret@host');
    const { runner, observations } = createStage([failing(fault)]);
    runner.start();
    await untilFact(() => runner.status === 'error', 'a connector in error');
    expect(runner.lastError?.message).toBe(
      'Stopped by a fault of Gatepost: see its log, then restart',
    );
    expect(observations).toContainEqual({
      kind: 'fault',
      component: 'sink orders',
      error: fault,
    });
    await runner.stop(NEVER);
  });

  it('given_work_that_goes_well_should_forget_the_last_error', async () => {
    const { runner } = createStage([
      failing(AWAY),
      async ({ stop }, report) => {
        report.running();
        await pause(5, stop);
        report.progressed();
        await pause(60_000, stop);
      },
    ]);
    runner.start();
    await untilFact(() => runner.status === 'running', 'a running connector');
    expect(runner.lastError?.message).toBe('Iggy is away');
    await untilFact(() => runner.lastError === undefined, 'a forgotten error');
    await runner.stop(NEVER);
  });

  it('given_a_failure_whose_errors_are_counted_should_not_count_it_again', async () => {
    const { runner, counters, observations } = createStage([
      async (_signals, report) => {
        report.batch({ consumed: 3, delivered: 1, errors: 2 }, REFUSED);
        report.batch({ errors: 1 });
        await Promise.reject(REFUSED);
      },
    ]);
    runner.start();
    await untilFact(() => runner.status === 'error', 'a connector in error');
    expect(counters.totals).toMatchObject({ received: 3, delivered: 1, errors: 3 });
    expect(observations.filter(({ kind }) => kind === 'connector-batch')).toHaveLength(2);
    await runner.stop(NEVER);
  });
});

describe('ConnectorRunner.stop', () => {
  it('given_it_was_never_started_should_resolve', async () => {
    const { runner, statuses } = createStage([]);
    await runner.stop(NEVER);
    expect(statuses()).toEqual([]);
  });

  it('given_a_pause_before_the_next_run_should_end_it_at_once', async () => {
    const { runner, startedCount } = createStage([failing(AWAY)], {
      firstMs: 60_000,
      maxMs: 60_000,
    });
    runner.start();
    await untilFact(() => runner.status === 'error', 'a connector in error');
    const startMs = performance.now();
    await runner.stop(NEVER);
    expect(performance.now() - startMs).toBeLessThan(1000);
    expect(startedCount()).toBe(1);
    expect(runner.status).toBe('stopped');
  });

  it('given_work_under_way_should_wait_for_its_end', async () => {
    let isDone = false;
    const { runner } = createStage([
      async ({ stop, abort }, report) => {
        report.running();
        await pause(60_000, stop).catch(() => undefined);
        await pause(20, abort);
        isDone = true;
      },
    ]);
    runner.start();
    await runner.stop(NEVER);
    expect(isDone).toBe(true);
  });

  it('given_the_deadline_should_end_work_at_once', async () => {
    const { runner, observations } = createStage([
      async ({ abort }, report) => {
        report.running();
        await pause(60_000, abort);
      },
    ]);
    runner.start();
    const deadline = new AbortController();
    const stopping = runner.stop(deadline.signal);
    expect(runner.status).toBe('stopping');
    deadline.abort();
    await stopping;
    expect(runner.status).toBe('stopped');
    expect(observations.filter(({ kind }) => kind === 'risk-noticed')).toEqual([]);
  });

  it('given_a_run_that_does_not_end_should_leave_it_to_itself_and_say_so', async () => {
    let late: (() => void) | undefined;
    const { runner, observations } = createStage([
      async (_signals, report) => {
        await new Promise<void>((resolve) => {
          late = () => {
            report.running();
            resolve();
          };
        });
      },
    ]);
    runner.start();
    await runner.stop(AbortSignal.abort());
    expect(observations).toContainEqual({
      kind: 'risk-noticed',
      component: 'sink orders',
      message: 'It did not end in time and was left to itself: some of it may be done again',
    });
    late?.();
    expect(runner.status).toBe('stopped');
  });

  it('given_a_failure_on_the_way_out_should_say_it_and_be_stopped', async () => {
    const { runner, observations } = createStage([
      async ({ stop }) => {
        await pause(60_000, stop).catch(() => undefined);
        throw AWAY;
      },
    ]);
    runner.start();
    await runner.stop(NEVER);
    expect(runner.status).toBe('stopped');
    expect(observations).toContainEqual({
      kind: 'risk-noticed',
      component: 'sink orders',
      message: 'While it stopped: Iggy is away',
    });
  });

  it('given_two_stops_should_resolve_both_when_it_has_stopped', async () => {
    const { runner, statuses } = createStage([untilStopped]);
    runner.start();
    await Promise.all([runner.stop(NEVER), runner.stop(NEVER)]);
    await runner.stop(NEVER);
    expect(statuses().filter((status) => status === 'stopped')).toHaveLength(1);
  });
});
