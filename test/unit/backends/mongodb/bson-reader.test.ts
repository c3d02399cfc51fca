import { describe, expect, it, test } from '@jest/globals';
import { BSON } from 'mongodb';
import {
  BSON_TYPE,
  BsonError,
  checkDocument,
  documentBytes,
  readElements,
  readInt32,
  readPath,
} from '../../../../src/backends/mongodb/bson-reader.ts';
import type { BsonValue } from '../../../../src/backends/mongodb/bson-reader.ts';
import { cstring, document, element, int32, string } from '../../../support/bson-bytes.ts';

/** The bytes of a value in hexadecimal digits. */
function hexOf(value: BsonValue | undefined): string | undefined {
  return value && Buffer.from(value.bytes.subarray(value.offset, value.end)).toString('hex');
}

/** The Int32 at the end of a path. */
function numberAt(bson: Uint8Array, path: readonly (string | number)[]): number | undefined {
  const value = readPath(bson, path);
  return value && readInt32(value.bytes, value.offset);
}

const reply = BSON.serialize({
  cursor: { firstBatch: [{ _id: 1 }, { _id: 2, tags: [[7, 8]] }], id: 9 },
  ok: 1,
});

describe('readElements', () => {
  it('gives the names and the places of the values in stored order, duplicates too', () => {
    const bson = document(
      element(0x10, 'b', int32(1)),
      element(0x08, '__proto__', Buffer.of(1)),
      element(0x10, 'b', int32(2)),
      element(0x0a, ''),
    );
    const elements = readElements(bson);
    expect(elements.map(([name, value]) => [name, value.type, hexOf(value)])).toEqual([
      ['b', BSON_TYPE.int32, '01000000'],
      ['__proto__', BSON_TYPE.boolean, '01'],
      ['b', BSON_TYPE.int32, '02000000'],
      ['', BSON_TYPE.null, ''],
    ]);
    expect(elements.every(([, value]) => value.bytes === bson)).toBe(true);
  });

  it('reads an array like a document, and nothing from an empty one', () => {
    const list = readPath(reply, ['cursor', 'firstBatch']);
    const elements = list === undefined ? [] : readElements(documentBytes(list));
    expect(elements.map(([name]) => name)).toEqual(['0', '1']);
    expect(readElements(document())).toEqual([]);
  });

  it('repairs a name that is no UTF-8', () => {
    const bson = document(element(0x0a, Buffer.of(0x61, 0xff)), element(0x0a, 'é'));
    expect(readElements(bson).map(([name]) => name)).toEqual(['a\ufffd', 'é']);
  });

  it('reads bytes that stand within others', () => {
    const field = Buffer.concat([Buffer.from('before'), document(element(0x10, 'é', int32(5)))]);
    const [first] = readElements(field.subarray(6));
    expect(first?.[0]).toBe('é');
    expect(hexOf(first?.[1])).toBe('05000000');
  });

  it('finds the end of every type that the driver writes', () => {
    const bson = BSON.serialize({
      double: 1.5,
      string: 'text',
      document: { a: 1 },
      array: [1],
      binary: new BSON.Binary(Buffer.from('abc'), 0),
      old: new BSON.Binary(Buffer.from('abc'), 2),
      id: new BSON.ObjectId(),
      isTrue: true,
      date: new Date(0),
      nothing: null,
      pattern: /a/i,
      code: new BSON.Code('f'),
      symbol: new BSON.BSONSymbol('s'),
      scoped: new BSON.Code('f', { a: 1 }),
      int32: 1,
      timestamp: new BSON.Timestamp({ t: 1, i: 2 }),
      int64: new BSON.Long(1),
      decimal: BSON.Decimal128.fromString('1'),
      maximum: new BSON.MaxKey(),
      minimum: new BSON.MinKey(),
    });
    const types = readElements(bson).map(([, value]) => value.type);
    expect(types).toEqual([
      1, 2, 3, 4, 5, 5, 7, 8, 9, 0xa, 0xb, 0xd, 0xe, 0xf, 0x10, 0x11, 0x12, 0x13, 0x7f, 0xff,
    ]);
  });
});

describe('readPath', () => {
  test.each([
    { path: ['cursor', 'id'], value: 9 },
    { path: ['cursor', 'firstBatch', 0, '_id'], value: 1 },
    { path: ['cursor', 'firstBatch', 1, '_id'], value: 2 },
    { path: ['cursor', 'firstBatch', 1, 'tags', 0, 1], value: 8 },
    { path: ['ok'], value: 1 },
    { path: [0, 'id'], value: 9 },
    { path: [], value: undefined },
    { path: ['missing'], value: undefined },
    { path: ['ok', 'deeper'], value: undefined },
    { path: ['cursor', 0], value: undefined },
    { path: ['cursor', 'firstBatch', '0'], value: undefined },
    { path: ['cursor', 'firstBatch', 2], value: undefined },
    { path: ['cursor', 'firstBatch', -1], value: undefined },
    { path: ['cursor', 'missing', 'id'], value: undefined },
  ])('$path leads to $value', ({ path, value }) => {
    expect(numberAt(reply, path)).toBe(value);
  });

  it('takes the first of two elements with one name', () => {
    const bson = document(element(0x10, 'a', int32(1)), element(0x10, 'a', int32(2)));
    expect(numberAt(bson, ['a'])).toBe(1);
  });

  it('refuses malformed bytes on the way, and does not look behind what it wants', () => {
    const bson = document(element(0x10, 'a', int32(1)), element(0x42, 'b'));
    expect(numberAt(bson, ['a'])).toBe(1);
    expect(() => readPath(bson, ['c'])).toThrow(BsonError);
  });
});

