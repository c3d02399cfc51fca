import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createFilter } from '../../../../src/backends/mongodb/crud-filter.ts';
import type { Condition } from '../../../../src/backends/mongodb/crud-filter.ts';
import { formatBson } from '../../../../src/backends/mongodb/crud-text.ts';
import type { ValueProblem } from '../../../../src/backends/mongodb/crud-values.ts';
import { mongoPolicyOf } from '../../../support/mongo-policies.ts';

const HEX = '507f1f77bcf86cd799439011';

/** `field=op.value`, and the items of `in.(…)` apart. */
function parseCondition(text: string): Condition {
  const [, field = '', op = '', value = ''] = /^([^=]*)=(\w+)\.([^]*)$/.exec(text) ?? [];
  const isList = op === 'in' && value.startsWith('(');
  const items = value
    .slice(1, -1)
    .split(',')
    .map((item) => ({ text: item.replaceAll('"', ''), isQuoted: item.startsWith('"') }));
  const operator = OPERATORS.find((name) => name === op) ?? 'eq';
  return { field, op: operator, value, items: isList ? items : undefined };
}

const OPERATORS = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'like', 'ilike', 'in', 'is'] as const;

function filterOf(texts: readonly string[], idType?: string): string {
  const problems: ValueProblem[] = [];
  const filter = createFilter(texts.map(parseCondition), { problems, idType });
  return problems.length === 0
    ? formatBson(filter)
    : problems.map(({ field, message }) => `${field}: ${message}`).join('\n');
}

describe('createFilter', () => {
  it.each([
    ['age=eq.5', '{"age":{"$eq":5}}'],
    ['age=neq.5', '{"age":{"$ne":5}}'],
    ['age=gt.5', '{"age":{"$gt":5}}'],
    ['age=gte.1.5', '{"age":{"$gte":1.5}}'],
    ['age=lt.5000000000', '{"age":{"$lt":5000000000}}'],
    ['age=lte.null', '{"age":{"$lte":null}}'],
    ['address.city=eq.Bern', '{"address.city":{"$eq":"Bern"}}'],
    ['a=is.null', '{"a":{"$eq":null}}'],
    ['a=is.not_null', '{"a":{"$ne":null}}'],
    ['a=is.true', '{"a":{"$eq":true}}'],
    ['a=is.false', '{"a":{"$eq":false}}'],
    ['a=in.(1,b,"2",true)', '{"a":{"$in":[1,"b","2",true]}}'],
    ['a=in.[1,{"$numberLong":"2"},"c,d"]', '{"a":{"$in":[1,{"$numberLong":"2"},"c,d"]}}'],
    ['a=in.[]', '{"a":{"$in":[]}}'],
    [`_id=eq.${HEX}`, `{"_id":{"$eq":{"$oid":"${HEX}"}}}`],
    [`_id=in.(${HEX},5)`, `{"_id":{"$in":[{"$oid":"${HEX}"},5]}}`],
    [`_id=in.("${HEX}")`, `{"_id":{"$in":["${HEX}"]}}`],
    [`a=eq.${HEX}`, `{"a":{"$eq":"${HEX}"}}`],
    [`a=eq.{"$oid":"${HEX}"}`, `{"a":{"$eq":{"$oid":"${HEX}"}}}`],
    ['a=eq.{"b":1}', '{"a":{"$eq":{"b":1}}}'],
    ['a=eq.', '{"a":{"$eq":""}}'],
    ['__proto__=eq.1', '{"__proto__":{"$eq":1}}'],
    ['constructor.prototype=eq.1', '{"constructor.prototype":{"$eq":1}}'],
  ])('makes of %s a query', (text, query) => {
    expect(filterOf([text])).toBe(query);
    expect(Object.hasOwn(Object.prototype, '1')).toBe(false);
  });

  it('compares with a regular expression as with any other value', () => {
    const regex = '{"$regularExpression":{"pattern":".*","options":""}}';
    expect(filterOf([`a=eq.${regex}`])).toBe(`{"a":{"$eq":${regex}}}`);
    expect(filterOf([`a=neq.${regex}`])).toBe(`{"a":{"$not":{"$eq":${regex}}}}`);
    for (const op of ['gt', 'gte', 'lt', 'lte']) {
      expect(filterOf([`a=${op}.${regex}`])).toContain('with eq and neq only');
    }
    expect(filterOf([`a=in.[1,${regex}]`])).toContain('cannot hold regular expressions');
  });

  it('joins conditions, also of one field', () => {
    expect(filterOf([])).toBe('{}');
    expect(filterOf(['a=gt.1', 'a=lt.5', 'b=is.null'])).toBe(
      '{"$and":[{"a":{"$gt":1}},{"a":{"$lt":5}},{"b":{"$eq":null}}]}',
    );
  });

  it('takes ids for what they are said to be, and other fields not', () => {
    expect(filterOf([`_id=eq.${HEX}`, `a=eq.5`], 'string')).toBe(
      `{"$and":[{"_id":{"$eq":"${HEX}"}},{"a":{"$eq":5}}]}`,
    );
    expect(filterOf(['_id=eq.ann'], 'objectid')).toBe('_id: It is no objectid');
  });

  it.each([
    ['$where=eq.1', '$where: A name cannot begin with $'],
    ['a.$gt=eq.1', 'a.$gt: A name cannot begin with $'],
    ['$or=in.[{"a":1}]', '$or: A name cannot begin with $'],
    ['a..b=eq.1', 'a..b: A part of the path is empty'],
    ['a=eq.{"$ne":1}', 'a: A name cannot begin with $'],
    ['a=gt.{"$regex":".*"}', 'a: A name cannot begin with $'],
    ['a=in.[{"$gt":""}]', 'a: A name cannot begin with $'],
    ['a=in.5', 'a: Write it as in.(a,b,c)'],
    ['a=in.{"a":1}', 'a: Write it as in.(a,b,c)'],
    ['a=is.maybe', 'a: is takes null'],
    ['a=eq."open', 'a: It is no valid JSON'],
    ['a=eq.1e999', 'a: No number is exactly this one'],
    [`a=like.${'é'.repeat(16_000)}`, 'a: The pattern is too long'],
  ])('says what is wrong with %s', (text, said) => {
    expect(filterOf([text])).toContain(said);
  });

  it('tells of each filter that is wrong', () => {
    expect(filterOf(['$a=eq.1', 'b=eq.2', 'c=in.3']).split('\n')).toHaveLength(2);
  });

  it('makes no query that a policy without JavaScript refuses, but for code', () => {
    const policy = mongoPolicyOf({ access: 'read-only', isJavaScriptAllowed: false });
    const conditions = ['a=eq.$where', 'b=like.%$function%', 'c=in.($accumulator)'];
    const filter = createFilter(conditions.map(parseCondition), {
      problems: [],
      idType: undefined,
    });
    expect(policy.admit({ find: 'a', filter }, 'shop')).toBeUndefined();
  });
});

