import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BSON, Code } from 'mongodb';
import { BSON_TYPE, BsonError } from '../../../src/backends/mongodb/bson-reader.ts';
import {
  encodeElement,
  encodeTextElement,
  findValue,
  NameCollision,
  toPath,
  withElements,
  withNames,
  withNamesInArray,
  withoutPath,
} from '../../../src/connectors/source-bson.ts';
import { bsonDocuments } from '../../support/bson-arbitrary.ts';
import { document, element, int32 } from '../../support/bson-bytes.ts';

function bytes(value: object): Buffer {
  return Buffer.from(BSON.serialize(value));
}

const upper = (name: string): string => name.toUpperCase();

describe('findValue', () => {
  const bson = bytes({ ab: 1, a: { b: { c: 'x' }, list: [{ c: 1 }] }, '': 2, ż: 3 });

  it.each([
    ['ab', BSON_TYPE.int32],
    ['a', BSON_TYPE.document],
    ['a.b.c', BSON_TYPE.string],
    ['a.list', BSON_TYPE.array],
    ['ż', BSON_TYPE.int32],
  ])('given_path_%s_should_find_its_value', (path, type) => {
    expect(findValue(bson, toPath(path))).toMatchObject({ type });
  });

  it.each([
    ['b', undefined],
    ['a.x', undefined],
    ['ab.x', undefined],
    ['a.b.c.d', undefined],
    ['a.list.c', 'array'],
    ['a.list.0', 'array'],
  ])('given_path_%s_should_tell_%s', (path, found) => {
    expect(findValue(bson, toPath(path))).toBe(found);
  });

  it('given_a_name_twice_should_take_the_first_as_the_server_does', () => {
    const twice = document(element(0x10, 'a', int32(1)), element(0x10, 'a', int32(2)));
    const value = findValue(twice, toPath('a'));
    expect(value === 'array' ? undefined : value?.offset).toBe(7);
  });

  it('given_bytes_that_are_no_document_should_refuse', () => {
    expect(() => findValue(Buffer.from([9, 0, 0, 0, 0]), toPath('a'))).toThrow(BsonError);
  });
});

describe('withoutPath', () => {
  it.each([
    ['a', Infinity, { b: { c: { d: 1 } } }],
    ['b', Infinity, { a: 1 }],
    ['b.c.d', Infinity, { a: 1, b: { c: {} } }],
    ['b.c.d', 2, { a: 1, b: {} }],
    ['b.c.d', 1, { a: 1 }],
    ['x', 1, { a: 1, b: { c: { d: 1 } } }],
    ['a.x', 1, { a: 1, b: { c: { d: 1 } } }],
  ])('given_path_%s_and_empty_ones_from_%s_should_leave_the_rest', (path, emptyFrom, left) => {
    const bson = bytes({ a: 1, b: { c: { d: 1 } } });
    expect(Buffer.from(withoutPath(bson, toPath(path), emptyFrom))).toEqual(bytes(left));
  });

  it('given_a_path_that_is_not_there_should_give_the_same_bytes', () => {
    const bson = bytes({ a: 1 });
    expect(withoutPath(bson, toPath('b.c'), 0)).toBe(bson);
  });

  it('given_the_only_field_should_leave_an_empty_document', () => {
    expect(Buffer.from(withoutPath(bytes({ a: 1 }), toPath('a'), 1))).toEqual(bytes({}));
  });
});

describe('withElements', () => {
  it('given_elements_should_put_them_last_in_place_of_the_same_names', () => {
    const added = new Map([
      ['a', encodeTextElement('a', 'żółw')],
      ['z', encodeElement(BSON_TYPE.int32, 'z', int32(7))],
    ]);
    expect(withElements(bytes({ a: 1, b: 2 }), added)).toEqual(bytes({ b: 2, a: 'żółw', z: 7 }));
  });
});

describe('withNames', () => {
  it('given_documents_within_documents_and_arrays_should_change_all_names', () => {
    const bson = bytes({ a: { b: 1 }, list: [{ c: [{ d: 1 }] }, 'e'], t: 'text' });
    const renamed = { A: { B: 1 }, LIST: [{ C: [{ D: 1 }] }, 'e'], T: 'text' };
    expect(withNames(bson, upper)).toEqual(bytes(renamed));
  });

  it('given_code_should_leave_its_variables', () => {
    const bson = bytes({ a: new Code('f', { b: 1 }) });
    expect(withNames(bson, upper)).toEqual(bytes({ A: new Code('f', { b: 1 }) }));
  });

  it.each([
    [{ a: 1, A: 2 }, '"a" and "A"'],
    [{ x: { b: 1, c: 1, B: 1 } }, '"b" and "B"'],
    [{ x: [{}, { b: 1, B: 1 }] }, '"b" and "B"'],
  ])('given_two_names_that_become_one_in_%j_should_refuse', (value, names) => {
    expect(() => withNames(bytes(value), upper)).toThrow(NameCollision);
    expect(() => withNames(bytes(value), upper)).toThrow(names);
  });

  it('given_names_that_stay_should_give_the_same_bytes_of_any_document', () => {
    fc.assert(
      fc.property(bsonDocuments, (bson) => {
        expect(
          Buffer.compare(
            withNames(bson, (name) => name),
            bson,
          ),
        ).toBe(0);
      }),
    );
  });
});

describe('withNamesInArray', () => {
  it('given_an_array_should_keep_its_indexes', () => {
    const bson = bytes({ 0: { a: 1 }, 1: [{ b: 1 }] });
    expect(withNamesInArray(bson, upper)).toEqual(bytes({ 0: { A: 1 }, 1: [{ B: 1 }] }));
  });
});
