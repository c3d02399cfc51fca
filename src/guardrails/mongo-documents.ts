// Documents as the driver takes them, read as its serializer does: what it writes as a document is
// one here, and every key of it is only a name.
import { isAnyArrayBuffer, isDate, isMap, isRegExp } from 'node:util/types';

export type Entry = readonly [key: string, value: unknown];

/** The fields of a document in their order; undefined for any other value, arrays included. */
export function entriesOf(value: unknown): readonly Entry[] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isScalar(value)) {
    return undefined;
  }
  if (isMap(value)) {
    const map: ReadonlyMap<unknown, unknown> = value;
    return Array.from(map, ([key, inner]) => [String(key), inner]);
  }
  const type = bsonTypeOf(value);
  if (type === undefined) {
    return Object.entries(value);
  }
  return type === 'DBRef' ? entriesOfReference(value) : undefined;
}

/** A field of a document; undefined where there is none. */
export function fieldOf(document: unknown, key: string): unknown {
  return entriesOf(document)?.find(([name]) => name === key)?.[1];
}

/** The elements of an array; none for any other value. */
export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Whether an option may be on: what is neither absent nor false may be, whatever its type. */
export function isOn(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

/** Whether the server would get a value as JavaScript. A function is none that we would send. */
export function isJavaScript(value: unknown): boolean {
  return typeof value === 'function' || bsonTypeOf(value) === 'Code';
}

/** Whether a value is bytes: a UUID, with which some commands name a collection. */
export function isBytes(value: unknown): boolean {
  return ArrayBuffer.isView(value) || bsonTypeOf(value) === 'Binary';
}

/** A number, of whatever class; NaN for any other value. */
export function numberOf(value: unknown): number {
  const isNumeric = ['number', 'bigint'].includes(typeof value) || bsonTypeOf(value) !== undefined;
  return isNumeric ? Number(value) : Number.NaN;
}

/**
 * The name of the BSON class that a value is of. The classes have it from their prototype: as a
 * field of its own, `_bsontype` is a user's, and hides nothing.
 */
function bsonTypeOf(value: unknown): unknown {
  const isOfClass =
    typeof value === 'object' &&
    value !== null &&
    '_bsontype' in value &&
    !Object.hasOwn(value, '_bsontype');
  return isOfClass ? value._bsontype : undefined;
}

function isScalar(value: object): boolean {
  return isDate(value) || isRegExp(value) || ArrayBuffer.isView(value) || isAnyArrayBuffer(value);
}

// A DBRef is sent as a document: two or three fields of its own and any that the user adds.
function entriesOfReference(reference: object): readonly Entry[] {
  const fields = 'fields' in reference ? (entriesOf(reference.fields) ?? []) : [];
  return [['$id', 'oid' in reference ? reference.oid : undefined], ...fields];
}
