import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LastSeen } from '../../../src/accounts/last-seen.ts';

let written: (readonly [table: string, ids: unknown])[];
let failure: Error | undefined;
let lastSeen: LastSeen;

beforeEach(() => {
  jest.useFakeTimers();
  written = [];
  failure = undefined;
  lastSeen = new LastSeen(
    {
      write: async (work) =>
        await work((text, values) => {
          if (failure !== undefined) {
            return Promise.reject(failure);
          }
          written.push([/^UPDATE (\S+)/.exec(text)?.[1] ?? '', values[0]]);
          return Promise.resolve([]);
        }),
    },
    () => Date.now(),
  );
});

afterEach(() => {
  jest.useRealTimers();
});

async function wait(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
}

describe('A use', () => {
  test('is written a second later, with all others', async () => {
    lastSeen.note('account', 'a');
    lastSeen.note('account', 'b');
    lastSeen.note('token', 't');
    await wait(999);
    expect(written).toEqual([]);
    await wait(1);
    expect(written).toEqual([
      ['gatepost.accounts', ['a', 'b']],
      ['gatepost.api_tokens', ['t']],
    ]);
  });

  test('is written once a minute at most', async () => {
    for (let second = 0; second < 59; second += 1) {
      lastSeen.note('account', 'a');
      await wait(1000);
    }
    expect(written).toHaveLength(1);
    await wait(1000);
    lastSeen.note('account', 'a');
    await wait(1000);
    expect(written).toHaveLength(2);
  });

  test('that cannot be written is nobody’s error, and written with the next', async () => {
    failure = new Error('away');
    lastSeen.note('account', 'a');
    await wait(1000);
    failure = undefined;
    await wait(60_000);
    expect(written).toEqual([]);
    lastSeen.note('account', 'a');
    await wait(1000);
    expect(written).toEqual([['gatepost.accounts', ['a']]]);
  });

  test('is written at the end, where there is one', async () => {
    lastSeen.note('token', 't');
    await lastSeen.flush();
    await lastSeen.flush();
    expect(written).toEqual([['gatepost.api_tokens', ['t']]]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('of more than ten thousand at a time is noted later', async () => {
    for (let index = 0; index < 10_001; index += 1) {
      lastSeen.note('account', `${index}`);
    }
    await wait(1000);
    expect(written[0]?.[1]).toHaveLength(10_000);
    lastSeen.note('account', '10000');
    await wait(1000);
    expect(written[1]).toEqual(['gatepost.accounts', ['10000']]);
  });
});
