import { describe, expect, it } from '@jest/globals';
import { parseListParameters } from '../../../routes/list-parameters.ts';
import {
  refuseParameters,
  resolveConditions,
  resolveKey,
  resolveOrder,
  resolveSelect,
} from '../../../routes/postgres-crud-request.ts';
import { RequestError } from '../../../routes/request-error.ts';
import { createColumn, createTable } from '../../support/crud-columns.ts';

const id = createColumn('id', 'int4', { isNullable: false });
const name = createColumn('name', 'text');
const isOld = createColumn('old', 'bool');
const bytes = createColumn('bytes', 'bytea', { isNullable: false });
const table = createTable([id, name, isOld, bytes], ['bytes', 'id']);

function refusalOf(resolve: () => unknown): unknown {
  try {
    resolve();
  } catch (error) {
    if (error instanceof RequestError) {
      return [error.status, ...error.fields.map(({ field }) => field)];
    }
    throw error;
  }
  return undefined;
}

function conditionsOf(query: string): unknown {
  const bounds = { limitDefault: 1, limitMax: 1 };
  const { filters } = parseListParameters(new URLSearchParams(query), bounds);
  return resolveConditions(table, filters);
}

describe('resolveConditions', () => {
  it.each([
    ['id=gte.5', { column: id, op: 'gte', value: '5' }],
    ['name=eq.', { column: name, op: 'eq', value: '' }],
    ['name=ilike.%25', { column: name, op: 'ilike', value: '%' }],
    ['bytes=eq.AAE=', { column: bytes, op: 'eq', value: '\\x0001' }],
    ['id=in.(1,2)', { column: id, op: 'in', values: ['1', '2'] }],
    ['name=in.("a,b",c)', { column: name, op: 'in', values: ['a,b', 'c'] }],
    ['name=is.null', { column: name, op: 'is', test: 'null' }],
    ['id=is.not_null', { column: id, op: 'is', test: 'not_null' }],
    ['old=is.true', { column: isOld, op: 'is', test: 'true' }],
    ['old=is.false', { column: isOld, op: 'is', test: 'false' }],
  ])('types %s by the column', (query, condition) => {
    expect(conditionsOf(query)).toEqual([condition]);
  });

  it.each([
    ['none=eq.1', ['none']],
    ['ID=eq.1', ['ID']],
    ['__proto__=eq.1', ['__proto__']],
    ['xmin=eq.1', ['xmin']],
    ['id=eq.x', ['id']],
    ['id=in.(1,x)', ['id']],
    ['id=like.1', ['id']],
    ['name=is.true', ['name']],
    ['id=eq.x&name=eq.a&none=eq.1', ['id', 'none']],
  ])('refuses %s', (query, fields) => {
    expect(refusalOf(() => conditionsOf(query))).toEqual([400, ...fields]);
  });
});

describe('resolveSelect and resolveOrder', () => {
  it('find columns by their exact names', () => {
    expect(resolveSelect(table, undefined)).toEqual([id, name, isOld, bytes]);
    expect(resolveSelect(table, ['old', 'id'])).toEqual([isOld, id]);
    expect(resolveOrder(table, [{ field: 'name', direction: 'desc' }])).toEqual([
      { column: name, direction: 'desc' },
    ]);
  });

  it('refuse other names, all at once', () => {
    const names = ['id', '"id"', 'id; drop'];
    expect(refusalOf(() => resolveSelect(table, names))).toEqual([
      400,
      'select."id"',
      'select.id; drop',
    ]);
    const order = [{ field: 'random()', direction: 'asc' }] as const;
    expect(refusalOf(() => resolveOrder(table, order))).toEqual([400, 'order.random()']);
  });
});

describe('resolveKey', () => {
  it('has one text for each column of the key', () => {
    expect(resolveKey(table, ['AAE=', '5'])).toEqual(['\\x0001', '5']);
  });

  it.each([
    [['AAE='], [404]],
    [['AAE=', '5', '6'], [404]],
    [
      ['?', 'x'],
      [400, 'bytes', 'id'],
    ],
  ])('refuses %j', (segments, refusal) => {
    expect(refusalOf(() => resolveKey(table, segments))).toEqual(refusal);
  });

  it('refuses any where there is no key', () => {
    expect(refusalOf(() => resolveKey(createTable([id], []), ['1']))).toEqual([404]);
  });
});

describe('refuseParameters', () => {
  it('names once each what would be ignored', () => {
    const search = new URLSearchParams('a=1&a=2&select=b&c=3');
    const refuse = (): void => refuseParameters(search, (parameter) => parameter === 'select');
    expect(refusalOf(refuse)).toEqual([400, 'a', 'c']);
    expect(refusalOf(() => refuseParameters(search, () => true))).toBeUndefined();
  });
});
