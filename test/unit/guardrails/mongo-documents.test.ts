import { describe, expect, it } from '@jest/globals';
import {
  BSON,
  Binary,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  ObjectId,
  UUID,
} from 'mongodb';
import {
  elementsOf,
  entriesOf,
  fieldOf,
  isBytes,
  isJavaScript,
  isOn,
  numberOf,
} from '../../../src/guardrails/mongo-documents.ts';

describe('entriesOf', () => {
  it.each([
    ['a plain object', { b: 1, a: 2 }],
    [
      'a Map',
      new Map([
        ['b', 1],
        ['a', 2],
      ]),
    ],
    ['an object without a prototype', Object.assign(Object.create(null), { b: 1, a: 2 })],
  ])('reads the fields of %s in their order', (_, value) => {
    expect(entriesOf(value)).toEqual([
      ['b', 1],
      ['a', 2],
    ]);
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a string', '{}'],
    ['a number', 1],
    ['a bigint', 1n],
    ['an array', [{}]],
    ['a date', new Date(0)],
    ['a regular expression', /a/],
    ['bytes', new Uint8Array(2)],
    ['an ArrayBuffer', new ArrayBuffer(2)],
    ['an ObjectId', new ObjectId()],
    ['a Long', Long.fromNumber(1)],
    ['a Decimal128', new Decimal128('1')],
    ['a UUID', new UUID()],
    ['a Code', new Code('x', { $where: 1 })],
  ])('reads no fields of %s', (_, value) => {
    expect(entriesOf(value)).toBeUndefined();
  });

  it('takes __proto__ and constructor for names', () => {
    const value: unknown = JSON.parse('{"__proto__": {"$where": 1}, "constructor": 2}');
    expect(entriesOf(value)).toEqual([
      ['__proto__', { $where: 1 }],
      ['constructor', 2],
    ]);
  });

  it('takes a _bsontype of the user for a name, as it hides nothing', () => {
    expect(entriesOf({ _bsontype: 'Long', $where: 1 })).toHaveLength(2);
    expect(entriesOf(new Map([['_bsontype', 'Long']]))).toHaveLength(1);
  });

  it('reads of a DBRef what the serializer writes', () => {
    const reference = new DBRef('c', new ObjectId(), 'd', { extra: { $where: 1 } });
    const sent = BSON.deserialize(BSON.serialize({ reference }), { promoteValues: false });
    const keys = (entriesOf(reference) ?? []).map(([key]) => key);
    expect(keys).toEqual(['$id', 'extra']);
    expect(entriesOf(sent['reference'])?.map(([key]) => key)).toEqual(expect.arrayContaining(keys));
  });
});

describe('the other readers of values', () => {
  it('finds a field, and none where there is no document', () => {
    expect(fieldOf({ a: 1 }, 'a')).toBe(1);
    expect(fieldOf(new Map([['a', 1]]), 'a')).toBe(1);
    expect(fieldOf({ a: 1 }, 'constructor')).toBeUndefined();
    expect(fieldOf('a', 'length')).toBeUndefined();
  });

  it('takes elements only of arrays', () => {
    expect(elementsOf([1, 2])).toEqual([1, 2]);
    expect(elementsOf({ 0: 1, length: 1 })).toEqual([]);
    expect(elementsOf('ab')).toEqual([]);
  });

  it.each([undefined, null, false])('takes an option of %p for off', (value) => {
    expect(isOn(value)).toBe(false);
  });

  it.each([true, 0, 1, '', new Int32(0), {}])('takes an option of %p for on', (value) => {
    expect(isOn(value)).toBe(true);
  });

  it('tells JavaScript from text', () => {
    expect(isJavaScript(new Code('x'))).toBe(true);
    expect(isJavaScript(() => 1)).toBe(true);
    expect(isJavaScript('function () {}')).toBe(false);
    expect(isJavaScript({ _bsontype: 'Code', code: 'x' })).toBe(false);
  });

  it('tells bytes from other values', () => {
    expect(isBytes(new UUID())).toBe(true);
    expect(isBytes(new Binary(new Uint8Array(2)))).toBe(true);
    expect(isBytes(new Uint8Array(2))).toBe(true);
    expect(isBytes('c')).toBe(false);
    expect(isBytes({})).toBe(false);
  });

  it.each([-1, -1n, new Int32(-1), new Double(-1), Long.fromNumber(-1), new Decimal128('-1')])(
    'reads -1 of %p',
    (value) => {
      expect(numberOf(value)).toBe(-1);
    },
  );

  it.each(['-1', [-1], { valueOf: () => -1 }, Object.create(null), null, true])(
    'reads no number of %p',
    (value) => {
      expect(numberOf(value)).toBeNaN();
    },
  );
});
