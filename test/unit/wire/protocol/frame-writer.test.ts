import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  encodeByte,
  encodeFrame,
  encodeInt32,
  encodeString,
} from '../../../../wire/protocol/frame-writer.ts';

/** The type byte of CommandComplete. */
const TYPE = 0x43;

describe('encodeFrame', () => {
  test.each([
    ['no part', [], '43 00000004'],
    ['one part', [Buffer.from('ab')], '43 00000006 6162'],
    ['parts in their order', [Buffer.from('a'), Buffer.from('b')], '43 00000006 61 62'],
    ['an empty part', [Buffer.alloc(0)], '43 00000004'],
  ])('lays out type, length and body of %s', (_name, parts, hex) => {
    expect(encodeFrame(TYPE, ...parts).toString('hex')).toBe(hex.replaceAll(' ', ''));
  });

  test('writes a length that counts itself and the body, but not the type byte', () => {
    const frame = encodeFrame(TYPE, Buffer.alloc(70_000));
    expect(frame.readUInt32BE(1)).toBe(70_004);
    expect(frame).toHaveLength(70_005);
  });

  test('leaves its parts as they were', () => {
    const part = Buffer.from('part');
    encodeFrame(TYPE, part).fill(0);
    expect(part.toString()).toBe('part');
  });
});

describe('encodeString', () => {
  test.each([
    ['', '00'],
    ['abc', '61626300'],
    ['ü€', 'c3bce282ac00'],
    ['a\nb', '610a6200'],
  ])('writes %j in UTF-8 with its terminator', (text, hex) => {
    expect(encodeString(text).toString('hex')).toBe(hex);
  });

  test('has one terminator only, so that a zero inside cannot begin another field', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '\0', 'ü') }), (text) => {
        const bytes = encodeString(text);
        expect(bytes.indexOf(0)).toBe(bytes.length - 1);
        expect(bytes.toString('utf8', 0, bytes.length - 1)).toBe(text.replaceAll('\0', ''));
      }),
      { seed: 1 },
    );
  });
});

describe('encodeInt32', () => {
  test.each([
    [0, '00000000'],
    [1, '00000001'],
    [-1, 'ffffffff'],
    [0x7fffffff, '7fffffff'],
    [-0x80000000, '80000000'],
    [0x80000000, '80000000'],
    [0xffffffff, 'ffffffff'],
    [196_608, '00030000'],
  ])('writes %d as four bytes, high byte first, signed or not', (value, hex) => {
    expect(encodeInt32(value).toString('hex')).toBe(hex);
  });
});

describe('encodeByte', () => {
  test.each([
    [0, '00'],
    [0x53, '53'],
    [255, 'ff'],
  ])('writes %d as it is', (value, hex) => {
    expect(encodeByte(value).toString('hex')).toBe(hex);
  });
});
