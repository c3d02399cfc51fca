// A header value of every kind and of every extreme, with its bytes and its kind's number.
import type { IggyHeaderValue } from '../../src/connectors/iggy-headers.ts';

export interface HeaderCase {
  readonly number: number;
  readonly value: IggyHeaderValue;
  readonly hex: string;
}

const FF8 = 'ff'.repeat(8);

export const EVERY_HEADER: readonly HeaderCase[] = [
  { number: 1, value: { kind: 'raw', value: Buffer.from('00ff80', 'hex') }, hex: '00ff80' },
  { number: 2, value: { kind: 'string', value: 'é"\\' }, hex: 'c3a9225c' },
  { number: 3, value: { kind: 'bool', value: true }, hex: '01' },
  { number: 3, value: { kind: 'bool', value: false }, hex: '00' },
  { number: 4, value: { kind: 'int8', value: -128 }, hex: '80' },
  { number: 5, value: { kind: 'int16', value: -2 }, hex: 'feff' },
  { number: 6, value: { kind: 'int32', value: -(2 ** 31) }, hex: '00000080' },
  { number: 7, value: { kind: 'int64', value: -(2n ** 63n) }, hex: '0000000000000080' },
  { number: 7, value: { kind: 'int64', value: 2n ** 63n - 1n }, hex: 'ffffffffffffff7f' },
  { number: 8, value: { kind: 'int128', value: -1n }, hex: FF8 + FF8 },
  { number: 8, value: { kind: 'int128', value: -(2n ** 127n) }, hex: `${'00'.repeat(15)}80` },
  { number: 8, value: { kind: 'int128', value: 2n ** 127n - 1n }, hex: `${'ff'.repeat(15)}7f` },
  { number: 9, value: { kind: 'uint8', value: 255 }, hex: 'ff' },
  { number: 10, value: { kind: 'uint16', value: 0x1234 }, hex: '3412' },
  { number: 11, value: { kind: 'uint32', value: 2 ** 32 - 1 }, hex: 'ffffffff' },
  { number: 12, value: { kind: 'uint64', value: 2n ** 64n - 1n }, hex: FF8 },
  { number: 13, value: { kind: 'uint128', value: 2n ** 128n - 1n }, hex: FF8 + FF8 },
  {
    number: 13,
    value: { kind: 'uint128', value: 2n ** 64n },
    hex: `${'00'.repeat(8)}01${'00'.repeat(7)}`,
  },
  { number: 14, value: { kind: 'float32', value: 1.5 }, hex: '0000c03f' },
  { number: 15, value: { kind: 'float64', value: -0.1 }, hex: '9a9999999999b9bf' },
];
