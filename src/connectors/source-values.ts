// Values between BSON, Extended JSON and the driver's classes, none changed on the way: documents
// are Maps, whose names keep their order and mean nothing.
import { BSON } from 'mongodb';
import { BSON_TYPE, documentBytes, readElements } from '../backends/mongodb/bson-reader.ts';
import type { BsonValue } from '../backends/mongodb/bson-reader.ts';
import { parseJson } from '../backends/mongodb/crud-json.ts';
import type { Json } from '../backends/mongodb/crud-json.ts';
import { parseExactNumber } from '../backends/mongodb/crud-numbers.ts';
import { readWrapper } from '../backends/mongodb/crud-wrappers.ts';
import { ExtendedJsonWriter } from '../backends/mongodb/extended-json.ts';
import { LosslessNumber } from 'lossless-json';

export type Fields = ReadonlyMap<string, unknown>;

export type Parsed<T> = { readonly value: T } | { readonly problem: string };

/** How the driver's classes keep every type apart. */
const EXACT = { promoteValues: false, promoteBuffers: false, bsonRegExp: true } as const;

/** Not valid Extended JSON; its message says why, in a few words. */
class Notation extends Error {}

/** A value in Extended JSON. Names that begin with `$` and are no type stay: they are operators. */
export function parseExtendedJson(text: string): Parsed<unknown> {
  const json = parseJson(text);
  if (json === undefined) {
    return { problem: 'It is no valid JSON, or names a field twice' };
  }
  try {
    return { value: readJson(json) };
  } catch (error) {
    if (error instanceof Notation) {
      return { problem: error.message };
    }
    throw error;
  }
}

/** A document in Extended JSON. */
export function parseExtendedJsonDocument(text: string): Parsed<Fields> {
  const parsed = parseExtendedJson(text);
  if ('problem' in parsed) {
    return parsed;
  }
  return parsed.value instanceof Map
    ? { value: parsed.value }
    : { problem: 'It is no document: write {"field": value}' };
}

function readJson(json: Json): unknown {
  if (json instanceof LosslessNumber) {
    const number = parseExactNumber(json.value);
    if (number === undefined) {
      throw new Notation('A number is exactly none of BSON: write {"$numberDecimal": "…"} for it');
    }
    return number;
  }
  if (json instanceof Map) {
    return readObject(json);
  }
  return Array.isArray(json) ? json.map((element: Json) => readJson(element)) : json;
}

function readObject(fields: ReadonlyMap<string, Json>): unknown {
  const wrapper = readWrapper(fields);
  if (wrapper === undefined) {
    return new Map([...fields].map(([name, value]) => [name, readJson(value)] as const));
  }
  if ('problem' in wrapper) {
    throw new Notation(wrapper.problem);
  }
  return wrapper.value;
}

/** Canonical Extended JSON of a value: its type can be read from it. */
export class CanonicalWriter {
  readonly #writer = new ExtendedJsonWriter('canonical');

  /** The text in UTF-8; it stays as it is. */
  encode(value: BsonValue): Buffer {
    this.#writer.appendValue(value);
    return this.#writer.take();
  }
}

/**
 * A document as the driver takes it, so that it writes exactly these bytes; undefined when it
 * would not: deprecated types that it has no class for, names that are there twice, broken text.
 */
export function readExactly(bson: Uint8Array): object | undefined {
  // Objects are several times as fast as Maps, and wrong for few documents.
  for (const read of [readObjects, readFields]) {
    try {
      const document = read(bson);
      if (Buffer.compare(BSON.serialize(document), bson) === 0) {
        return document;
      }
    } catch {
      // What the driver cannot read or write it cannot write exactly.
    }
  }
  return undefined;
}

function readObjects(bson: Uint8Array): object {
  return BSON.deserialize(bson, EXACT);
}

function readFields(bson: Uint8Array): Map<string, unknown> {
  return new Map(readElements(bson).map(([name, value]) => [name, readElement(value)] as const));
}

function readElement(value: BsonValue): unknown {
  switch (value.type) {
    case BSON_TYPE.document:
      return readFields(documentBytes(value));
    case BSON_TYPE.array:
      return readElements(documentBytes(value)).map(([, element]) => readElement(element));
    default:
      return readLeaf(value);
  }
}

/** `{v: value}` put together around its bytes. */
function readLeaf({ type, bytes, offset, end }: BsonValue): unknown {
  const head = Buffer.from([0, 0, 0, 0, type, 'v'.charCodeAt(0), 0]);
  const document = Buffer.concat([head, bytes.subarray(offset, end), Buffer.from([0])]);
  document.writeInt32LE(document.length);
  const read: unknown = BSON.deserialize(document, EXACT)['v'];
  return read;
}
