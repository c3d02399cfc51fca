import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Double, Int32, Long } from 'mongodb';
import { parseExactNumber } from '../../../../src/backends/mongodb/crud-numbers.ts';

const RUNS = { numRuns: 500, seed: 20_260_401 };

describe('parseExactNumber', () => {
  it.each([
    ['0', new Int32(0)],
    ['2147483647', new Int32(2147483647)],
    ['-2147483648', new Int32(-2147483648)],
    ['2147483648', Long.fromString('2147483648')],
    ['-2147483649', Long.fromString('-2147483649')],
    ['9007199254740993', Long.fromString('9007199254740993')],
    ['9223372036854775807', Long.MAX_VALUE],
    ['-9223372036854775808', Long.MIN_VALUE],
    ['-0', new Double(-0)],
    ['1.0', new Double(1)],
    ['0.1', new Double(0.1)],
    ['0.10', new Double(0.1)],
    ['1e2', new Double(100)],
    ['1E+2', new Double(100)],
    ['100e-2', new Double(1)],
    ['0.000001e6', new Double(1)],
    ['-1.5', new Double(-1.5)],
    ['0e999999', new Double(0)],
    ['0.0', new Double(0)],
    ['5e-324', new Double(5e-324)],
    ['1.7976931348623157e308', new Double(Number.MAX_VALUE)],
    ['9223372036854775808.0', new Double(2 ** 63)],
  ])('reads %s', (text, value) => {
    expect(parseExactNumber(text)).toEqual(value);
  });

  it.each([
    ['an integer above 64 bits', '9223372036854775808'],
    ['an integer below 64 bits', '-9223372036854775809'],
    ['an integer of a hundred digits', '1'.repeat(100)],
    ['an integer of a million digits', '1'.repeat(1_000_000)],
    ['a decimal with more digits than a double', '0.10000000000000001'],
    ['a decimal beyond all doubles', '1e400'],
    ['a decimal beneath all doubles', '1e-400'],
    ['an integer beyond 53 bits as a decimal', '9007199254740993.0'],
    ['a decimal of a million digits', `0.${'0'.repeat(1_000_000)}1`],
  ])('finds none for %s', (_case, text) => {
    const startedAtMs = performance.now();
    expect(parseExactNumber(text)).toBeUndefined();
    expect(performance.now() - startedAtMs).toBeLessThan(1000);
  });

  it('reads every double from its own text', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = Number.isInteger(value) ? value.toExponential() : String(value);
        const read = parseExactNumber(text);
        expect(read).toBeInstanceOf(Double);
        expect(Number(read)).toBe(Object.is(value, -0) ? 0 : value);
      }),
      RUNS,
    );
  });

  it('reads every integer of 64 bits, as small as it goes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const read = parseExactNumber(String(value));
        expect(String(read)).toBe(String(value));
        expect(read instanceof Int32).toBe(value === BigInt.asIntN(32, value));
      }),
      RUNS,
    );
  });
});
