import { describe, expect, it } from '@jest/globals';
import { findOverlap, findPathProblem } from '../../../../src/backends/mongodb/crud-paths.ts';

describe('findPathProblem', () => {
  it.each([
    'a',
    'a.b.c',
    '_id',
    'a b',
    'é',
    '0.1',
    '__proto__',
    'constructor.prototype',
    'a$b',
    '-',
  ])('takes %s', (path) => {
    expect(findPathProblem(path)).toBeUndefined();
  });

  it.each([
    ['', 'empty'],
    ['.', 'empty'],
    ['a.', 'empty'],
    ['.a', 'empty'],
    ['a..b', 'empty'],
    ['$where', 'begin with $'],
    ['$', 'begin with $'],
    ['a.$', 'begin with $'],
    ['a.$[]', 'begin with $'],
    ['a.$gt', 'begin with $'],
    ['$$ROOT', 'begin with $'],
    ['a\0b', 'NUL'],
    [Array.from({ length: 101 }, () => 'a').join('.'), 'at most 100 parts'],
  ])('does not take %j', (path, problem) => {
    expect(findPathProblem(path)).toContain(problem);
  });
});

describe('findOverlap', () => {
  it.each([
    [['a', 'a.b'], 'a.b'],
    [['a.b.c', 'x', 'a'], 'a.b.c'],
    [['a.b', 'a.b.c.d'], 'a.b.c.d'],
  ])('finds that one of %j is in another', (paths, inner) => {
    expect(findOverlap(paths)).toBe(inner);
  });

  it.each([[[]], [['a']], [['a', 'ab', 'a_b']], [['a.b', 'a.c', 'b.a']]])(
    'finds none in %j',
    (paths: string[]) => {
      expect(findOverlap(paths)).toBeUndefined();
    },
  );
});
