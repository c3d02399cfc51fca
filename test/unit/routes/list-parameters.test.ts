import { describe, expect, it } from '@jest/globals';
import { parseInValues, parseListParameters } from '../../../routes/list-parameters.ts';
import { RequestError } from '../../../routes/request-error.ts';

const BOUNDS = { limitDefault: 100, limitMax: 1000 };

function parse(query: string): ReturnType<typeof parseListParameters> {
  return parseListParameters(new URLSearchParams(query), BOUNDS);
}

/** The fields that a request is refused for. */
function problemsOf(parseIt: () => unknown): readonly string[] {
  try {
    parseIt();
  } catch (error) {
    if (error instanceof RequestError && error.status === 400) {
      return error.fields.map(({ field }) => field);
    }
    throw error;
  }
  return [];
}

describe('parseListParameters', () => {
  it('asks for a first page of everything by itself', () => {
    expect(parse('')).toEqual({
      filters: [],
      select: undefined,
      order: [],
      limit: 100,
      after: undefined,
      count: undefined,
    });
  });

  it('reads all that can be asked', () => {
    expect(
      parse('age=gte.21&name=like.a%25&select=a,"b,c"&order=x.desc,y&limit=5&after=ab&count=exact'),
    ).toEqual({
      filters: [
        { field: 'age', op: 'gte', value: '21' },
        { field: 'name', op: 'like', value: 'a%' },
      ],
      select: ['a', 'b,c'],
      order: [
        { field: 'x', direction: 'desc' },
        { field: 'y', direction: 'asc' },
      ],
      limit: 5,
      after: 'ab',
      count: 'exact',
    });
  });

  it.each([
    ['a=eq.', { field: 'a', op: 'eq', value: '' }],
    ['a=eq.1.5', { field: 'a', op: 'eq', value: '1.5' }],
    ['a=eq.eq.1', { field: 'a', op: 'eq', value: 'eq.1' }],
    ['a.b.c=neq.x', { field: 'a.b.c', op: 'neq', value: 'x' }],
    ['a=is.null', { field: 'a', op: 'is', value: 'null' }],
    ['a=is.not_null', { field: 'a', op: 'is', value: 'not_null' }],
    ['a=in.(1,2)', { field: 'a', op: 'in', value: '(1,2)' }],
    ['"limit"=eq.1', { field: 'limit', op: 'eq', value: '1' }],
    ['"a\\"b"=eq.1', { field: 'a"b', op: 'eq', value: '1' }],
    ['"open=eq.1', { field: '"open', op: 'eq', value: '1' }],
    ['__proto__=eq.1', { field: '__proto__', op: 'eq', value: '1' }],
    ['a[$ne]=eq.1', { field: 'a[$ne]', op: 'eq', value: '1' }],
  ])('reads the filter %s', (query, filter) => {
    expect(parse(query).filters).toEqual([filter]);
  });

  it('keeps several filters of one field', () => {
    expect(parse('a=gt.1&a=lt.9').filters).toHaveLength(2);
  });

  it.each([
    ['a.desc', [{ field: 'a', direction: 'desc' }]],
    ['a.b.asc', [{ field: 'a.b', direction: 'asc' }]],
    ['a.b', [{ field: 'a.b', direction: 'asc' }]],
    ['"a.desc"', [{ field: 'a.desc', direction: 'asc' }]],
    ['"a.desc".desc', [{ field: 'a.desc', direction: 'desc' }]],
  ])('reads the order %s', (order, expected) => {
    expect(parse(`order=${order}`).order).toEqual(expected);
  });

  it.each([
    ['a=1', 'a'],
    ['a=', 'a'],
    ['a=equals.1', 'a'],
    ['a=EQ.1', 'a'],
    ['a=toString.1', 'a'],
    ['a=is.', 'a'],
    ['a=is.5', 'a'],
    ['a=eq.x%00', 'a'],
    ['=eq.1', ''],
    ['""=eq.1', '""'],
    ['select=', 'select'],
    ['select=a,,b', 'select'],
    ['select="a', 'select'],
    ['select="a"b', 'select'],
    ['order=.desc', 'order'],
    ['order=a,', 'order'],
    ['order="a".down', 'order'],
    ['order=a,a.desc', 'order'],
    ['limit=', 'limit'],
    ['limit=0', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1e9', 'limit'],
    ['limit=NaN', 'limit'],
    ['limit=1.0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=99999999999999999999', 'limit'],
    ['limit=1&limit=1', 'limit'],
    ['id_type=a&id_type=b', 'id_type'],
    ['after=', 'after'],
    ['count=true', 'count'],
  ])('refuses %s', (query, field) => {
    expect(problemsOf(() => parse(query))).toEqual([field]);
  });

  it('tells all that is wrong at once', () => {
    expect(problemsOf(() => parse('a=1&limit=x&order=,&b=eq.1'))).toEqual(['a', 'order', 'limit']);
  });

  it('bounds how much is asked', () => {
    const filters = (count: number): string => 'a=eq.1&'.repeat(count);
    expect(parse(filters(100)).filters).toHaveLength(100);
    expect(problemsOf(() => parse(filters(101)))).toEqual(['a']);
    expect(problemsOf(() => parse('a=1&'.repeat(100_000))).length).toBeLessThan(200);
    const names = Array.from({ length: 1001 }, (_, index) => `c${index}`).join();
    expect(problemsOf(() => parse(`select=${names}`))).toEqual(['select']);
    expect(problemsOf(() => parse(`order=${names}`))).toEqual(['order']);
  });

  it('selects a field once', () => {
    expect(parse('select=a,b,a').select).toEqual(['a', 'b']);
  });
});

describe('parseInValues', () => {
  const valuesOf = (value: string): readonly string[] =>
    parseInValues({ field: 'a', op: 'in', value }).map(({ text }) => text);

  it.each([
    ['(1,2)', ['1', '2']],
    ['("a,b",c)', ['a,b', 'c']],
    ['()', ['']],
    ['(a)b)', ['a)b']],
  ])('reads %s', (value, values) => {
    expect(valuesOf(value)).toEqual(values);
  });

  it.each(['', '1,2', '(1', '1)', '("a)', '("a"b)', `(${'1,'.repeat(1000)}1)`])(
    'refuses %s',
    (value) => {
      expect(problemsOf(() => valuesOf(value))).toEqual(['a']);
    },
  );
});
