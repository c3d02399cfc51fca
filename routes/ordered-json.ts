// JSON whose objects keep the order in which their names were written. JavaScript's own put names
// that look like array indexes before all others: {"name": 1, "0": -1} would be another sort.
import { parse } from 'lossless-json';
import { parseJson } from '../src/backends/mongodb/crud-json.ts';
import type { Json } from '../src/backends/mongodb/crud-json.ts';

/** A name of digits, any of them escaped. */
const INDEX_NAME = /"(?:\d|\\u003\d)+"\s*:/i;

/**
 * The value of a text, with a LosslessNumber for each number.
 *
 * @throws SyntaxError where the text is no JSON
 */
export function parseOrderedJson(text: string): unknown {
  const value = parse(text);
  if (!INDEX_NAME.test(text)) {
    return value;
  }
  const json = parseJson(text);
  if (json === undefined) {
    throw new SyntaxError('One object names something twice');
  }
  return toValue(json);
}

function toValue(json: Json): unknown {
  if (json instanceof Map) {
    return toObject(json);
  }
  return Array.isArray(json) ? json.map(toValue) : json;
}

/** An object that tells its names in their order, whoever asks for them. */
function toObject(fields: ReadonlyMap<string, Json>): object {
  const names = [...fields.keys()];
  const object = Object.fromEntries([...fields].map(([name, json]) => [name, toValue(json)]));
  const isInOrder = Object.keys(object).every((name, index) => name === names[index]);
  return isInOrder ? object : new Proxy(object, { ownKeys: () => names });
}
