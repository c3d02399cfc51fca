import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ServiceError } from '../../src/errors.ts';
import { createReadiness, isReady, PROBE_CACHE_MS, PROBE_TIMEOUT_MS } from '../../src/readiness.ts';
import { createRecorder } from '../support/observations.ts';
import type { Probe, ReadinessReport } from '../../src/readiness.ts';

const UP = { backend: 'postgres', isRequired: true, isUp: true, latencyMs: 1, failure: undefined };
const DOWN = { ...UP, isUp: false, failure: '57P03' };
const READY: ReadinessReport = {
  isDraining: false,
  listeners: [{ listener: 'main', isBound: true }],
  backends: [UP],
};

describe('isReady', () => {
  test.each([
    ['all is well', READY, true],
    ['nothing is configured', { isDraining: false, listeners: [], backends: [] }, true],
    ['it is draining', { ...READY, isDraining: true }, false],
    [
      'one of two listeners is not bound',
      { ...READY, listeners: [...READY.listeners, { listener: 'second', isBound: false }] },
      false,
    ],
    ['a required backend is down', { ...READY, backends: [UP, DOWN] }, false],
    [
      'an optional backend is down',
      { ...READY, backends: [UP, { ...DOWN, isRequired: false }] },
      true,
    ],
  ])('when %s: %#', (_name, report, expected) => {
    expect(isReady(report)).toBe(expected);
  });
});

let recorder: ReturnType<typeof createRecorder>;
let nowMs: number;

beforeEach(() => {
  recorder = createRecorder();
  nowMs = 1000;
});

/** A probe that counts its calls and does what it is told. */
function createProbe(
  answer: (signal: AbortSignal) => Promise<void>,
  { backend = 'postgres', isRequired = true } = {},
): Probe & { readonly signals: readonly AbortSignal[] } {
  const signals: AbortSignal[] = [];
  return {
    backend,
    isRequired,
    signals,
    async probe(signal) {
      signals.push(signal);
      await answer(signal);
    },
  };
}

function answerUp(): Promise<void> {
  return Promise.resolve();
}

function createWith(...probes: readonly Probe[]): ReturnType<typeof createReadiness> {
  return createReadiness({ observer: recorder, probes, now: () => nowMs });
}

describe('report', () => {
  test('tells listeners by what was said of them last', async () => {
    const readiness = createReadiness({
      observer: recorder,
      probes: [],
      listeners: ['main', 'second'],
    });
    readiness.setListening('main', true);
    readiness.setListening('third', true);
    readiness.setListening('third', false);
    expect((await readiness.report()).listeners).toEqual([
      { listener: 'main', isBound: true },
      { listener: 'second', isBound: false },
      { listener: 'third', isBound: false },
    ]);
  });

  test('is of a draining service once draining has started', async () => {
    const readiness = createWith();
    expect((await readiness.report()).isDraining).toBe(false);
    readiness.startDraining();
    expect((await readiness.report()).isDraining).toBe(true);
  });

  test('sees a drain that starts while it waits for a probe', async () => {
    let release = (): void => undefined;
    const readiness = createWith(createProbe(() => new Promise((resolve) => (release = resolve))));
    const reporting = readiness.report();
    readiness.startDraining();
    release();
    expect((await reporting).isDraining).toBe(true);
  });

  test('has the latency of a backend that answers', async () => {
    const probe = createProbe(() => {
      nowMs += 7;
      return Promise.resolve();
    });
    expect((await createWith(probe).report()).backends).toEqual([{ ...UP, latencyMs: 7 }]);
  });

  test.each([
    ['a SQLSTATE of ours', new ServiceError('08001', 'Cannot reach host db1'), '08001'],
    ['a SQLSTATE of PostgreSQL', Object.assign(new Error('starting'), { code: '57P03' }), '57P03'],
    [
      "a driver's code",
      Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
      'ECONNREFUSED',
    ],
    ['no code', new Error('password authentication failed for "ann"'), 'unknown'],
    [
      'a code that is a text',
      Object.assign(new Error('x'), { code: 'host db1 is down' }),
      'unknown',
    ],
    ['a code that is a number', Object.assign(new Error('x'), { code: 26 }), 'unknown'],
  ])('tells a failure with %s by its code alone', async (_name, error, failure) => {
    const [backend] = (await createWith(createProbe(() => Promise.reject(error))).report())
      .backends;
    expect(backend).toMatchObject({ isUp: false, failure });
  });

  test('keeps a dead backend from hiding a living one', async () => {
    const readiness = createWith(
      createProbe(() => Promise.reject(new Error('down')), { isRequired: false }),
      createProbe(answerUp, { backend: 'mongodb' }),
    );
    const report = await readiness.report();
    expect(report.backends.map(({ backend, isUp }) => [backend, isUp])).toEqual([
      ['postgres', false],
      ['mongodb', true],
    ]);
    expect(isReady(report)).toBe(true);
  });

  test('observes each probe, and only what was probed', async () => {
    const readiness = createWith(createProbe(() => Promise.reject(new Error('down'))));
    await readiness.report();
    await readiness.report();
    expect(recorder.observations).toEqual([
      {
        kind: 'backend-probed',
        backend: 'postgres',
        isUp: false,
        durationMs: 0,
        failure: 'unknown',
      },
    ]);
  });
});

