// Extended JSON in a bare command document: `{"$oid": "..."}` there stands for an ObjectId.
import { BSON } from 'mongodb';
import { ShellSyntaxError } from './shell-error.ts';

/** Names that begin a typed value; $regex and $options stay the query operators that they are. */
const WRAPPERS = new Set([
  '$oid',
  '$date',
  '$numberInt',
  '$numberLong',
  '$numberDouble',
  '$numberDecimal',
  '$binary',
  '$uuid',
  '$timestamp',
  '$regularExpression',
  '$symbol',
  '$code',
  '$minKey',
  '$maxKey',
  '$undefined',
  '$dbPointer',
]);

/**
 * The same value with its typed values in place of what they were written as.
 *
 * @throws ShellSyntaxError where one is malformed
 */
export function fromExtendedJson(value: unknown, offset: number): unknown {
  if (Array.isArray(value)) {
    return value.map((element) => fromExtendedJson(element, offset));
  }
  if (!(value instanceof Map)) {
    return value;
  }
  const [first] = value.keys();
  return typeof first === 'string' && WRAPPERS.has(first)
    ? readWrapper(value, first, offset)
    : new Map([...value].map(([name, inner]) => [name, fromExtendedJson(inner, offset)] as const));
}

function readWrapper(value: ReadonlyMap<unknown, unknown>, name: string, offset: number): unknown {
  try {
    const read: unknown = BSON.EJSON.deserialize({ v: toPlain(value) }, { relaxed: false });
    return typeof read === 'object' && read !== null && 'v' in read ? read.v : undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it is malformed';
    throw new ShellSyntaxError(`Extended JSON ${name} cannot be read: ${reason}`, offset);
  }
}

function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(toPlain);
  }
  return value instanceof Map
    ? Object.fromEntries([...value].map(([name, inner]) => [String(name), toPlain(inner)]))
    : value;
}
