import { describe, expect, test } from '@jest/globals';
import { ComputationGate } from '../../../src/accounts/computation-gate.ts';

/** Lets everything happen that waits for nothing. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('The gate of computations', () => {
  test('lets two run at a time, in the order of their coming', async () => {
    const gate = new ComputationGate();
    const started: number[] = [];
    const ends: (() => void)[] = [];
    const works = [0, 1, 2, 3].map(
      async (index) =>
        await gate.run(async () => {
          started.push(index);
          await new Promise<void>((resolve) => ends.push(resolve));
          return index;
        }),
    );
    await settle();
    expect(started).toEqual([0, 1]);
    ends[1]?.();
    await settle();
    expect(started).toEqual([0, 1, 2]);
    ends[0]?.();
    ends[2]?.();
    await settle();
    ends[3]?.();
    expect(await Promise.all(works)).toEqual([0, 1, 2, 3]);
  });

  test('goes on behind one that fails', async () => {
    const gate = new ComputationGate();
    const works = Array.from(
      { length: 5 },
      async () => await gate.run(async () => await Promise.reject(new Error('no'))),
    );
    const outcomes = await Promise.allSettled(works);
    expect(outcomes.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
    expect(await gate.run(async () => await Promise.resolve(7))).toBe(7);
  });

  test('refuses what comes when 256 wait, and takes more when they have gone', async () => {
    const gate = new ComputationGate();
    const ends: (() => void)[] = [];
    const stuck = async (): Promise<void> => {
      await new Promise<void>((resolve) => ends.push(resolve));
    };
    const works = Array.from({ length: 258 }, async () => await gate.run(stuck));
    await expect(gate.run(stuck)).rejects.toMatchObject({ sqlState: '53300', severity: 'FATAL' });
    while (ends.length > 0) {
      ends.shift()?.();
      await settle();
    }
    await Promise.all(works);
    expect(await gate.run(async () => await Promise.resolve(7))).toBe(7);
  });
});