describe('the cache of a probe', () => {
  test('answers until it is too old', async () => {
    const probe = createProbe(answerUp);
    const readiness = createWith(probe);
    await readiness.report();
    nowMs += PROBE_CACHE_MS - 1;
    await readiness.report();
    expect(probe.signals).toHaveLength(1);
    nowMs += 1;
    await readiness.report();
    expect(probe.signals).toHaveLength(2);
  });

  test('holds a failure as long as an answer, then sees that the backend is back', async () => {
    let isUp = false;
    const readiness = createWith(
      createProbe(() => (isUp ? Promise.resolve() : Promise.reject(new Error('down')))),
    );
    expect((await readiness.report()).backends).toMatchObject([{ isUp: false }]);
    isUp = true;
    expect((await readiness.report()).backends).toMatchObject([{ isUp: false }]);
    nowMs += PROBE_CACHE_MS;
    expect((await readiness.report()).backends).toMatchObject([{ isUp: true }]);
  });

  test('lets a hundred callers at once share one probe', async () => {
    const probe = createProbe(answerUp);
    const readiness = createWith(probe);
    await Promise.all(Array.from({ length: 100 }, () => readiness.report()));
    expect(probe.signals).toHaveLength(1);
  });
});

describe('a hung probe', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  test('is a failure after the timeout, with its signal aborted', async () => {
    const probe = createProbe(
      (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    );
    const reporting = createWith(probe).report();
    jest.advanceTimersByTime(PROBE_TIMEOUT_MS - 1);
    expect(probe.signals[0]?.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect((await reporting).backends).toMatchObject([{ isUp: false, failure: 'timeout' }]);
    expect(probe.signals[0]?.aborted).toBe(true);
  });

  test('that ignores its signal is not joined by a second one until it ends', async () => {
    let release = (): void => undefined;
    const probe = createProbe(() => new Promise((resolve) => (release = resolve)));
    const readiness = createWith(probe);
    const reporting = readiness.report();
    jest.advanceTimersByTime(PROBE_TIMEOUT_MS);
    await reporting;
    nowMs += PROBE_CACHE_MS;
    expect((await readiness.report()).backends).toMatchObject([{ failure: 'timeout' }]);
    expect(probe.signals).toHaveLength(1);

    release();
    await new Promise(setImmediate);
    nowMs += PROBE_CACHE_MS;
    const again = readiness.report();
    release();
    expect((await again).backends).toMatchObject([{ isUp: true }]);
    expect(probe.signals).toHaveLength(2);
  });

  test('does not hold up the report of the others beyond the timeout', async () => {
    const readiness = createWith(
      createProbe(() => new Promise(() => undefined)),
      createProbe(answerUp, { backend: 'mongodb' }),
    );
    const reporting = readiness.report();
    await new Promise(setImmediate);
    jest.advanceTimersByTime(PROBE_TIMEOUT_MS);
    expect((await reporting).backends.map(({ isUp }) => isUp)).toEqual([false, true]);
  });

  test('leaves no timer behind once it has answered', async () => {
    await createWith(createProbe(answerUp)).report();
    expect(jest.getTimerCount()).toBe(0);
  });
});
