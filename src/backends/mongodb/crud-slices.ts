// Parts of a JSON text that Gatepost has written itself, as slices of its bytes: documents pass
// through as they are, never decoded and encoded again.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/**
 * A member of an object in compact JSON; undefined where there is none.
 *
 * @param name without characters that JSON escapes
 */
export function sliceMember(object: Buffer, name: string): Buffer | undefined {
  const key = `"${name}"`;
  for (let at = 1; at < object.length - 1;) {
    const colon = endOfPart(object, at, COLON);
    const end = endOfPart(object, colon + 1, COMMA);
    if (object.toString('utf8', at, colon) === key) {
      return object.subarray(colon + 1, end);
    }
    at = end + 1;
  }
  return undefined;
}

/** The elements of an array in compact JSON. */
export function sliceElements(array: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  for (let at = 1; at < array.length - 1;) {
    const end = endOfPart(array, at, COMMA);
    elements.push(array.subarray(at, end));
    at = end + 1;
  }
  return elements;
}

/** Where this separator stands at the same depth, or else the bracket that ends the whole. */
function endOfPart(text: Buffer, from: number, separator: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const byte = text[at] ?? 0;
    if (byte === QUOTE) {
      at = endOfString(text, at);
    } else if (OPENING.has(byte)) {
      depth += 1;
    } else if (CLOSING.has(byte)) {
      depth -= 1;
    }
    if ((byte === separator && depth === 0) || depth < 0) {
      return at;
    }
    at += 1;
  }
  return at;
}

/** The quote that closes the string which begins here. */
function endOfString(text: Buffer, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== QUOTE) {
    at += text[at] === BACKSLASH ? 2 : 1;
  }
  return at;
}