describe('documentBytes', () => {
  it('is a view of an embedded document', () => {
    const inner = document(element(0x0a, 'n'));
    const value = readPath(document(element(0x03, 'd', inner)), ['d']);
    const bytes = value && documentBytes(value);
    expect(Buffer.from(bytes ?? [])).toEqual(inner);
    expect(bytes?.buffer).toBe(value?.bytes.buffer);
  });

  it('refuses a value that is neither a document nor an array', () => {
    const value = { type: BSON_TYPE.int32, bytes: int32(1), offset: 0, end: 4 };
    expect(() => documentBytes(value)).toThrow('A document or array was expected');
  });
});

describe('malformed bytes', () => {
  const oid = Buffer.alloc(12);
  const parts = (total: number): Buffer => Buffer.concat([int32(total), string('f'), document()]);
  const binary = (size: number, inner: number): Buffer =>
    Buffer.concat([int32(size), Buffer.of(2), int32(inner), Buffer.alloc(4)]);

  test.each([
    { what: 'no bytes', bson: Buffer.of() },
    { what: 'a length without a document', bson: int32(4) },
    { what: 'a negative length', bson: Buffer.concat([int32(-1), Buffer.of(0)]) },
    { what: 'a length beyond the bytes', bson: Buffer.concat([int32(6), Buffer.of(0)]) },
    { what: 'bytes behind the document', bson: Buffer.concat([document(), Buffer.of(0)]) },
    { what: 'no terminator', bson: Buffer.concat([int32(5), Buffer.of(1)]) },
  ])('are no document: $what', ({ bson }) => {
    expect(() => checkDocument(bson)).toThrow(BsonError);
    expect(() => readElements(bson)).toThrow(BsonError);
  });

  test.each([
    { what: 'an unknown type', type: 0x42, value: Buffer.of() },
    { what: 'a terminator too early', type: 0x00, value: Buffer.of() },
    { what: 'a double that is cut off', type: 0x01, value: Buffer.alloc(7) },
    { what: 'an id that is cut off', type: 0x07, value: oid.subarray(1) },
    { what: 'a string without length', type: 0x02, value: Buffer.of(1, 0) },
    { what: 'a string of no bytes', type: 0x02, value: int32(0) },
    { what: 'a string of negative length', type: 0x02, value: int32(-1) },
    { what: 'a string into the terminator', type: 0x02, value: int32(1) },
    { what: 'a string without NUL', type: 0x02, value: Buffer.concat([int32(1), Buffer.of(1)]) },
    { what: 'a document too short', type: 0x03, value: Buffer.concat([int32(4), Buffer.of(0)]) },
    { what: 'an array too long', type: 0x04, value: Buffer.concat([int32(6), Buffer.of(0)]) },
    { what: 'a binary without subtype', type: 0x05, value: int32(0) },
    { what: 'a binary of negative length', type: 0x05, value: binary(-1, 0) },
    { what: 'a binary with two different lengths', type: 0x05, value: binary(8, 3) },
    { what: 'a binary without room for its second length', type: 0x05, value: binary(3, 0) },
    { what: 'a boolean of 2', type: 0x08, value: Buffer.of(2) },
    { what: 'a pattern without options', type: 0x0b, value: cstring('a') },
    { what: 'a pointer without id', type: 0x0c, value: string('a.b') },
    { what: 'a code value too short for its parts', type: 0x0f, value: parts(14) },
    { what: 'a code value too long for its parts', type: 0x0f, value: parts(16) },
    { what: 'a code value of three bytes', type: 0x0f, value: int32(3) },
  ])('hold no value: $what', ({ type, value }) => {
    expect(() => readElements(document(element(type, 'v', value)))).toThrow(BsonError);
  });

  it('hold no name when it has no end', () => {
    const bson = document(Buffer.from([0x0a, 0x61, 0x61]));
    expect(() => readElements(bson)).toThrow('A name or pattern has no end');
  });

  it('are told by their place, never by their text', () => {
    const bson = document(element(0x02, 'secret', Buffer.concat([int32(99), cstring('secret')])));
    expect(() => readElements(bson)).toThrow(
      /^Malformed BSON at byte 16: A value is longer than what contains it$/,
    );
  });
});
