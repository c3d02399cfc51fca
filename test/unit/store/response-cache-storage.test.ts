import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Kept } from '../../../src/store/response-cache-entry.ts';
import { CACHE_BYTES_MAX, CacheStorage } from '../../../src/store/response-cache-storage.ts';

const KEPT: Kept = {
  answer: { headers: {}, body: Buffer.from('{}') },
  generations: new Map(),
  readAtMs: 0,
};

const FILLED = { key: 'key', holder: 'me', kept: KEPT, lifetimeMs: 60_000 };

describe('what stores answers', () => {
  /** What MongoDB was asked for, in its order. */
  let asked: string[];
  let failures: unknown[];
  let bytes: number;
  let failing: string;
  let storage: CacheStorage;

  beforeEach(() => {
    asked = [];
    failures = [];
    bytes = 0;
    failing = '';
    const note = async (what: string): Promise<void> => {
      asked.push(what);
      await (failing === what ? Promise.reject(new Error(what)) : Promise.resolve());
    };
    const collection = {
      ensureIndex: async () => await note('index'),
      countBytes: async () => {
        await note('count');
        return bytes;
      },
      keep: async (key: string) => await note(`keep ${key}`),
      release: async (key: string, holder: string) => await note(`release ${key} of ${holder}`),
    };
    storage = new CacheStorage(collection, (thrown) => failures.push(thrown));
  });

  it('stores an answer, then frees its lease; index and size are asked for once', async () => {
    await storage.end(FILLED);
    await storage.end({ ...FILLED, key: 'another' });
    expect(asked).toEqual([
      ...['index', 'count', 'keep key', 'release key of me'],
      ...['keep another', 'release another of me'],
    ]);
  });

  it('frees the lease where nothing is to be kept', async () => {
    await storage.end({ ...FILLED, kept: undefined });
    await storage.release('another', 'me');
    expect(asked).toEqual(['release key of me', 'release another of me']);
  });

  it('adds nothing while there is too much', async () => {
    bytes = CACHE_BYTES_MAX + 1;
    await storage.end(FILLED);
    expect(asked).toEqual(['index', 'count', 'release key of me']);
  });

  it('frees the lease of an answer that could not be stored, and tries the next one', async () => {
    failing = 'keep key';
    await storage.end(FILLED);
    expect(failures).toEqual([new Error('keep key')]);
    expect(asked.at(-1)).toBe('release key of me');
    failing = 'release key of me';
    await storage.end(FILLED);
    expect(failures).toHaveLength(2);
  });

  it('asks for the index again where that has failed', async () => {
    failing = 'index';
    await storage.end(FILLED);
    failing = '';
    await storage.end(FILLED);
    expect(asked.filter((what) => what === 'index')).toHaveLength(2);
  });

  it('is waited for at the end, up to the deadline', async () => {
    const ending = storage.end(FILLED);
    await storage.stop(AbortSignal.timeout(1000));
    expect(asked).toContain('release key of me');
    await ending;
    await storage.stop(AbortSignal.abort());
  });
});
