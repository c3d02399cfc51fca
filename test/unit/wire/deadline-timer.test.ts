import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { DeadlineTimer } from '../../../wire/deadline-timer.ts';

const TIMEOUT_MS = 1000;

let calls: number;
let timer: DeadlineTimer;

beforeEach(() => {
  jest.useFakeTimers();
  calls = 0;
  const count = (): void => {
    calls += 1;
  };
  // Jest fakes the time of day, and not the monotonic clock.
  timer = new DeadlineTimer(TIMEOUT_MS, count, Date.now);
});

afterEach(() => {
  timer.close();
  jest.useRealTimers();
});

function startNow(): void {
  timer.start(Date.now());
}

describe('DeadlineTimer', () => {
  // Words of a course: what is done, a number of milliseconds that pass, `=` calls so far.
  const courses = [
    ['calls back at the deadline, not before', 'start 999 =0 1 =1'],
    ['calls back once', 'start 1000 =1 10000 =1'],
    ['does not call back for a span that was stopped', 'start 500 stop 10000 =0'],
    ['does not call back when nothing was started', '10000 =0'],
    ['gives every span its whole time', 'start 900 stop start 999 =0 1 =1'],
    ['does not add up spans', 'start 600 stop start 600 stop 5000 =0'],
    ['begins anew when a span is started over', 'start 700 start 700 =0 300 =1'],
    ['goes on after a span that was too long', 'start 1000 =1 start 999 =1 1 =2'],
    ['goes on after a long rest', 'start stop 50000 =0 start 999 =0 1 =1'],
    ['is not woken by a stop alone', 'stop 5000 =0 start 1000 =1'],
  ] as const;

  test.each(courses)('%s: %s', (_name, course) => {
    for (const word of course.split(' ')) {
      if (word === 'start') {
        startNow();
      } else if (word === 'stop') {
        timer.stop();
      } else if (word.startsWith('=')) {
        expect(`=${calls}`).toBe(word);
      } else {
        jest.advanceTimersByTime(Number(word));
      }
    }
  });

  test('arms one timer for any number of spans', () => {
    for (let span = 0; span < 1000; span += 1) {
      startNow();
      timer.stop();
    }
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(TIMEOUT_MS);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('leaves no timer behind when it is closed, and does not call back any more', () => {
    startNow();
    timer.close();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(10_000);
    expect(calls).toBe(0);
  });

  test('waits for the rest when the timer underneath fires a fraction early', () => {
    // As node's timers do: they count whole milliseconds.
    timer.start(Date.now() + 0.4);
    jest.advanceTimersByTime(TIMEOUT_MS);
    expect(calls).toBe(0);
    jest.advanceTimersByTime(1);
    expect(calls).toBe(1);
  });

  test('goes by the monotonic clock when none is given', async () => {
    jest.useRealTimers();
    const startedAtMs = performance.now();
    await new Promise<void>((resolve) => {
      new DeadlineTimer(20, resolve).start(startedAtMs);
    });
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(20);
  });
});
