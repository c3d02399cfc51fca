import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LoginObservations } from '../../../src/accounts/login-observations.ts';
import type { LoginOutcome } from '../../../src/observation.ts';
import { createRecorder } from '../../support/observations.ts';

const GATHER_MS = 10_000;

let recorder: ReturnType<typeof createRecorder>;
let logins: LoginObservations;

beforeEach(() => {
  jest.useFakeTimers();
  recorder = createRecorder();
  logins = new LoginObservations(recorder);
});

afterEach(() => {
  logins.close();
  jest.useRealTimers();
});

function observe(outcome: LoginOutcome, name = 'root', address = '10.0.0.1', door = 'main'): void {
  logins.observe({ kind: 'login-finished', door, name, address, outcome });
}

/** Records, and the tries that they stand for. */
function counts(): readonly [records: number, tries: number] {
  const told = recorder.observations.filter((one) => one.kind === 'login-finished');
  return [told.length, told.reduce((sum, { repeated = 1 }) => sum + repeated, 0)];
}

describe('Tries that cost nothing', () => {
  test.each(['throttled', 'unavailable'] as const)(
    'are few records, and all of them counted: %s',
    (outcome) => {
      for (let time = 0; time < 500; time += 1) {
        observe(outcome, `name ${time}`);
      }
      expect(counts()).toEqual([1, 1]);
      jest.advanceTimersByTime(GATHER_MS);
      expect(counts()).toEqual([2, 500]);
      expect(recorder.observations[1]).toEqual({
        ...{ kind: 'login-finished', door: 'main', name: 'name 499', address: '10.0.0.1' },
        ...{ outcome, repeated: 499 },
      });
    },
  );

  test('are told each interval while they go on, and at once after a pause', () => {
    for (let time = 0; time < 100; time += 1) {
      observe('throttled');
      jest.advanceTimersByTime(GATHER_MS / 10);
    }
    expect(counts()).toEqual([11, 100]);
    jest.advanceTimersByTime(GATHER_MS);
    expect(jest.getTimerCount()).toBe(0);
    observe('throttled');
    expect(counts()).toEqual([12, 101]);
  });

  test('are told apart by address and door, and not by name', () => {
    observe('throttled', 'root', '2001:db8::1');
    observe('throttled', 'admin', '2001:db8::2');
    observe('throttled', 'root', '2001:db8:0:1::1');
    observe('throttled', 'root', '2001:db8::1', 'http');
    expect(counts()).toEqual([3, 3]);
  });

  test('are bounded from however many addresses', () => {
    for (let index = 0; index < 5000; index += 1) {
      observe('throttled', 'root', `10.0.${index >> 8}.${index & 255}`);
    }
    jest.advanceTimersByTime(GATHER_MS);
    const [records, tries] = counts();
    expect(records).toBeLessThanOrEqual(1003);
    expect(tries).toBe(5000);
  });

  test('are told when it ends, and one by one from then on', () => {
    observe('throttled');
    observe('throttled');
    observe('throttled');
    logins.close();
    expect(counts()).toEqual([2, 3]);
    expect(jest.getTimerCount()).toBe(0);
    observe('throttled');
    expect(counts()).toEqual([3, 4]);
  });
});

test('Tries that are judged are each a record', () => {
  for (const outcome of ['ok', 'refused', 'disabled', 'not-allowed'] as const) {
    observe(outcome);
    observe(outcome);
  }
  expect(counts()).toEqual([8, 8]);
});
