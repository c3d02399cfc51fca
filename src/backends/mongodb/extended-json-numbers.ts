// Numbers and dates in Extended JSON: the types whose spelling depends on the mode.
import { BSON_TYPE, readInt32 } from './bson-reader.ts';
import { appendWrapped } from './extended-json-encoder.ts';
import type { Output, TypedEncoder } from './extended-json-encoder.ts';

/** The first millisecond of the year 10000, which ISO 8601 writes with a sign. */
const YEAR_10000_MS = 253_402_300_800_000;

/** Integral doubles within this are read back as integers; the driver compares like this. */
const INT64_SPAN = 2 ** 63;

/** The high word of an Int64 that a Number holds exactly lies in [-SAFE_HIGH, SAFE_HIGH). */
const SAFE_HIGH = 2 ** 21;

const doubleBytes = new Uint8Array(8);
const doubleWords = new DataView(doubleBytes.buffer);

function readDouble(bytes: Uint8Array, at: number): number {
  for (let index = 0; index < 8; index++) {
    doubleBytes[index] = bytes[at + index] ?? 0;
  }
  return doubleWords.getFloat64(0, true);
}

/** A Number where that is exact, else a BigInt: Numbers are several times as fast. */
function readInt64(bytes: Uint8Array, at: number): number | bigint {
  const low = readInt32(bytes, at) >>> 0;
  const high = readInt32(bytes, at + 4);
  return high >= -SAFE_HIGH && high < SAFE_HIGH
    ? high * 2 ** 32 + low
    : (BigInt(high) << 32n) | BigInt(low);
}

/** A double never looks like an integer: it has a point or an exponent. */
function doubleText(value: number): string {
  if (Number.isSafeInteger(value)) {
    return Object.is(value, -0) ? '-0.0' : `${value}.0`;
  }
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function appendInt32({ text }: Output, bytes: Uint8Array, at: number): void {
  text.appendAscii(String(readInt32(bytes, at)));
}

function appendTypedInt32(output: Output, bytes: Uint8Array, at: number): void {
  appendWrapped(output, '$numberInt', String(readInt32(bytes, at)));
}

function appendInt64({ text }: Output, bytes: Uint8Array, at: number): void {
  text.appendAscii(String(readInt64(bytes, at)));
}

function appendTypedInt64(output: Output, bytes: Uint8Array, at: number): void {
  appendWrapped(output, '$numberLong', String(readInt64(bytes, at)));
}

/** Plain digits are read as an Int32 when they fit one, and otherwise through a Number. */
function appendLosslessInt64(output: Output, bytes: Uint8Array, at: number): void {
  const value = readInt64(bytes, at);
  const isPlain =
    typeof value === 'number' ? (value | 0) !== value : BigInt(Number(value)) === value;
  if (isPlain) {
    output.text.appendAscii(String(value));
  } else {
    appendWrapped(output, '$numberLong', String(value));
  }
}

function appendDouble(output: Output, bytes: Uint8Array, at: number): void {
  const value = readDouble(bytes, at);
  if (Number.isFinite(value)) {
    output.text.appendAscii(doubleText(value));
  } else {
    appendWrapped(output, '$numberDouble', String(value));
  }
}

function appendTypedDouble(output: Output, bytes: Uint8Array, at: number): void {
  appendWrapped(output, '$numberDouble', doubleText(readDouble(bytes, at)));
}

function appendLosslessDouble(output: Output, bytes: Uint8Array, at: number): void {
  const value = readDouble(bytes, at);
  const isReadAsInteger =
    Number.isInteger(value) && Math.abs(value) <= INT64_SPAN && !Object.is(value, -0);
  if (isReadAsInteger) {
    appendTypedDouble(output, bytes, at);
  } else {
    appendDouble(output, bytes, at);
  }
}

function appendTypedDate(output: Output, bytes: Uint8Array, at: number): void {
  output.text.appendAscii('{"$date":');
  appendTypedInt64(output, bytes, at);
  output.text.appendAscii('}');
}

function appendDate(output: Output, bytes: Uint8Array, at: number): void {
  const ms = readInt64(bytes, at);
  if (typeof ms !== 'number' || ms < 0 || ms >= YEAR_10000_MS) {
    appendTypedDate(output, bytes, at);
    return;
  }
  const iso = new Date(ms).toISOString();
  appendWrapped(output, '$date', ms % 1000 === 0 ? `${iso.slice(0, 19)}Z` : iso);
}

/** The encoders of each mode for the types that the modes spell differently. */
export const NUMBER_ENCODERS = {
  relaxed: [
    [BSON_TYPE.double, appendDouble],
    [BSON_TYPE.date, appendDate],
    [BSON_TYPE.int32, appendInt32],
    [BSON_TYPE.int64, appendInt64],
  ],
  canonical: [
    [BSON_TYPE.double, appendTypedDouble],
    [BSON_TYPE.date, appendTypedDate],
    [BSON_TYPE.int32, appendTypedInt32],
    [BSON_TYPE.int64, appendTypedInt64],
  ],
  lossless: [
    [BSON_TYPE.double, appendLosslessDouble],
    [BSON_TYPE.date, appendDate],
    [BSON_TYPE.int32, appendInt32],
    [BSON_TYPE.int64, appendLosslessInt64],
  ],
} as const satisfies Record<string, readonly TypedEncoder[]>;
