import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import {
  dataRowFrameBytes,
  encodeDataRows,
  encodeEmptyQueryResponse,
  encodeRowDescription,
} from '../../../../wire/protocol/result-messages.ts';

test('EmptyQueryResponse is a type byte and a length', () => {
  expect(encodeEmptyQueryResponse().toString('hex')).toBe('4900000004');
});

describe('RowDescription', () => {
  it('names a column, its type, size -1 and modifier -1, in text format', () => {
    const frame = encodeRowDescription([{ name: 'result', typeOid: 114 }]);
    expect(frame.toString('hex')).toBe(
      '540000001f0001' +
        '726573756c7400' +
        '00000000' +
        '0000' +
        '00000072' +
        'ffff' +
        'ffffffff0000',
    );
  });

  test.each([
    [16, 1],
    [20, 8],
    [23, 4],
    [26, 4],
    [25, -1],
  ])('says of type %i that it has %i bytes', (typeOid, size) => {
    const frame = encodeRowDescription([{ name: '', typeOid }]);
    expect(frame.readInt16BE(frame.length - 8)).toBe(size);
  });

  it('may have no column, and several', () => {
    expect(encodeRowDescription([]).toString('hex')).toBe('54000000060000');
    const two = encodeRowDescription([
      { name: 'a', typeOid: 25 },
      { name: 'b', typeOid: 25 },
    ]);
    expect(two.readInt16BE(5)).toBe(2);
    expect(two.readInt32BE(1)).toBe(two.length - 1);
  });
});

describe('DataRow', () => {
  it('has a length before each value, and -1 for NULL', () => {
    const frame = encodeDataRows([[Buffer.from('ab'), null, Buffer.alloc(0)]]);
    expect(frame.toString('hex')).toBe(
      '44' + '00000014' + '0003' + '000000026162' + 'ffffffff' + '00000000',
    );
  });

  it('comes one behind the other, in the order of the rows', () => {
    const frames = encodeDataRows([[Buffer.from('1')], [Buffer.from('22')]]);
    expect(frames.toString('latin1').split('D')).toHaveLength(3);
    expect(frames.subarray(12).toString('hex')).toBe('44' + '0000000c' + '0001' + '000000023232');
    expect(encodeDataRows([])).toHaveLength(0);
  });

  it('is as long as it is said to be, and its length does not count the type byte', () => {
    const value = fc.option(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (row) => {
        const frame = encodeDataRows([row]);
        expect(frame).toHaveLength(dataRowFrameBytes(row));
        expect(frame.readUInt32BE(1)).toBe(frame.length - 1);
        expect(frame.readInt16BE(5)).toBe(row.length);
      }),
    );
  });
});
