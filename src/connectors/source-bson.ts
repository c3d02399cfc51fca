// Changes to documents as bytes: what is not changed is copied, whatever types it has.
import {
  BSON_TYPE,
  checkDocument,
  findTerminator,
  readValueEnd,
} from '../backends/mongodb/bson-reader.ts';
import type { BsonValue } from '../backends/mongodb/bson-reader.ts';

/** An element of a document by the places of its parts; its type byte is at `start`. */
interface Element {
  readonly type: number;
  readonly start: number;
  /** Of the NUL behind the name. */
  readonly nameEnd: number;
  readonly end: number;
}

const LENGTH_BYTES = 4;

function* elementsOf(bson: Uint8Array): Generator<Element, void, undefined> {
  checkDocument(bson);
  const last = bson.length - 1;
  let start = LENGTH_BYTES;
  while (start < last) {
    const type = bson[start] ?? 0;
    const nameEnd = findTerminator(bson, start + 1, last);
    const end = readValueEnd(type, bson, nameEnd + 1, last);
    yield { type, start, nameEnd, end };
    start = end;
  }
}

function nameOf(bson: Uint8Array, { start, nameEnd }: Element): string {
  return textOf(bson, start + 1, nameEnd);
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
}

function valueOf(bson: Uint8Array, { nameEnd, end }: Element): Uint8Array {
  return bson.subarray(nameEnd + 1, end);
}

/** A document of these elements. */
function encodeDocument(elements: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([Buffer.alloc(LENGTH_BYTES), ...elements, Buffer.of(0)]);
  body.writeInt32LE(body.length);
  return body;
}

/** An element from its value's bytes. */
export function encodeElement(type: number, name: string, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`, 'utf8'), value]);
}

/** An element with a text. */
export function encodeTextElement(name: string, text: string): Buffer {
  const bytes = Buffer.from(`\0\0\0\0${text}\0`, 'utf8');
  bytes.writeInt32LE(bytes.length - LENGTH_BYTES);
  return encodeElement(BSON_TYPE.string, name, bytes);
}

/** A name or a path, ready to be looked for. */
export type Path = readonly Buffer[];

export function toPath(dotted: string): Path {
  return dotted.split('.').map((name) => Buffer.from(name, 'utf8'));
}

/** The value at a path through documents; `array` where an array is in the way. */
export function findValue(bson: Uint8Array, path: Path): BsonValue | 'array' | undefined {
  let container = bson;
  for (const [index, name] of path.entries()) {
    const element = findElement(container, name);
    if (element === undefined) {
      return undefined;
    }
    if (index === path.length - 1) {
      const { type, nameEnd, end } = element;
      return { type, bytes: container, offset: nameEnd + 1, end };
    }
    if (element.type !== BSON_TYPE.document) {
      return element.type === BSON_TYPE.array ? 'array' : undefined;
    }
    container = valueOf(container, element);
  }
  return undefined;
}

function findElement(bson: Uint8Array, name: Buffer): Element | undefined {
  for (const element of elementsOf(bson)) {
    if (isNamed(bson, element, name)) {
      return element;
    }
  }
  return undefined;
}

function isNamed(bson: Uint8Array, { start, nameEnd }: Element, name: Buffer): boolean {
  return nameEnd - start - 1 === name.length && name.compare(bson, start + 1, nameEnd) === 0;
}

/**
 * The document without what is at the path.
 *
 * @param emptyFrom a document on the way that holds nothing else goes too, unless it is nearer to
 *   the root than so many names of the path
 */
export function withoutPath(bson: Uint8Array, path: Path, emptyFrom: number): Uint8Array {
  return withoutStep(bson, { path, depth: 0, emptyFrom }) ?? encodeDocument([]);
}

interface Step {
  readonly path: Path;
  readonly depth: number;
  readonly emptyFrom: number;
}

function withoutStep(bson: Uint8Array, step: Step): Uint8Array | undefined {
  const { path, depth, emptyFrom } = step;
  const name = path[depth] ?? Buffer.alloc(0);
  const kept: Uint8Array[] = [];
  let isChanged = false;
  for (const element of elementsOf(bson)) {
    const whole = bson.subarray(element.start, element.end);
    const replaced = isNamed(bson, element, name) ? inStep(bson, element, step) : whole;
    isChanged ||= replaced !== whole;
    if (replaced !== undefined) {
      kept.push(replaced);
    }
  }
  if (!isChanged) {
    return bson;
  }
  return kept.length === 0 && depth >= emptyFrom ? undefined : encodeDocument(kept);
}

function inStep(bson: Uint8Array, element: Element, step: Step): Uint8Array | undefined {
  const whole = bson.subarray(element.start, element.end);
  if (step.depth === step.path.length - 1) {
    return undefined;
  }
  if (element.type !== BSON_TYPE.document) {
    return whole;
  }
  const value = valueOf(bson, element);
  const changed = withoutStep(value, { ...step, depth: step.depth + 1 });
  return changed === undefined
    ? undefined
    : Buffer.concat([bson.subarray(element.start, element.nameEnd + 1), changed]);
}

/** The document with these elements at its end, in place of those of the same names. */
export function withElements(bson: Uint8Array, added: ReadonlyMap<string, Uint8Array>): Buffer {
  const kept: Uint8Array[] = [];
  for (const element of elementsOf(bson)) {
    if (!added.has(nameOf(bson, element))) {
      kept.push(bson.subarray(element.start, element.end));
    }
  }
  return encodeDocument([...kept, ...added.values()]);
}

/** Two fields of one document would get the same name. */
export class NameCollision extends Error {
  override readonly name = 'NameCollision';

  constructor(one: string, other: string) {
    super(`its fields "${one}" and "${other}" would get the same name`);
  }
}

/**
 * The document with every field's name changed, in documents and arrays within it too.
 *
 * @throws NameCollision
 */
export function withNames(bson: Uint8Array, rename: (name: string) => string): Buffer {
  const before = new Map<string, string>();
  const renamed: Uint8Array[] = [];
  for (const element of elementsOf(bson)) {
    const name = nameOf(bson, element);
    const newName = rename(name);
    const other = before.get(newName);
    if (other !== undefined) {
      throw new NameCollision(other, name);
    }
    before.set(newName, name);
    renamed.push(encodeElement(element.type, newName, renamedValue(bson, element, rename)));
  }
  return encodeDocument(renamed);
}

function renamedValue(
  bson: Uint8Array,
  element: Element,
  rename: (name: string) => string,
): Uint8Array {
  const value = valueOf(bson, element);
  switch (element.type) {
    case BSON_TYPE.document:
      return withNames(value, rename);
    case BSON_TYPE.array:
      return withNamesInArray(value, rename);
    default:
      return value;
  }
}

/** An array with the names of the documents in it changed; its own are indexes. */
export function withNamesInArray(bson: Uint8Array, rename: (name: string) => string): Buffer {
  const elements: Uint8Array[] = [];
  for (const element of elementsOf(bson)) {
    const head = bson.subarray(element.start, element.nameEnd + 1);
    elements.push(head, renamedValue(bson, element, rename));
  }
  return encodeDocument(elements);
}
