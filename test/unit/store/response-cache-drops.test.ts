import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheDrops } from '../../../src/store/response-cache-drops.ts';
import { untilFact } from '../../support/facts.ts';

const DEADLINE_MS = 1000;

describe('writes that the cache has to learn of', () => {
  /** What MongoDB was told, write by write. */
  let told: string[];
  let failures: unknown[];
  let isAway: boolean;
  let drops: CacheDrops;

  beforeEach(() => {
    told = [];
    failures = [];
    isAway = false;
    drops = new CacheDrops(
      async (tags) => {
        told.push(tags.join());
        await (isAway ? Promise.reject(new Error('away')) : Promise.resolve());
      },
      (thrown) => failures.push(thrown),
    );
  });

  afterEach(async () => {
    await drops.stop(AbortSignal.timeout(DEADLINE_MS));
  });

  it('are told at once, and then not owed', async () => {
    await drops.drop(['table', 'backend']);
    expect(told).toEqual(['table,backend']);
    expect(drops.isOwed(['table'])).toBe(false);
  });

  it('are owed while MongoDB is away, and told when it is back', async () => {
    isAway = true;
    await drops.drop(['table']);
    expect(failures).toHaveLength(1);
    expect([drops.isOwed(['table']), drops.isOwed(['other'])]).toEqual([true, false]);
    isAway = false;
    await untilFact(() => !drops.isOwed(['table']), 'a write that is told');
    expect(told).toEqual(['table', 'table']);
  });

  it('wait once only: while it is away the others are told together, later', async () => {
    isAway = true;
    await drops.drop(['one']);
    await drops.drop(['two']);
    await drops.drop(['three', 'one']);
    expect(told).toEqual(['one']);
    isAway = false;
    await untilFact(() => !drops.isOwed(['one', 'two', 'three']), 'writes that are told');
    expect(told).toEqual(['one', 'one,two,three']);
    await drops.drop(['four']);
    expect(told.at(-1)).toBe('four');
  });

  it('are told again while the server may still do them', async () => {
    await drops.drop(['table'], { unsettledMs: 1500 });
    expect(told).toEqual(['table']);
    expect(drops.isOwed(['table'])).toBe(true);
    await untilFact(() => !drops.isOwed(['table']), 'a write that is settled');
    // Within the time, and once behind it.
    expect(told.length).toBeGreaterThanOrEqual(3);
  });

  it('are told once more at the end, where they are owed', async () => {
    isAway = true;
    await drops.drop(['table']);
    isAway = false;
    await drops.stop(AbortSignal.timeout(DEADLINE_MS));
    expect(told).toEqual(['table', 'table']);
    expect(drops.isOwed(['table'])).toBe(false);
  });

  it('do not fail the end', async () => {
    isAway = true;
    await drops.drop(['table']);
    await drops.stop(AbortSignal.timeout(DEADLINE_MS));
    await drops.drop(['table']);
    await drops.stop(AbortSignal.abort());
    expect(told).toHaveLength(2);
  });
});
