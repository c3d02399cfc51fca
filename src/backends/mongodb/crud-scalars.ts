// Values in an address: of filters and ids, where everything is text.
import { ObjectId } from 'mongodb';
import { parseExactNumber } from './crud-numbers.ts';
import { isJsonNumber, parseJson } from './crud-json.ts';
import type { ValueProblem } from './crud-values.ts';
import { readBson } from './crud-values.ts';
import * as wrappers from './crud-wrappers.ts';
import { formatBson } from './crud-text.ts';

/** What is meant by a text, or why it means nothing. */
export type Parsed = { readonly value: unknown } | { readonly problem: string };

const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** What an id is, where it is not to be guessed: each gives undefined for what it is not. */
const ID_TYPES: ReadonlyMap<string, (text: string) => unknown> = new Map<
  string,
  (text: string) => unknown
>([
  ['objectid', wrappers.readObjectId],
  ['string', (text) => text],
  ['int', wrappers.readInt],
  ['long', wrappers.readLong],
  ['double', wrappers.readDouble],
  ['decimal', wrappers.readDecimal],
  ['uuid', wrappers.readUuid],
  ['date', wrappers.readDate],
  ['bool', (text) => WORDS.get(text) ?? undefined],
]);

/** Names that `id_type` takes. */
export const ID_TYPE_NAMES: readonly string[] = [...ID_TYPES.keys()];

/**
 * A number, true, false, null, Extended JSON that begins with a bracket, a JSON string in its
 * quotes; everything else is a string as it is.
 */
export function parseScalar(text: string): Parsed {
  if (/^["{[]/.test(text)) {
    return parseLiteral(text);
  }
  if (isJsonNumber(text)) {
    const value = parseExactNumber(text);
    return value === undefined
      ? { problem: 'No number is exactly this one: write {"$numberDecimal":"…"} or "…"' }
      : { value };
  }
  const word = WORDS.get(text);
  return { value: word === undefined ? text : word };
}

/** Extended JSON; also the elements of `in.[…]`. */
export function parseLiteral(text: string): Parsed {
  const json = parseJson(text);
  if (json === undefined) {
    return { problem: 'It is no valid JSON: write text that begins with ", { or [ in quotes' };
  }
  const problems: ValueProblem[] = [];
  const value = readBson(json, '', { problems, isStored: false });
  const [problem] = problems;
  return problem === undefined ? { value } : { problem: problem.message };
}

/**
 * A scalar, but 24 hexadecimal digits are an ObjectId.
 *
 * @param idType what it is instead; one of ID_TYPE_NAMES
 */
export function parseId(text: string, idType: string | undefined): Parsed {
  if (idType === undefined) {
    const objectId = wrappers.readObjectId(text);
    return objectId === undefined ? parseScalar(text) : { value: objectId };
  }
  const value = ID_TYPES.get(idType)?.(text);
  return value === undefined ? { problem: `It is no ${idType}` } : { value };
}

/** An id as parseId reads it, for a path; percent-encoded. */
export function formatId(id: unknown): string {
  if (id instanceof ObjectId) {
    return id.toHexString();
  }
  return encodeURIComponent(typeof id === 'string' ? formatText(id) : formatBson(id));
}

/** In quotes where it would be something else without them. */
function formatText(text: string): string {
  const parsed = parseId(text, undefined);
  const isItself = 'value' in parsed && parsed.value === text;
  // Clients take dots for the way up, and an empty part for none.
  return isItself && !['', '.', '..'].includes(text) ? text : JSON.stringify(text);
}
