// Whether values have one place in the order of MongoDB's sort, as far as that loses documents:
// numbers of different types are equal to it, and a field that is missing is null.
import { BSON_TYPE } from '../backends/mongodb/bson-reader.ts';
import type { BsonValue } from '../backends/mongodb/bson-reader.ts';
import { CanonicalWriter } from './source-values.ts';

const NUMBERS: ReadonlySet<number> = new Set([
  BSON_TYPE.double,
  BSON_TYPE.int32,
  BSON_TYPE.int64,
  BSON_TYPE.decimal128,
]);

/** Byte for byte. */
export function isSameValue(one: BsonValue, other: BsonValue): boolean {
  return one.type === other.type && Buffer.compare(bytesOf(one), bytesOf(other)) === 0;
}

/** A value that is undefined is that of a field that is missing. */
export function isSamePlace(one: BsonValue | undefined, other: BsonValue | undefined): boolean {
  if (one === undefined || other === undefined) {
    return [one, other].every((value) => value === undefined || value.type === BSON_TYPE.null);
  }
  if (isSameValue(one, other)) {
    return true;
  }
  const isExact = one.type === BSON_TYPE.int64 && other.type === BSON_TYPE.int64;
  return !isExact && NUMBERS.has(one.type) && NUMBERS.has(other.type) && isEqual(one, other);
}

/** Numbers beyond the digits of a double may seem equal, which stops a source and loses nothing. */
function isEqual(one: BsonValue, other: BsonValue): boolean {
  const [first, second] = [numberOf(one), numberOf(other)];
  return first === second || (Number.isNaN(first) && Number.isNaN(second));
}

/** Canonical Extended JSON has its digits as a text: `{"$numberInt":"7"}`. */
function numberOf(value: BsonValue): number {
  const text = new CanonicalWriter().encode(value).toString('utf8');
  return Number(/"([^"]*)"\}$/.exec(text)?.[1]);
}

export function bytesOf({ bytes, offset, end }: BsonValue): Uint8Array {
  return bytes.subarray(offset, end);
}
