// Answers that are put together here, as BSON: what becomes of them is read from bytes in any case.
import { BSON, Long } from 'mongodb';

const TYPE = { document: 3, array: 4, undefined: 6 } as const;

const INT32_MAX = 0x7fffffff;

/**
 * `{ v: value }` in BSON. Values are what a reply holds: BSON types, arrays, plain objects and
 * Maps, and embedded documents as bytes, which are taken over as they are.
 */
export function encodeValue(value: unknown): Uint8Array {
  return frame([encodeElement('v', value)]);
}

function encodeElement(name: string, value: unknown): Uint8Array {
  if (value instanceof Uint8Array) {
    return Buffer.concat([header(TYPE.document, name), value]);
  }
  if (Array.isArray(value)) {
    const elements = value.map((element: unknown, index) => encodeElement(`${index}`, element));
    return Buffer.concat([header(TYPE.array, name), frame(elements)]);
  }
  if (value === undefined) {
    return header(TYPE.undefined, name);
  }
  if (isFields(value)) {
    const entries: (readonly [string, unknown])[] =
      value instanceof Map
        ? [...value].map(([key, inner]) => [String(key), inner])
        : Object.entries(value);
    const elements = entries.map(([key, inner]) => encodeElement(key, inner));
    return Buffer.concat([header(TYPE.document, name), frame(elements)]);
  }
  return encodeLeaf(name, value);
}

function encodeLeaf(name: string, value: unknown): Uint8Array {
  // A count beyond 32 bits is an integer still, where the driver would make it a double.
  const isLong = Number.isSafeInteger(value) && Math.abs(Number(value)) > INT32_MAX;
  const leaf = isLong ? Long.fromNumber(Number(value)) : value;
  return BSON.serialize({ [name]: leaf }).subarray(4, -1);
}

/** A document, and no value of a type of its own. */
function isFields(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !('_bsontype' in value) &&
    !(value instanceof Date) &&
    !(value instanceof RegExp)
  );
}

function header(type: number, name: string): Buffer {
  return Buffer.concat([Buffer.from([type]), Buffer.from(`${name}\0`, 'utf8')]);
}

function frame(elements: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([Buffer.alloc(4), ...elements, Buffer.from([0])]);
  body.writeInt32LE(body.length, 0);
  return body;
}
