import { describe, expect, it, test } from '@jest/globals';
import { isCurrent, readSeen } from '../../../src/store/response-cache-entry.ts';
import type { Kept } from '../../../src/store/response-cache-entry.ts';

const ANSWER = {
  kind: 'answer',
  leftMs: 1000,
  ageMs: 250,
  headers: [['ETag', '"1"']],
  generations: [['table', 'g1']],
  body: Buffer.from('{}'),
};

describe('an answer that is kept', () => {
  const kept: Kept = {
    answer: { headers: {}, body: Buffer.from('{}') },
    generations: new Map([
      ['table', 'g1'],
      ['backend', ''],
    ]),
    readAtMs: 1000,
  };
  const wanted = { generations: new Map(kept.generations), maxAgeMs: 500, nowMs: 1500 };

  test.each([
    ['is current while nothing was written and it is young', {}, true],
    ['is too old a moment later', { nowMs: 1500.1 }, false],
    ['is stale after a write to its table', { generations: [['table', 'g2'] as const] }, false],
    ['is stale after a first write', { generations: [['backend', 'g1'] as const] }, false],
    ['is stale where its generation is not known', { generations: undefined }, false],
    ['does not mind writes elsewhere', { generations: [['other', 'g9'] as const] }, true],
  ])('%s', (_title, changes, expected) => {
    const generations =
      'generations' in changes
        ? new Map(changes.generations && [...wanted.generations, ...changes.generations])
        : wanted.generations;
    const nowMs = 'nowMs' in changes ? changes.nowMs : wanted.nowMs;
    expect(isCurrent(kept, { ...wanted, nowMs, generations })).toBe(expected);
  });
});

describe('what is found in the cache', () => {
  it('is nothing at first: no answer, no lease, no write lately', () => {
    expect(readSeen([], ['table', 'backend'], 5000)).toEqual({
      kept: undefined,
      leaseMs: 0,
      generations: new Map([
        ['table', ''],
        ['backend', ''],
      ]),
    });
  });

  it('is an answer with its age by our clock', () => {
    const { kept } = readSeen([ANSWER], ['table'], 5000);
    expect(kept).toEqual({
      answer: { headers: { ETag: '"1"' }, body: Buffer.from('{}') },
      generations: new Map([['table', 'g1']]),
      readAtMs: 4750,
    });
  });

  it('is no answer whose time is over, though MongoDB still has it', () => {
    expect(readSeen([{ ...ANSWER, leftMs: 0 }], ['table'], 5000).kept).toBeUndefined();
  });

  it('has the generations and the lease of now', () => {
    const documents = [
      { kind: 'generation', tag: 'table', value: 'g2', leftMs: 9, ageMs: null },
      { kind: 'lease', leftMs: 120, ageMs: null },
    ];
    const seen = readSeen(documents, ['table', 'backend'], 0);
    expect([...seen.generations.values()]).toEqual(['g2', '']);
    expect(seen.leaseMs).toBe(120);
  });

  it('has no lease that is over', () => {
    expect(readSeen([{ kind: 'lease', leftMs: -5 }], [], 0).leaseMs).toBe(0);
  });

  test.each([
    ['of another kind', { kind: 'odd' }],
    ['without a body', { ...ANSWER, body: undefined }],
    ['with a body that is no bytes', { ...ANSWER, body: '{}' }],
    ['that is none', 5],
  ])('is not believed: a document %s', (_title, document) => {
    expect(() => readSeen([document], [], 0)).toThrow();
  });
});
