// Documents of a client as BSON. What a client sends is data: no name in it is an operator, and
// nothing is stored as another value than the one that was written.
import { LosslessNumber } from 'lossless-json';
import { parseExactNumber } from './crud-numbers.ts';
import { readWrapper } from './crud-wrappers.ts';
import type { Fields } from './crud-wrappers.ts';

/** A document for the driver: its names in their order, none of them special. */
export type BsonDocument = ReadonlyMap<string, unknown>;

/** Why a value cannot be taken, and where it stands. */
export interface ValueProblem {
  /** A path such as `address.lines[0]`. */
  readonly field: string;
  readonly message: string;
}

export interface ValueReading {
  /** Filled in; the first ones only. */
  readonly problems: ValueProblem[];
  /** Whether MongoDB gave the document: then it may hold names that clients cannot send. */
  readonly isStored: boolean;
}

/** Documents within each other, the outermost counted. Source: MongoDB manual, "Limits". */
const NESTING_MAX = 100;

/** Of a stored one, whatever wrote it. */
const STORED_NESTING_MAX = 180;

const PROBLEMS_MAX = 100;

/** What is shown of a path: names are the client's, of any length. */
const PATH_CHARACTERS_MAX = 200;

/** The driver writes these as U+FFFD, which is another text. */
const LONE_SURROGATE = /\p{Surrogate}/u;

interface Place {
  readonly path: string;
  readonly depth: number;
}

/**
 * The BSON value of parsed JSON, as a field of a document has it.
 *
 * @param json as parseJson gives it
 * @param path where it stands, for problems
 */
export function readBson(json: unknown, path: string, reading: ValueReading): unknown {
  return readAt(json, { path, depth: 2 }, reading);
}

/** A document; an empty one and a problem where it is another value. */
export function readBsonDocument(json: unknown, path: string, reading: ValueReading): BsonDocument {
  if (json instanceof Map) {
    return readFields(json, { path, depth: 1 }, reading);
  }
  refuse(path, 'A document is expected: {"name": value}', reading);
  return new Map();
}

/** Notes a problem. */
export function refuse(field: string, message: string, { problems }: ValueReading): void {
  if (problems.length < PROBLEMS_MAX) {
    problems.push({ field: field.slice(0, PATH_CHARACTERS_MAX), message });
  }
}

function readAt(json: unknown, place: Place, reading: ValueReading): unknown {
  const { path, depth } = place;
  if (json instanceof LosslessNumber) {
    return readNumber(json.value, path, reading);
  }
  if (typeof json === 'string') {
    checkText(json, path, reading);
    return json;
  }
  if (Array.isArray(json)) {
    return isTooDeep(place, reading)
      ? null
      : json.map((element: unknown, index) =>
          readAt(element, { path: `${path}[${index}]`, depth: depth + 1 }, reading),
        );
  }
  return json instanceof Map ? readObject(json, place, reading) : json;
}

function readNumber(text: string, path: string, reading: ValueReading): unknown {
  const number = parseExactNumber(text);
  if (number === undefined) {
    const message =
      'The number fits neither 64 bits nor a double exactly: write {"$numberDecimal": "…"} for it';
    refuse(path, message, reading);
  }
  return number ?? null;
}

function checkText(text: string, path: string, reading: ValueReading): void {
  if (LONE_SURROGATE.test(text)) {
    refuse(path, 'The text has half of a surrogate pair, which UTF-8 has not', reading);
  }
}

function readObject(fields: Fields, place: Place, reading: ValueReading): unknown {
  const wrapper = readWrapper(fields);
  if (wrapper !== undefined && 'value' in wrapper) {
    return wrapper.value;
  }
  if (wrapper !== undefined) {
    refuse(place.path, wrapper.problem, reading);
    return null;
  }
  return readFields(fields, place, reading);
}

function readFields(fields: Fields, place: Place, reading: ValueReading): BsonDocument {
  const { path, depth } = place;
  const document = new Map<string, unknown>();
  if (isTooDeep(place, reading)) {
    return document;
  }
  // A whole document that begins with `$` would be an update with operators.
  const isReference = depth > 1 && typeof fields.get('$ref') === 'string' && fields.has('$id');
  for (const [name, value] of fields) {
    const inner = path === '' ? name : `${path}.${name}`;
    if (!reading.isStored) {
      checkName(name, { path: inner, isReference }, reading);
    }
    document.set(name, readAt(value, { path: inner, depth: depth + 1 }, reading));
  }
  return document;
}

/** The names of a DBRef, which is a convention and no type. */
const REFERENCE_NAMES: ReadonlySet<string> = new Set(['$ref', '$id', '$db']);

function checkName(
  name: string,
  { path, isReference }: { readonly path: string; readonly isReference: boolean },
  reading: ValueReading,
): void {
  if (name.startsWith('$') && !(isReference && REFERENCE_NAMES.has(name))) {
    const message = 'A name cannot begin with $, except for types of Extended JSON such as $oid';
    refuse(path, message, reading);
  }
  if (name.includes('\0')) {
    refuse(path, 'A name cannot hold the character NUL', reading);
  }
  checkText(name, path, reading);
}

function isTooDeep({ path, depth }: Place, reading: ValueReading): boolean {
  const max = reading.isStored ? STORED_NESTING_MAX : NESTING_MAX;
  if (depth > max) {
    refuse(path, `More than ${max} documents and arrays are within each other`, reading);
  }
  return depth > max;
}