describe('like and ilike', () => {
  function patternOf(text: string, op: 'like' | 'ilike' = 'like'): string {
    const filter = createFilter([{ field: 'a', op, value: text }], {
      problems: [],
      idType: undefined,
    });
    const test: unknown = filter.get('a');
    const entries = test instanceof Map ? [...test.values()] : [];
    return entries.join('/');
  }

  it.each([
    ['', '^\\z/s'],
    ['a', '^a\\z/s'],
    ['a%', '^a.*\\z/s'],
    ['*a*', '^.*a.*\\z/s'],
    ['%%*%a', '^.*a\\z/s'],
    ['a_b', '^a.b\\z/s'],
    ['a\\%b\\_c\\*', '^a\\%b\\_c\\*\\z/s'],
    ['a\\\\', '^a\\\\\\z/s'],
    ['a\\', '^a\\\\\\z/s'],
    ['\\d', '^d\\z/s'],
    ['(a+)+$', '^\\(a\\+\\)\\+\\$\\z/s'],
    ['a.b', '^a\\.b\\z/s'],
    ['[^/]{1,2}|?', '^\\[\\^\\/\\]\\{1\\,2\\}\\|\\?\\z/s'],
    ['é😀', '^é😀\\z/s'],
    ['\n', '^\\\n\\z/s'],
  ])('makes of %j the pattern %j', (text, pattern) => {
    expect(patternOf(text)).toBe(pattern);
  });

  it('makes ilike the same without regard to case', () => {
    expect(patternOf('A%', 'ilike')).toBe('^A.*\\z/is');
  });

  it('matches every escaped text, and nothing besides', () => {
    const texts = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(texts, texts, (text, other) => {
        const [pattern = ''] = patternOf(text.replaceAll(/[\\%*_]/g, '\\$&')).split('/s');
        // JavaScript's own way to write the end, and no escapes that it does not know.
        const source = pattern.replace(/\\z$/, '$').replaceAll(/\\([^^$\\.*+?()[\]{}|/])/gs, '$1');
        const regex = new RegExp(source, 'su');
        expect(regex.test(text)).toBe(true);
        expect(regex.test(other)).toBe(other === text);
      }),
      { numRuns: 500, seed: 20_260_401 },
    );
  });
});
