import { describe, expect, it } from '@jest/globals';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import {
  conditionBehind,
  formatPosition,
  parsePosition,
  sortOf,
} from '../../../src/connectors/source-cursor.ts';

const OID = new ObjectId('507f1f77bcf86cd799439011');
const FIRST_OID = new ObjectId('000000000000000000000000');
const LAST_TIMESTAMP = new Timestamp({ t: 0xffffffff, i: 0xffffffff });

function beyond(operator: '$gt' | '$gte', value: unknown, field = 'v'): object {
  return { $expr: { [operator]: [`$${field}`, { $literal: value }] } };
}

describe('sortOf', () => {
  it('given_a_tracking_field_should_break_ties_by_id', () => {
    expect(Object.entries(sortOf('at'))).toEqual([
      ['at', 1],
      ['_id', 1],
    ]);
  });

  it('given_the_id_should_sort_by_it_alone', () => {
    expect(sortOf('_id')).toEqual({ _id: 1 });
  });
});

describe('conditionBehind', () => {
  const REGEX = new BSONRegExp('a', '');
  const CODE = new Code('f()');

  const types: readonly (readonly [string, unknown, readonly object[]])[] = [
    ['an Int32', new Int32(1), [{ v: { $gt: new Int32(1) } }, beyond('$gt', new Double(Infinity))]],
    ['a Long', Long.ONE, [{ v: { $gt: Long.ONE } }, beyond('$gt', new Double(Infinity))]],
    ['a text', 'a', [{ v: { $gt: 'a' } }, beyond('$gte', new Map())]],
    [
      'a symbol',
      new BSONSymbol('a'),
      [{ v: { $gt: new BSONSymbol('a') } }, beyond('$gte', new Map())],
    ],
    [
      'a document',
      new Map([['a', 1]]),
      [
        { v: { $gt: new Map([['a', 1]]) } },
        beyond('$gte', new Binary()),
        { v: { $type: 'array' } },
      ],
    ],
    ['bytes', new Binary(), [{ v: { $gt: new Binary() } }, beyond('$gte', FIRST_OID)]],
    ['an ObjectId', OID, [{ v: { $gt: OID } }, beyond('$gte', false)]],
    ['false', false, [{ v: { $gt: false } }, beyond('$gt', true)]],
    [
      'a date',
      new Date(5),
      [{ v: { $gt: new Date(5) } }, beyond('$gte', new Timestamp({ t: 0, i: 0 }))],
    ],
    [
      'a timestamp',
      new Timestamp({ t: 1, i: 1 }),
      [{ v: { $gt: new Timestamp({ t: 1, i: 1 }) } }, beyond('$gt', LAST_TIMESTAMP)],
    ],
    ['null', null, [beyond('$gt', null)]],
    ['NaN', new Double(NaN), [beyond('$gt', new Double(NaN))]],
    ['a decimal NaN', Decimal128.fromString('NaN'), [beyond('$gt', Decimal128.fromString('NaN'))]],
    ['MinKey', new MinKey(), [beyond('$gt', new MinKey())]],
    ['a regular expression', REGEX, [beyond('$gt', REGEX)]],
    ['code', CODE, [beyond('$gt', CODE)]],
  ];

  it.each(types)(
    'given_%s_should_go_on_in_its_type_and_behind_it',
    (_name, value, alternatives) => {
      expect(conditionBehind('v', { tracking: value })).toEqual({ $or: alternatives });
    },
  );

  it('given_the_last_value_of_all_should_find_nothing', () => {
    expect(conditionBehind('v', { tracking: new MaxKey() })).toEqual({ $nor: [{}] });
  });

  it('given_a_document_should_go_on_behind_its_id_among_equal_values', () => {
    const isEqual = { v: { $eq: 'a' } };
    expect(conditionBehind('v', { tracking: 'a', id: { value: OID } })).toEqual({
      $or: [
        { v: { $gt: 'a' } },
        beyond('$gte', new Map()),
        { ...isEqual, _id: { $gt: OID } },
        { ...isEqual, ...beyond('$gte', false, '_id') },
      ],
    });
  });

  it('given_the_last_value_and_an_id_should_still_go_on_behind_the_id', () => {
    const tracking = new MaxKey();
    expect(conditionBehind('v', { tracking, id: { value: null } })).toEqual({
      $or: [{ v: { $eq: tracking }, ...beyond('$gt', null, '_id') }],
    });
  });

  it('given_the_id_as_tracking_field_should_ask_for_it_once', () => {
    expect(conditionBehind('_id', { tracking: OID, id: { value: OID } })).toEqual({
      $or: [{ _id: { $gt: OID } }, beyond('$gte', false, '_id')],
    });
    const value = new Map([['a', 1]]);
    expect(conditionBehind('_id', { tracking: value })).toEqual({
      $or: [{ _id: { $gt: value } }, beyond('$gte', new Binary(), '_id')],
    });
  });
});

describe('parsePosition', () => {
  it('given_a_formatted_position_should_give_its_values', () => {
    const text = formatPosition('{"$numberLong":"5"}', '{"$oid":"507f1f77bcf86cd799439011"}');
    expect(parsePosition(text)).toEqual({ tracking: Long.fromNumber(5), id: { value: OID } });
    const ofNull = parsePosition(formatPosition('null', 'null'));
    expect(ofNull).toEqual({ tracking: null, id: { value: null } });
  });

  it.each(['5', 'abc', '{"$oid":"507f1f77bcf86cd799439011"}', '{"tracking":1}', '{"a":1,"b":2}'])(
    'given_%s_should_leave_it_to_others',
    (text) => {
      expect(parsePosition(text)).toBeUndefined();
    },
  );
});
