import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { group, startAll, startDeadline, stopAll } from '../../src/lifecycle.ts';
import type { Component } from '../../src/lifecycle.ts';
import { createRecorder } from '../support/observations.ts';

interface Journal {
  readonly events: string[];
  readonly component: (name: string, behaviour?: Partial<Omit<Component, 'name'>>) => Component;
}

/** Components that note what is asked of them. */
function createJournal(): Journal {
  const events: string[] = [];
  return {
    events,
    component: (name, { start, stop } = {}) => ({
      name,
      start: async (signal) => {
        events.push(`start ${name}`);
        await start?.(signal);
      },
      stop: async (deadline) => {
        events.push(`stop ${name}`);
        await stop?.(deadline);
      },
    }),
  };
}

const never = new AbortController().signal;

describe('components', () => {
  test('start in their order and stop in reverse', async () => {
    const { events, component } = createJournal();
    const components = ['a', 'b', 'c'].map((name) => component(name));
    await startAll(components, never);
    const observer = createRecorder();
    await stopAll(components, { deadline: never, closeTimeoutMs: 1000, observer });
    expect(events).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
  });

  test('behind one that fails are not started', async () => {
    const { events, component } = createJournal();
    const failing = component('b', { start: () => Promise.reject(new Error('port in use')) });
    await expect(startAll([component('a'), failing, component('c')], never)).rejects.toThrow(
      'port in use',
    );
    expect(events).toEqual(['start a', 'start b']);
  });

  test('are not started once the stop was asked for', async () => {
    const { events, component } = createJournal();
    const asked = new AbortController();
    const first = component('a', {
      start: () => {
        asked.abort(new Error('SIGTERM'));
        return Promise.resolve();
      },
    });
    await expect(startAll([first, component('b')], asked.signal)).rejects.toThrow('SIGTERM');
    expect(events).toEqual(['start a']);
  });

  test('are all stopped when one of them fails to, and that is observed', async () => {
    const { events, component } = createJournal();
    const error = new Error('stuck');
    const recorder = createRecorder();
    await stopAll([component('a'), component('b', { stop: () => Promise.reject(error) })], {
      deadline: never,
      closeTimeoutMs: 1000,
      observer: recorder,
    });
    expect(events).toEqual(['stop b', 'stop a']);
    expect(recorder.observations).toEqual([{ kind: 'fault', component: 'b', error }]);
  });

  test('whose turn comes after the deadline still get time to close', async () => {
    const { component } = createJournal();
    const seen: boolean[] = [];
    const deadline = new AbortController();
    const late = component('late', {
      stop: (signal) => {
        deadline.abort();
        seen.push(signal.aborted);
        return Promise.resolve();
      },
    });
    const next = component('next', {
      stop: (signal) => {
        seen.push(signal.aborted);
        return Promise.resolve();
      },
    });
    await stopAll([next, late], {
      deadline: deadline.signal,
      closeTimeoutMs: 1000,
      observer: createRecorder(),
    });
    expect(seen).toEqual([true, false]);
  });

  test('of a group stop all at once', async () => {
    const { events, component } = createJournal();
    const { promise, resolve } = withResolver();
    const slow = component('slow', { stop: () => promise });
    const quick = component('quick', {
      stop: () => {
        resolve();
        return Promise.resolve();
      },
    });
    const both = group('both', [slow, quick]);
    await both.start(never);
    await both.stop(never);
    expect(events).toEqual(['start slow', 'start quick', 'stop slow', 'stop quick']);
  });
});

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('startDeadline', () => {
  test('ends by its timer', async () => {
    const deadline = startDeadline(5, new AbortController().signal);
    await once(deadline.signal, 'abort');
    deadline.clear();
  });

  test.each([true, false])('ends when it is forced, before or after: %s', (isBefore) => {
    const forced = new AbortController();
    if (isBefore) {
      forced.abort();
    }
    const deadline = startDeadline(60_000, forced.signal);
    expect(deadline.signal.aborted).toBe(isBefore);
    forced.abort();
    expect(deadline.signal.aborted).toBe(true);
    deadline.clear();
  });
});
