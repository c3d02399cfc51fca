import { describe, expect, test } from '@jest/globals';
import { BatchedLookup } from '../../../src/accounts/batched-lookup.ts';

interface Load {
  readonly keys: readonly string[];
  answer(found: Readonly<Record<string, number>>): void;
  fail(error: Error): void;
}

/** A lookup whose statements a test answers by hand. */
function createLookup(): { lookup: BatchedLookup<number>; loads: Load[] } {
  const loads: Load[] = [];
  const lookup = new BatchedLookup<number>(
    async (keys) =>
      await new Promise((resolve, reject) => {
        const answer: Load['answer'] = (found) => {
          resolve(new Map(Object.entries(found)));
        };
        loads.push({ keys, answer, fail: reject });
      }),
  );
  return { lookup, loads };
}

/** Lets everything happen that waits for nothing. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('A batched lookup', () => {
  test('asks once for all that come at a time, each key once', async () => {
    const { lookup, loads } = createLookup();
    const found = Promise.all(['a', 'b', 'a'].map(async (key) => await lookup.find(key)));
    await settle();
    expect(loads.map(({ keys }) => keys)).toEqual([['a', 'b']]);
    loads[0]?.answer({ a: 1 });
    expect(await found).toEqual([1, undefined, 1]);
  });

  test('asks for what comes meanwhile with the next one, also for the same key', async () => {
    const { lookup, loads } = createLookup();
    const first = lookup.find('a');
    await settle();
    const second = [lookup.find('a'), lookup.find('b')];
    await settle();
    expect(loads).toHaveLength(1);
    loads[0]?.answer({ a: 1 });
    expect(await first).toBe(1);
    await settle();
    expect(loads.map(({ keys }) => keys)).toEqual([['a'], ['a', 'b']]);
    loads[1]?.answer({ a: 2, b: 3 });
    // What came later sees what is later.
    expect(await Promise.all(second)).toEqual([2, 3]);
  });

  test('fails for those who asked, and asks again for the next', async () => {
    const { lookup, loads } = createLookup();
    const failed = Promise.allSettled([lookup.find('a'), lookup.find('b')]);
    await settle();
    const next = lookup.find('c');
    loads[0]?.fail(new Error('away'));
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await settle();
    loads[1]?.answer({ c: 5 });
    expect(await next).toBe(5);
  });

  test('takes no more than ten thousand at a time', async () => {
    const { lookup, loads } = createLookup();
    const found = Array.from({ length: 10_001 }, async (_, index) => await lookup.find(`${index}`));
    const outcomes = Promise.allSettled(found);
    await settle();
    loads[0]?.answer({});
    const last = (await outcomes).filter(({ status }) => status === 'rejected');
    expect(last).toHaveLength(1);
    expect(last[0]).toMatchObject({ reason: { sqlState: '53300', severity: 'FATAL' } });
  });
});
