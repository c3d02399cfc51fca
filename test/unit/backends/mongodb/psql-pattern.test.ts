import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NamePattern } from '../../../../src/backends/mongodb/psql-pattern.ts';
import { ServiceError } from '../../../../src/errors.ts';

const NAMES = ['people', 'pe', 'people2', 'adults', 'we.ird', 'weird', 'a$b', 'Zoë', '', 'a-b'];

describe('NamePattern', () => {
  test.each([
    ['^(people)$', ['people']],
    ['^(pe.*)$', ['people', 'pe', 'people2']],
    ['^(.*s)$', ['adults']],
    ['^(pe..le)$', ['people']],
    [String.raw`^(we\.ird)$`, ['we.ird']],
    ['^(we.ird)$', ['we.ird']],
    [String.raw`^(a\$b)$`, ['a$b']],
    ['^(people|adults)$', ['people', 'adults']],
    ['^(people|)$', ['people', '']],
    ['^([a-p]+)$', ['people', 'pe']],
    ['^([a-z]+)$', ['people', 'pe', 'adults', 'weird']],
    ['^([^a-z]*)$', ['']],
    ['^(people[0-9]?)$', ['people', 'people2']],
    ['^(p(eo)+ple2?)$', ['people', 'people2']],
    ['^([]a$-]+b)$', ['a$b', 'a-b']],
    ['^([a-]-b)$', ['a-b']],
    ['^(Zo.)$', ['Zoë']],
    ['eop', ['people', 'people2']],
    ['^pe', ['people', 'pe', 'people2']],
    ['e$', ['people', 'pe']],
    ['^$', ['']],
    ['', NAMES],
    ['((a*)*)*b', ['a$b', 'a-b']],
    ['x*', NAMES],
  ])('finds for %s the names that PostgreSQL does', (source, names) => {
    const pattern = new NamePattern(source);
    expect(NAMES.filter((name) => pattern.matches(name))).toEqual(names);
  });

  test.each([
    '(',
    ')',
    'a)',
    '(a',
    '[',
    '[a',
    '[]',
    '[a-',
    '[[:alpha:]]',
    String.raw`[\d]`,
    'a{2}',
    '*a',
    '+',
    '(?:a)',
    '(?=a)',
    String.raw`\d`,
    String.raw`(a)\1`,
    '\\',
    'a'.repeat(513),
  ])('refuses %s', (source) => {
    expect(() => new NamePattern(source)).toThrow(
      expect.objectContaining({ sqlState: '2201B', hint: expect.stringContaining('[a-z]') }),
    );
  });

  test.each([
    ['^(people)$', true],
    ['^(People)$', false],
    ['^([A-Z])$', false],
  ])('knows whether %s has no capitals', (source, isFolded) => {
    expect(new NamePattern(source).isFolded).toBe(isFolded);
  });

  test('agrees with regular expressions of the language, where both have a meaning', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(ab)', '(a|)');
    const piece = fc.tuple(atom, fc.constantFrom('', '*', '+', '?')).map((parts) => parts.join(''));
    const source = fc.array(piece, { maxLength: 6 }).map((pieces) => `^(${pieces.join('')})$`);
    const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(source, name, (text, candidate) => {
        expect(new NamePattern(text).matches(candidate)).toBe(
          new RegExp(text, 'u').test(candidate),
        );
      }),
      { numRuns: 1000, seed: 7 },
    );
  });

  test('matches or refuses any pattern', () => {
    const signs = fc.constantFrom(...String.raw`ab.*+?()[]^$|\-{}`.split(''));
    fc.assert(
      fc.property(fc.array(signs, { maxLength: 30 }), (parts) => {
        try {
          expect(typeof new NamePattern(parts.join('')).matches('abba')).toBe('boolean');
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ServiceError);
        }
      }),
      { numRuns: 1000, seed: 8 },
    );
  });

  test('takes no more time over a name where a backtracking matcher would never end', () => {
    const pattern = new NamePattern(`^(${'(a*)*'.repeat(20)}b)$`);
    const startedAt = performance.now();
    expect(pattern.matches('a'.repeat(255))).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test('gives up once all names together take too long', () => {
    const pattern = new NamePattern(`^(${'(a|a)*'.repeat(80)}b)$`);
    const name = 'a'.repeat(255);
    expect(() => {
      for (let count = 0; count < 10_000; count += 1) {
        pattern.matches(name);
      }
    }).toThrow(expect.objectContaining({ sqlState: '54001' }));
  });
});
