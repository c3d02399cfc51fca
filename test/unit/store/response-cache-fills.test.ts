import { describe, expect, it, test } from '@jest/globals';
import type { Kept } from '../../../src/store/response-cache-entry.ts';
import {
  BODY_BYTES_MAX,
  FILLS_MAX,
  HELD_BYTES_MAX,
  RunningFills,
} from '../../../src/store/response-cache-fills.ts';
import type { RunningFill } from '../../../src/store/response-cache-fills.ts';

const GENERATIONS = new Map([
  ['table', 'g1'],
  ['backend', 'g2'],
]);

const { signal } = new AbortController();

/** A fill that reads already, and what was given to be stored. */
function openFill(fills: RunningFills, key = 'key'): [RunningFill, (Kept | undefined)[]] {
  const stored: (Kept | undefined)[] = [];
  const fill = fills.begin(key);
  if (fill === undefined) {
    throw new Error('No fill was begun');
  }
  fill.open({
    generations: GENERATIONS,
    readAtMs: 7,
    onEnd: async (kept) => {
      stored.push(kept);
      await Promise.resolve();
    },
  });
  return [fill, stored];
}

describe('answers that are being made', () => {
  it('are one for each key', () => {
    const fills = new RunningFills();
    const [fill] = openFill(fills);
    expect(fills.find('key')).toBe(fill);
    expect(fills.begin('key')).toBeUndefined();
    expect(fills.begin('another')).toBeDefined();
  });

  it('are so many at a time', async () => {
    const fills = new RunningFills();
    const [first] = openFill(fills);
    for (let index = 1; index < FILLS_MAX; index += 1) {
      openFill(fills, `key ${index}`);
    }
    expect(fills.begin('one more')).toBeUndefined();
    first.abandon();
    await first.wait(0, signal);
    await Promise.resolve();
    expect(fills.begin('one more')).toBeDefined();
  });

  it('are stored with their pieces in order, and what they depend on', async () => {
    const [fill, stored] = openFill(new RunningFills());
    fill.add(Buffer.from('{"a":'));
    fill.add(Buffer.from('1}'));
    fill.keep({ ETag: '"1"' }, ['table']);
    const kept = {
      answer: { headers: { ETag: '"1"' }, body: Buffer.from('{"a":1}') },
      generations: new Map([['table', 'g1']]),
      readAtMs: 7,
    };
    expect(stored).toEqual([kept]);
    expect(await fill.wait(1000, signal)).toEqual(kept);
  });

  test.each([
    ['they say nothing', undefined],
    ['they name what nobody has looked at', ['table', 'another table']],
  ])('depend on everything that was asked for, where %s', (_title, dependsOn) => {
    const [fill, stored] = openFill(new RunningFills());
    fill.keep({}, dependsOn);
    expect(stored[0]?.generations).toEqual(GENERATIONS);
  });

  it('are kept once, and not abandoned behind that', () => {
    const [fill, stored] = openFill(new RunningFills());
    fill.keep({});
    fill.abandon();
    fill.keep({});
    expect(stored).toHaveLength(1);
  });

  it('are not kept once they were given up', () => {
    const [fill, stored] = openFill(new RunningFills());
    fill.abandon();
    fill.add(Buffer.from('late'));
    fill.keep({});
    expect(stored).toEqual([undefined]);
  });

  it('are found until they are stored', async () => {
    const fills = new RunningFills();
    const fill = fills.begin('key');
    let storeIt: () => void = () => undefined;
    const storing = new Promise<void>((resolve) => {
      storeIt = resolve;
    });
    fill?.open({ generations: GENERATIONS, readAtMs: 0, onEnd: async () => await storing });
    fill?.keep({});
    expect(fills.find('key')).toBe(fill);
    storeIt();
    await storing;
    await Promise.resolve();
    await Promise.resolve();
    expect(fills.find('key')).toBeUndefined();
  });

  it('are given up where a body gets too large, so that nobody waits for the rest', async () => {
    const [fill, stored] = openFill(new RunningFills());
    fill.add(Buffer.alloc(BODY_BYTES_MAX));
    expect(stored).toEqual([]);
    fill.add(Buffer.from('x'));
    expect(stored).toEqual([undefined]);
    expect(await fill.wait(1000, signal)).toBeUndefined();
  });

  it('hold so many bytes together, and free them', async () => {
    const fills = new RunningFills();
    const opened = Array.from({ length: HELD_BYTES_MAX / BODY_BYTES_MAX + 1 }, (_, index) =>
      openFill(fills, `key ${index}`),
    );
    for (const [fill] of opened) {
      fill.add(Buffer.alloc(BODY_BYTES_MAX));
    }
    expect(opened.filter(([, stored]) => stored.length > 0)).toHaveLength(1);
    for (const [fill] of opened) {
      fill.abandon();
      await fill.wait(0, signal);
    }
    const [next, stored] = openFill(fills, 'next');
    next.add(Buffer.alloc(BODY_BYTES_MAX));
    next.keep({});
    expect(stored[0]?.answer.body).toHaveLength(BODY_BYTES_MAX);
  });

  test.each([
    ['for no longer than he has time', 10, undefined],
    ['until somebody else has made it', 60_000, 'made'],
  ])('are waited for by a follower %s', async (_title, waitMs, expected) => {
    const [fill, stored] = openFill(new RunningFills());
    const waiting = fill.wait(waitMs, signal);
    if (expected !== undefined) {
      const answer = { headers: {}, body: Buffer.from(expected) };
      fill.resolve({ answer, generations: new Map(), readAtMs: 0 });
    }
    expect((await waiting)?.answer.body.toString()).toBe(expected);
    // What somebody else has made is stored already.
    expect(stored).toEqual([]);
  });

  it('are not waited for by who has gone', async () => {
    const [fill] = openFill(new RunningFills());
    const gone = new AbortController();
    const waiting = fill.wait(60_000, gone.signal);
    gone.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
  });

  it('are not kept before they are read', async () => {
    const fill = new RunningFills().begin('key');
    fill?.keep({});
    expect(await fill?.wait(1000, signal)).toBeUndefined();
  });
});
