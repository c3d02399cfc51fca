// Numbers of JSON as BSON has them, and never another number than the one that was written.
import { Double, Int32, Long } from 'mongodb';

/** A longer text is no number that a double has. */
const DIGITS_MAX = 400;

const INT64_DIGITS_MAX = 19;

const INT32_MAX = 0x7fffffff;

/**
 * Int32 or Long for an integer, by its size, Double for what has a point or an exponent.
 *
 * @param text a number as JSON writes it
 * @returns undefined where none of them is exactly this number
 */
export function parseExactNumber(text: string): Int32 | Long | Double | undefined {
  // The only integer that needs a sign which integers do not have.
  if (text === '-0') {
    return new Double(-0);
  }
  return /^-?\d+$/.test(text) ? parseInteger(text) : parseDouble(text);
}

function parseInteger(text: string): Int32 | Long | undefined {
  if (text.replace('-', '').length > INT64_DIGITS_MAX) {
    return undefined;
  }
  const value = BigInt(text);
  if (value !== BigInt.asIntN(64, value)) {
    return undefined;
  }
  const isSmall = value <= INT32_MAX && value >= -INT32_MAX - 1;
  return isSmall ? new Int32(Number(value)) : Long.fromBigInt(value);
}

/**
 * The shortest text of a double stands for it, so 0.1 is exact and 0.10000000000000001 is not; a
 * large integral one may be written with all of its digits.
 */
function parseDouble(text: string): Double | undefined {
  const value = Number(text);
  if (text.length > DIGITS_MAX || !Number.isFinite(value)) {
    return undefined;
  }
  const texts = [String(value), ...(Number.isInteger(value) ? [String(BigInt(value))] : [])];
  const decimal = decimalOf(text);
  return texts.some((other) => decimalOf(other) === decimal) ? new Double(value) : undefined;
}

/** One spelling for each decimal number: its digits without outer zeros, and an exponent. */
function decimalOf(text: string): string {
  const [, , whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return significant === '' ? '0' : `${significant}e${power}`;
}
