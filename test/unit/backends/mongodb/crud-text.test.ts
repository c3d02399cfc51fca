import { describe, expect, it } from '@jest/globals';
import { Double, Int32, Long, ObjectId } from 'mongodb';
import {
  bytesOf,
  formatBson,
  formatCommand,
  formatDocument,
} from '../../../../src/backends/mongodb/crud-text.ts';

describe('formatDocument', () => {
  it('writes lossless Extended JSON, names in their order', () => {
    const document = new Map<string, unknown>([
      ['_id', new ObjectId('507f1f77bcf86cd799439011')],
      ['10', new Int32(1)],
      ['2', new Double(1)],
      ['long', Long.fromNumber(5)],
      ['inner', new Map([['__proto__', null]])],
    ]);
    expect(formatDocument(document).toString('utf8')).toBe(
      '{"_id":{"$oid":"507f1f77bcf86cd799439011"},"10":1,"2":{"$numberDouble":"1.0"},' +
        '"long":{"$numberLong":"5"},"inner":{"__proto__":null}}',
    );
  });

  it('takes names that mean something to the driver as names', () => {
    const document = new Map([
      ['_bsontype', 'ObjectId'],
      ['toBSON', 'x'],
      ['then', 'y'],
    ]);
    expect(formatDocument(document).toString('utf8')).toBe(
      '{"_bsontype":"ObjectId","toBSON":"x","then":"y"}',
    );
  });
});

describe('formatBson', () => {
  it.each([
    ['text', '"text"'],
    [null, 'null'],
    [new Int32(5), '5'],
    [[new Int32(1), new Map()], '[1,{}]'],
    [new Date(0), '{"$date":"1970-01-01T00:00:00Z"}'],
  ])('writes %p', (value, text) => {
    expect(formatBson(value)).toBe(text);
  });

  it('says that a value is none of BSON', () => {
    expect(() => formatBson(() => 1)).toThrow(TypeError);
  });
});

describe('formatCommand', () => {
  it('writes the command as it is sent', () => {
    expect(formatCommand({ find: 'a', filter: new Map([['b', new Map([['$eq', 1]])]]) })).toBe(
      '{"find":"a","filter":{"b":{"$eq":1}}}',
    );
  });
});

describe('bytesOf', () => {
  it('counts the bytes of BSON', () => {
    expect(bytesOf(new Map())).toBe(5);
    expect(bytesOf(new Map([['a', new Int32(1)]]))).toBe(12);
  });
});
